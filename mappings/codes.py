"""Code lists as governed data: one CSV file, read in both directions, with its faults all named at once.

Columns: theirs, ours, direction (both, read, write), cy, en, from, to, note. Only theirs and ours must be there.
A list is an artifact: its digest is that of its text. Nothing here reads a file or knows today's date.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

from mappings.codes_csv import COLUMNS, DIRECTIONS, CodeFault, CodeFaults, CodeRow, decode, rows_of

__all__ = ["COLUMNS", "DIRECTIONS", "CodeFault", "CodeFaults", "CodeList", "CodeRow", "append_row", "parse"]


@dataclass(frozen=True, slots=True)
class CodeList:
    """A code list without faults. `text` is the artifact's body (UTF-8, no BOM, LF), `digest` its sha256 in hex."""

    name: str
    rows: tuple[CodeRow, ...]
    text: str = field(repr=False)
    digest: str

    def reads(self, on: date | None = None) -> Mapping[str, str]:
        """theirs -> ours on that day.

        Without a day every row counts, because old records hold old codes; of several rows for one code the one that
        stays valid longest wins.
        """
        return _table(((row.theirs, row.ours, row) for row in self.rows if row.reads), on)

    def writes(self, on: date | None = None) -> Mapping[str, str]:
        """ours -> theirs on that day; without a day as in `reads`."""
        return _table(((row.ours, row.theirs, row) for row in self.rows if row.writes), on)


def _table(rows: Iterable[tuple[str, str, CodeRow]], on: date | None) -> Mapping[str, str]:
    chosen: dict[str, tuple[CodeRow, str]] = {}
    for key, value, row in rows:
        if on is not None and not row.valid(on):
            continue
        if key not in chosen or row.lasts > chosen[key][0].lasts:
            chosen[key] = (row, value)
    return MappingProxyType({key: value for key, (_, value) in chosen.items()})


def parse(text: str | bytes, name: str) -> CodeList:
    """The list of that name. Raises CodeFaults with everything found."""
    body = decode(text, name)
    rows, faults = rows_of(body, name)
    faults += _ambiguities(rows, name)
    if faults:
        raise CodeFaults(sorted(faults, key=lambda fault: fault.line))
    return CodeList(name, tuple(rows), body, hashlib.sha256(body.encode()).hexdigest())


def _ambiguities(rows: list[CodeRow], name: str) -> list[CodeFault]:
    """Two rows that on one day say two things about one code, named by both lines."""
    reading = [(row.theirs, row) for row in rows if row.reads]
    writing = [(row.ours, row) for row in rows if row.writes]
    return [
        *_clashes(reading, name, "theirs", "read", "Delete one, let one be for `write` only, or give them days apart."),
        *_clashes(writing, name, "ours", "write", "Let all but one be for `read` only, or give them days apart."),
    ]


def _clashes(pairs: list[tuple[str, CodeRow]], name: str, column: str, verb: str, remedy: str) -> list[CodeFault]:
    seen: dict[str, list[CodeRow]] = {}
    faults = []
    for code, row in pairs:
        for earlier in seen.setdefault(code, []):
            if earlier.overlaps(row):
                found = f"{code!r}, which line {earlier.line} has too"
                faults.append(CodeFault(name, row.line, column, found, f"one row to {verb} each code", remedy))
        seen[code].append(row)
    return faults


def append_row(
    text: str | bytes,
    *,
    name: str,
    theirs: str,
    ours: str,
    author: str,
    reason: str,
    direction: str = "both",
    cy: str = "",
    en: str = "",
    on: date | None = None,
) -> str:
    """The text with one row more, its note saying who, when and why; every other line stays as it was.

    `on`: the day of the change, for the note alone. Raises CodeFaults if the text has faults before or after.
    """
    body = parse(text, name).text
    columns = [column.strip().lower() for column in next(csv.reader(io.StringIO(body)))]
    when = f", {on.isoformat()}" if on else ""
    values = {
        "theirs": theirs,
        "ours": ours,
        "direction": direction,
        "cy": cy,
        "en": en,
        "note": " ".join(f"{author}{when}: {reason}".split()),
    }
    unsaid = {"direction"} if direction == "both" else set()  # both is what no column says too
    missing = [column for column, value in values.items() if value and column not in columns and column not in unsaid]
    if missing:
        raise CodeFaults([_no_column(name, missing)])
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow([values.get(column, "") for column in columns])
    grown = body + ("" if body.endswith("\n") else "\n") + line.getvalue()
    parse(grown, name)
    return grown


def _no_column(name: str, missing: list[str]) -> CodeFault:
    return CodeFault(
        name, 1, ", ".join(missing), "no such column", f"the columns {', '.join(COLUMNS)}", "Add the columns to line 1."
    )
