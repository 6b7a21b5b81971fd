"""Whether a record that we would send is of the shape that the interface takes: types, lengths, codes, known names.

What is required is left to `check`: a referral that does not know a thing cannot say it, and that is no fault of a row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from mappings.interface import Schema
from mappings.meta import Json

Keys = tuple[str, ...]

_LEXICAL = {
    "date": re.compile(r"-?[0-9]{4,}-[0-9]{2}-[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})?", re.ASCII),
    "time": re.compile(r"[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})?", re.ASCII),
    "boolean": re.compile(r"true|false|0|1", re.ASCII),
    "integer": re.compile(r"[+-]?[0-9]+", re.ASCII),
    "decimal": re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)", re.ASCII),
    "gYear": re.compile(r"-?[0-9]{4,}", re.ASCII),
    "gYearMonth": re.compile(r"-?[0-9]{4,}-[0-9]{2}", re.ASCII),
}
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,), "boolean": (bool,), "integer": (int,), "number": (int, float), "null": (type(None),),
    "array": (list,), "object": (dict,),
}  # fmt: skip


def misfits(schema: Schema, value: Json, at: Keys = ()) -> Iterator[tuple[Keys, str]]:
    """Where a record, or part of one, is not what the interface takes there, and what was expected."""
    if "anyOf" in schema:
        tries = [list(misfits(shape, value, at)) for shape in schema["anyOf"]]
        if tries and all(tries):
            yield min(tries, key=len)[0]
        return
    wrong = _wrong(schema, value)
    if wrong:
        yield at, wrong
    elif isinstance(value, dict):
        yield from _members(schema, value, at)
    elif isinstance(value, list):
        for item in value:
            yield from misfits(schema.get("items", {}), item, at)


def _members(schema: Schema, value: dict[str, Json], at: Keys) -> Iterator[tuple[Keys, str]]:
    known = schema.get("properties")
    if known is None:
        return
    for key, inner in value.items():
        if key in known:
            yield from misfits(known[key], inner, (*at, key))
        elif schema.get("additionalProperties") is not True:
            yield (*at, key), "a name that the interface has"


def _wrong(schema: Schema, value: Json) -> str:
    kinds = schema.get("type")
    several: Sequence[str] = [] if kinds is None else [kinds] if isinstance(kinds, str) else kinds
    if "array" in several and schema.get("x-one-or-many") and not isinstance(value, list):
        return _wrong(schema.get("items", {}), value)
    if several and not any(_is(value, kind) for kind in several):
        return " or ".join(several)
    if value is None:
        return ""
    if "enum" in schema and value not in schema["enum"]:
        return "a code of the interface"
    if "const" in schema and value != schema["const"]:
        return "the one value that the interface takes"
    if isinstance(value, list):
        most, least = schema.get("maxItems", len(value)), schema.get("minItems", 0)
        return "" if least <= len(value) <= most else f"{least} to {most} items"
    return _wrong_text(schema, value) if isinstance(value, str) else ""


def _wrong_text(schema: Schema, value: str) -> str:
    if len(value) > schema.get("maxLength", len(value)):
        return f"at most {schema['maxLength']} characters"
    if len(value) < schema.get("minLength", 0):
        return f"at least {schema['minLength']} characters"
    if "pattern" in schema and re.search(schema["pattern"], value) is None:
        return "the interface's pattern"
    lexical = schema.get("x-lexical") or {"date": "date", "date-time": "dateTime"}.get(schema.get("format", ""))
    if lexical == "dateTime":
        return _wrong_moment(value, schema.get("x-zone", "optional"))
    pattern = _LEXICAL.get(lexical or "")
    return "" if pattern is None or pattern.fullmatch(value) else f"text that reads as {lexical}"


def _wrong_moment(value: str, zone: str) -> str:
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return "text that reads as dateTime"
    if len(value) < 19 or value[10] != "T":
        return "text that reads as dateTime"
    if zone == "required" and at.tzinfo is None:
        return "a moment with an offset"
    return "a moment without an offset" if zone == "none" and at.tzinfo is not None else ""


def _is(value: Json, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _TYPES.get(kind, (object,)))
