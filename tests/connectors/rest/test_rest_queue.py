"""A queue that a read empties: what was read once is on our disk, sealed, until it is written down for certain."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.errors import ConnectorError, Misconfigured, PageUnreadable, Unknown, Unreachable
from connectors.port import Item, UnreadableItem
from connectors.problems import ProfileFaults
from connectors.registry import open_connector
from connectors.spool import SpoolFault
from pipelines.keystore import KeyStore
from pipelines.spool import FolderSpool

JSON = {"Content-Type": "application/json"}
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
AT = START.isoformat()


class Desk:
    """A system whose events are gone once they were read."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.events: list[Any] = []
        self.things: dict[str, Any] = {}
        self.replies: list[Any] = []  # what is answered first, in place of the events
        self.eaten = 0  # events that were taken by answers that never came whole
        self.minute = 0.0
        self.empty: Any = {"events": []}
        self.asked_since: list[str] = []

    def __call__(self, call: Any) -> Any:
        split = urlsplit(call.path)
        headers = {**JSON, "Date": format_datetime(START + timedelta(minutes=self.minute), usegmt=True)}
        if split.path == "/things":
            self.asked_since.append(parse_qs(split.query).get("since", [""])[0])
            return self.answer(200, json.dumps({"things": list(self.things.values())}).encode(), headers)
        if split.path != "/events":
            found = self.things.get(split.path.rsplit("/", 1)[1])
            return self.answer(200 if found else 404, json.dumps(found or {"code": "gone"}).encode(), headers)
        if self.replies:
            reply = self.replies.pop(0)
            if callable(reply):
                return reply(self)
            return reply
        events, self.events = self.events, []
        return self.answer(200, json.dumps({"events": events} if events else self.empty).encode(), headers)

    def happens(self, *ids: str) -> None:
        for id in ids:
            self.things[id] = {"id": id, "at": AT}
            self.events.append(self.things[id])

    def lose(self) -> Any:
        """An answer that takes the events and never comes."""
        self.eaten += len(self.events)
        self.events = []
        return self.answer(raw=b"")


@pytest.fixture
def desk(answer: Any) -> Desk:
    return Desk(answer)


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def hands() -> Clock:
    return Clock()


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[KeyStore]:
    store = KeyStore(f"sqlite:///{tmp_path / 'keys.db'}", bytes(range(32)))
    yield store
    store.close()


@pytest.fixture
def spool(tmp_path: Path, keys: KeyStore) -> FolderSpool:
    return FolderSpool(tmp_path / "data" / "spool", keys, "torfaen", "events", alone=True)


@pytest.fixture
def queue(
    profile: Any, openapi: Any, small: Any, desk: Desk, spool: FolderSpool, hands: Clock
) -> Iterator[Callable[..., Any]]:
    """Connects to the queue, as each new process does."""
    made: list[Any] = []
    server = small(desk)

    def start(*, place: Any = spool, **more: Any) -> Any:
        thing = profile["records"]["Thing"]
        thing["item"] = {"id": "id"}
        feed = {"feed": "queue", "path": "/events", "items": "events[]", "of": 3, **more}
        thing["changes"] = {key: value for key, value in feed.items() if value is not None}
        connector: Any = open_connector(
            profile,
            {"url": server.url, "timeout_seconds": 2},
            interfaces=lambda _: json.dumps(openapi).encode(),
            clock=hands,
            secret=str,
            spool=place,
        )
        connector._sleep = lambda _: None
        connector.server = server
        made.append(connector)
        return connector

    yield start
    for connector in made:
        connector.close()


def kept(spool: FolderSpool) -> list[str]:
    return [name.split("-")[2] for name in spool.names("queue-")]


def walk(connector: Any, cursor: str = "", between: Callable[[Any], None] = lambda _: None) -> list[Any]:
    items: list[Any] = []
    for _ in range(50):
        page = connector.changes("Thing", watermark="", cursor=cursor)
        between(page)
        items += page.items
        cursor = page.cursor
        if not cursor:
            return items
    raise AssertionError("the walk does not end")


def ids(items: list[Any]) -> list[str]:
    return [item.id for item in items]


@pytest.mark.parametrize("number", [0, 1, 3, 7])
def test_all_events_are_read_in_order_and_nothing_stays_on_the_disk(
    queue: Any, desk: Desk, spool: FolderSpool, number: int
) -> None:
    desk.happens(*(f"t{at}" for at in range(number)))
    sizes: list[int] = []
    items = walk(queue(), between=lambda page: sizes.append(len(page.items)))
    assert ids(items) == [f"t{at}" for at in range(number)]
    assert max(sizes) <= 3
    assert [name for name in kept(spool) if name != "last"] == []


def test_an_answer_outlives_a_process_that_wrote_nothing_down(queue: Any, desk: Desk, spool: FolderSpool) -> None:
    desk.happens("a", "b")
    queue().changes("Thing", watermark="")
    assert desk.events == []
    assert ids(walk(queue())) == ["a", "b"]


def test_an_answer_is_not_shown_again_once_its_page_was_written_down(queue: Any, desk: Desk) -> None:
    desk.happens("a", "b")
    page = queue().changes("Thing", watermark="")
    desk.happens("c")
    assert ids(walk(queue(), page.cursor)) == ["c"]


def test_a_walk_goes_on_in_the_middle_of_an_answer(queue: Any, desk: Desk) -> None:
    desk.happens(*"abcdefg")
    page = queue().changes("Thing", watermark="")
    assert ids(page.items) == ["a", "b", "c"]
    assert ids(walk(queue(), page.cursor)) == ["d", "e", "f", "g"]
    assert ids(walk(queue())) == []


def test_the_oldest_answer_is_handed_on_first_and_the_queue_is_left_alone_meanwhile(queue: Any, desk: Desk) -> None:
    desk.happens("a")
    queue().changes("Thing", watermark="")
    desk.happens("b")
    page = queue().changes("Thing", watermark="")
    assert ids(page.items) == ["a"]
    assert len(desk.events) == 1
    assert ids(walk(queue(), page.cursor)) == ["b"]


def test_what_rests_on_the_disk_is_sealed_and_is_nobody_elses(
    queue: Any, desk: Desk, spool: FolderSpool, tmp_path: Path, keys: KeyStore
) -> None:
    desk.happens("Gwenllian")
    queue().changes("Thing", watermark="")
    files = [path for path in (tmp_path / "data" / "spool").rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert b"Gwenllian" not in path.read_bytes()
        if os.name != "nt":
            assert path.stat().st_mode & 0o077 == 0
    name = spool.names("queue-")[0]
    other = FolderSpool(tmp_path / "data" / "spool", keys, "torfaen", "other", alone=True)
    other.keep(name, b"x")
    (tmp_path / "data/spool/torfaen/other" / name).write_bytes(
        (tmp_path / "data/spool/torfaen/events" / name).read_bytes()
    )
    with pytest.raises(SpoolFault, match="cannot be opened"):
        other.read(name)


def test_an_answer_is_on_the_disk_before_it_is_looked_into(queue: Any, desk: Desk, spool: FolderSpool) -> None:
    desk.replies = [desk.answer(200, b'{"events": [{"id": "a", "at', JSON)]
    connector = queue()
    with pytest.raises(PageUnreadable) as told:
        connector.changes("Thing", watermark="")
    assert told.value.reply == b'{"events": [{"id": "a", "at'
    with pytest.raises(PageUnreadable):
        queue().changes("Thing", watermark="", limit=1)  # another process
    behind = connector.skip("Thing", watermark="", cursor="")
    desk.happens("b")
    assert ids(walk(connector, behind)) == ["b"]


def test_one_bad_event_costs_no_other(queue: Any, desk: Desk) -> None:
    desk.happens("a")
    desk.events += [{"id": 7, "at": AT}, "nothing"]
    desk.happens("b")
    items = walk(queue())
    assert [type(item) for item in items] == [Item, UnreadableItem, UnreadableItem, Item]


def test_an_answer_that_never_came_is_told_once_and_not_while_the_system_is_down(
    queue: Any, desk: Desk, spool: FolderSpool, hands: Clock
) -> None:
    desk.happens("a", "b")
    desk.replies = [Desk.lose, Desk.lose, Desk.lose]
    for _ in range(3):
        with pytest.raises(Unknown):
            queue().changes("Thing", watermark="")
        hands.now += timedelta(minutes=5)
    desk.happens("c")
    items = walk(queue())
    assert [item.reason for item in items if isinstance(item, UnreadableItem)] == [
        "Thing: an answer of the queue was lost on its way between 2026-03-02 09:00:00 UTC and 2026-03-02 09:10:00 "
        "UTC, and what it held is gone there: compare with the system what changed until then"
    ]
    assert [item.id for item in items if isinstance(item, Item)] == ["c"]
    assert walk(queue()) == []
    assert [name for name in kept(spool) if name != "last"] == []


LOOK = {"path": "/things", "since": "since", "items": "things[]", "overlap": "PT5M"}


def test_an_answer_that_never_came_is_looked_up_where_the_profile_names_a_list(
    queue: Any, desk: Desk, hands: Clock
) -> None:
    assert walk(queue(lost=LOOK)) == []  # the last answer that came is of 9:00
    desk.minute = 30
    desk.happens("a", "b")
    desk.replies = [Desk.lose]
    with pytest.raises(Unknown):
        queue(lost=LOOK).changes("Thing", watermark="")
    hands.now += timedelta(minutes=5)
    desk.minute = 35
    desk.happens("c")
    assert ids(walk(queue(lost=LOOK))) == ["c", "a", "b", "c"]
    assert desk.asked_since == ["2026-03-02T08:55:00Z"]
    assert walk(queue(lost=LOOK)) == []
    assert len(desk.asked_since) == 1


def test_a_look_that_fails_is_tried_again_until_it_is_done(queue: Any, desk: Desk, hands: Clock) -> None:
    desk.happens("a")
    desk.replies = [Desk.lose]
    with pytest.raises(Unknown):
        queue().changes("Thing", watermark="")
    hands.now += timedelta(minutes=5)
    with pytest.raises(ConnectorError, match="no such path"):
        walk(queue(lost={**LOOK, "path": "/nowhere/things"}))
    desk.happens("c")
    items: list[Any] = []
    with pytest.raises(ConnectorError, match="no such path"):
        walk(queue(lost={**LOOK, "path": "/nowhere/things"}), between=lambda page: items.extend(page.items))
    assert ids(items) == ["c"], "what has come is handed on all the same"
    assert "a" in ids(walk(queue(lost=LOOK)))


def test_the_part_of_an_answer_that_came_is_kept_for_a_person(queue: Any, desk: Desk, hands: Clock) -> None:
    part = b'{"events": [{"id": "a", "at": "' + AT.encode() + b'"},'
    desk.replies = [desk.answer(200, part, JSON, length=5000)]
    with pytest.raises(Unknown):
        queue().changes("Thing", watermark="")
    hands.now += timedelta(minutes=5)
    (item,) = walk(queue())
    assert isinstance(item, UnreadableItem)
    assert item.raw == part
    assert "broke off" in item.reason


def test_a_part_that_came_is_looked_up_too(queue: Any, desk: Desk, hands: Clock) -> None:
    desk.happens("a")
    desk.events = []
    desk.replies = [desk.answer(200, b'{"events": [{"id": "a"', JSON, length=5000)]
    with pytest.raises(Unknown):
        queue(lost=LOOK).changes("Thing", watermark="")
    hands.now += timedelta(minutes=5)
    items = walk(queue(lost=LOOK))
    assert [type(item) for item in items] == [UnreadableItem, Item]
    assert ids(items)[1] == "a"


def test_an_ask_that_is_still_on_its_way_elsewhere_is_not_taken_for_lost(queue: Any, desk: Desk, hands: Clock) -> None:
    desk.replies = [Desk.lose]
    with pytest.raises(Unknown):
        queue().changes("Thing", watermark="")
    hands.now += timedelta(seconds=3)  # of the four in which its answer may come
    assert walk(queue()) == []
    hands.now += timedelta(seconds=3)
    assert len(walk(queue())) == 1


@pytest.mark.parametrize(
    ("status", "lost"), [(400, False), (401, False), (404, False), (429, False), (503, False), (500, True), (502, True)]
)
def test_a_refusal_took_nothing_and_a_failure_may_have(
    queue: Any, desk: Desk, hands: Clock, status: int, lost: bool
) -> None:
    desk.replies = [desk.answer(status, b'{"code": "x"}', JSON)]
    with pytest.raises(ConnectorError):
        queue().changes("Thing", watermark="")
    hands.now += timedelta(minutes=5)
    assert len(walk(queue())) == int(lost)


def test_a_page_of_something_else_may_have_come_in_place_of_an_answer(queue: Any, desk: Desk, hands: Clock) -> None:
    desk.replies = [desk.answer(200, b"<html>sign in</html>", {"Content-Type": "text/html"})]
    with pytest.raises(Unknown, match="text/html"):
        queue().changes("Thing", watermark="")
    hands.now += timedelta(minutes=5)
    assert ["was lost on its way" in told.reason for told in walk(queue())] == [True]


def test_an_empty_queue_may_say_so_in_words_or_not_at_all(queue: Any, desk: Desk, spool: FolderSpool) -> None:
    desk.empty = {"message": "No Events Found"}
    assert walk(queue(empty={"at": "message", "says": "No Events Found"})) == []
    desk.replies = [desk.answer(204, b"", {})]
    assert walk(queue(empty={"at": "message", "says": "No Events Found"})) == []
    desk.empty = {"message": "Fault"}
    with pytest.raises(PageUnreadable):
        walk(queue(empty={"at": "message", "says": "No Events Found"}))


def test_events_that_name_records_are_followed(queue: Any, desk: Desk) -> None:
    desk.things = {"t1": {"id": "t1", "at": AT}, "t2": {"id": "t2", "at": AT}}
    desk.events = [{"of": "t1"}, {"of": "t2"}, {"of": "t1"}, {"of": "gone"}, {"nothing": 1}]
    items = walk(queue(id="of"))
    assert [(type(item), item.id) for item in items] == [(Item, "t1"), (Item, "t2"), (UnreadableItem, "")]


def test_without_a_place_on_the_disk_nothing_is_asked(queue: Any, desk: Desk) -> None:
    desk.happens("a")
    connector = queue(place=None)
    with pytest.raises(Misconfigured, match="none was handed in"):
        connector.changes("Thing", watermark="")
    assert connector.server.calls == []


def test_a_disk_that_takes_nothing_stops_us_before_we_ask(
    queue: Any, desk: Desk, tmp_path: Path, keys: KeyStore
) -> None:
    blocked = tmp_path / "file"
    blocked.write_bytes(b"not a folder")
    desk.happens("a")
    connector = queue(place=FolderSpool(blocked, keys, "torfaen", "events", alone=True))
    with pytest.raises(Unreachable, match="spool of torfaen/events"):
        connector.changes("Thing", watermark="")
    assert len(desk.events) == 1


def test_doctor_takes_nothing(queue: Any, desk: Desk) -> None:
    desk.happens("a")
    findings = queue(probe="/things").doctor()
    assert all(finding.well for finding in findings)
    assert any("removed by the reading" in finding.words for finding in findings)
    assert len(desk.events) == 1
    queue().doctor()
    assert len(desk.events) == 1


def test_a_profile_whose_lists_differ_in_kind_is_refused(queue: Any) -> None:
    with pytest.raises(ProfileFaults, match="go together"):
        queue(id="of", lost={"path": "/things", "items": "things[]"})
