"""The clock, read at the edge and handed inward.

The ledger counts whole microseconds since 1970 in UTC; connectors and screens speak of aware datetimes. Waiting goes
through the same object, so that a test can move time by hand. The clock that all processes of a ledger share is in
`pipelines.ledger_clock`.
"""

from __future__ import annotations

import sys
import threading
import time
from datetime import UTC, datetime
from typing import Protocol

SECOND = 1_000_000


class Clock(Protocol):
    """Something that knows the time."""

    def now(self) -> int:
        """Return microseconds since 1970, UTC."""

    def instant(self) -> datetime:
        """Return the time as other systems are told it, aware, in UTC."""

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait for the event for so many seconds; True if it was set."""


class SystemClock:
    """The machine's clock as it stood at the start, and from there on by what has passed: moving the machine's clock
    moves nothing that runs."""

    def __init__(self) -> None:
        self._start = machine_time() - passed()

    def now(self) -> int:
        """Return microseconds since 1970, UTC."""
        return self._start + passed()

    def instant(self) -> datetime:
        """Return the time as other systems are told it, aware, in UTC: what the machine shows at this moment."""
        return datetime.now(UTC)

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait for the event for so many seconds; True if it was set."""
        return event.wait(seconds)


def machine_time() -> int:
    """What the machine's clock shows, in microseconds since 1970."""
    return time.time_ns() // 1000


def passed() -> int:
    """Microseconds since some moment, also while this process is stopped and, where the system can tell, while the
    machine sleeps. Nobody can move it."""
    if sys.platform == "linux":
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000
    return time.monotonic_ns() // 1000


def to_instant(at: int) -> datetime:
    """Turn the ledger's time into an aware datetime in UTC."""
    return datetime.fromtimestamp(at // SECOND, UTC).replace(microsecond=at % SECOND)


def to_time(instant: datetime) -> int:
    """Turn an aware datetime into the ledger's time."""
    return round(instant.timestamp() * SECOND)
