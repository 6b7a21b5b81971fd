"""Numbering: a target that took a referral and gave a token for it is asked, now and then, for its number.

Until then the referral has arrived, under a provisional id, and is never made again; its updates wait. What the same
connection shows and nobody knows waits too, because it may be that very record; when the number comes the record takes
it on, with all that is known of it, and what waited is looked at again.
"""

from __future__ import annotations

import threading
from typing import Any

from sqlalchemy import Row, select

from connectors.errors import ConnectorError
from connectors.port import PROVISIONAL, Numbering
from pipelines import outcomes, pauses
from pipelines.batch import Batch
from pipelines.clock import SECOND
from pipelines.logs import log, warn
from pipelines.plant import Council, Plant, Wired
from pipelines.runs import Runs
from pipelines.tables import record

#: How often everything that has no number is asked for.
EVERY = 15 * SECOND
#: Asked for at one time, so that a long list holds nobody up.
MOST = 100
_END = PROVISIONAL[:-1] + chr(ord(PROVISIONAL[-1]) + 1)  # behind every text that begins so


class Numberer:
    """The scheduler calls it once a turn; it is quick when nothing is due, and asks in a thread of its own."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._looked = 0

    def __call__(self, runs: Runs) -> None:
        """Begin to ask, if it is time and nobody does."""
        now = self._plant.clock.now()
        if (self._thread is not None and self._thread.is_alive()) or 0 <= now - self._looked < EVERY:
            return
        self._looked = now
        self._stop = runs.stop
        if self._rows():
            self._thread = threading.Thread(target=self._work, name="numbering")
            self._thread.start()

    def close(self) -> None:
        """Wait for the question in hand."""
        if self._thread is not None:
            self._thread.join()

    def ask(self) -> int:
        """Ask for every number that is missing; return how many came."""
        came, silent = 0, set[tuple[str, str]]()
        for row in self._rows():
            council = self._plant.councils.get(row.council)
            wired = council.wired.get(row.connection) if council else None
            if council is None or wired is None or (row.council, row.connection) in silent or self._stop.is_set():
                continue
            try:
                number = self._number(wired, row)
            except ConnectorError as fault:
                silent.add((row.council, row.connection))
                log("number_waits", council=row.council, connection=row.connection, error=type(fault).__name__)
                continue
            if number:
                came += self._take_on(council, row, number)
        if came:
            log("numbered", count=came)
            self._plant.nudge.set()
        return came

    def _work(self) -> None:
        try:
            self.ask()
        except Exception as fault:  # it is asked again
            warn("numbering_fault", error=type(fault).__name__)

    def _rows(self) -> list[Row[Any]]:
        now = self._plant.clock.now()
        with self._plant.ledger.reading() as connection:
            closed = {key for key, row in pauses.all_pauses(connection).items() if row.until is None or row.until > now}
            for council in self._plant.councils.values():
                closed |= council.closed(now)
            found: list[Row[Any]] = []
            # By connection, as the crosswalk's index is: it is long, and this is asked often.
            for council in self._plant.councils.values():
                for name in council.wired:
                    if (council.code, name) in closed:
                        continue
                    asked = select(record).where(
                        record.c.council == council.code,
                        record.c.connection == name,
                        record.c.kind.in_(list(council.wired[name].kinds)),
                        record.c.external_id >= PROVISIONAL,
                        record.c.external_id < _END,
                        record.c.referral_id.is_not(None),
                    )
                    found += connection.execute(asked.order_by(record.c.id).limit(MOST)).all()
        return found

    def _number(self, wired: Wired, row: Row[Any]) -> str | None:
        connector = wired.connector
        return connector.number_of(row.kind, row.external_id) if isinstance(connector, Numbering) else None

    def _take_on(self, council: Council, row: Row[Any], number: str) -> bool:
        """Let the record be known by its number from now on."""
        try:
            with self._plant.ledger.writing() as connection:
                batch = Batch(connection, self._plant.vault, council, self._plant.clock.now())
                batch.fetch_numbers(row.connection, row.kind, {row.referral_id})
                batch.fetch_records(row.connection, row.kind, {row.external_id, number})
                batch.fetch_referrals({row.referral_id})
                batch.fetch_deliveries({row.referral_id})
                old = batch.record(row.connection, row.kind, row.external_id)
                referral = batch.referral(row.referral_id)
                if old is None or old.referral_id is None or referral is None:
                    return False  # somebody else was quicker
                held = outcomes.link(batch, referral, target=row.connection, kind=row.kind, number=number)
                held.set(base={**old.base, **held.base})
                batch.unlink_record(old)
                batch.flush()
        except outcomes.Taken:
            warn("number_taken", council=row.council, connection=row.connection)
            return False
        return True
