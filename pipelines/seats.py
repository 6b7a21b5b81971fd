"""Seats: how many drains may call one connection at once, over all workers.

A connection has as many seats as its `limits.at_once`. A drain takes one in the transaction in which it leases its
first batch, keeps it with each further one, and gives it back at the end. A dead drain's seat falls when its process is
cleaned up after, or when its time is over.
"""

from __future__ import annotations

from sqlalchemy import Connection, or_, select, update

from pipelines.ledger import insert_new
from pipelines.ready import Say, given
from pipelines.tables import seat

_KEEP = Say(
    update(seat)
    .where(
        seat.c.council == given("council", seat.c.council),
        seat.c.connection == given("target", seat.c.connection),
        seat.c.number <= given("seats", seat.c.number),
        seat.c.owner == given("owner", seat.c.owner),
    )
    .values(until=given("until", seat.c.until))
)


def take(connection: Connection, council: str, target: str, owner: str, *, seats: int, now: int, until: int) -> bool:
    """Take a seat, or keep the one that this drain has. False: all are taken."""
    mine = (seat.c.council == council, seat.c.connection == target, seat.c.number <= seats)
    if _KEEP.run(connection, council=council, target=target, owner=owner, seats=seats, until=until):
        return True
    free = select(seat.c.number).where(*mine, or_(seat.c.owner.is_(None), seat.c.until < now)).order_by(seat.c.number)
    number = connection.execute(free.limit(1).with_for_update(skip_locked=True)).scalar()
    if number is None:
        known = connection.execute(select(seat.c.number).where(*mine)).scalars().all()
        if len(known) >= seats:
            return False
        fresh = [{"council": council, "connection": target, "number": n} for n in range(1, seats + 1)]
        insert_new(connection, seat, fresh)
        number = connection.execute(free.limit(1).with_for_update(skip_locked=True)).scalar()
        if number is None:
            return False
    connection.execute(update(seat).where(*mine, seat.c.number == number).values(owner=owner, until=until))
    return True


def give_back(connection: Connection, council: str, target: str, owner: str) -> None:
    """Stand up. A seat that somebody else has taken over stays theirs."""
    connection.execute(
        update(seat)
        .where(seat.c.council == council, seat.c.connection == target, seat.c.owner == owner)
        .values(owner=None, until=None)
    )
