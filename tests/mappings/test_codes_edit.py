"""Changing rows of a code list, and what a supplier's code book changes in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given as example
from hypothesis import strategies as st

from mappings.code_book import read_book
from mappings.codes import CodeFaults, CodeRow, parse
from mappings.codes_edit import compare, edited

DAY = date(2026, 4, 2)
WHO = {"author": "Ms Ifans", "reason": "code book of April", "on": DAY}
LIST = """theirs,ours,direction,cy,en,from,to,note
P1,emergency,both,Argyfwng,Emergency,,,
P2,urgent,,Brys,Urgent,,,"two
lines"
P4,routine,read,Isel,Low,,2020-01-01,retired
"""


def book(*rows: str, head: str = "Code,Description,Welsh") -> dict[str, tuple[str, str]]:
    return dict(read_book("\n".join([head, *rows]).encode(), "book.csv").codes)


def test_a_row_is_changed_and_one_added_and_all_other_lines_stay() -> None:
    codes = parse(LIST, "x")
    text = edited(LIST, "x", [replace(codes.rows[1], en="Soon", owner="intake"), CodeRow(0, "P5", "routine", "read")])
    lines = text.split("\n")
    assert lines[0] == "theirs,ours,direction,cy,en,from,to,note,owner"
    assert lines[1] == LIST.split("\n")[1]
    assert lines[2:4] == ['P2,urgent,,Brys,Soon,,,"two', 'lines",intake']
    assert lines[4] == LIST.split("\n")[4]
    assert lines[5:] == ["P5,routine,read,,,,,,", ""]


def test_a_file_of_two_columns_grows_the_columns_that_are_needed() -> None:
    assert edited("theirs,ours\nA,b\n", "x", [CodeRow(0, "C", "d", "read", note="why")]) == (
        "theirs,ours,direction,note\nA,b\nC,d,read,why\n"
    )
    assert edited("", "x", [CodeRow(0, "C", "d")]).splitlines()[1] == "C,d,,,,,,,"


def test_a_change_that_would_be_ambiguous_is_refused() -> None:
    with pytest.raises(CodeFaults, match="P1"):
        edited(LIST, "x", [CodeRow(0, "P1", "routine", "read")])


def test_a_code_book_adds_changes_and_ends_and_guesses_nothing() -> None:
    codes = parse(LIST, "x")
    found = compare(codes, book("P1,Very urgent,Argyfwng", "P9,Brand new,Newydd sbon", "P4,Low,Isel"), **WHO)
    assert [(row.theirs, row.ours, row.cy, row.en) for row in found.added] == [("P9", "", "Newydd sbon", "Brand new")]
    assert [(row.theirs, row.ours, row.en) for row in found.changed] == [("P1", "emergency", "Very urgent")]
    assert [(row.theirs, row.ours, row.valid_to) for row in found.ended] == [("P2", "urgent", date(2026, 4, 1))]
    assert [(row.theirs, row.valid_to) for row in found.revived] == [("P4", None)]
    assert found.unwritten == ("urgent",)
    after = parse(edited(LIST, "x", found.rows), "x").on(DAY)
    assert after.reads() == {"P1": "emergency", "P2": "urgent", "P4": "routine"}
    assert after.writes() == {"emergency": "P1"}
    assert "code book of April" in after.rows[0].note
    assert compare(after, book("P1,Very urgent,Argyfwng", "P9,Brand new,Newydd sbon", "P4,Low,Isel"), **WHO).rows == ()


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_a_code_book_in_whatever_way_it_was_saved(separator: str, encoding: str) -> None:
    rows = [["Lookup Code", "Description (EN)", "Disgrifiad"], ["A1", "A \"big\" one", "Un mawr"], ["B2", "Tea", "Tê"]]
    text = "\r\n".join(separator.join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row) for row in rows)
    found = read_book(text.encode(encoding), "book.csv")
    assert found.codes == {"A1": ("Un mawr", 'A "big" one'), "B2": ("Tê", "Tea")}
    assert found.columns == {"code": "Lookup Code", "en": "Description (EN)", "cy": "Disgrifiad"}
    named = read_book(text.encode(encoding), "book.csv", columns={"code": "disgrifiad", "en": "lookup code"})
    assert named.codes == {"Un mawr": ("", "A1"), "Tê": ("", "B2")}


@pytest.mark.parametrize(
    ("raw", "line", "said"),
    [
        (b"", 1, "nothing"),
        (b"a,b\n1,2\n", 1, "--code"),
        (b"Code,Name\n", 1, "no codes"),
        (b"Code,Name\nA,x\nA,y\n", 3, "line 2"),
        (b"Code,Name\n,x\n", 2, "nothing"),
        (b"PK\x03\x04\0\0", 1, "xlsx"),
        (b"Code,Name\n" + b"x" * 300 + b",y\n", 2, "--code"),
    ],
)
def test_a_code_book_that_cannot_be_used(raw: bytes, line: int, said: str) -> None:
    with pytest.raises(CodeFaults) as caught:
        read_book(raw, "book.csv")
    assert caught.value.faults[0].line == line
    assert said in str(caught.value)
    with pytest.raises(CodeFaults, match="Did you mean 'Code'"):
        read_book(b"Code,Name\nA,x\n", "book.csv", columns={"code": "Codes"})


@example(st.binary(max_size=120), st.sampled_from([b"", b"code,en\n", b"code;cy\n"]))
def test_any_code_book_ends_in_codes_or_a_sentence(raw: bytes, head: bytes) -> None:
    try:
        found = read_book(head + raw, "book.csv")
    except CodeFaults as faults:
        assert all(fault.line >= 1 and fault.column and fault.remedy for fault in faults.faults)
    else:
        plan = compare(parse(LIST, "x"), found.codes, **WHO)
        parse(edited(LIST, "x", plan.rows), "x")
