"""How fast a connection may be called: calls a second and calls at once, as the supplier's agreement says.

One Pace is shared by every thread that uses a connection. It never waits past the deadline of the call: a turn
that cannot come in time is refused before anything is sent.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from connectors.deadline import Deadline
from connectors.errors import Throttled


class Pace:
    """Gives out turns. Calls are spread evenly: with 5 a second a turn begins every 200 ms, without bursts."""

    def __init__(
        self,
        *,
        calls_a_second: float | None,
        at_once: int,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._gap = 1 / calls_a_second if calls_a_second else 0.0
        self._places = threading.BoundedSemaphore(at_once)
        self._lock = threading.Lock()
        self._next = 0.0
        self._monotonic = monotonic
        self._sleep = sleep

    @contextmanager
    def turn(self, deadline: Deadline) -> Iterator[None]:
        """Wait for a turn and hold a place; raises Throttled, with nothing sent, if none comes before the deadline."""
        if not self._places.acquire(timeout=max(deadline.left(), 0.0)):
            raise Throttled("all places of our own limit at_once were taken; nothing was sent", after=1.0)
        try:
            self._wait(deadline)
            yield
        finally:
            self._places.release()

    def _wait(self, deadline: Deadline) -> None:
        if not self._gap:
            return
        with self._lock:
            now = self._monotonic()
            start = max(now, self._next)
            if start - now >= deadline.left():
                raise Throttled(
                    "our own limit calls_a_second leaves no turn in time; nothing was sent", after=start - now
                )
            self._next = start + self._gap
        if start > now:
            self._sleep(start - now)
