"""Changing rows of a code list's text: rows are added or written anew, every other line stays as its author left it.

The supplier's code book becomes such changes too. Nothing is ever guessed here: a code that is new to the list comes
without ours and waits for its owner.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from mappings.codes import CodeList, CodeRow, parse
from mappings.codes_csv import COLUMNS

#: What a site's own rows over a shipped list begin with.
EMPTY = ",".join(COLUMNS) + "\n"


def note(before: str, author: str, reason: str, on: date) -> str:
    """The note of a row that is changed: what it said, then who, when and why."""
    said = " ".join(f"{author}, {on.isoformat()}: {reason}".split())
    return f"{before}; {said}" if before else said


def edited(text: str | bytes, name: str, changes: Iterable[CodeRow]) -> str:
    """The text with these rows: one with a line takes that row's place, one whose line is 0 is added at the end.

    A column that a row needs and the file does not have is added to its first line. Raises CodeFaults if the text has
    faults before or after.
    """
    body = parse(text or EMPTY, name).text
    spans, header = _spans(body)
    changes = list(changes)
    needed = [column for column in COLUMNS if any(row.cells[column] for row in changes)]
    columns = [column.strip().lower() for column in header]
    grown = columns + [column for column in needed if column not in columns]
    lines = body.split("\n")
    if lines[-1] == "":
        lines.pop()
    for row in sorted((row for row in changes if row.line), key=lambda row: -row.line):
        lines[row.line - 1 : spans[row.line]] = [_line(row, grown)]
    lines += [_line(row, grown) for row in changes if not row.line]
    if grown != columns:
        first = next(at for at, line in enumerate(lines) if line.strip())
        lines[first] += "".join(f",{column}" for column in grown[len(columns) :])
    after = "\n".join(lines) + "\n"
    parse(after, name)
    return after


def _spans(body: str) -> tuple[dict[int, int], list[str]]:
    """Where each row ends, by the line on which it begins; and the names of the columns."""
    reader = csv.reader(io.StringIO(body), strict=True)
    spans: dict[int, int] = {}
    header: list[str] = []
    begins = 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            header = header or cells
            spans[begins] = reader.line_num
        begins = reader.line_num + 1
    return spans, header


def _line(row: CodeRow, columns: Sequence[str]) -> str:
    page = io.StringIO()
    csv.writer(page, lineterminator="\n").writerow([row.cells.get(column, "") for column in columns])
    return page.getvalue().removesuffix("\n")


@dataclass(frozen=True, slots=True)
class Import:
    """What a supplier's code book would change in a list. Each row is as it would be afterwards."""

    added: tuple[CodeRow, ...]  # new codes; they wait for the list's owner
    changed: tuple[CodeRow, ...]  # other words in the code book; what they mean to us stays
    ended: tuple[CodeRow, ...]  # gone from the code book: read in old records, not written any more
    revived: tuple[CodeRow, ...]  # had ended, and are in the code book again
    unwritten: tuple[str, ...]  # codes of ours for which nothing would be written any more

    @property
    def rows(self) -> tuple[CodeRow, ...]:
        """Every row that would change."""
        return (*self.added, *self.changed, *self.ended, *self.revived)


def compare(codes: CodeList, book: Mapping[str, tuple[str, str]], *, author: str, reason: str, on: date) -> Import:
    """Hold a list against a code book: their code -> (Welsh, English), "" where the book has no such words.

    Raises nothing: whatever the book holds is data.
    """

    def noted(row: CodeRow, **changes: object) -> CodeRow:
        return replace(row, note=note(row.note, author, reason, on), **changes)  # type: ignore[arg-type]  # by name

    known = {row.theirs for row in codes.rows}
    added = tuple(
        CodeRow(0, theirs, "", cy=cy, en=en, note=note("", author, reason, on))
        for theirs, (cy, en) in book.items()
        if theirs not in known
    )
    changed, ended, revived = [], [], []
    for row in codes.rows:
        if row.theirs not in book:
            if row.valid(on) and row.valid_to is None:
                ended.append(noted(row, valid_to=max(on - timedelta(days=1), row.valid_from or date.min)))
            continue
        cy, en = book[row.theirs]
        words = {"cy": cy or row.cy, "en": en or row.en}
        if row.valid_to is not None and row.valid_to < on and not _goes_on(codes, row, on):
            revived.append(noted(row, valid_to=None, **words))
        elif row.valid(on) and (words["cy"], words["en"]) != (row.cy, row.en):
            changed.append(noted(row, **words))
    gone = {row.ours for row in ended if row.writes}
    still = {row.ours for row in codes.rows if row.writes and row.valid(on) and row.theirs in book}
    return Import(added, tuple(changed), tuple(ended), tuple(revived), tuple(sorted(gone - still)))


def _goes_on(codes: CodeList, row: CodeRow, on: date) -> bool:
    """Whether another row says what this code, or ours for it, means by now: the old one stays ended."""
    return any(
        other is not row
        and (other.valid_to is None or other.valid_to >= on)
        and (other.theirs == row.theirs or (row.writes and other.writes and other.ours == row.ours))
        for other in codes.rows
    )


def onto(codes: CodeList, own: CodeList | None, rows: Iterable[CodeRow]) -> tuple[CodeRow, ...]:
    """Rows of the whole list as changes of the site's own file of rows: what lies under it is copied up, all of a code.

    `codes`: the list as it is, `own`: the site's own rows, None if it has none yet.
    """
    rows = tuple(rows)
    mine = {(row.theirs, row.ours, row.direction, row.valid_from): row.line for row in (own.rows if own else ())}
    of_ours = {row.theirs for row in (own.rows if own else ())}
    touched = {row.theirs for row in rows}
    keys = {_key(row) for row in rows}
    # What the site's rows say of a code stands for all that the list says of it, so its other rows come along.
    beside = [row for row in codes.rows if row.theirs in touched - of_ours and _key(row) not in keys]
    return tuple(replace(row, line=mine.get(_key(row), 0)) for row in (*rows, *beside))


def _key(row: CodeRow) -> tuple[str, str, str, date | None]:
    return (row.theirs, row.ours, row.direction, row.valid_from)
