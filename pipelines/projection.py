"""What a ledger will need: arithmetic on figures that were measured, and nothing else.

Model: referrals come at an even pace; of each, every share takes so many bytes until its time is over, then its room is
used again (SQLite keeps freed pages in the file, PostgreSQL freed rows in the table). So `held` grows evenly, bends
where a share's time is over, and stays level once the longest is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

YEAR = 365.25  # days
#: Beyond so many days nothing is foretold: no hardware and no rule stays as it is for so long.
FURTHEST = 100 * YEAR


@dataclass(frozen=True, slots=True)
class Share:
    """A part of what a referral takes."""

    name: str
    bytes_a_referral: float
    days: float  # from first sight of the referral until it is gone


@dataclass(frozen=True, slots=True)
class Projection:
    """What will be, at this pace."""

    bytes_a_day: float  # at which the ledger grows now
    at_rest: float  # bytes, once the longest time is over
    rests_in_days: float
    full_in_days: float | None  # None: never, or it is not known how much room there is


def held(shares: Sequence[Share], a_day: float, days: float) -> float:
    """Bytes that are held after so many days at this pace."""
    return a_day * sum(one.bytes_a_referral * min(days, one.days) for one in shares)


def project(shares: Sequence[Share], a_day: float, age: float, room: float | None) -> Projection:
    """Project from a ledger that is `age` days old; `room` is how many more bytes it may take, None where unknown."""
    now = held(shares, a_day, age)
    longest = max((one.days for one in shares if one.bytes_a_referral), default=0.0)
    full = None
    if room is not None and held(shares, a_day, age + FURTHEST) - now > room:
        low, high = 0.0, FURTHEST
        while high - low > 0.5:
            middle = (low + high) / 2
            low, high = (low, middle) if held(shares, a_day, age + middle) - now > room else (middle, high)
        full = high
    growing = a_day * sum(one.bytes_a_referral for one in shares if one.days > age)
    return Projection(growing, held(shares, a_day, longest), max(longest - age, 0.0), full)
