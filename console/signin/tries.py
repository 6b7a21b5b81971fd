"""How often a stranger may try: a limit on trying at all, and a lock-out after some tries that failed.

Counted in this process, by the caller's address. What is locked out is the way in and never an account: nobody can keep
a colleague out by failing in their name.
"""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from limits import RateLimitItem
    from limits.strategies import MovingWindowRateLimiter


@dataclass(frozen=True, slots=True)
class Limit:
    """So many tries in so many minutes, of one address."""

    tries: int
    minutes: int

    def item(self) -> RateLimitItem:
        """The same as the library counts it. It is loaded when somebody first tries: it brings a client of each
        database that it could count in, and `dolen run` holds 5 MB less until then."""
        from limits import RateLimitItemPerMinute

        return RateLimitItemPerMinute(self.tries, self.minutes)


#: Sign-ins that one address may begin in a minute. A council's staff may share one address.
BEGUN = Limit(60, 1)
#: What may fail from one address in a quarter of an hour before it has to wait.
FAILED = Limit(10, 15)
#: Calls of programs with a wrong token.
WRONG_TOKEN = Limit(20, 5)


class Tries:
    """Counts tries. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: MovingWindowRateLimiter | None = None

    @property
    def _window(self) -> MovingWindowRateLimiter:
        with self._lock:
            if self._made is None:
                from limits.storage import MemoryStorage
                from limits.strategies import MovingWindowRateLimiter

                self._made = MovingWindowRateLimiter(MemoryStorage())
            return self._made

    def begins(self, address: str) -> int:
        """Count a try; returns how many seconds to wait, 0 if it may be made."""
        if wait := self.wait(FAILED, address):
            return wait
        return 0 if self._window.hit(BEGUN.item(), address) else self._until(BEGUN, address)

    def failed(self, address: str, what: Limit = FAILED) -> None:
        """Count a try that failed."""
        self._window.hit(what.item(), address)

    def wait(self, what: Limit, address: str) -> int:
        """How many seconds this address has to wait, 0 if it has not."""
        return 0 if self._window.test(what.item(), address) else self._until(what, address)

    def _until(self, what: Limit, address: str) -> int:
        return max(1, math.ceil(self._window.get_window_stats(what.item(), address).reset_time - time.time()))
