"""From JSON Schema and OpenAPI 3.0 or 3.1 to the neutral form: no references, no `allOf`, null told by the type."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

from connectors.errors import Misconfigured

Schema = dict[str, Any]

_KEPT = ("minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems")
_LEAST = ("maxLength", "maximum", "maxItems")  # of two that both hold, the smaller one counts
_GREATEST = ("minLength", "minimum", "minItems")
_TYPES: Mapping[type, str] = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}
_STOPPED: Schema = {"type": "object", "additionalProperties": True, "x-stopped": True}
_DEEPEST = 24
_MOST = 50_000  # parts of one record; more is a bomb of references and not a record
_BARE = ("2026-03-01T09:30:00", "2026-03-01T09:30:00.0", "2026-03-01T09:30:00.000")


class Flattener:
    """Flattens the schemas of one file. `follow` gives what a reference names; `use`: "read" or "write".

    With `names` a schema also tells what a draft wants to know: the component it comes from (`x-type`), what is written
    about it (`description`), and whether only the system sets it (`readOnly`).
    """

    def __init__(self, name: str, follow: Callable[[str], Any], *, use: str, names: bool = False) -> None:
        self._names = names
        self._noted = ("description", "readOnly") if names else ()
        self._name = name
        self._follow = follow
        self._hidden = "writeOnly" if use == "read" else "readOnly"
        self._parts = 0

    def made(self, node: Any) -> Schema:
        """The neutral form. Raises Misconfigured for a reference to nothing and for a schema beyond all measure."""
        self._parts = 0
        try:
            return self._flat(node, ())
        except RecursionError:
            raise Misconfigured(f"{self._name}: its schemas lie in one another beyond all measure") from None

    def _flat(self, node: Any, under: tuple[str, ...]) -> Schema:
        self._parts += 1
        if self._parts > _MOST:
            raise Misconfigured(f"{self._name}: a schema grows beyond {_MOST} parts when its references are followed")
        if not isinstance(node, Mapping):
            return {"additionalProperties": True}  # true: anything
        if len(under) > _DEEPEST:
            return dict(_STOPPED)
        found = [self._own(node, under)]
        if isinstance(reference := node.get("$ref"), str):
            if reference in under:
                return dict(_STOPPED)
            told = self._flat(self._follow(reference), (*under, reference))
            found.append({**told, "x-type": reference.rsplit("/", 1)[-1]} if self._names else told)
        found += [self._flat(one, under) for one in _listed(node, "allOf")]
        whole = reduce(both, found)
        for key in ("oneOf", "anyOf"):
            if branches := _listed(node, key):
                whole = self._either(whole, branches, under)
        if node.get("nullable") is True and "type" in whole:
            whole["type"] = _type([*_types(whole), "null"])
        return whole or {"additionalProperties": True}

    def _own(self, node: Mapping[str, Any], under: tuple[str, ...]) -> Schema:
        """What a schema says itself, beside references and combinations. A value of no sense says nothing."""
        made: Schema = {key: node[key] for key in _KEPT if _is_number(node.get(key))}
        made |= {key: node[key] for key in self._noted if key in node}
        if isinstance(node.get("format"), str):
            made["format"] = node["format"]
        kinds = node.get("type")
        if isinstance(kinds, str) or (isinstance(kinds, list) and all(isinstance(kind, str) for kind in kinds)):
            made["type"] = kinds if isinstance(kinds, str) else _type(kinds)
        words = [node["const"]] if "const" in node else node.get("enum")
        if isinstance(words, list) and all(type(word) in _TYPES for word in words):
            made["type"] = made.get("type") or _type([_TYPES.get(type(word), "object") for word in words])
            if None in words:
                made["type"] = _type([*_types(made), "null"])
            made["enum"] = [word for word in words if word is not None]
        if isinstance(pattern := node.get("pattern"), str) and _reads(pattern):
            made["pattern"] = pattern
        if made.get("format") == "date-time":
            made["x-zone"] = _zone(made.get("pattern"))
        if "items" in node:
            made |= {"type": made.get("type", "array"), "items": self._flat(node["items"], under)}
        if choices := _choices(node):
            made["x-choices"] = choices
        return made | self._object(node, under)

    def _object(self, node: Mapping[str, Any], under: tuple[str, ...]) -> Schema:
        told, more = node.get("properties"), node.get("additionalProperties")
        needed = [name for name in _listed(node, "required") if isinstance(name, str)]
        if not isinstance(told, Mapping):
            if more in (None, False) and not needed:
                free = node.get("type") == "object" and more is None and not _combined(node)
                return {"additionalProperties": True} if free else {}
            told = {}
        kept = {str(name): inner for name, inner in told.items() if not self._is_hidden(inner)}
        made: Schema = {} if "type" in node else {"type": "object"}
        made["properties"] = {name: self._flat(inner, under) for name, inner in kept.items()}
        hidden = {str(name) for name in told} - kept.keys()
        if shown := [name for name in needed if name not in hidden]:
            made["required"] = shown
        if more not in (None, False):
            made["additionalProperties"] = True
        return made

    def _is_hidden(self, node: Any) -> bool:
        return isinstance(node, Mapping) and node.get(self._hidden) is True

    def _either(self, whole: Schema, branches: list[Any], under: tuple[str, ...]) -> Schema:
        """Of several shapes one holds. Null among them is told by the type, and words are put together."""
        made = [self._flat(one, under) for one in branches]
        shapes = [one for one in made if one.get("type") != "null"]
        nil = len(shapes) < len(made)
        if not shapes:
            return both(whole, {"type": "null"})
        if len(shapes) == 1:
            told = both(whole, shapes[0])
        elif all("enum" in one for one in shapes):
            kinds = _type([kind for one in shapes for kind in _types(one)])
            words = dict.fromkeys(word for one in shapes for word in one["enum"])
            told = both(whole, {"type": kinds, "enum": list(words)})
        else:
            told = {"anyOf": [both(whole, one) for one in shapes]}
            kinds = _type([kind for one in told["anyOf"] for kind in _types(one)])
            if kinds:
                told["type"] = kinds
        if nil and "type" in told:
            told["type"] = _type([*_types(told), "null"])
        return told


def both(one: Schema, other: Schema) -> Schema:
    """What holds where two schemas both hold."""
    if not one or not other:
        return dict(other or one)
    made = one | other
    if "type" in one and "type" in other:
        made["type"] = _type(_shared(_types(one), _types(other)))
    for keys, choose in ((_LEAST, min), (_GREATEST, max)):
        made |= {key: choose(one[key], other[key]) for key in keys if key in one and key in other}
    if "enum" in one and "enum" in other:
        made["enum"] = [word for word in one["enum"] if word in other["enum"]]
    if "pattern" in one and "pattern" in other and one["pattern"] != other["pattern"]:
        made["pattern"] = f"(?={one['pattern']})(?={other['pattern']})"
    if "required" in one or "required" in other:
        made["required"] = list(dict.fromkeys([*one.get("required", ()), *other.get("required", ())]))
    if "properties" in one or "properties" in other:
        mine, yours = one.get("properties", {}), other.get("properties", {})
        made["properties"] = mine | {
            name: both(mine[name], inner) if name in mine else inner for name, inner in yours.items()
        }
    if "x-choices" in one and "x-choices" in other:
        made["x-choices"] = [*one["x-choices"], *(told for told in other["x-choices"] if told not in one["x-choices"])]
    made.pop("additionalProperties", None)
    if _opened(one, other):
        made["additionalProperties"] = True
    if "items" in one and "items" in other:
        made["items"] = both(one["items"], other["items"])
    return made


def _opened(one: Schema, other: Schema) -> bool:
    """Whether anything may stand in both: a bare `type: object` beside named properties does not open them."""
    said = [part for part in (one, other) if "properties" in part or part.get("x-stopped")] or [one, other]
    if len(said) == 1 or said[0].get("x-stopped") or said[1].get("x-stopped"):
        return any(part.get("additionalProperties") is True for part in said)
    bare = all("properties" not in part for part in said)
    return (all if bare else any)(part.get("additionalProperties") is True for part in said)


def _shared(mine: list[str], yours: list[str]) -> list[str]:
    """The types that both allow; every integer is a number."""
    found = [kind for kind in mine if kind in yours or (kind == "integer" and "number" in yours)]
    return found + [kind for kind in yours if kind == "integer" and "number" in mine and kind not in found]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _types(schema: Schema) -> list[str]:
    kinds = schema.get("type", [])
    return kinds if isinstance(kinds, list) else [kinds]


def _type(kinds: list[str]) -> Any:
    """A type as it is written: one name alone, several as a list, null last."""
    found = list(dict.fromkeys(kinds))
    if "null" in found:
        found = [*(kind for kind in found if kind != "null"), "null"]
    return found[0] if len(found) == 1 else found


def _listed(node: Mapping[str, Any], key: str) -> list[Any]:
    found = node.get(key)
    return found if isinstance(found, list) else []


def _choices(node: Mapping[str, Any]) -> list[Schema]:
    """The names of which one may stand there, where a file of ours tells them; JSON Schema itself has no such word."""
    return [
        {"min": 1 if one.get("min") == 1 else 0, "of": one["of"]}
        for one in _listed(node, "x-choices")
        if isinstance(one, Mapping) and _is_choice(one.get("of"))
    ]


def _is_choice(groups: Any) -> bool:
    return isinstance(groups, list) and all(
        isinstance(group, list) and bool(group) and all(isinstance(name, str) for name in group) for group in groups
    )


def _combined(node: Mapping[str, Any]) -> bool:
    return any(key in node for key in ("$ref", "allOf", "oneOf", "anyOf"))


def _reads(pattern: str) -> bool:
    """Whether Python reads the pattern; what it does not is left to the system itself."""
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return False
    return True


def _zone(pattern: str | None) -> str:
    """A moment of JSON carries an offset by its standard, unless a pattern of the interface says that it may not."""
    if pattern is None:
        return "required"
    search = re.compile(pattern).search
    bare = any(search(one) for one in _BARE)
    offset = any(search(one + end) for one in _BARE for end in ("Z", "+01:00", "+00:00"))
    return "required" if offset and not bare else "none" if bare and not offset else "optional"
