"""A feed that shows the newest change first: read from the front until what it shows is known."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.errors import Misconfigured, PageUnreadable
from connectors.port import UnreadableItem
from connectors.problems import ProfileFaults

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
STYLES = ["number", "offset"]


def stamp(minute: float) -> str:
    return (START + timedelta(minutes=minute)).isoformat(timespec="microseconds")


class Town:
    """A system of things that shows the newest first."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.things: dict[str, float] = {}  # id: minute of its last change
        self.minute = 60.0
        self.by = "number"
        self.broken = ""  # a page that holds this thing is no JSON
        self.sorted = True

    def __call__(self, call: Any) -> Any:
        query = parse_qs(urlsplit(call.path).query)
        size, place = int(query["limit"][0]), int(query["p"][0])
        begin = (place - 1) * size if self.by == "number" else place
        rows = sorted(self.things.items(), key=lambda one: (one[1], one[0]), reverse=self.sorted)[begin : begin + size]
        body = json.dumps({"things": [{"id": id, "at": stamp(minute)} for id, minute in rows]}).encode()
        if self.broken in [id for id, _ in rows]:
            body = body[:-2]
        now = format_datetime(START + timedelta(minutes=self.minute), usegmt=True)
        return self.answer(200, body, {"Content-Type": "application/json", "Date": now})


@pytest.fixture
def town(answer: Any) -> Town:
    return Town(answer)


@pytest.fixture
def newest(profile: Any, connect: Any, small: Any, town: Town) -> Any:
    """Connects to the town."""

    def start(by: str = "number", *, of: int = 4, at_most: int = 60) -> Any:
        town.by = by
        page = {"by": by, "parameter": "p", "size": "limit", "of": of, "at_most": at_most}
        profile["records"]["Thing"]["changes"] = {
            "feed": "newest-first",
            "path": "/things",
            "page": page,
            "items": "things[]",
            "overlap": "PT1M",
        }
        server = small(town)
        connector = connect(server.url, profile)
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


@pytest.mark.parametrize("by", STYLES)
@pytest.mark.parametrize("of", [1, 4, 12])
@pytest.mark.parametrize("number", [0, 1, 4, 23])
def test_all_are_read_also_with_equal_stamps(newest: Any, town: Town, by: str, of: int, number: int) -> None:
    town.things = {f"t{at}": 5.0 for at in range(number)}
    items, watermark = walk(newest(by, of=of))
    assert {item.id for item in items} == set(town.things)
    assert watermark == ("" if number == 0 else stamp(5))


@pytest.mark.parametrize("by", STYLES)
def test_a_walk_ends_behind_what_is_known_less_the_overlap(newest: Any, town: Town, by: str) -> None:
    town.things = {f"t{at:02}": float(at) for at in range(40)}
    connector = newest(by)
    items, watermark = walk(connector, stamp(35))
    assert {item.id for item in items} >= {f"t{at}" for at in range(34, 40)}
    assert len(connector.server.calls) == 3, "the page of which all is known is the last"
    assert watermark == stamp(39)


def test_a_page_that_comes_twice_is_asked_for_once_more(newest: Any, town: Town) -> None:
    """A cache between us and the system gives the page before; in a walk from the beginning nothing else shows it."""
    town.things = {f"t{at:02}": float(at) for at in range(12)}
    connector = newest()
    true, last, calls = connector.server.answer, [], []

    def cached(call: Any) -> Any:
        calls.append(call.path)
        last.append(last[0] if len(calls) == 2 else true(call))
        return last[-1]

    connector.server.answer = cached
    items, _ = walk(connector)
    assert [item.id for item in items] == sorted(town.things, reverse=True)
    assert calls[1] == calls[2]


def test_a_page_of_records_that_came_to_the_front_meanwhile_does_not_stop_the_walk(newest: Any, town: Town) -> None:
    """Then the next page truly begins as the one before did, however often it is asked for."""
    town.things = {f"t{at:02}": float(at) for at in range(12)}
    fresh = iter(range(4))

    def four_come() -> None:
        for at in fresh:
            town.things[f"n{at}"] = 30.0 + at

    items, _ = walk(newest(), between=four_come)
    assert {item.id for item in items} == {f"t{at:02}" for at in range(12)}


def test_the_watermark_is_the_newest_at_the_beginning_and_never_goes_back(newest: Any, town: Town) -> None:
    town.things = {f"t{at:02}": float(at) for at in range(12)}
    connector = newest()
    _, watermark = walk(connector, between=lambda: town.things.update(t00=55.0))
    assert watermark == stamp(11)
    again, watermark = walk(connector, watermark)
    assert "t00" in {item.id for item in again}
    town.things = {"t01": 1.0}
    assert walk(connector, watermark)[1] == watermark == stamp(55)


def test_a_stamp_from_the_future_does_not_move_the_watermark(newest: Any, town: Town) -> None:
    town.things = {"a": 1.0, "b": 60.0 * 24 * 3650}
    assert walk(newest())[1] == stamp(1)


def test_a_list_that_is_sorted_otherwise_is_refused(newest: Any, town: Town) -> None:
    town.things, town.sorted = {f"t{at:02}": 3.0 * at for at in range(12)}, False
    with pytest.raises(Misconfigured, match="not sorted"):
        newest().changes("Thing", watermark=stamp(30))


@pytest.mark.parametrize("by", STYLES)
@pytest.mark.parametrize("of", [4, 30])
def test_a_page_that_cannot_be_read_is_narrowed_to_one_record(newest: Any, town: Town, by: str, of: int) -> None:
    town.things = {f"t{at:02}": float(at) for at in range(40)}
    town.broken = "t07"
    connector, cursor, seen = newest(by, of=of), "", set()
    for _ in range(200):
        for limit in (None, 25, 5, 1):
            try:
                page = connector.changes("Thing", watermark="", cursor=cursor, limit=limit)
                assert len(page.items) <= (limit or of)
                seen |= {item.id for item in page.items}
                cursor = page.cursor
                break
            except PageUnreadable:
                continue
        else:
            cursor = connector.skip("Thing", watermark="", cursor=cursor)
        if not cursor:
            break
    assert set(town.things) - seen == {"t07"}


@pytest.mark.parametrize("by", STYLES)
def test_pages_of_any_size_join_without_a_gap(newest: Any, town: Town, by: str) -> None:
    town.things = {f"t{at:02}": float(-at) for at in range(29)}
    connector, cursor, seen = newest(by), "", []
    for limit in [3, None, 1, 2, None, None, 1, 3] * 4:
        page = connector.changes("Thing", watermark="", cursor=cursor, limit=limit)
        seen += [item.id for item in page.items]
        cursor = page.cursor
        if not cursor:
            break
    assert seen == list(town.things), "each once, and in order"


def test_records_taken_out_of_what_was_read_hide_none_behind_them(newest: Any, town: Town) -> None:
    town.things = {f"t{at:02}": float(-at) for at in range(40)}
    connector = newest("offset", of=12)
    page = connector.changes("Thing", watermark="")
    seen = {item.id for item in page.items}
    for gone in ("t01", "t05", "t11"):
        del town.things[gone]
    while page.cursor:
        page = connector.changes("Thing", watermark="", cursor=page.cursor)
        seen |= {item.id for item in page.items}
    assert set(town.things) - seen == set()


def test_a_list_without_end_is_noticed(newest: Any, town: Town, answer: Any) -> None:
    connector = newest(at_most=3)
    town.things = {f"t{at:02}": float(at) for at in range(40)}
    with pytest.raises(Misconfigured, match="after 3 pages"):
        walk(connector)


def test_a_bad_record_touches_no_neighbour(newest: Any, answer: Any) -> None:
    body = {"things": [{"id": "a", "at": stamp(2)}, {"id": "b", "at": "soon"}, {"id": "c", "at": stamp(1)}]}
    connector = newest()
    connector.server.answer = lambda _: answer(200, json.dumps(body).encode())
    items = connector.changes("Thing", watermark="").items
    assert [isinstance(item, UnreadableItem) for item in items] == [False, True, False]


@pytest.mark.parametrize("blemish", [b'"T\xb01"', b'"\\ud800"', b"NaN"])
def test_a_blemish_in_the_first_record_of_a_page_costs_that_record_alone(
    newest: Any, answer: Any, blemish: bytes
) -> None:
    """Seen red: the page was known again by its first record, and one that JSON cannot hold ended the walk."""
    body = b'{"things": [{"id": %s, "at": "%s"}, {"id": "b", "at": "%s"}]}'
    told = body % (blemish, stamp(2).encode(), stamp(1).encode())
    connector = newest(of=2)
    connector.server.answer = lambda _: answer(200, told, {"Content-Type": "application/json"})
    bad, good = connector.changes("Thing", watermark="").items
    assert isinstance(bad, UnreadableItem)
    assert good.id == "b"


@pytest.mark.parametrize("body", [b"{}", b'{"things": {}}', b'{"things": [], "things": []}', b"[]"])
def test_a_page_that_is_no_list_is_unreadable(newest: Any, answer: Any, body: bytes) -> None:
    connector = newest()
    connector.server.answer = lambda _: answer(200, body)
    with pytest.raises(PageUnreadable) as caught:
        connector.changes("Thing", watermark="")
    assert caught.value.reply == body


@pytest.mark.parametrize("cursor", ["{", "[]", '["a", "", 1]'])
def test_a_place_that_is_not_ours_is_refused(newest: Any, cursor: str) -> None:
    with pytest.raises(Misconfigured, match="start the walk from its watermark"):
        newest().changes("Thing", watermark="", cursor=cursor)


def test_a_profile_without_a_stamp_is_refused(newest: Any, profile: Any) -> None:
    del profile["records"]["Thing"]["item"]["modified"]
    with pytest.raises(ProfileFaults, match=r"a newest-first feed needs item\.modified"):
        newest()


@pytest.mark.parametrize(("by", "deletes"), [("number", False), ("offset", False), ("offset", True)])
def test_a_system_that_changes_all_the_while_is_read_whole(newest: Any, town: Town, by: str, deletes: bool) -> None:
    town.things = {f"t{at:02}": float(at) / 2 for at in range(60)}
    town.minute = 30.0
    held: dict[str, datetime] = {}
    watermark, changes = "", iter(range(40))
    connector = newest(by, of=12)

    def change() -> None:
        at = next(changes, None)
        if at is None:
            return
        town.minute += 0.5
        if deletes and at % 3 == 0:  # one of the newest, which were read already
            del town.things[max(town.things, key=lambda id: town.things[id])]
        town.things[f"t{at * 17 % 71:02}"] = town.minute

    for _ in range(45):
        change()
        items, watermark = walk(connector, watermark, change)
        for item in items:
            held[item.id] = max(item.modified, held.get(item.id, item.modified))
    assert next(changes, None) is None, "it changed to the end"
    assert {id: held.get(id) for id in town.things} == {
        id: datetime.fromisoformat(stamp(minute)) for id, minute in town.things.items()
    }
