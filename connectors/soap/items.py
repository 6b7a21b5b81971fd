"""From an answer's element to items: one bad record is an UnreadableItem and costs its neighbours nothing.

A page that is valid as a whole is checked in one pass. Only when it is not is each record looked at alone, in a copy
of the page that holds nothing else, because a local element cannot be checked outside its parent.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from lxml import etree

from connectors import xml
from connectors.errors import PageUnreadable, Unknown
from connectors.port import Item, UnreadableItem
from connectors.profile import ItemPaths, says_deleted
from connectors.soap.swift import Swift
from connectors.soap.times import moment
from connectors.soap.validity import Fault, Validity


class Items:
    """Reads items of one kind of record."""

    def __init__(
        self,
        paths: ItemPaths,
        zone: ZoneInfo,
        validity: Validity,
        namespaces: frozenset[str],
        swift: Swift | None = None,
    ) -> None:
        """`zone` is what times without offset mean; `namespaces` are those of the pinned interface; `swift` reads most
        records faster."""
        self._paths = paths
        self._id, self._stamp, self._version, self._our_key, self._deleted = map(
            xml.text_reader, (paths.id, paths.modified, paths.version, paths.our_key, paths.deleted)
        )
        self._zone = zone
        self._validity = validity
        self._namespaces = namespaces
        self._swift = swift

    def of_page(self, answer: etree._Element, path: str, reply: bytes) -> tuple[Any, list[Item | UnreadableItem]]:
        """Return the answer without its records, and its records.

        Raises PageUnreadable when the page around the records is not as the interface says.
        """
        found = _at(answer, path)
        faults: dict[int, Fault] = {}
        if self._validity.fault_but_for_additions(answer) is not None:
            faults = self._judged(answer, path, reply)
        cut = self._swift.slices(reply, found) if self._swift is not None else [b""] * len(found)
        items = [self._item(element, faults.get(place), cut[place]) for place, element in enumerate(found)]
        return xml.record_of(_around(answer, path.removesuffix("[]").split("/")), self._namespaces), items

    def whole(self, answer: etree._Element, path: str, reply: bytes) -> list[Item]:
        """Return the records of an answer all of which must be readable. Raises Unknown."""
        if fault := self._validity.fault_but_for_additions(answer):
            raise Unknown(f"the answer is not as the interface says: {fault}", reply=reply)
        items = []
        for element in _at(answer, path):
            item = self._item(element, None)
            if isinstance(item, UnreadableItem):
                raise Unknown(f"the answer is not as the interface says: {item.reason}", reply=reply)
            items.append(item)
        return items

    def again(
        self, answer: etree._Element, path: str, element: etree._Element, raw: bytes, id: str
    ) -> Item | UnreadableItem:
        """Return one record that was kept, checked inside `answer`: the empty elements that lead to it.

        What `answer` itself lacks is no fault of the record.
        """
        parent = answer
        while len(parent):
            parent = parent[0]
        parent.append(element)
        fault = self._validity.fault_but_for_additions(answer)
        within = path.removesuffix("[]")
        if fault is not None and fault.path != within and not fault.path.startswith(f"{within}/"):
            fault = None
        if fault is not None:
            fault = Fault(fault.path.removeprefix(within).removeprefix("/"), fault.expected)
        return self.kept(element, fault, raw, id)

    def kept(self, element: etree._Element, fault: Fault | None, raw: bytes, id: str) -> Item | UnreadableItem:
        """Return one record that was kept as `raw`, and of which is known what is wrong with it."""
        item = self._item(element, fault)
        if isinstance(item, UnreadableItem):
            return replace(item, raw=raw, id=item.id or id)
        return replace(item, raw=raw)

    def _item(self, element: etree._Element, fault: Fault | None, raw: bytes = b"") -> Item | UnreadableItem:
        """One record; `raw` are its canonical bytes where they are known without the tree."""
        record = self._swift.read(raw) if self._swift is not None and raw else None
        if record is None:
            raw = xml.canonical(element)
            record = self._swift.read(raw) if self._swift is not None else None
            if record is None:
                record = xml.record_of(element, self._namespaces)
        id, stamp = self._id(record), self._stamp(record)
        modified = moment(stamp, self._zone) if stamp else None
        if fault is not None:
            return UnreadableItem(raw, f"{fault.path or 'the record'} {fault.expected}", id, modified)
        if not isinstance(record, dict) or not id:
            return UnreadableItem(
                raw, f"{self._paths.id} is empty: a record without its id cannot be told apart", "", modified
            )
        return Item(
            id=id,
            record=record,
            raw=raw,
            version=self._version(record),
            modified=modified,
            our_key=self._our_key(record),
            deleted=self._paths.deleted is not None and says_deleted(self._deleted(record)),
        )

    def _judged(self, answer: etree._Element, path: str, reply: bytes) -> dict[int, Fault]:
        """Return what is wrong with which record."""
        faults: dict[int, Fault] = {}
        alone = copy.deepcopy(answer)
        home, spot = alone, 0
        for element in reversed(_at(alone, path)):
            parent = element.getparent()
            assert parent is not None
            home, spot = parent, parent.index(element)
            home.remove(element)
        for place, element in enumerate(_at(answer, path)):
            one = copy.deepcopy(element)
            home.insert(spot, one)
            fault = self._validity.fault_but_for_additions(alone)
            home.remove(one)
            if fault is None:
                continue
            within = path.removesuffix("[]")
            if fault.path != within and not fault.path.startswith(f"{within}/"):
                raise PageUnreadable(f"the page is not as the interface says: {fault}", reply=reply)
            faults[place] = Fault(fault.path.removeprefix(within).removeprefix("/"), fault.expected)
        return faults


def _around(element: etree._Element, steps: list[str]) -> etree._Element:
    """An element without what stands at a path. The rest is taken out of it; taking the records out costs more."""
    made = etree.Element(element.tag)
    for name, value in element.items():
        made.set(str(name), str(value))
    made.text = element.text
    for child in list(element):
        if xml.local(child) != steps[0]:
            made.append(child)
        elif steps[1:]:
            made.append(_around(child, steps[1:]))
    return made


def _at(element: etree._Element, path: str) -> list[etree._Element]:
    """Return the elements at a path, whatever their namespace."""
    found = [element]
    for step in path.removesuffix("[]").split("/"):
        found = [child for parent in found for child in parent if xml.local(child) == step]
    return found
