"""What a SOAP system's records look like, from its pinned WSDL alone: one interface a kind, as plain data."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from lxml import etree

from connectors.errors import Misconfigured
from connectors.known import KnownIdsFeed
from connectors.neutral import at, interface
from connectors.soap.pinned import WSDL, Interfaces, Pinned
from connectors.soap.profile import SoapCreate, SoapProfile, SoapRecord, SoapUpdate
from connectors.soap.schema import Schema, Schemas, name_of

_SOAP = ("http://schemas.xmlsoap.org/wsdl/soap/", "http://schemas.xmlsoap.org/wsdl/soap12/")


def interfaces_of(profile: SoapProfile, interfaces: Interfaces) -> list[dict[str, Any]]:
    """One interface for each kind of record. Raises Misconfigured for what the WSDL does not have."""
    schemas = Schemas(Pinned(profile.interface, interfaces))
    wsdl = _Wsdl(schemas, profile.port)
    return [
        interface(
            profile.system,
            kind,
            profile.interface,
            read=(read := _read(wsdl, record) or _pushed(wsdl, record, interfaces)),
            create=_with_beside(_sent(wsdl, record.create), read, record),
            update=_with_beside(_sent(wsdl, record.update), read, record),
            ours=_ours(record),
        )
        for kind, record in profile.records.items()
    ]


def _read(wsdl: _Wsdl, record: SoapRecord) -> Schema | None:
    if record.changes is not None and not isinstance(record.changes, KnownIdsFeed):
        return wsdl.brought(record.changes.operation, record.changes.items)
    if record.fetch is not None:
        return wsdl.brought(record.fetch.operation, record.fetch.item)
    return None if record.find is None else wsdl.brought(record.find.operation, record.find.items)


def _pushed(wsdl: _Wsdl, record: SoapRecord, interfaces: Interfaces) -> Schema | None:
    """What is pushed, where nothing can be asked for."""
    if record.push is None or record.push.carries == "id":
        return None
    if record.push.interface is not None:
        wsdl = _Wsdl(Schemas(Pinned(record.push.interface, interfaces)), None)
    return wsdl.sent(record.push.operation, record.push.items)


def _sent(wsdl: _Wsdl, section: SoapCreate | SoapUpdate | None) -> Schema | None:
    return None if section is None else wsdl.sent(section.operation, section.record)


def _with_beside(sent: Schema | None, read: Schema | None, record: SoapRecord) -> Schema | None:
    """What may be written: also what a create or an update does not take, and operations of their own do."""
    beside = [adds.at.removesuffix("[]") for adds in record.adds]
    beside += [record.turns.at] if record.turns is not None else []
    if sent is None or read is None:
        return sent
    made = sent
    for path in beside:
        if at(made, path) is None:
            made = copy.deepcopy(made)
            _graft(made, read, path.split("/"))
    return made


def _graft(sent: Schema, read: Schema, steps: list[str]) -> None:
    """Put what stands at a path of one schema into another that lacks it."""
    first, *rest = steps
    found = read.get("properties", {}).get(first)
    if found is None:
        return
    there = sent.setdefault("properties", {})
    if first in there and rest:
        _graft(there[first], found, rest)
        return
    there[first] = found
    if "x-order" in sent:
        sent["x-order"] = [*sent["x-order"], first]


def _ours(record: SoapRecord) -> set[str]:
    """What the connector puts into a record by itself, and what it takes out of one for the ledger."""
    item, create, update = record.item, record.create, record.update
    found = [item.id, item.version, item.modified, item.our_key, item.deleted]
    found += [] if create is None else [create.our_key]
    found += [] if update is None else [update.id, update.version]
    return {path for path in found if path}


class _Wsdl:
    """The operations of one port, by the elements of their messages."""

    def __init__(self, schemas: Schemas, port: str | None) -> None:
        self._schemas = schemas
        self._messages: dict[tuple[str, str], etree._Element] = {}
        self._operations: dict[str, etree._Element] = {}
        self._made: dict[tuple[str, str], Schema] = {}
        for one in self._all("message"):
            self._messages[_own(one), one.get("name") or ""] = one
        for kind in self._port_types(port):
            for operation in kind.iterchildren(f"{{{WSDL}}}operation"):
                self._operations.setdefault(operation.get("name") or "", operation)

    def sent(self, operation: str, path: str) -> Schema:
        """What stands at a path of an operation's request."""
        return self._at(operation, "input", path)

    def brought(self, operation: str, path: str) -> Schema:
        """What stands at a path of an operation's answer."""
        return self._at(operation, "output", path)

    def _all(self, name: str) -> Iterable[etree._Element]:
        for root in self._schemas.definitions:
            yield from root.iterchildren(f"{{{WSDL}}}{name}")

    def _port_types(self, port: str | None) -> list[etree._Element]:
        """The port type that the profile's port speaks; all of them where that cannot be told."""
        bound = {
            found.get("name"): name_of(found, found.get("binding") or "", "")
            for service in self._all("service")
            for found in service.iterchildren(f"{{{WSDL}}}port")
            if any(etree.QName(inner).namespace in _SOAP for inner in found.iterchildren("*"))
        }
        wanted = bound.get(port) if port is not None else next(iter(bound.values()), None)
        bindings = [one for one in self._all("binding") if (_own(one), one.get("name")) == wanted]
        types = {name_of(one, one.get("type") or "", "") for one in bindings}
        return [one for one in self._all("portType") if not types or (_own(one), one.get("name") or "") in types]

    def _at(self, operation: str, way: str, path: str) -> Schema:
        if (operation, way) not in self._made:
            self._made[operation, way] = self._schemas.message(self._element(operation, way))
        found = at(self._made[operation, way], path)
        if found is None:
            name = self._schemas.pinned.name
            raise Misconfigured(f"{name}: the {way} of {operation} has nothing at {path}: correct the path")
        return found

    def _element(self, operation: str, way: str) -> tuple[str, str]:
        name = self._schemas.pinned.name
        told = self._operations.get(operation)
        if told is None:
            raise Misconfigured(f"{name} has no operation {operation}: write one of {', '.join(self._operations)}")
        message = next(told.iterchildren(f"{{{WSDL}}}{way}"), None)
        if message is not None:
            parts = self._messages.get(name_of(message, message.get("message") or "", ""))
            for part in () if parts is None else parts.iterchildren(f"{{{WSDL}}}part"):
                if (element := part.get("element")) is not None:
                    return name_of(part, element, "")
        raise Misconfigured(f"{name}: the {way} of {operation} is not document/literal; that is not carried")


def _own(node: etree._Element) -> str:
    parent = node.getparent()
    return (parent.get("targetNamespace") or "") if parent is not None else ""
