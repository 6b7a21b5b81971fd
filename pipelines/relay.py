"""The relay: finds lanes in which something is due and wakes workers for them.

It looks at the ledger and never at the broker, so that a lost wake-up is published again. Paused connections are left
out; one whose breaker may be probed gets a single wake-up.
"""

from __future__ import annotations

import threading

from pipelines import lanes, pauses
from pipelines.clock import SECOND
from pipelines.logs import warn
from pipelines.plant import Plant
from pipelines.wakeups import Publisher

#: Wake-ups that nobody acted on are published again after this.
REPEAT_AFTER = 5 * SECOND
#: Wake-ups in one go.
WINDOW = 500
IDLE_SECONDS = 0.2


class Relay:
    """Runs in a thread of its own."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant

    def run(self, stop: threading.Event) -> None:
        """Publish what is due until told to stop. A fault of broker or ledger is waited out."""
        publisher: Publisher | None = None
        while not stop.is_set():
            try:
                publisher = publisher or Publisher(self._plant.broker_url)
                if self.turn(publisher) < WINDOW:
                    self._plant.clock.wait(stop, IDLE_SECONDS)
            except Exception as fault:
                warn("relay_waits", error=type(fault).__name__)
                publisher = None
                self._plant.clock.wait(stop, 1.0)
        if publisher is not None:
            publisher.close()

    def turn(self, publisher: Publisher) -> int:
        """Publish once; return how many wake-ups."""
        now = self._plant.clock.now()
        with self._plant.ledger.reading() as connection:
            paused = pauses.all_pauses(connection)
            closed = set().union(*(council.closed(now) for council in self._plant.councils.values()))
            found = lanes.due(connection, now, REPEAT_AFTER, WINDOW, set(paused) | closed)
            probes = []
            for council, name in [
                key for key, row in paused.items() if row.until is not None and row.until <= now and key not in closed
            ]:
                probes.extend(lanes.due_in(connection, council, name, now, REPEAT_AFTER, 1))
        if not found and not probes:
            return 0
        publisher.publish([row.id for row in found])
        publisher.publish([row.id for row in probes], probe=True)
        with self._plant.ledger.writing() as connection:
            lanes.woken(connection, [row.id for row in [*found, *probes]], now)
        return len(found) + len(probes)
