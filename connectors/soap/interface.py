"""One interface, ready to use: requests rendered by zeep from the pinned WSDL, answers held against its schema.

Everything is built once, when the connection is opened; from then on it is only read, so threads may share it. A
profile that names an operation or an element which the WSDL does not have is refused here and not on the first night.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import zeep.exceptions
from lxml import etree
from zeep import xsd
from zeep.wsdl.bindings.soap import Soap11Binding, Soap12Binding
from zeep.wsdl.messages import DocumentMessage
from zeep.xsd.types import ComplexType

from connectors.errors import Misconfigured, Rejected
from connectors.known import KnownIdsFeed
from connectors.soap.pinned import Interfaces, Pinned, client_of, declared_names, namespaces_of, schema_of
from connectors.soap.profile import SoapProfile, SoapRecord
from connectors.soap.profile_feeds import ModifiedBetweenFeed
from connectors.soap.render import arguments
from connectors.soap.validity import Validity

Sign = Callable[[Any], Any]  # adds what the login wants to an envelope, and returns it


@dataclass(frozen=True, slots=True)
class Request:
    """A message ready to be sent."""

    body: bytes = field(repr=False)
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
        self.validity = Validity(schema_of(self._pinned), declared_names(self._pinned))
        self._actions = profile.addressing.actions if profile.addressing is not None else {}
        for kind, record in profile.records.items():
            self._fits(kind, record)
        self._fits_headers(profile)

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
            # Not through zeep's client, which adds addresses of its own wherever a WSDL states an Action: those of the
            # pinned file, and not of this connection.
            envelope = told.create(**given).content
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

    def action(self, operation: str) -> str:
        """Return an operation's WS-Addressing Action: the profile's word, the WSDL's, or its soapAction; "" if none."""
        told = self._binding.get(operation)
        return str(self._actions.get(operation) or told.abstract.wsa_action or told.soapaction or "")

    def header(self, name: str, content: Mapping[str, Any] | str) -> etree._Element:
        """Render an element for a message's header. Raises Misconfigured, naming the path that does not fit."""
        element = self._declared(name)
        parent = etree.Element("header")
        try:
            element.render(parent, content if isinstance(content, str) else element(**arguments(element, content)))
        except Rejected as problem:
            raise Misconfigured(f"sign_in.header: {problem.reason}") from None
        except (zeep.exceptions.Error, TypeError, ValueError):
            raise Misconfigured(f"sign_in.header: {name} cannot be written as {self._pinned.name} wants it") from None
        return parent[0]

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
        changes = record.changes
        if changes is not None and not isinstance(changes, KnownIdsFeed):
            items = changes.items.removesuffix("[]")
            brought = [items, *(f"{items}/{path}" for path in own)]
            if isinstance(changes, ModifiedBetweenFeed):
                self._sends(f"{at}.changes", changes.operation, [changes.since, changes.until, *changes.send])
            else:
                page = changes.page
                self._sends(f"{at}.changes", changes.operation, [changes.since, page.number, page.size])
                brought.insert(0, page.more)
            self._brings(f"{at}.changes", changes.operation, brought)
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

        if (dry := record.dry_write) is not None:
            self._sends(f"{at}.dry_write", dry.operation, [dry.record, *dry.send])
            self._brings(f"{at}.dry_write", dry.operation, [dry.accepted] if dry.accepted else [])
        for number, turn in enumerate(record.turns.by if record.turns is not None else ()):
            told = [turn.id, *([turn.code] if turn.code else []), *turn.take, *turn.send]
            self._sends(f"{at}.turns.by.{number}", turn.operation, told)
        for number, adds in enumerate(record.adds):
            self._sends(f"{at}.adds.{number}", adds.operation, [adds.id, adds.record, *adds.send])
        if (papers := record.documents) is not None:
            self._sends(f"{at}.documents.add", papers.add.operation, papers.add.sends)
            self._takes_text(f"{at}.documents.add.data", papers.add.operation, papers.add.data)
            self._brings(f"{at}.documents.add", papers.add.operation, [papers.add.number] if papers.add.number else [])
            if (find_one := papers.find) is not None:
                rows = find_one.items.removesuffix("[]")
                told = [f"{rows}/{path}" for path in (find_one.our_key, find_one.number) if path]
                self._sends(f"{at}.documents.find", find_one.operation, [find_one.id])
                self._brings(f"{at}.documents.find", find_one.operation, [rows, *told])

    def _fits_headers(self, profile: SoapProfile) -> None:
        told = profile.sign_in
        if told is not None:
            self._sends("sign_in", told.operation, [told.username, told.password, *told.send])
            self._brings("sign_in", told.operation, told.told)
            if told.header is not None:
                element = self._declared(told.header.element)
                paths = [told.header.token, *told.header.send] if told.header.token is not None else []
                self._has("sign_in.header", told.header.element, element, paths)
                if not paths and isinstance(element.type, ComplexType) and element.type.elements:
                    raise Misconfigured(
                        f"sign_in.header.token is missing: {told.header.element} holds elements in "
                        f"{self._pinned.name}; write which of them takes the token"
                    )
        if profile.addressing is None:
            return
        if wrong := sorted(set(self._actions) - set(self.operations)):
            raise Misconfigured(
                f"addressing.actions: {self._pinned.name} has no operation {wrong[0]}: correct its name"
            )
        used = [told.operation] if told is not None else []
        used += [part.operation for record in profile.records.values() for part in record.calls]
        if without := [name for name in used if not self.action(name)]:
            raise Misconfigured(
                f"addressing: {self._pinned.name} states no Action for {without[0]}: write what the supplier names "
                f"under addressing.actions.{without[0]}"
            )

    def _declared(self, name: str) -> Any:
        """The global element of that name. Raises Misconfigured."""
        every = list(self._client.wsdl.types.elements)
        found = [one for one in every if name in (one.qname.localname, str(one.qname))]
        if len(found) == 1:
            return found[0]
        near = "several have that name: write it as {namespace}name" if found else "write the name of one it declares"
        raise Misconfigured(f"sign_in.header.element: {self._pinned.name} declares no one element {name}; {near}")

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

    def _takes_text(self, at: str, operation: str, path: str) -> None:
        kind = self._binding.get(operation).input.body.type
        for step in path.split("/"):
            kind = next(inner.type for _, inner in kind.elements if inner.name and inner.qname.localname == step)
        if not isinstance(kind, xsd.Base64Binary | xsd.String):
            raise Misconfigured(
                f"{at}: {path} of {operation} takes no Base64 in {self._pinned.name}: name an element of the type "
                "base64Binary or string"
            )

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
