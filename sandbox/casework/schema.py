"""Checks every request body against the interface's schema, and says which element was refused and why.

Compiled schemas are kept in a pool: libxml2's validator must not be shared between threads, and compiling one for every
connection would cost more than the call itself.
"""

from __future__ import annotations

import re
from queue import Empty, LifoQueue
from typing import Any, cast

from lxml import etree

from sandbox.casework.shape import schema_element

_NAMESPACES = re.compile(r"\{(urn|http):[^}]*\}")
_ATTRIBUTE = re.compile(r", attribute '([^']+)'")


class Schema:
    """The pinned schema. Safe to use from several threads."""

    def __init__(self) -> None:
        self._pool: LifoQueue[etree.XMLSchema] = LifoQueue()

    def fault(self, body: etree._Element) -> tuple[str, str] | None:
        """Return (path of the refused element or attribute, reason) for the first thing that is wrong, or None."""
        try:
            schema = self._pool.get_nowait()
        except Empty:
            schema = etree.XMLSchema(schema_element())
        try:
            if schema.validate(body):
                return None
            error: etree._LogEntry = cast(Any, schema.error_log)[0]  # lxml's stubs do not know that it is a list
            message = _NAMESPACES.sub("", error.message)
            attribute = _ATTRIBUTE.search(message)
            return _path(body, error) + (f"/@{attribute[1]}" if attribute else ""), message
        finally:
            self._pool.put(schema)


def _path(body: etree._Element, error: etree._LogEntry) -> str:
    # libxml2 writes `*[3]` for an element in a default namespace, so the path is walked to the element and named anew.
    steps = [step for step in (error.path or "").split("/")[2:] if step]
    try:
        found = body.xpath(
            "/".join(["."] + [step for step in steps if not step.startswith("@")]), namespaces=_prefixes(body)
        )
    except etree.XPathError:
        found = []
    if not isinstance(found, list) or not found or not isinstance(found[0], etree._Element):
        return etree.QName(body).localname
    names, node = [step for step in steps if step.startswith("@")], found[0]
    while node is not body:
        names.insert(0, _numbered(node))
        parent = node.getparent()
        if parent is None:
            break
        node = parent
    return "/".join(names) or etree.QName(body).localname


def _numbered(node: etree._Element) -> str:
    name = etree.QName(node).localname
    before = sum(1 for _ in node.itersiblings(node.tag, preceding=True))
    after = next(node.itersiblings(node.tag), None)
    return f"{name}[{before + 1}]" if before or after is not None else name


def _prefixes(body: etree._Element) -> dict[str, str]:
    return {prefix: uri for element in body.iter() for prefix, uri in element.nsmap.items() if prefix}
