"""The clock that all processes of one ledger share, so that leases and due times mean the same to each of them.

It goes by the database's clock (by the machine's where the ledger is a file), read at the start and now and then, and
between by what has passed. Somebody who moves that clock while processes live moves nothing: the first that sees it
writes down by how much the ledger's time is off from then on, and all others take that up. What a clock that was put
back while nobody lived means for what waits is in `pipelines.clock_steps`.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Connection, cast, func, literal, select

from pipelines.clock import SECOND, SystemClock, machine_time, passed
from pipelines.ledger import Ledger, get_meta, set_meta
from pipelines.logs import warn
from pipelines.tables import meta

#: More than this is a jump; less is a clock being kept right, which we follow.
_JUMP = SECOND
_OFF_BY = "clock off by"


class LedgerClock(SystemClock):
    """The ledger's time. Safe to share between threads."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self._ledger = ledger
        with ledger.reading() as connection:
            shown, off_by = self._look(connection)
        self._start = shown + off_by - passed()

    def align(self) -> None:
        """Look at the database's clock again. To be called now and then by a process that lives on."""
        with self._ledger.reading() as connection:
            shown, off_by = self._look(connection)
        ahead = shown + off_by - self.now()
        if abs(ahead) <= _JUMP:
            self._start += ahead
            return
        with self._ledger.writing() as connection:
            connection.execute(select(meta).where(meta.c.name == _OFF_BY).with_for_update())
            shown, off_by = self._look(connection)
            ahead = shown + off_by - self.now()
            if abs(ahead) > _JUMP:  # and nobody was quicker to write it down
                set_meta(connection, _OFF_BY, str(off_by - ahead))
                warn("clock_was_moved", seconds=round(ahead / SECOND, 1))

    def begin(self, connection: Connection) -> None:
        """Go by the database's clock as it is. Only where no other process lives."""
        set_meta(connection, _OFF_BY, "0")
        self._start = self._look(connection)[0] - passed()

    def _look(self, connection: Connection) -> tuple[int, int]:
        """What the database's clock shows now, and by how much the ledger's time is off from it."""
        off_by = int(get_meta(connection, _OFF_BY) or 0)
        if self._ledger.embedded:
            return machine_time(), off_by
        microseconds = cast(func.extract("epoch", func.clock_timestamp()) * literal(SECOND), BigInteger)
        return int(connection.execute(select(microseconds)).scalar_one()), off_by
