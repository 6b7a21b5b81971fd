"""Files that a system drops: read in order, whole or not at all, each once, and moved only when that is safe."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import ConnectorError, Misconfigured
from connectors.files.connector import FilesConnector
from connectors.port import Item, Tier, UnreadableItem
from tests.connectors.files.conftest import HEAD, ids, opened, profile, put, row, walk

Connect = Callable[[], dict[str, Any]]
def test_files_are_read_in_the_order_of_their_names(drop: Path, connect: Connect) -> None:
    put(drop, "referrals_2.csv", row(3), at=1_770_000_000)
    put(drop, "referrals_1.csv", row(1), row(2), at=1_770_000_900)
    put(drop, "other.csv", row(9))
    with_names = opened(profile(), connect())
    items, _ = walk(with_names)
    assert ids(items) == ["R1", "R2", "R3"]
    first = items[0]
    assert isinstance(first, Item)
    assert first.record == {"id": "R1", "surname": "Prydderch", "changed": "2026-03-01T09:01:00"}
    assert first.modified is not None
    assert with_names.parse("Referral", first.raw, id="R1") == first
    assert ids(walk(opened(profile(order="time"), connect()))[0]) == ["R3", "R1", "R2"]


def test_a_second_walk_reads_nothing_again_and_finds_what_came_late(drop: Path, connect: Connect) -> None:
    put(drop, "referrals_2.csv", row(2))
    connector = opened(profile(), connect())
    _, watermark = walk(connector)
    assert walk(connector, watermark) == ([], watermark)
    put(drop, "referrals_1.csv", row(1), at=1_600_000_000)  # earlier by name and by time
    items, watermark = walk(connector, watermark)
    assert ids(items) == ["R1"]
    put(drop, "referrals_2.csv", row(2), row(4))  # written again
    assert ids(walk(connector, watermark)[0]) == ["R2", "R4"]


def test_a_walk_goes_on_in_a_new_process_at_its_place(drop: Path, connect: Connect) -> None:
    put(drop, "referrals_1.csv", *map(row, range(10)))
    page = opened(profile(of=4), connect()).changes("Referral", watermark="")
    assert ids(list(page.items)) == ["R0", "R1", "R2", "R3"]
    page = opened(profile(of=4), connect()).changes("Referral", watermark="", cursor=page.cursor)
    assert ids(list(page.items)) == ["R4", "R5", "R6", "R7"]
    page = opened(profile(of=4), connect()).changes("Referral", watermark="", cursor=page.cursor, limit=1)
    assert ids(list(page.items)) == ["R8"]


def test_a_file_is_moved_only_once_its_watermark_was_kept(drop: Path, connect: Connect) -> None:
    put(drop, "referrals_1.csv", row(1))
    (drop / "referrals_1.csv.done").touch()
    connector = opened(profile(after="move", ready=".done"), connect())
    _, watermark = walk(connector)
    assert (drop / "referrals_1.csv").exists()  # nobody knows yet whether what was read was written down
    items, watermark = walk(connector, watermark)
    assert not items
    assert sorted(path.name for path in (drop / "taken").iterdir()) == ["referrals_1.csv", "referrals_1.csv.done"]
    assert [path.name for path in drop.iterdir()] == ["taken"]
    assert walk(connector, watermark)[1] == "[]"


def test_a_file_is_deleted_where_the_profile_says_so(drop: Path, connect: Connect) -> None:
    put(drop, "referrals_1.csv", row(1))
    connector = opened(profile(after="delete"), connect())
    walk(connector, walk(connector)[1])
    assert not list(drop.iterdir())


def test_a_half_written_file_waits(drop: Path, connect: Connect) -> None:
    put(drop, "referrals_1.csv", row(1), at=4_000_000_000)
    assert walk(opened(profile(quiet_seconds=60), connect()))[0] == []
    assert walk(opened(profile(ready=".done"), connect()))[0] == []
    (drop / "referrals_1.csv.done").touch()
    assert ids(walk(opened(profile(ready=".done"), connect()))[0]) == ["R1"]


def test_a_file_that_is_written_while_it_is_read_is_read_again(drop: Path, connect: Connect) -> None:
    put(drop, "referrals_1.csv", *map(row, range(6)))
    connector = opened(profile(of=4), connect())
    page = connector.changes("Referral", watermark="")
    put(drop, "referrals_1.csv", *map(row, range(7)), at=1_770_000_001)
    items, _ = walk_from(connector, page.cursor)
    assert ids(items) == [f"R{number}" for number in range(7)]


def walk_from(connector: FilesConnector, cursor: str) -> tuple[list[Item | UnreadableItem], str]:
    items: list[Item | UnreadableItem] = []
    while cursor:
        page = connector.changes("Referral", watermark="", cursor=cursor)
        items += page.items
        cursor = page.cursor
    return items, cursor


@pytest.mark.parametrize(
    ("control", "beside", "lines", "words"),
    [
        ({"file": ".count"}, "3", 2, "its control total says 3 records, and it holds 2"),
        ({"file": ".count"}, "two", 2, "its control total is no number"),
        ({"trailer": {"first": "TRL", "count": 2}}, None, 2, "it has no trailer, so it may have been cut off"),
    ],
)
def test_a_file_with_another_number_of_records_is_refused_whole(
    drop: Path, connect: Connect, control: dict[str, Any], beside: str | None, lines: int, words: str
) -> None:
    put(drop, "referrals_1.csv", *map(row, range(lines)))
    put(drop, "referrals_2.csv", row(8), head=HEAD)
    for name in ("1", "2"):
        if beside is not None:
            (drop / f"referrals_{name}.csv.count").write_text(beside if name == "1" else "1", encoding="utf-8")
    if beside is None:
        put(drop, "referrals_2.csv", row(8), "TRL,1,\n")
    items, watermark = walk(opened(profile(control=control), connect()))
    assert isinstance(items[0], UnreadableItem)
    assert items[0].reason.endswith(words)
    assert ids(items[1:]) == ["R8"]
    assert walk(opened(profile(control=control), connect()), watermark)[0] == []


def test_a_right_control_total_is_no_obstacle(drop: Path, connect: Connect) -> None:
    put(drop, "referrals_1.csv", row(1), row(2), "TRL,2,\n")
    assert ids(walk(opened(profile(control={"trailer": {"first": "TRL", "count": 2}}), connect()))[0]) == ["R1", "R2"]


def test_one_bad_line_costs_no_other(drop: Path) -> None:
    bad = "R2,only\n", "R3,Si\u00f4n\u0000,2026-03-01T09:00:00\n", ",nobody,2026-03-01T09:00:00\n", "R5,x,yesterday\n"
    path = put(drop, "referrals_1.csv", row(1), *bad, row(6))
    path.write_bytes(path.read_bytes() + b"R7,\xff\xfe,2026-03-01T09:00:00\n" + row(8).encode())
    items, _ = walk(opened(profile(), {"folder": str(drop)}))
    assert [item.id for item in items if isinstance(item, Item)] == ["R1", "R3", "R6", "R8"]
    assert [item.reason for item in items if isinstance(item, UnreadableItem)] == [
        "Referral line 3: found 2 fields, expected 3",
        "Referral at id: expected an id of one printable line",
        "Referral at changed: expected a moment, such as 2026-03-01T09:30:00",
        "Referral line 8: letters that are not utf-8",
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty: not even the names of the columns are there"),
        (b"id,,changed\n", "column 2 has no name"),
        (b"id,id,changed\n", "column 2 has the name of an earlier one"),
        (b"id,surname,changed\nR1,\"open,2026\n", "near line 2: a quotation mark does not close"),
        (b"id,surname,changed\n" + b"x" * 1_100_000, "line 2 is longer than 1000000 bytes"),
        (b"id,sur\xffname,changed\n", "line 1, which names the columns, holds letters that are not utf-8"),
    ],
)
def test_a_file_that_is_none_is_named_and_stepped_over(drop: Path, content: bytes, words: str) -> None:
    (drop / "referrals_1.csv").write_bytes(content)
    put(drop, "referrals_2.csv", row(5))
    items, _ = walk(opened(profile(), {"folder": str(drop)}))
    assert words in next(item.reason for item in items if isinstance(item, UnreadableItem))
    assert items[-1].id == "R5"


def test_a_file_of_another_kind_is_noticed_by_a_column_that_is_missing(drop: Path) -> None:
    put(drop, "referrals_1.csv", "R1,2026-03-01T09:00:00\n", head="id,changed\n")
    items, _ = walk(opened(profile(), {"folder": str(drop)}))
    assert [item.reason for item in items if isinstance(item, UnreadableItem)] == [
        "Referral has no surname: is the file of another kind?"
    ]


def test_windows_letters_quotes_and_line_breaks_in_a_field(drop: Path) -> None:
    text = 'id|surname|changed\r\nR1|"Si\u00f4n\r\n""Sion"""|2026-03-01T09:00:00\r\n'
    (drop / "referrals_1.csv").write_bytes(text.encode("cp1252"))
    told = profile(encoding="windows-1252", csv={"delimiter": "|"})
    items, _ = walk(opened(told, {"folder": str(drop)}))
    assert isinstance(items[0], Item)
    assert items[0].record["surname"] == 'Si\u00f4n\r\n"Sion"'


def test_json_lines(drop: Path) -> None:
    (drop / "a.jsonl").write_bytes(
        b'{"id": "R1", "surname": "P", "changed": "2026-03-01T09:00:00Z", "needs": [{"code": "N1"}]}\n\n'
        b'{"id": "R2", "id": "R3"}\n[1]\n{"id": \n'
        b'{"id": 7, "surname": "Q", "changed": "2026-03-01T09:00:00Z"}'
    )
    items, _ = walk(opened(profile(names="a*.jsonl", format="json-lines"), {"folder": str(drop)}))
    assert [type(item).__name__ for item in items] == ["Item", *["UnreadableItem"] * 3, "Item"]
    assert (items[0].id, items[4].id) == ("R1", "7")
    assert all("line" in item.reason for item in items if isinstance(item, UnreadableItem))


def xml_profile() -> dict[str, Any]:
    return profile(names="*.xml", format="xml", items="Referral")


def test_xml(drop: Path) -> None:
    (drop / "a.xml").write_text(
        '<r:Extract xmlns:r="urn:example:r"><r:Head count="2"/>'
        + "".join(
            f'<r:Referral status="open"><r:id>R{n}</r:id><r:surname>Pr\u0177s</r:surname>'
            f"<r:changed>2026-03-01T09:00:00</r:changed><r:need>a</r:need><r:need>b</r:need></r:Referral>"
            for n in (1, 2, 3)
        )
        + "</r:Extract>",
        encoding="utf-8",
    )
    connector = opened(xml_profile(), {"folder": str(drop)})
    items, _ = walk(connector)
    assert ids(items) == ["R1", "R2", "R3"]
    first = items[0]
    assert isinstance(first, Item)
    assert first.record["need"] == ["a", "b"]
    assert first.record["@status"] == "open"
    assert connector.parse("Referral", first.raw, id="R1") == first


@pytest.mark.parametrize(
    "content",
    [
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x><Referral><id>&e;</id></Referral></x>',
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><x><Referral><id>&b;</id></Referral></x>',
        "<x><Referral><id>R1</id><surname>P</surname><changed>2026-03-01T09:00:00</changed></Referral><Referral><id>R2",
        "<x><:y><Referral><id>R1</id></Referral></:y></x>",  # seen red: a name that is none ended the walk
    ],
)
def test_xml_that_declares_a_type_or_breaks_off_is_refused(drop: Path, content: str) -> None:
    (drop / "a.xml").write_text(content, encoding="utf-8")
    items, _ = walk(opened(xml_profile(), {"folder": str(drop)}))
    assert isinstance(items[-1], UnreadableItem)
    assert not any("root:" in str(getattr(item, "record", "")) for item in items)


def test_a_schema_is_held_against_each_record(drop: Path) -> None:
    put(drop, "referrals_1.csv", row(1), row(2, "P"))
    told = profile()
    told["records"]["Referral"]["schema"] = "interfaces/row.schema.json"
    schema = b'{"type": "object", "properties": {"surname": {"type": "string", "minLength": 2}}}'
    items, _ = walk(opened(told, {"folder": str(drop)}, {"interfaces/row.schema.json": schema}))
    assert isinstance(items[1], UnreadableItem)
    assert items[1].reason == "Referral at surname: expected minLength as the schema says"


def test_links_are_neither_listed_nor_followed(drop: Path, tmp_path: Path, connect: Connect) -> None:
    secret = put(tmp_path, "elsewhere.csv", row(1))
    (drop / "referrals_1.csv").symlink_to(secret)
    assert walk(opened(profile(), connect()))[0] == []
    local = opened(profile(), {"folder": str(drop)})
    with pytest.raises(ConnectorError):
        local._folder.stream("referrals_1.csv")
    with pytest.raises(Misconfigured, match="leads out"):
        local._folder.stream("../elsewhere.csv")


def test_a_folder_that_is_not_there_says_so(drop: Path, connect: Connect) -> None:
    connector = opened(profile(), connect())
    drop.rmdir()
    with pytest.raises(Misconfigured, match="there is no such folder"):
        connector.changes("Referral", watermark="")
    assert not connector.doctor()[0].well


def test_what_a_folder_cannot_do_is_refused(drop: Path) -> None:
    connector = opened(profile(), {"folder": str(drop)})
    assert (connector.tier("Referral"), connector.reads_first("Referral")) == (Tier.NEITHER, False)
    for call in (
        lambda: connector.fetch("Referral", "R1"),
        lambda: connector.deliver("Referral", {}, key="k"),
        lambda: connector.changes("Person", watermark=""),
    ):
        with pytest.raises(Misconfigured):
            call()


def test_doctor_looks_and_changes_nothing(drop: Path, connect: Connect) -> None:
    connector = opened(profile(), connect())
    assert [finding.well for finding in connector.doctor()] == [True, True, False]
    put(drop, "referrals_1.csv", row(1))
    assert all(finding.well for finding in connector.doctor())
    put(drop, "referrals_0.csv", "R1,x,never\n", at=4_000_000_000)
    assert [finding.subject for finding in connector.doctor() if not finding.well] == ["clock"]


def test_a_back_fill_begins_at_its_time(drop: Path) -> None:
    put(drop, "referrals_1.csv", row(1), at=1_700_000_000)
    put(drop, "referrals_2.csv", row(2), at=1_770_000_000)
    assert ids(walk(opened(profile(), {"folder": str(drop)}), "2026-01-01T00:00:00+00:00")[0]) == ["R2"]


def test_a_long_file_is_read_in_flat_memory(drop: Path) -> None:
    path = drop / "referrals_1.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write(HEAD)
        file.writelines(row(number) for number in range(30_000))
    os.utime(path, (1_770_000_000, 1_770_000_000))
    connector = opened(profile(of=500), {"folder": str(drop)})
    cursor, number, levels = "", 0, []
    tracemalloc.start()
    try:
        while True:
            page = connector.changes("Referral", watermark="", cursor=cursor)
            number += len(page.items)
            cursor = page.cursor
            levels.append(tracemalloc.get_traced_memory()[0])
            if not cursor:
                break
    finally:
        tracemalloc.stop()
    assert number == 30_000
    assert max(levels) - levels[1] < 2_000_000
