"""The clock, read at the edge and handed inward.

The ledger counts whole microseconds since 1970 in UTC; connectors and screens speak of aware datetimes. Waiting goes
through the same object, so that a test can move time by hand.
"""

from __future__ import annotations

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
    """The machine's clock."""

    def now(self) -> int:
        """Return microseconds since 1970, UTC."""
        return time.time_ns() // 1000

    def instant(self) -> datetime:
        """Return the time as other systems are told it, aware, in UTC."""
        return datetime.now(UTC)

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait for the event for so many seconds; True if it was set."""
        return event.wait(seconds)


def to_instant(at: int) -> datetime:
    """Turn the ledger's time into an aware datetime in UTC."""
    return datetime.fromtimestamp(at // SECOND, UTC).replace(microsecond=at % SECOND)


def to_time(instant: datetime) -> int:
    """Turn an aware datetime into the ledger's time."""
    return round(instant.timestamp() * SECOND)
