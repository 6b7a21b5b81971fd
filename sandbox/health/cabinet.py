"""Where the health service keeps its resources: every version of each, and an index to search them by.

Written inside one transaction, so that a kill leaves no version without its index or the other way about.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.store import Collection, Document, Json, Store

LEAD = "Task"
TYPES = ("Patient", "ServiceRequest", LEAD)
#: What else is kept: documents are filed with the referral that they are about.
DOCUMENTS = "DocumentReference"
KEPT = (*TYPES, DOCUMENTS)
#: By type and search parameter: the element whose references it follows (FHIR R4, the resources' own lists).
REFERENCES = {
    "Patient": {},
    "ServiceRequest": {"patient": "subject", "subject": "subject"},
    "Task": {"focus": "focus", "patient": "for", "subject": "for"},
    DOCUMENTS: {"related": "context.related", "patient": "subject", "subject": "subject"},
}


def led_to(resource: Json, element: str) -> list[str]:
    """Where the references at an element of a resource lead: `Patient/p1`. One that may repeat may lead to several."""
    told: Any = resource
    for step in element.split("."):
        told = told.get(step) or {} if isinstance(told, dict) else {}
    found = told if isinstance(told, list) else [told]
    return [str(one["reference"]) for one in found if isinstance(one, dict) and one.get("reference")]


@dataclass(frozen=True, slots=True)
class Version:
    """One line of a history: a resource as it was then, or that it was deleted."""

    id: str
    number: int
    changed: str
    resource: Json | None


class Cabinet:
    """The resources of every council's health service."""

    def __init__(self, store: Store, name: str, clock: Callable[[], datetime]) -> None:
        self._store, self._name, self._clock = store, name, clock

    def of(self, tenant: str, type: str) -> Collection:
        """The newest versions of a type. What leads stands where the control pages look."""
        return self._store.collection(tenant, self._name, "records" if type == LEAD else type)

    def get(self, tenant: str, type: str, id: str) -> Document | None:
        """A resource as it is now."""
        return self.of(tenant, type).get(id)

    def was_there(self, tenant: str, type: str, id: str) -> bool:
        """Whether a resource was deleted."""
        return self._store.collection(tenant, self._name, f"{type}#gone").get(id) is not None

    def keep(self, tenant: str, type: str, id: str, resource: Json) -> Document:
        """Write the next version; `id` "" makes a new resource."""
        with self._store.transaction():
            held = self.get(tenant, type, id) if id else None
            id = id or f"{type[0].lower()}{self._store.next_number(tenant, type)}-{secrets.token_hex(3)}"
            number = held.version + 1 if held else 1
            stamp = self._stamp(held)
            meta = {**(resource.get("meta") or {}), "versionId": str(number), "lastUpdated": stamp}
            body = {"resourceType": type, "id": id, "meta": meta, **_without(resource, ("resourceType", "id", "meta"))}
            self._index(tenant, type, id, held.body if held else None, body)
            self._note(tenant, type, Version(id, number, stamp, body))
            return self.of(tenant, type).put(id, body, version=number, changed=stamp)

    def delete(self, tenant: str, type: str, id: str) -> bool:
        """Delete a resource; False if it was not there. Its history goes on."""
        with self._store.transaction():
            held = self.get(tenant, type, id)
            if held is None:
                return False
            stamp = self._stamp(held)
            self._index(tenant, type, id, held.body, None)
            self._note(tenant, type, Version(id, held.version + 1, stamp, None))
            self._store.collection(tenant, self._name, f"{type}#gone").put(id, {}, version=1, changed=stamp)
            return self.of(tenant, type).delete(id)

    def known_by(self, tenant: str, type: str, parameter: str, value: str) -> list[Document]:
        """The resources that an indexed parameter finds."""
        lines = self._store.collection(tenant, self._name, f"{type}#index").by_key(f"{parameter}={value}", 1000)
        found = (self.get(tenant, type, line.body["id"]) for line in lines)
        return [each for each in found if each is not None]

    def history(self, tenant: str, type: str, since: str, after: tuple[str, str] | None, limit: int) -> list[Version]:
        """Every version since a moment, oldest first, a page at a time."""
        lines = self._store.collection(tenant, self._name, f"{type}#history")
        return [Version(**line.body) for line in lines.changed_since(since, limit=limit, after=after)]

    def _note(self, tenant: str, type: str, version: Version) -> None:
        line = {name: getattr(version, name) for name in ("id", "number", "changed", "resource")}
        place = f"{version.id}/{version.number:09}"
        self._store.collection(tenant, self._name, f"{type}#history").put(
            place, line, version=version.number, changed=version.changed
        )

    def _index(self, tenant: str, type: str, id: str, before: Json | None, after: Json | None) -> None:
        lines = self._store.collection(tenant, self._name, f"{type}#index")
        was, now = set(_terms(type, before)), set(_terms(type, after))
        for term in was - now:
            lines.delete(f"{term}#{id}")
        for term in now - was:
            lines.put(f"{term}#{id}", {"id": id}, version=1, changed="", key=term)

    def _stamp(self, held: Document | None) -> str:
        stamp = self._clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + (
            f"{self._clock().microsecond // 1000:03}+00:00"
        )
        return max(stamp, held.changed) if held else stamp  # a clock that was set back must not hide a change


def _terms(type: str, resource: Json | None) -> Iterator[str]:
    if resource is None:
        return
    for one in resource.get("identifier") or ():
        yield f"identifier={one.get('system', '')}|{one.get('value', '')}"
    for parameter, element in REFERENCES[type].items():
        for reference in led_to(resource, element):
            yield f"{parameter}={reference}"


def _without(resource: Json, names: tuple[str, ...]) -> Json:
    return {name: value for name, value in resource.items() if name not in names}
