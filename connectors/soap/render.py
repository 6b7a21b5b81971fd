"""From a system-shaped record to what zeep renders: names, attributes, wildcards and nil, checked on the way.

zeep keeps the order of the schema by itself, but it guesses: any text that is not "false" becomes true, and an unknown
name becomes a TypeError. What it would guess is refused here, with the path in the record and never the value.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from zeep import xsd
from zeep.xsd.elements import Any as Wildcard
from zeep.xsd.types import AnySimpleType, AnyType, ComplexType

from connectors import xml
from connectors.errors import Rejected

BOOLEANS = ("true", "false", "1", "0")
CONTENT = "_value_1"  # zeep's name for the text of an element that has attributes


def arguments(element: Any, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what zeep wants for an operation's element. Raises Rejected, naming the path that does not fit."""
    return _complex(element.type, record, str(element.qname.namespace or ""), "")


def _value(element: Any, value: Any, path: str) -> Any:
    """Turn what stands under one name into one value or, where the schema repeats the element, a list."""
    if isinstance(value, list):
        if not element.accepts_multiple:
            raise _refused(path, f"stands {len(value)} times, but the interface takes it once")
        return [_one(element, one, path) for one in value]
    made = _one(element, value, path)
    return [made] if element.accepts_multiple and made is not None else made


def _one(element: Any, value: Any, path: str) -> Any:
    if value is None:
        if element.nillable:
            return xsd.Nil
        if element.is_optional:
            return None  # zeep leaves the element out: this interface has no other way to say "empty"
        raise _refused(path, "is empty, but the interface requires it")
    if isinstance(element.type, ComplexType):
        inner = value if isinstance(value, Mapping) else {".": value} if value != "" else {}
        return _complex(element.type, inner, str(element.qname.namespace or ""), path)
    if type(element.type) is AnyType:
        raise _refused(path, "is of any type in the interface, which cannot be written")
    return _leaf(element.type, value, path)


def _complex(kind: ComplexType, record: Mapping[str, Any], namespace: str, path: str) -> dict[str, Any]:
    elements = {element.qname.localname: (name, element) for name, element in kind.elements if element.name}
    attributes = {attribute.qname.localname: (name, attribute) for name, attribute in kind.attributes if attribute.name}
    wildcard = next((name for name, element in kind.elements if isinstance(element, Wildcard)), None)
    content = next((element for name, element in kind.elements if name == CONTENT and element.name == CONTENT), None)
    made: dict[str, Any] = {}
    foreign: list[Any] = []
    for key, value in record.items():
        below = f"{path}/{key}" if path else key
        if key == "." and content is not None:
            made[CONTENT] = _leaf(content.type, value, path)
        elif key in elements and elements[key][1] is not content:
            name, element = elements[key]
            made[name] = _value(element, value, below)
        elif key.startswith("@") and key[1:] in attributes:
            name, attribute = attributes[key[1:]]
            if value is not None:
                made[name] = _leaf(attribute.type, value, below)
        elif wildcard is not None and not key.startswith("@") and key != ".":
            foreign += _foreign(key, value, namespace, below)
        elif key != xml.FOREIGN:
            raise _unknown(below, key, [*elements, *(f"@{name}" for name in attributes)])
    if foreign:
        made[str(wildcard)] = foreign
    return made


def _leaf(kind: Any, value: Any, path: str) -> str:
    if isinstance(value, Mapping) and set(value) == {"."}:
        value = value["."]
    try:
        text = xml.text_of(value)
    except ValueError as problem:
        raise _refused(path, f"cannot be written: {problem}") from None
    if isinstance(kind, xsd.Boolean) and text.strip() not in BOOLEANS:
        raise _refused(path, "is not true or false")
    if not isinstance(kind, AnySimpleType):
        raise _refused(path, "is text, but the interface takes elements here")
    return text


def _foreign(key: str, value: Any, namespace: str, path: str) -> list[Any]:
    try:
        return list(xml.elements_of(key, value, namespace))
    except ValueError as problem:
        raise _refused(path, f"cannot be written: {problem}") from None


def _unknown(path: str, key: str, known: list[str]) -> Rejected:
    near = get_close_matches(key, known, n=1)
    return _refused(path, "is not in the pinned interface" + (f"; is {near[0]} meant?" if near else ""))


def _refused(path: str, words: str) -> Rejected:
    return Rejected(f"not sent: {path or 'the record'} {words}", field=path, code="not-in-interface")
