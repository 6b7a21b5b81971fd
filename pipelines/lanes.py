"""Lanes: the unit of order and of lease.

One drain holds a lane at a time. Its fence grows with every lease, and whoever writes a result must still hold the
fence that it was given: a worker that slept through its lease cannot write. A lane's `due` says when something in it
can be done and its `rank` how urgent that is, so that a drain finds the next batch with one small query.

Locks are taken in one order everywhere (records, referrals, deliveries, lanes), save that a lease skips what is locked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, bindparam, null, or_, select, union_all, update
from sqlalchemy import delete as sql_delete

from pipelines import rows, together
from pipelines.batch import rank_of
from pipelines.ready import Ask, Say, given, in_parts
from pipelines.rows import Held
from pipelines.states import DeliveryState
from pipelines.tables import delivery, lane

_OPEN = (DeliveryState.WAITING, DeliveryState.SENDING, DeliveryState.NOT_SURE)
_STILL_OPEN = (delivery.c.state.in_(_OPEN),)
_TAKE = Ask(
    lambda among: update(lane)
    .where(among(lane.c.id))
    .values(owner=given("owner", lane.c.owner), until=given("until", lane.c.until), fence=lane.c.fence + 1)
    .returning(lane.c.id, lane.c.fence)
)
_FREE = Ask(
    lambda among: select(delivery.c.id)
    .where(among(delivery.c.id), delivery.c.state.in_([DeliveryState.WAITING, DeliveryState.NOT_SURE]))
    .with_for_update(skip_locked=True)
)
_LET_GO = (
    update(lane)
    .where(lane.c.id == bindparam("its"), lane.c.owner == bindparam("by"), lane.c.fence == bindparam("under"))
    .values(owner=null(), until=null(), due=bindparam("new_due"), rank=bindparam("new_rank"))
)
_LET_MANY_GO = (
    "UPDATE lane SET owner = NULL, until = NULL, due = given.due, rank = given.rank "
    "FROM unnest(%s::varchar[], %s::varchar[], %s::bigint[], %s::bigint[], %s::integer[]) "
    "AS given(its, by, under, due, rank) "
    "WHERE lane.id = given.its AND lane.owner = given.by AND lane.fence = given.under"
)


@dataclass(frozen=True, slots=True)
class Lease:
    """One lane, held by one drain until a time, under a fence."""

    lane: str
    council: str
    connection: str
    owner: str
    fence: int
    until: int


def take(
    connection: Connection,
    council: str,
    target: str,
    owner: str,
    *,
    now: int,
    until: int,
    most: int,
    only: str | None = None,
) -> list[Lease]:
    """Lease at most so many lanes of a connection in which something is due: urgent first, then live, then the oldest.

    What somebody holds is passed over, and so is what another transaction is just changing. `only`: this lane or none.
    """
    free = (
        select(lane.c.id)
        .where(
            lane.c.council == council,
            lane.c.connection == target,
            lane.c.due <= now,
            or_(lane.c.owner.is_(None), lane.c.until < now),
            *([lane.c.id == only] if only else []),
        )
        .order_by(lane.c.rank, lane.c.due)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    ids = [row.id for row in connection.execute(free)]
    if not ids:
        return []
    taken = _TAKE.rows(connection, ids, owner=owner, until=until)
    fences = {row["id"]: row["fence"] for row in taken}
    return [Lease(id, council, target, owner, fences[id], until) for id in ids]


def locked(connection: Connection, ids: Iterable[str]) -> list[Held]:
    """The rows of these lanes, locked."""
    return rows.read(connection, lane, "id", ids)


def standing(connection: Connection, leases: Iterable[Lease]) -> set[str]:
    """The lanes whose lease still stands, locked. A result may only be written where it does."""
    wanted = {lease.lane: lease for lease in leases}
    held = locked(connection, wanted)
    return {row.id for row in held if (row.owner, row.fence) == (wanted[row.id].owner, wanted[row.id].fence)}


def holds(connection: Connection, lease: Lease) -> bool:
    """Say whether one lease still stands."""
    return bool(standing(connection, [lease]))


def open_in(connection: Connection, ids: Collection[str]) -> dict[str, list[Held]]:
    """The deliveries of these lanes in which something is still to happen by itself, the oldest first."""
    found: dict[str, list[Held]] = {id: [] for id in ids}
    for row in rows.look(connection, delivery, "lane", ids, _STILL_OPEN):
        found[row.lane].append(row)
    for inside in found.values():
        inside.sort(key=lambda row: row.id)
    return found


def lock(connection: Connection, ids: Collection[int]) -> set[int]:
    """Lock deliveries that are to be sent or looked up; return those that still are and that nobody else holds."""
    return {row["id"] for row in _FREE.rows(connection, ids)}


def pick(inside: Sequence[Held], now: int) -> Held | None:
    """Return the next delivery of a lane that is due, None if there is none. `inside`: what is open, the oldest first.

    A delivery that is not sure comes before all and blocks the rest. Then urgent before others, then live before what
    a back-fill made, then the oldest; an event waits for the older events of its referral and route.
    """
    unsure = [row for row in inside if row.state == DeliveryState.NOT_SURE]
    if unsure:
        first = min(unsure, key=lambda row: (row.due is None, row.due or 0))
        return first if first.due is not None and first.due <= now else None
    ready = [
        row
        for row in _at_their_turn(inside)
        if row.state == DeliveryState.WAITING and row.due is not None and row.due <= now
    ]
    return min(ready, key=lambda row: (rank_of(urgent=row.urgent, live=row.live), row.id), default=None)


def _at_their_turn(inside: Iterable[Held]) -> list[Held]:
    """What may go next, be it due or not: everything but the events that stand behind one of their line."""
    lines: set[tuple[str, str, str]] = set()
    turn = []
    for row in inside:
        line = (row.referral_id, row.route, row.recipient)
        if row.carries != "event" or line not in lines:
            turn.append(row)
        if row.carries == "event":
            lines.add(line)
    return turn


def next_due(inside: Sequence[Held]) -> tuple[int | None, int]:
    """When something in a lane can be done, None for never by itself; and how urgent it is. A lane must never be due
    while `pick` finds nothing in it: it would be leased for nothing again and again, before all others."""
    unsure = [row for row in inside if row.state == DeliveryState.NOT_SURE]
    waiting = unsure or _at_their_turn(inside)
    due = min((row.due for row in waiting if row.due is not None), default=None)
    rank = min((rank_of(urgent=row.urgent, live=row.live) for row in waiting), default=1)
    return due, rank


def let_go(connection: Connection, leases: Sequence[Lease], dues: Mapping[str, tuple[int | None, int]]) -> None:
    """Give lanes back, with what `next_due` says of each. A lease that was lost changes nothing."""
    together.many(
        connection,
        _LET_GO,
        [
            {
                "its": lease.lane,
                "by": lease.owner,
                "under": lease.fence,
                "new_due": dues[lease.lane][0],
                "new_rank": dues[lease.lane][1],
            }
            for lease in leases
        ],
        lists=_LET_MANY_GO,
    )


def refresh(connection: Connection, ids: Collection[str]) -> None:
    """Work out anew when something in these lanes can be done: after a person moved a delivery."""
    locked(connection, ids)
    for id, inside in open_in(connection, ids).items():
        due, rank = next_due(inside)
        connection.execute(update(lane).where(lane.c.id == id).values(due=due, rank=rank))


def due_now(connection: Connection, targets: Collection[tuple[str, str]], now: int) -> dict[tuple[str, str], int]:
    """The rank of the most urgent free lane in which something is due, by council and connection; those in which
    nothing is due are left out. One statement for all connections of a site: this is asked all the time."""
    due: dict[tuple[str, str], int] = {}
    for some in in_parts(sorted(targets)):
        due |= _due_in(connection, some, now)
    return due


#: For how many connections the question is written; more values than there are name none.
_ASKED = (4, 8, 16, 32, 64, 96, 128, 192, 256, 384, 500)  # SQLite joins at most 500 selects


def _due_in(connection: Connection, targets: Sequence[tuple[str, str]], now: int) -> dict[tuple[str, str], int]:
    size = next(size for size in _ASKED if size >= len(targets))
    asked: dict[str, Any] = {"now": now}
    for at in range(size):
        asked[f"council_{at}"], asked[f"target_{at}"] = targets[at] if at < len(targets) else ("", "")
    found = _asking(size).rows(connection, **asked)
    return {(row["council"], row["target"]): row["rank"] for row in found if row["rank"] is not None}


@lru_cache(maxsize=len(_ASKED))
def _asking(size: int) -> Say:
    pairs = (
        select(
            given(f"council_{at}", lane.c.council).label("council"),
            given(f"target_{at}", lane.c.connection).label("target"),
        )
        for at in range(size)
    )
    asked = union_all(*pairs).subquery("asked")
    now = given("now", lane.c.due)
    rank = (
        select(lane.c.rank)
        .where(
            lane.c.council == asked.c.council,
            lane.c.connection == asked.c.target,
            lane.c.due <= now,
            or_(lane.c.owner.is_(None), lane.c.until < now),
        )
        .order_by(lane.c.rank, lane.c.due)
        .limit(1)
        .correlate(asked)
        .scalar_subquery()
    )
    return Say(select(asked.c.council, asked.c.target, rank.label("rank")))


def sweep_empty(connection: Connection, limit: int = 500) -> int:
    """Remove lanes in which nothing is open, so that ten years of referrals do not pile up here."""
    idle = (
        select(lane.c.id)
        .where(
            lane.c.due.is_(None),
            lane.c.owner.is_(None),
            ~select(delivery.c.id).where(delivery.c.lane == lane.c.id, delivery.c.state.in_(_OPEN)).exists(),
        )
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    # Said again outside: where another transaction has just put something into a lane, PostgreSQL looks again at these
    # conditions alone, and not at the list.
    still = (lane.c.id.in_(idle), lane.c.due.is_(None), lane.c.owner.is_(None))
    return connection.execute(sql_delete(lane).where(*still)).rowcount
