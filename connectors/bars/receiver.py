"""What a BaRS receiver makes of a call to its $process-message: records to take in, and the answer to give.

Nothing here listens, keeps or sends. `receive` is a pure function of the call and of whether its message is known
already; whoever listens keeps the bytes before it gives the answer. Its parts (`look`, `unpacked`, `answered`,
`refused`) can be taken alone by a listener that keeps the bytes in between.

A record is the message taken apart: one resource a type, and `Message` with the Bundle's id, event, reason and time.
Its id is that of the resource in focus, or else the UUID that the message knows it by: the contract's own examples
give their resources no id. A cancellation is a record too: its status says so.
"""

from __future__ import annotations

import base64
import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.bars import answers
from connectors.bars.message import ODS, WITHDRAWN
from connectors.bars.profile import BarsProfile, BarsRecord
from connectors.fhir.bundles import Entry, Resource, Together
from connectors.fhir.records import moment
from connectors.json_body import UnreadableBody, parse, sound
from connectors.port import Item, Record, UnreadableItem
from connectors.rest.interface import Interface
from connectors.rest.replies import at, id_text

REASONS = ("new", "update", "delete")
_TYPE = "application/fhir+json"
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")  # FHIR R4, datatype id
MIRRORED = ("X-Request-Id", "X-Correlation-Id")


class Refused(Exception):
    """A call that is not taken. `words` are ours and hold nothing of it."""

    def __init__(self, status: int, issue: str, code: str, words: str) -> None:
        super().__init__(words)
        self.status, self.issue, self.code, self.words = status, issue, code, words


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it came. Names of headers in any case."""

    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def header(self, name: str) -> str:
        """A header's value, "" if it is not there."""
        return next((value.strip() for key, value in self.headers.items() if key.lower() == name.lower()), "")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller is answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


def receive(
    call: Call, profile: BarsProfile, interface: Interface, *, service: str, known: Callable[[str], bool]
) -> tuple[str, Sequence[Item | UnreadableItem], Answer]:
    """Return the kind of record, the records, and the answer to give once they are kept; no records if refused.

    `service` is the identifier of our own service, which the call must be for; `known(id)` says whether a message with
    that id was kept before: it is answered with 409, which a sender takes for success.
    """
    try:
        kind, bundle = look(call, profile, service=service)
    except Refused as refusal:
        return "", [], refused(call, refusal)
    if known(str(bundle["id"])):
        again = Refused(409, "duplicate", "REC_CONFLICT", "This message has been processed already.")
        return "", [], refused(call, again)
    return kind, unpacked(profile.records[kind], interface, call.body, kind=kind), answered(call, bundle)


def look(call: Call, profile: BarsProfile, *, service: str) -> tuple[str, Record]:
    """Make sure that a call is a message for us. Returns its kind and its Bundle. Raises Refused."""
    for name in MIRRORED:
        if not _UUID.fullmatch(call.header(name)):
            raise Refused(400, "required", "REC_BAD_REQUEST", f"The header {name} must be a UUID.")
    target = _decoded(call, "NHSD-Target-Identifier")
    if target.get("value") != service:
        raise Refused(404, "not-found", "REC_NOT_FOUND", "NHSD-Target-Identifier names a service that is not here.")
    organisation = _decoded(call, "NHSD-End-User-Organisation")
    if not any(isinstance(one, dict) and one.get("value") for one in _list(organisation.get("identifier"))):
        words = f"NHSD-End-User-Organisation must name an organisation by an identifier such as {ODS}."
        raise Refused(400, "required", "REC_BAD_REQUEST", words)
    try:
        bundle = parse(call.body, call.header("Content-Type"))
        sound(bundle)
    except UnreadableBody as trouble:
        if trouble.foreign and call.body.strip():
            raise Refused(415, "not-supported", "REC_BAD_REQUEST", f"Send {_TYPE}.") from None
        raise Refused(400, "structure", "REC_BAD_REQUEST", "The body is not JSON that can be read.") from None
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle" or bundle.get("type") != "message":
        raise Refused(400, "invalid", "REC_BAD_REQUEST", "The body must be a Bundle of the type message.")
    if not message_id(bundle):
        raise Refused(400, "required", "REC_BAD_REQUEST", "The Bundle has no id such as FHIR allows.")
    header = _header(bundle)
    event = at(header, "eventCoding/code")
    kind = next((kind for kind, section in profile.records.items() if section.event == event), "")
    if not kind:
        words = "This service does not process messages of that event."
        raise Refused(422, "not-supported", "REC_UNPROCESSABLE_ENTITY", words)
    if reason_of(header) not in REASONS:
        words = "MessageHeader.reason must be new, update or delete."
        raise Refused(400, "code-invalid", "REC_BAD_REQUEST", words)
    section = profile.records[kind]
    if section.answers and not id_text(at(header, "response/identifier")):
        raise Refused(400, "invariant", "REC_BAD_REQUEST", "An answer must name the message that it answers.")
    focus = _focus(bundle, section)
    if focus is None:
        words = f"The focus of the message must be a {section.focus} in it."
        raise Refused(422, "required", "REC_UNPROCESSABLE_ENTITY", words)
    if not section.answers and reason_of(header) == "delete" and focus.get("status") not in WITHDRAWN:
        words = "A cancellation needs the status revoked or entered-in-error."  # else it would be taken for a change
        raise Refused(422, "business-rule", "REC_UNPROCESSABLE_ENTITY", words)
    return kind, bundle


def unpacked(
    section: BarsRecord, interface: Interface, body: bytes, *, kind: str, id: str = ""
) -> list[Item | UnreadableItem]:
    """Take apart a message that `look` let pass: always one record, which may be unreadable alone."""
    try:
        bundle = parse(body, _TYPE)
        sound(bundle)
    except UnreadableBody as trouble:
        return [UnreadableItem(body, trouble.reason, id)]
    focus = _focus(bundle, section) if isinstance(bundle, dict) else None
    if focus is None:
        return [UnreadableItem(body, f"{kind}: the message has no {section.focus} in focus", id)]
    header, together = _header(bundle), Together(_entries(bundle))
    found = id_text(focus.get("id")) or _uuid_of(bundle, focus) or id
    stamp = moment(bundle.get("timestamp")) or moment(at(bundle, "meta/lastUpdated"))
    record: Record = {
        "Message": {
            "id": id_text(bundle.get("id")),
            "event": id_text(at(header, "eventCoding/code")),
            "reason": reason_of(header),
            "answers": id_text(at(header, "response/identifier")),
            "focus": found,
        },
        section.focus: focus,
    }
    if section.answers:
        record["Answer"] = answers.told(header, together, focus)
    for step in reversed(section.resources):
        for element, refers in step.refers.items():
            led = together.led_to(record.get(step.resource, {}).get(element), refers.to)
            if led is not None:
                record[refers.to] = led
    for type in section.types:
        if type not in record:
            return [
                UnreadableItem(
                    body, f"{kind}: the message has no {type} that its {section.focus} leads to", found, stamp
                )
            ]
        if fault := interface.fault(type, record[type]):
            return [UnreadableItem(body, f"{kind} {type} {fault}", found, stamp)]
    if not found:
        return [UnreadableItem(body, f"{kind} at {section.focus}/id: expected an id", "", stamp)]
    told = str(record["Message"]["id"])
    version = "" if told.isdecimal() else told  # a number would be taken for a counter
    to = section.push.answers if section.push is not None else None
    return [Item(found, record, body, version, stamp, about=answers.about(to, header, focus) if to else None)]


def answered(call: Call, bundle: Record) -> Answer:
    """What a caller hears whose message is kept: a message of the same id, with our header alone (200)."""
    header = _header(bundle)
    told = {
        "resourceType": "Bundle",
        "id": bundle["id"],
        "type": "message",
        "entry": [{"fullUrl": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, str(bundle['id']))}", "resource": {
            "resourceType": "MessageHeader",
            "eventCoding": header.get("eventCoding"),
            "source": {"endpoint": at(header, "destination/endpoint") or "urn:dolen"},
            "response": {"identifier": str(bundle["id"]), "code": "ok"},
        }}],
    }  # fmt: skip
    return Answer(200, _mirrored(call), json.dumps(told, ensure_ascii=False).encode())


def refused(call: Call, refusal: Refused) -> Answer:
    """What a caller hears whose message is not taken: an OperationOutcome with the NHS's code."""
    details = {"coding": [{"system": "https://fhir.nhs.uk/Codesystem/http-error-codes", "code": refusal.code}]}
    issue = {"severity": "error", "code": refusal.issue, "details": details, "diagnostics": refusal.words}
    told = {"resourceType": "OperationOutcome", "issue": [issue]}
    return Answer(refusal.status, _mirrored(call), json.dumps(told).encode())


def message_id(bundle: Any) -> str:
    """The id of a message, by which it is known when it comes again; "" if it has none that FHIR allows."""
    told = bundle.get("id") if isinstance(bundle, dict) else None
    return told if isinstance(told, str) and _ID.fullmatch(told) else ""


def reason_of(header: Resource) -> str:
    """Why a message was sent: "new", "update" or "delete"; "" if it does not say."""
    codings = _list(at(header, "reason/coding"))
    told = codings[0].get("code") if codings and isinstance(codings[0], dict) else None
    return told if isinstance(told, str) else ""


def _mirrored(call: Call) -> dict[str, str]:
    told = {name: call.header(name) for name in MIRRORED}
    return {"Content-Type": _TYPE, **{name: value for name, value in told.items() if _UUID.fullmatch(value)}}


def _decoded(call: Call, name: str) -> Record:
    try:
        found = json.loads(base64.b64decode(call.header(name), validate=True))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Refused(400, "required", "REC_BAD_REQUEST", f"The header {name} must be JSON in Base64.")
    return found


def _entries(bundle: Record) -> list[Entry]:
    found = _list(bundle.get("entry"))
    return [Entry(n, one, one.get("resource"), "") for n, one in enumerate(found) if isinstance(one, dict)]


def _header(bundle: Record) -> Resource:
    found = _entries(bundle)
    first = found[0].resource if found else None
    return first if isinstance(first, dict) and first.get("resourceType") == "MessageHeader" else {}


def _focus(bundle: Record, section: BarsRecord) -> Resource | None:
    together = Together(_entries(bundle))
    led = (together.led_to(one, section.focus) for one in _list(_header(bundle).get("focus")))
    found = next((one for one in led if one is not None), None)
    if found is not None or not section.answers:
        return found
    # The receiver's Encounter is in focus, and what it answers stands beside it.
    beside = [one.resource for one in _entries(bundle) if at(one.resource, "resourceType") == section.focus]
    return beside[0] if len(beside) == 1 else None


def _uuid_of(bundle: Record, resource: Resource) -> str:
    full = next((one.whole.get("fullUrl") for one in _entries(bundle) if one.resource is resource), None)
    told = full.removeprefix("urn:uuid:") if isinstance(full, str) else ""
    return told if _UUID.fullmatch(told) else ""


def _list(told: Any) -> list[Any]:
    return told if isinstance(told, list) else []
