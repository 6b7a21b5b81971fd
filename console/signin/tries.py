"""How often a stranger may try: a limit on trying at all, and a lock-out after some tries that failed.

Counted in this process, by the caller's address. What is locked out is the way in and never an account: nobody can keep
a colleague out by failing in their name.
"""

from __future__ import annotations

import math
import time

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

#: Sign-ins that one address may begin in a minute. A council's staff may share one address.
BEGUN = RateLimitItemPerMinute(60)
#: What may fail from one address in a quarter of an hour before it has to wait.
FAILED = RateLimitItemPerMinute(10, 15)
#: Calls of programs with a wrong token.
WRONG_TOKEN = RateLimitItemPerMinute(20, 5)


class Tries:
    """Counts tries. Safe to share between threads."""

    def __init__(self) -> None:
        self._window = MovingWindowRateLimiter(MemoryStorage())

    def begins(self, address: str) -> int:
        """Count a try; returns how many seconds to wait, 0 if it may be made."""
        if wait := self.wait(FAILED, address):
            return wait
        return 0 if self._window.hit(BEGUN, address) else self._until(BEGUN, address)

    def failed(self, address: str, what: RateLimitItem = FAILED) -> None:
        """Count a try that failed."""
        self._window.hit(what, address)

    def wait(self, what: RateLimitItem, address: str) -> int:
        """How many seconds this address has to wait, 0 if it has not."""
        return 0 if self._window.test(what, address) else self._until(what, address)

    def _until(self, what: RateLimitItem, address: str) -> int:
        return max(1, math.ceil(self._window.get_window_stats(what, address).reset_time - time.time()))
