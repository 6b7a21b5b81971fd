"""Timetables: everybody works out the same planned instants, on the nights on which clocks change too (row 26, R12)."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.connection import Schedule
from config.holidays import ENGLAND_AND_WALES, dates
from pipelines.clock import SECOND, to_instant, to_time
from pipelines.timetable import Timetable, day_begins, newest_by_cron, polls_apart

LONDON = ZoneInfo("Europe/London")


def at(text: str) -> int:
    """An instant from ISO 8601 in UTC."""
    return to_time(datetime.fromisoformat(text).replace(tzinfo=UTC))


def runs(table: Timetable, begin: str, end: str, step: int = 10) -> list[str]:
    """Every planned instant that is found due by somebody who looks every `step` seconds; as HH:MM in UTC."""
    found: list[int] = []
    now = at(begin)
    while now <= at(end):
        planned = table.due(now)
        if planned is not None and planned not in found:
            assert planned <= now
            found.append(planned)
        now += step * SECOND
    assert found == sorted(found)
    return [f"{to_instant(one):%d %H:%M}" for one in found if one >= at(begin)]


def cron(line: str, **more: object) -> Timetable:
    return Timetable("torfaen/contact/Request", zone="Europe/London", cron=line, **more)  # type: ignore[arg-type]


def test_intervals_lie_on_a_grid_that_knows_nobody() -> None:
    table = Timetable("x", every=60)
    assert table.due(at("2026-07-01T10:00:59.9")) == at("2026-07-01T10:00")
    assert table.due(at("2026-07-01T10:01")) == at("2026-07-01T10:01")


def test_of_what_was_missed_one_run_is_made() -> None:
    table = Timetable("x", every=60)
    assert table.due(at("2026-07-04T10:00:30")) == at("2026-07-04T10:00")
    assert cron("0 6 * * *").due(at("2026-07-04T10:00:30")) == at("2026-07-04T05:00")


def test_row_26_a_fixed_time_that_occurs_twice_is_meant_the_first_time() -> None:
    found = runs(cron("30 1 * * *"), "2026-10-24T12:00", "2026-10-26T12:00", 60)
    assert found == ["25 00:30", "26 01:30"]  # 01:30 in summer time, and not again an hour later


def test_row_26_a_fixed_time_that_does_not_occur_is_made_up_for_as_clocks_go_forward() -> None:
    found = runs(cron("30 1 * * *"), "2026-03-28T12:00", "2026-03-30T12:00", 60)
    assert found == ["29 01:00", "30 00:30"]


def test_row_26_several_times_of_the_hour_that_does_not_occur_are_one_run() -> None:
    assert runs(cron("15,45 1,2 * * *"), "2026-03-29T00:00", "2026-03-29T03:00") == ["29 01:00", "29 01:15", "29 01:45"]


@pytest.mark.parametrize("line", ["*/20 * * * *", "*/20 0-4 * * *"])
@pytest.mark.parametrize("night", ["2026-10-25", "2026-03-29"])
def test_row_26_what_repeats_goes_on_evenly(line: str, night: str) -> None:
    found = runs(cron(line), f"{night}T00:00", f"{night}T02:40")
    day = night[-2:]
    assert found == [f"{day} {hour:02}:{minute:02}" for hour in (0, 1, 2) for minute in (0, 20, 40)]


@pytest.mark.parametrize("night", ["2026-10-25", "2026-03-29"])
def test_row_26_intervals_do_not_know_of_clocks(night: str) -> None:
    table = Timetable("x", zone="Europe/London", every=600)
    assert len(runs(table, f"{night}T00:00", f"{night}T02:59")) == 18


def test_a_line_that_names_no_day_that_exists_is_never_due() -> None:
    assert cron("0 0 30 2 *").due(at("2026-07-01T00:00")) is None
    assert cron("* * 30 2 *").due(at("2026-07-01T00:00")) is None


@given(
    st.integers(min_value=at("2026-01-01T00:00"), max_value=at("2027-01-01T00:00")),
    st.sampled_from(["30 1 * * *", "*/10 7-19 * * mon-fri", "0 */6 * * *", "5 2 1 * *", "* * * * *", "59 0-2 * * sun"]),
)
def test_the_newest_run_is_never_in_the_future_and_never_goes_back(now: int, line: str) -> None:
    planned = newest_by_cron(line, LONDON, now)
    assert planned is not None
    assert planned <= now
    assert newest_by_cron(line, LONDON, planned) == planned
    later = newest_by_cron(line, LONDON, now + 3600 * SECOND)
    assert later is not None
    assert later >= planned


# --- Jitter -----------------------------------------------------------------------------------------------------------


def test_jitter_is_the_same_for_everybody_and_spreads_the_names() -> None:
    def first(name: str) -> int:
        table = Timetable(name, every=60, jitter=30)
        begin = at("2026-07-01T10:00")
        return next(s for s in range(31) if table.due(begin + s * SECOND) == begin)

    assert first("torfaen/contact/Request") == first("torfaen/contact/Request")
    assert len({first(f"council-{n}/contact/Request") for n in range(40)}) > 10


@pytest.mark.parametrize(
    ("told", "most"),
    [
        ({"every": "PT2S"}, 0.2), ({"every": "PT1M"}, 6), ({"every": "PT1H"}, 30), ({"cron": "0 6 * * *"}, 30),
        ({"cron": "0 6 * * *", "jitter": "PT0S"}, 0), ({"every": "PT1M", "jitter": "PT30S"}, 30),
    ],
)  # fmt: skip
def test_a_schedule_that_says_nothing_of_jitter_is_spread_a_little(told: dict[str, str], most: float) -> None:
    assert Schedule.model_validate(told).spread.total_seconds() == most


def test_connections_that_share_one_cron_line_do_not_all_begin_in_one_instant() -> None:
    """Sixty-six connections, as all councils of Wales would have, each told `0 6 * * *` and nothing else."""
    spread = Schedule.model_validate({"cron": "0 6 * * *"}).spread.total_seconds()
    tables = [
        Timetable(f"council-{number}/desk/Case", cron="0 6 * * *", jitter=spread) for number in range(66)
    ]
    six = at("2026-07-01T06:00")
    begun = [sum(table.due(six + second * SECOND) == six for table in tables) for second in range(31)]
    assert begun[-1] == 66
    busiest = max(later - earlier for earlier, later in pairwise([0, *begun]))
    assert busiest <= 10, "a second in which a sixth of them began would be no spread"
    together = [Timetable(f"council-{number}/desk/Case", cron="0 6 * * *") for number in range(66)]
    assert sum(table.due(six) == six for table in together) == 66, "without jitter all begin together"


def test_jitter_delays_a_run_and_never_lets_it_pass_the_next() -> None:
    assert len(runs(Timetable("x", every=60, jitter=3600), "2026-07-01T10:00", "2026-07-01T12:00", 1)) in (
        119,
        120,
        121,
    )


# --- Bank holidays ----------------------------------------------------------------------------------------------------

CLOSED = dates(ENGLAND_AND_WALES)


def test_nothing_is_planned_on_a_bank_holiday_and_nothing_is_made_up_for_after_it() -> None:
    table = cron("0 9 * * *", closed_on=CLOSED)
    found = runs(table, "2026-12-24T00:00", "2026-12-29T12:00", 600)
    assert found == ["24 09:00", "26 09:00", "27 09:00", "29 09:00"]  # Christmas Day, and Boxing Day's substitute


def test_intervals_keep_bank_holidays_in_the_councils_own_time() -> None:
    table = Timetable("x", zone="Europe/London", every=3600, closed_on=dates(["2026-08-31"]))
    found = runs(table, "2026-08-30T20:00", "2026-09-01T00:00", 600)
    assert found == ["30 20:00", "30 21:00", "30 22:00", "31 23:00", "01 00:00"]  # the day began and ended at 23:00 UTC


def easter(year: int) -> date:
    """Sunday, by the rule of Butcher."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


@pytest.mark.parametrize("year", [2026, 2027, 2028])
def test_the_list_of_england_and_wales_is_what_its_rules_say(year: int) -> None:
    monday = {month: date(year, month, 1) + timedelta((7 - date(year, month, 1).weekday()) % 7) for month in (5, 8)}
    last = {month: date(year, month, 31) - timedelta(date(year, month, 31).weekday()) for month in (5, 8)}
    wanted = {easter(year) - timedelta(2), easter(year) + timedelta(1), monday[5], last[5], last[8]}
    for day in (date(year, 1, 1), date(year, 12, 25), date(year, 12, 26)):
        while day.weekday() > 4 or day in wanted:
            day += timedelta(1)
        wanted.add(day)
    assert {day for day in CLOSED if day.year == year} == wanted
    assert all(day.weekday() < 5 for day in CLOSED)


# --- Limits -----------------------------------------------------------------------------------------------------------


def test_regular_reading_is_spread_over_the_polls_of_a_day() -> None:
    assert polls_apart(60, None, 1) == 60
    assert polls_apart(60, 288, 1) == 300
    assert polls_apart(60, 288, 2) == 600
    assert polls_apart(3600, 288, 1) == 3600
    assert polls_apart(None, 288, 1) is None


def test_a_day_begins_at_the_councils_midnight() -> None:
    assert day_begins(at("2026-07-01T23:30"), "Europe/London") == at("2026-07-01T23:00")
    assert day_begins(at("2026-07-01T22:30"), "Europe/London") == at("2026-06-30T23:00")
