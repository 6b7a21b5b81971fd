"""A feed that names the place from which to ask the next time: all once, then what changed, and all when it forgets."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from connectors.errors import PageUnreadable, Rejected
from connectors.port import UnreadableItem
from tests.connectors.rest.delta_town import AT, JSON, LINK, STYLES, Town, shown, walk


@STYLES
@pytest.mark.parametrize("number", [0, 1, 3, 4, 10])
def test_all_is_read_once_and_then_what_changed(connected: Any, town: Town, style: Any, number: int) -> None:
    town.put(*(f"t{at}" for at in range(number)))
    connector = connected(style)
    items, watermark, notes = walk(connector)
    assert (len(items), shown(items), notes) == (number, dict.fromkeys(town.things, 1), [])
    assert walk(connector, watermark)[0] == []
    town.put("t0", "new")
    items, later, _ = walk(connector, watermark)
    assert shown(items) == {"t0": 2 if number else 1, "new": 1}
    again, same, _ = walk(connector, watermark)
    assert (shown(again), same) == (shown(items), later), "what was not committed is shown as often as it is asked for"
    assert walk(connector, later)[0] == []


def test_only_a_reading_of_everything_asks_to_have_changes_tracked(connected: Any, town: Town) -> None:
    town.put("a", "b", "c", "d")
    connector = connected(LINK)
    _, watermark, _ = walk(connector)
    assert town.prefer == ["odata.track-changes, odata.maxpagesize=3"] * 2
    connector.changes("Thing", watermark=watermark, limit=1)
    assert town.prefer[2:] == ["odata.maxpagesize=1"]


@STYLES
def test_what_is_gone_is_told_and_can_be_read_again_from_its_bytes(connected: Any, town: Town, style: Any) -> None:
    town.put("a", "b")
    connector = connected(style)
    _, watermark, _ = walk(connector)
    town.delete("a")
    town.put("x")
    town.delete("x")  # made and deleted between two walks
    items, _, _ = walk(connector, watermark)
    assert {(item.id, item.deleted) for item in items} == {("a", True), ("x", True)}
    for item in items:
        kept = connector.parse("Thing", item.raw, id=item.id)
        assert (kept.id, kept.deleted, kept.raw) == (item.id, True, item.raw)


def test_a_record_taken_out_of_sight_is_not_taken_for_deleted(connected: Any, answer: Any) -> None:
    style = {**LINK, "removed": {"mark": "@removed", "reason": "@removed/reason"}}
    body = {"things": [{"id": "a", "@removed": {"reason": "changed"}}, {"@removed": {"reason": "deleted"}},
                       {"id": "b", "@removed": {"reason": "deleted"}}, {"id": "c", "@removed": None, "at": AT}],
            "@odata.deltaLink": "/api/things?d=1"}  # fmt: skip
    moved, nameless, gone, there = walk(connected(style, lambda _: answer(200, json.dumps(body).encode(), JSON)))[0]
    assert isinstance(moved, UnreadableItem)
    assert "not because it was deleted" in moved.reason
    assert isinstance(nameless, UnreadableItem)
    assert (gone.id, gone.deleted, there.id, there.deleted) == ("b", True, "c", False)


@STYLES
@pytest.mark.parametrize(
    ("refusal", "expired"), [((410, b"{}"), ["410"]), ((400, b'{"code": "0x80044352"}'), ["0x80044352"])]
)
def test_a_forgotten_place_leads_to_everything_and_says_so(
    connected: Any, town: Town, style: Any, refusal: Any, expired: list[str]
) -> None:
    town.put("a", "b", "c", "d", "e")
    connector = connected(style, expired=expired)
    _, watermark, _ = walk(connector)
    town.put("b", "new")
    town.delete("c")
    town.forgotten, town.refusal = town.number, refusal
    items, later, notes = walk(connector, watermark)
    assert shown(items) == {"a": 1, "b": 2, "d": 1, "e": 1, "new": 1}
    assert len(items) == 5, "and nothing twice"
    assert len(notes) == 1
    assert "dolen reconcile" in notes[0]
    town.put("a")
    assert shown(walk(connector, later)[0]) == {"a": 2}


def test_another_refusal_is_not_taken_for_a_forgotten_place(connected: Any, town: Town) -> None:
    town.put("a")
    connector = connected(LINK)
    _, watermark, _ = walk(connector)
    town.forgotten, town.refusal = 9, (400, b'{"code": "bad"}')
    with pytest.raises(Rejected):
        walk(connector, watermark)


@STYLES
def test_a_page_forgotten_in_mid_walk_begins_the_walk_again(connected: Any, town: Town, style: Any) -> None:
    town.put(*(f"t{at}" for at in range(8)))
    connector = connected(style)
    _, watermark, _ = walk(connector)
    town.put(*(f"t{at}" for at in range(5)))
    forget = iter([True])

    def between() -> None:
        town.pages_forgotten = next(forget, False)

    def served(call: Any) -> Any:
        given = town(call)
        town.pages_forgotten = False
        return given

    connector.server.answer = served
    items, _, notes = walk(connector, watermark, between)
    assert shown(items) == {f"t{at}": 2 for at in range(5)}
    assert notes == []


def test_pages_that_are_forgotten_for_ever_end_the_walk(connected: Any, town: Town) -> None:
    town.put(*(f"t{at}" for at in range(8)))
    town.pages_forgotten = True
    with pytest.raises(PageUnreadable, match="forgets its pages"):
        walk(connected(LINK))


@STYLES
def test_a_system_that_changes_and_forgets_all_the_while_is_read_whole(
    connected: Any, town: Town, style: Any, seed: int
) -> None:
    chance = random.Random(seed)
    connector = connected(style)
    held: dict[str, int] = {}
    watermark = ""

    def change() -> None:
        for _ in range(chance.randrange(4)):
            id = f"t{chance.randrange(12)}"
            if chance.random() < 0.2 and id in town.things:
                town.delete(id)
            else:
                town.put(id)

    for turn in range(25):
        change()
        if turn % 7 == 5:
            town.forgotten = town.number
        items, watermark, _ = walk(connector, watermark, change)
        for item in items:
            held[item.id] = -1 if item.deleted else max(item.record["version"], held.get(item.id, -1))
    town.forgotten = -1
    for item in walk(connector, watermark)[0]:
        held[item.id] = -1 if item.deleted else item.record["version"]
    assert {id: held.get(id) for id in town.things} == {id: version for id, (_, version) in town.things.items()}
