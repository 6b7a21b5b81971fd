"""A feed that lists ids: each record is read by its id, and none is lost while list and records move."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.errors import Misconfigured, PageUnreadable, Unknown
from connectors.port import Item, UnreadableItem
from connectors.problems import ProfileFaults

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
JSON = {"Content-Type": "application/json"}
PAGED = {"next": "next", "cursor": "after", "size": "limit", "of": 3, "at_most": 20}


def stamp(minute: float) -> str:
    return (START + timedelta(minutes=minute)).isoformat()


class Town:
    """A system of things that lists which of them changed."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.things: dict[str, float] = {}  # id: minute of its last change
        self.listed: list[Any] = []  # entries beside the things' own
        self.bodies: dict[str, Any] = {}  # what is answered in place of a thing
        self.minute = 60.0
        self.dated = True

    def __call__(self, call: Any) -> Any:
        path, query = urlsplit(call.path).path, parse_qs(urlsplit(call.path).query)
        headers = dict(JSON)
        if self.dated:
            headers["Date"] = format_datetime(START + timedelta(minutes=self.minute), usegmt=True)
        if path == "/changed":
            return self.answer(200, json.dumps(self.listing(query)).encode(), headers)
        id = path.removeprefix("/things/")
        if id in self.bodies:
            return self.bodies[id]
        if id not in self.things:
            return self.answer(404, b'{"code": "gone"}', headers)
        return self.answer(200, json.dumps({"id": id, "at": stamp(self.things[id])}).encode(), headers)

    def listing(self, query: dict[str, list[str]]) -> dict[str, Any]:
        since = datetime.fromisoformat(query["since"][0]) if "since" in query else START - timedelta(days=9)
        begin = (since - START).total_seconds() / 60
        changed = sorted((minute, id) for id, minute in self.things.items() if minute >= begin)
        entries = [*self.listed, *({"id": id, "at": stamp(minute)} for minute, id in changed)]
        if "limit" not in query:
            return {"changed": entries}
        at, size = int(query.get("after", ["0"])[0]), int(query["limit"][0])
        return {"changed": entries[at : at + size], "next": at + size if at + size < len(entries) else None}


@pytest.fixture
def town(answer: Any) -> Town:
    return Town(answer)


@pytest.fixture
def listing(profile: Any, connect: Any, small: Any, town: Town) -> Any:
    """Connects to the town; `page` is how its list is paged."""

    def start(page: Any = None, *, of: int = 4, coded: bool = True) -> Any:
        thing = profile["records"]["Thing"]
        feed = {"feed": "id-list", "path": "/changed", "since": "since", "items": "changed[]", "of": of}
        thing["changes"] = {**feed, "id": "id", "modified": "at", "overlap": "PT1M", **({"page": page} if page else {})}
        if not coded:
            del thing["fault"]
        server = small(town)
        connector = connect(server.url, profile)
        connector._sleep = lambda _: None
        connector.server = server
        return connector

    return start


def walk(connector: Any, watermark: str = "", between: Any = lambda: None) -> tuple[list[Any], str]:
    items: list[Any] = []
    cursor = ""
    for _ in range(200):
        page = connector.changes("Thing", watermark=watermark, cursor=cursor)
        items += page.items
        cursor = page.cursor
        if not cursor:
            return items, page.watermark
        between()
    raise AssertionError("the walk does not end")


@pytest.mark.parametrize("page", [None, PAGED])
@pytest.mark.parametrize("number", [0, 1, 3, 4, 11])
def test_every_listed_record_is_read_and_never_more_than_of_in_a_page(
    listing: Any, town: Town, page: Any, number: int
) -> None:
    town.things = {f"t{at}": 5.0 for at in range(number)}  # equal stamps
    connector = listing(page)
    read: list[int] = []

    def count() -> None:
        read.append(sum(call.path.startswith("/things/") for call in connector.server.calls))

    items, watermark = walk(connector, between=count)
    assert sorted(item.id for item in items) == sorted(town.things)
    assert all(later - sooner <= 4 for sooner, later in zip([0, *read], read, strict=False))
    assert watermark == ("" if number == 0 else datetime.fromisoformat(stamp(5)).isoformat(timespec="microseconds"))


def test_an_id_listed_twice_is_read_once(listing: Any, town: Town) -> None:
    town.things, town.listed = {"a": 1.0}, [{"id": "a", "at": stamp(0)}]
    connector = listing()
    assert [item.id for item in walk(connector)[0]] == ["a"]


def test_a_list_longer_than_a_cursor_holds_is_gone_on_with(
    listing: Any, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.rest.feeds.id_list.KEPT", 5)
    town.things = {f"t{at:02}": float(at) for at in range(17)}
    late = iter([("a", 50.0), ("t03", 51.0), ("z", 52.0)])

    def change() -> None:
        id, minute = next(late, ("", 0.0))
        if id:
            town.things[id] = minute

    connector = listing()
    items, watermark = walk(connector, between=change)
    assert {item.id for item in items} >= {f"t{at:02}" for at in range(17)}
    assert watermark == datetime.fromisoformat(stamp(16)).isoformat(timespec="microseconds")
    again, _ = walk(connector, watermark)
    assert {"a", "t03", "z"} <= {item.id for item in again}, "what came while the walk went on is in the next"


@pytest.mark.parametrize(("coded", "expected"), [(True, []), (False, ["b"])])
def test_a_record_that_is_gone_is_skipped_only_if_the_system_says_so_itself(
    listing: Any, town: Town, coded: bool, expected: list[str]
) -> None:
    town.things, town.listed = {"a": 1.0}, [{"id": "b", "at": stamp(0)}]
    items, _ = walk(listing(coded=coded))
    assert [item.id for item in items if isinstance(item, Item)] == ["a"]
    assert [item.id for item in items if isinstance(item, UnreadableItem)] == expected


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, b'{"id": "b", "at": "soon"}', "expected a moment"),
        (200, b'{"id": "b"', "not valid JSON"),
        (200, b'{"id": "c", "at": "2026-03-02T09:00:00Z"}', "another record"),
        (422, b"{}", "refuses what we sent"),
    ],
)
def test_a_record_that_cannot_be_read_touches_no_neighbour(
    listing: Any, town: Town, answer: Any, status: int, body: bytes, words: str
) -> None:
    town.things, town.bodies = {"a": 1.0, "b": 2.0, "d": 3.0}, {"b": answer(status, body)}
    first, bad, last = walk(listing())[0]
    assert (first.id, bad.id, last.id) == ("a", "b", "d")
    assert isinstance(bad, UnreadableItem)
    assert words in bad.reason
    assert bad.raw == body or status == 200


@pytest.mark.parametrize("entry", [{"at": stamp(0)}, {"id": "a\nb"}, {"id": None}, "a", None])
def test_an_entry_without_an_id_is_told(listing: Any, town: Town, entry: Any) -> None:
    town.things, town.listed = {"a": 1.0}, [entry]
    bad, good = walk(listing())[0]
    assert isinstance(bad, UnreadableItem)
    assert good.id == "a"
    assert json.loads(bad.raw) == entry


def test_an_id_that_no_address_can_carry_is_told_and_not_sent(listing: Any, town: Town) -> None:
    town.listed = [{"id": "..", "at": stamp(0)}]
    connector = listing()
    (bad,) = walk(connector)[0]
    assert isinstance(bad, UnreadableItem)
    assert [call.path for call in connector.server.calls] == ["/changed"]


def test_trouble_in_mid_page_keeps_what_was_read_and_stops_before_the_rest(
    listing: Any, town: Town, answer: Any
) -> None:
    town.things, town.bodies = {"a": 1.0, "b": 2.0, "c": 3.0}, {"b": answer(503, b"{}")}
    connector = listing()
    page = connector.changes("Thing", watermark="")
    assert [item.id for item in page.items] == ["a"]
    for _ in range(2):
        with pytest.raises(Exception, match="HTTP 503"):
            connector.changes("Thing", watermark="", cursor=page.cursor)
    town.bodies = {}
    page = connector.changes("Thing", watermark="", cursor=page.cursor)
    assert ([item.id for item in page.items], page.cursor) == (["b", "c"], "")


def test_a_stamp_from_the_future_does_not_move_the_watermark(listing: Any, town: Town) -> None:
    town.things = {"a": 1.0, "b": 60.0 * 24 * 3650}
    items, watermark = walk(listing())
    assert len(items) == 2
    assert watermark == datetime.fromisoformat(stamp(1)).isoformat(timespec="microseconds")


@pytest.mark.parametrize("cursor", ["{", "[]", '["", 1, "", "", false]', '["[]", [], "", "", false]'])
def test_a_place_that_is_not_ours_is_refused(listing: Any, cursor: str) -> None:
    with pytest.raises(Misconfigured, match="start the walk from its watermark"):
        listing().changes("Thing", watermark="", cursor=cursor)


@pytest.mark.parametrize(
    ("body", "headers", "error"),
    [(b'{"changed": {}}', JSON, PageUnreadable), (b"<html>", {"Content-Type": "text/html"}, Unknown)],
)
def test_a_list_that_cannot_be_read_ends_in_a_named_error(
    listing: Any, answer: Any, body: bytes, headers: Any, error: Any
) -> None:
    connector = listing()
    connector.server.answer = lambda _: answer(200, body, headers)
    with pytest.raises(error):
        connector.changes("Thing", watermark="")
    assert connector.skip("Thing", watermark="", cursor="") is None


def test_a_list_in_a_circle_is_noticed(listing: Any, answer: Any) -> None:
    connector = listing(PAGED)
    connector.server.answer = lambda _: answer(200, b'{"changed": [], "next": "x"}', JSON)
    page = connector.changes("Thing", watermark="")
    with pytest.raises(PageUnreadable, match="given before"):
        connector.changes("Thing", watermark="", cursor=page.cursor)


@pytest.mark.parametrize("page", [None, PAGED])
def test_a_system_that_changes_all_the_while_is_read_whole(listing: Any, town: Town, page: Any) -> None:
    town.things = {f"t{at:02}": float(at) for at in range(20)}
    town.minute = 20.0
    held: dict[str, datetime] = {}
    watermark, changes = "", iter(range(30))
    connector = listing(page)

    def change() -> None:
        at = next(changes, None)
        if at is None:
            return
        town.minute += 0.5
        town.things[f"t{at * 7 % 23:02}"] = town.minute

    for _ in range(40):
        change()
        items, watermark = walk(connector, watermark, change)
        for item in items:
            assert item.modified is not None
            held[item.id] = max(item.modified, held.get(item.id, item.modified))
    assert next(changes, None) is None, "it changed to the end"
    assert held == {id: datetime.fromisoformat(stamp(minute)) for id, minute in town.things.items()}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda thing: thing.pop("fetch"), "needs fetch"),
        (lambda thing: thing["changes"].pop("modified"), r"records\.Thing\.changes\.modified: is missing"),
        (lambda thing: thing["changes"].update(itms="x"), r"changes\.itms: is not a setting"),
        (lambda thing: thing["changes"].update(feed="list"), r"changes\.feed: .*write one of cursor, .*id-list,"),
        (lambda thing: thing["changes"].pop("feed"), r"changes\.feed: .*write one of cursor, .*id-list,"),
    ],
)
def test_a_profile_that_cannot_work_is_named(profile: Any, connect: Any, change: Any, words: str) -> None:
    thing = profile["records"]["Thing"]
    thing["update"] = None
    thing["changes"] = {"feed": "id-list", "path": "/c", "since": "s", "items": "c[]", "id": "id", "modified": "at"}
    change(thing)
    with pytest.raises(ProfileFaults, match=words):
        connect("http://127.0.0.1:1", profile)
