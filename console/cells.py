"""Cells of tables that people open in a spreadsheet: none of them may begin a formula (CWE-1236, OWASP ASVS 1.2.10)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

_TRIGGERS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def cell(value: object) -> str:
    """A value that a spreadsheet takes for text. An apostrophe goes before what would begin a formula, also behind
    spaces; signs that no cell can hold are left out."""
    text = "".join(sign for sign in str(value) if sign.isprintable() or sign in "\n\t")
    return f"'{text}" if text.lstrip(" ").startswith(_TRIGGERS) or str(value).startswith(_TRIGGERS) else text


def table(rows: Iterable[Sequence[object]]) -> str:
    """Rows as CSV by RFC 4180, each cell harmless."""
    page = io.StringIO()
    csv.writer(page, lineterminator="\r\n").writerows([cell(value) for value in row] for row in rows)
    return page.getvalue()
