"""Times without offset: what a system's wall clock means, and how to ask it from a moment on without a gap.

On the night when clocks go back one hour has two meanings. A stamp in it is read as the earlier one, and a walk is
never started inside it but just before it, so that a system that compares wall clocks, and one that compares
moments, both show everything again rather than skip anything.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_MINUTE = timedelta(minutes=1)


def moment(text: str, zone: ZoneInfo) -> datetime | None:
    """Read an xs:dateTime as a moment in UTC; one without offset in `zone`. None if it is no time."""
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            if (offset := _offset(found.year, found.month, found.day, found.hour, zone)) is not None:
                return (found - offset).replace(tzinfo=UTC)
            readings = (found.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
            return min(readings)  # two on the night when clocks go back: the earlier one re-reads, the later one skips
        return found.astimezone(UTC)
    except (ValueError, OverflowError):  # no date, or 0001-01-01 and a zone that would put it before the first year
        return None


@lru_cache(maxsize=4096)
def _offset(year: int, month: int, day: int, hour: int, zone: ZoneInfo) -> timedelta | None:
    """The offset of a whole hour of the wall clock; None where clocks change within it or about it."""
    begin = datetime(year, month, day, hour, tzinfo=zone)
    end = begin.replace(minute=59, second=59, microsecond=999_999)
    about = {moment.replace(fold=fold).utcoffset() for moment in (begin, end) for fold in (0, 1)}
    return about.pop() if len(about) == 1 else None


def wall_clock(at: datetime, zone: ZoneInfo, *, later: bool = False) -> str:
    """Write a moment as the system's wall clock shows it, in whole seconds and never later than `at`.

    A moment in the hour that comes twice is moved to the second before that hour; with `later`, for the end of a
    window, to the first minute behind it.
    """
    local = at.astimezone(zone).replace(microsecond=0)
    if not _ambiguous(local):
        return _text(local)
    local = local.replace(second=0)
    while _ambiguous(local):
        local += _MINUTE if later else -_MINUTE  # wall-clock arithmetic, which is what is meant here
    return _text(local if later else local.replace(second=59))


def _text(local: datetime) -> str:
    return local.replace(tzinfo=None).isoformat(timespec="seconds")


def _ambiguous(local: datetime) -> bool:
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
