"""How long one call may take in all.

A socket time-out bounds the wait for the next byte, so a system that drips one byte a second holds a thread for
ever. A Deadline is made once at the start of a call and handed to everything the call does: waiting for its turn,
renewing a token, connecting, sending, reading the last byte.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment, on a monotonic clock, at which a call is given up."""

    at: float  # seconds of `monotonic`
    seconds: float  # how long the call was given, for the sentence that says so
    monotonic: Callable[[], float] = field(default=time.monotonic, repr=False)

    @classmethod
    def of(cls, seconds: float, monotonic: Callable[[], float] = time.monotonic) -> Deadline:
        """Start the count now."""
        return cls(monotonic() + seconds, seconds, monotonic)

    def left(self) -> float:
        """Return the seconds that are left; zero or less when it is over."""
        return self.at - self.monotonic()

    def left_or_raise(self) -> float:
        """Return the seconds that are left; raises TimeoutError when there are none (a socket reads 0 as "never")."""
        left = self.left()
        if left <= 0:
            raise TimeoutError("the time of the whole call is over")
        return left
