"""What the writer of a schema noted in it for people: a draft takes it for the words beside a name or a code."""

from __future__ import annotations

from typing import Any

from lxml import etree

from connectors.soap.pinned import XSD

Schema = dict[str, Any]


def words_beside(node: etree._Element) -> str:
    """What the schema's writer noted about an element, a type or a code, on one line; "" if nothing."""
    found = node.find(f"{{{XSD}}}annotation/{{{XSD}}}documentation")
    return " ".join("".join(str(part) for part in found.itertext()).split()) if found is not None else ""


def told_beside(node: etree._Element, restriction: etree._Element) -> Schema:
    """What is noted about a simple type, and about each of its codes."""
    codes = {one.get("value") or "": words_beside(one) for one in restriction.iterchildren(f"{{{XSD}}}enumeration")}
    shown = {code: words for code, words in codes.items() if words}
    said = words_beside(node)
    return ({"description": said} if said else {}) | ({"x-shown": shown} if shown else {})
