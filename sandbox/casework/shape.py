"""A Referral between XML and plain data, by the order and the lists that the schema itself declares.

As data every value is a string; an element with children is a dict, one that may repeat is always a list, an
attribute is "@name" and the text beside it ".". What stands in Extra is kept as the XML text it came as.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from sandbox.store import Json

WSDL = Path(__file__).parent.parent / "interfaces" / "casework.wsdl"
NAMESPACE = "urn:example:casework:2"
_XS = "{http://www.w3.org/2001/XMLSchema}"
_KEPT_AS_TEXT = "Extra"


@dataclass(frozen=True, slots=True)
class _Child:
    name: str
    type: str  # name of its complex type, "" for plain text
    many: bool


@lru_cache(maxsize=1)
def wsdl() -> bytes:
    """Return the interface's bytes."""
    return WSDL.read_bytes()


def schema_element() -> etree._Element:
    """Return the schema that stands inside the WSDL, cut out as a document of its own."""
    found = etree.fromstring(wsdl(), trusted_parser()).find(f".//{_XS}schema")
    assert found is not None
    return etree.fromstring(etree.tostring(found), trusted_parser())


def trusted_parser() -> etree.XMLParser:
    """Return a parser that neither expands entities nor goes to the network; also for our own files."""
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True
    )


@lru_cache(maxsize=1)
def _types() -> dict[str, tuple[_Child, ...]]:
    declared = schema_element().findall(f"{_XS}complexType")
    names = {str(each.get("name")) for each in declared}
    return {
        str(each.get("name")): tuple(
            _Child(
                str(child.get("name")),
                of if (of := str(child.get("type", "")).removeprefix("cw:")) in names else "",
                child.get("maxOccurs", "1") != "1",
            )
            for child in each.iterfind(f"{_XS}sequence/{_XS}element")
        )
        for each in declared
    }


def to_data(element: etree._Element, type: str = "Referral") -> Json:
    """Return a valid element of that complex type as plain data."""
    children = {child.name: child for child in _types()[type]}
    data: Json = {}
    for each in element:
        name = etree.QName(each).localname
        child = children[name]
        value = to_data(each, child.type) if child.type in _WITH_CHILDREN else _leaf(each, child.type)
        if child.many:
            data.setdefault(name, []).append(value)
        else:
            data[name] = value
    return data


def to_xml(data: Json, type: str = "Referral", name: str = "Referral") -> str:
    """Return XML text in the order of the schema, in the prefix `cw`. Raises ValueError for what has no place."""
    parts = [f"<cw:{name}>"]
    left = set(data)
    for child in _types()[type]:
        if child.name not in data:
            continue
        left.discard(child.name)
        value = data[child.name]
        for each in _several(value, child.name) if child.many else (value,):
            parts.append(_RENDER.get(child.type, _render_text)(each, child))
    if left:
        raise ValueError(f"{name} has no element {sorted(left)[0]!r}.")
    parts.append(f"</cw:{name}>")
    return "".join(parts)


def _leaf(element: etree._Element, type: str) -> Json | str:
    if type == "Need":
        return {"@code": element.get("code"), ".": element.text or ""}
    if type == _KEPT_AS_TEXT:
        return "".join(etree.tostring(each, encoding="unicode") for each in element)
    return element.text or ""


def _several(value: object, name: str) -> list[object]:
    if not isinstance(value, list):
        raise ValueError(f"{name} must be a list.")  # noqa: TRY004 - ValueError is what staff screens report
    return value


def _render_text(value: object, child: _Child) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{child.name} must be a text in quotes, as it stands in XML.")  # noqa: TRY004 - the caller catches one kind
    return f"<cw:{child.name}>{escape(value)}</cw:{child.name}>"


def _render_children(value: object, child: _Child) -> str:
    if not isinstance(value, dict):
        raise ValueError(f"{child.name} must be an object.")  # noqa: TRY004 - the caller catches one kind
    return to_xml(value, child.type, child.name)


def _render_need(value: object, child: _Child) -> str:
    if (
        not isinstance(value, dict)
        or set(value) - {"@code", "."}
        or not all(isinstance(v, str) for v in value.values())
    ):
        raise ValueError('A Need must be an object of "@code" and ".".')
    code = f" code={quoteattr(value['@code'])}" if "@code" in value else ""
    return f"<cw:{child.name}{code}>{escape(value.get('.', ''))}</cw:{child.name}>"


def _render_as_text(value: object, child: _Child) -> str:
    return f"<cw:{child.name}>{value}</cw:{child.name}>"


_WITH_CHILDREN = frozenset({"Subject", "Address", "Updates", "Referrer", "Needs"})
_RENDER: dict[str, Callable[[object, _Child], str]] = {
    **dict.fromkeys(_WITH_CHILDREN, _render_children),
    "Need": _render_need,
    _KEPT_AS_TEXT: _render_as_text,
}
