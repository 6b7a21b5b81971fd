"""The first tables. Until a release, this step makes what `pipelines.tables` and `pipelines.guards` say."""

from __future__ import annotations

from alembic import op

from pipelines import guards, packing
from pipelines.tables import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None
oldest = "0001"  # the oldest step whose programs may use the ledger after this one


def upgrade() -> None:
    """Make every table, what watches over them, and how they are stored."""
    metadata.create_all(op.get_bind())
    guards.put_up(op.get_bind())
    packing.arrange(op.get_bind())
