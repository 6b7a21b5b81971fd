"""Walks and what gets in their way: late commits, clocks, circles, another holder, live work, and what waits."""

import threading
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.errors import Misconfigured, Rejected, Unreachable
from connectors.port import Page
from pipelines import places, pressure
from pipelines.clock import SECOND
from pipelines.intake import ROWS_A_TRANSACTION
from pipelines.places import Key, Place, WalkLost
from pipelines.walks import SAME_PAGE, STOPPED, Manners, Walker
from tests.pipelines.sources import Shelf, Stamped, put, walk

pytest_plugins = ("tests.pipelines.pieces",)

LIVE = Key("torfaen", "contact", "Request", "live")


def hold(bench: Any, owner: str, key: Key = LIVE, since: str | None = None) -> Place:
    """Take a walk, whoever holds it."""
    with bench.writing() as connection:
        places.lock(connection, key)
        return places.take(connection, key, owner, now=bench.clock.now(), since=since)


def go(bench: Any, source: Any, place: Place, manners: Manners | None = None, **options: Any) -> Any:
    wired = put(bench, source)
    return Walker(bench.plant, bench.council).go(wired, wired.kinds["Request"], place, manners, **options)


def known(bench: Any) -> dict[str, str]:
    """Every record of contact that the ledger has, with its newest version."""
    return {row.external_id: row.version for row in bench.rows("record", connection="contact")}


# --- What a source's clock does ---------------------------------------------------------------------------------------


def test_row_12_equal_stamps_over_pages_and_commits_within_the_overlap_are_not_skipped(bench: Any) -> None:
    source = Stamped(bench, page=2, overlap=5)
    source.now = 10
    for n in range(5):
        source.change(f"C-{n}")  # all at one minute, over three pages
    source.change("C-late", minute=9, shown=12)  # stamped before the watermark, committed after it was read
    walk(bench, source)
    assert set(known(bench)) == {f"C-{n}" for n in range(5)}
    source.now = 13
    source.change("C-5")
    walk(bench, source)
    assert set(known(bench)) == {*(f"C-{n}" for n in range(6)), "C-late"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=25)
@given(st.data())
def test_row_12_whatever_is_late_by_less_than_the_overlap_is_found(bench: Any, data: st.DataObject) -> None:
    source = Stamped(bench, page=data.draw(st.integers(1, 4)), overlap=4)
    bench.examples = getattr(bench, "examples", 0) + 1
    source.now = bench.examples * 1000  # one ledger for all examples: each goes on behind the one before
    for _ in range(data.draw(st.integers(1, 5))):
        for _ in range(data.draw(st.integers(0, 4))):
            late = data.draw(st.integers(0, 3))
            id = f"C-{bench.examples}-{data.draw(st.integers(0, 6))}"
            held = source.held.get(id)
            if held is None or held[1] <= source.now - late:
                source.change(id, minute=source.now - late if held is None else max(held[0] + 1, source.now - late),
                              shown=source.now)  # fmt: skip
        walk(bench, source)
        source.now += data.draw(st.integers(0, 9))
    source.now += 1
    walk(bench, source)
    have = known(bench)
    assert {id: have.get(id) for id in source.held} == {id: str(stamp + 1) for id, (stamp, _) in source.held.items()}


@pytest.mark.parametrize("hours", [-2, 2])
def test_row_13_our_own_clock_has_no_say_in_what_is_asked(bench: Any, hours: int) -> None:
    source = Stamped(bench)
    source.now = 100
    source.change("C-1")
    walk(bench, source)
    bench.clock.pass_by(hours * 3600)
    source.now = 101
    source.change("C-2")
    walk(bench, source)
    assert source.asked == ["", "100"]
    assert set(known(bench)) == {"C-1", "C-2"}


def test_a_source_that_goes_back_in_time_moves_the_watermark_nowhere(bench: Any) -> None:
    source = Stamped(bench)
    source.now = 100
    source.change("C-1")
    walk(bench, source)
    source.held.clear()  # restored from last week's backup
    source.now = 20
    source.change("C-1", minute=15)
    done = walk(bench, source)
    assert done.complete
    assert done.records == 0
    assert bench.row("walk", purpose="live").watermark == "100"
    assert known(bench) == {"C-1": "101"}


def test_row_14_an_empty_answer_is_no_news_and_never_a_deletion(bench: Any) -> None:
    walk(bench, Shelf(bench, 5))
    before = (bench.rows("record"), bench.rows("delivery"), bench.rows("referral"))
    shelf = Shelf(bench, 0)
    shelf.changes = lambda kind, *, watermark, cursor="", limit=None: Page([], "", watermark)  # type: ignore[method-assign]
    assert walk(bench, shelf).complete
    assert (bench.rows("record"), bench.rows("delivery"), bench.rows("referral")) == before


def test_row_10_a_source_that_returns_everything_every_time_costs_the_reading(bench: Any) -> None:
    class Everything(Shelf):
        def changes(self, kind: str, *, watermark: str, cursor: str = "", limit: int | None = None) -> Page:
            return super().changes(kind, watermark="", cursor=cursor, limit=limit)

    source = Everything(bench, 200)
    assert walk(bench, source).taken.news == 200
    tables = ("version", "delivery", "payload", "referral")
    before = {name: len(bench.rows(name)) for name in tables}
    first = time.perf_counter()
    again = walk(bench, source)
    assert time.perf_counter() - first < 2.0  # reading and comparing, no key and no row of a record
    assert (again.taken.news, again.taken.repeats) == (0, 200)
    assert {name: len(bench.rows(name)) for name in tables} == before


# --- Circles ----------------------------------------------------------------------------------------------------------


def test_row_10_a_source_that_leads_in_a_circle_is_stopped(bench: Any) -> None:
    shelf = Shelf(bench, 6, page=2)
    plain = shelf.changes

    def round_and_round(kind: str, *, watermark: str, cursor: str = "", limit: int | None = None) -> Page:
        page = plain(kind, watermark=watermark, cursor=cursor, limit=limit)
        return page if page.cursor else Page(page.items, "2", page.watermark)

    shelf.changes = round_and_round  # type: ignore[method-assign]
    done = walk(bench, shelf)
    assert not done.complete
    assert "for ever" in done.words
    assert done.pages == 3
    assert bench.row("walk").watermark == ""


def test_row_10_a_page_that_never_changes_is_stopped_whatever_its_cursor_says(bench: Any) -> None:
    shelf = Shelf(bench, 2)
    items = list(shelf.items)
    shelf.changes = lambda kind, *, watermark, cursor="", limit=None: Page(items, str(int(cursor or 0) + 1), "9")  # type: ignore[method-assign]
    done = walk(bench, shelf)
    assert (done.complete, done.pages) == (False, SAME_PAGE)
    assert "for ever" in done.words


def test_row_10_a_page_that_comes_twice_stops_nothing(bench: Any) -> None:
    shelf = Shelf(bench, 4, page=2)
    pages = {"": ("0", 0), "0": ("1", 0), "1": ("", 2)}
    shelf.changes = (
        lambda kind, *, watermark, cursor="", limit=None: Page(  # type: ignore[method-assign]
            shelf.items[pages[cursor][1] : pages[cursor][1] + 2], pages[cursor][0], "4"
        )
    )
    done = walk(bench, shelf)
    assert (done.complete, done.taken.news, done.taken.repeats) == (True, 4, 2)


@pytest.mark.parametrize("fault", [Rejected("no such page"), Misconfigured("the kept place cannot be read")])
def test_a_kept_place_that_the_source_has_forgotten_begins_the_walk_again(bench: Any, fault: Exception) -> None:
    shelf = Shelf(bench, 6, page=2)
    shelf.fails["4"] = Unreachable("gone")
    assert not walk(bench, shelf).complete
    shelf.fails["4"] = fault
    again = walk(bench, shelf)  # at its first page the old place is refused; at the third it is refused anew
    assert again.words == fault.reason  # type: ignore[attr-defined]
    assert again.taken.repeats == 4
    shelf.fails.clear()
    assert walk(bench, shelf).complete
    assert len(known(bench)) == 6


# --- Another holder ---------------------------------------------------------------------------------------------------


def test_row_27_a_page_of_an_old_holder_is_refused_in_its_transaction(bench: Any) -> None:
    shelf = Shelf(bench, 4, page=2)
    old = hold(bench, "asleep/1")
    plain = shelf.changes

    def taken_over(kind: str, *, watermark: str, cursor: str = "", limit: int | None = None) -> Page:
        page = plain(kind, watermark=watermark, cursor=cursor, limit=limit)
        if cursor == "2":
            hold(bench, "awake/1")  # while the old one has the page in hand
        return page

    shelf.changes = taken_over  # type: ignore[method-assign]
    with pytest.raises(WalkLost):
        go(bench, shelf, old)
    assert len(known(bench)) == 2  # the page before it
    row = bench.row("walk")
    assert (row.owner, row.cursor, row.watermark) == ("awake/1", "2", "")
    with bench.writing() as connection:
        assert not places.give_back(connection, old, "")  # and it cannot let go of what is another's
    assert bench.row("walk").owner == "awake/1"


def test_row_27_no_part_of_a_large_page_is_written_by_an_old_holder(bench: Any) -> None:
    shelf = Shelf(bench, ROWS_A_TRANSACTION + 20, page=1000)
    old = hold(bench, "asleep/1")
    hold(bench, "awake/1")
    with pytest.raises(WalkLost):
        go(bench, shelf, old)
    assert known(bench) == {}


# --- Giving way -------------------------------------------------------------------------------------------------------


def test_a_walk_stops_between_two_pages_when_its_process_does(bench: Any) -> None:
    stop = threading.Event()
    place = hold(bench, "boot/1")
    done = go(bench, Shelf(bench, 9, page=3), place, Manners(stop), progress=lambda _walked: stop.set())
    assert (done.words, done.pages, done.complete) == (STOPPED, 1, False)
    assert bench.row("walk").cursor == "3"


def test_a_back_fill_gives_way_to_live_reading_but_not_for_ever(bench: Any) -> None:
    hold(bench, "other/1")  # somebody reads live
    back = hold(bench, "boot/2", LIVE._replace(purpose="back-fill"), since="0")
    began = bench.clock.now()
    busy = threading.Event()
    done = go(bench, Shelf(bench, 6, page=3), back, Manners(busy=lambda owner: owner == "other/1" and not busy.set()))
    assert done.complete
    assert busy.is_set()
    waited = (bench.clock.now() - began) / SECOND
    assert 20 <= waited < 22  # ten seconds before each of its two pages
    assert bench.row("walk", purpose="live").watermark == ""


def test_a_back_fill_does_not_wait_for_a_holder_that_is_dead(bench: Any) -> None:
    hold(bench, "dead/1")
    back = hold(bench, "boot/2", LIVE._replace(purpose="back-fill"), since="0")
    began = bench.clock.now()
    assert go(bench, Shelf(bench, 6, page=3), back, Manners(busy=lambda _owner: False)).complete
    assert bench.clock.now() == began


def test_a_source_is_not_read_on_while_too_much_waits_to_be_sent_on(bench: Any) -> None:
    wired = bench.council.wired["contact"]
    wired.settings = {**wired.settings, "most_waiting": 4}
    place = hold(bench, "boot/1")
    seen: list[tuple[int, str]] = []
    waits = bench.clock.wait

    def drains(event: threading.Event, seconds: float) -> bool:
        with bench.writing() as connection:
            seen.append((pressure.waiting(connection, bench.council, "contact", 4), bench.row("walk").words))
        if len(seen) == 3:
            for lane in [row.id for row in bench.rows("lane")]:
                bench.arrived(lane, f"N-{lane[-6:]}")
        return bool(waits(event, seconds))

    bench.clock.wait = drains
    done = go(bench, Shelf(bench, 9, page=3), place)
    assert done.complete
    assert done.pages == 3
    assert seen[:3] == [(5, "more than 4 wait to be sent on from here")] * 3  # counted no further than it must be
    assert bench.row("walk").words == ""


def test_back_fills_leave_room_for_live_work() -> None:
    assert pressure.most_for({"most_waiting": 100}, "live") == 100
    assert pressure.most_for({"most_waiting": 100}, "back-fill") == 50
    assert pressure.most_for({}, "live") == pressure.MOST_WAITING
