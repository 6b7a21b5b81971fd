"""A queue's answer that is longer than it may be, packed or not: bounded, named, and not thrown away."""

from __future__ import annotations

import gzip
import json
import resource
from datetime import timedelta
from typing import Any

import pytest

from connectors.errors import Unknown
from connectors.http import ReplyTooLarge
from connectors.port import UnreadableItem
from tests.connectors.rest.test_rest_queue import (
    AT,
    JSON,
    LOOK,
    Clock,
    Desk,
    desk,
    hands,
    ids,
    keys,
    queue,
    spool,
    walk,
)

__all__ = ["desk", "hands", "keys", "queue", "spool"]  # fixtures
PACKED = {**JSON, "Content-Encoding": "gzip"}


def events(megabytes: int) -> bytes:
    filler = "x" * 999_000
    return json.dumps({"events": [{"id": f"e{n}", "at": AT, "note": filler} for n in range(megabytes)]}).encode()


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KB


@pytest.mark.parametrize("packed", [False, True])
def test_an_answer_that_is_too_long_is_read_so_far_and_its_part_is_kept(
    queue: Any, desk: Desk, hands: Clock, packed: bool
) -> None:
    body = events(4)
    desk.replies = [desk.answer(200, gzip.compress(body) if packed else body, PACKED if packed else JSON)]
    with pytest.raises(ReplyTooLarge, match=r"most_megabytes \(2\)") as caught:
        queue(most_megabytes=2).changes("Thing", watermark="")
    assert isinstance(caught.value, Unknown)
    assert 0 < len(caught.value.reply) <= 2_000_000
    assert "xxx" not in str(caught.value)
    hands.now += timedelta(minutes=5)
    (item,) = walk(queue(most_megabytes=2))
    assert isinstance(item, UnreadableItem)
    assert body.startswith(item.raw)
    assert "most_megabytes (2)" in item.reason


def test_what_was_not_read_is_looked_up_where_the_profile_names_a_list(queue: Any, desk: Desk, hands: Clock) -> None:
    desk.happens("a")
    desk.events = []
    desk.replies = [desk.answer(200, events(2), JSON)]
    with pytest.raises(ReplyTooLarge):
        queue(lost=LOOK, most_megabytes=1).changes("Thing", watermark="")
    hands.now += timedelta(minutes=5)
    items = walk(queue(lost=LOOK, most_megabytes=1))
    assert isinstance(items[0], UnreadableItem)
    assert ids(items)[1] == "a"


def test_a_bomb_costs_no_more_memory_than_it_may_hold(queue: Any, desk: Desk) -> None:
    desk.replies = [desk.answer(200, gzip.compress(b" " * 120_000_000, 1), PACKED)]
    before = peak()
    with pytest.raises(ReplyTooLarge):
        queue(most_megabytes=4).changes("Thing", watermark="")
    assert peak() - before < 60_000, "megabytes, and not hundreds of them"
