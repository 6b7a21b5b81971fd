"""One value of the interface: what its text must read as, and why it would refuse a value."""

from __future__ import annotations

import re

from mappings.interface import Schema, kinds

_FORMATS = {"date": "date", "date-time": "dateTime", "time": "time"}
CALLED = {
    "date": "a day", "dateTime": "a date and time", "time": "a time of day", "boolean": "true or false",
    "integer": "a whole number", "decimal": "a number", "gYear": "a year", "gYearMonth": "a month", "base64": "base64",
}  # fmt: skip
_SHAPES = {
    "date": re.compile(r"-?[0-9]{4,}-[0-9]{2}-[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})?", re.ASCII),
    "dateTime": re.compile(r"-?[0-9]{4,}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9]{2}:[0-9]{2})?", re.ASCII),
    "boolean": re.compile(r"true|false|0|1"),
    "integer": re.compile(r"[+-]?[0-9]+", re.ASCII),
    "decimal": re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII),
}


def lexical(leaf: Schema) -> str | None:
    """What the text must read as, in the words of `x-lexical`; None where any text may stand."""
    found = leaf.get("x-lexical") or _FORMATS.get(leaf.get("format", ""))
    return str(found) if found else None


def refuses(leaf: Schema, value: object) -> str:
    """What the interface expects instead of a value that it would refuse; "" if it takes it."""
    if value is None:
        return "" if not kinds(leaf) or "null" in kinds(leaf) else "a value, and not null"
    text = (
        value if isinstance(value, str) else ("true" if value else "false") if isinstance(value, bool) else str(value)
    )
    words = leaf.get("enum")
    if words is not None and text not in [word(one) for one in words]:
        return f"one of {', '.join(map(word, words[:20]))}"
    if "const" in leaf and text != word(leaf["const"]):
        return f"always {word(leaf['const'])}"
    if len(text) > leaf.get("maxLength", len(text)):
        return f"at most {leaf['maxLength']} characters"
    if len(text) < leaf.get("minLength", 0):
        return f"at least {leaf['minLength']} characters"
    reads = lexical(leaf)
    if reads in _SHAPES and not _SHAPES[reads].fullmatch(text):
        return CALLED[reads]
    if isinstance(pattern := leaf.get("pattern"), str) and len(text) < 200 and not re.search(pattern, text):
        return "what the pattern of the interface allows"
    return ""


def word(word: object) -> str:
    """A word of an enumeration, as text."""
    return ("true" if word else "false") if isinstance(word, bool) else str(word)
