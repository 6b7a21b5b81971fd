"""Times as people say them, in the council's zone and in either language: `today 16:55`, `ddoe 08:10`, `3 July 16:55`.

The Welsh awaits a Welsh checker.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

Language = Literal["cy", "en"]
_MICROSECONDS = 1_000_000
_MONTHS = {
    "en": ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December"),
    "cy": ("Ionawr", "Chwefror", "Mawrth", "Ebrill", "Mai", "Mehefin", "Gorffennaf", "Awst", "Medi", "Hydref",
           "Tachwedd", "Rhagfyr"),
}  # fmt: skip
_NEAR = {
    -1: {"en": "yesterday", "cy": "ddoe"},
    0: {"en": "today", "cy": "heddiw"},
    1: {"en": "tomorrow", "cy": "yfory"},
}
_NEVER = {"en": "never", "cy": "byth"}


def moment(at: int | None, now: int, zone: str, language: Language = "en") -> str:
    """Say the ledger's time `at` (microseconds since 1970, UTC) as somebody says it at `now`."""
    if at is None:
        return _NEVER[language]
    there, here = (datetime.fromtimestamp(one / _MICROSECONDS, UTC).astimezone(ZoneInfo(zone)) for one in (at, now))
    days = (there.date() - here.date()) // timedelta(days=1)
    if days in _NEAR:
        return f"{_NEAR[days][language]} {there:%H:%M}"
    year = "" if there.year == here.year else f" {there.year}"
    return f"{there.day} {_MONTHS[language][there.month - 1]}{year} {there:%H:%M}"
