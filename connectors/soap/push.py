"""What a SOAP system pushes: a message to an operation of its own WSDL, of which we are the server.

The answer is rendered once, when the connection is opened, and held against the pinned schema. Faults are those of the
envelope that was asked in (SOAP 1.1, section 4.4 and 6.2; SOAP 1.2 part 1, section 5.4, and part 2, section 7.5.2).
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import zeep.exceptions
from lxml import etree
from zeep.wsdl.bindings.soap import Soap11Binding, Soap12Binding
from zeep.wsdl.messages import DocumentMessage

from connectors import xml
from connectors.errors import Misconfigured, PageUnreadable, Rejected
from connectors.port import Item, UnreadableItem
from connectors.profile import ItemPaths
from connectors.push.port import Answer, Kept, Named, Pushed, PushRefused
from connectors.push.proofs import prove
from connectors.push.settings import PushSettings
from connectors.soap.interface import Interface
from connectors.soap.items import Items
from connectors.soap.pinned import Interfaces, Pinned, client_of, declared_names, namespaces_of, schema_of
from connectors.soap.profile import SoapProfile
from connectors.soap.profile_push import SoapPush
from connectors.soap.render import arguments
from connectors.soap.validity import Validity

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
_TYPES = {SOAP_11: "text/xml", SOAP_12: "application/soap+xml"}
#: Elements within elements: far more than any message has, and fewer than libxml2 itself would stop at.
DEEPEST = 64
MOST_BYTES = 20_000_000


class SoapPushes:
    """The pushes of one kind; see `connectors.push.port.Push`."""

    one_body_an_id = False
    tells_reference = False

    def __init__(
        self, kind: str, told: SoapPush, interface: str, paths: ItemPaths, zone: ZoneInfo, interfaces: Interfaces
    ) -> None:
        """Read the pinned WSDL and make the answer ready. Raises Misconfigured."""
        self._told = told
        self.carries_records = told.carries == "record"
        self._at = f"records.{kind}.push"
        self._settings: PushSettings | None = None
        pinned = Pinned(told.interface or interface, interfaces)
        client = client_of(pinned)
        operation = self._operation(client, pinned.name)
        self._asked = str(operation.input.body.qname)
        self._namespaces = namespaces_of(client)
        self._validity = Validity(schema_of(pinned), declared_names(pinned))
        self._items = Items(paths, zone, self._validity, self._namespaces)
        self._answer = self._rendered(operation.output.body, pinned.name)
        own = [path for path in (paths.id, paths.version, paths.modified, paths.our_key, paths.deleted) if path]
        self._shell, self.item, kind = self._way(
            operation.input.body, pinned.name, own if self.carries_records else [told.id or paths.id]
        )

        self._alone = _alone(pinned, kind)

    def proven_by(self, settings: PushSettings) -> SoapPushes:
        """The same, for a connection whose system proves itself so."""
        one = copy.copy(self)
        one._settings = settings
        return one

    def prove(self, pushed: Pushed, now: datetime) -> str:
        """See the port."""
        assert self._settings is not None  # `proven_by` comes first
        return prove(self._settings, pushed, now)

    def look(self, pushed: Pushed) -> None:
        """See the port."""
        kind = pushed.header("Content-Type").partition(";")[0].strip().lower()
        if kind not in _TYPES.values() or pushed.header("Content-Encoding") not in ("", "identity"):
            raise PushRefused(415, "expected text/xml (SOAP 1.1) or application/soap+xml (SOAP 1.2), not packed")
        self._message(pushed.body)

    def unpack(self, body: bytes, id: str) -> Sequence[Item | UnreadableItem | Named]:  # noqa: ARG002 - the port's
        """See the port."""
        try:
            message = self._message(body)
        except PushRefused as refusal:  # it was whole when it came
            return [UnreadableItem(body, refusal.reason)]
        found: list[Item | UnreadableItem | Named] = []
        if self._told.carries == "record":
            for _ in _branches(message, self._told.items.split("/")):
                try:
                    # What is around the records is taken apart as they are read, and the next branch needs it whole.
                    found += self._items.of_page(copy.deepcopy(message), self._told.items, body)[1]
                except PageUnreadable as fault:
                    found.append(UnreadableItem(xml.canonical(message), fault.reason))
            return found
        for element in _at(message, self._told.items):
            id_there = xml.text_at(xml.record_of(element, self._namespaces), self._told.id)
            reason = f"{self._told.id} is empty: expected the id of the record that it names"
            found.append(Named(id_there) if id_there else UnreadableItem(xml.canonical(element), reason))
        return found

    def taken(self, kept: Kept, pushed: Pushed) -> Answer:  # noqa: ARG002 - the port's
        """See the port."""
        return _enveloped(_version(pushed.body), copy.deepcopy(self._answer), 200)

    def refused(self, refusal: PushRefused, pushed: Pushed) -> Answer:
        """See the port: a fault in the envelope's own version."""
        version = _version(pushed.body)
        ours = refusal.status >= 500
        if version == SOAP_11:
            fault = etree.Element(f"{{{SOAP_11}}}Fault")
            code = "MustUnderstand" if refusal.status == MUST_UNDERSTAND else "Server" if ours else "Client"
            etree.SubElement(fault, "faultcode").text = f"soap:{code}"
            etree.SubElement(fault, "faultstring").text = refusal.reason
            # SOAP 1.1 knows one status for every fault; those that a client must heed before it reads stay.
            status = refusal.status if refusal.status in (401, 408, 413, 415, 503) else 500
            return _enveloped(version, fault, status)
        fault = etree.Element(f"{{{SOAP_12}}}Fault")
        code = "MustUnderstand" if refusal.status == MUST_UNDERSTAND else "Receiver" if ours else "Sender"
        etree.SubElement(etree.SubElement(fault, f"{{{SOAP_12}}}Code"), f"{{{SOAP_12}}}Value").text = f"soap:{code}"
        text = etree.SubElement(etree.SubElement(fault, f"{{{SOAP_12}}}Reason"), f"{{{SOAP_12}}}Text")
        text.text = refusal.reason
        text.set("{http://www.w3.org/XML/1998/namespace}lang", "en")
        return _enveloped(version, fault, 500 if refusal.status == MUST_UNDERSTAND else refusal.status)

    def again(self, element: etree._Element, raw: bytes, id: str) -> Item | UnreadableItem:
        """Read one record that was pushed and kept."""
        if self._alone is not None:
            judged = copy.deepcopy(element)
            judged.tag = "alone"
            return self._items.kept(element, self._alone.fault_but_for_additions(judged), raw, id)
        return self._items.again(copy.deepcopy(self._shell), self._told.items, element, raw, id)

    def _message(self, body: bytes) -> etree._Element:
        """Return the operation's element, cut out of its envelope. Raises PushRefused."""
        try:
            root = xml.parse(body, max_bytes=MOST_BYTES)
        except xml.UnreadableXml as trouble:
            raise PushRefused(400, f"the message cannot be read: {trouble}") from None
        version = etree.QName(root).namespace or ""
        if version not in _TYPES or xml.local(root) != "Envelope":
            raise PushRefused(400, "the message is no SOAP envelope")
        if _depth(root) > DEEPEST:
            raise PushRefused(400, f"the message is nested deeper than {DEEPEST} elements")
        for header in root.iterfind(f"{{{version}}}Header/*"):
            if header.get(f"{{{version}}}mustUnderstand", "").strip() in ("1", "true"):
                raise PushRefused(MUST_UNDERSTAND, "a header must be understood that is not known here")
        content = root.findall(f"{{{version}}}Body/*")
        if len(content) != 1 or content[0].tag != self._asked:
            raise PushRefused(400, f"expected one element {etree.QName(self._asked).localname} in the body")
        return content[0]

    def _operation(self, client: Any, name: str) -> Any:
        known: dict[str, Any] = {}
        for binding in client.wsdl.bindings.values():
            if isinstance(binding, Soap11Binding | Soap12Binding):
                offered: dict[str, Any] = binding.all()  # type: ignore[no-untyped-call]
                known = {**offered, **known}
        told = known.get(self._told.operation)
        if told is None:
            listed = ", ".join(sorted(known)) or "none"
            raise Misconfigured(
                f"{self._at}.operation: {name} has no operation {self._told.operation}: it has {listed}"
            )
        whole = isinstance(told.input, DocumentMessage) and told.input.body is not None
        if not whole or told.output is None or told.output.body is None:
            raise Misconfigured(
                f"{self._at}.operation: {self._told.operation} is not document/literal with an answer; "
                "that is not carried"
            )
        return told

    def _rendered(self, element: Any, name: str) -> etree._Element:
        content: dict[str, Any] = {}
        for path, value in self._told.answer.items():
            xml.put(content, path, value)
        parent = etree.Element("answer")
        try:
            element.render(parent, element(**arguments(element, content)))
        except Rejected as problem:
            raise Misconfigured(
                f"{self._at}.answer: {problem.field}: not in {name}: write what the answer has"
            ) from None
        except (zeep.exceptions.Error, TypeError, ValueError):
            raise Misconfigured(
                f"{self._at}.answer: not what {name} says of the answer: write the elements that it must have"
            ) from None
        made = parent[0]
        parent.remove(made)
        if fault := self._validity.fault(made):
            raise Misconfigured(f"{self._at}.answer: not what {name} says of the answer ({fault}): correct it")
        return made

    def _way(self, body: Any, name: str, own: Sequence[str]) -> tuple[etree._Element, str, Any]:
        """Return the empty elements that lead to an item, and its {namespace}name and type; it must have `own`."""
        shell = parent = etree.Element(str(body.qname))
        kind, steps = body.type, self._told.items.removesuffix("[]").split("/")
        for step in steps:
            found = self._inner(kind, step, "items", name)
            kind = found.type
            if step is not steps[-1]:
                parent = etree.SubElement(parent, str(found.qname))
        for path in own:
            below = kind
            for step in path.split("/"):
                if not step.startswith("@"):
                    below = self._inner(below, step, "items" if self.carries_records else "id", name).type
        return shell, str(found.qname), kind

    def _inner(self, kind: Any, step: str, key: str, name: str) -> Any:
        inner = {one.qname.localname: one for _, one in getattr(kind, "elements", ()) if one.name}
        if step not in inner:
            known = ", ".join(inner) or "nothing"
            raise Misconfigured(
                f"{self._at}.{key}: {name} has no element {step} in {self._told.operation}; there it has {known}"
            )
        return inner[step]


#: Not a status of HTTP: a refusal that SOAP has a code of its own for.
MUST_UNDERSTAND = 520


def _at(element: etree._Element, path: str) -> list[etree._Element]:
    found = [element]
    for step in path.removesuffix("[]").split("/"):
        found = [child for parent in found for child in parent if xml.local(child) == step]
    return found


def _alone(pinned: Pinned, kind: Any) -> Validity | None:
    """What judges one record without the message around it; None where its type has no name of its own."""
    name = getattr(kind, "qname", None)
    if name is None or not name.namespace:
        return None
    try:
        return Validity(schema_of(pinned, alone=(name.namespace, name.localname)), declared_names(pinned))
    except Misconfigured:
        return None


def _branches(at: etree._Element, steps: Sequence[str]) -> Iterator[None]:
    """Leave, one after the other, a single way down to where the records stand, so that one branch that is not as the
    interface says costs the others nothing."""
    if len(steps) == 1:
        yield
        return
    ways = [child for child in at if xml.local(child) == steps[0]]
    spot = at.index(ways[0]) if ways else 0
    for way in ways:
        at.remove(way)
    for way in ways:
        at.insert(spot, way)
        yield from _branches(way, steps[1:])
        at.remove(way)


def _depth(root: etree._Element) -> int:
    level, depth = [root], 0
    while level and depth <= DEEPEST:
        level, depth = [child for one in level for child in one], depth + 1
    return depth


def _version(body: bytes) -> str:
    """The envelope's version, as far as it can be told; SOAP 1.1 where it cannot."""
    return SOAP_12 if SOAP_12.encode() in body[:2000] else SOAP_11


def _enveloped(version: str, content: etree._Element, status: int) -> Answer:
    envelope = etree.Element(f"{{{version}}}Envelope", nsmap={"soap": version})
    etree.SubElement(envelope, f"{{{version}}}Body").append(content)
    body = etree.tostring(envelope, encoding="utf-8", xml_declaration=True)
    return Answer(status, f"{_TYPES[version]}; charset=utf-8", body)


def pushes_of(profile: SoapProfile, interfaces: Interfaces) -> dict[str, SoapPushes]:
    """How each kind is pushed, of those whose profile says so. Raises Misconfigured."""
    zone = ZoneInfo(profile.clock)
    return {
        kind: SoapPushes(kind, record.push, profile.interface, record.item, zone, interfaces)
        for kind, record in profile.records.items()
        if record.push is not None
    }


def fits(profile: SoapProfile, interfaces: Interfaces) -> None:
    """Hold a profile against its pinned WSDLs. Raises Misconfigured."""
    Interface(profile, interfaces)
    pushes_of(profile, interfaces)
