"""Comparisons that somebody asks the running site to make: one of a route at a time, whoever asks and however often.

A wish is a row beside those of the timetable (`pipelines.proofs`), and a process that keeps the timetable makes it, so
that nobody waits at a page, and another one begins it anew if that process dies. `pipelines.prover` makes it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, insert, or_, select

from pipelines import audit, proofs
from pipelines.looking import NotPossible
from pipelines.plant import Plant
from pipelines.proofs import Due
from pipelines.rights import Right
from pipelines.sight import NoSuch
from pipelines.tables import reconciliation


@dataclass(frozen=True, slots=True)
class InHand:
    """A comparison that is asked for or going on."""

    council: str
    route: str
    at: int  # since when
    by: str  # who asked, "" for the timetable
    runs: bool  # it is being made; otherwise it waits for the running site


def ask(plant: Plant, council: str, route: str, *, who: str) -> str:
    """Have the running site compare the two ends of a route now; returns what was done in a sentence.

    Raises NotPossible where it is asked for or going on already, NoSuch, NotAllowed.
    """
    place = plant.councils.get(council)
    if place is None or all(one.name != route for one in proofs.comparable(place)):
        raise NoSuch("there is no route of that name that can be compared and that you may see")
    plant.sight.need(Right.CONTROL, council)
    now = plant.clock.now()
    with plant.ledger.writing(making_room=True) as connection:
        proofs.hold(connection, council, route)
        if connection.execute(select(reconciliation.c.id).where(_of(council, route), _open(now)).limit(1)).first():
            raise NotPossible(f"{route} is being compared already, or is going to be in a moment; look again")
        connection.execute(
            insert(reconciliation).values(
                council=council, route=route, at=now, asked_by=who, counts={}, findings={}, words=""
            )
        )
        audit.write(
            connection, plant.vault, council=council, who=who, action="compare", subject=f"route {route}", why="",
            now=now,
        )  # fmt: skip
    plant.nudge.set()
    return f"{route} is compared by the running site; look again in a while"


def in_hand(plant: Plant) -> list[InHand]:
    """What is asked for or going on, the oldest first."""
    now = plant.clock.now()
    wanted = select(reconciliation).where(reconciliation.c.council.in_(list(plant.councils)), _open(now))
    with plant.ledger.reading() as connection:
        rows = connection.execute(wanted.order_by(reconciliation.c.id)).all()
    return [InHand(row.council, row.route, row.at, row.asked_by, row.claimed_by is not None) for row in rows]


def next_one(plant: Plant) -> Due | None:
    """The comparison that was asked for and has waited longest, None if none is waiting."""
    now = plant.clock.now()
    waits = (reconciliation.c.asked_by != "", reconciliation.c.done.is_(None), proofs.is_free(now))
    with plant.ledger.reading() as connection:
        rows = connection.execute(select(reconciliation).where(*waits).order_by(reconciliation.c.id)).all()
        goes_on = proofs.going_on(connection, now)
    for row in rows:
        place = plant.councils.get(row.council)
        if place is not None and place.route(row.route) is not None and (row.council, row.route) not in goes_on:
            return Due(row.council, row.route, row.at, row.whole, asked=True)
    return None


def _of(council: str, route: str) -> ColumnElement[bool]:
    return and_(reconciliation.c.council == council, reconciliation.c.route == route)


def _open(now: int) -> ColumnElement[bool]:
    claimed = and_(reconciliation.c.claimed_by.is_not(None), reconciliation.c.until > now)
    return and_(reconciliation.c.done.is_(None), or_(reconciliation.c.asked_by != "", claimed))
