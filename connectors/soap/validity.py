"""Is this element what the pinned schema says, and if not, where does it differ - without showing what stands there.

libxml2's own messages quote the value. Only the parts that come from the schema are taken out of them, from the end of
the message, which no value can reach. An element that the pinned schema has never heard of is not an error: suppliers
add elements, and a referral must not stop for one that nobody maps.
"""

from __future__ import annotations

import copy
import re
import threading
from dataclasses import dataclass
from typing import Any

from lxml import etree

from connectors import xml

MOST_PASSES = 50  # each takes one new element out of every record; an upgrade that adds more is another document
_TYPE = re.compile(r"of the (?:atomic|list|union) type '([^']+)'\.$")
_CHOICES = re.compile(r"not an element of the set \{([^{}]*)\}\.$")
_LENGTH = re.compile(r"allowed (maximum|minimum) length of '(\d+)'\.$")
_EXPECTED = re.compile(r"Expected is (?:one of )?\( ([^()]*) \)\.$")
_ATTRIBUTE = re.compile(r"^Element '[^']+', attribute '([^']+)'")
_REQUIRED = re.compile(r"The attribute '([^']+)' is required but missing\.$")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that does not fit: `path` by local names below the element that was checked, "" for itself."""

    path: str
    expected: str

    def __str__(self) -> str:
        return f"{self.path or 'the element itself'}: {self.expected}"


class Validity:
    """A compiled schema that may be asked from several threads."""

    def __init__(self, schema: etree.XMLSchema, names: frozenset[str]) -> None:
        """Take the schema and the local name of every element that it declares anywhere."""
        self._schema = schema
        self._names = names
        self._lock = threading.Lock()

    def fault(self, element: etree._Element) -> Fault | None:
        """Return the first thing that does not fit the schema as it is pinned, None if all is well."""
        errors = self._errors(element)
        return _fault(errors[0], element) if errors else None

    def fault_but_for_additions(self, element: etree._Element) -> Fault | None:
        """The same, passing over elements that the pinned schema does not know at all."""
        errors = self._errors(element)
        if not errors:
            return None
        trial = copy.deepcopy(element)
        for _ in range(MOST_PASSES):
            errors = self._errors(trial)
            if not errors:
                return None
            spaces = _spaces(trial)
            new = [found for error in errors if (found := self._addition(error, trial, spaces)) is not None]
            if not new:
                break
            for found in new:
                if (parent := found.getparent()) is not None:
                    parent.remove(found)
        return _fault(errors[0], trial)

    def _errors(self, element: etree._Element) -> list[Any]:
        with self._lock:  # the list of errors belongs to the schema and not to the call
            return [] if self._schema.validate(element) else xml.entries(self._schema.error_log)

    def _addition(self, error: Any, root: etree._Element, spaces: dict[str, str]) -> etree._Element | None:
        if error.type_name != "SCHEMAV_ELEMENT_CONTENT":
            return None
        found = _located(error, root, spaces)
        if found is None or found is root:
            return None
        return found if xml.local(found) not in self._names else None


def _fault(error: Any, root: etree._Element) -> Fault:
    found = _located(error, root, _spaces(root))
    path = "" if found is None else _path(found, root)
    if attribute := _ATTRIBUTE.match(error.message):
        path = f"{path}/@{_local(attribute.group(1))}".removeprefix("/")
    return Fault(path, _expectation(error))


def _expectation(error: Any) -> str:
    message = str(error.message)
    if found := _TYPE.search(message):
        return f"is not a valid {_local(found.group(1))}"
    if found := _CHOICES.search(message):
        return f"is not one of {found.group(1)}"
    if found := _LENGTH.search(message):
        return f"is {'longer' if found.group(1) == 'maximum' else 'shorter'} than {found.group(2)} characters"
    if found := _REQUIRED.search(message):
        return f"lacks the attribute {_local(found.group(1))}"
    expected = _EXPECTED.search(message)
    names = ", ".join(_local(name.strip()) for name in expected.group(1).split(",")) if expected else ""
    if "Missing child element" in message[-400:] and names:
        return f"lacks the element {names}"
    if error.type_name == "SCHEMAV_ELEMENT_CONTENT":
        return f"is not expected here; expected is {names}" if names else "is not expected here"
    rule = error.type_name.removeprefix("SCHEMAV_").removeprefix("CVC_").replace("_", " ").lower()
    return f"does not fit the interface ({rule})"


def _spaces(root: etree._Element) -> dict[str, str]:
    """Return every prefix below an element, as paths of libxml2 use them."""
    return {prefix: uri for node in root.iter() for prefix, uri in node.nsmap.items() if prefix}


def _located(error: Any, root: etree._Element, spaces: dict[str, str]) -> etree._Element | None:
    """Find the element that an error is about, by the path that libxml2 gives."""
    steps = str(error.path or "").split("/")
    way = "/".join(step for step in steps[2:])
    try:
        found = root.xpath(way, namespaces=spaces) if way else [root]
    except etree.XPathError:
        return None
    return found[0] if isinstance(found, list) and found and isinstance(found[0], etree._Element) else None


def _path(element: etree._Element, root: etree._Element) -> str:
    steps: list[str] = []
    at: etree._Element | None = element
    while at is not None and at is not root:
        steps.append(xml.local(at))
        at = at.getparent()
    return "/".join(reversed(steps))


def _local(name: str) -> str:
    return name.rpartition("}")[2].rpartition(":")[2]
