"""Times of day at which nothing is sent: a supplier's maintenance windows and residents' quiet hours. Pure.

Windows are in the council's own time and may reach into the next morning. What waits for one burns no try.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def closed_until(windows: Sequence[Mapping[str, Any]], zone: str, now: datetime) -> datetime | None:
    """Return when the window that `now` (aware) lies in ends; None outside all windows.

    A window is {"begins": "HH:MM", "ends": "HH:MM"} and perhaps {"days": ["sun", ...]}: the days on which it begins.
    """
    there = ZoneInfo(zone)
    today = now.astimezone(there).date()
    ends = [
        end
        for window in windows
        for day in (today - timedelta(days=1), today)
        if _DAYS[day.weekday()] in (window.get("days") or _DAYS)
        for begin, end in [_on(day, window, there)]
        if begin <= now < end
    ]
    return max(ends, default=None)


def _on(day: date, window: Mapping[str, Any], zone: ZoneInfo) -> tuple[datetime, datetime]:
    begins, ends = time.fromisoformat(str(window["begins"])), time.fromisoformat(str(window["ends"]))
    last = day if ends > begins else day + timedelta(days=1)
    return datetime.combine(day, begins, zone), datetime.combine(last, ends, zone)
