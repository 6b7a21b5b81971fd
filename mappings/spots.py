"""The values of a system's record, one after the other, with what its interface says of each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

Schema = Mapping[str, Any]
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Spot:
    """One value of a system's record. `must`: it has to be written; `leads`: without it the group around it goes.

    `nulls`: emptiness is written as null in such records, unless a row says otherwise.
    """

    theirs: str
    schema: Schema = field(repr=False)
    many: bool = False
    most: int = 0
    must: bool = False
    leads: bool = False
    nulls: bool = False
    each: tuple[Spot, ...] = ()


def words(name: str) -> list[str]:
    """The words of a name in small letters."""
    return [word.lower() for word in _WORD.findall(name)]


def squeezed(name: str) -> str:
    """The words of a name with nothing between them."""
    return "".join(words(name))


def spots(read: Schema, create: Schema | None = None) -> Iterator[Spot]:
    """Every value of a record, with what has to be written."""
    found = list(_spots(read, create if create is not None else read, "", must=True, deep=_DEEPEST))
    nulls = takes_null([spot.schema for spot in found])
    yield from (replace(spot, nulls=nulls) for spot in found)


def takes_null(values: Sequence[Schema]) -> bool:
    """Whether records of these values write emptiness as null: JSON in which a good part of the values may be null."""
    nullable = [one for one in values if "null" in one.get("type", ())]
    return len(nullable) * 3 > len(values) and not any("x-lexical" in one for one in values)


def _spots(read: Schema, write: Schema, at: str, *, must: bool, deep: int) -> Iterator[Spot]:
    required = set(write.get("required", ()))
    for name, told in read.get("properties", {}).items():
        path = f"{at}/{name}" if at else name
        inner = write.get("properties", {}).get(name, told)
        here, many = must and name in required, "items" in told
        one = told["items"] if many else told
        if "properties" in one and many:
            below = tuple(_spots(one, one, "", must=True, deep=deep - 1)) if deep > 1 else ()
            yield Spot(path, one, True, int(told.get("maxItems", 0)), here, each=below)
        elif "properties" in one:
            if deep > 1:
                yield from _spots(one, inner, path, must=here, deep=deep - 1)
        else:
            leads = not must and name in required
            yield Spot(path, one, many, int(told.get("maxItems", 0)), here, leads)


def groups(schema: Schema, at: str = "") -> Iterator[tuple[str, bool]]:
    """The groups of a record that may be empty: path, and whether null has to stand there then."""
    required = set(schema.get("required", ()))
    for name, inner in schema.get("properties", {}).items():
        path = f"{at}/{name}" if at else name
        if "properties" in inner:
            if name not in required or "null" in inner.get("type", ()):
                yield path, name in required
            yield from groups(inner, path)


def types(schema: Schema) -> frozenset[str]:
    """The types that a value may have, without null; text where nothing is said."""
    told = schema.get("type", "string")
    return frozenset([told] if isinstance(told, str) else told) - {"null"}


def describe(spot: Spot) -> str:
    """What the interface says of a value: its type, whether it must be there, and how long it may be."""
    schema = spot.schema
    kind = schema.get("x-lexical") or schema.get("format") or " or ".join(sorted(types(schema)))
    kind = {"string": "text"}.get(kind, kind)
    parts = [f"a list of {kind}" if spot.many else kind]
    if spot.each:
        parts = [f"a list of groups with {', '.join(each.theirs for each in spot.each[:8])}"]
    if "maxLength" in schema:
        parts.append(f"at most {schema['maxLength']} characters")
    if schema.get("enum"):
        codes = [str(code) for code in schema["enum"]]
        parts.append(f"one of {', '.join(codes[:8])}{' ...' if len(codes) > 8 else ''}")
    parts.append("required" if spot.must else "may be left out")
    return ", ".join(parts)
