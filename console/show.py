"""Showing: tables and lines for people, JSON for scripts, complaints on standard error.

Colour and boxes appear on a terminal alone; elsewhere it is plain text in columns. Whatever came from a system is
stripped of signs that could colour a terminal or break a line.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

SECOND = 1_000_000  # the ledger counts microseconds


def safe(value: Any) -> str:
    """One value on one line."""
    text = "" if value is None else str(value)
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def say(*lines: str) -> None:
    """Print lines for a person on standard output."""
    for line in lines:
        sys.stdout.write(line + "\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    """Print what is wrong on standard error; standard output belongs to what was asked for."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def as_json(value: Any) -> None:
    """Print one JSON value for a script."""
    import orjson

    options = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS
    say(orjson.dumps(value, option=options, default=_plain).decode())


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, set | frozenset) else str(value)


def when(at: int | None, zone: str = "UTC") -> str:
    """The ledger's time as a council reads it: `21 Nov 16:55:03`, with the year where it is not this one."""
    if at is None:
        return "never"
    moment = datetime.fromtimestamp(at / SECOND, UTC).astimezone(ZoneInfo(zone))
    year = "" if moment.year == datetime.now(UTC).year else " %Y"
    return moment.strftime(f"%-d %b{year} %H:%M:%S" if sys.platform != "win32" else f"%d %b{year} %H:%M:%S")


def iso(at: int | None, zone: str = "UTC") -> str | None:
    """The same for scripts: ISO 8601 with the council's offset."""
    return None if at is None else datetime.fromtimestamp(at / SECOND, UTC).astimezone(ZoneInfo(zone)).isoformat()


def count(number: int, one: str, many: str = "") -> str:
    """`1 record`, `2 records`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Show a table: with Rich on a terminal, in plain columns elsewhere."""
    cells = [[safe(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        drawn = Table(*heads)
        for row in cells:
            drawn.add_row(*(Text(cell) for cell in row))
        Console(highlight=False).print(drawn)
        return
    widths = [max([len(head), *(len(row[at]) for row in cells)]) for at, head in enumerate(heads)]
    for line in [list(heads), *cells]:
        say("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


@contextmanager
def progress(quiet: bool = False) -> Iterator[Callable[[str, int], None]]:
    """Give something to tell (what, how many) to while long work goes on; it shows on a terminal alone."""
    if quiet or not sys.stderr.isatty():
        yield lambda _what, _number: None
        return
    from rich.console import Console
    from rich.text import Text

    with Console(stderr=True).status("...") as status:
        yield lambda what, number: status.update(Text(f"{safe(what)}: {number} records"))
