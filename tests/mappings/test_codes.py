"""Code lists: both directions, days, and every fault of a file at once with its line and column."""

from __future__ import annotations

import csv
import io
import time
from datetime import date

import pytest
from hypothesis import given as example
from hypothesis import strategies as st

from mappings.codes import CodeFault, CodeFaults, CodeList, append_row, lay_over, parse, rendered
from mappings.codes_csv import MOST_FAULTS

PRIORITY = """theirs,ours,direction,cy,en,from,to,note
P1,emergency,both,Argyfwng,Emergency,,,
P2,urgent,,Brys,Urgent,,,
P3,routine,both,Arferol,Routine,,,
P4,routine,read,Isel,Low,,,"retired, still in old records"
"""


def faults(text: str | bytes) -> list[CodeFault]:
    with pytest.raises(CodeFaults) as caught:
        parse(text, "priority.csv")
    return list(caught.value.faults)


def test_both_directions() -> None:
    codes = parse(PRIORITY, "priority.csv")
    assert codes.reads() == {"P1": "emergency", "P2": "urgent", "P3": "routine", "P4": "routine"}
    assert codes.writes() == {"emergency": "P1", "urgent": "P2", "routine": "P3"}
    assert codes.rows[3].note == "retired, still in old records"
    assert codes.rows[3].line == 5


def test_two_columns_are_enough() -> None:
    codes = parse("ours,theirs\ncy,W\n", "x.csv")
    assert codes.reads() == {"W": "cy"}
    assert codes.writes() == {"cy": "W"}


def test_the_look_ups_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        parse(PRIORITY, "x").reads()["P1"] = "routine"  # type: ignore[index]


def test_codes_are_exact() -> None:
    codes = parse("theirs,ours\n p1 ,urgent\nP1,emergency\n", "x")
    assert codes.reads() == {"p1": "urgent", "P1": "emergency"}


DATED = """theirs,ours,direction,from,to
A,urgent,both,,2025-12-31
A,emergency,both,2026-01-01,
B,urgent,both,2026-01-01,
"""


@pytest.mark.parametrize(
    ("on", "reads", "writes"),
    [
        (date(2025, 12, 31), {"A": "urgent"}, {"urgent": "A"}),
        (date(2026, 1, 1), {"A": "emergency", "B": "urgent"}, {"emergency": "A", "urgent": "B"}),
        (None, {"A": "emergency", "B": "urgent"}, {"emergency": "A", "urgent": "B"}),
    ],
)
def test_days_of_validity(on: date | None, reads: dict[str, str], writes: dict[str, str]) -> None:
    codes = parse(DATED, "x")
    assert codes.reads(on) == reads
    assert codes.writes(on) == writes


def test_without_a_day_old_codes_are_still_read() -> None:
    assert parse("theirs,ours,to\nX,urgent,1999-12-31\n", "x").reads() == {"X": "urgent"}


def test_all_faults_at_once() -> None:
    found = faults(
        "theirs,ours,direction,from,to\n"
        ",urgent,both,,\n"
        "B,,boht,01/04/2026,\n"
        "C,routine,both,2026-02-30,\n"
        "D,routine,read,2026-02-02,2026-02-01\n"
        "E,routine,read,,,x,y\n"
    )
    assert [(fault.line, fault.column) for fault in found] == [
        (2, "theirs"),
        (3, "direction"),
        (3, "from"),
        (4, "from"),
        (5, "to"),
        (6, "whole row"),
    ]
    assert "both" in found[1].remedy
    assert all(fault.file == "priority.csv" and fault.expected and fault.remedy for fault in found)


def test_ambiguity_names_both_lines() -> None:
    found = faults("theirs,ours\nA,urgent\nB,urgent\nA,routine\n")
    assert [(fault.line, fault.column) for fault in found] == [(3, "ours"), (4, "theirs")]
    assert "line 2" in found[0].found
    assert "line 2" in found[1].found


def test_one_row_to_read_and_one_to_write_are_not_ambiguous() -> None:
    codes = parse("theirs,ours,direction\nA,urgent,read\nA,urgent,write\nB,urgent,read\n", "x")
    assert codes.reads() == {"A": "urgent", "B": "urgent"}
    assert codes.writes() == {"urgent": "A"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "first line"),
        ("\n\n", "first line"),
        ("theirs;ours\nA;b\n", "commas"),
        ("theirs\nA\n", "ours"),
        ("theirs,ours,dircetion\n", "direction"),
        ("theirs,ours,theirs\n", "once"),
        ('theirs,ours\n"A"x,urgent\n', "quote"),
    ],
)
def test_what_a_spreadsheet_does_wrong(text: str, said: str) -> None:
    found = faults(text)
    assert any(said in f"{fault.expected} {fault.remedy} {fault.column}" for fault in found)


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_other_encodings_are_refused_with_a_remedy(encoding: str) -> None:
    (fault,) = faults("theirs,ours,cy\nA,urgent,Gŵyl\n".replace("ŵ", "â").encode(encoding))
    assert "CSV UTF-8" in fault.remedy
    assert fault.line == (2 if encoding == "cp1252" else 1)


def test_a_letter_that_was_lost_before_is_refused() -> None:
    (fault,) = faults("theirs,ours,cy\nA,urgent,G\ufffdyl\n")
    assert fault.line == 2


def test_bom_and_line_ends_change_nothing() -> None:
    plain = parse(PRIORITY, "x")
    from_spreadsheet = parse(b"\xef\xbb\xbf" + PRIORITY.replace("\n", "\r\n").encode(), "x")
    assert from_spreadsheet.digest == plain.digest
    assert from_spreadsheet.text == PRIORITY
    assert parse(PRIORITY + "A,b\n", "x").digest != plain.digest


def test_a_line_break_in_a_cell_keeps_the_count() -> None:
    (fault,) = faults('theirs,ours,note\nA,urgent,"two\nlines"\n,b,\n')
    assert fault.line == 4


def test_a_row_is_added_with_who_when_and_why() -> None:
    grown = append_row(
        PRIORITY.rstrip("\n"), name="x", theirs="P5", ours="routine", author="Ms Ifans", reason="new\ncode, agreed",
        direction="read", cy="Cyffredin", en="Common", on=date(2026, 4, 1),
    )  # fmt: skip
    assert grown.startswith(PRIORITY)
    row = parse(grown, "x").rows[-1]
    assert (row.theirs, row.ours, row.direction, row.cy) == ("P5", "routine", "read", "Cyffredin")
    assert row.note == "Ms Ifans, 2026-04-01: new code, agreed"


def test_an_added_row_that_is_ambiguous_is_refused() -> None:
    with pytest.raises(CodeFaults):
        append_row(PRIORITY, name="x", theirs="P5", ours="routine", author="a", reason="b")


def test_a_row_whose_note_has_no_column_is_refused() -> None:
    with pytest.raises(CodeFaults, match="note"):
        append_row("theirs,ours\n", name="x", theirs="A", ours="urgent", author="a", reason="b")


CODE = st.text(alphabet='AB1 ,"\n-éŵ', min_size=1, max_size=5).filter(str.strip)


@example(st.dictionaries(CODE.map(str.strip), CODE.map(str.strip), max_size=6))
def test_any_one_to_one_table_survives_the_file(table: dict[str, str]) -> None:
    one_to_one = {ours: theirs for theirs, ours in table.items()}
    page = io.StringIO()
    writer = csv.writer(page, lineterminator="\n")
    writer.writerow(["theirs", "ours"])
    writer.writerows((theirs, ours) for ours, theirs in one_to_one.items())
    codes = parse(page.getvalue().encode(), "x")
    assert codes.writes() == one_to_one
    assert codes.reads() == {theirs: ours for ours, theirs in one_to_one.items()}


def test_an_expired_row_is_read_and_not_written_and_a_future_one_neither() -> None:
    codes = parse("theirs,ours,from,to\nX,urgent,,2025-12-31\nY,emergency,2026-02-01,\n", "x").on(date(2026, 1, 1))
    assert (codes.reads(), codes.writes()) == ({"X": "urgent"}, {})
    assert codes.on(date(2026, 2, 1)).writes() == {"emergency": "Y"}


def test_the_stamp_changes_on_the_days_on_which_the_list_does() -> None:
    codes = parse("theirs,ours,from,to\nX,urgent,,2025-12-31\nY,emergency,2026-02-01,\n", "x")
    days = [date(2025, 12, 30), date(2025, 12, 31), date(2026, 1, 1), date(2026, 1, 31), date(2026, 2, 1)]
    stamps = [codes.on(day).stamp for day in days]
    assert stamps[0] == stamps[1] == f"{codes.digest} since 0001-01-01"  # not as without a day, where every row counts
    assert codes.stamp == codes.digest
    undated = parse("theirs,ours\nX,urgent\n", "x")
    assert undated.on(days[0]).stamp == undated.digest
    assert stamps[2] == stamps[3] == f"{codes.digest} since 2026-01-01"
    assert stamps[4] == f"{codes.digest} since 2026-02-01"


def test_a_list_is_made_again_as_it_mapped_when_it_had_a_stamp() -> None:
    text = "theirs,ours,from,to\nX,urgent,,2025-12-31\nY,emergency,2026-02-01,\n"
    codes = parse(text, "x")
    for day in (None, date(2025, 12, 30), date(2026, 1, 15), date(2026, 2, 1)):
        then = codes.on(day)
        again = CodeList.kept(then.stamp, text, "x")
        assert (again.reads(), again.writes(), again.stamp) == (then.reads(), then.writes(), then.stamp)


def test_a_row_without_ours_waits_and_maps_nothing() -> None:
    codes = parse("theirs,ours,en\nA,urgent,\nB,,New words\n", "x")
    assert (codes.reads(), codes.writes()) == ({"A": "urgent"}, {"urgent": "A"})
    assert [(row.theirs, row.en) for row in codes.waiting] == [("B", "New words")]
    (fault,) = faults("theirs,ours\nA,urgent\nA,\n")  # mapped and waiting at once
    assert (fault.line, fault.column) == (3, "theirs")


def test_rows_over_a_list_stand_in_place_of_what_it_says_of_their_codes() -> None:
    base = parse(PRIORITY, "priority")
    own = "theirs,ours,direction,to\nP4,urgent,read\nP5,routine,read\nP1,emergency,,2026-06-30\n"
    over = lay_over(base, own, "own")
    assert over.name == "priority"
    assert over.reads() == {"P2": "urgent", "P3": "routine", "P4": "urgent", "P5": "routine", "P1": "emergency"}
    assert over.on(date(2026, 7, 1)).writes() == {"urgent": "P2", "routine": "P3"}
    assert parse(over.text, "priority").digest == over.digest != base.digest
    with pytest.raises(CodeFaults) as caught:
        lay_over(base, "theirs,ours\nP5,routine\n", "own")
    assert "own, line 2, ours: found 'routine', which line 4 of the list under it has too" in str(caught.value)


def test_many_rows_load_in_bounded_time_and_more_are_refused() -> None:
    def text(count: int) -> str:
        return "theirs,ours,direction\n" + "".join(f"C{n},urgent,read\n" for n in range(count))

    began = time.process_time()
    assert len(parse(text(100_000), "x").reads()) == 100_000
    (fault,) = faults(text(200_000))
    assert "at most 100000" in str(fault)
    same = "theirs,ours\n" + "A,urgent\n" * 20_000  # each says what all others say
    assert len(faults(same)) == MOST_FAULTS
    dated = "theirs,ours,from,to\n" + "".join(
        f"A,urgent,{day},{day}\n" for day in map(date.fromordinal, range(700_000, 705_000))
    )
    assert parse(dated, "x").writes(date.fromordinal(703_000)) == {"urgent": "A"}
    assert time.process_time() - began < 20  # a second or two on an idle machine; squares would take hours
    (fault,) = faults("theirs,ours\n" + "x" * 17_000_000)
    assert "16 million" in str(fault)


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        (b"theirs,ours\nA,b\0c\n", 2),
        (b"\xff\xfet\0h\0", 1),
        (b"theirs,ours\n" + b'A,"' + b"x" * 200_000 + b'"\n', 2),
        (b",".join([b"theirs", b"ours", *[b"x"] * 200_000]) + b"\n", 1),
        (b"theirs,ours\n" + b"," * 200_000 + b"x\n", 2),
    ],
)
def test_damaged_files_are_told_with_their_line(raw: bytes, line: int) -> None:
    (fault,) = faults(raw)
    assert fault.line == line
    assert len(str(fault)) < 400


def test_what_looks_like_a_formula_is_a_code() -> None:
    codes = parse("theirs,ours\n=1+1,urgent\n@SUM(A1),routine\n-2,emergency\n", "x")
    assert codes.reads() == {"=1+1": "urgent", "@SUM(A1)": "routine", "-2": "emergency"}


ODD = st.sampled_from(
    ["theirs", "ours", "direction", "from", "to", "both", "read", "2026-02-30", "2026-01-01", ",", ";", "\t", '"', "\n",
     "\r\n", "\0", "\ufeff", "ŵ", "=1+1", "", " ", "A", "B"]
)  # fmt: skip


@example(st.lists(ODD, max_size=40).map("".join), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]))
def test_whatever_stands_there_the_fault_has_a_line_and_a_column(text: str, encoding: str) -> None:
    _never_more_than_a_fault(text.encode(encoding, errors="replace"))
    _never_more_than_a_fault(b"theirs,ours,direction,from,to\n" + text.encode(encoding, errors="replace"))


@example(st.binary(max_size=200))
def test_any_bytes_at_all_end_in_a_sentence(raw: bytes) -> None:
    _never_more_than_a_fault(raw)
    _never_more_than_a_fault(b"theirs,ours\n" + raw)


def _never_more_than_a_fault(raw: bytes) -> None:
    try:
        codes = parse(raw, "priority.csv")
    except CodeFaults as found:
        for fault in found.faults:
            assert fault.line >= 1
            assert fault.column and fault.found and fault.expected and fault.remedy
    else:
        again = parse(rendered(codes.rows), "x")
        assert (again.reads(), again.writes()) == (codes.reads(), codes.writes())
