"""Rows of an extract: each once and in order, with equal stamps too, in any page size, from where a walk stopped."""

from __future__ import annotations

import random
import tracemalloc
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from connectors.errors import Misconfigured
from connectors.port import Item, UnreadableItem
from tests.connectors.sql.conftest import COLUMNS, Extract, Opened, ids, profile, walk

pytest_plugins = ["tests.on_servers"]

TEXT_TABLE = "CREATE TABLE referrals (id INTEGER PRIMARY KEY, surname TEXT, changed TEXT)"
WHOLE = profile(columns={"id": "integer", "surname": "text"}, item={"id": "id"}, changes={"feed": "whole", "of": 3})


def test_rows_come_in_the_order_of_their_change(extract: Extract, opened: Opened) -> None:
    extract.table()
    extract.put(3, "2026-03-01 09:30:00", "Bevan")
    extract.put(1, "2026-03-01 10:00:00", "Siôn")
    items, watermark = walk(opened())
    assert ids(items) == ["3", "1"]
    last = items[1]
    assert isinstance(last, Item)
    assert last.record == {"id": 1, "surname": "Siôn", "changed": "2026-03-01T10:00:00"}
    assert last.modified == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert watermark == "2026-03-01T10:00:00.000000+00:00"
    assert opened().parse("Referral", last.raw, id="1") == last
    assert opened().fetch("Referral", "1") == last
    assert opened().fetch("Referral", "2") is None
    assert opened().fetch("Referral", "one") is None


@pytest.mark.parametrize("of", [1, 4, 10])
def test_equal_stamps_are_read_once_each_in_pages_of_any_size(extract: Extract, opened: Opened, of: int) -> None:
    extract.table()
    for number in range(23):
        extract.put(number, "2026-03-01 09:30:00")
    told = profile(changes={"feed": "modified-since", "of": of})
    items, watermark = walk(opened(told))
    assert ids(items) == [str(number) for number in range(23)]
    assert ids(walk(opened(told), limit=3)[0]) == ids(items)
    # The next walk begins the overlap before, and shows them again: their content says that they are known.
    assert ids(walk(opened(told), watermark)[0]) == ids(items)
    extract.put(23, "2026-03-01 09:36:00")
    _, watermark = walk(opened(told), watermark)
    assert ids(walk(opened(told), watermark)[0]) == ["23"]


def test_a_walk_goes_on_in_a_new_process_at_its_place(extract: Extract, opened: Opened) -> None:
    extract.table()
    for number in range(10):
        extract.put(number, f"2026-03-01 09:{number:02}:00.25")
    page = opened().changes("Referral", watermark="")
    page = opened().changes("Referral", watermark="", cursor=page.cursor)
    assert ids(list(page.items)) == ["4", "5", "6", "7"]
    page = opened().changes("Referral", watermark="", cursor=page.cursor, limit=1)
    assert ids(list(page.items)) == ["8"]
    with pytest.raises(Misconfigured, match="start the walk from its watermark"):
        opened().changes("Referral", watermark="", cursor='["x"]')


def test_rows_without_a_stamp_are_read_at_the_end_of_each_walk(extract: Extract, opened: Opened) -> None:
    extract.table()
    for number in range(6):
        extract.put(number, None)
    extract.put(9, "2026-03-01 09:30:00")
    items, watermark = walk(opened())
    assert ids(items) == ["9", "0", "1", "2", "3", "4", "5"]
    assert ids(walk(opened(), watermark)[0]) == ids(items)
    left = profile(changes={"feed": "modified-since", "without_stamp": "leave"})
    assert ids(walk(opened(left))[0]) == ["9"]


def test_a_stamp_from_the_future_does_not_move_the_watermark(extract: Extract, opened: Opened) -> None:
    extract.table()
    extract.put(1, "2026-03-01 09:30:00")
    extract.put(2, "2099-01-01 00:00:00")
    items, watermark = walk(opened())
    assert ids(items) == ["1", "2"]
    assert watermark == "2026-03-01T09:30:00.000000+00:00"
    extract.say("DELETE FROM referrals")
    assert walk(opened(), watermark)[1] == watermark


def test_times_without_offset_are_read_by_the_profiles_clock(extract: Extract, opened: Opened) -> None:
    extract.table()
    extract.put(1, "2026-07-01 09:30:00")
    told = profile()
    items, watermark = walk(opened(told, now=datetime(2026, 8, 1, tzinfo=UTC)))
    assert items[0].modified == datetime(2026, 7, 1, 8, 30, tzinfo=UTC)
    extract.put(2, "2026-07-01 09:24:59")
    extract.put(3, "2026-07-01 09:25:00")
    assert ids(walk(opened(told), watermark)[0]) == ["3", "1"]


def test_no_change_of_the_hour_that_comes_twice_is_passed_over(extract: Extract, opened: Opened) -> None:
    # On 25 October 2026 the clock goes from 01:59:59 back to 01:00:00.
    extract.table()
    extract.put(1, "2026-10-25 01:58:00")  # for the first time
    night = datetime(2026, 10, 25, 3, tzinfo=UTC)
    _, watermark = walk(opened(now=night))
    extract.put(2, "2026-10-25 01:10:00")  # for the second time: later, and its stamp is earlier
    assert "2" in ids(walk(opened(now=night), watermark)[0])


def test_a_back_fill_begins_at_a_moment(extract: Extract, opened: Opened) -> None:
    extract.table()
    for day in range(1, 9):
        extract.put(day, f"2026-02-{day:02} 00:00:00")
    told = profile(changes={"feed": "modified-since", "overlap": "PT0S"})
    assert ids(walk(opened(told), "2026-02-06T00:00:00+00:00")[0]) == ["6", "7", "8"]
    with pytest.raises(Misconfigured, match="--from TIME"):
        opened().changes("Referral", watermark="6 February")


def test_a_whole_extract_is_read_by_its_ids(extract: Extract, opened: Opened) -> None:
    extract.table()
    for number in range(10):
        extract.put(number, None)
    items, watermark = walk(opened(WHOLE))
    assert (ids(items), watermark) == ([str(number) for number in range(10)], "")
    extract.say("DELETE FROM referrals WHERE id = 4")
    assert ids(walk(opened(WHOLE))[0]) == [str(number) for number in range(10) if number != 4]


def test_a_query_joins_and_its_columns_are_the_records(extract: Extract, opened: Opened) -> None:
    extract.table()
    extract.put(7, "2026-03-01 09:30:00", "50% -- :colon")
    query = "SELECT r.id AS number, r.surname, r.changed FROM referrals r WHERE r.surname LIKE '50%' -- the join"
    told = profile(
        table=None,
        query=query,
        columns={"number": "text", "surname": "text", "changed": "moment"},
        item={"id": "number", "modified": "changed"},
        fetch={"by": "number"} if extract.kind == "sqlite" else None,
    )
    [item] = walk(opened(told))[0]
    assert isinstance(item, Item)
    assert item.record == {"number": "7", "surname": "50% -- :colon", "changed": "2026-03-01T09:30:00"}


def test_a_view_that_gives_a_record_two_rows_is_noticed(extract: Extract, opened: Opened) -> None:
    extract.table()
    extract.put(1, "2026-03-01 09:30:00")
    extract.put(2, "2026-03-01 09:31:00")
    twice = "CREATE VIEW twice AS SELECT * FROM referrals UNION ALL SELECT id, 'Other', changed FROM referrals"
    extract.say(twice)
    for of in (1, 4):
        for changes in ({"feed": "modified-since", "of": of}, {"feed": "whole", "of": of}):
            items, _ = walk(opened(profile(table="twice", changes=changes)))
            assert ids(items) == ["1", "1", "2", "2"]
            assert [isinstance(item, UnreadableItem) for item in items] == [False, True, False, True]


def test_a_bad_row_touches_no_neighbour_and_its_cause_shows_no_value(extract: Extract, opened: Opened) -> None:
    extract.say(TEXT_TABLE)
    extract.put(1, "2026-03-01 09:30:00")
    extract.put(2, "2026-03-01 half past ten")
    extract.put(3, "2026-03-01 11:00:00")
    items, watermark = walk(opened())
    assert sorted(ids(items)) == ["1", "2", "3"]
    [bad] = [item for item in items if isinstance(item, UnreadableItem)]
    assert bad.reason == "Referral at changed: expected a moment, such as 2026-03-01 09:30:00"
    assert opened().parse("Referral", bad.raw, id="2") == bad
    assert watermark == "2026-03-01T11:00:00.000000+00:00"


def test_an_empty_required_column_is_named(extract: Extract, opened: Opened) -> None:
    extract.table()
    extract.say("INSERT INTO referrals VALUES (1, NULL, '2026-03-01 09:30:00')")
    [item] = walk(opened(profile(required=["surname"])))[0]
    assert isinstance(item, UnreadableItem)
    assert item.reason == "Referral has no surname"


def test_a_page_ends_before_it_is_too_long_and_a_row_that_is_is_told(extract: Extract, opened: Opened) -> None:
    extract.say(TEXT_TABLE)
    for number in range(6):
        extract.put(number, "2026-03-01 09:30:00", "x" * 600)
    extract.put(9, "2026-03-01 09:31:00", "y" * 5_000)
    connector = opened(max_reply_bytes=1_500)
    assert len(connector.changes("Referral", watermark="").items) == 2
    items, _ = walk(connector)
    assert ids(items) == [*map(str, range(6)), "9"]
    large = items[-1]
    assert isinstance(large, UnreadableItem)
    assert "max_reply_bytes" in large.reason


@pytest.mark.parametrize("seed", range(4))
def test_a_table_that_changes_all_the_while_is_read_whole(extract: Extract, opened: Opened, seed: int) -> None:
    rng, minute = random.Random(seed), iter(range(1_000))
    extract.table()
    for number in range(30):
        extract.put(number, "2026-03-01 00:00:00", "0")
    connector = opened(profile(changes={"feed": "modified-since", "of": 7, "overlap": "PT2M"}))

    def change() -> None:
        for at in (next(minute), next(minute), next(minute)):
            extract.put(rng.randrange(40), f"2026-03-01 {at // 60:02}:{at % 60:02}:00", str(at))

    held: dict[str, Any] = {}
    watermark = ""
    for turn in range(13):
        items, watermark = walk(connector, watermark, change if turn < 12 else lambda: None)
        held |= {item.id: item.record["surname"] for item in items if isinstance(item, Item)}
    with extract.owner.begin() as connection:
        there = {str(row.id): row.surname for row in connection.execute(text("SELECT id, surname FROM referrals"))}
    assert held == there


def test_memory_is_flat_however_long_the_table_is(extract: Extract, opened: Opened) -> None:
    extract.table()
    series = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000)"
    stamp = "'2026-03-01 09:30:00'" if extract.kind == "sqlite" else "TIMESTAMP '2026-03-01 09:30:00'"
    extract.say(f"INSERT INTO referrals {series} SELECT i, 'Prydderch', {stamp} FROM n")
    connector = opened(profile(changes={"feed": "modified-since", "of": 200}))
    cursor, read, levels = "", 0, []
    tracemalloc.start()
    while True:
        page = connector.changes("Referral", watermark="", cursor=cursor)
        read, cursor = read + len(page.items), page.cursor
        levels.append(tracemalloc.get_traced_memory()[0])
        if not cursor:
            break
    tracemalloc.stop()
    assert read == 6_000
    assert levels[-2] - levels[1] < 1_000_000


def test_a_column_that_is_not_declared_is_never_asked_for(extract: Extract, opened: Opened) -> None:
    extract.table()
    extract.put(1, None)
    [item] = walk(opened(WHOLE))[0]
    assert isinstance(item, Item)
    assert set(item.record) == {"id", "surname"} < set(COLUMNS)
