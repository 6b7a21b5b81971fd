"""Walks through the pretend case system: everything once, from any place, past records that cannot be read."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from connectors import errors
from connectors.port import Connector, Item, UnreadableItem

KIND = "Referral"
Open = Callable[..., Connector]
Everything = Callable[..., tuple[list[Any], str, int]]


@pytest.mark.parametrize("limit", [None, 1, 3, 7])
def test_a_walk_shows_everything_once(
    connect: Open, limit: int | None, new: dict[str, Any], everything: Everything
) -> None:
    casework = connect(of=10)
    keys = {casework.deliver(KIND, new, key=f"k{n}").id for n in range(23)}
    found, watermark, pages = everything(casework, limit=limit)
    assert [item.id for item in found] == sorted(item.id for item in found) or len(found) == 23
    assert {item.id for item in found} == keys
    assert len(found) == 23
    assert pages == {None: 3, 1: 23, 3: 12, 7: 5}[limit]
    assert watermark == max(item.modified for item in found).isoformat(timespec="microseconds")


def test_the_next_walk_starts_behind_the_newest_stamp_by_the_overlap(
    connect: Open, new: dict[str, Any], everything: Everything
) -> None:
    casework = connect()
    casework.deliver(KIND, new, key="a")
    _, watermark, _ = everything(casework)
    again, same, _ = everything(casework, watermark)
    assert [item.our_key for item in again] == ["a"], "what is younger than the overlap is shown again"
    assert same == watermark
    casework.deliver(KIND, new, key="b")
    found, later, _ = everything(casework, watermark)
    assert {item.our_key for item in found} == {"a", "b"}
    assert later >= watermark


def test_a_cursor_is_good_in_another_process(connect: Open, new: dict[str, Any]) -> None:
    first = connect(of=2)
    for n in range(5):
        first.deliver(KIND, new, key=f"k{n}")
    page = first.changes(KIND, watermark="")
    first.close()
    other = connect(of=2)
    rest = other.changes(KIND, watermark="", cursor=page.cursor)
    assert {item.our_key for item in [*page.items, *rest.items] if isinstance(item, Item)} == {"k0", "k1", "k2", "k3"}
    with pytest.raises(errors.Misconfigured, match="kept place"):
        other.changes(KIND, watermark="", cursor="{}")
    with pytest.raises(errors.Misconfigured, match="watermark"):
        other.changes(KIND, watermark="yesterday")


def test_one_bad_record_costs_its_neighbours_nothing(
    connect: Open, council: Any, new: dict[str, Any], everything: Everything
) -> None:
    casework = connect()
    for n in range(3):
        casework.deliver(KIND, new, key=f"k{n}")
    bad = council.type_in("casework", stored(council, "k1", DOB="31/12/1950"), unchecked=True)
    found, watermark, _ = everything(casework)
    unreadable = [item for item in found if isinstance(item, UnreadableItem)]
    assert len(found) == 4
    assert [item.id for item in unreadable] == [bad["ReferralId"]]
    assert unreadable[0].reason == "Subject/DOB is not a valid LocalDate"
    assert unreadable[0].modified is not None
    assert b"31/12/1950" in unreadable[0].raw
    assert "1950" not in repr(unreadable)
    assert watermark


def stored(council: Any, key: str, **subject: str) -> dict[str, Any]:
    """A record as the system keeps it, with something wrong in it."""
    record = copy.deepcopy(next(one for one in council.records("casework") if one["ClientReference"] == key))
    record["ClientReference"] = "bad"
    record["Subject"].update(subject)
    return record


@pytest.mark.parametrize("fault", ["repeated_page", "endless_page"])
def test_pages_that_come_again_or_never_end(
    connect: Open, council: Any, fault: str, new: dict[str, Any], everything: Everything
) -> None:
    casework = connect(of=2)
    for n in range(7):
        casework.deliver(KIND, new, key=f"k{n}")
    council.faults("casework", **{fault: {}})
    with pytest.raises(errors.Unknown, match=r"shows a page again|endless"):
        everything(casework)
    council.well("casework")
    found, _, _ = everything(casework)
    assert len(found) == 7


def test_a_broken_record_and_a_huge_one_on_the_wire(connect: Open, council: Any, new: dict[str, Any]) -> None:
    casework = connect(of=10, max_reply_bytes=200_000)
    for n in range(3):
        casework.deliver(KIND, new, key=f"k{n}")
    council.faults("casework", huge_record={"bytes": 400_000})
    with pytest.raises(errors.PageUnreadable, match="max_reply_bytes"):
        casework.changes(KIND, watermark="")
    council.well("casework")
    council.faults("casework", broken_record={})
    try:
        page = casework.changes(KIND, watermark="")
    except errors.PageUnreadable as problem:
        assert problem.reply
        assert casework.skip(KIND, watermark="", cursor="") is not None
    else:
        assert sum(isinstance(item, UnreadableItem) for item in page.items) == 1
        assert len(page.items) == 3


def test_stepping_over_one_record(connect: Open, new: dict[str, Any], everything: Everything) -> None:
    casework = connect(of=10)
    for n in range(12):
        casework.deliver(KIND, new, key=f"k{n}")
    all_of_them, _, _ = everything(casework)
    cursor = casework.skip(KIND, watermark="", cursor="")
    assert cursor is not None
    rest: list[str] = []
    while cursor:
        page = casework.changes(KIND, watermark="", cursor=cursor)
        rest += [item.id for item in page.items]
        cursor = page.cursor
    assert rest == [item.id for item in all_of_them][1:]
