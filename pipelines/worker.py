"""The worker: woken for a connection that has work, it gives it a thread that drains it.

Each connection has threads of its own, so that a dead supplier can hold up nobody but itself. A drain begins alone; a
slow target is given more of them, up to the seats that the connection has over all workers, and a second one takes
turns where the first mostly waits. While no broker can be heard the worker looks into the ledger itself, slowly:
nothing depends on a message.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from pipelines.breaker import Breaker
from pipelines.drain import Drain, Shared
from pipelines.journal import Journal
from pipelines.logs import log, warn
from pipelines.plant import Council, Plant, Wired
from pipelines.relay import wanted
from pipelines.wakeups import Consumer, WakeUp

#: Seconds before a broker that is away is dialled again, at the longest.
LONGEST_WAIT = 5.0
#: Seconds between two looks into the ledger while it is.
LOOK_SECONDS = 1.0
#: Threads at one connection in one process, where nobody says otherwise.
AT_ONCE = 8


class Worker:
    """Runs in threads of its own. One a process.

    `most_at_once`: threads at one connection in this process; its `limits.at_once` holds over all of them. `alive`:
    asked before each call that may change a target; False once other processes may have given this one up.
    """

    def __init__(
        self, plant: Plant, boot: str, *, most_at_once: int = AT_ONCE, alive: Callable[[], bool] = lambda: True
    ) -> None:
        self._plant = plant
        self._boot = boot
        self._most = most_at_once
        self._lock = threading.Lock()
        self._drains: dict[tuple[str, str], set[threading.Thread]] = {}
        self._numbers = itertools.count(1)
        self._journal = Journal(plant.journals, boot)
        self._shared = Shared(plant, Breaker(plant), self._journal, alive, self._more)
        targets = ((council, route.target) for council in plant.councils.values() for route in council.routes)
        self._cold = iter([council.wired[name] for council, name in targets if name in council.wired])

    def run(self, stop: threading.Event) -> None:
        """Read wake-ups until told to stop, then finish the calls in hand and release what was not begun."""
        consumer: Consumer | None = None
        faults = 0
        while not stop.is_set():
            try:
                consumer = consumer or Consumer(self._plant.broker_url, self.woken)
                consumer.drain(0.25)
                self._warm()
                if faults:
                    log("worker_goes_on")
                faults = 0
            except Exception as fault:
                if not faults:
                    warn("worker_waits", error=type(fault).__name__)
                faults += 1
                if consumer is not None:
                    consumer.close()
                consumer = None
                self._without_broker(stop, min(0.5 * 2.0 ** min(faults, 5), LONGEST_WAIT))
        if consumer is not None:
            consumer.close()
        self.close()

    def close(self) -> None:
        """Let every drain end behind the call that it is at, and wait for it."""
        self._shared.stopping.set()
        with self._lock:
            threads = [thread for found in self._drains.values() for thread in found]
        for thread in threads:
            thread.join()
        self._journal.close()

    def woken(self, wake: WakeUp) -> None:
        """Take one wake-up: a connection that is being drained already needs no second drain for it."""
        council = self._plant.councils.get(wake.council)
        wired = council.wired.get(wake.connection) if council else None
        if council is not None and wired is not None:
            with self._lock:
                busy = bool(self._drains.get((wake.council, wake.connection)))
            if not busy:
                self._begin(council, wired, probe=wake.probe)

    def in_hand(self) -> list[tuple[str, str]]:
        """(council, connection) of those that are being drained."""
        with self._lock:
            return sorted(key for key, threads in self._drains.items() if threads)

    def drain(self, council: Council, target: str, *, probe: bool = False) -> int:
        """Send what is due at one connection until nothing is; return how many tries were made."""
        owner = f"{self._boot}/{next(self._numbers)}"
        return Drain(self._shared, council, council.wired[target], owner).run(probe=probe)

    def _warm(self) -> None:
        """Open one more connector that will be wanted, while nothing else is to do: the first referral behind a start
        need not wait until its target's interface is read. Nothing is sent."""
        wired = next(self._cold, None) if not self.in_hand() else None
        if wired is not None:
            with contextlib.suppress(Exception):  # whoever sends the first time says what is wrong with it
                _ = wired.connector

    def _without_broker(self, stop: threading.Event, seconds: float) -> None:
        """Wait, and look into the ledger for what nobody can tell us of."""
        while seconds > 0 and not stop.is_set():
            try:
                with self._plant.ledger.looking() as connection:
                    found = wanted(self._plant, connection, self._plant.clock.now())
            except SQLAlchemyError:
                found = []  # it is away too, and whoever needs it says so
            for wake in found:
                self.woken(wake)
            self._plant.clock.wait(stop, min(seconds, LOOK_SECONDS))
            seconds -= LOOK_SECONDS

    def _more(self, council: Council, wired: Wired, most: int | None) -> None:
        self._begin(council, wired, most=most)

    def _begin(self, council: Council, wired: Wired, *, probe: bool = False, most: int | None = None) -> None:
        key = (council.code, wired.name)
        with self._lock:
            running = self._drains.setdefault(key, set())
            if self._shared.stopping.is_set() or len(running) >= min(
                self._most, wired.at_once, most or self._most
            ):
                return
            thread = threading.Thread(
                target=self._guarded, args=(council, wired, probe), name=f"{council.code}-{wired.name}"
            )
            running.add(thread)
            thread.start()

    def _guarded(self, council: Council, wired: Wired, probe: bool) -> None:
        try:
            self.drain(council, wired.name, probe=probe)
        except SQLAlchemyError as fault:
            # Nothing was written; the leases end with this process or by themselves, and the lanes are found again.
            warn("ledger_fault", council=council.code, connection=wired.name, error=type(fault).__name__)
        except Exception as fault:
            warn("worker_fault", council=council.code, connection=wired.name, error=type(fault).__name__)
        finally:
            with self._lock:
                self._drains[council.code, wired.name].discard(threading.current_thread())
