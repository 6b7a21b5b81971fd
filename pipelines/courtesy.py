"""Courtesy: a comparison reads two systems that others are working with, and leaves the way to them.

Each of its calls asks here first. A connection that is paused, or in its maintenance window, is not called at all; one
that live work is at is left to it for a moment; one that asks us to slow down is obeyed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import select

from connectors.errors import Throttled
from pipelines import pauses
from pipelines.clock import SECOND
from pipelines.looking import NotPossible
from pipelines.plant import Plant, Wired
from pipelines.tables import seat, slot

Answer = TypeVar("Answer")

#: How long one call waits for live work at the same connection, in steps, so that it comes to an end all the same.
_STEP_SECONDS, _STEPS = 0.1, 20
#: How often a connection may ask us to slow down before a comparison is put off, and the longest single wait.
_SLOWED, _LONGEST_SECONDS = 20, 60.0


class PutOff(NotPossible):
    """The comparison has to be made at another time. The message says why."""


class Courtesy:
    """Makes the calls of one comparison. `share`: seconds to rest for each second that a call took."""

    def __init__(self, plant: Plant, stop: threading.Event | None = None, *, share: float = 0.0) -> None:
        self._plant = plant
        self._stop = stop or threading.Event()
        self._share = share

    def call(self, wired: Wired, ask: Callable[[], Answer]) -> Answer:
        """Ask a connection something when it is its turn. Raises PutOff, and what the connector raises."""
        for _ in range(_SLOWED):
            self._come_in(wired)
            began = self._plant.clock.now()
            try:
                answer = ask()
            except Throttled as slow:
                self._rest(min(slow.after or 1.0, _LONGEST_SECONDS))
                continue
            self._rest(self._share * (self._plant.clock.now() - began) / SECOND)
            return answer
        raise PutOff(f"{wired.name} keeps asking us to slow down; compare at a quieter time")

    def _come_in(self, wired: Wired) -> None:
        now = self._plant.clock.now()
        if wired.closed_until(now) is not None:
            raise PutOff(f"{wired.name} is closed by the site's files (a maintenance window or a pause)")
        for step in range(_STEPS):
            if self._stop.is_set():
                raise PutOff("it was stopped, and begins anew next time")
            with self._plant.ledger.reading() as connection:
                held = pauses.of(connection, wired.council, wired.name)
                if held is not None and (held.until is None or held.until > now):
                    raise PutOff(f"{wired.name} is paused: {held.why}")
                here = {"council": wired.council, "connection": wired.name}
                busy = (
                    select(seat.c.number).filter_by(**here).where(seat.c.owner.is_not(None), seat.c.until > now),
                    select(slot.c.at).filter_by(**here).where(slot.c.claimed_by.is_not(None), slot.c.done.is_(None)),
                )
                if not any(connection.execute(one.limit(1)).first() for one in busy):
                    return
            if step + 1 < _STEPS:
                self._rest(_STEP_SECONDS)

    def _rest(self, seconds: float) -> None:
        if seconds > 0:
            self._plant.clock.wait(self._stop, seconds)
