"""Cases between XML and plain data, by the order, the lists and the attributes that the WSDL itself declares.

As data every value is a string; an element with children is an object, one that may repeat is always a list, an
attribute is "@name" and the text beside it ".".
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from sandbox.store import Json

WSDL = Path(__file__).parent.parent / "interfaces" / "verint.wsdl"
NAMESPACE = "urn:example:crm:1"
_XS = "{http://www.w3.org/2001/XMLSchema}"


@dataclass(frozen=True, slots=True)
class _Child:
    name: str
    type: str  # name of its complex type, "" for plain text
    many: bool


@dataclass(frozen=True, slots=True)
class _Type:
    children: tuple[_Child, ...]
    attributes: tuple[str, ...]


@lru_cache(maxsize=1)
def wsdl() -> bytes:
    """Return the interface's bytes."""
    return WSDL.read_bytes()


def trusted_parser() -> etree.XMLParser:
    """Return a parser that neither expands entities nor goes to the network."""
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


@lru_cache(maxsize=1)
def _schema_element() -> etree._Element:
    found = etree.fromstring(wsdl(), trusted_parser()).find(f".//{_XS}schema")
    assert found is not None
    return etree.fromstring(etree.tostring(found), trusted_parser())


@lru_cache(maxsize=1)
def _types() -> dict[str, _Type]:
    declared = _schema_element().findall(f"{_XS}complexType")
    names = {str(each.get("name")) for each in declared}
    found = {}
    for each in declared:
        children = tuple(
            _Child(
                str(child.get("name")),
                of if (of := str(child.get("type", "")).removeprefix("c:")) in names else "",
                child.get("maxOccurs", "1") != "1",
            )
            for child in each.iter(f"{_XS}element")
        )
        found[str(each.get("name"))] = _Type(children, tuple(str(a.get("name")) for a in each.iter(f"{_XS}attribute")))
    return found


def to_data(element: etree._Element, type: str) -> Json:
    """Return a valid element of that complex type as plain data."""
    told = _types()[type]
    data: Json = {f"@{name}": element.get(name) for name in told.attributes if element.get(name) is not None}
    if not told.children:
        data["."] = element.text or ""
    for each in element:
        child = next(one for one in told.children if one.name == etree.QName(each).localname)
        value = to_data(each, child.type) if child.type else each.text or ""
        if child.many:
            data.setdefault(child.name, []).append(value)
        else:
            data[child.name] = value
    return data


def to_xml(data: Json, type: str, name: str) -> str:
    """Return XML text in the order of the schema, in the prefix `c`. Raises ValueError for what has no place."""
    told = _types()[type]
    known = {child.name for child in told.children} | {f"@{name}" for name in told.attributes}
    if wrong := sorted(set(data) - known - ({"."} if not told.children else set())):
        raise ValueError(f"{name} has no element {wrong[0]!r}.")
    marks = "".join(f" {at}={quoteattr(str(data[f'@{at}']))}" for at in told.attributes if f"@{at}" in data)
    inner = escape(str(data.get(".", ""))) if not told.children else ""
    for child in told.children:
        value = data.get(child.name)
        for one in value if isinstance(value, list) else [] if value is None else [value]:
            if child.type:
                inner += to_xml(one, child.type, child.name)
            elif isinstance(one, str):
                inner += f"<c:{child.name}>{escape(one)}</c:{child.name}>"
            else:
                raise ValueError(f"{child.name} must be a text in quotes, as it stands in XML.")
    return f"<c:{name}{marks}>{inner}</c:{name}>"


class Schema:
    """The pinned schema. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._schema = etree.XMLSchema(_schema_element())

    def fault(self, body: etree._Element) -> tuple[str, str] | None:
        """Return (path of the refused element, reason) for the first thing that is wrong, or None."""
        with self._lock:
            if self._schema.validate(body):
                return None
            error: etree._LogEntry = cast(Any, self._schema.error_log)[0]
            # libxml2 names the steps by place where the prefix is not its own: the deepest name is in the message.
            words = error.message.replace(f"{{{NAMESPACE}}}", "")
            return words.split("'")[1] if "'" in words else "", words
