"""Puts the resources of one record together and takes them apart: checked, named, with version and stamp.

A record is a dict with one resource a step, each under the name of its type. Its id is the id of the leading resource;
its stamp is the newest of its parts; its version is made of theirs, in the order of the steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from connectors.fhir.bundles import Entry, Resource, Together
from connectors.fhir.profile import FhirRecord, Step
from connectors.json_body import UnreadableBody, as_received, sound
from connectors.port import Item, Record, UnreadableItem
from connectors.rest.interface import Interface
from connectors.rest.replies import at, id_text

KEPT_BY_SERVER = ("versionId", "lastUpdated")


class Records:
    """Reads and takes apart records of one kind."""

    def __init__(self, kind: str, section: FhirRecord, interface: Interface) -> None:
        """Compile the schema of each resource. Raises Misconfigured for a type that the interface does not hold."""
        self.kind, self.section = kind, section
        self._interface = interface
        for type in section.types:
            interface.prepare(type)

    @property
    def lead(self) -> str:
        """The type of the leading resource."""
        return self.section.lead.resource

    def led(self, found: Sequence[Entry]) -> list[Item | UnreadableItem]:
        """The records of a search for the leading resource, in its order."""
        together = Together(list(found))
        items: list[Item | UnreadableItem] = []
        for entry in found:
            if entry.mode == "outcome" or (entry.mode == "include" and entry.type != self.lead):
                continue
            if not isinstance(entry.resource, dict):
                words = f"{self.kind} at entry/{entry.place}: expected a resource"
                items.append(UnreadableItem(as_received(entry.whole), words))
            elif entry.type == self.lead:
                items.append(self.put_together(entry.resource, together))
        return items

    def put_together(self, lead: Resource, together: Together) -> Item | UnreadableItem:
        """One record from its leading resource and what came with it."""
        parts: Record = {self.lead: lead}
        for step in reversed(self.section.steps):
            for element, refers in step.refers.items():
                if refers.to in parts or step.resource not in parts:
                    continue
                found = together.led_to(parts[step.resource].get(element), refers.to)
                if found is not None:
                    parts[refers.to] = found
        return self.item({type: parts[type] for type in self.section.types if type in parts})

    def item(self, record: Any) -> Item | UnreadableItem:
        """Check one record as a whole. A fault makes it an UnreadableItem."""
        id = id_text(at(record, f"{self.lead}/id"))
        try:
            raw = sound(record)
        except UnreadableBody as blemish:
            return UnreadableItem(as_received(record), f"{self.kind} {blemish.reason}", id)
        modified = self._modified(record)
        for type in self.section.types:
            resource = record.get(type) if isinstance(record, dict) else None
            if resource is None:
                words = f"{self.kind}: the {self.lead} came without the {type} that it should refer to"
                return UnreadableItem(raw, words, id, modified)
            if fault := self._interface.fault(type, resource):
                return UnreadableItem(raw, f"{self.kind} {type} {fault}", id, modified)
        if not id:
            return UnreadableItem(raw, f"{self.kind} at {self.lead}/id: expected an id", "", modified)
        if modified is None:
            words = f"{self.kind} at {self.lead}/meta/lastUpdated: expected a moment"
            return UnreadableItem(raw, words, id)
        return Item(id, record, raw, self.version(record), modified, self.our_key(record))

    def deleted(self, entry: Any) -> Item | None:
        """The news of a deletion from an entry of a history; None if it tells of something else."""
        request = entry.get("request") if isinstance(entry, dict) else None
        if not isinstance(request, dict) or request.get("method") != "DELETE":
            return None
        told = request.get("url")
        steps = told.partition("/_history")[0].split("/") if isinstance(told, str) else []
        id = id_text(steps[-1]) if len(steps) >= 2 and steps[-2] == self.lead else ""
        modified = moment(at(entry, "response/lastModified"))
        if not id or modified is None:
            return None
        try:
            return Item(id, {}, sound({"request": request, "response": entry["response"]}), "", modified, deleted=True)
        except UnreadableBody:
            return None

    def version(self, record: Mapping[str, Any]) -> str:
        """The versions of all parts, "" if the server gives one of them none."""
        told = [id_text(at(record, f"{type}/meta/versionId")) for type in self.section.types]
        return id_text(" ".join(told)) if all(told) else ""

    def our_key(self, record: Mapping[str, Any]) -> str:
        """Our key where the leading resource bears it."""
        identifiers = at(record, f"{self.lead}/identifier")
        for one in identifiers if isinstance(identifiers, list) else ():
            if isinstance(one, dict) and one.get("system") == self.section.identifier:
                return id_text(one.get("value"))
        return ""

    def part(self, step: Step, record: Record, refers: Mapping[str, str], key: str) -> Resource:
        """One resource as it is sent: without what the server sets, with type, references and, if given, our key."""
        told = record.get(step.resource)
        sent = without_server(told if isinstance(told, dict) else {})
        sent["resourceType"] = step.resource
        for element, reference in step.refers.items():
            if reference.to in refers:
                held = sent.get(element)
                sent[element] = {**(held if isinstance(held, dict) else {}), "reference": refers[reference.to]}
        if key:
            ours = {"system": self.section.identifier, "value": key}
            sent["identifier"] = [*_others(sent.get("identifier"), ours["system"]), ours]
        return sent

    def _modified(self, record: Any) -> datetime | None:
        stamps = [moment(at(record, f"{type}/meta/lastUpdated")) for type in self.section.types]
        return max((stamp for stamp in stamps if stamp is not None), default=None)


def without_server(resource: Resource) -> Resource:
    """A resource without its id and without what of its meta only the server sets."""
    sent = {name: value for name, value in resource.items() if name not in ("id", "meta")}
    meta = resource.get("meta")
    kept = {k: v for k, v in meta.items() if k not in KEPT_BY_SERVER} if isinstance(meta, dict) else {}
    return {**sent, "meta": kept} if kept else sent


def same(one: Resource, other: Resource) -> bool:
    """Whether two resources say the same, whatever the server keeps about them."""
    options = orjson.OPT_SORT_KEYS
    return orjson.dumps(without_server(one), option=options) == orjson.dumps(without_server(other), option=options)


def laid_over(held: Resource, sent: Resource) -> Resource:
    """What we send laid over what is there: our elements win, others stay, and no identifier is lost."""
    merged = {**without_server(held), **sent}
    ours = sent.get("identifier")
    if isinstance(ours, list):
        systems = {one.get("system") for one in ours if isinstance(one, dict)}
        theirs = held.get("identifier")
        kept = (
            [one for one in theirs if isinstance(one, dict) and one.get("system") not in systems]
            if isinstance(theirs, list)
            else []
        )
        merged["identifier"] = [*kept, *ours]
    return merged


def moment(told: Any) -> datetime | None:
    """An instant of FHIR in UTC; None for what is none."""
    if not isinstance(told, str):
        return None
    try:
        read = datetime.fromisoformat(told)
    except ValueError:
        return None
    try:
        return read.astimezone(UTC) if read.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _others(identifiers: Any, system: str) -> list[Any]:
    known = identifiers if isinstance(identifiers, list) else []
    return [one for one in known if not (isinstance(one, dict) and one.get("system") == system)]
