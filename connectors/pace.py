"""How fast a connection may be called: calls a second and calls at once, as the supplier's agreement says.

One Pace is shared by every thread that uses a connection. Where other processes call the same system, they agree on
whose turn is when: `agree` reserves a few turns ahead, in whatever they have in common. It never waits past the
deadline of the call: a turn that cannot come in time is refused before anything is sent.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from connectors.deadline import Deadline
from connectors.errors import Throttled

#: Reserves so many turns, spread by the agreed gap, and returns in how many seconds the first of them is.
Agree = Callable[[int], float]

#: For how many seconds of calls turns are reserved at once. What is reserved and not used is lost to everybody.
_AHEAD = 0.5


class Pace:
    """Gives out turns. Calls are spread evenly: with 5 a second a turn begins every 200 ms, without bursts."""

    def __init__(
        self,
        *,
        calls_a_second: float | None,
        at_once: int,
        agree: Agree | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._gap = 1 / calls_a_second if calls_a_second else 0.0
        self._places = threading.BoundedSemaphore(at_once)
        self._lock = threading.Lock()
        self._next = 0.0
        self._agree = agree
        self._turns = 0  # reserved and not used yet
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
            if self._agree is not None:
                self._reserve(self._agree)
            now = self._monotonic()
            start = max(now, self._next)
            if start - now >= deadline.left():
                raise Throttled(
                    "our own limit calls_a_second leaves no turn in time; nothing was sent", after=start - now
                )
            self._next = start + self._gap
            self._turns -= 1
        if start > now:
            self._sleep(start - now)

    def _reserve(self, agree: Agree) -> None:
        """Have a turn in hand. One whose time has passed is gone: by now it is somebody else's."""
        if self._turns <= 0 or self._next + self._gap < self._monotonic():
            self._turns = max(1, round(_AHEAD / self._gap))
            self._next = agree(self._turns) + self._monotonic()
