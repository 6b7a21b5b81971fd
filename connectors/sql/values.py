"""From a value of a driver to a value of a record, held against the type that the profile declares.

Two steps, so that a row's own bytes can be read again without the database: `plain` makes JSON of whatever a driver
gives, `checked` holds it against the declared type. Whole numbers stay numbers, other numbers become text digit by
digit, days and times ISO 8601, bytes base64. Nothing is rounded and nothing guessed.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson

_MOST = 2**63


class Unfit(ValueError):
    """A value is not of its column's type. The words say what was expected, never what stood there."""


def plain(value: Any) -> Any:
    """A driver's value as JSON can say it; what cannot be said becomes an object, which no type but json takes."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if -_MOST <= value < _MOST else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, str):
        return value if _whole(value) else {"not UTF-8": _in_letters(value.encode("utf-8", "surrogateescape"))}
    if isinstance(value, Decimal):
        return format(value, "f") if value.is_finite() else str(value)
    if isinstance(value, datetime):
        return (value.astimezone(UTC) if value.tzinfo is not None else value).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return _in_letters(bytes(value))
    if isinstance(value, dict | list):
        try:
            return orjson.loads(orjson.dumps(value, default=plain))
        except TypeError:
            return {"not JSON": type(value).__name__}
    return {"of a type of the database": type(value).__name__}


def checked(value: Any, kind: str) -> Any:
    """The value of a record for what `plain` gave. Raises Unfit; None stays None."""
    return None if value is None else _CHECKS[kind](value)


def _text(value: Any) -> str:
    if isinstance(value, dict):
        raise Unfit("text in UTF-8" if "not UTF-8" in value else "text")
    if isinstance(value, list):
        raise Unfit("text")
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _integer(value: Any) -> int:
    if isinstance(value, bool):
        raise Unfit("a whole number")
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, str) and _digits(value):  # Oracle's NUMBER arrives as a decimal
        whole = Decimal(value)
        if whole == whole.to_integral_value() and abs(whole) < _MOST:
            return int(whole)
    raise Unfit("a whole number of at most 18 digits")


def _number(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Unfit("a number")
    text = repr(value) if isinstance(value, float) else str(value)
    if not _digits(text):
        raise Unfit("a number")
    return format(Decimal(text), "f")


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in (0, 1) and isinstance(value, int):
        return bool(value)
    raise Unfit("true or false, or 1 or 0")


def _date(value: Any) -> str:
    try:
        found = datetime.fromisoformat(value)
        if found.time() == time() and found.tzinfo is None:  # Oracle's and SQL Server's days have an hour
            return found.date().isoformat()
    except (TypeError, ValueError):
        pass
    raise Unfit("a day without a time, such as 2026-03-01")


def _moment(value: Any) -> str:
    try:
        return datetime.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        raise Unfit("a moment, such as 2026-03-01 09:30:00") from None


def _since_1970(per_second: int) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        try:
            if isinstance(value, str) and _digits(value):
                value = Decimal(value)
            if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
                raise Unfit("seconds or milliseconds since 1970")
            return datetime.fromtimestamp(float(value) / per_second, UTC).isoformat()
        except (ValueError, OverflowError, OSError):
            raise Unfit("seconds or milliseconds since 1970") from None

    return check


def _time(value: Any) -> str:
    try:
        return time.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        raise Unfit("a time of day, such as 09:30:00") from None


def _bytes(value: Any) -> str:
    try:
        base64.b64decode(value, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise Unfit("bytes") from None
    return str(value)


def _json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        raise Unfit("JSON") from None


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "text": _text,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "moment": _moment,
    "seconds": _since_1970(1),
    "milliseconds": _since_1970(1000),
    "time": _time,
    "bytes": _bytes,
    "json": _json,
}


def _whole(text: str) -> bool:
    return not any("\ud800" <= sign <= "\udfff" for sign in text) if not text.isascii() else True


def _digits(text: str) -> bool:
    try:
        return len(text) < 400 and Decimal(text).is_finite() and abs(Decimal(text).adjusted()) < 400
    except ArithmeticError:
        return False


def _in_letters(value: bytes) -> str:
    return base64.b64encode(value).decode()
