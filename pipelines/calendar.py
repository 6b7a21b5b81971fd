"""Times of day at which nothing is sent: a supplier's maintenance windows and residents' quiet hours. Pure.

Windows are in the council's own time and may reach into the next morning. What waits for one burns no try. On the
nights on which clocks change a window is never shorter than its words: a time that occurs twice begins a window the
first time and ends it the second, and one that does not occur is taken as early for a beginning, as late for an end.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
BANK_HOLIDAY = "bank-holiday"


def closed_until(
    windows: Sequence[Mapping[str, Any]], zone: str, now: datetime, holidays: Collection[date] = ()
) -> datetime | None:
    """Return when the window that `now` (aware) lies in ends, in UTC; None outside all windows.

    A window is {"begins": "HH:MM", "ends": "HH:MM"} and perhaps {"days": ["sun", "bank-holiday", ...]}: the days on
    which it begins. `holidays` are the bank holidays. Windows that touch are one.
    """
    there = ZoneInfo(zone)
    today = now.astimezone(there).date()
    spans = sorted(
        _on(day, window, there)
        for window in windows
        for day in (today + timedelta(days=days) for days in (-1, 0, 1))
        if _named(day, holidays) & set(window.get("days") or _DAYS)
    )
    closed: datetime | None = None
    for begin, end in spans:
        if begin <= (closed or now) and end > (closed or now):
            closed = end
    return closed


def _named(day: date, holidays: Collection[date]) -> set[str]:
    return {_DAYS[day.weekday()], *([BANK_HOLIDAY] if day in holidays else [])}


def _on(day: date, window: Mapping[str, Any], zone: ZoneInfo) -> tuple[datetime, datetime]:
    begins, ends = time.fromisoformat(str(window["begins"])), time.fromisoformat(str(window["ends"]))
    last = day if ends > begins else day + timedelta(days=1)
    return min(_instants(day, begins, zone)), max(_instants(last, ends, zone))


def _instants(day: date, at: time, zone: ZoneInfo) -> list[datetime]:
    """What a time of day may mean: two instants on the nights on which clocks change, else one and the same."""
    return [datetime.combine(day, at.replace(fold=fold), zone).astimezone(UTC) for fold in (0, 1)]
