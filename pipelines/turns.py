"""Turns: how many calls a second a connection takes, agreed between all processes that call it.

One row says when the next call may be made. Whoever wants to call moves it on by as many calls as it wants to make and
has these for itself (`connectors.pace` asks for half a second's worth at once). Where the ledger is a file only one
process runs the site, and the pace that each connector keeps is enough.
"""

from __future__ import annotations

from sqlalchemy import case, update
from sqlalchemy.exc import SQLAlchemyError

from pipelines.clock import SECOND, Clock
from pipelines.ledger import Ledger, insert_new
from pipelines.tables import pace


class Turns:
    """Reserves turns at one connection. Safe to share between threads; no transaction may be open when it is asked."""

    def __init__(self, ledger: Ledger, clock: Clock, council: str, connection: str, calls_a_second: float) -> None:
        self._ledger = ledger
        self._clock = clock
        self._council = council
        self._connection = connection
        self._gap = SECOND / calls_a_second

    def __call__(self, calls: int) -> float:
        """Reserve so many turns; return in how many seconds the first is. A ledger that is away reserves nothing: what
        is under way is finished at this process's own pace."""
        now, span = self._clock.now(), round(calls * self._gap)
        mine = (pace.c.council == self._council, pace.c.connection == self._connection)
        move = (
            update(pace)
            .where(*mine)
            .values(next=case((pace.c.next > now, pace.c.next), else_=now) + span)
            .returning(pace.c.next)
        )
        try:
            with self._ledger.writing() as connection:
                moved = connection.execute(move).scalar()
                if moved is None:
                    first = {"council": self._council, "connection": self._connection, "next": now}
                    insert_new(connection, pace, [first])
                    moved = connection.execute(move).scalar_one()
        except SQLAlchemyError:
            return 0.0
        return float(max(0, moved - span - now)) / SECOND
