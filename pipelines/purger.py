"""The purge by night: once each planned instant, in one process of all that keep the timetable."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from pipelines import purging
from pipelines.clock import SECOND
from pipelines.ledger import get_meta, set_meta
from pipelines.logs import log, warn
from pipelines.plant import Plant
from pipelines.timetable import Timetable

if TYPE_CHECKING:
    from pipelines.runs import Runs

LOOK_EVERY = 30 * SECOND
_NAME = "purged"


class Purger:
    """The scheduler calls it once a turn; the purge has a thread of its own."""

    def __init__(self, plant: Plant, cron: str | None) -> None:
        zones = [council.zone for council in plant.councils.values()]
        self._plant = plant
        self._table = Timetable("purge", zone=zones[0] if zones else "UTC", cron=cron) if cron else None
        self._looked = -LOOK_EVERY
        self._thread: threading.Thread | None = None

    def __call__(self, _runs: Runs) -> None:
        """Begin the purge that is due, unless it was made."""
        now = self._plant.clock.now()
        if self._table is None or 0 <= now - self._looked < LOOK_EVERY:
            return
        self._looked = now
        at = self._table.due(now)
        if at is None or (self._thread is not None and self._thread.is_alive()):
            return
        with self._plant.ledger.reading() as connection:
            if int(get_meta(connection, _NAME) or 0) >= at:
                return
        with self._plant.ledger.writing(making_room=True) as connection:
            if int(get_meta(connection, _NAME) or 0) >= at:
                return
            set_meta(connection, _NAME, str(at))
        self._thread = threading.Thread(target=self._purge, name="purge")
        self._thread.start()

    def close(self) -> None:
        """Wait for a purge in hand: it is made of short steps, and a killed one goes on in the next."""
        if self._thread is not None:
            self._thread.join()

    def _purge(self) -> None:
        try:
            done = purging.purge(self._plant)
        except Exception as fault:  # what is left of it goes in the next one
            warn("purge_fault", error=type(fault).__name__)
            return
        log("purged", count=sum(sum(one.counts.values()) for one in done))
