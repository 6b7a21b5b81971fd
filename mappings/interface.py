"""The neutral form: what a kind of record looks like to its system, whatever language its interface is written in.

Connectors turn WSDL and XSD, OpenAPI, FHIR and JSON Schema into it; pipelines hand it over as plain data, since the two
rooms are strangers. It describes records as the port of the connectors gives and takes them. The vocabulary:

- JSON Schema 2020-12 without `$ref` and `allOf`: `type` (a name or a list with "null"), `properties`, `required`,
  `additionalProperties` (true where anything may stand, false or left out where not), `items`, `minItems`, `maxItems`,
  `enum`, `const`, `minLength`, `maxLength`, `pattern`, `format`, `minimum`, `maximum`, `anyOf` (shapes of which
  one holds).
- `x-lexical`: what the text of an XML leaf must read as, where the record holds text: "date", "dateTime", "time",
  "boolean", "integer", "decimal", "gYear", "gYearMonth", "base64". Then `type` is "string".
- `x-zone`: for a moment: "required", "optional" or "none" (an offset may not stand there).
- `x-one-or-many`: an XML element that may repeat: `type` is "array", and a record read may hold one item bare.
- `x-order`: names of `properties` in the order in which they must be written.
- `x-choices`: [{"min": 0 or 1, "of": [["A"], ["B", "C"]]}]: of these groups of names at most one may be there, and one
  must where `min` is 1. Names of a choice are never in `required`.
- `x-stopped`: true where the interface goes on in itself, or deeper than a record can, and this form does not follow.
- `x-where`: [file, line] in the pinned interface; left out where the lines are not known (OpenAPI, JSON Schema).

Keys of `properties` are spelled as in a record: attributes begin with "@", the own text of an element with attributes
is ".".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Literal

from mappings.meta import Json
from mappings.paths import Path, Step

Schema = Mapping[str, Any]
Use = Literal["read", "create", "update"]


@dataclass(frozen=True, slots=True)
class Interface:
    """One kind of record of one system.

    `read`, `create` and `update` are schemas in the neutral form, None where the profile has no such operation.
    `ours`: paths (as a mapping's `theirs`) that the connector itself fills or takes out: id, version, our key, stamps.
    """

    system: str
    kind: str
    file: str  # the pinned file, as findings call it
    read: Schema | None = field(default=None, repr=False)
    create: Schema | None = field(default=None, repr=False)
    update: Schema | None = field(default=None, repr=False)
    ours: frozenset[str] = frozenset()

    def of(self, use: Use) -> Schema | None:
        """The schema of one use."""
        found: Schema | None = getattr(self, use)
        return found


def interface_of(data: Mapping[str, Json]) -> Interface:
    """The interface from what a connector gave as plain data, with the keys of `Interface`."""
    return Interface(**{**data, "ours": frozenset(data.get("ours", ()))})


@dataclass(frozen=True, slots=True)
class Found:
    """What stands at a path.

    `way`: each step with what stands there, the list itself where something repeats. `open`: the path leads into a
    part where anything may stand, so no more is known. `unpicked`: lists that it goes through without naming an item.
    """

    schema: Schema
    way: tuple[tuple[Step, Schema], ...] = ()
    open: bool = False
    unpicked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Missing:
    """A path that leads to nothing. `place`: the number of the step; `key`: its key, or that of its filter.

    `known`: the names that stand there. `near`: the whole path that may have been meant, "" if none is near.
    """

    place: int
    key: str
    known: tuple[str, ...]
    near: str = ""


def look(schema: Schema, path: Path) -> Found | Missing:
    """Follow a mapping's path through a schema: what stands there, or the nearest names."""
    here = schema
    way: list[tuple[Step, Schema]] = []
    unpicked: list[str] = []
    for place, step in enumerate(path):
        if is_list(here):
            if place and not path[place - 1].where:
                unpicked.append("/".join(str(one) for one in path[:place]))
            here = item_of(here)
        found = named(here, step.key)
        if found is None:
            if anything(here):
                return Found({}, tuple(way), open=True, unpicked=tuple(unpicked))
            known = names(here)
            return Missing(place, step.key, known, _near(schema, path, place, known))
        item = item_of(found)
        for key, _ in step.where:
            if named(item, key) is None and not anything(item):
                known = names(item)
                near = get_close_matches(key, known, n=1)
                return Missing(place, key, known, near[0] if near else "")
        way.append((step, found))
        here = found
    return Found(here, tuple(way), unpicked=tuple(unpicked))


def shapes(schema: Schema) -> tuple[Schema, ...]:
    """The shapes of which one holds; the schema itself where there is only one."""
    return tuple(schema.get("anyOf", ())) or (schema,)


def kinds(schema: Schema) -> frozenset[str]:
    """The names of the types that may stand there, empty where anything may."""
    told = schema.get("type")
    if told is None:
        return frozenset(kind for one in schema.get("anyOf", ()) for kind in kinds(one))
    return frozenset(told if isinstance(told, list) else [told])


def nullable(schema: Schema) -> bool:
    """Whether an empty value (null, xsi:nil) may stand there."""
    found = kinds(schema)
    return not found or "null" in found


def is_list(schema: Schema) -> bool:
    """Whether a list stands there, and nothing but a list."""
    return kinds(schema) - {"null"} == {"array"}


def item_of(schema: Schema) -> Schema:
    """What one item of a list is; a schema that is no list is its own item."""
    for one in shapes(schema):
        if "items" in one:
            inner: Schema = one["items"]
            return inner
    return {} if is_list(schema) else schema


def anything(schema: Schema) -> bool:
    """Whether names that the interface does not tell may stand below."""
    return not schema or any(one.get("additionalProperties") is True for one in shapes(schema))


def named(schema: Schema, key: str) -> Schema | None:
    """What stands under a key; "." is the own text of an element, or a value that has nothing below it."""
    for one in shapes(schema):
        below = one.get("properties", {})
        if key in below:
            found: Schema = below[key]
            return found
    return schema if key == "." and not names(schema) and kinds(schema) - {"object", "array"} else None


def names(schema: Schema) -> tuple[str, ...]:
    """All names below."""
    return tuple(dict.fromkeys(name for one in shapes(schema) for name in one.get("properties", {})))


def _near(schema: Schema, path: Path, place: int, known: tuple[str, ...]) -> str:
    """The path that may have been meant: a like name at this place, else the same name at another."""
    wanted = path[place].key
    folded = {name.casefold().replace("_", "").replace("-", ""): name for name in known}
    alike = folded.get(wanted.casefold().replace("_", "").replace("-", ""))
    near = [alike] if alike else get_close_matches(wanted, known, n=1)
    if near:
        return "/".join([*(str(step) for step in path[:place]), near[0]])
    last = path[-1].key
    if last == ".":
        return ""
    return next((below for below in _below(schema, "", 0) if below.rpartition("/")[2] == last), "")


_DEEPEST = 6  # a name that stands deeper is no likely meaning


def _below(schema: Schema, prefix: str, depth: int) -> Iterator[str]:
    for one in shapes(item_of(schema)) if depth < _DEEPEST else ():
        for name, inner in one.get("properties", {}).items():
            yield f"{prefix}{name}"
            yield from _below(inner, f"{prefix}{name}/", depth + 1)
