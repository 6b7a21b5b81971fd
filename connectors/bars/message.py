"""A BaRS message: a Bundle that begins with a MessageHeader, and the headers of HTTP that travel with it.

Everything that names a message is made from our key, so that what is sent again is known again: the conversation
(X-Correlation-Id), the resources (urn:uuid), and of a first message the Bundle itself, which a receiver that has it
answers with 409. A later message has an id of its own each time: a status that goes there, back and there again is
three messages and no repetition.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.bars.profile import BarsProfile, BarsRecord, BarsSettings
from connectors.fhir.records import without_server
from connectors.port import Record

JSON = "application/fhir+json"
EVENTS = "https://fhir.nhs.uk/CodeSystem/message-events-bars"
REASONS = "https://fhir.nhs.uk/CodeSystem/message-reason-bars"
ODS = "https://fhir.nhs.uk/Id/ods-organization-code"
PRODUCT = "https://dolen.example.org/id/software"
#: What a ServiceRequest says when a referral is taken back (BaRS: "status set to revoked, as a minimum").
WITHDRAWN = frozenset({"revoked", "entered-in-error"})
_SPACE = uuid.UUID("5d01e000-0000-4000-8000-00000000ba25")


@dataclass(frozen=True, slots=True)
class Message:
    """One message, ready to be sent."""

    id: str  # of the Bundle
    focus: str  # id of the resource that it is about
    reason: str  # "new", "update" or "delete"
    headers: Mapping[str, str] = field(repr=False)
    bundle: Record = field(repr=False)


def made(
    profile: BarsProfile,
    section: BarsRecord,
    settings: BarsSettings,
    record: Record,
    *,
    key: str,
    new: bool,
    now: datetime,
) -> Message:
    """Make the message that tells of `record` under our key; `now` stands in it as its time."""
    ids = {type: named(key, type) for type in section.types}
    focus = section.focus
    status = record.get(focus, {}).get("status") if isinstance(record.get(focus), dict) else None
    reason = "delete" if status in WITHDRAWN and not new else "new" if new else "update"
    # An answer names the first message (BaRS: "the original request BundleID"), and so the referral, as we know it.
    first = named(key, "first answer") if section.answers else ids[focus]
    id = first if new else str(uuid.uuid4())
    moment = now.isoformat(timespec="seconds")
    ours, theirs = named(key, "our organisation"), named(key, "their organisation")
    told = record.get("MessageHeader")
    header: Record = {
        **(told if isinstance(told, dict) else {}),
        "resourceType": "MessageHeader",
        "id": named(id, "header"),
        "eventCoding": {"system": EVENTS, "code": section.event},
        "destination": [{"endpoint": _endpoint(settings.target), "receiver": {"reference": f"urn:uuid:{theirs}"}}],
        "sender": {"reference": f"urn:uuid:{ours}"},
        "source": {
            "name": settings.organisation.name,
            "software": settings.software,
            "endpoint": _endpoint(settings.ours),
        },
        "reason": {"coding": [{"system": REASONS, "code": reason}]},
        "focus": [{"reference": f"urn:uuid:{ids[focus]}"}],
        "definition": section.definition,
    }
    entries = [_entry(header)]
    for step in reversed(section.resources):
        told = record.get(step.resource)
        resource = {**without_server(told if isinstance(told, dict) else {}), "resourceType": step.resource}
        resource["id"] = ids[step.resource]
        for element, refers in step.refers.items():
            resource[element] = {"reference": f"urn:uuid:{ids[refers.to]}"}
        entries.append(_entry(resource))
    for id_, who in ((ours, settings.organisation), (theirs, settings.receiver)):
        entries.append(_entry({"resourceType": "Organization", "id": id_, "name": who.name,
                               "identifier": [{"system": ODS, "value": who.ods}]}))  # fmt: skip
    bundle = {"resourceType": "Bundle", "id": id, "type": "message", "timestamp": moment, "entry": entries}
    return Message(id, ids[focus], reason, _headers(profile, section, settings, id, key, reason), bundle)


def named(key: str, what: str) -> str:
    """An id that is always the same for the same key and the same thing."""
    return str(uuid.uuid5(_SPACE, f"{what}|{key}"))


def encoded(value: Any) -> str:
    """A JSON value as the NHSD headers carry it: Base64 of its UTF-8."""
    return base64.b64encode(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()).decode()


def _headers(
    profile: BarsProfile, section: BarsRecord, settings: BarsSettings, id: str, key: str, reason: str
) -> Mapping[str, str]:
    organisation, product = settings.organisation, settings.software
    return {
        "Accept": f"{JSON}; version={profile.core}",
        "Content-Type": f"{JSON}; version={profile.core}",
        "X-Request-Id": id,
        "X-Correlation-Id": named(key, "conversation"),
        "NHSD-Target-Identifier": encoded({"value": settings.target.value, "system": settings.target.system}),
        "NHSD-End-User-Organisation": encoded(
            {"resourceType": "Organization", "identifier": [{"value": organisation.ods, "system": ODS}],
             "name": organisation.name}
        ),
        "NHSD-Requesting-Software": encoded(
            {"resourceType": "Device", "identifier": [{"system": PRODUCT, "value": product}],
             "deviceName": {"name": product, "type": "manufacturer-name"}}
        ),
        "use-context": f"{section.use_case}|{section.event}|{reason}",
    }  # fmt: skip


def _endpoint(who: Any) -> str:
    return f"{who.system}|{who.value}"


def _entry(resource: Record) -> Record:
    return {"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource}
