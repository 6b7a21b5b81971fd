"""Arrivals: what became of each version that a source showed, and when, for a bench that times it.

Only of versions that made deliveries; an echo or a repeat makes none. What it costs grows with the ledger, so nobody
asks while a site runs for real.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from pipelines.ledger import Ledger
from pipelines.states import OPEN
from pipelines.tables import delivery, proof, version


@dataclass(frozen=True, slots=True)
class Arrival:
    """One delivery that a version made."""

    council: str
    connection: str  # the source
    external_id: str
    version: str
    state: str
    proved: int | None  # when its proof was written, in microseconds since 1970


def arrivals(ledger: Ledger) -> list[Arrival]:
    """All of them."""
    of = (version.c.council, version.c.connection, version.c.external_id, version.c.version)
    found = (
        select(*of, delivery.c.state, proof.c.at)
        .join(delivery, delivery.c.version_id == version.c.id)
        .outerjoin(proof, proof.c.delivery_id == delivery.c.id)
    )
    with ledger.reading() as connection:
        return [Arrival(*row) for row in connection.execute(found)]


def open_deliveries(ledger: Ledger) -> int:
    """How many deliveries are not done, whatever they wait for."""
    with ledger.reading() as connection:
        counted = select(func.count()).select_from(delivery).where(delivery.c.state.in_(sorted(OPEN)))
        return int(connection.execute(counted).scalar_one())
