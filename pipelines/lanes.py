"""Lanes: the unit of order and of lease.

One worker holds a lane at a time. Its fence grows with every lease, and whoever writes a result must still hold the
fence
that it was given: a worker that slept through its lease cannot write. `due` is kept with every change of a delivery
in the lane, so that the relay finds what can be done with one small query.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, case, func, or_, select, update
from sqlalchemy import delete as sql_delete

from pipelines.ledger import insert_new
from pipelines.states import DeliveryState
from pipelines.tables import delivery, lane


@dataclass(frozen=True, slots=True)
class Lease:
    """One lane, held by one worker until a time, under a fence."""

    lane: str
    council: str
    connection: str
    owner: str
    fence: int


def ensure(connection: Connection, id: str, council: str, target: str) -> None:
    """Make the lane if it is not there."""
    insert_new(connection, lane, [{"id": id, "council": council, "connection": target, "due": None, "fence": 0}])


def refresh(connection: Connection, id: str) -> None:
    """Work out anew when something in the lane can be done, and whether it is urgent."""
    blocked = connection.execute(
        select(func.min(delivery.c.due)).where(delivery.c.lane == id, delivery.c.state == DeliveryState.NOT_SURE)
    ).scalar()
    stuck = connection.execute(
        select(delivery.c.id).where(delivery.c.lane == id, delivery.c.state == DeliveryState.NOT_SURE).limit(1)
    ).first()
    if stuck:
        connection.execute(update(lane).where(lane.c.id == id).values(due=blocked, urgent=False, woken=None))
        return
    # A delivery that is being sent is due again when its lease ends, in case its worker dies.
    due, urgent = connection.execute(
        select(func.min(delivery.c.due), func.max(case((delivery.c.urgent, 1), else_=0))).where(
            delivery.c.lane == id, delivery.c.state.in_([DeliveryState.WAITING, DeliveryState.SENDING])
        )
    ).one()
    connection.execute(update(lane).where(lane.c.id == id).values(due=due, urgent=bool(urgent), woken=None))


def take(connection: Connection, id: str, owner: str, now: int, until: int) -> Lease | None:
    """Lease the lane; None if somebody holds it or it is not there."""
    done = connection.execute(
        update(lane)
        .where(lane.c.id == id, or_(lane.c.owner.is_(None), lane.c.until < now))
        .values(owner=owner, until=until, fence=lane.c.fence + 1)
        .returning(lane.c.fence, lane.c.council, lane.c.connection)
    ).first()
    return Lease(id, done.council, done.connection, owner, done.fence) if done else None


def holds(connection: Connection, lease: Lease) -> bool:
    """Say whether the lease still stands. A result may only be written when it does."""
    return (
        connection.execute(
            select(lane.c.id).where(lane.c.id == lease.lane, lane.c.owner == lease.owner, lane.c.fence == lease.fence)
        ).first()
        is not None
    )


def let_go(connection: Connection, lease: Lease) -> None:
    """Give the lane back. A lane with nothing open in it is removed when it is next swept."""
    connection.execute(
        update(lane)
        .where(lane.c.id == lease.lane, lane.c.owner == lease.owner, lane.c.fence == lease.fence)
        .values(owner=None, until=None)
    )
    refresh(connection, lease.lane)


def pick(connection: Connection, id: str, now: int) -> Row[Any] | None:
    """Return the next delivery of the lane that is due, None if there is none.

    A delivery that is not sure comes before all and blocks the rest. Then urgent before others, then the oldest; an
    event waits for the older events of its referral and route.
    """
    unsure = connection.execute(
        select(delivery)
        .where(delivery.c.lane == id, delivery.c.state == DeliveryState.NOT_SURE)
        .order_by(delivery.c.due)
    ).first()
    if unsure:
        return unsure if unsure.due is not None and unsure.due <= now else None
    older = delivery.alias()
    waits_in_line = (
        select(older.c.id)
        .where(
            delivery.c.carries == "event",
            older.c.referral_id == delivery.c.referral_id,
            older.c.route == delivery.c.route,
            older.c.id < delivery.c.id,
            older.c.state.in_([DeliveryState.WAITING, DeliveryState.SENDING]),
        )
        .exists()
    )
    return connection.execute(
        select(delivery)
        .where(
            delivery.c.lane == id,
            delivery.c.state == DeliveryState.WAITING,
            delivery.c.due <= now,
            ~waits_in_line,
        )
        .order_by(delivery.c.urgent.desc(), delivery.c.id)
        .limit(1)
    ).first()


def due(connection: Connection, now: int, repeat_after: int, limit: int, idle: set[tuple[str, str]]) -> list[Row[Any]]:
    """Return lanes in which something is due, not leased, and not woken within `repeat_after` microseconds.

    `idle`: (council, connection) pairs that are paused. Urgent lanes come first.
    """
    where = [
        lane.c.due <= now,
        or_(lane.c.owner.is_(None), lane.c.until < now),
        or_(lane.c.woken.is_(None), lane.c.woken < now - repeat_after),
    ]
    where.extend(~and_(lane.c.council == council, lane.c.connection == target) for council, target in idle)
    rows = connection.execute(
        select(lane.c.id, lane.c.council, lane.c.connection)
        .where(*where)
        .order_by(lane.c.urgent.desc(), lane.c.due)
        .limit(limit)
    )
    return [*rows]


def due_in(
    connection: Connection, council: str, target: str, now: int, repeat_after: int, limit: int
) -> list[Row[Any]]:
    """The same for one connection: what a breaker's probe may be made of."""
    rows = connection.execute(
        select(lane.c.id)
        .where(
            lane.c.council == council,
            lane.c.connection == target,
            lane.c.due <= now,
            or_(lane.c.owner.is_(None), lane.c.until < now),
            or_(lane.c.woken.is_(None), lane.c.woken < now - repeat_after),
        )
        .order_by(lane.c.due)
        .limit(limit)
    )
    return [*rows]


def woken(connection: Connection, ids: list[str], now: int) -> None:
    """Remember that wake-ups for these lanes were published."""
    connection.execute(update(lane).where(lane.c.id.in_(ids)).values(woken=now))


def sweep_empty(connection: Connection, limit: int = 500) -> int:
    """Remove lanes in which nothing is open, so that ten years of referrals do not pile up here."""
    idle = (
        select(lane.c.id)
        .where(
            lane.c.due.is_(None),
            lane.c.owner.is_(None),
            ~select(delivery.c.id)
            .where(
                delivery.c.lane == lane.c.id,
                delivery.c.state.in_([DeliveryState.WAITING, DeliveryState.SENDING, DeliveryState.NOT_SURE]),
            )
            .exists(),
        )
        .limit(limit)
    )
    return connection.execute(sql_delete(lane).where(lane.c.id.in_(idle))).rowcount
