"""Walks through numbered pages: clocks that go back, places that outlive a process, and nothing ever skipped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import errors
from connectors.soap.profile_feeds import ModifiedSinceFeed, NumberedPages
from connectors.soap.times import moment, wall_clock
from connectors.soap.walk import Walk, page_size, place, skipped, watermark_of

LONDON = ZoneInfo("Europe/London")
PAGES = NumberedPages(number="Page", size="PageSize", of=100, more="More", at_most=50)
FEED = ModifiedSinceFeed(feed="modified-since", operation="Find", since="From", page=PAGES, items="Referral[]")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-10T12:00:00", "2026-01-10T12:00:00"),
        ("2026-07-10T12:00:00", "2026-07-10T11:00:00"),
        ("2026-07-10T12:00:00.1234567", "2026-07-10T11:00:00.123456"),
        ("2026-07-10T12:00:00Z", "2026-07-10T12:00:00"),
        ("2026-07-10T12:00:00+02:00", "2026-07-10T10:00:00"),
        ("2026-10-25T01:30:00", "2026-10-25T00:30:00"),  # comes twice: the first time is meant
        ("2026-10-25T02:00:00", "2026-10-25T02:00:00"),
        ("2026-03-29T01:30:00", "2026-03-29T00:30:00"),  # never comes: the earlier reading
    ],
)
def test_what_a_wall_clock_means(text: str, expected: str) -> None:
    assert moment(text, LONDON) == utc(expected)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-02-30T00:00:00", "31/12/1950", "25:00"])
def test_what_is_no_time(text: str) -> None:
    assert moment(text, LONDON) is None


def test_the_first_year_does_not_break_the_calendar() -> None:
    assert moment("0001-01-01T00:00:00", ZoneInfo("Europe/Berlin")) is None
    assert moment("9999-12-31T23:59:59", ZoneInfo("America/New_York")) is None


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-01-10T12:00:00.9", "2026-01-10T12:00:00"),
        ("2026-07-10T11:00:00", "2026-07-10T12:00:00"),
        ("2026-10-24T23:59:59", "2026-10-25T00:59:59"),
        ("2026-10-25T00:00:00", "2026-10-25T00:59:59"),  # 01:00, which comes twice
        ("2026-10-25T00:30:12", "2026-10-25T00:59:59"),
        ("2026-10-25T01:59:59", "2026-10-25T00:59:59"),
        ("2026-10-25T02:00:00", "2026-10-25T02:00:00"),
        ("2026-03-29T00:59:59", "2026-03-29T00:59:59"),
        ("2026-03-29T01:00:00", "2026-03-29T02:00:00"),
    ],
)
def test_how_a_moment_is_asked_for(at: str, expected: str) -> None:
    assert wall_clock(utc(at), LONDON) == expected


@given(
    st.integers(0, 10 * 366 * 86_400).map(
        lambda seconds: utc("2020-01-01") + timedelta(seconds=seconds, microseconds=7)
    ),
    st.sampled_from(["Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]),
)
def test_asking_from_a_moment_never_skips_what_came_after_it(at: datetime, zone: str) -> None:
    """For a system that compares wall clocks, and for one that reads ours as either of two moments."""
    there = ZoneInfo(zone)
    asked = wall_clock(at, there)
    naive = datetime.fromisoformat(asked)
    assert max(naive.replace(tzinfo=there, fold=fold).astimezone(UTC) for fold in (0, 1)) <= at
    for later in (timedelta(0), timedelta(minutes=10), timedelta(minutes=59), timedelta(hours=1), timedelta(hours=2)):
        shown = (at + later).astimezone(there).replace(tzinfo=None)
        assert shown.replace(microsecond=0) >= naive
    assert at - moment(asked, there) <= timedelta(hours=3)  # type: ignore[operator]


def test_a_walk_starts_behind_its_watermark() -> None:
    assert place(FEED, "", "", LONDON).since == "1900-01-01T00:00:00"
    assert place(FEED, "2026-07-10T11:00:00.000000+00:00", "", LONDON).since == "2026-07-10T11:55:00"
    assert place(FEED, "2026-07-10T12:00:00+01:00", "", LONDON).since == "2026-07-10T11:55:00"


@pytest.mark.parametrize("watermark", ["yesterday", "2026-07-10T11:00:00", "{}"])
def test_a_watermark_that_is_not_ours(watermark: str) -> None:
    with pytest.raises(errors.Misconfigured, match="watermark"):
        place(FEED, watermark, "", LONDON)


@pytest.mark.parametrize("cursor", ["x", "{}", "[]", '["a","b","c",1,"","",2]', "[1]"])
def test_a_cursor_that_is_not_ours(cursor: str) -> None:
    with pytest.raises(errors.Misconfigured, match="kept place"):
        place(FEED, "", cursor, LONDON)


def test_a_cursor_carries_the_whole_place() -> None:
    walk = Walk("2026-01-01T00:00:00").saw([utc("2026-01-02")], not_after=None).step(100, b"a", PAGES)
    assert place(FEED, "", walk.cursor, LONDON) == walk
    assert skipped(walk).offset == 101
    assert len(walk.cursor) < 200


@given(st.integers(0, 1000), st.integers(1, 300), st.sampled_from([1, 7, 10, 60, 100, 500]))
def test_a_smaller_page_starts_at_the_same_place(offset: int, limit: int, of: int) -> None:
    pages = PAGES.model_copy(update={"of": of})
    size = page_size(Walk("x", offset), pages, limit)
    assert 1 <= size <= min(limit, of)
    assert offset % size == 0


def test_a_limit_below_one_is_refused() -> None:
    with pytest.raises(errors.Misconfigured):
        page_size(Walk("x"), PAGES, -1)


def test_the_watermark_is_the_newest_stamp_shown_and_never_goes_back() -> None:
    walk = Walk("x").saw([utc("2026-01-02"), None, utc("2026-01-01")], not_after=None)
    assert watermark_of(walk, "") == "2026-01-02T00:00:00.000000+00:00"
    assert watermark_of(walk, "2026-01-03T00:00:00+00:00") == "2026-01-03T00:00:00.000000+00:00"
    assert watermark_of(Walk("x"), "") == ""


def test_stamps_ahead_of_the_systems_own_clock_are_left_out() -> None:
    walk = Walk("x").saw([utc("2026-01-02"), utc("2099-01-01")], not_after=utc("2026-01-03"))
    assert walk.newest.startswith("2026-01-02")


@given(st.integers(1, 12), st.integers(0, 9))
def test_a_circle_of_any_length_is_noticed(length: int, lead: int) -> None:
    walk = Walk("x")
    pages = [b"lead%d" % n for n in range(lead)] + [b"circle%d" % n for n in range(length)] * 40
    with pytest.raises(errors.Unknown, match="shows a page again"):
        for first in pages:
            walk = walk.step(2, first, PAGES)


def test_a_walk_without_end_is_noticed() -> None:
    walk = Walk("x")
    with pytest.raises(errors.Unknown, match="endless"):
        for n in range(100):
            walk = walk.step(100, b"%d" % n, PAGES)
    assert walk.page == 50


def test_one_record_at_a_time_may_come_twice_when_another_appears_before_it() -> None:
    walk = Walk("x").step(1, b"a", PAGES).step(1, b"a", PAGES)
    assert walk.offset == 2
