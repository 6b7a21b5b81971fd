"""What goes wrong with one call: decided by the seed, the record and how often it was tried, and by nothing else.

So a run of the same seed meets the same faults however fast it goes. No record fails for ever: from the third try on it
is left in peace.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from random import Random


class Fault(StrEnum):
    """One way in which a call ends badly, or oddly."""

    TIMED_OUT_AFTER = "timed out after commit"
    LATE_COMMIT = "committed late, without an answer"
    ERROR_AFTER = "5xx after commit"
    ERROR_BEFORE = "5xx without commit"
    THROTTLED = "429"
    CUT = "answer cut in the middle"
    SLOW = "slow"
    PAGE_AGAIN = "page sent again"
    NONE = ""


#: After these nobody but the system knows whether it was done.
AMBIGUOUS = frozenset({Fault.TIMED_OUT_AFTER, Fault.LATE_COMMIT, Fault.ERROR_AFTER, Fault.ERROR_BEFORE, Fault.CUT})
#: How often, of a thousand calls.
_RATES: dict[str, tuple[tuple[Fault, int], ...]] = {
    "create": (
        (Fault.TIMED_OUT_AFTER, 12), (Fault.LATE_COMMIT, 12), (Fault.ERROR_AFTER, 12), (Fault.ERROR_BEFORE, 12),
        (Fault.THROTTLED, 15), (Fault.CUT, 12), (Fault.SLOW, 30),
    ),
    "update": (
        (Fault.TIMED_OUT_AFTER, 6), (Fault.LATE_COMMIT, 6), (Fault.ERROR_AFTER, 8), (Fault.ERROR_BEFORE, 8),
        (Fault.THROTTLED, 10), (Fault.CUT, 8), (Fault.SLOW, 20),
    ),
    "read": ((Fault.ERROR_BEFORE, 5), (Fault.THROTTLED, 5), (Fault.CUT, 5), (Fault.SLOW, 10)),
    "list": ((Fault.ERROR_BEFORE, 10), (Fault.CUT, 10), (Fault.SLOW, 15), (Fault.PAGE_AGAIN, 60)),
}  # fmt: skip
TRIES = 2  # of one record and operation that may fail; the next is left in peace


@dataclass(slots=True)
class Weather:
    """Decides. `share` scales all rates: 1 is as declared, 0 a quiet day."""

    seed: int
    share: float = 1.0

    def strikes(self, operation: str, record: str, nth: int) -> Fault:
        """Say what happens to the `nth` (from 1) such call about this record."""
        if not self.share or (nth > TRIES and operation != "list"):
            return Fault.NONE
        drawn = self.chance(operation, record, nth).random() * 1000
        for fault, rate in _RATES[operation]:
            drawn -= rate * self.share
            if drawn < 0:
                return fault
        return Fault.NONE

    def chance(self, *about: object) -> Random:
        """Chance that depends on the seed and on what it is about alone."""
        return Random("/".join(map(str, (self.seed, *about))))  # noqa: S311 - a story, not a secret
