"""A quick yes for records that are as the interface says, which is nearly all of them.

jsonschema finds and names a fault well and slowly, so it is asked only about what this says no to. A schema that uses
more than structure and type gets no quick yes at all. A test holds both to the same answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Fits = Callable[[Any], bool]


def _is_integer(value: Any) -> bool:
    return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, float) and value.is_integer())


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_TYPES: Mapping[str, Fits] = {
    "string": lambda value: isinstance(value, str),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "integer": _is_integer,
    "number": _is_number,
}


def quick(schema: Any, formats: Mapping[str, Fits]) -> Fits | None:
    """Compile `schema` to a question, None if it says more than can be asked quickly."""
    if schema is True:
        return lambda _: True
    if not isinstance(schema, dict):
        return None
    asked: list[Fits] = []
    for keyword, told in schema.items():
        compiled = _COMPILERS[keyword](told, schema, formats) if keyword in _COMPILERS else None
        if compiled is None:
            return None
        asked.append(compiled)
    return _all(asked)


def _all(asked: list[Fits]) -> Fits:
    if len(asked) == 1:
        return asked[0]
    if len(asked) == 2:
        first, second = asked
        return lambda value: first(value) and second(value)
    return lambda value: all(fits(value) for fits in asked)


def _several(told: Any, formats: Mapping[str, Fits]) -> list[Fits] | None:
    if not isinstance(told, list):
        return None
    found = [quick(one, formats) for one in told]
    whole = [one for one in found if one is not None]
    return whole if len(whole) == len(found) else None


def _type(told: Any, _schema: Any, _formats: Any) -> Fits | None:
    names = [told] if isinstance(told, str) else told
    if not isinstance(names, list) or not all(isinstance(name, str) and name in _TYPES for name in names):
        return None
    if len(names) == 1:
        return _TYPES[names[0]]
    several = [_TYPES[name] for name in names]
    return lambda value: any(fits(value) for fits in several)


def _required(told: Any, _schema: Any, _formats: Any) -> Fits | None:
    if not isinstance(told, list):
        return None
    names = frozenset(told)
    return lambda value: not isinstance(value, dict) or names <= value.keys()


def _properties(told: Any, _schema: Any, formats: Mapping[str, Fits]) -> Fits | None:
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
            if asked is not None and not asked(below):
                return False
        return True

    return fits


def _items(told: Any, schema: Any, formats: Mapping[str, Fits]) -> Fits | None:
    inner = quick(told, formats)
    if inner is None or "prefixItems" in schema:
        return None
    return lambda value: not isinstance(value, list) or all(inner(one) for one in value)


def _any_of(told: Any, _schema: Any, formats: Mapping[str, Fits]) -> Fits | None:
    several = _several(told, formats)
    return None if several is None else lambda value: any(fits(value) for fits in several)


def _all_of(told: Any, _schema: Any, formats: Mapping[str, Fits]) -> Fits | None:
    several = _several(told, formats)
    return None if several is None else _all(several)


def _format(told: Any, _schema: Any, formats: Mapping[str, Fits]) -> Fits | None:
    known: Fits | None = formats.get(told)
    return known or (lambda _: True)


_COMPILERS: Mapping[str, Callable[[Any, Any, Mapping[str, Fits]], Fits | None]] = {
    "type": _type,
    "required": _required,
    "properties": _properties,
    "items": _items,
    "anyOf": _any_of,
    "allOf": _all_of,
    "format": _format,
}
