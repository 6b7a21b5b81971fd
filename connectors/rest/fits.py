"""A quick yes for records that are as the interface says, which is nearly all of them.

jsonschema finds and names a fault well and slowly, so it is asked only about what this says no to. A schema that uses
more than structure and type gets no quick yes at all. A test holds both to the same answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

Fits = Callable[[Any], bool]


class Asked(NamedTuple):
    """A schema as a question. Most of a record is text or nothing, which its type alone answers."""

    sure: frozenset[type]  # a value of exactly one of these types fits, whatever it is
    fits: Fits  # asked of all others

    def __call__(self, value: Any) -> bool:
        return type(value) in self.sure or self.fits(value)


def _is_integer(value: Any) -> bool:
    return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, float) and value.is_integer())


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_EVERY: frozenset[type] = frozenset({str, int, float, bool, type(None), dict, list})
_BUT_TEXT, _BUT_OBJECTS, _BUT_LISTS = (frozenset(_EVERY - {kind}) for kind in (str, dict, list))
_TYPES: Mapping[str, Asked] = {
    "string": Asked(frozenset({str}), lambda value: isinstance(value, str)),
    "object": Asked(frozenset({dict}), lambda value: isinstance(value, dict)),
    "array": Asked(frozenset({list}), lambda value: isinstance(value, list)),
    "boolean": Asked(frozenset({bool}), lambda value: isinstance(value, bool)),
    "null": Asked(frozenset({type(None)}), lambda value: value is None),
    "integer": Asked(frozenset({int}), _is_integer),
    "number": Asked(frozenset({int, float}), _is_number),
}


def quick(schema: Any, formats: Mapping[str, Fits]) -> Asked | None:
    """Compile `schema` to a question, None if it says more than can be asked quickly."""
    if schema is True:
        return Asked(_EVERY, lambda _: True)
    if not isinstance(schema, dict):
        return None
    asked: list[Asked] = []
    for keyword, told in schema.items():
        compiled = _COMPILERS[keyword](told, schema, formats) if keyword in _COMPILERS else None
        if compiled is None:
            return None
        asked.append(compiled)
    return _all(asked)


def _all(asked: Sequence[Asked]) -> Asked:
    if len(asked) == 1:
        return asked[0]

    def fits(value: Any) -> bool:
        kind = type(value)
        for sure, ask in asked:  # noqa: SIM110 - a generator costs as much as the questions
            if kind not in sure and not ask(value):
                return False
        return True

    return Asked(_EVERY.intersection(*(one.sure for one in asked)), fits)


def _any(asked: Sequence[Asked]) -> Asked:
    if len(asked) == 1:
        return asked[0]

    def fits(value: Any) -> bool:
        for _, ask in asked:  # noqa: SIM110 - the same
            if ask(value):
                return True
        return False

    return Asked(frozenset[type]().union(*(one.sure for one in asked)), fits)


def _several(told: Any, formats: Mapping[str, Fits]) -> list[Asked] | None:
    if not isinstance(told, list):
        return None
    found = [quick(one, formats) for one in told]
    whole = [one for one in found if one is not None]
    return whole if len(whole) == len(found) else None


def _type(told: Any, _schema: Any, _formats: Any) -> Asked | None:
    names = [told] if isinstance(told, str) else told
    if not isinstance(names, list) or not all(isinstance(name, str) and name in _TYPES for name in names):
        return None
    return _any([_TYPES[name] for name in names])


def _required(told: Any, _schema: Any, _formats: Any) -> Asked | None:
    if not isinstance(told, list):
        return None
    names = frozenset(told)
    return Asked(_BUT_OBJECTS, lambda value: not isinstance(value, dict) or names <= value.keys())


def _properties(told: Any, _schema: Any, formats: Mapping[str, Fits]) -> Asked | None:
    if not isinstance(told, dict):
        return None
    compiled = _several(list(told.values()), formats)
    if compiled is None:
        return None
    inner = dict(zip(told, compiled, strict=True))

    def fits(value: Any) -> bool:
        if not isinstance(value, dict):
            return True
        for name, below in value.items():
            asked = inner.get(name)
            if asked is not None and type(below) not in asked[0] and not asked[1](below):
                return False
        return True

    return Asked(_BUT_OBJECTS, fits)


def _items(told: Any, schema: Any, formats: Mapping[str, Fits]) -> Asked | None:
    inner = quick(told, formats)
    if inner is None or "prefixItems" in schema:
        return None
    sure, ask = inner

    def fits(value: Any) -> bool:
        if not isinstance(value, list):
            return True
        for one in value:  # noqa: SIM110 - the same
            if type(one) not in sure and not ask(one):
                return False
        return True

    return Asked(_BUT_LISTS, fits)


def _any_of(told: Any, _schema: Any, formats: Mapping[str, Fits]) -> Asked | None:
    several = _several(told, formats)
    return None if several is None else _any(several)


def _all_of(told: Any, _schema: Any, formats: Mapping[str, Fits]) -> Asked | None:
    several = _several(told, formats)
    return None if several is None else _all(several)


def _format(told: Any, _schema: Any, formats: Mapping[str, Fits]) -> Asked | None:
    known = formats.get(told)
    return Asked(_EVERY, lambda _: True) if known is None else Asked(_BUT_TEXT, known)


_COMPILERS: Mapping[str, Callable[[Any, Any, Mapping[str, Fits]], Asked | None]] = {
    "type": _type,
    "required": _required,
    "properties": _properties,
    "items": _items,
    "anyOf": _any_of,
    "allOf": _all_of,
    "format": _format,
}
