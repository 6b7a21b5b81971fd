"""Documents handed to a FHIR server: a DocumentReference with the file in it, sent piece by piece and made once.

One call makes all of it. A Binary beside it would be a second resource that bears no key of ours (FHIR R4, binary.html:
it has no identifier), so that a call without an answer would leave one that nobody finds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from connectors.deadline import Deadline
from connectors.documents import Document
from connectors.errors import Misconfigured, PageUnreadable, Rejected, Unknown
from connectors.fhir.asking import Asking
from connectors.fhir.bundles import Resource, entries
from connectors.fhir.profile import FhirRecord
from connectors.fhir.profile_documents import FhirDocuments
from connectors.port import Receipt, Record
from connectors.rest.interface import Interface
from connectors.rest.replies import at, id_text
from connectors.streamed import in_place_of, mark

TYPE = "DocumentReference"
_DOING = f"creating a {TYPE}"


def fits(kind: str, section: FhirRecord, interface: Interface) -> None:
    """Raises Misconfigured for a DocumentReference that the pinned interface would not allow."""
    told = section.documents
    if told is None:
        return
    sample = {type: {"id": "x"} for type in section.types}
    shown = reference(told, section.identifier, sample, name="x", mime="application/pdf", data="eA==", key="x")
    if fault := interface.fault(TYPE, shown):
        raise Misconfigured(f"records.{kind}.documents.says: {TYPE} {fault}")
    known = interface.raw_component(TYPE).get("properties", {})
    if wrong := sorted(set(told.says) - set(known)):
        raise Misconfigured(
            f"records.{kind}.documents.says: {interface.name} has no element {wrong[0]} in {TYPE}: correct its name"
        )


def reference(
    told: FhirDocuments, system: str, record: Mapping[str, Any], *, name: str, mime: str, data: str, key: str
) -> Resource:
    """The DocumentReference of one document of a record, the file in Base64 in it."""
    attached = {"contentType": mime, "title": name, "data": data}
    subject = {"subject": _leading_to(told.subject, record)} if told.subject else {}
    return {
        **told.says,
        "resourceType": TYPE,
        "identifier": [{"system": system, "value": key}],
        "status": "current",
        **subject,
        "context": {"related": [_leading_to(told.about, record)]},
        "content": [{"attachment": attached}],
    }


def add(
    told: FhirDocuments,
    system: str,
    asking: Asking,
    record: Record,
    document: Document,
    *,
    key: str,
    deadline: Deadline,
) -> Receipt:
    """Make it, unless one bears our key. Raises `connectors.errors`; repeating it with the same key is safe."""
    marked = mark()
    shown = reference(told, system, record, name=document.name, mime=document.mime, data=marked, key=key)
    size, body = in_place_of(marked, json.dumps(shown, ensure_ascii=False).encode(), document)
    reply = asking.create(TYPE, body, deadline, system=system, key=key, size=size, wants="minimal")
    asking.expect(reply, _DOING, creating=True)
    if reply.status == 202:
        raise Unknown(f"{_DOING}: HTTP 202 promises it for later", reply=reply.body)
    answer = asking.resource(reply, TYPE, _DOING) or {}
    found = id_text(answer.get("id")) or asking.located(reply, TYPE) or _held(system, asking, key, deadline)
    if not found:
        raise Unknown(f"{_DOING}: the answer names no resource, and none bears our key")
    # The answer is not kept: a server that does not heed Prefer sends the document back in it.
    return Receipt(found, "created" if reply.status == 201 else "nothing")


def find(system: str, asking: Asking, key: str, deadline: Deadline) -> str:
    """The id of the one that bears our key, "" if there is none. Raises `connectors.errors` and PageUnreadable."""
    doing = f"looking up a {TYPE}"
    # A summary has no Attachment.data (FHIR R4, datatypes.html#attachment): the files themselves stay where they are.
    asked = [("identifier", f"{system}|{key}"), ("_summary", "true")]
    _, reply = asking.search(TYPE, asked, deadline)
    listed = entries(asking.listed(reply, doing), reply, doing)
    # A search that also finds what is merely like our key must not take another's document for ours.
    found = [one.resource for one in listed if one.type == TYPE and _bears(one.resource, system, key)]
    if len(found) > 1:
        raise Rejected(f"{doing}: several bear our key")
    if not found:
        return ""
    id = id_text(found[0].get("id"))
    if not id:
        raise PageUnreadable(f"{doing}: the server shows it without an id", reply=reply.body)
    return id


def _held(system: str, asking: Asking, key: str, deadline: Deadline) -> str:
    """`find` after a write: what cannot be read leaves open whether it was done."""
    try:
        return find(system, asking, key, deadline)
    except PageUnreadable as trouble:
        raise Unknown(trouble.reason, reply=trouble.reply) from None


def _bears(resource: Resource, system: str, key: str) -> bool:
    told = resource.get("identifier")
    listed = told if isinstance(told, list) else []
    return any(at(one, "system") == system and at(one, "value") == key for one in listed)


def _leading_to(type: str, record: Mapping[str, Any]) -> dict[str, str]:
    return {"reference": f"{type}/{id_text(at(record, f'{type}/id'))}"}
