"""A system that tells no changes: what we hold links to is read again in turn, so many a run, from a durable place."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from connectors.errors import Misconfigured, Unknown
from connectors.port import Item, UnreadableItem
from connectors.problems import ProfileFaults
from connectors.registry import open_connector
from tests.connectors.rest.conftest import OPENAPI

JSON = {"Content-Type": "application/json"}


class Town:
    """A system of things that shows one at a time, and the ledger's list of those that are linked."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.links = [f"t{number:02}" for number in range(10)]
        self.bodies: dict[str, Any] = {}

    def __call__(self, call: Any) -> Any:
        id = call.path.removeprefix("/things/")
        if id in self.bodies:
            return self.bodies[id]
        if id not in self.links:
            return self.answer(404, b'{"code": "gone"}', JSON)
        return self.answer(200, json.dumps({"id": id, "at": "2026-03-02T09:00:00Z"}).encode(), JSON)

    def known(self, kind: str, behind: str, most: int) -> Sequence[str]:
        assert kind == "Thing"
        return sorted(id for id in self.links if id > behind)[:most]


@pytest.fixture
def town(answer: Any) -> Town:
    return Town(answer)


@pytest.fixture
def reading(profile: dict[str, Any], small: Any, town: Town, clock: Any) -> Any:
    """Connects to the town."""
    made: list[Any] = []

    def start(*, known: bool = True, coded: bool = True, timeout: float = 5, **feed: int) -> Any:
        thing = profile["records"]["Thing"]
        thing["changes"] = {"feed": "known-ids", **feed}
        if not coded:
            del thing["fault"]
        server = small(town)
        one = open_connector(
            profile,
            {"url": server.url, "timeout_seconds": timeout},
            interfaces=lambda _: json.dumps(OPENAPI).encode(),
            clock=clock,
            secret=lambda _: "",
            known=town.known if known else None,
        )
        one._sleep = lambda _: None  # type: ignore[attr-defined]
        one.server = server  # type: ignore[attr-defined]
        made.append(one)
        return one

    yield start
    for one in made:
        one.close()


def walk(connector: Any, watermark: str = "") -> tuple[list[Any], str]:
    items: list[Any] = []
    cursor = ""
    for _ in range(100):
        page = connector.changes("Thing", watermark=watermark, cursor=cursor)
        items += page.items
        cursor = page.cursor
        if not cursor:
            return items, page.watermark
    raise AssertionError("the walk does not end")


def ids(items: list[Any]) -> list[str]:
    return [item.id for item in items]


@pytest.mark.parametrize("of", [1, 3, 5, 10, 50])
def test_the_first_run_reads_all_and_the_next_ones_so_many_each_in_turn(reading: Any, town: Town, of: int) -> None:
    connector = reading(of=of, a_run=4)
    items, watermark = walk(connector)
    assert ids(items) == town.links
    shown = []
    for _ in range(4):
        items, watermark = walk(reading(of=of, a_run=4), watermark)
        shown.append(ids(items))
    assert shown == [town.links[:4], town.links[4:8], town.links[8:], town.links[:4]]


def test_a_run_goes_on_in_a_new_process_at_its_place(reading: Any, town: Town) -> None:
    page = reading(of=2, a_run=5).changes("Thing", watermark='[""]')
    town.links.insert(0, "a-new-one")  # linked meanwhile, in front of the place: the next round has it
    page = reading(of=2, a_run=5).changes("Thing", watermark='[""]', cursor=page.cursor)
    assert ids(page.items) == ["t02", "t03"]
    page = reading(of=2, a_run=5).changes("Thing", watermark='[""]', cursor=page.cursor, limit=1)
    assert (ids(page.items), page.cursor, page.watermark) == (["t04"], "", '["t04"]')


def test_a_back_fill_and_a_comparison_read_all(reading: Any, town: Town) -> None:
    assert ids(walk(reading(a_run=2), "2026-03-01T00:00:00+00:00")[0]) == town.links


def test_nothing_is_linked_yet(reading: Any, town: Town) -> None:
    town.links = []
    connector = reading()
    assert walk(connector) == ([], '[""]')
    assert not connector.server.calls


def test_one_that_is_gone_is_passed_over_only_where_the_system_itself_says_so(reading: Any, town: Town) -> None:
    town.bodies["t03"] = town.answer(404, b'{"code": "gone"}', JSON)
    items, _ = walk(reading())
    assert ids(items) == [id for id in town.links if id != "t03"]
    items, _ = walk(reading(coded=False))
    [bad] = [item for item in items if isinstance(item, UnreadableItem)]
    assert (bad.id, bad.reason) == ("t03", "Thing is linked and is not there any more: was it deleted?")


def test_a_bad_one_touches_no_neighbour(reading: Any, town: Town) -> None:
    town.bodies["t02"] = town.answer(200, b'{"id": "t02"}', JSON)
    town.bodies["t04"] = town.answer(200, b'{"id": "t05", "at": "2026-03-02T09:00:00Z"}', JSON)
    items, _ = walk(reading())
    assert ids(items) == town.links
    assert [item.id for item in items if not isinstance(item, Item)] == ["t02", "t04"]


def test_a_system_that_is_down_is_waited_for_at_the_same_place(reading: Any, town: Town) -> None:
    town.bodies["t03"] = town.answer(500, b"", JSON)
    connector = reading(of=10)
    page = connector.changes("Thing", watermark='["t00"]')
    assert ids(page.items) == ["t01", "t02"]
    with pytest.raises(Unknown):
        connector.changes("Thing", watermark='["t00"]', cursor=page.cursor)
    del town.bodies["t03"]
    page = connector.changes("Thing", watermark='["t00"]', cursor=page.cursor)
    assert ids(page.items)[0] == "t03"


def test_a_page_is_as_long_as_the_calls_time_lasts(reading: Any, town: Town, answer: Any) -> None:
    body = json.dumps({"id": "t00", "at": "2026-03-02T09:00:00Z"}).encode()
    town.bodies["t00"] = answer(200, body, JSON, pause=0.015)
    page = reading(timeout=1).changes("Thing", watermark="")
    assert ids(page.items) == ["t00"]
    assert page.cursor


def test_without_a_ledger_nothing_is_read_and_the_doctor_still_looks(reading: Any, town: Town) -> None:
    with pytest.raises(Misconfigured, match="no ledger was handed in"):
        reading(known=False).changes("Thing", watermark="")
    assert all(finding.well for finding in reading().doctor())


@pytest.mark.parametrize(("watermark", "cursor"), [("[", ""), ("[1, 2]", ""), ("", "{"), ("", '["a"]')])
def test_a_place_that_is_not_ours_is_refused(reading: Any, watermark: str, cursor: str) -> None:
    with pytest.raises(Misconfigured, match="start the walk from its watermark"):
        reading().changes("Thing", watermark=watermark, cursor=cursor)


def test_it_needs_a_way_to_read_one(reading: Any, profile: dict[str, Any]) -> None:
    for name in ("fetch", "update"):
        del profile["records"]["Thing"][name]
    with pytest.raises(ProfileFaults, match="a known-ids feed needs fetch"):
        reading()


