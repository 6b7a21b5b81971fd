"""A feed of windows: what a system may answer that tells badly what changed, and that nothing is jumped over by it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.errors import ConnectorError, Misconfigured, PageUnreadable, Unknown
from connectors.port import UnreadableItem
from connectors.problems import ProfileFaults

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
FEED = {
    "feed": "id-window", "path": "/updated", "begins": "start", "ends": "end", "items": "ids[]", "covered": "covered",
    "deleted": {"path": "/deleted", "items": "gone[]", "earliest": "earliest"}, "reach": "P10D", "of": 3,
    "all": {"path": "/all", "items": "all[]", "id": ".", "next": "next", "at_most": 5},
}  # fmt: skip
MARK = (NOW - timedelta(hours=1)).isoformat()


class Town:
    """Answers each path with what is laid there, and notes which windows were asked for."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.dated = True
        self.windows: list[tuple[str, datetime, datetime]] = []
        self.laid: dict[str, Any] = {
            "/updated": {"ids": [], "covered": NOW.isoformat()},
            "/deleted": {"gone": [], "covered": NOW.isoformat(), "earliest": (NOW - timedelta(days=9)).isoformat()},
            "/all": {"all": []},
            "/": {},
        }

    def __call__(self, call: Any) -> Any:
        parts = urlsplit(call.path)
        path, query = parts.path.removeprefix("/api"), parse_qs(parts.query)
        if "start" in query:
            self.windows.append((path, *(datetime.fromisoformat(query[name][0]) for name in ("start", "end"))))
        laid = self.laid.get(path, {"id": path.rpartition("/")[2], "at": NOW.isoformat()})
        status, body = laid if isinstance(laid, tuple) else (200, laid)
        told = json.dumps(body).encode()
        date = f"Date: {format_datetime(NOW, usegmt=True)}\r\n" if self.dated else ""
        head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{date}Content-Length: {len(told)}\r\n"
        head += "Connection: close\r\n\r\n"
        return self.answer(raw=head.encode() + told)  # the small server would write a Date of its own


@pytest.fixture
def town(answer: Any) -> Town:
    return Town(answer)


@pytest.fixture
def listing(profile: Any, connect: Any, small: Any, town: Town) -> Any:
    """Connects to the town."""

    def start(**more: Any) -> Any:
        profile["records"]["Thing"]["changes"] = {**FEED, **more}
        server = small(town)
        connector = connect(server.url + "/api", profile)
        connector._sleep = lambda _: None
        connector.server = server
        return connector

    return start


def walk(connector: Any, watermark: str = "") -> tuple[list[Any], str, list[str]]:
    items: list[Any] = []
    notes: list[str] = []
    cursor = ""
    for _ in range(50):
        page = connector.changes("Thing", watermark=watermark, cursor=cursor)
        items += page.items
        notes += [page.note] if page.note else []
        cursor = page.cursor
        if not cursor:
            return items, page.watermark, notes
    raise AssertionError("the walk does not end")


def test_a_window_ends_by_the_systems_own_clock_and_begins_before_the_last_ones_end(listing: Any, town: Town) -> None:
    town.laid["/updated"]["ids"] = ["b", "a", "a"]
    items, watermark, notes = walk(listing(), MARK)
    assert ([item.id for item in items], notes) == (["a", "b"], [])
    assert datetime.fromisoformat(watermark) == NOW
    began = NOW - timedelta(hours=1, minutes=1)
    assert town.windows == [("/updated", began, NOW), ("/deleted", began, NOW)]


def test_no_window_is_shorter_than_may_be_asked_for(listing: Any, town: Town) -> None:
    walk(listing(overlap="PT0S"), (NOW - timedelta(seconds=5)).isoformat())
    assert {end - start for _, start, end in town.windows} == {timedelta(minutes=2)}


@pytest.mark.parametrize("which", ["/updated", "/deleted"])
def test_what_is_not_covered_yet_is_asked_for_again(listing: Any, town: Town, which: str) -> None:
    town.laid[which]["covered"] = (NOW - timedelta(minutes=7)).isoformat()
    assert datetime.fromisoformat(walk(listing(), MARK)[1]) == NOW - timedelta(minutes=7)
    town.laid[which]["covered"] = (NOW - timedelta(hours=9)).isoformat()
    assert datetime.fromisoformat(walk(listing(), MARK)[1]) == datetime.fromisoformat(MARK), (
        "a watermark never goes back"
    )


def test_a_memory_of_deletions_shorter_than_promised_is_told(listing: Any, town: Town) -> None:
    town.laid["/deleted"]["earliest"] = (NOW - timedelta(minutes=3)).isoformat()
    town.laid["/all"]["all"] = ["a"]
    items, _, notes = walk(listing(), MARK)
    assert ([item.id for item in items], len(notes)) == (["a"], 1)


def test_a_system_without_deletions_is_not_asked_for_them(listing: Any, town: Town) -> None:
    walk(listing(deleted=None), MARK)
    assert [path for path, _, _ in town.windows] == ["/updated"]


def test_a_record_that_is_gone_or_another_touches_no_neighbour(listing: Any, town: Town) -> None:
    town.laid["/updated"]["ids"] = ["a", "b", "c", "d"]
    town.laid |= {"/things/b": (404, {"code": "x"}), "/things/c": {"id": "z", "at": NOW.isoformat()}}
    first, bad, last = walk(listing(), MARK)[0]
    assert (first.id, bad.id, last.id) == ("a", "c", "d")
    assert isinstance(bad, UnreadableItem)
    assert "another record" in bad.reason


def test_trouble_in_mid_page_keeps_what_was_read_and_waits_in_front_of_the_rest(listing: Any, town: Town) -> None:
    town.laid["/updated"]["ids"] = ["a", "b", "c"]
    town.laid["/things/b"] = (500, {})
    connector = listing()
    page = connector.changes("Thing", watermark=MARK)
    assert [item.id for item in page.items] == ["a"]
    with pytest.raises(Unknown):
        connector.changes("Thing", watermark=MARK, cursor=page.cursor)
    del town.laid["/things/b"]
    page = connector.changes("Thing", watermark=MARK, cursor=page.cursor)
    assert ([item.id for item in page.items], page.cursor) == (["b", "c"], "")


def test_an_answer_without_a_date_cannot_end_a_window(listing: Any, town: Town) -> None:
    town.dated = False
    with pytest.raises(Misconfigured, match="no Date"):
        walk(listing(), MARK)


def test_all_ids_without_end_or_elsewhere(listing: Any, town: Town) -> None:
    connector = listing()
    for following in ("/api/all?p=1", "/api/all"):
        town.laid["/all"] = {"all": [], "next": following}
        with pytest.raises(PageUnreadable, match="given before"):
            walk(connector)
    for following in ("http://elsewhere.example.org/api/all", "/other", "//x/api/all", "/api/all?x=" + "x" * 9000):
        town.laid["/all"] = {"all": [], "next": following}
        with pytest.raises(Misconfigured):
            walk(connector)
    assert {urlsplit(call.path).path for call in connector.server.calls} <= {"/api/", "/api/updated", "/api/all"}


ODD = [True, 1.5, None, "", "soon", {}, {"a": 1}, [None], [""], ["a\nb"], ["\ud800"], [[]], -1]


@pytest.mark.parametrize(
    ("path", "name"),
    [("/updated", "ids"), ("/updated", "covered"), ("/deleted", "gone"), ("/deleted", "covered"),
     ("/deleted", "earliest"), ("/all", "all"), ("/all", "next")],
)  # fmt: skip
def test_whatever_an_answer_is_made_of_ends_in_a_walk_or_a_named_error(
    listing: Any, town: Town, path: str, name: str
) -> None:
    connector, whole = listing(), town.laid[path]
    for odd in ODD:
        town.laid[path] = {**whole, name: odd}
        for watermark in ("", MARK):
            try:
                _, kept, _ = walk(connector, watermark)
            except ConnectorError as error:
                assert error.reason
            else:
                assert datetime.fromisoformat(kept) >= datetime.fromisoformat(watermark or kept)


@pytest.mark.parametrize("cursor", ["{", "[]", '["", "", 1, "", false, ""]', '["x", "", [], "", false, "[]"]'])
def test_a_place_that_is_not_ours_is_refused(listing: Any, cursor: str) -> None:
    with pytest.raises(Misconfigured, match="start the walk from its watermark"):
        listing().changes("Thing", watermark=MARK, cursor=cursor)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda thing: thing.pop("fetch"), "an id-window feed needs fetch"),
        (lambda thing: thing.pop("fault"), "needs fault.code"),
        (lambda thing: thing["changes"].pop("reach"), "reach: is missing"),
        (lambda thing: thing["changes"].update(reach="PT1M"), "reach"),
    ],
)
def test_a_profile_that_cannot_work_is_named(profile: Any, connect: Any, change: Any, words: str) -> None:
    thing = profile["records"]["Thing"]
    thing["update"], thing["changes"] = None, dict(FEED)
    change(thing)
    with pytest.raises(ProfileFaults, match=words):
        connect("http://127.0.0.1:1", profile)
