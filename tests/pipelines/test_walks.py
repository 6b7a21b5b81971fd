"""Walks: the cursor moves with each page, the watermark with the whole walk, and a spoilt page is taken to pieces."""

from dataclasses import replace
from typing import Any

import pytest

from connectors.errors import Unauthorised, Unreachable
from connectors.port import Page, UnreadableItem
from pipelines import overview
from pipelines.walks import SMALLER, attention
from tests.pipelines.sources import Shelf, walk

pytest_plugins = ("tests.pipelines.pieces",)


def place(bench: Any, purpose: str = "live") -> tuple[str, str]:
    row = bench.row("walk", purpose=purpose)
    return row.cursor, row.watermark


def test_a_whole_walk(bench: Any) -> None:
    shelf = Shelf(bench, 7, page=3)
    done = walk(bench, shelf)
    assert (done.complete, done.pages, done.records, done.taken.news, done.words) == (True, 3, 7, 7, "")
    assert place(bench) == ("", "7")
    assert bench.row("walk").completed == bench.clock.now()
    assert [cursor for _, cursor, _ in shelf.asked] == ["", "3", "6"]


def test_the_next_walk_begins_at_the_watermark(bench: Any) -> None:
    walk(bench, Shelf(bench, 3))
    shelf = Shelf(bench, 5)
    done = walk(bench, shelf)
    assert shelf.asked == [("3", "", None)]
    assert (done.taken.news, place(bench)) == (2, ("", "5"))


@pytest.mark.parametrize("fails_at", ["", "2", "4"])
def test_a_walk_that_stops_goes_on_at_the_same_place(bench: Any, fails_at: str) -> None:
    shelf = Shelf(bench, 6, page=2)
    shelf.fails[fails_at] = Unreachable("no route")
    stopped = walk(bench, shelf)
    assert (stopped.complete, stopped.words) == (False, "no route")
    assert place(bench) == (fails_at, "")  # the watermark waits for the whole
    bench.restart()
    shelf.fails, shelf.asked = {}, []
    done = walk(bench, shelf)
    assert shelf.asked[0] == ("", fails_at, None)
    assert done.complete
    assert done.taken.repeats == 0
    assert place(bench) == ("", "6")
    assert len(bench.rows("referral")) == 6


def test_killed_between_two_pages_and_within_one(bench: Any) -> None:
    shelf = Shelf(bench, 4, page=2)
    shelf.fails["2"] = KeyboardInterrupt()  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        walk(bench, shelf)
    assert place(bench) == ("2", "")
    assert len(bench.rows("version")) == 2
    bench.restart()
    shelf.fails = {}
    assert walk(bench, shelf).complete
    assert len(bench.rows("version")) == 4


def test_at_most_so_many_pages(bench: Any) -> None:
    done = walk(bench, Shelf(bench, 9, page=2), most_pages=2)
    assert (done.complete, done.pages, place(bench)) == (False, 2, ("4", ""))


def test_a_back_fill_has_a_place_of_its_own(bench: Any) -> None:
    walk(bench, Shelf(bench, 3))
    done = walk(bench, Shelf(bench, 3), purpose="back-fill", since="1")
    assert (done.taken.repeats, done.taken.news) == (2, 0)
    assert place(bench) == ("", "3")
    assert place(bench, "back-fill") == ("", "3")


def test_progress_is_told_page_by_page(bench: Any) -> None:
    told: list[int] = []
    walk(bench, Shelf(bench, 5, page=2), progress=lambda walked: told.append(walked.records))
    assert told == [2, 4, 5]


def test_one_spoilt_record_is_a_named_hole_and_nobody_else_waits(bench: Any) -> None:
    shelf = Shelf(bench, 12, page=10, spoilt=[3])
    done = walk(bench, shelf)
    assert done.complete
    assert {row.external_id for row in bench.rows("record")} == {f"C-{n}" for n in range(12) if n != 3}
    assert attention(done) == 1
    [hole] = bench.rows("version", state="needs attention")
    with bench.reading() as connection:
        assert bench.vault.get(connection, "torfaen", hole.raw) == b"<spoilt at 3"
    assert {limit for _, _, limit in shelf.asked} <= {None, *SMALLER}


def test_the_bytes_of_a_spoilt_page_are_kept_before_anything_else_is_tried(bench: Any) -> None:
    shelf = Shelf(bench, 4, spoilt=[1])
    calls = shelf.changes

    def dies_when_asked_for_less(kind: str, *, watermark: str, cursor: str = "", limit: int | None = None) -> Page:
        if limit:
            raise KeyboardInterrupt
        return calls(kind, watermark=watermark, cursor=cursor)

    shelf.changes = dies_when_asked_for_less  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        walk(bench, shelf)
    kept = bench.row("unread_page")
    with bench.reading() as connection:
        assert bench.vault.get(connection, "torfaen", kept.raw) == b"<spoilt at 0"
    with pytest.raises(KeyboardInterrupt):
        walk(bench, shelf)
    assert len(bench.rows("unread_page")) == 1  # once for a place


def test_two_spoilt_records_side_by_side(bench: Any) -> None:
    assert walk(bench, Shelf(bench, 8, spoilt=[2, 3])).complete
    assert len(bench.rows("record")) == 6
    assert len(bench.rows("version", state="needs attention")) == 2


def test_a_feed_that_cannot_step_over_it_is_paused_with_words(bench: Any) -> None:
    shelf = Shelf(bench, 3, spoilt=[0])
    shelf.steps = False
    done = walk(bench, shelf)
    assert not done.complete
    assert "cannot be made smaller" in done.words
    pause = bench.row("pause")
    assert (pause.connection, pause.why) == ("contact", "cannot be read")
    assert place(bench) == ("", "")


def test_a_refused_login_pauses_the_connection(bench: Any) -> None:
    shelf = Shelf(bench, 3)
    shelf.fails[""] = Unauthorised("the login was refused")
    walk(bench, shelf)
    assert bench.row("pause").why == "login refused"


def test_a_page_that_names_itself_as_the_next_is_noticed(bench: Any) -> None:
    shelf = Shelf(bench, 4, page=2)
    shelf.changes = lambda kind, *, watermark, cursor="", limit=None: Page([], "2", "9")  # type: ignore[method-assign]
    done = walk(bench, shelf)
    assert not done.complete
    assert "same page" in done.words


def test_an_unreadable_record_in_a_readable_page(bench: Any) -> None:
    shelf = Shelf(bench, 2)
    shelf.items.append(UnreadableItem(b"{", "not an object", id="C-9"))  # type: ignore[arg-type]
    done = walk(bench, shelf)
    assert (done.complete, attention(done), done.taken.news) == (True, 1, 3)


def test_what_a_feed_has_to_tell_is_audited_once_and_stands_with_the_walk(bench: Any) -> None:
    shelf = Shelf(bench, 2)
    told = ["everything is read anew"]
    plain = shelf.changes

    def changes(kind: str, **asked: Any) -> Page:
        return replace(plain(kind, **asked), note=told[0])

    shelf.changes = changes  # type: ignore[method-assign]
    for _ in range(3):
        assert walk(bench, shelf).note == told[0]
    assert bench.row("walk").words == told[0]
    links = overview.look(bench.plant).links
    assert [link.told for link in links if (link.council, link.connection) == ("torfaen", "contact")] == told
    assert [row.subject for row in bench.rows("audit", action="told by a feed")] == ["contact Request"]
    told[0] = ""
    walk(bench, shelf)
    assert bench.row("walk").words == ""
