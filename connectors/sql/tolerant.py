"""Dates of PostgreSQL that Python has none of (infinity, the year 10000): handed on as text, so that they spoil one row
and not the page around it."""

from __future__ import annotations

from typing import Any

from psycopg import DataError
from psycopg.types.datetime import DateLoader, TimestampLoader, TimestamptzLoader


def tolerant(raw: Any) -> None:
    """Set one session up so."""
    for name, loader in _LOADERS.items():
        raw.adapters.register_loader(name, loader)


def _made(kind: Any) -> type[Any]:
    class Tolerant(kind):  # type: ignore[misc]  # a class that is made of what it is given
        def load(self, data: Any) -> Any:
            """The date, or its text where there is no such date."""
            try:
                return super().load(data)
            except (DataError, ValueError, OverflowError):
                return bytes(data).decode("ascii", "replace")

    return Tolerant


_LOADERS = {
    "date": _made(DateLoader),
    "timestamp": _made(TimestampLoader),
    "timestamptz": _made(TimestamptzLoader),
}
