"""One interface, ready to use: requests rendered by zeep from the pinned WSDL, answers held against its schema.

Everything is built once, when the connection is opened; from then on it is only read, so threads may share it. A
profile that names an operation or an element which the WSDL does not have is refused here and not on the first night.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import zeep.exceptions
from lxml import etree
from zeep.wsdl.bindings.soap import Soap11Binding, Soap12Binding
from zeep.wsdl.messages import DocumentMessage

from connectors.errors import Misconfigured, Rejected
from connectors.soap.pinned import HOME, XSD, Interfaces, Pinned, client_of, namespaces_of, schema_of
from connectors.soap.profile import SoapProfile, SoapRecord
from connectors.soap.render import arguments
from connectors.soap.validity import Validity

Sign = Callable[[Any], Any]  # adds what the login wants to an envelope, and returns it


@dataclass(frozen=True, slots=True)
class Request:
    """A message ready to be sent."""

    body: bytes
    headers: Mapping[str, str]


class Interface:
    """The operations of one port of a WSDL."""

    def __init__(self, profile: SoapProfile, interfaces: Interfaces) -> None:
        """Read the pinned files. Raises Misconfigured, naming the file, operation or element that does not fit."""
        self._pinned = Pinned(profile.interface, interfaces)
        self._client = client_of(self._pinned)
        self._proxy = self._chosen(profile.port)
        self._binding = self._proxy._binding
        self.namespaces = namespaces_of(self._client)
        names = _declared(self._pinned)
        self.validity = Validity(schema_of(self._pinned), names)
        for kind, record in profile.records.items():
            self._fits(kind, record)

    @property
    def files(self) -> tuple[str, ...]:
        """The pinned files that were read."""
        return tuple(self._pinned.files)

    @property
    def operations(self) -> tuple[str, ...]:
        """The operations that the port offers."""
        return tuple(sorted(self._binding.all()))

    def request(self, operation: str, content: Mapping[str, Any], sign: Sign) -> Request:
        """Render a message. Raises Rejected, naming the path, for content that the pinned interface does not allow."""
        told = self._binding.get(operation)
        try:
            given = arguments(told.input.body, content)
            envelope = self._client.create_message(self._proxy, operation, **given)  # type: ignore[no-untyped-call]
        except (zeep.exceptions.Error, TypeError, ValueError) as problem:
            path = "/".join((getattr(problem, "path", None) or [operation])[1:])
            raise Rejected(
                f"not sent: the record cannot be written as the interface wants it (at {path or operation})",
                field=path,
                code="not-in-interface",
            ) from None
        space = etree.QName(envelope).namespace
        element = envelope.find(f"{{{space}}}Body")[0]
        if fault := self.validity.fault(element):
            raise Rejected(f"not sent: {fault}", field=fault.path, code="not-in-interface")
        body = etree.tostring(sign(envelope), encoding="utf-8", xml_declaration=True)
        return Request(body, self._headers(told.soapaction or ""))

    def answer(self, operation: str) -> str:
        """Return the {namespace}name of an operation's answer."""
        return str(self._binding.get(operation).output.body.qname)

    def shell(self, operation: str, path: str) -> etree._Element:
        """Return an operation's answer with nothing in it but the elements above `path`."""
        body = self._binding.get(operation).output.body
        answer = parent = etree.Element(str(body.qname))
        kind = body.type
        for step in path.removesuffix("[]").split("/")[:-1]:
            inner = next(found for _, found in kind.elements if found.name and found.qname.localname == step)
            parent, kind = etree.SubElement(parent, str(inner.qname)), inner.type
        return answer

    def element(self, operation: str, path: str) -> Any:
        """Return zeep's element at a path of an operation's answer; None where there is none."""
        found = self._binding.get(operation).output.body
        for step in path.removesuffix("[]").split("/"):
            inner = (one for name, one in getattr(found.type, "elements", ()) if name and one.name)
            found = next((one for one in inner if one.qname.localname == step), None)
            if found is None:
                return None
        return found

    def _headers(self, action: str) -> dict[str, str]:
        if isinstance(self._binding, Soap12Binding):
            stated = f'; action="{action}"' if action else ""
            return {"Content-Type": f"application/soap+xml; charset=utf-8{stated}"}
        return {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{action}"'}

    def _chosen(self, port: str | None) -> Any:
        ports = {
            name: (service.name, found)
            for service in self._client.wsdl.services.values()
            for name, found in service.ports.items()
            if isinstance(found.binding, Soap11Binding | Soap12Binding)
        }
        chosen = next(iter(ports), None) if port is None else port
        if chosen not in ports:
            known = ", ".join(sorted(ports)) or "none"
            raise Misconfigured(f"port: {self._pinned.name} has no SOAP port {port or 'at all'}; it has {known}")
        return self._client.bind(ports[chosen][0], chosen)

    def _fits(self, kind: str, record: SoapRecord) -> None:
        """Refuse a profile that names what the WSDL does not have."""
        at = f"records.{kind}"
        item = record.item
        own = [path for path in (item.id, item.version, item.modified, item.our_key, item.deleted) if path]
        if (changes := record.changes) is not None:
            page = changes.page
            self._sends(f"{at}.changes", changes.operation, [changes.since, page.number, page.size])
            items = changes.items.removesuffix("[]")
            self._brings(f"{at}.changes", changes.operation, [page.more, items, *(f"{items}/{path}" for path in own)])
        if (fetch := record.fetch) is not None:
            self._sends(f"{at}.fetch", fetch.operation, [fetch.id])
            self._brings(f"{at}.fetch", fetch.operation, [fetch.item, *(f"{fetch.item}/{path}" for path in own)])
        if (find := record.find) is not None:
            self._sends(f"{at}.find", find.operation, [find.by])
            self._brings(f"{at}.find", find.operation, [find.items.removesuffix("[]")])
        if (create := record.create) is not None:
            inner = [f"{create.record}/{create.our_key}"] if create.our_key else []
            self._sends(f"{at}.create", create.operation, [create.record, *inner])
            self._brings(f"{at}.create", create.operation, create.reply.paths)
        for path, lookup in record.lookups.items():
            place = f"{at}.lookups.{path}"
            rows = lookup.items.removesuffix("[]")
            told = [f"{rows}/{inner}" for inner in (lookup.code, lookup.cy, lookup.en) if inner]
            self._sends(place, lookup.operation, list(lookup.send))
            self._brings(place, lookup.operation, [rows, *told])
        if (update := record.update) is not None:
            inner = [f"{update.record}/{path}" for path in (update.id, update.version) if path]
            self._sends(f"{at}.update", update.operation, [update.record, *inner])
            self._brings(f"{at}.update", update.operation, update.reply.paths)

    def _sends(self, at: str, operation: str, paths: Iterable[str]) -> None:
        told = self._binding.get(operation) if operation in self._binding.all() else None
        if told is None:
            raise Misconfigured(
                f"{at}.operation: {self._pinned.name} has no operation {operation}: "
                f"write one of {', '.join(self.operations)}"
            )
        if not isinstance(told.input, DocumentMessage) or told.input.body is None or told.output is None:
            raise Misconfigured(
                f"{at}.operation: {operation} is not document/literal with an answer; that is not carried"
            )
        self._has(at, operation, told.input.body, paths)

    def _brings(self, at: str, operation: str, paths: Iterable[str]) -> None:
        self._has(at, f"the answer of {operation}", self._binding.get(operation).output.body, paths)

    def _has(self, at: str, what: str, element: Any, paths: Iterable[str]) -> None:
        for path in paths:
            kind = element.type
            for step in path.split("/"):
                names = {inner.qname.localname: inner for _, inner in getattr(kind, "elements", ()) if inner.name}
                names |= {f"@{inner.name}": inner for _, inner in getattr(kind, "attributes", ()) if inner.name}
                if step not in names:
                    raise Misconfigured(
                        f"{at}: {what} has no element {path} in {self._pinned.name}; "
                        f"where {step} stands it has {', '.join(names) or 'nothing'}"
                    )
                kind = names[step].type


def _declared(pinned: Pinned) -> frozenset[str]:
    """Return the local names of all elements that the pinned files declare."""
    return frozenset(
        name
        for file in pinned.files
        for node in pinned.document(HOME + file).iter(f"{{{XSD}}}element")
        if (name := node.get("name")) is not None
    )
