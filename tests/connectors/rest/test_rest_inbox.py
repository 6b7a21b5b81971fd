"""An inbox: each message is acknowledged when it is written down, and not before; none is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from connectors.errors import Misconfigured, PageUnreadable, Unknown
from connectors.port import Item, UnreadableItem
from connectors.problems import ProfileFaults

JSON = {"Content-Type": "application/json"}
AT = "2026-03-02T09:00:00+00:00"


class Post:
    """A system with an inbox of things."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.things: dict[str, Any] = {}
        self.bodies: dict[str, Any] = {}  # what is answered in place of a thing
        self.acknowledged: list[str] = []
        self.keeps = False  # an acknowledgement is answered and does nothing
        self.on_acknowledge: Any = None  # what is answered in place of the acknowledgement, once
        self.whole = False

    def __call__(self, call: Any) -> Any:
        path = call.path.partition("?")[0]
        if path == "/inbox":
            shown = [thing if self.whole else id for id, thing in self.things.items()]
            return self.answer(200, json.dumps({"messages": shown}).encode(), JSON)
        id = path.split("/")[2]
        if call.method == "PUT":
            self.acknowledged.append(id)
            said, self.on_acknowledge = self.on_acknowledge, None
            if said is not None:
                return said
            if id not in self.things:
                return self.answer(404, b'{"code": "none"}', JSON)
            if not self.keeps:
                del self.things[id]
            return self.answer(200, b"", JSON)
        if id in self.bodies:
            return self.bodies[id]
        if id not in self.things:
            return self.answer(404, b'{"code": "none"}', JSON)
        return self.answer(200, json.dumps(self.things[id]).encode(), JSON)

    def put(self, *ids: str) -> None:
        for id in ids:
            self.things[id] = {"id": id, "at": AT}


@pytest.fixture
def post(answer: Any) -> Post:
    return Post(answer)


@pytest.fixture
def inbox(profile: Any, connect: Any, small: Any, post: Post) -> Callable[..., Any]:
    """Connects to the inbox."""

    def start(**more: Any) -> Any:
        thing = profile["records"]["Thing"]
        thing["item"] = {"id": "id"}  # an inbox needs no stamps
        feed = {"feed": "inbox", "path": "/inbox", "items": "messages[]", "message": "/inbox/{id}", "of": 3}
        thing["changes"] = {**feed, "acknowledge": {"path": "/inbox/{id}/acknowledged"}, **more}
        thing["changes"] = {key: value for key, value in thing["changes"].items() if value is not None}
        server = small(post)
        connector = connect(server.url, profile)
        connector._sleep = lambda _: None
        connector.server = server
        return connector

    return start


def walk(connector: Any, between: Callable[[Any], None] = lambda _: None, cursor: str = "") -> list[Any]:
    items: list[Any] = []
    for _ in range(50):
        page = connector.changes("Thing", watermark="", cursor=cursor)
        items += page.items
        cursor = page.cursor
        between(page)
        if not cursor:
            return items
    raise AssertionError("the walk does not end")


@pytest.mark.parametrize("number", [0, 1, 3, 7])
def test_all_is_read_and_acknowledged_and_nothing_before_its_page_was_handed_on(
    inbox: Any, post: Post, number: int
) -> None:
    post.put(*(f"m{at}" for at in range(number)))
    handed: set[str] = set()
    early: list[str] = []

    def look(page: Any) -> None:
        early.extend(set(post.acknowledged) - handed)  # what was acknowledged before this page came back
        handed.update(item.id for item in page.items)

    items = walk(inbox(), look)
    assert [item.id for item in items] == [f"m{at}" for at in range(number)]
    assert all(isinstance(item, Item) for item in items)
    assert early == []
    assert sorted(post.acknowledged) == sorted(item.id for item in items)
    assert post.things == {}


def test_a_process_that_died_before_its_page_was_written_shows_it_again(inbox: Any, post: Post) -> None:
    post.put("a", "b")
    inbox().changes("Thing", watermark="", cursor="")  # and nobody wrote it down
    assert [item.id for item in walk(inbox())] == ["a", "b"]


def test_a_process_that_died_behind_its_page_acknowledges_in_the_next(inbox: Any, post: Post) -> None:
    post.put("a", "b")
    kept = inbox().changes("Thing", watermark="", cursor="").cursor
    assert post.acknowledged == []
    assert walk(inbox(), cursor=kept) == []
    assert (sorted(post.acknowledged), post.things) == (["a", "b"], {})


def test_an_acknowledgement_whose_answer_was_lost_is_sent_again(inbox: Any, post: Post, answer: Any) -> None:
    post.put("a")
    connector = inbox()
    kept = connector.changes("Thing", watermark="", cursor="").cursor
    del post.things["a"]  # it was done there
    post.on_acknowledge = answer(raw=b"")  # and the answer never came
    with pytest.raises(Unknown):
        connector.changes("Thing", watermark="", cursor=kept)
    assert walk(connector, cursor=kept) == []
    assert post.acknowledged == ["a", "a"]


def test_a_path_that_is_wrong_is_no_acknowledgement(inbox: Any, post: Post, answer: Any) -> None:
    post.put("a")
    connector = inbox()
    kept = connector.changes("Thing", watermark="", cursor="").cursor
    post.on_acknowledge = answer(404, b"<html>no such page</html>", {"Content-Type": "text/html"})
    with pytest.raises(Misconfigured, match="no such path"):
        connector.changes("Thing", watermark="", cursor=kept)


def test_what_is_acknowledged_and_still_listed_ends_the_walk(inbox: Any, post: Post) -> None:
    post.put("a", "b")
    post.keeps = True
    assert [item.id for item in walk(inbox())] == ["a", "b"]


def test_a_message_that_cannot_be_read_is_kept_and_acknowledged(inbox: Any, post: Post, answer: Any) -> None:
    post.put("a", "b", "c")
    post.bodies["b"] = answer(200, b'{"id": "b", "at": 7', JSON)
    items = walk(inbox())
    assert [type(item) for item in items] == [Item, UnreadableItem, Item]
    assert (items[1].id, items[1].raw) == ("b", b'{"id": "b", "at": 7')
    assert "b" in post.acknowledged


def test_one_message_that_is_not_given_keeps_none_behind_it_and_is_never_acknowledged(
    inbox: Any, post: Post, answer: Any
) -> None:
    post.put("a", "b", "c", "d", "e")
    post.bodies["b"] = answer(500, b'{"code": "x"}', JSON)
    post.bodies["d"] = answer(400, b'{"code": "x", "message": "no"}', JSON)
    items = walk(inbox())
    assert sorted(ids_of(items, Item)) == ["a", "c", "e"]
    assert sorted(ids_of(items, UnreadableItem)) == ["b", "d"], "each is told once in a walk"
    assert sorted(post.things) == ["b", "d"], "the bytes of a refusal are not the message's"
    post.bodies.clear()
    assert sorted(ids_of(walk(inbox()), Item)) == ["b", "d"]


def test_a_system_that_gives_nothing_stops_the_walk(inbox: Any, post: Post, answer: Any) -> None:
    post.put("a", "b", "c", "d")
    post.bodies = {id: answer(500, b"", {}) for id in "abcd"}
    connector = inbox()
    with pytest.raises(Unknown, match="500"):
        connector.changes("Thing", watermark="", cursor="")
    assert len({call.path for call in connector.server.calls}) == 1 + 3, "three messages are tried, and not all"
    post.bodies.clear()
    assert len(walk(connector)) == 4


def ids_of(items: list[Any], kind: type) -> list[str]:
    return [item.id for item in items if isinstance(item, kind)]


def test_a_message_too_long_to_be_read_stays_in_the_inbox_and_the_rest_goes_on(
    profile: Any, inbox: Any, post: Post, answer: Any
) -> None:
    post.put("a", "b")
    post.bodies["a"] = answer(200, b'"' + b"x" * 30_000_000 + b'"', JSON)
    items = walk(inbox())
    assert [(item.id, type(item)) for item in items] == [("a", UnreadableItem), ("b", Item)]
    assert post.acknowledged == ["b"]


def test_a_message_that_went_meanwhile_is_passed_over(inbox: Any, post: Post, answer: Any) -> None:
    post.put("a", "b")
    post.bodies["a"] = answer(404, b'{"code": "gone"}', JSON)
    assert [item.id for item in walk(inbox())] == ["b"]
    assert post.acknowledged == ["b"]


def test_another_message_than_was_asked_for_is_told(inbox: Any, post: Post) -> None:
    post.put("a")
    post.things["a"] = {"id": "z", "at": AT}
    (item,) = walk(inbox())
    assert isinstance(item, UnreadableItem)
    assert "another record" in item.reason


def test_a_message_may_carry_a_record_with_an_id_of_its_own(inbox: Any, post: Post) -> None:
    post.things["m1"] = {"id": "z", "at": AT}
    assert [item.id for item in walk(inbox(same_id=False))] == ["z"]
    assert post.acknowledged == ["m1"]


def test_a_list_of_whole_records_is_read_from_the_list(inbox: Any, post: Post) -> None:
    post.put("a", "b")
    post.whole = True
    connector = inbox(message=None, id="id")
    assert [item.id for item in walk(connector)] == ["a", "b"]
    assert post.acknowledged == ["a", "b"]
    assert not [call for call in connector.server.calls if call.method == "GET" and call.path != "/inbox"]


def test_a_page_is_as_small_as_is_asked(inbox: Any, post: Post) -> None:
    post.put("a", "b", "c")
    page = inbox().changes("Thing", watermark="", cursor="", limit=1)
    assert [item.id for item in page.items] == ["a"]


@pytest.mark.parametrize("listed", [b'{"messages": [{"x": 1}]}', b'{"messages": 7}', b'{"messages": [""]}', b"{"])
def test_a_list_that_cannot_be_read_is_told_with_its_bytes(
    profile: Any, connect: Any, small: Any, answer: Any, listed: bytes
) -> None:
    feed = {"feed": "inbox", "path": "/inbox", "items": "messages[]", "message": "/inbox/{id}"}
    profile["records"]["Thing"]["changes"] = {**feed, "acknowledge": {"path": "/inbox/{id}/read"}}
    connector = connect(small(lambda _: answer(200, listed, JSON)).url, profile)
    with pytest.raises(PageUnreadable) as told:
        connector.changes("Thing", watermark="")
    assert told.value.reply == listed
    assert connector.skip("Thing", watermark="", cursor="") is None


def test_a_kept_place_of_another_feed_is_refused(inbox: Any) -> None:
    with pytest.raises(Misconfigured, match="start the walk anew"):
        inbox().changes("Thing", watermark="", cursor="[1]")


def test_an_inbox_without_any_way_to_name_a_message_is_refused(inbox: Any) -> None:
    with pytest.raises(ProfileFaults, match="write id"):
        inbox(message=None)


def test_doctor_reads_one_message_and_acknowledges_none(inbox: Any, post: Post) -> None:
    post.put("a", "b")
    assert all(finding.well for finding in inbox().doctor())
    assert (post.acknowledged, len(post.things)) == ([], 2)
