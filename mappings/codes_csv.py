"""Reading the CSV of a code list: from bytes to rows, with every fault found on the way.

Officers write these files in a spreadsheet, so the faults name what a spreadsheet does wrong and how to save instead.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches

COLUMNS = ("theirs", "ours", "direction", "cy", "en", "from", "to", "owner", "note")
DIRECTIONS = ("both", "read", "write")
#: A list is looked over whole each time a site starts. What is longer is a register, and no list of codes.
MOST_ROWS, MOST_BYTES = 100_000, 16_000_000
#: Of a file that is wrong from top to bottom, as much as somebody can read.
MOST_FAULTS = 100
_MUST = ("theirs", "ours")
_MOST_COLUMNS = 100
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class CodeFault:
    """One thing wrong with a code list. Codes are not personal, so `found` may show one."""

    file: str
    line: int
    column: str
    found: str
    expected: str
    remedy: str

    def __str__(self) -> str:
        return (
            f"{self.file}, line {self.line}, {self.column}: found {self.found}, expected {self.expected}. {self.remedy}"
        )


class CodeFaults(ValueError):
    """All that is wrong with one code list, in `faults`."""

    def __init__(self, faults: Iterable[CodeFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


@dataclass(frozen=True, slots=True)
class CodeRow:
    """One row. `valid_from` and `valid_to` are inclusive, None for open. Without `ours` it waits for its owner."""

    line: int
    theirs: str
    ours: str
    direction: str = "both"
    cy: str = ""
    en: str = ""
    valid_from: date | None = None
    valid_to: date | None = None
    owner: str = ""
    note: str = ""

    @property
    def waits(self) -> bool:
        """Whether nobody has said yet what the code means: it maps nothing."""
        return not self.ours

    @property
    def reads(self) -> bool:
        """Whether the row turns their code into ours."""
        return self.direction != "write" and not self.waits

    @property
    def writes(self) -> bool:
        """Whether the row turns our code into theirs."""
        return self.direction != "read" and not self.waits

    @property
    def lasts(self) -> tuple[date, date]:
        """Sorts rows by how long they stay valid, then by how late they begin."""
        return (self.valid_to or date.max, self.valid_from or date.min)

    def valid(self, on: date) -> bool:
        """Whether the row holds on that day."""
        return (self.valid_from or date.min) <= on <= (self.valid_to or date.max)

    def begun(self, on: date) -> bool:
        """Whether the row holds on that day or has held before it."""
        return (self.valid_from or date.min) <= on

    @property
    def cells(self) -> dict[str, str]:
        """The row as it is written in a file, without what needs no saying."""
        days = {"from": self.valid_from, "to": self.valid_to}
        return {
            "theirs": self.theirs,
            "ours": self.ours,
            "direction": "" if self.direction == "both" else self.direction,
            "cy": self.cy,
            "en": self.en,
            **{column: day.isoformat() if day else "" for column, day in days.items()},
            "owner": self.owner,
            "note": self.note,
        }


def decode(text: str | bytes, name: str) -> str:
    """The text without BOM and with LF. Raises CodeFaults for bytes that are not UTF-8."""
    if len(text) > MOST_BYTES:
        expected = f"at most {MOST_BYTES // 1_000_000} million letters"
        raise CodeFaults([CodeFault(name, 1, "whole file", f"{len(text)}", expected, _TOO_LONG)])
    if isinstance(text, bytes):
        if text.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise CodeFaults([_encoding(name, 1, "UTF-16 text")])
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            # Nothing but UTF-8 looks like UTF-8, so what fails is nearly always the spreadsheet's Windows-1252.
            raise CodeFaults([_encoding(name, line, "Windows-1252 (ANSI) text")]) from None
    if "\ufffd" in text:
        line = text.count("\n", 0, text.index("\ufffd")) + 1
        raise CodeFaults([_encoding(name, line, "a letter that was already lost")])
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        remedy = "Save the list anew from the spreadsheet; the file is damaged, or is none of text."
        raise CodeFaults([CodeFault(name, line, "whole row", "a zero byte", "text", remedy)])
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


_TOO_LONG = "Keep to the codes that occur in records; a register of places or products is no code list."


def short(text: str) -> str:
    """A cell as findings quote it: no longer than somebody needs to find it."""
    return repr(text if len(text) <= 40 else f"{text[:40]}...")


def _encoding(name: str, line: int, found: str) -> CodeFault:
    return CodeFault(
        name, line, "whole file", found, "UTF-8", "Save it in the spreadsheet as 'CSV UTF-8', then check ŵ, ŷ and â."
    )


def rows_of(body: str, name: str) -> tuple[list[CodeRow], list[CodeFault]]:
    """All rows that could be read and all faults that one row alone shows."""
    reader = csv.reader(io.StringIO(body), strict=True)
    rows: list[CodeRow] = []
    faults: list[CodeFault] = []
    columns: list[str] | None = None
    line = 1  # a quoted cell may hold a line break, so the reader's own count is of the row's last line
    try:
        for cells in reader:
            begins, line = line, reader.line_num + 1
            values = [cell.strip() for cell in cells]
            if not any(values):
                continue  # spreadsheets leave empty rows at the end
            if columns is None:
                columns = [value.lower() for value in values]
                if faults := _header(columns, begins, name):
                    return [], faults
                continue
            row, wrong = _row(columns, values, begins, name)
            faults += wrong
            if row is not None:
                rows.append(row)
            if len(rows) > MOST_ROWS:
                found, expected = f"more than {MOST_ROWS} rows", f"at most {MOST_ROWS}"
                return [], [CodeFault(name, begins, "whole file", found, expected, _TOO_LONG)]
            if len(faults) >= MOST_FAULTS:
                break
    except csv.Error as error:
        expected = "cells in CSV, a cell with quotes in it quoted"
        faults.append(CodeFault(name, line, "whole row", str(error), expected, "Quote the cell, or delete the quote."))
    if columns is None:
        faults.append(CodeFault(name, 1, "whole file", "nothing", "a first line with column names", _FIRST_LINE))
    return rows, faults


_FIRST_LINE = f"Begin the file with the line {','.join(COLUMNS)}"


def _header(columns: list[str], line: int, name: str) -> list[CodeFault]:
    if len(columns) == 1 and (";" in columns[0] or "\t" in columns[0]):
        expected = "cells parted by commas"
        return [CodeFault(name, line, "whole file", "semicolons or tabs", expected, "Save it as 'CSV UTF-8 (comma)'.")]
    if len(columns) > _MOST_COLUMNS:
        found, remedy = f"{len(columns)} columns", "Keep these columns and delete the others."
        return [CodeFault(name, line, "whole row", found, _listed(COLUMNS), remedy)]
    faults = []
    for column in dict.fromkeys(columns):
        if column not in COLUMNS:
            near = get_close_matches(column[:40], COLUMNS, n=1)
            remedy = f"Did you mean {near[0]!r}?" if near else "Delete the column, or move its text to `note`."
            named = column[:40] or "(no name)"
            faults.append(CodeFault(name, line, named, "an unknown column", _listed(COLUMNS), remedy))
        elif columns.count(column) > 1:
            faults.append(
                CodeFault(name, line, column, "the column twice", "each column once", "Delete one of the two.")
            )
    for column in _MUST:
        if column not in columns:
            faults.append(CodeFault(name, line, column, "no such column", "the column, even if last", _FIRST_LINE))
    return faults


def _row(columns: list[str], values: list[str], line: int, name: str) -> tuple[CodeRow | None, list[CodeFault]]:
    if any(values[len(columns) :]):
        found, expected = f"{len(values)} cells", f"{len(columns)} cells, as in line 1"
        return None, [CodeFault(name, line, "whole row", found, expected, "Quote a cell that has a comma in it.")]
    cells = dict(zip(columns, values, strict=False))
    faults = []
    if not cells.get("theirs"):
        faults.append(CodeFault(name, line, "theirs", "nothing", "a code", "Fill the cell, or delete the row."))
    direction = cells.get("direction", "").lower() or "both"
    if direction not in DIRECTIONS:
        near = get_close_matches(direction[:40], DIRECTIONS, n=1)
        remedy = f"Did you mean {near[0]!r}?" if near else "Leave the cell empty for both."
        faults.append(CodeFault(name, line, "direction", short(direction), _listed(DIRECTIONS), remedy))
    begins = _day(cells, "from", line, name, faults)
    ends = _day(cells, "to", line, name, faults)
    if begins and ends and ends < begins:
        found, remedy = f"{ends}, before {begins}", "Exchange the two days."
        faults.append(CodeFault(name, line, "to", found, "a day not before `from`", remedy))
    if faults:
        return None, faults
    shown = (cells.get("cy", ""), cells.get("en", ""))
    whose = (cells.get("owner", ""), cells.get("note", ""))
    return CodeRow(line, cells["theirs"], cells.get("ours", ""), direction, *shown, begins, ends, *whose), []


def _day(cells: dict[str, str], column: str, line: int, name: str, faults: list[CodeFault]) -> date | None:
    value = cells.get(column, "")
    if not value:
        return None
    if _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            problem = "a day that exists, as YYYY-MM-DD"
    else:
        problem = "a day as YYYY-MM-DD"
    remedy = "Format the column as text in the spreadsheet and write the day like 2026-04-01."
    faults.append(CodeFault(name, line, column, short(value), problem, remedy))
    return None


def _listed(names: Iterable[str]) -> str:
    return f"one of {', '.join(names)}"
