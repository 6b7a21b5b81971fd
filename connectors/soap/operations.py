"""The operations of a WSDL with the neutral form of what they take and bring, and its SOAP ports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from connectors.drafts import Schema
from connectors.soap.pinned import WSDL
from connectors.soap.schema import Schemas, name_of

_SOAP = {"http://schemas.xmlsoap.org/wsdl/soap/": "1.1", "http://schemas.xmlsoap.org/wsdl/soap12/": "1.2"}
_W = f"{{{WSDL}}}"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: what it takes, what it brings, and its faults by name."""

    name: str
    takes: Schema = field(repr=False)
    brings: Schema = field(repr=False)
    faults: Mapping[str, Schema] = field(repr=False)


def operations_of(schemas: Schemas) -> tuple[dict[str, Operation], list[str]]:
    """The operations by name, and the names of those that this way of speaking cannot carry."""
    messages: dict[str, list[tuple[str, str] | None]] = {}
    for wsdl in schemas.definitions:
        for message in wsdl.iterfind(f"{_W}message"):
            parts = [_qname(part, part.get("element") or "") for part in message.iterfind(f"{_W}part")]
            messages[message.get("name") or ""] = parts
    rpc = {
        node.get("name") or ""
        for wsdl in schemas.definitions
        for binding in wsdl.iterfind(f"{_W}binding")
        for node in binding.iterfind(f"{_W}operation")
        if any(each.get("style") == "rpc" for each in (*binding.iterchildren(), *node.iterchildren())
               if isinstance(each.tag, str) and etree.QName(each).namespace in _SOAP)
    }  # fmt: skip
    found: dict[str, Operation] = {}
    left: list[str] = []
    for wsdl in schemas.definitions:
        for node in wsdl.iterfind(f"{_W}portType/{_W}operation"):
            name = node.get("name") or ""
            takes, brings = (_content(node.find(f"{_W}{way}"), messages, schemas) for way in ("input", "output"))
            if name in rpc or takes is None or brings is None:
                left.append(name)
                continue
            faults = {}
            for fault in node.iterfind(f"{_W}fault"):
                parts = messages.get((fault.get("message") or "").rpartition(":")[2]) or [None]
                if parts[0] is not None:
                    faults[parts[0][1]] = _content(fault, messages, schemas) or {}
            found[name] = Operation(name, takes, brings, faults)
    return found, left


def _content(node: etree._Element | None, messages: Mapping[str, Any], schemas: Schemas) -> Schema | None:
    parts = messages.get((node.get("message") or "").rpartition(":")[2]) if node is not None else None
    if not parts or len([part for part in parts if part]) != 1 or parts[0] is None:
        return None
    return schemas.message(parts[0])


def _qname(node: etree._Element, text: str) -> tuple[str, str] | None:
    return name_of(node, text, "") if text else None


def ports_of(schemas: Schemas) -> list[tuple[str, str]]:
    """The SOAP ports, each with the version of SOAP that it speaks."""
    return [
        (port.get("name") or "", _SOAP[str(etree.QName(inner).namespace)])
        for wsdl in schemas.definitions
        for port in wsdl.iterfind(f"{_W}service/{_W}port")
        for inner in port.iterchildren("*")
        if etree.QName(inner).namespace in _SOAP
    ]
