"""The overview at a glance: each connection's state, lag and queue, and what has flowed today, within bounds.

Counts of open work come from an index of open work alone and stop at a bound; the flow is that of the newest
deliveries of today, as many as can be looked through quickly. `pipelines.overview` counts everything, however long
that takes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, String, bindparam, func, select, text

from pipelines import pauses, schedule
from pipelines.code_drift_known import PURPOSE
from pipelines.counted import unread_by_cause
from pipelines.plant import Plant, Wired
from pipelines.proofs import Proved, of_routes
from pipelines.states import OPEN, DeliveryState
from pipelines.tables import OPEN_DELIVERY, cause, delivery, slot, walk
from pipelines.timetable import day_begins
from pipelines.worklist import waits_for_a_person

#: Open deliveries of one connection and state that are counted, and deliveries of today that are looked through.
MOST_COUNTED, MOST_FLOWN = 10_000, 20_000
_MOST_CAUSES = 5_000
#: What `pipelines.sight` says, for the one statement that is written by hand.
_HIDDEN = "AND referral_id NOT IN (SELECT id FROM referral WHERE restricted AND id NOT IN :granted)"


@dataclass(frozen=True, slots=True)
class Glimpse:
    """One connection now."""

    council: str
    connection: str
    system: str
    paused: str  # why, "" if it runs
    paused_until: int | None
    paused_by: str
    window_until: int | None  # the maintenance window in which it is closed
    polls: bool
    last_read: int | None
    next_run: int | None
    told: str  # why its last walk stopped early, or what its feed had to tell
    waiting: int
    not_sure: int
    attention: int
    unread: int  # records of it that could not be taken in
    oldest: int | None  # since when the oldest open delivery waits


@dataclass(frozen=True, slots=True)
class Flow:
    """What went by one route today."""

    council: str
    route: str
    source: str
    target: str
    arrived: int
    waiting: int
    attention: int
    other: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.arrived + self.waiting + self.attention + self.other


@dataclass(slots=True)
class Glance:
    """What the overview shows of some councils."""

    now: int
    links: list[Glimpse] = field(default_factory=list)
    flows: list[Flow] = field(default_factory=list)
    flows_since: int | None = None  # where today's deliveries were too many to be looked through: since when
    proofs: list[Proved] = field(default_factory=list)


def glance(plant: Plant, councils: Sequence[str]) -> Glance:
    """Look."""
    found = Glance(plant.clock.now())
    with plant.ledger.reading() as connection:
        held, unread = pauses.all_pauses(connection), _unread(connection, plant, councils)
        seen = plant.sight.of(delivery.c.referral_id)
        for code in councils:
            for wired in plant.councils[code].wired.values():
                key = (code, wired.name)
                found.links.append(link(connection, wired, held.get(key), unread.get(key, 0), found.now, seen))
        _flows(connection, plant, councils, found)
        found.proofs = [proved for proved in of_routes(connection, plant) if proved.council in councils]
    return found


def link(
    connection: Connection, wired: Wired, held: Any, unread: int, now: int, seen: ColumnElement[bool]
) -> Glimpse:
    """One connection now. `held`: its pause; `unread`: how many of its records could not be taken in; `seen`: which
    deliveries whoever looks may see."""
    key = {"council": wired.council, "connection": wired.name}
    counts: Counter[str] = Counter()
    oldest: list[int] = []
    for state in sorted(OPEN):
        some = (
            select(delivery.c.at, waits_for_a_person().label("a_person"))
            .filter_by(**key, state=state)
            .where(text(OPEN_DELIVERY), seen)
            .limit(MOST_COUNTED)
            .subquery()
        )
        for a_person, number, first in connection.execute(
            select(some.c.a_person, func.count(), func.min(some.c.at)).group_by(some.c.a_person)
        ):
            counts[DeliveryState.ATTENTION if a_person else state] += number
            oldest.append(first)
    read = connection.execute(
        select(func.max(walk.c.completed), func.max(walk.c.words)).filter_by(**key, purpose="live")
    ).one()
    last = connection.execute(
        select(slot.c.words)
        .filter_by(**key)
        .where(slot.c.done.is_not(None), slot.c.purpose != PURPOSE)
        .order_by(slot.c.at.desc())
        .limit(1)
    ).scalar()
    tables = [table for kind in wired.kinds.values() if (table := schedule.timetable(wired, kind))]
    return Glimpse(
        wired.council, wired.name, str(wired.settings.get("system") or ""),
        held.why if held else "", held.until if held else None, held.who if held else "",
        wired.closed_until(now), wired.polls, read[0],
        min((at for table in tables if (at := table.next(now)) is not None), default=None),
        last or (read[1] if read[0] else "") or "",
        counts[DeliveryState.WAITING] + counts[DeliveryState.SENDING], counts[DeliveryState.NOT_SURE],
        counts[DeliveryState.ATTENTION],
        unread,
        min((at for at in oldest if at is not None), default=None),
    )  # fmt: skip


def _flows(connection: Connection, plant: Plant, councils: Sequence[str], found: Glance) -> None:
    counts: dict[tuple[str, str], Counter[str]] = {}
    newest = connection.execute(select(func.max(delivery.c.id))).scalar() or 0
    days: dict[int, list[str]] = {}
    for code in councils:
        days.setdefault(day_begins(found.now, plant.councils[code].zone), []).append(code)
    # By its ids, which are its rows' places; SQLite would rather go through everything in the order of an index.
    table = "delivery NOT INDEXED" if connection.dialect.name == "sqlite" else "delivery"
    hidden = "" if plant.sight.is_whole else _HIDDEN
    flown = text(
        f"SELECT council, route, state, count(*) FROM {table} "  # noqa: S608 - a table of ours
        f"WHERE id > :after AND at >= :begun AND council IN :councils {hidden} GROUP BY council, route, state"
    ).bindparams(bindparam("councils", expanding=True))
    if hidden:
        flown = flown.bindparams(bindparam("granted", sorted(plant.sight.granted), String, expanding=True))
    for begun, codes in days.items():
        # Ids grow with time, so that the newest deliveries are read from the table's end.
        for code, route, state, number in connection.execute(
            flown, {"after": newest - MOST_FLOWN, "begun": begun, "councils": codes}
        ):
            counts.setdefault((code, route), Counter())[state] = number
    if newest > MOST_FLOWN:
        first = connection.execute(
            select(delivery.c.at).where(delivery.c.id > newest - MOST_FLOWN).order_by(delivery.c.id).limit(1)
        ).scalar()
        found.flows_since = first if first is not None and any(first > begun for begun in days) else None
    for code in councils:
        for route in plant.councils[code].routes:
            states = counts.get((code, route.name), Counter())
            waiting = states[DeliveryState.WAITING] + states[DeliveryState.SENDING] + states[DeliveryState.NOT_SURE]
            done = states[DeliveryState.ARRIVED] + states[DeliveryState.SETTLED]
            attention = states[DeliveryState.ATTENTION]
            other = states.total() - waiting - done - attention
            found.flows.append(Flow(code, route.name, route.source, route.target, done, waiting, attention, other))


def _unread(connection: Connection, plant: Plant, councils: Sequence[str]) -> Mapping[tuple[str, str], int]:
    """How many records of each connection could not be taken in."""
    numbers = {row.cause_id: row.number for row in unread_by_cause(connection, plant, councils)}
    found: Counter[tuple[str, str]] = Counter()
    for row in connection.execute(
        select(cause.c.id, cause.c.council, cause.c.connection).where(cause.c.id.in_(list(numbers)[:_MOST_CAUSES]))
    ):
        found[row.council, row.connection] += numbers[row.id]
    return found
