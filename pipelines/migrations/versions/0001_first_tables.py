"""The first tables. Until a release, this step makes what `pipelines.tables` says."""

from __future__ import annotations

from alembic import op

from pipelines.tables import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table."""
    metadata.create_all(op.get_bind())
