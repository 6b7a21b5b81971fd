"""The schedule: each planned run is made once, whoever keeps the timetable, and goes on after whoever dies (row 27)."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from connectors.port import Page
from pipelines import pauses
from pipelines.clock import SECOND, to_time
from pipelines.processes import Presence
from pipelines.runs import Run, Runs
from pipelines.schedule import Scheduler, timetable
from pipelines.slots import Claimed
from tests.pipelines.sources import Shelf, alone, dies, put, runs_of, stops_at

pytest_plugins = ("tests.pipelines.pieces",)


def at(text: str) -> int:
    return to_time(datetime.fromisoformat(text).replace(tzinfo=UTC))


def scheduler(bench: Any, boot: str) -> Scheduler:
    """One of several processes that keep the timetable."""
    Presence(bench.plant, boot, ["schedule"]).register()
    return Scheduler(bench.plant, boot)


def turn(*of: Scheduler) -> None:
    """Each looks once, and every walk comes to its end."""
    for one in of:
        one.turn()
    for one in of:
        for thread in list(one._threads.values()):
            thread.join(20)
            assert not thread.is_alive()


def planned(bench: Any, **where: Any) -> list[int]:
    return [row.at for row in bench.rows("slot", connection="contact", **where)]


# --- Once -------------------------------------------------------------------------------------------------------------


def test_row_27_of_several_schedulers_one_makes_each_run(bench: Any) -> None:
    shelf = Shelf(bench, 2)
    alone(bench, shelf)
    several = [scheduler(bench, f"boot-{n}") for n in range(3)]
    begin = bench.clock.now()
    for _ in range(60):
        turn(*several)
        bench.clock.pass_by(10)
    assert len(shelf.asked) == 10
    assert planned(bench) == [begin + n * 60 * SECOND for n in range(10)]
    assert all(row.done for row in bench.rows("slot"))


def test_row_27_one_that_slept_makes_no_run_that_was_made(bench: Any) -> None:
    shelf = Shelf(bench, 2)
    alone(bench, shelf)
    early, late = scheduler(bench, "awake"), runs_of(bench, "asleep")
    turn(early)
    (first,) = planned(bench)
    bench.clock.pass_by(2 * 3600)  # its row is tidied away by the next
    turn(early)
    wired = bench.council.wired["contact"]
    assert planned(bench) == [first + 7200 * SECOND]
    assert late.claim(wired, wired.kinds["Request"], "live", first) is Claimed.OVER
    assert late.claim(wired, wired.kinds["Request"], "live", first + 60 * SECOND) is Claimed.OVER
    assert len(shelf.asked) == 2


def test_of_the_runs_that_were_missed_one_is_made(bench: Any) -> None:
    shelf = Shelf(bench, 2)
    alone(bench, shelf)
    one = scheduler(bench, "one")
    turn(one)
    bench.clock.pass_by(3 * 86_400 + 17)
    turn(one)
    turn(one)
    assert len(shelf.asked) == 2


def test_a_start_makes_no_run_that_was_made_already(bench: Any) -> None:
    shelf = Shelf(bench, 2)
    alone(bench, shelf)
    turn(scheduler(bench, "one"))
    bench.clock.pass_by(20)
    turn(scheduler(bench, "two"))
    assert len(shelf.asked) == 1


@pytest.mark.parametrize(
    ("begin", "wanted"),
    [
        ("2026-10-24T12:00", ["2026-10-25T00:30", "2026-10-26T01:30"]),
        ("2026-03-28T12:00", ["2026-03-29T01:00", "2026-03-30T00:30"]),
    ],
)
def test_row_26_r12_a_nightly_run_is_made_once_on_both_nights(bench: Any, begin: str, wanted: list[str]) -> None:
    shelf = Shelf(bench, 2)
    bench.clock.at = at(begin)
    alone(bench, shelf, every=None, cron="30 1 * * *")
    both = [scheduler(bench, "one"), scheduler(bench, "two")]
    turn(*both)  # the night before is made up for
    shelf.asked.clear()
    made: list[int] = []
    for _ in range(48 * 6):
        bench.clock.pass_by(600)
        before = len(shelf.asked)
        turn(*both)
        if len(shelf.asked) > before:
            made.append(bench.clock.now())
    assert made == [at(text) for text in wanted[: len(made)]]
    assert len(made) == 2


# --- Taking over ------------------------------------------------------------------------------------------------------


def test_row_27_what_a_dead_scheduler_had_begun_is_taken_over_at_its_page(bench: Any) -> None:
    shelf = stops_at(bench, "4")
    wired = alone(bench, shelf)
    first = runs_of(bench, "first")
    begun = first.claim(wired, wired.kinds["Request"], "live", bench.clock.now())
    assert isinstance(begun, Run)
    with pytest.raises(KeyboardInterrupt):
        first.make(wired, wired.kinds["Request"], begun)
    shelf.fails.clear()
    other = scheduler(bench, "other")
    turn(other)
    assert [cursor for _, cursor, _ in shelf.asked] == ["", "2", "4"]  # it lives, as far as anybody knows
    dies(bench, "first")
    bench.clock.pass_by(1)
    turn(other)
    assert [cursor for _, cursor, _ in shelf.asked][3:] == ["4"]
    row = bench.row("slot")
    assert (row.done is not None, row.words, row.read) == (True, "", 6)
    assert bench.row("walk").owner is None


def test_row_27_one_that_wakes_up_finds_its_walk_taken_and_writes_nothing(bench: Any) -> None:
    shelf = Shelf(bench, 6, page=2)
    wired = alone(bench, shelf)
    sleeper = runs_of(bench, "sleeper")
    run = sleeper.claim(wired, wired.kinds["Request"], "live", bench.clock.now())
    assert isinstance(run, Run)
    dies(bench, "sleeper")
    turn(scheduler(bench, "other"))
    versions = len(bench.rows("version"))
    before = bench.row("slot")
    assert sleeper.make(wired, wired.kinds["Request"], run).words == "another process reads this source now"
    assert len(bench.rows("version")) == versions
    assert bench.row("slot") == before
    assert before.done is not None


def test_a_ledger_that_goes_in_mid_walk_is_waited_for_and_the_run_goes_on(bench: Any) -> None:
    shelf = Shelf(bench, 6, page=2)
    wired = alone(bench, shelf)
    one = runs_of(bench, "one")
    run = one.claim(wired, wired.kinds["Request"], "live", bench.clock.now())
    assert isinstance(run, Run)
    writing, pages = bench.plant.ledger.writing, iter([True, False])
    plain = shelf.changes

    def away(kind: str, *, watermark: str, cursor: str = "", limit: int | None = None) -> Page:
        page = plain(kind, watermark=watermark, cursor=cursor, limit=limit)
        if cursor == "2" and next(pages):
            bench.plant.ledger.writing = gone
        return page

    def gone() -> Any:
        raise OperationalError("BEGIN", {}, Exception("gone"))

    shelf.changes = away  # type: ignore[method-assign]
    try:
        with pytest.raises(Exception, match="gone"):
            one.make(wired, wired.kinds["Request"], run)
    finally:
        bench.plant.ledger.writing = writing
    again = one.claim(wired, wired.kinds["Request"], "live", run.at)
    assert isinstance(again, Run)
    assert again.place.cursor == "2"
    assert one.make(wired, wired.kinds["Request"], again).complete
    assert len(bench.rows("record", connection="contact")) == 6


def test_a_graceful_stop_gives_the_run_back_at_the_end_of_a_page(bench: Any) -> None:
    shelf = Shelf(bench, 6, page=2)
    wired = alone(bench, shelf)
    one = runs_of(bench, "one")
    run = one.claim(wired, wired.kinds["Request"], "live", bench.clock.now())
    assert isinstance(run, Run)
    one.make(wired, wired.kinds["Request"], run, lambda _walked: one.stop.set())
    row, place = bench.row("slot"), bench.row("walk")
    assert (row.done, row.claimed_by, row.read) == (None, None, 2)
    assert (place.cursor, place.owner, place.words) == ("2", None, "")
    turn(scheduler(bench, "next"))
    assert bench.row("slot").done is not None
    assert [cursor for _, cursor, _ in shelf.asked] == ["", "2", "4"]


# --- Not now ----------------------------------------------------------------------------------------------------------


def test_a_paused_connection_is_not_read_and_one_run_follows_the_pause(bench: Any) -> None:
    shelf = Shelf(bench, 2)
    alone(bench, shelf)
    one = scheduler(bench, "one")
    with bench.writing() as connection:
        pauses.set_pause(
            connection, "torfaen", "contact", why=pauses.BY_PERSON, words="", who="x", now=0, until=None
        )  # fmt: skip
    for _ in range(10):
        turn(one)
        bench.clock.pass_by(60)
    assert shelf.asked == []
    with bench.writing() as connection:
        pauses.end(connection, "torfaen", "contact", by_person=True)
    turn(one)
    turn(one)
    assert len(shelf.asked) == 1


def test_a_window_and_bank_holidays_of_the_councils_file_are_kept(bench_with: Callable[..., Any]) -> None:
    bench = bench_with(
        ("schedule: {every: PT2S}", "schedule: {every: PT1H, bank_holidays: false}"),
        ("\nconnections:", '\nbank_holidays: ["2026-07-02"]\n\nconnections:'),
    )
    bench.clock.at = at("2026-07-01T22:59:30")
    shelf = Shelf(bench, 1)
    wired = put(bench, shelf)
    table = timetable(wired, wired.kinds["Request"])
    assert table is not None
    due = {table.due(at("2026-07-01T22:59:30") + hour * 3600 * SECOND) for hour in range(27)}
    assert due == {at("2026-07-01T22:00"), at("2026-07-02T23:00"), at("2026-07-03T00:00")}


def test_the_polls_of_a_day_are_shared_by_all_schedulers(bench: Any) -> None:
    shelf = Shelf(bench, 2)
    bench.clock.at = at("2026-07-01T23:00")  # midnight in Torfaen
    wired = alone(bench, shelf, polls_a_day=3)
    kind = wired.kinds["Request"]
    one, two = runs_of(bench, "one"), runs_of(bench, "two")
    made = []
    for hour in range(30):
        for runs in (one, two):
            run = runs.claim(wired, kind, "live", bench.clock.now())
            if isinstance(run, Run):
                runs.make(wired, kind, run)
                made.append(hour)
        bench.clock.pass_by(3600)
    assert made == [0, 1, 2, 24, 25, 26]


def test_the_timetable_spreads_the_polls_over_the_day(bench: Any) -> None:
    wired = alone(bench, Shelf(bench, 1), polls_a_day=24)
    table = timetable(wired, wired.kinds["Request"])
    assert table is not None
    assert table.every == 3600


# --- Apart ------------------------------------------------------------------------------------------------------------


def test_sources_that_hang_delay_nobody_else(bench: Any) -> None:
    let_go, hanging = threading.Event(), []

    class Hangs(Shelf):
        def changes(self, kind: str, **_: Any) -> Page:
            hanging.append(kind)
            let_go.wait(30)
            return Page([], "", "")

    one = scheduler(bench, "one")
    well = alone(bench, Shelf(bench, 2))
    for council in bench.plant.councils.values():
        for wired in council.wired.values():
            if wired is not well and wired.polls:
                wired._open, wired._connector = (lambda *_: Hangs(bench, 0)), None
                wired.settings = {**wired.settings, "every": 60.0}
    one.turn()
    end = time.monotonic() + 20
    while len(hanging) < 5 or not any(row.done for row in bench.rows("slot", council="torfaen", connection="contact")):
        assert time.monotonic() < end
        time.sleep(0.02)
    assert len(one.in_hand()) == len(hanging)
    let_go.set()
    one.close()
    assert one.in_hand() == []


def test_a_chore_that_stumbles_stops_no_reading(bench: Any) -> None:
    shelf = Shelf(bench, 2)
    alone(bench, shelf)
    Presence(bench.plant, "one", ["schedule"]).register()

    def stumbles(_runs: Runs) -> None:
        raise ValueError("of a later package")

    turn(Scheduler(bench.plant, "one", chores=[stumbles]))
    assert len(shelf.asked) == 1
