"""The relay: finds connections in which something is due and wakes workers for them.

It looks at the ledger and never at the broker, so that a lost wake-up is published again. Paused connections are left
out; one whose breaker may be probed gets a single wake-up. Whoever writes work in this process nudges it.
"""

from __future__ import annotations

import threading
from collections.abc import Collection

from sqlalchemy import Connection

from pipelines import holding, lanes, pauses
from pipelines.clock import SECOND
from pipelines.logs import log, warn
from pipelines.plant import Plant
from pipelines.wakeups import Publisher, WakeUp

#: A connection that still has something due is woken again after this: the first wake-up may be lost, or its worker
#: dead, or a second worker may find enough to do.
REPEAT_AFTER = SECOND // 4
IDLE_SECONDS = 0.25
LONGEST_WAIT = 5.0


class Relay:
    """Runs in a thread of its own."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._woken: dict[tuple[str, str], int] = {}

    def run(self, stop: threading.Event) -> None:
        """Publish what is due until told to stop. A fault of broker or ledger is waited out, and told once."""
        publisher: Publisher | None = None
        faults = 0
        while not stop.is_set():
            try:
                publisher = publisher or Publisher(self._plant.broker_url)
                self.turn(publisher)
                publisher.tick()
                if faults:
                    log("relay_goes_on")
                faults = 0
                self._plant.nudge.wait(IDLE_SECONDS)
                self._plant.nudge.clear()
            except Exception as fault:
                if not faults:
                    warn("relay_waits", error=type(fault).__name__)
                faults += 1
                if publisher is not None:
                    publisher.close()
                publisher = None
                self._woken.clear()
                self._plant.clock.wait(stop, min(0.5 * 2.0 ** min(faults, 5), LONGEST_WAIT))
        if publisher is not None:
            publisher.close()

    def turn(self, publisher: Publisher) -> int:
        """Publish once; return how many wake-ups."""
        now = self._plant.clock.now()
        with self._plant.ledger.looking() as connection:
            just_woken = {key for key, at in self._woken.items() if 0 <= now - at < REPEAT_AFTER}
            wakes = wanted(self._plant, connection, now, besides=just_woken)
        if wakes:
            publisher.publish(wakes)
            self._woken |= {(wake.council, wake.connection): now for wake in wakes}
        return len(wakes)


def wanted(
    plant: Plant, connection: Connection, now: int, *, besides: Collection[tuple[str, str]] = ()
) -> list[WakeUp]:
    """The connections in which something is due and that may be called. `besides`: those to pass over."""
    paused = pauses.all_pauses(connection)
    held = holding.held_since(connection)
    may: list[tuple[str, str]] = []
    for council in plant.councils.values():
        if council.code in held:
            continue
        passed = council.closed(now) | set(besides)
        for key in ((council.code, name) for name in council.wired):
            pause = paused.get(key)
            if key not in passed and (pause is None or (pause.until is not None and pause.until <= now)):
                may.append(key)
    due = lanes.due_now(connection, may, now)
    return [WakeUp(*key, probe=key in paused, urgent=due[key] == 0) for key in may if key in due]
