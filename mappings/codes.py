"""Code lists as governed data: one CSV file, read in both directions, with its faults all named at once.

Columns: theirs, ours, direction (both, read, write), cy, en, from, to, note. Only theirs and ours must be there.
A list is an artifact: its digest is that of its text. Nothing here reads a file or knows today's date.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

COLUMNS = ("theirs", "ours", "direction", "cy", "en", "from", "to", "note")
DIRECTIONS = ("both", "read", "write")


@dataclass(frozen=True, slots=True)
class CodeFault:
    """One thing wrong with a code list. Codes are not personal, so `found` may show one."""

    file: str
    line: int
    column: str
    found: str
    expected: str
    remedy: str


class CodeFaults(ValueError):
    """All that is wrong with one code list, in `faults`."""

    def __init__(self, faults: Iterable[CodeFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{f.file}:{f.line} {f.column}: {f.expected}" for f in self.faults))


@dataclass(frozen=True, slots=True)
class CodeRow:
    """One row. `valid_from` and `valid_to` are inclusive, None for open."""

    line: int
    theirs: str
    ours: str
    direction: str = "both"
    cy: str = ""
    en: str = ""
    valid_from: date | None = None
    valid_to: date | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class CodeList:
    """A code list without faults. `text` is the artifact's body (UTF-8, no BOM, LF), `digest` its sha256 in hex."""

    name: str
    rows: tuple[CodeRow, ...]
    text: str
    digest: str

    def reads(self, on: date | None = None) -> Mapping[str, str]:
        """theirs -> ours on that day; without a day every row counts, and of dated ones the row open longest."""
        raise NotImplementedError

    def writes(self, on: date | None = None) -> Mapping[str, str]:
        """ours -> theirs on that day; without a day as in `reads`."""
        raise NotImplementedError


def parse(text: str | bytes, name: str) -> CodeList:
    """The list of that name. Raises CodeFaults with everything found."""
    raise NotImplementedError


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
    """The text with one row more, its note saying who, when and why. Raises CodeFaults if the result has faults."""
    raise NotImplementedError
