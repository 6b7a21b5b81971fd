"""`dolen sync`: what a person asks for is a row, made once, and gone on with by whoever lives."""

from typing import Any

import pytest

from connectors.errors import Unreachable
from pipelines import processes, slots
from pipelines.control import connections, sync
from pipelines.places import Key
from pipelines.runs import POLLS_USED_UP, Run
from tests.pipelines.sources import Shelf, alone, dies, put, runs_of, stops_at

pytest_plugins = ("tests.pipelines.pieces",)

KEY = Key("torfaen", "contact", "Request", "live")


def test_a_back_fill_that_was_killed_goes_on_and_leaves_the_live_place_alone(bench: Any) -> None:
    wired = alone(bench, Shelf(bench, 6, page=2), every=None)
    list(sync(bench.plant, [wired]))
    live = bench.row("walk", purpose="live")
    shelf = stops_at(bench, "3")
    put(bench, shelf)
    with pytest.raises(KeyboardInterrupt):
        list(sync(bench.plant, [wired], since="1"))
    assert bench.row("slot", purpose="back-fill").read == 2
    shelf.fails.clear()
    told: list[int] = []
    (done,) = sync(bench.plant, [wired], since="1", progress=lambda _where, records: told.append(records))
    assert [cursor for _, cursor, _ in shelf.asked] == ["", "3", "3", "5"]
    assert (done.complete, bench.row("slot", purpose="back-fill").read) == (True, 5)
    assert told[-1] == 3
    assert bench.row("walk", purpose="live") == live


def test_a_new_back_fill_begins_at_its_own_time(bench: Any) -> None:
    wired = alone(bench, Shelf(bench, 6, page=2), every=None)
    shelf = put(bench, Shelf(bench, 6, page=2)).connector
    list(sync(bench.plant, [wired], since="1"))
    bench.clock.pass_by(1)
    list(sync(bench.plant, [wired], since="4"))
    assert [(watermark, cursor) for watermark, cursor, _ in shelf.asked] == [
        ("1", ""),
        ("1", "3"),
        ("1", "5"),
        ("4", ""),
    ]


def test_a_sync_that_stopped_early_says_why(bench: Any) -> None:
    shelf = Shelf(bench, 4, page=2)
    shelf.fails["2"] = Unreachable("no route")
    wired = alone(bench, shelf, every=None)
    (done,) = sync(bench.plant, [wired])
    assert (done.complete, done.words, done.news) == (False, "no route", 2)


def test_what_was_asked_while_somebody_ran_is_done_here_when_nobody_does(bench: Any) -> None:
    """A `dolen sync` waits for the process that runs the site; that one is killed; the sync does it itself."""
    shelf = Shelf(bench, 4, page=2)
    alone(bench, shelf, every=None)
    first = runs_of(bench, "killed")
    with bench.writing() as connection:
        slots.ask(connection, KEY, at=bench.clock.now(), since="")
    wired = bench.council.wired["contact"]
    assert isinstance(first.claim(wired, wired.kinds["Request"], "live", bench.clock.now(), asked=True), Run)
    dies(bench, "killed")
    (done,) = sync(bench.plant, connections(bench.plant, "torfaen/contact"))
    assert (done.complete, done.news) == (True, 4)
    assert len(bench.rows("slot")) == 1
    assert processes.shown(bench.plant) == []


def test_what_a_person_asks_for_beyond_the_polls_of_the_day_says_so(bench: Any) -> None:
    wired = alone(bench, Shelf(bench, 2), every=None, polls_a_day=1)
    (first,), (second,) = list(sync(bench.plant, [wired])), list(sync(bench.plant, [wired]))
    assert first.complete
    assert (second.complete, second.words) == (False, POLLS_USED_UP)
