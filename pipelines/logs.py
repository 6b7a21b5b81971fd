"""Logs by allow-list: an event has a name and ids, and nothing else can get in.

A field that is not listed here is dropped and its name is logged instead, so that a value from somebody's record
cannot be logged even by mistake. Libraries that print bodies, URLs or parameters are silenced at the root.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import orjson

#: Every field that an event may carry. None of them can hold a person.
FIELDS = frozenset(
    {
        "event",
        "level",
        "timestamp",
        "council",
        "connection",
        "kind",
        "route",
        "delivery",
        "version",
        "referral",
        "lane",
        "revision",
        "state",
        "outcome",
        "error",
        "sqlstate",
        "cause",
        "tries",
        "part",
        "seconds",
        "records",
        "pages",
        "news",
        "repeats",
        "due",
        "until",
        "purpose",
        "pid",
        "boot",
        "site",
        "stage",
        "where",
        "count",
        "fence",
        "place",
    }
)

#: Characters of one field's value.
_LONGEST = 120

_least = logging.INFO  # as `configure` was told
_asked: list[str] = []  # the format that `configure` was told, until there is something to log


def configure(level: str = "info", format: str = "json") -> None:
    """Set up logging for this process: one line an event, on standard error."""
    global _least
    _least = getattr(logging, level.upper())
    _asked[:] = [format]
    # What writes the lines is as large as a short command, and most of those have nothing to log.
    if "structlog" in sys.modules:
        _logger()
    # Their messages hold URLs, bodies and parameters. What we need of them, we say ourselves.
    logging.getLogger().handlers[:] = [logging.NullHandler()]
    logging.getLogger().setLevel(logging.CRITICAL)


def _logger() -> Any:
    import structlog

    if _asked:
        format = _asked.pop()
        render: Any = structlog.processors.JSONRenderer(serializer=lambda value, **_: orjson.dumps(value).decode())
        structlog.configure(
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                _listed_only,
                render if format == "json" else structlog.dev.ConsoleRenderer(colors=False),
            ],
            wrapper_class=structlog.make_filtering_bound_logger(_least),
            logger_factory=structlog.PrintLoggerFactory(sys.stderr),
            cache_logger_on_first_use=False,
        )
    return structlog.get_logger()


def log(event: str, **fields: Any) -> None:
    """Log something that is normal and worth a line."""
    if _least > logging.INFO:
        return  # each record has a line of these, and finding a logger costs as much as writing it
    with contextlib.suppress(OSError, ValueError):  # a log that cannot be written must not stop a referral
        _logger().info(event, **fields)


def warn(event: str, **fields: Any) -> None:
    """Log something that an operator should see."""
    if _least > logging.WARNING:
        return
    with contextlib.suppress(OSError, ValueError):
        _logger().warning(event, **fields)


def _listed_only(_logger: Any, _name: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    kept = {name: _plain(value) for name, value in fields.items() if name in FIELDS}
    if len(kept) < len(fields):
        kept["place"] = "not listed: " + ",".join(sorted(set(fields) - FIELDS))
    return kept


def _plain(value: Any) -> Any:
    """Ids and numbers only: a line break in a name cannot make a second line, and nothing long gets in."""
    if isinstance(value, bool | int | float) or value is None:
        return value
    said = str(value)
    if len(said) <= _LONGEST and said.isprintable():
        return said
    return "".join(c if c.isprintable() else "?" for c in said)[:_LONGEST]
