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
from connectors.soap.times import moment
from connectors.soap.validity import Fault, Validity


class Items:
    """Reads items of one kind of record."""

    def __init__(self, paths: ItemPaths, zone: ZoneInfo, validity: Validity, namespaces: frozenset[str]) -> None:
        """`zone` is what times without offset mean; `namespaces` are those of the pinned interface."""
        self._paths = paths
        self._zone = zone
        self._validity = validity
        self._namespaces = namespaces

    def of_page(self, answer: etree._Element, path: str, reply: bytes) -> tuple[Any, list[Item | UnreadableItem]]:
        """Return the answer without its records, and its records.

        Raises PageUnreadable when the page around the records is not as the interface says.
        """
        found = _at(answer, path)
        faults: dict[int, Fault] = {}
        if self._validity.fault_but_for_additions(answer) is not None:
            faults = self._judged(answer, path, reply)
        items = [self._item(element, faults.get(place)) for place, element in enumerate(found)]
        for element in found:
            parent = element.getparent()
            assert parent is not None
            parent.remove(element)
        return xml.record_of(answer, self._namespaces), items

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

    def _item(self, element: etree._Element, fault: Fault | None) -> Item | UnreadableItem:
        raw = xml.canonical(element)
        record = xml.record_of(element, self._namespaces)
        id = xml.text_at(record, self._paths.id)
        stamp = xml.text_at(record, self._paths.modified)
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
            version=xml.text_at(record, self._paths.version),
            modified=modified,
            our_key=xml.text_at(record, self._paths.our_key),
            deleted=says_deleted(xml.text_at(record, self._paths.deleted)),
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


def _at(element: etree._Element, path: str) -> list[etree._Element]:
    """Return the elements at a path, whatever their namespace."""
    found = [element]
    for step in path.removesuffix("[]").split("/"):
        found = [child for parent in found for child in parent if xml.local(child) == step]
    return found
