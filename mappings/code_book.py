"""Reading a supplier's code book: the list of codes that a system exports, in whatever way its spreadsheet saved it.

Separator and encoding are found out, columns are named by the caller or guessed by their heads, and a guess is always
told. What a code means to us is never guessed. Nothing here reads a file.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from mappings.codes_csv import MOST_BYTES, MOST_FAULTS, MOST_ROWS, CodeFault, CodeFaults, short

#: Heads by which columns are known, the surest first. Compared in small letters, without what parts words.
HEADS: Mapping[str, tuple[str, ...]] = {
    "code": ("code", "cod", "codevalue", "lookupcode", "listcode", "shortcode", "itemcode", "key", "value", "id"),
    "en": (
        "english", "en", "englishdescription", "descriptionen", "description", "desc", "display", "displayname",
        "label", "name", "meaning", "text", "title", "longdescription", "shortdescription",
    ),
    "cy": (
        "welsh", "cy", "cymraeg", "welshdescription", "descriptioncy", "disgrifiad", "disgrifiadcymraeg",
        "descriptionwelsh", "labelcy", "namecy", "enw", "enwcymraeg",
    ),
}  # fmt: skip
_SEPARATORS = (",", ";", "\t", "|")
_LONGEST_CODE, _LONGEST_WORDS = 200, 500


@dataclass(frozen=True, slots=True)
class Book:
    """A code book: code -> (Welsh, English), in the order of the file; and how it was read."""

    codes: Mapping[str, tuple[str, str]] = field(repr=False)
    columns: Mapping[str, str]  # code, cy, en -> the head that was taken
    separator: str
    encoding: str


def read_book(raw: bytes, name: str, *, columns: Mapping[str, str] | None = None) -> Book:
    """Read a code book. `columns`: code, cy, en -> the head of its column; what is not named is guessed.

    Raises CodeFaults with everything found: a code that is there twice, a column that is not there.
    """
    if len(raw) > MOST_BYTES:
        _refuse(name, 1, "whole file", f"{len(raw)} bytes", f"at most {MOST_BYTES}", "Export the codes alone.")
    text, encoding = _decoded(raw, name)
    first = next((line for line in text.split("\n") if line.strip()), "")
    separator = max(_SEPARATORS, key=lambda one: (first.count(one), -_SEPARATORS.index(one)))
    rows = _rows(text, name, separator)
    if not rows:
        _refuse(name, 1, "whole file", "nothing", "a first line with the heads of columns", "Export it anew.")
    (begins, heads), *found = rows
    chosen = _columns(heads, begins, name, columns or {})
    codes: dict[str, tuple[str, str]] = {}
    lines: dict[str, int] = {}
    faults: list[CodeFault] = []
    for line, cells in found:
        code, cy, en = (_cell(cells, heads, chosen.get(column)) for column in ("code", "cy", "en"))
        if not code:
            faults.append(CodeFault(name, line, chosen["code"], "nothing", "a code", "Fill the cell, or take it out."))
        elif len(code) > _LONGEST_CODE:
            remedy = "Name the column of the codes with --code."
            faults.append(CodeFault(name, line, chosen["code"], short(code), "a short code", remedy))
        elif code in codes and codes[code] != (cy, en):
            remedy = "Have the supplier say which one holds, and take the other out."
            said = f"{short(code)}, which line {lines[code]} has too, with other words"
            faults.append(CodeFault(name, line, chosen["code"], said, "each code once", remedy))
        else:
            codes.setdefault(code, (cy, en))
            lines.setdefault(code, line)
        if len(faults) >= MOST_FAULTS:
            break
    if faults:
        raise CodeFaults(faults)
    if not codes:
        _refuse(name, begins, "whole file", "no codes below the heads", "one row a code", "Export it anew.")
    return Book(codes, chosen, separator, encoding)


def _decoded(raw: bytes, name: str) -> tuple[str, str]:
    """The text with LF, and its encoding. What is not UTF-8 is what a Western spreadsheet writes by itself."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    else:
        try:
            raw.decode("utf-8-sig")
            encoding = "utf-8-sig"
        except UnicodeDecodeError:
            encoding = "cp1252"
    text = raw.decode(encoding, errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    for sign, said in (("\0", "a zero byte"), ("\ufffd", "a letter that was lost")):
        if sign in text:
            line = text.count("\n", 0, text.index(sign)) + 1
            _refuse(name, line, "whole row", said, "text", "Export it anew as CSV UTF-8; an .xlsx is no CSV.")
    return text, {"utf-8-sig": "UTF-8", "utf-16": "UTF-16", "cp1252": "Windows-1252"}[encoding]


def _rows(text: str, name: str, separator: str) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text), delimiter=separator)
    found: list[tuple[int, list[str]]] = []
    line = 1
    try:
        for cells in reader:
            begins, line = line, reader.line_num + 1
            if any(cell.strip() for cell in cells):
                found.append((begins, [cell.strip() for cell in cells]))
            if len(found) > MOST_ROWS + 1:
                expected = f"at most {MOST_ROWS}"
                _refuse(name, begins, "whole file", f"more than {MOST_ROWS} rows", expected, "Export one list alone.")
    except csv.Error as error:
        _refuse(name, line, "whole row", str(error), "cells in CSV", "Look for a quote that is never closed.")
    return found


def _columns(heads: Sequence[str], line: int, name: str, named: Mapping[str, str]) -> dict[str, str]:
    """Which column is which. Raises CodeFaults where the codes' cannot be told."""
    chosen: dict[str, str] = {}
    for column, head in named.items():
        found = next((one for one in heads if one.casefold() == head.strip().casefold()), None)
        if found is None:
            near = get_close_matches(head[:40], [one[:40] for one in heads[:100]], n=1)
            remedy = f"Did you mean {near[0]!r}?" if near else f"The heads are: {', '.join(heads[:20])[:300]}."
            _refuse(name, line, head[:40] or "(no name)", "no such column", "the head of a column", remedy)
        chosen[column] = str(found)
    plain = {re.sub(r"[^a-z0-9]", "", head.casefold()): head for head in reversed(heads)}
    for column, known in HEADS.items():
        if column not in chosen:
            guess = next((plain[one] for one in known if one in plain and plain[one] not in chosen.values()), None)
            if guess is not None:
                chosen[column] = guess
    if "code" not in chosen:
        expected = f"a column named {' or '.join(HEADS['code'][:3])}"
        remedy = f"Name it with --code. The heads are: {', '.join(heads[:20])[:300]}."
        _refuse(name, line, "whole row", "no column that holds the codes", expected, remedy)
    return chosen


def _cell(cells: Sequence[str], heads: Sequence[str], head: str | None) -> str:
    if head is None:
        return ""
    at = list(heads).index(head)
    return " ".join(cells[at].split())[:_LONGEST_WORDS] if at < len(cells) else ""


def _refuse(name: str, line: int, column: str, found: str, expected: str, remedy: str) -> None:
    raise CodeFaults([CodeFault(name, line, column, found, expected, remedy)])
