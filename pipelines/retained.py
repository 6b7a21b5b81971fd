"""The effect of retention, measured: the oldest payload that is held, by council and class, and when it was measured.

A purge measures at its end and keeps the result in the ledger, so that whoever shows it (`dolen status`, the pages, the
metrics) need not look through all payloads.
"""

from __future__ import annotations

from dataclasses import dataclass

import orjson
from sqlalchemy import func, select

from pipelines.ledger import get_meta, set_meta
from pipelines.plant import Plant
from pipelines.tables import payload

_NAME = "retained"


@dataclass(frozen=True, slots=True)
class Oldest:
    """The oldest payload of one class that a council holds."""

    council: str
    kind: str  # raw, page, push, facts, request, reply, why
    at: int
    count: int


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured, and when; `at` is None where no purge has ended yet."""

    at: int | None
    oldest: tuple[Oldest, ...] = ()


def measure(plant: Plant) -> Measured:
    """Measure now, and keep it."""
    kind = payload.c["class"]
    with plant.ledger.reading() as connection:
        rows = connection.execute(
            select(payload.c.council, kind, func.min(payload.c.at), func.count())
            .where(payload.c.body.is_not(None))
            .group_by(payload.c.council, kind)
            .order_by(payload.c.council, kind)
        ).all()
    now = plant.clock.now()
    with plant.ledger.writing(making_room=True) as connection:
        set_meta(connection, _NAME, orjson.dumps({"at": now, "oldest": [list(row) for row in rows]}).decode())
    return of(plant)


def of(plant: Plant) -> Measured:
    """What was measured last, of the councils that the site has."""
    with plant.ledger.reading() as connection:
        kept = get_meta(connection, _NAME)
    if kept is None:
        return Measured(None)
    found = orjson.loads(kept)
    oldest = tuple(Oldest(*row) for row in found["oldest"] if row[0] in plant.councils)
    return Measured(found["at"], oldest)
