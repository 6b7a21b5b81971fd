"""Writes a record of several resources: one call a resource, in order, safe to be cut off between any two.

Each resource is created on condition that none bears our key, or put by that key, as the profile says, so that a
delivery that is repeated finds what an earlier try has made and goes on from there. What it finds is brought up to date
before the next step: a retry may carry a newer revision than the try that made it. The leading resource comes last, so
that nobody reads half a record.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from connectors.deadline import Deadline
from connectors.errors import Outdated, PageUnreadable, Rejected, Unknown
from connectors.fhir.asking import Asking
from connectors.fhir.bundles import Resource, entries
from connectors.fhir.outcome import refusing
from connectors.fhir.profile import Step
from connectors.fhir.records import Records, laid_over, moment, same, without_server
from connectors.http import Reply
from connectors.json_body import UnreadableBody, blemish, read
from connectors.port import Item, Receipt, Record
from connectors.rest.items import version_of
from connectors.rest.replies import at, id_text

_AS_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
CREATED = 201
ACCEPTED = 202


@dataclass(frozen=True, slots=True)
class Written:
    """One resource after its step."""

    id: str
    version: str
    modified: datetime | None
    effect: str  # "created", "updated" or "nothing"
    reply: bytes = b""


def create(records: Records, asking: Asking, record: Record, *, key: str, deadline: Deadline) -> Receipt:
    """Make what is not there yet, step by step. Raises `connectors.errors`; repeating it with the same key is safe."""
    refers: dict[str, str] = {}
    done: dict[str, Written] = {}
    for step in records.section.steps:
        sent = records.part(step, record, refers, key)
        written = _make(records, asking, step, sent, key, deadline)
        refers[step.resource] = f"{step.resource}/{written.id}"
        done[step.resource] = written
    return _receipt(records, done)


def update(
    records: Records, asking: Asking, record: Record, held: Item, *, version: str, deadline: Deadline
) -> Receipt:
    """Replace each resource that differs from what is held, checked against its version. Raises `connectors.errors`."""
    doing = f"updating a {records.kind}"
    if not version or not held.version:
        raise Outdated(f"{doing}: the version it was made from is not known; nothing was sent")
    if held.version != version:
        raise Outdated(f"{doing}: it was changed since it was read; nothing was sent")
    done: dict[str, Written] = {}
    for step in records.section.steps:
        there: Resource = held.record[step.resource]
        refers = {refers.to: str(at(there, f"{element}/reference")) for element, refers in step.refers.items()}
        sent = records.part(step, record, refers, "")
        done[step.resource] = _bring(asking, step, there, sent, deadline)
    return _receipt(records, done)


def judge(records: Records, asking: Asking, record: Record, *, deadline: Deadline) -> None:
    """Have the server judge the resources of a record without keeping them. Raises `connectors.errors`."""
    for type in records.section.types:
        doing = f"trying to write a {type}"
        reply = asking.validate(type, _body(without_server(record[type]), doing), deadline)
        asking.expect(reply, doing)
        try:
            told = read(reply.body, reply.headers.get("Content-Type", ""))
        except UnreadableBody as trouble:
            raise Unknown(f"{doing}: {trouble.reason}", reply=reply.body) from None
        if at(told, "resourceType") != "OperationOutcome":
            raise Unknown(f"{doing}: the answer is no OperationOutcome", reply=reply.body)
        issue = refusing(told)
        if issue is not None:
            named = f", naming {issue.element}" if issue.element else ""
            raise Rejected(f"{doing}: the server would refuse it ({issue.code or 'no code'}){named}", code=issue.code)


def _make(records: Records, asking: Asking, step: Step, sent: Resource, key: str, deadline: Deadline) -> Written:
    type, doing = step.resource, f"creating a {step.resource}"
    if step.once == "update" and (held := _looked_up(records, asking, type, key, deadline)) is not None:
        return _bring(asking, step, held, laid_over(held, sent), deadline, by=(records.section.identifier, key))
    make = asking.update_by_key if step.once == "update" else asking.create
    reply = make(type, _body(sent, doing), deadline, system=records.section.identifier, key=key)
    asking.expect(reply, doing, creating=True)
    if reply.status == ACCEPTED:
        raise Unknown(f"{doing}: HTTP 202 promises it for later", reply=reply.body)
    answer = asking.resource(reply, type, doing)
    if reply.status == CREATED or step.once == "update":
        return _written(asking, type, reply, answer, "created", doing)
    there = answer if answer is not None else _there(records, asking, type, key, deadline)
    return _bring(asking, step, there, laid_over(there, sent), deadline)


def _bring(
    asking: Asking,
    step: Step,
    there: Resource,
    wanted: Resource,
    deadline: Deadline,
    *,
    by: tuple[str, str] | None = None,
) -> Written:
    """Bring a resource that is there up to date, by its id or our key (system, value); nothing is sent where it is."""
    type, doing = step.resource, f"updating a {step.resource}"
    id, version = id_text(there.get("id")), id_text(at(there, "meta/versionId"))
    if not id:
        raise Unknown(f"{doing}: the server shows it without an id")
    if same(there, wanted):
        return Written(id, version, moment(at(there, "meta/lastUpdated")), "nothing")
    if not version:
        raise Outdated(f"{doing}: the version it was made from is not known; nothing was sent")
    body = _body({**wanted, "id": id}, doing)
    if by is None:
        reply = asking.update(type, id, body, deadline, version=version)
    else:
        reply = asking.update_by_key(type, body, deadline, system=by[0], key=by[1], version=version)
    asking.expect(reply, doing, one=True)
    if reply.status == ACCEPTED:
        raise Unknown(f"{doing}: HTTP 202 promises it for later", reply=reply.body)
    written = _written(asking, type, reply, asking.resource(reply, type, doing), "updated", doing, id=id)
    if written.id != id:
        raise Unknown(f"{doing}: the answer is about another resource", reply=reply.body)
    return written


def _there(records: Records, asking: Asking, type: str, key: str, deadline: Deadline) -> Resource:
    """Read what a conditional create found but did not show."""
    found = _looked_up(records, asking, type, key, deadline)
    if found is None:
        # It may be a search index that lags behind, or an answer that was none: nobody knows.
        raise Unknown(f"looking up a {type}: the server says that it is there and does not show it")
    return found


def _looked_up(records: Records, asking: Asking, type: str, key: str, deadline: Deadline) -> Resource | None:
    doing = f"looking up a {type}"
    try:
        _, reply = asking.search(type, [("identifier", f"{records.section.identifier}|{key}")], deadline)
        listed = entries(asking.listed(reply, doing), reply, doing)
    except PageUnreadable as trouble:
        raise Unknown(trouble.reason, reply=trouble.reply) from None
    found = [entry.resource for entry in listed if entry.type == type and entry.mode != "include"]
    if len(found) > 1:
        raise Rejected(f"{doing}: several bear our key")
    return found[0] if found else None


def _written(
    asking: Asking, type: str, reply: Reply, answer: Resource | None, effect: str, doing: str, *, id: str = ""
) -> Written:
    """What an answer says of the resource that was written. Where it does not show it, its headers must name it or its
    new version (FHIR R4, http.html#ops): else it may be a gateway's answer, and nothing was done."""
    told = answer if answer is not None else {}
    version = id_text(at(told, "meta/versionId")) or version_of(reply.headers.get("ETag", ""))
    found = id_text(told.get("id")) or asking.located(reply, type) or (id if version else "")
    if not found:
        raise Unknown(f"{doing}: the answer names no resource", reply=reply.body)
    return Written(found, version, moment(at(told, "meta/lastUpdated")), effect, reply.body)


def _receipt(records: Records, done: Mapping[str, Written]) -> Receipt:
    lead = done[records.lead]
    versions = [done[type].version for type in records.section.types]
    stamps = [written.modified for written in done.values() if written.modified is not None]
    effects = {written.effect for written in done.values()}
    effect = "updated" if effects - {"nothing"} else "nothing"
    effect = "created" if lead.effect == "created" else effect
    version = id_text(" ".join(versions)) if all(versions) else ""
    return Receipt(lead.id, effect, version, max(stamps, default=None), lead.reply)


def _body(resource: Resource, doing: str) -> bytes:
    try:  # not orjson, which writes NaN as null: a value would be wiped without a word
        return _AS_JSON.encode(resource).encode()
    except (TypeError, ValueError, RecursionError):
        words = f"{doing}: the record cannot be written as JSON ({blemish(resource)}); nothing was sent"
        raise Rejected(words) from None
