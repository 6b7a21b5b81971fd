"""Simple types of XML Schema in the neutral form: what the text of an element or attribute must read as."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lxml import etree

from connectors.soap.pinned import XSD

Schema = dict[str, Any]


def _whole(least: int | None = None, most: int | None = None) -> Schema:
    made: Schema = {"type": "string", "x-lexical": "integer"}
    return made | ({} if least is None else {"minimum": least}) | ({} if most is None else {"maximum": most})


def _signed(bits: int) -> Schema:
    return _whole(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


_DECIMAL: Schema = {"type": "string", "x-lexical": "decimal"}
BUILT_IN: Mapping[str, Schema] = {
    "boolean": {"type": "string", "x-lexical": "boolean"},
    "date": {"type": "string", "x-lexical": "date", "x-zone": "optional"},
    "dateTime": {"type": "string", "x-lexical": "dateTime", "x-zone": "optional"},
    "time": {"type": "string", "x-lexical": "time", "x-zone": "optional"},
    "gYear": {"type": "string", "x-lexical": "gYear"},
    "gYearMonth": {"type": "string", "x-lexical": "gYearMonth"},
    "base64Binary": {"type": "string", "x-lexical": "base64"},
    "decimal": _DECIMAL,
    "float": _DECIMAL,
    "double": _DECIMAL,
    "integer": _whole(),
    "long": _signed(64),
    "int": _signed(32),
    "short": _signed(16),
    "byte": _signed(8),
    "nonNegativeInteger": _whole(0),
    "positiveInteger": _whole(1),
    "nonPositiveInteger": _whole(None, 0),
    "negativeInteger": _whole(None, -1),
    "unsignedLong": _whole(0, 2**64 - 1),
    "unsignedInt": _whole(0, 2**32 - 1),
    "unsignedShort": _whole(0, 2**16 - 1),
    "unsignedByte": _whole(0, 2**8 - 1),
}
_NUMBERS = ("integer", "decimal")
# What Python has not: name characters, Unicode blocks and properties.
_OWN_WORDS = re.compile(r"\\[iIcCpP]")
_SAMPLES = {
    "date": ("2026-03-01",),
    "dateTime": ("2026-03-01T09:30:00", *(f"2026-03-01T09:30:00.{'0' * digits}" for digits in (1, 3, 6, 7))),
    "time": ("09:30:00", "09:30:00.0", "09:30:00.000"),
}  # fmt: skip


def narrowed(base: Schema, node: etree._Element) -> Schema:
    """A type with the facets of a restriction laid over it. What cannot be told in the neutral form is left out."""
    made = dict(base)
    facets: dict[str, list[str]] = {}
    for one in node.iterchildren(f"{{{XSD}}}*"):
        if (value := one.get("value")) is not None:
            facets.setdefault(etree.QName(one).localname, []).append(value)
    if words := facets.get("enumeration"):
        made["enum"] = list(dict.fromkeys(words))
    for facet, keys in _LENGTHS.items():
        for value in facets.get(facet, ()):
            if value.isdigit():
                made |= dict.fromkeys(keys, int(value))
    if made.get("x-lexical") in _NUMBERS:
        _limits(made, facets)
    if patterns := facets.get("pattern"):
        _patterned(made, patterns)
    return made


_LENGTHS = {"length": ("minLength", "maxLength"), "minLength": ("minLength",), "maxLength": ("maxLength",)}


def _limits(made: Schema, facets: Mapping[str, list[str]]) -> None:
    whole = made["x-lexical"] == "integer"
    for facet, key, step in (
        ("minInclusive", "minimum", 0), ("maxInclusive", "maximum", 0),
        ("minExclusive", "minimum", 1), ("maxExclusive", "maximum", -1),
    ):  # fmt: skip
        for value in facets.get(facet, ()):
            try:
                number = int(value) if whole else float(value)
            except ValueError:
                continue
            if step == 0 or whole:
                made[key] = number + step


def _patterned(made: Schema, patterns: list[str]) -> None:
    """Several patterns of one step are alternatives; one more step narrows the one before."""
    translated = [translate(pattern) for pattern in patterns]
    if any(one is None for one in translated):
        return
    pattern = "^(?:" + "|".join(one for one in translated if one is not None) + ")$"
    lexical = made.get("x-lexical")
    if lexical in _SAMPLES:
        made |= _zone_of(pattern, _SAMPLES[lexical])
    if (before := made.get("pattern")) is not None and before != pattern:
        pattern = f"(?={before})(?={pattern})"
    made["pattern"] = pattern


def _zone_of(pattern: str, samples: tuple[str, ...]) -> Schema:
    """Whether a pattern lets a moment have an offset; the samples are spellings without one."""
    matches = re.compile(pattern).fullmatch
    bare = any(matches(one) for one in samples)
    offset = any(matches(one + end) for one in samples for end in ("Z", "+01:00", "+00:00"))
    if bare == offset:
        return {}
    return {"x-zone": "none" if bare else "required"}


def translate(pattern: str) -> str | None:
    """A pattern of XML Schema as Python and JSON Schema have it, without its anchors; None if that is not safe."""
    if _OWN_WORDS.search(pattern):
        return None
    made, within, at = [], False, 0
    while at < len(pattern):
        sign = pattern[at]
        if sign == "\\":
            made.append(pattern[at : at + 2])
            at += 2
            continue
        if sign == "[":
            if within:
                return None  # one class less another
            within = True
        elif sign == "]":
            within = False
        made.append("\\" + sign if sign in "^$" and not within else sign)
        at += 1
    text = "".join(made)
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError):
        return None
    return text


def union_of(members: list[Schema]) -> Schema:
    """A union: its words where every member is a list of words, else the one member that there is, else any text."""
    if members and all("enum" in one for one in members):
        return {"type": "string", "enum": list(dict.fromkeys(word for one in members for word in one["enum"]))}
    return members[0] if len(members) == 1 else {"type": "string"}


def takes_nothing(leaf: Schema) -> bool:
    """Whether an empty element is a value of the type."""
    return not (leaf.get("x-lexical") or leaf.get("enum") or leaf.get("pattern") or leaf.get("minLength"))
