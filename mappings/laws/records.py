"""Records, invented from an interface in its neutral form: order, choices, nothing, lengths, patterns, one or many.

What the interface allows is what comes out, with one thing added from the mapping: where a row has a code list, its
codes, since an unknown code is stopped or left out on purpose, and no law speaks of that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Set
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass
from typing import Any, Literal

from hypothesis import strategies as st

from mappings.interface import Schema
from mappings.laws import values
from mappings.laws.values import Values
from mappings.meta import Json
from mappings.terms import Terms

Keys = tuple[str, ...]
Presence = Literal["some", "all", "none"]  # of what is optional
_NAMES = {"null": st.none(), "boolean": st.booleans()}
_UNKNOWN_KEY = "Something that no row maps"
_WHOLE_NUMBERS = (-1_000_000, 1_000_000)


@dataclass(frozen=True, slots=True)
class Hint:
    """What a mapping knows of the values at one place. `only`: no other value is of use there."""

    values: tuple[Json, ...]
    only: bool = False


def hints_of(terms: Iterable[Terms]) -> dict[Keys, Hint]:
    """The codes, the empty values and the usual spellings that a mapping names, by the keys that lead to them."""
    found: dict[Keys, Hint] = {}
    for row in terms:
        for path in row.theirs if row.reads else ():
            keys = tuple(step.key for step in path)
            found |= {(*keys, *inner): hint for inner, hint in hints_of(row.items).items()}
            if row.codes is not None:
                found[keys] = Hint((*sorted(row.codes.reads()), *row.absent), only=True)
            elif spelled := (*values.SPELLED.get(row.converter.name if row.converter else "", ()), *row.absent):
                found[keys] = Hint(spelled)
    return found


def records(schema: Schema, hints: Dictionary[Keys, Hint]) -> Values:
    """Records that a system may show: as few fields as may be, all of them, and whatever lies between.

    Where the interface lets a record be nothing as a whole, it says that there is none, and no law speaks of that.
    """
    if not isinstance(kinds := schema.get("type", "object"), str):
        schema = {**schema, "type": [kind for kind in kinds if kind != "null"]}
    wanted: tuple[Presence, ...] = ("some", "all", "some", "none")
    return st.one_of(*(_Inventor(hints, presence).node(schema, ()) for presence in wanted))


class _Inventor:
    """Turns a schema into a strategy, part by part."""

    def __init__(self, hints: Dictionary[Keys, Hint], presence: Presence) -> None:
        self.hints = hints
        self.presence = presence

    def node(self, schema: Schema, at: Keys) -> Values:
        """Whatever may stand at this place."""
        if "anyOf" in schema:
            shapes = [shape for shape in schema["anyOf"] if self.presence != "all" or shape.get("type") != "null"]
            return st.one_of(*(self.node(shape, at) for shape in shapes or schema["anyOf"]))
        if (hint := self.hints.get(at)) is not None and (fitting := [one for one in hint.values if fits(schema, one)]):
            return st.sampled_from(fitting) if hint.only else st.one_of(st.sampled_from(fitting), self._any(schema, at))
        return self._any(schema, at)

    def _any(self, schema: Schema, at: Keys) -> Values:
        if "const" in schema:
            return st.just(schema["const"])
        if "enum" in schema:
            return st.sampled_from(schema["enum"])
        kinds = schema.get("type", "object" if "properties" in schema else "string")
        several = [kinds] if isinstance(kinds, str) else list(kinds)
        if self.presence == "all" and len(several) > 1:
            several = [kind for kind in several if kind != "null"]
        return st.one_of(*(self._of_kind(kind, schema, at) for kind in several))

    def _of_kind(self, kind: str, schema: Schema, at: Keys) -> Values:
        if kind == "object":
            return self._object(schema, at)
        if kind == "array":
            return self._array(schema, at)
        if kind in ("integer", "number"):
            return _numbers(schema)
        return _NAMES[kind] if kind in _NAMES else _text(schema)

    def _object(self, schema: Schema, at: Keys) -> Values:
        properties: Dictionary[str, Schema] = schema.get("properties", {})
        chosen = {name for choice in schema.get("x-choices", ()) for names in choice["of"] for name in names}
        must = [name for name in schema.get("required", ()) if name in properties]
        may = [name for name in properties if name not in must and name not in chosen]
        made = {name: self.node(inner, (*at, name)) for name, inner in properties.items()}
        optional = {name: made[name] for name in may}
        if schema.get("additionalProperties") is True:
            optional[_UNKNOWN_KEY] = st.just("as it was")
        parts = [self._fields({name: made[name] for name in must}, optional)]
        for choice in schema.get("x-choices", ()):
            groups = [st.fixed_dictionaries({name: made[name] for name in names}) for names in choice["of"]]
            parts.append(st.one_of(*groups, *([st.just({})] if choice["min"] == 0 else [])))
        order = list(schema.get("x-order", properties))
        return st.tuples(*parts).map(lambda found: _in_order(found, order)) if len(parts) > 1 or order else parts[0]

    def _fields(self, must: dict[str, Values], may: dict[str, Values]) -> Values:
        if self.presence == "all":
            return st.fixed_dictionaries(must | may)
        return st.fixed_dictionaries(must, optional=may if self.presence == "some" else {})

    def _array(self, schema: Schema, at: Keys) -> Values:
        # In XML an empty list cannot be told from one that is not there: then its key is not there either.
        least, most = max(schema.get("minItems", 0), int(bool(schema.get("x-one-or-many")))), schema.get("maxItems")
        fewest = max(least, 1) if self.presence == "all" else least
        longest = least if self.presence == "none" else max(min(most if most is not None else 3, 4), fewest)
        items = st.lists(self.node(schema.get("items", {}), at), min_size=fewest, max_size=longest)
        if not schema.get("x-one-or-many"):
            return items
        return st.tuples(items, st.booleans()).map(_bare_or_not)


def _bare_or_not(drawn: tuple[list[Json], bool]) -> Json:
    items, bare = drawn
    return items[0] if bare and len(items) == 1 else items


def required(schema: Schema, at: Keys = ()) -> set[Keys]:
    """The keys that lead to what the interface never goes without, the items of a list without their number."""
    found: set[Keys] = set()
    for shape in (*schema.get("anyOf", ()), schema):
        found |= {(*at, name) for name in shape.get("required", ())}
        found |= {
            (*at, name) for choice in shape.get("x-choices", ()) for names in choice["of"] for name in names
        }  # which of a choice may go depends on the others: none of them is taken out
        for name, inner in shape.get("properties", {}).items():
            found |= required(inner, (*at, name))
        found |= required(shape["items"], at) if "items" in shape else set()
    return found


def thinned(value: Json, must: Set[Keys], still: Callable[[Json], bool]) -> Json:
    """The value without every key that is not needed for `still` to hold, nor required."""

    def without(here: Json, at: Keys, whole: Callable[[Json], Json]) -> Json:
        if isinstance(here, list):
            for place, item in enumerate(here):
                put = _putting(here, place, whole)
                here = [*here[:place], without(item, at, put), *here[place + 1 :]]
            return here
        for key in list(here) if isinstance(here, dict) else ():
            less = {name: inner for name, inner in here.items() if name != key}
            if (*at, key) not in must and still(whole(less)):
                here = less
            else:
                here = {**here, key: without(here[key], (*at, key), _putting(here, key, whole))}
        return here

    return without(value, (), lambda part: part)


def _putting(around: Json, place: Any, whole: Callable[[Json], Json]) -> Callable[[Json], Json]:
    """From a part to the whole that has it at this place."""

    def put(part: Json) -> Json:
        if isinstance(around, list):
            return whole([*around[:place], part, *around[place + 1 :]])
        return whole({**around, place: part})

    return put


def _in_order(found: tuple[dict[str, Any], ...], order: list[str]) -> dict[str, Any]:
    together = {name: value for part in found for name, value in part.items()}
    known = [name for name in order if name in together]
    return {name: together[name] for name in [*known, *(name for name in together if name not in known)]}


def _numbers(schema: Schema) -> Values:
    least, most = schema.get("minimum", _WHOLE_NUMBERS[0]), schema.get("maximum", _WHOLE_NUMBERS[1])
    return st.integers(int(least), int(max(least, most)))


def _text(schema: Schema) -> Values:
    made = _lexical(schema)
    if made is not None:
        return made.filter(lambda text: fits(schema, text))
    shortest, longest = schema.get("minLength", 0), schema.get("maxLength")
    if "pattern" in schema:
        return values.matching(schema["pattern"], shortest, longest)
    return values.texts(shortest, longest)


def _lexical(schema: Schema) -> Values | None:
    """Texts that must read as something: by the XML type of the leaf, or by the format of JSON Schema."""
    kind = schema.get("x-lexical") or schema.get("format")
    if kind in ("dateTime", "date-time"):
        needs_one = kind == "date-time" and "x-zone" not in schema  # JSON Schema's own format has an offset always
        return values.moments("required" if needs_one else schema.get("x-zone", "optional"))
    if kind == "integer":
        return _numbers(schema).map(str)
    simple: dict[str | None, Values] = {
        "date": values.days(),
        "time": values.naive_moments().map(lambda at: at.time().isoformat()),
        "boolean": st.sampled_from(["true", "false", "1", "0"]),
        "decimal": st.decimals(-1000, 1000, places=2).map(str),
        "gYear": st.integers(1900, 2100).map(str),
        "gYearMonth": values.days().map(lambda day: day[:7]),
        "base64": st.sampled_from(["", "QQ==", "ZG9sZW4="]),
    }
    return simple.get(kind)


def fits(schema: Schema, value: Json) -> bool:
    """Whether a single value is one that this part of the schema takes, as far as its own limits say."""
    if "anyOf" in schema:
        return any(fits(shape, value) for shape in schema["anyOf"])
    if "enum" in schema:
        return value in schema["enum"]
    if not isinstance(value, str):
        return True
    kinds = schema.get("type", "string")
    long_enough = schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))
    takes = "string" in ([kinds] if isinstance(kinds, str) else kinds)
    if "array" in kinds and "items" in schema:
        return False
    return takes and long_enough and re.search(schema.get("pattern", ""), value) is not None
