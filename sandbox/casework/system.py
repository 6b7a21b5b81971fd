"""The case system's operations, and what its own staff can do to its records.

Every body is checked against the schema and the council's code lists; an update replaces the whole record and must
name the version it was read at. ClientReference is kept and searchable but not unique: a create that is sent twice
makes two records.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from xml.sax.saxutils import escape

from lxml import etree

from sandbox.casework import envelope, times
from sandbox.casework.codes import CodeLists
from sandbox.casework.envelope import SoapFault, Version
from sandbox.casework.login import Door
from sandbox.casework.papers import Papers
from sandbox.casework.schema import Schema
from sandbox.casework.shape import NAMESPACE, to_data, to_xml, trusted_parser, wsdl
from sandbox.exchange import Exchange, Request, Response
from sandbox.shown import Shown
from sandbox.store import Collection, Document, Json, Store

_CW = f"{{{NAMESPACE}}}"
_ADDRESS = b"http://127.0.0.1/council/casework/soap"
_GIVEN = ("ReferralId", "Version", "LastChanged")
_WALKS_REMEMBERED = 200


class Casework:
    """The system behind `/<council>/casework/soap`."""

    name = "casework"

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock
        self._door = Door(clock)
        self._schema = Schema()
        self._codes = CodeLists(store)
        self._papers = Papers(store, self._records)
        self.shown = Shown(wsdl())
        self._shifts: OrderedDict[tuple[str, str, int], int] = OrderedDict()
        self._shifts_lock = threading.Lock()
        self._operations = {
            "FindReferrals": self._find_referrals,
            "GetReferral": self._get_referral,
            "FindByClientReference": self._find_by_client_reference,
            "CreateReferral": self._create_referral,
            "UpdateReferral": self._update_referral,
            "CheckReferral": self._check_referral,
            "GetCodeList": self._get_code_list,
            "AddDocument": self._papers.add,
            "FindDocuments": self._papers.find,
        }

    def answer(self, request: Request, exchange: Exchange) -> Response:
        """Serve the WSDL, or one SOAP call."""
        if request.path != "/soap":
            return _plain(404, "There is nothing here. The service is at casework/soap.")
        if request.method == "GET" and "wsdl" in {key.lower() for key in request.query}:
            exchange.begin("wsdl")
            shown = self.shown.to(request.tenant).replace(_ADDRESS, f"{request.url}/soap".encode())
            return Response(200, shown, "text/xml; charset=utf-8")
        if request.method != "POST":
            return Response(405, b"Send a SOAP message by POST.\n", "text/plain; charset=utf-8", {"Allow": "POST"})
        version = envelope.version_of(request.headers.get("content-type", ""))
        if version is None:
            return _plain(415, "Content-Type must be text/xml (SOAP 1.1) or application/soap+xml (SOAP 1.2).")
        try:
            return self._call(version, request, exchange)
        except SoapFault as fault:
            exchange.outcome = fault.name
            return envelope.refusal(version, fault)

    def failure(self, request: Request, status: int) -> Response:
        """A server fault in the caller's SOAP version, or plain words for 429."""
        if status == 429:
            return _plain(429, "Too many calls.")
        version = envelope.version_of(request.headers.get("content-type", "")) or Version.V11
        fault = envelope.refusal(version, SoapFault("Server", "The server could not do this now."))
        return Response(status, fault.body, fault.content_type)

    def staff_put(self, tenant: str, id: str, record: Json) -> Json:
        """Write a record as staff do: a new status is dated now, null leaves out, a new code joins the lists."""
        record = _by_staff(record)
        with self._store.transaction():
            before = self._records(tenant).get(id) if id else None
            was = before.body if before else record
            if record.get("Status") != was.get("Status") and record.get("StatusChanged") in (
                None,
                was.get("StatusChanged"),
            ):
                record["StatusChanged"] = times.shown(times.stamp(self._clock()))
            record = self._checked(record)
            for _, name, code in list(self._codes.unknown(tenant, record)):
                self._codes.add(tenant, name, code)
            return self._put(tenant, id or self._next_id(tenant), record, before).body

    def write_unchecked(self, tenant: str, id: str, record: Json) -> Json:
        """Write a record past the schema and the lists, as an old import once did: so unreadable records come about."""
        record = _by_staff(record)
        to_xml(record)  # it must still be possible to send it
        with self._store.transaction():
            before = self._records(tenant).get(id) if id else None
            return self._put(tenant, id or self._next_id(tenant), record, before).body

    def type_in(self, tenant: str, record: Json) -> Json:
        """Enter a new referral by hand, as an officer does: the system numbers it and it bears nobody's key."""
        record = {key: value for key, value in record.items() if key != "ClientReference"}
        return self.staff_put(tenant, "", record)

    def documents(self, tenant: str, id: str) -> list[Json]:
        """What is filed with a referral, each with its `Content` as Base64."""
        return self._papers.of(tenant, id)

    def _call(self, version: Version, request: Request, exchange: Exchange) -> Response:
        call = envelope.read(version, request.body, request.headers.get("soapaction", ""))
        name = etree.QName(call.body)
        operation = self._operations.get(name.localname) if name.namespace == NAMESPACE else None
        if operation is None:
            raise SoapFault("Client", "There is no such operation.", name="Malformed")
        exchange.begin(name.localname)
        if exchange.take("expired_token") is not None:
            raise SoapFault("FailedAuthentication", "The security token has expired.")
        self._door.check(request.tenant, call.header)
        if wrong := self._schema.fault(call.body):
            raise _invalid(wrong[0], "Schema", wrong[1])
        return envelope.answer(version, name.localname, operation(request.tenant, call.body, exchange))

    def _find_referrals(self, tenant: str, body: etree._Element, exchange: Exchange) -> str:
        from_ = _text(body, "ChangedFrom")
        page, size = int(_text(body, "Page")), int(_text(body, "PageSize"))
        try:
            since = times.since(from_)
        except ValueError as error:
            raise _invalid("ChangedFrom", "Schema", "This is not a time.") from error
        endless = exchange.take("endless_page") is not None
        shift = 0 if endless else self._shift((tenant, from_, size), page, exchange)
        offset = 0 if endless else (page - 1 - shift) * size
        found = self._records(tenant).changed_since(since, limit=size + 1, offset=offset)
        more = endless or len(found) > size
        content = _referrals(found[:size], exchange)
        if more and found and exchange.take("changed_while_paging") is not None:
            notes = f"{found[0].body.get('OfficerNotes', '')} Rang again."[-4000:]
            self.staff_put(tenant, found[0].id, {**found[0].body, "OfficerNotes": notes})
        return f"{content}<cw:MorePages>{str(more).lower()}</cw:MorePages>"

    def _shift(self, walk: tuple[str, str, int], page: int, exchange: Exchange) -> int:
        # A repeated page pushes the rest of that walk back by one page, so that a caller who reads on misses nothing.
        with self._shifts_lock:
            shift = 0 if page == 1 else self._shifts.get(walk, 0)
            if page - 1 > shift and exchange.take("repeated_page") is not None:
                shift += 1
            self._shifts[walk] = shift
            self._shifts.move_to_end(walk)
            if len(self._shifts) > _WALKS_REMEMBERED:
                self._shifts.popitem(last=False)
        return shift

    def _get_referral(self, tenant: str, body: etree._Element, exchange: Exchange) -> str:
        found = self._records(tenant).get(_text(body, "ReferralId"))
        return _referrals([found] if found else [], exchange)

    def _find_by_client_reference(self, tenant: str, body: etree._Element, exchange: Exchange) -> str:
        return _referrals(self._records(tenant).by_key(_text(body, "ClientReference")), exchange)

    def _get_code_list(self, tenant: str, body: etree._Element, exchange: Exchange) -> str:  # noqa: ARG002 - every operation's parameters
        return "".join(
            f"<cw:Entry><cw:Code>{code}</cw:Code><cw:English>{escape(en)}</cw:English>"
            f"{f'<cw:Welsh>{escape(cy)}</cw:Welsh>' if cy else ''}</cw:Entry>"
            for code, en, cy in self._codes.entries(tenant, _text(body, "List"))
        )

    def _create_referral(self, tenant: str, body: etree._Element, exchange: Exchange) -> str:
        record = to_data(body[0])
        for name in _GIVEN:
            if name in record:
                raise _invalid(f"Referral/{name}", "NotAllowed", "The system itself gives this; leave it out.")
        self._refuse_unknown_codes(tenant, record)

        def create() -> Document:
            with self._store.transaction():
                return self._put(tenant, self._next_id(tenant), record, None)

        made = exchange.commit(create)
        return (
            f"<cw:ReferralId>{made.id}</cw:ReferralId><cw:Version>{made.version}</cw:Version>"
            f"<cw:LastChanged>{made.body['LastChanged']}</cw:LastChanged>"
        )

    def _update_referral(self, tenant: str, body: etree._Element, exchange: Exchange) -> str:
        record = to_data(body[0])
        for name in _GIVEN[:2]:
            if name not in record:
                raise _invalid(
                    f"Referral/{name}", "Required", "An update must name the record and the version it was read at."
                )
        self._refuse_unknown_codes(tenant, record)
        id, version = record["ReferralId"], int(record["Version"])

        def update() -> Document:
            with self._store.transaction():
                now = self._records(tenant).get(id)
                if now is None:
                    raise envelope.not_found(id)
                if now.version != version:
                    inner = f"<cw:ReferralId>{now.id}</cw:ReferralId><cw:Version>{now.version}</cw:Version>"
                    detail = f"<cw:VersionConflict>{inner}</cw:VersionConflict>"
                    raise SoapFault("Client", "It was changed meanwhile.", detail=detail, name="VersionConflict")
                return self._put(tenant, id, record, now)

        made = exchange.commit(update)
        return f"<cw:Version>{made.version}</cw:Version><cw:LastChanged>{made.body['LastChanged']}</cw:LastChanged>"

    def _check_referral(self, tenant: str, body: etree._Element, exchange: Exchange) -> str:  # noqa: ARG002 - every operation's parameters
        record = to_data(body[0])
        if "ReferralId" in record and self._records(tenant).get(record["ReferralId"]) is None:
            raise envelope.not_found(record["ReferralId"])
        self._refuse_unknown_codes(tenant, record)
        return "<cw:Acceptable>true</cw:Acceptable>"

    def _refuse_unknown_codes(self, tenant: str, record: Json) -> None:
        for path, name, code in self._codes.unknown(tenant, record):
            raise _invalid(path, "UnknownCode", f"{code} is not in the list {name}.")

    def _checked(self, record: Json) -> Json:
        text = f'<cw:CreateReferral xmlns:cw="{NAMESPACE}">{to_xml(record)}</cw:CreateReferral>'
        try:
            body = etree.fromstring(text, trusted_parser())
        except (etree.XMLSyntaxError, ValueError) as error:
            raise ValueError(
                "The record cannot be written as XML: it holds a control character or broken Extra."
            ) from error
        if wrong := self._schema.fault(body):
            raise ValueError(f"{wrong[0]}: {wrong[1]}")
        return to_data(body[0])

    def _put(self, tenant: str, id: str, record: Json, before: Document | None) -> Document:
        stamp = times.stamp(self._clock())
        if before is not None:
            stamp = max(stamp, before.changed)  # a clock that was set back must not hide a change
        version = before.version + 1 if before else 1
        body = {**record, "ReferralId": id, "Version": str(version), "LastChanged": times.shown(stamp)}
        key = record.get("ClientReference", "")
        return self._records(tenant).put(id, body, version=version, changed=stamp, key=key)

    def _next_id(self, tenant: str) -> str:
        return f"R{self._store.next_number(tenant, 'casework'):07d}"

    def _records(self, tenant: str) -> Collection:
        return self._store.collection(tenant, self.name)


def _referrals(documents: list[Document], exchange: Exchange) -> str:
    if documents and exchange.take("broken_record") is not None:
        first = documents[0]
        subject = {**first.body["Subject"], "DOB": "31/12/1950"}
        documents = [Document(first.id, 0, "", "", {**first.body, "Subject": subject}), *documents[1:]]
    if documents and (huge := exchange.take("huge_record")):
        first = documents[0]
        extra = f"<cw:Scan>{'A' * int(huge['bytes'])}</cw:Scan>"
        documents = [Document(first.id, 0, "", "", {**first.body, "Extra": extra}), *documents[1:]]
    return "".join(to_xml(document.body) for document in documents)


def _by_staff(record: Json) -> Json:
    return {key: value for key, value in _without_nulls(record).items() if key not in _GIVEN}


def _without_nulls(record: Json) -> Json:
    return {
        key: _without_nulls(value) if isinstance(value, dict) else value
        for key, value in record.items()
        if value is not None
    }


def _invalid(field: str, code: str, message: str) -> SoapFault:
    inner = f"<cw:Field>{escape(field)}</cw:Field><cw:Code>{code}</cw:Code><cw:Message>{escape(message)}</cw:Message>"
    detail = f"<cw:ValidationFault>{inner}</cw:ValidationFault>"
    return SoapFault("Client", "The request is not valid.", detail=detail, name="ValidationFault")


def _text(body: etree._Element, name: str) -> str:
    return body.findtext(f"{_CW}{name}") or ""


def _plain(status: int, words: str) -> Response:
    return Response(status, f"{words}\n".encode(), "text/plain; charset=utf-8")
