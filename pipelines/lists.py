"""Lists that officers page through: runs of the timetable, comparisons, the audit, conflicts. Bounded, newest first.

Each gives a page and the place behind which the next one begins. An officer sees what is theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select

from pipelines import pauses
from pipelines.glance import Glimpse, link
from pipelines.plant import Plant, Wired
from pipelines.rights import Right
from pipelines.schedule import timetable
from pipelines.tables import audit, conflict, delivery, reconciliation, referral, slot, walk


@dataclass(frozen=True, slots=True)
class Planned:
    """When one kind of record of a connection is read."""

    council: str
    connection: str
    kind: str
    every: float | None  # seconds
    cron: str
    next: int | None
    last: int | None
    told: str  # why its last walk stopped early


def planned(plant: Plant) -> list[Planned]:
    """The timetable of every source."""
    now = plant.clock.now()
    with plant.ledger.reading() as connection:
        walks = {
            (row.council, row.connection, row.kind): row
            for row in connection.execute(select(walk).where(walk.c.purpose == "live"))
        }
    found = []
    for council in plant.councils.values():
        for wired in council.wired.values():
            for kind in wired.kinds.values() if wired.polls else ():
                table, last = timetable(wired, kind), walks.get((council.code, wired.name, kind.name))
                found.append(
                    Planned(
                        council.code, wired.name, kind.name, table.every if table else None,
                        (table.cron or "") if table else "", table.next(now) if table else None,
                        last.completed if last else None, last.words if last else "",
                    )
                )  # fmt: skip
    return found


def runs(plant: Plant, *, before: int | None = None, limit: int = 50) -> list[Row[Any]]:
    """The newest runs, planned and asked for, of these councils."""
    wanted = select(slot).where(slot.c.council.in_(list(plant.councils)))
    if before is not None:
        wanted = wanted.where(slot.c.at < before)
    with plant.ledger.reading() as connection:
        return list(connection.execute(wanted.order_by(slot.c.at.desc()).limit(limit)).all())


def comparisons(plant: Plant, *, before: int | None = None, limit: int = 20) -> list[Row[Any]]:
    """The newest comparisons of the two ends of routes."""
    wanted = select(reconciliation).where(
        reconciliation.c.council.in_(list(plant.councils)), reconciliation.c.done.is_not(None)
    )
    if before is not None:
        wanted = wanted.where(reconciliation.c.id < before)
    with plant.ledger.reading() as connection:
        return list(connection.execute(wanted.order_by(reconciliation.c.id.desc()).limit(limit)).all())


def comparison(plant: Plant, id: int) -> Row[Any] | None:
    """One comparison, None where these councils have none of that number."""
    wanted = select(reconciliation).where(
        reconciliation.c.id == id, reconciliation.c.council.in_(list(plant.councils))
    )
    with plant.ledger.reading() as connection:
        return connection.execute(wanted).first()


def lines_of(plant: Plant, row: Row[Any]) -> dict[str, Any]:
    """What a comparison found, without the lines of referrals that are kept from whoever asks."""
    with plant.ledger.reading() as connection:
        hidden = set(connection.execute(select(referral.c.id).where(plant.sight.hides())).scalars())
    return {
        kind: [line for line in lines if not isinstance(line, dict) or line.get("referral") not in hidden]
        if isinstance(lines, list)
        else lines
        for kind, lines in row.findings.items()
    }


def audited(plant: Plant, *, before: int | None = None, limit: int = 50) -> list[Row[Any]]:
    """The newest lines of the audit of the councils for which this officer protects data. Reasons stay sealed."""
    officer = plant.sight.officer
    codes = [code for code in plant.councils if officer is None or officer.may(Right.PROTECT, code)]
    wanted = select(audit).where(audit.c.council.in_(codes))
    if before is not None:
        wanted = wanted.where(audit.c.seq < before)
    with plant.ledger.reading() as connection:
        return list(connection.execute(wanted.order_by(audit.c.seq.desc()).limit(limit)).all())


def conflicts(plant: Plant, *, after: int = 0, limit: int = 50) -> list[Row[Any]]:
    """Conflicts that wait for a person, the oldest first."""
    wanted = select(conflict).where(
        conflict.c.open.is_(True), conflict.c.council.in_(list(plant.councils)), conflict.c.id > after,
        plant.sight.of(conflict.c.referral_id),
    )  # fmt: skip
    with plant.ledger.reading() as connection:
        return list(connection.execute(wanted.order_by(conflict.c.id).limit(limit)).all())


def standing(plant: Plant, wired: Wired) -> Glimpse:
    """One connection now; what of it could not be read is counted elsewhere."""
    with plant.ledger.reading() as connection:
        held = pauses.of(connection, wired.council, wired.name)
        return link(connection, wired, held, 0, plant.clock.now(), plant.sight.of(delivery.c.referral_id))


def newest_of(rows: Sequence[Row[Any]], limit: int) -> tuple[Sequence[Row[Any]], bool]:
    """A page of rows that were asked for with one more than it holds, and whether there are more."""
    return rows[:limit], len(rows) > limit
