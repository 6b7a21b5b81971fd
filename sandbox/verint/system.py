"""The pretend CRM's operations, and what its own staff can do to its cases.

Every body is checked against the schema. An update replaces the case but for its status while it is closed, its notes
and its events, which only grow. externalReference is kept and searchable but not unique: a create that is sent twice
makes two cases.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from xml.sax.saxutils import escape

from lxml import etree

from sandbox.casework import times
from sandbox.exchange import Exchange, Request, Response
from sandbox.shown import Shown
from sandbox.store import Collection, Document, Json, Store
from sandbox.verint.door import may_enter
from sandbox.verint.shape import NAMESPACE, Schema, to_data, to_xml, trusted_parser, wsdl

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_C = f"{{{NAMESPACE}}}"
OPEN = ("NEW", "TRIAGE", "ACCEPTED", "WORKING", "WAITING")
CLOSED = ("DONE", "REFUSED", "PASSED-ON", "WITHDRAWN", "IN-ERROR")
BOOKS = {
    "status": (*OPEN, *CLOSED),
    "priority": ("3", "2", "1"),
    "classification": ("ASC-CONTACT", "ASC-REFERRAL", "ASC-ASSESS", "ASC-CARER", "ASC-SAFE", "ASC-ONWARD", "ASC-INFO"),
}
_GIVEN = ("caseReference", "lastModified", "closed")
_GROWING = ("notes", "events")


class Refusal(Exception):
    """A call that is refused with an FLFault."""

    def __init__(self, code: str, words: str, field: str = "") -> None:
        super().__init__(words)
        self.code, self.words, self.field = code, words, field


class Verint:
    """The system behind `/<council>/verint/soap`."""

    name = "verint"

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock
        self._schema = Schema()
        self.shown = Shown(wsdl())
        self._operations: dict[str, Callable[[str, etree._Element, Exchange], str]] = {
            "searchAndRetrieveCases": self._search,
            "searchByExternalReference": self._by_reference,
            "retrieveCase": self._retrieve,
            "createCase": self._create,
            "updateCase": self._update,
            "closeCase": self._close,
            "reopenCase": self._reopen,
            "createNotes": self._note,
            "addCaseEvent": self._event,
            "retrieveCodeBook": self._book,
        }

    def answer(self, request: Request, exchange: Exchange) -> Response:
        """Serve the WSDL, or one SOAP call."""
        if request.path != "/soap":
            return Response(404, b"There is nothing here. The service is at verint/soap.\n", "text/plain")
        if request.method == "GET" and "wsdl" in {key.lower() for key in request.query}:
            exchange.begin("wsdl")
            return Response(200, self.shown.to(request.tenant), "text/xml; charset=utf-8")
        if request.method != "POST":
            return Response(405, b"Send a SOAP message by POST.\n", "text/plain", {"Allow": "POST"})
        try:
            return self._call(request, exchange)
        except Refusal as refusal:
            exchange.outcome = refusal.code
            return _fault(refusal)

    def failure(self, request: Request, status: int) -> Response:  # noqa: ARG002 - the port's
        """A server fault that says nothing."""
        inner = "<s:Fault><faultcode>s:Server</faultcode><faultstring>It failed.</faultstring></s:Fault>"
        return Response(status, _envelope(inner), "text/xml; charset=utf-8")

    def staff_put(self, tenant: str, id: str, record: Json) -> Json:
        """Write a case as staff do. Raises ValueError in plain words."""
        record = {name: value for name, value in record.items() if name not in _GIVEN}
        with self._store.transaction():
            before = self._cases(tenant).get(id) if id else None
            made = {"status": "NEW", "opened": times.shown(times.stamp(self._clock())), **record}
            self._checked(made)
            return self._put(tenant, id or self._next(tenant), made, before).body

    def write_unchecked(self, tenant: str, id: str, record: Json) -> Json:
        """Write a case past the schema, as an old import once did: so unreadable cases come about."""
        record = {name: value for name, value in record.items() if name not in _GIVEN}
        to_xml(record, "Case", "case")  # it must still be possible to send it
        with self._store.transaction():
            before = self._cases(tenant).get(id) if id else None
            return self._put(tenant, id or self._next(tenant), record, before).body

    def _call(self, request: Request, exchange: Exchange) -> Response:
        try:
            envelope = etree.fromstring(request.body, trusted_parser())
        except (etree.XMLSyntaxError, ValueError) as error:
            raise Refusal("INVALID", "The message is not well-formed XML.") from error
        body = envelope.find(f"{{{SOAP}}}Body")
        content = list(body) if body is not None else []
        operation = self._operations.get(etree.QName(content[0]).localname) if len(content) == 1 else None
        if operation is None or etree.QName(content[0]).namespace != NAMESPACE:
            raise Refusal("INVALID", "There is no such operation.")
        name = etree.QName(content[0]).localname
        exchange.begin(name)
        header = envelope.find(f"{{{SOAP}}}Header")
        expired = exchange.take("expired_token") is not None
        if expired or not may_enter(request.tenant, request.headers.get("authorization", ""), header):
            raise Refusal("LOGIN", "The login was not accepted.")
        if wrong := self._schema.fault(content[0]):
            raise Refusal("INVALID", wrong[1], wrong[0])
        inner = operation(request.tenant, content[0], exchange)
        return Response(200, _envelope(f"<c:{name}Response>{inner}</c:{name}Response>"), "text/xml; charset=utf-8")

    def _search(self, tenant: str, body: etree._Element, exchange: Exchange) -> str:
        try:
            since, until = times.since(_text(body, "modifiedFrom")), times.since(_text(body, "modifiedTo"))
        except ValueError as error:
            raise Refusal("INVALID", "This is not a time.", "modifiedFrom") from error
        found, after = [], None
        while page := self._cases(tenant).changed_since(since, limit=500, after=after):
            after = (page[-1].changed, page[-1].id)
            found += [case for case in page if case.changed <= until]
            if page[-1].changed > until:
                break
        found.reverse()  # the newest first, as nobody asked for an order
        if found and exchange.take("changed_while_paging") is not None:
            self.staff_put(tenant, found[0].id, {**found[0].body, "worker": "Rang again"})
        return _listed(found, exchange)

    def _by_reference(self, tenant: str, body: etree._Element, exchange: Exchange) -> str:
        return _listed(self._cases(tenant).by_key(_text(body, "externalReference")), exchange)

    def _retrieve(self, tenant: str, body: etree._Element, exchange: Exchange) -> str:
        found = self._cases(tenant).get(_text(body, "caseReference"))
        return _listed([found] if found else [], exchange)

    def _create(self, tenant: str, body: etree._Element, exchange: Exchange) -> str:
        case = self._given(body)
        if _GROWING[0] in case or _GROWING[1] in case:
            raise Refusal("INVALID", "Notes and events are added by their own operations.", "case/notes")

        def create() -> Document:
            with self._store.transaction():
                return self._put(tenant, self._next(tenant), {"status": "NEW", **case}, None)

        return f"<c:caseReference>{exchange.commit(create).id}</c:caseReference>"

    def _update(self, tenant: str, body: etree._Element, exchange: Exchange) -> str:
        case = self._given(body)
        id = _text(body[0], "caseReference")

        def change(now: Json) -> Json:
            if now["status"] in CLOSED:
                raise Refusal("CASE_CLOSED", "A closed case cannot be changed.")
            kept = {name: now[name] for name in _GROWING if name in now}
            return {
                "status": now["status"],
                **{name: part for name, part in case.items() if name not in _GROWING},
                **kept,
            }

        return self._changed(tenant, id, change, exchange)

    def _close(self, tenant: str, body: etree._Element, exchange: Exchange) -> str:
        code, words = _text(body, "closureCode"), _text(body, "closureReason")
        if code not in CLOSED:
            raise Refusal("INVALID", "There is no such closure code.", "closureCode")

        def change(now: Json) -> Json:
            if now["status"] in CLOSED:
                raise Refusal("CASE_CLOSED", "The case is closed already.")
            told = {"statusReason": words} if words else {}
            return {**now, **told, "status": code, "closed": times.shown(times.stamp(self._clock()))}

        return self._changed(tenant, _text(body, "caseReference"), change, exchange)

    def _reopen(self, tenant: str, body: etree._Element, exchange: Exchange) -> str:
        def change(now: Json) -> Json:
            if now["status"] in OPEN:
                raise Refusal("CASE_OPEN", "The case is open.")
            return {**{name: part for name, part in now.items() if name != "closed"}, "status": "WORKING"}

        return self._changed(tenant, _text(body, "caseReference"), change, exchange)

    def _note(self, tenant: str, body: etree._Element, exchange: Exchange) -> str:
        return self._grown(tenant, body, exchange, "Note", "notes", "note")

    def _event(self, tenant: str, body: etree._Element, exchange: Exchange) -> str:
        return self._grown(tenant, body, exchange, "Event", "events", "event")

    def _grown(self, tenant: str, body: etree._Element, exchange: Exchange, type: str, group: str, name: str) -> str:
        item = {**to_data(body[1], type), "createdOn": times.shown(times.stamp(self._clock()))}

        def change(now: Json) -> Json:
            return {**now, group: {name: [*now.get(group, {}).get(name, []), item]}}

        return self._changed(tenant, _text(body, "caseReference"), change, exchange)

    def _book(self, tenant: str, body: etree._Element, exchange: Exchange) -> str:  # noqa: ARG002 - every operation's
        codes = BOOKS.get(_text(body, "name"), ())
        return "".join(
            f"<c:entry><c:code>{code}</c:code><c:text>{code.capitalize()}</c:text></c:entry>" for code in codes
        )

    def _changed(self, tenant: str, id: str, change: Callable[[Json], Json], exchange: Exchange) -> str:
        def commit() -> Document:
            with self._store.transaction():
                now = self._cases(tenant).get(id)
                if now is None:
                    raise Refusal("NO_SUCH_CASE", "There is no such case.")
                return self._put(tenant, id, change(now.body), now)

        return f"<c:lastModified>{exchange.commit(commit).body['lastModified']}</c:lastModified>"

    def _given(self, body: etree._Element) -> Json:
        case = to_data(body[0], "Case")
        for name in ("classification", "priority"):
            if case[name] not in BOOKS[name]:
                raise Refusal("INVALID", "This code is not in the code book.", f"case/{name}")
        if case.get("status", "NEW") not in OPEN:
            raise Refusal("INVALID", "A case is closed by closeCase.", "case/status")
        return {name: part for name, part in case.items() if name not in _GIVEN}

    def _checked(self, case: Json) -> None:
        text = f'<c:createCase xmlns:c="{NAMESPACE}">{to_xml(case, "Case", "case")}</c:createCase>'
        try:
            wrong = self._schema.fault(etree.fromstring(text, trusted_parser()))
        except etree.XMLSyntaxError as error:
            raise ValueError("The case cannot be written as XML: it holds a control character.") from error
        if wrong:
            raise ValueError(f"{wrong[0]}: {wrong[1]}")

    def _put(self, tenant: str, id: str, case: Json, before: Document | None) -> Document:
        stamp = times.stamp(self._clock())
        if before is not None:
            stamp = max(stamp, before.changed)  # a clock that was set back must not hide a change
        body = {**case, "caseReference": id, "lastModified": times.shown(stamp)}
        version = before.version + 1 if before else 1
        return self._cases(tenant).put(id, body, version=version, changed=stamp, key=case.get("externalReference", ""))

    def _next(self, tenant: str) -> str:
        return f"1010{self._store.next_number(tenant, self.name):08d}"

    def _cases(self, tenant: str) -> Collection:
        return self._store.collection(tenant, self.name)


def _listed(cases: list[Document], exchange: Exchange) -> str:
    bodies = [case.body for case in cases]
    if bodies and exchange.take("broken_record") is not None:
        bodies[0] = {**bodies[0], "individual": {**bodies[0]["individual"], "dateOfBirth": "31/12/1950"}}
    if bodies and (huge := exchange.take("huge_record")):
        bodies[0] = {**bodies[0], "description": "A" * int(huge["bytes"])}
    return "".join(to_xml(body, "Case", "case") for body in bodies)


def _fault(refusal: Refusal) -> Response:
    field = f"<c:field>{escape(refusal.field[:100])}</c:field>" if refusal.field else ""
    detail = f"<c:errorCode>{refusal.code}</c:errorCode><c:errorMessage>{escape(refusal.words)}</c:errorMessage>{field}"
    inner = (
        "<s:Fault><faultcode>s:Server</faultcode><faultstring>The call failed.</faultstring>"
        f"<detail><c:FLFault>{detail}</c:FLFault></detail></s:Fault>"
    )
    return Response(500, _envelope(inner), "text/xml; charset=utf-8")


def _envelope(inner: str) -> bytes:
    space = f'xmlns:s="{SOAP}" xmlns:c="{NAMESPACE}"'
    return f'<?xml version="1.0" encoding="utf-8"?>\n<s:Envelope {space}><s:Body>{inner}</s:Body></s:Envelope>'.encode()


def _text(body: etree._Element, name: str) -> str:
    return body.findtext(f"{_C}{name}") or ""
