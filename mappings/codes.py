"""Code lists as governed data: one CSV file, read in both directions, with its faults all named at once.

Columns: theirs, ours, direction (both, read, write), cy, en, from, to, owner, note. Only theirs and ours must be there.
A row without ours waits for its owner and maps nothing. Rows of a site may lie over a shipped list. A list is an
artifact: its digest is that of its text. Nothing here reads a file or knows today's date: the day is handed in.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from types import MappingProxyType

from mappings.codes_csv import (
    COLUMNS,
    DIRECTIONS,
    MOST_FAULTS,
    CodeFault,
    CodeFaults,
    CodeRow,
    decode,
    rows_of,
    short,
)

__all__ = [
    "COLUMNS",
    "DIRECTIONS",
    "CodeFault",
    "CodeFaults",
    "CodeList",
    "CodeRow",
    "append_row",
    "lay_over",
    "parse",
    "rendered",
]


#: Between a digest and a day in the stamp of a list that changes by the day.
SINCE = " since "


@dataclass(frozen=True, slots=True)
class CodeList:
    """A code list without faults. `text` is the artifact's body (UTF-8, no BOM, LF), `digest` its sha256 in hex.

    On a day, a row not yet valid maps nothing; one that has expired is still read, because old records hold old codes,
    and is not written any more. `day` is the day that holds where none is named; without any, every row counts.
    """

    name: str
    rows: tuple[CodeRow, ...]
    text: str = field(repr=False)
    digest: str
    day: date | None = None

    def on(self, day: date | None) -> CodeList:
        """The same list as it stands on a day."""
        return replace(self, day=day)

    def reads(self, on: date | None = None) -> Mapping[str, str]:
        """theirs -> ours. Of several rows for one code that of the day wins, then the one that lasts longest."""
        day = on or self.day
        begun = (row for row in self.rows if row.reads and (day is None or row.begun(day)))
        return _table(((row.theirs, row.ours, row) for row in begun), day)

    def writes(self, on: date | None = None) -> Mapping[str, str]:
        """ours -> theirs, of the rows that are valid on the day."""
        day = on or self.day
        valid = (row for row in self.rows if row.writes and (day is None or row.valid(day)))
        return _table(((row.ours, row.theirs, row) for row in valid), day)

    @property
    def waiting(self) -> tuple[CodeRow, ...]:
        """The rows that nobody has mapped yet."""
        return tuple(row for row in self.rows if row.waits)

    @property
    def stamp(self) -> str:
        """What tells apart two days on which it maps differently: the digest, and the last day that changed it."""
        if self.day is None:
            return self.digest
        begins = [row.valid_from for row in self.rows if row.valid_from]
        ended = [row.valid_to + timedelta(days=1) for row in self.rows if row.valid_to and row.valid_to < date.max]
        turned = max((day for day in [*begins, *ended] if day <= self.day), default=None)
        if turned is None and not begins and not ended:
            return self.digest  # no day changes it
        return f"{self.digest}{SINCE}{(turned or date.min).isoformat()}"

    @classmethod
    def kept(cls, stamp: str, text: str | bytes, name: str) -> CodeList:
        """The list of that name as it mapped when it had this stamp. Raises CodeFaults, ValueError for no stamp."""
        _, _, since = stamp.partition(SINCE)
        return parse(text, name).on(date.fromisoformat(since) if since else None)


def _table(rows: Iterable[tuple[str, str, CodeRow]], on: date | None) -> Mapping[str, str]:
    chosen: dict[str, tuple[tuple[bool, date, date], str]] = {}
    for key, value, row in rows:
        rank = (on is None or row.valid(on), *row.lasts)
        if key not in chosen or rank > chosen[key][0]:
            chosen[key] = (rank, value)
    return MappingProxyType({key: value for key, (_, value) in chosen.items()})


def parse(text: str | bytes, name: str) -> CodeList:
    """The list of that name. Raises CodeFaults with everything found."""
    body = decode(text, name)
    rows, faults = rows_of(body, name)
    faults += _ambiguities(rows, name)
    if faults:
        raise CodeFaults(sorted(faults, key=lambda fault: fault.line)[:MOST_FAULTS])
    return CodeList(name, tuple(rows), body, hashlib.sha256(body.encode()).hexdigest())


def lay_over(base: CodeList, text: str | bytes, name: str) -> CodeList:
    """A list with a site's own rows laid over it: what these say of a code of theirs stands in place of what it said.

    `name` is what faults call the site's rows. Raises CodeFaults, also where a row says what the list goes on saying.
    """
    over = parse(text, name).rows
    said = {row.theirs for row in over}
    kept = [row for row in base.rows if row.theirs not in said]
    if faults := _ambiguities(over, name, kept):
        raise CodeFaults(sorted(faults, key=lambda fault: fault.line)[:MOST_FAULTS])
    body = rendered([*kept, *over])
    return CodeList(base.name, (*kept, *over), body, hashlib.sha256(body.encode()).hexdigest(), base.day)


def rendered(rows: Iterable[CodeRow]) -> str:
    """Rows as the text of a file."""
    page = io.StringIO()
    writer = csv.writer(page, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([row.cells[column] for column in COLUMNS] for row in rows)
    return page.getvalue()


def _ambiguities(rows: Sequence[CodeRow], name: str, under: Sequence[CodeRow] = ()) -> list[CodeFault]:
    """Two rows that on one day say two things about one code, named by both lines."""
    all_rows = [(row, True) for row in under] + [(row, False) for row in rows]
    reading = [(row.theirs, row, below) for row, below in all_rows if row.reads or row.waits]
    writing = [(row.ours, row, below) for row, below in all_rows if row.writes]
    return [
        *_clashes(reading, name, "theirs", "read", "Delete one, let one be for `write` only, or give them days apart."),
        *_clashes(writing, name, "ours", "write", "Let all but one be for `read` only, or give them days apart."),
    ]


def _clashes(
    named: list[tuple[str, CodeRow, bool]], name: str, column: str, verb: str, remedy: str
) -> list[CodeFault]:
    by_code: dict[str, list[tuple[CodeRow, bool]]] = defaultdict(list)
    for code, row, below in named:
        by_code[code].append((row, below))
    faults: list[CodeFault] = []
    for code, found in by_code.items():
        found.sort(key=lambda pair: (pair[0].valid_from or date.min, not pair[1], pair[0].line))
        longest = found[0]
        for one in found[1:]:
            if (one[0].valid_from or date.min) <= (longest[0].valid_to or date.max):
                earlier, later = sorted((longest, one), key=lambda pair: (not pair[1], pair[0].line))
                where = f"which line {earlier[0].line} {'of the list under it ' if earlier[1] else ''}has too"
                said = f"{short(code)}, {where}"
                faults.append(CodeFault(name, later[0].line, column, said, f"one row to {verb} each code", remedy))
                if len(faults) >= MOST_FAULTS:
                    return faults
            longest = max(longest, one, key=lambda pair: pair[0].valid_to or date.max)
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
