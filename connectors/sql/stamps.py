"""A moment written as a column of stamps holds it, so that the database itself can compare."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from connectors.errors import Misconfigured
from connectors.soap.times import wall_clock

_NO_MOMENTS = ("infinity", "-infinity")  # PostgreSQL's


def beginning(at: datetime, kind: str, first: Any, last: Any, zone: ZoneInfo) -> Any:
    """The stamp from which a walk reads that begins at a moment; None where the column has none to begin behind.

    `kind` is the column's declared type, `first` and `last` what it holds at its ends. Never later than the moment:
    what is read twice is known by its content. Raises Misconfigured for stamps that cannot be compared.
    """
    if kind in ("seconds", "milliseconds"):
        return int(at.timestamp()) * (1000 if kind == "milliseconds" else 1)
    local = datetime.fromisoformat(wall_clock(at, zone))
    ends = [end for end in (first, last) if end is not None and end not in _NO_MOMENTS]
    if not ends:
        return None
    sample = ends[0]
    if isinstance(sample, datetime):
        return local if sample.tzinfo is None else at.astimezone(UTC)
    if isinstance(sample, date):
        return local.date()
    if isinstance(sample, str):
        return _text(at, local, kind, ends)
    raise Misconfigured(f"a stamp is no {kind}: declare the column's type as it is, such as seconds")


def _text(at: datetime, local: datetime, kind: str, ends: list[Any]) -> str:
    """Of texts the order of signs is the order in time only where all are written alike."""
    if kind == "date":
        return local.date().isoformat()
    texts = [str(end) for end in ends]
    offsets = {text[19:].lstrip(".0123456789") for text in texts}
    if any(len(text) < 10 or text[4:5] != "-" for text in texts) or not offsets <= {"", "Z", "+00:00"}:
        raise Misconfigured(
            "stamps are kept as text that does not sort by time: let the query turn them into moments, or into "
            "texts such as 2026-03-01 09:30:00"
        )
    shown = at.astimezone(UTC) if offsets & {"Z", "+00:00"} else local
    between = "T" if all(text[10:11] == "T" for text in texts) else " "  # a space sorts before a T
    return shown.strftime(f"%Y-%m-%d{between}%H:%M:%S")
