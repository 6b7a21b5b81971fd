"""A clock that was put back while nobody lived: everything that waits is moved back with it.

Without that, what was to be tried again in a minute would wait for an hour after the clock was put right by an hour,
and planned runs would be taken for made. Nothing is moved for a clock that was put forward: what waits is due then.
"""

from __future__ import annotations

from sqlalchemy import Column, Connection, delete, func, select, update

from pipelines.clock import SECOND, Clock
from pipelines.ledger import Ledger, get_meta, set_meta
from pipelines.ledger_clock import LedgerClock
from pipelines.logs import warn
from pipelines.proofs import PLANNED_SINCE
from pipelines.tables import delivery, lane, pace, pause, process, reconciliation, seat, slot

#: What is compared with the present, and was written by the clock as it was before.
_WAITS: tuple[Column[int], ...] = (
    delivery.c.due,
    delivery.c.sent_at,
    delivery.c.unsettled,
    lane.c.due,
    lane.c.until,
    seat.c.until,
    pace.c.next,
    pause.c.until,
    reconciliation.c.at,
    reconciliation.c.until,
)


def begin(ledger: Ledger, clock: Clock) -> None:
    """Take up the ledger's time at the start of a process, before it has a row. Does nothing where others live."""
    with ledger.writing() as connection:
        others = connection.execute(select(process.c.boot).where(process.c.ended.is_(None)).limit(1)).first()
        if others is not None and not ledger.embedded:
            return
        if isinstance(clock, LedgerClock):
            clock.begin(connection)
        now = clock.now()
        last = connection.execute(select(func.max(process.c.beat))).scalar()
        if last is None or last - now <= SECOND:
            return
        put_back(connection, last - now, now=now)
    warn("clock_was_put_back", seconds=round((last - now) / SECOND, 1))


def put_back(connection: Connection, by: int, *, now: int) -> None:
    """Move everything that waits back by so many microseconds, and forget planned runs that are still to come."""
    for column in _WAITS:
        connection.execute(update(column.table).where(column > now).values({column.name: column - by}))
    connection.execute(delete(slot).where(slot.c.at > now, slot.c.asked.is_(False)))
    connection.execute(update(process).where(process.c.beat > now).values(beat=now))
    if int(get_meta(connection, PLANNED_SINCE) or 0) > now:
        set_meta(connection, PLANNED_SINCE, str(now))
