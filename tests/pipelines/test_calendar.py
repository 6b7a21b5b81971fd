"""Windows in which nothing is sent: over midnight, on bank holidays, and on the nights on which clocks change."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from pipelines.calendar import closed_until

ZONE = "Europe/London"
BOXING_DAY = [date(2026, 12, 28)]


def until(window: dict[str, Any], now: str, *more: dict[str, Any]) -> str | None:
    """When it ends, as ISO 8601 in UTC without its offset."""
    end = closed_until([window, *more], ZONE, datetime.fromisoformat(now).replace(tzinfo=UTC), BOXING_DAY)
    return None if end is None else f"{end:%Y-%m-%dT%H:%M}"


NIGHT = {"begins": "22:00", "ends": "06:00"}
SUNDAY = {"days": ["sun"], "begins": "02:00", "ends": "04:30"}
HOLIDAY = {"days": ["bank-holiday"], "begins": "00:00", "ends": "23:59"}


@pytest.mark.parametrize(
    ("window", "now", "ends"),
    [
        (NIGHT, "2026-07-01T20:59", None),
        (NIGHT, "2026-07-01T21:00", "2026-07-02T05:00"),
        (NIGHT, "2026-07-02T04:59", "2026-07-02T05:00"),
        (NIGHT, "2026-07-02T05:00", None),
        (SUNDAY, "2026-07-05T02:00", "2026-07-05T03:30"),
        (SUNDAY, "2026-07-06T02:00", None),
        (HOLIDAY, "2026-12-28T10:00", "2026-12-28T23:59"),  # a Monday, in place of Boxing Day
        (HOLIDAY, "2026-12-21T10:00", None),
        ({**HOLIDAY, "days": ["mon"]}, "2026-12-28T10:00", "2026-12-28T23:59"),  # it stays a Monday
    ],
)
def test_within_and_outside(window: dict[str, Any], now: str, ends: str | None) -> None:
    assert until(window, now) == ends


def test_windows_that_touch_are_one() -> None:
    early, late = {"begins": "01:00", "ends": "03:00"}, {"begins": "03:00", "ends": "05:00"}
    assert until(late, "2026-12-01T02:00", early) == "2026-12-01T05:00"


@pytest.mark.parametrize(
    ("begins", "ends", "closed", "open_"),
    [
        # 25 October: from 01:00 to 02:00 the clocks show everything twice.
        ("00:30", "01:30", "2026-10-25T01:29", "2026-10-25T01:30"),  # until the second 01:30
        ("01:30", "02:30", "2026-10-25T00:30", "2026-10-25T00:29"),  # from the first 01:30
        ("01:00", "02:00", "2026-10-25T01:59", "2026-10-25T02:00"),  # both hours of it
        # 29 March: from 01:00 to 02:00 the clocks show nothing.
        ("01:15", "01:45", "2026-03-29T01:00", "2026-03-29T02:00"),
        ("00:30", "02:30", "2026-03-29T01:29", "2026-03-29T01:30"),
    ],
)
def test_row_26_a_window_is_never_shorter_than_its_words(begins: str, ends: str, closed: str, open_: str) -> None:
    window = {"begins": begins, "ends": ends}
    assert until(window, closed) is not None
    assert until(window, open_) is None
