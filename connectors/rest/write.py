"""What is sent to create or update a record, and what is read out of the answer to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import orjson

from connectors.errors import Outdated, Rejected, Unknown
from connectors.http import Reply
from connectors.json_body import UnreadableBody, blemish, read
from connectors.port import Receipt, Record
from connectors.profile import ErrorName
from connectors.rest.addresses import Addresses
from connectors.rest.items import ItemReader
from connectors.rest.joined import together
from connectors.rest.profile import RestCreate, RestRecord, RestUpdate
from connectors.rest.replies import at, id_text

LONGEST_CODE = 64
ACCEPTED = 202  # "will be looked at": neither done nor refused
EMPTY = 204
_PLAIN = frozenset({str, int, bool, type(None)})
_AS_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Write:
    """One request that changes something."""

    method: str
    path: str
    places: Mapping[str, str]
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    doing: str
    params: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, ErrorName] = field(default_factory=dict)  # what this call's errors mean before all others
    id_at: str | None = None  # where the answer holds the id, if not where records do
    id: str = ""  # of the record that is updated
    key: str = ""  # of the record that is created
    version: str = ""


def creating(kind: str, section: RestRecord, create: RestCreate, record: Record, *, key: str) -> Write:
    """Make the request that creates `record` under our key. Raises Rejected for a record that JSON cannot hold."""
    sent = _without(record, section.leave_out)
    if create.our_key:
        _put(sent, create.our_key, key)
    headers = {**create.headers, "Content-Type": create.content_type}
    if create.key_header:
        headers[create.key_header] = _for_header(key, "our key")
    places = {"our_key": key} if "{our_key}" in create.path else {}
    doing = f"creating a {kind}"
    body = _body(sent, section, doing)
    more = (create.query, create.errors, create.id)
    return Write(create.method, create.path, places, headers, body, doing, *more, key=key)


def updating(kind: str, section: RestRecord, update: RestUpdate, record: Record, *, id: str, version: str) -> Write:
    """Make the request that updates `id`. Raises Outdated if the version that it was made from is not known."""
    doing = f"updating a {kind}"
    headers = {**update.headers, "Content-Type": update.content_type}
    if update.check is not None:
        if not version:
            raise Outdated(f"{doing}: the version it was made from is not known; nothing was sent")
        told = _http_date(version, doing) if update.check.as_ == "http-date" else version
        headers[update.check.header] = _for_header(update.check.value.replace("{version}", told), "the version")
    body = _body(_without(record, section.leave_out), section, doing)
    more = (update.query, update.errors)
    return Write(update.method, update.path, {"id": id}, headers, body, doing, *more, id=id, version=version)


def judging(kind: str, section: RestRecord, record: Record) -> Write | None:
    """Make the request that has the system judge `record` and keep nothing; None where it has no such call."""
    told = section.dry_write
    if told is None:
        return None
    content_type = section.create.content_type if section.create is not None else "application/json"
    doing = f"trying to write a {kind}"
    body = _body(_without(record, section.leave_out), section, doing)
    return Write(told.method, told.path, {}, {"Content-Type": content_type}, body, doing)


def receipt(write: Write, reply: Reply, section: RestRecord, reader: ItemReader, addresses: Addresses) -> Receipt:
    """Read the answer to a write that went well. Raises Unknown if it does not say which record it was, and Rejected
    if it says that nothing was done."""
    if reply.status == ACCEPTED:
        raise Unknown(f"{write.doing}: HTTP 202 promises it for later", reply=reply.body)
    answer: Any = None
    if reply.body or reply.status not in (EMPTY, 201):
        try:
            answer = read(reply.body, reply.headers.get("Content-Type", ""))
        except UnreadableBody as trouble:
            raise Unknown(f"{write.doing}: {trouble.reason}", reply=reply.body) from None
    create = section.create if not write.id else None
    if create is not None and create.done is not None:
        refuse_undone(answer, create.done, section, doing=write.doing, body=reply.body)
    id = reader.id(answer) if write.id_at is None else id_text(at(answer, write.id_at))
    if not id and section.fetch is not None:
        id = addresses.id_in(reply.headers.get("Location", ""), section.fetch.path)
    if not id and reply.status == EMPTY:
        id = write.id
    if not id or (write.id and id != write.id):
        raise Unknown(f"{write.doing}: the answer names no record, or another", reply=reply.body)
    kept = reader.our_key(answer)
    if write.key and kept and kept != write.key:
        raise Unknown(f"{write.doing}: the answer is about a record with another key", reply=reply.body)
    version = reader.version(answer, reply.headers.get("ETag", ""))
    if not write.id:
        effect = "created" if reply.status != 200 or write.method == "POST" else "updated"
    else:
        effect = "nothing" if version and version == write.version else "updated"
    return Receipt(id, effect, version, reader.modified(answer), reply.body)


def refuse_undone(answer: Any, done: str, section: RestRecord, *, doing: str, body: bytes) -> None:
    """Take an answer at its word. Raises Rejected where it says "not done" within HTTP 200, Unknown where it says
    nothing of it."""
    told = at(answer, done)
    if told is True or str(told).strip().lower() in ("1", "true"):
        return
    if told is None:
        raise Unknown(f"{doing}: the answer does not say at {done} whether it was done", reply=body)
    named = at(answer, section.fault.code) if section.fault.code else None
    code = named if isinstance(named, str) and named.isalnum() and len(named) <= LONGEST_CODE else ""
    raise Rejected(f"{doing}: HTTP 200 says at {done} that it was not done", code=code, reply=body)


def _without(record: Record, paths: list[str]) -> Record:
    """Return the record without what the system sets itself. Only what changes is copied; what was given stays."""
    sent: Record = dict(record)
    for path in paths:
        *way, last = path.split("/")
        inner: Any = sent
        for step in way:
            inner = _own(inner, step)
            if inner is None:
                break
        else:
            inner.pop(last, None)
    return sent


def _put(record: Record, path: str, value: str) -> None:
    *way, last = path.split("/")
    inner: Any = record
    for step in way:
        inner.setdefault(step, {})
        inner = _own(inner, step)
        if inner is None:
            raise Rejected(f"our key cannot be written at {path}: there is something else on the way")
    inner[last] = value


def _own(outer: Record, step: str) -> Record | None:
    """Put a copy of an inner object in its place, so that it may be changed; None where there is no object."""
    inner = outer.get(step)
    if not isinstance(inner, dict):
        return None
    outer[step] = copied = dict(inner)
    return copied


def _body(record: Record, section: RestRecord, doing: str) -> bytes:
    record = together(record, section.joined, doing)
    if _is_plain(record):
        with suppress(orjson.JSONEncodeError):
            return orjson.dumps(record)
    try:  # orjson would write NaN as null, and a value would be wiped without a word
        return _AS_JSON.encode(record).encode()
    except (TypeError, ValueError, RecursionError):
        raise Rejected(f"{doing}: the record cannot be written as JSON ({blemish(record)}); nothing was sent") from None


def _http_date(version: str, doing: str) -> str:
    """A version that is a moment, as HTTP writes dates (RFC 9110, 5.6.7)."""
    try:
        moment = datetime.fromisoformat(version)
    except ValueError:
        raise Outdated(f"{doing}: the version it was made from is no moment; nothing was sent") from None
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def _is_plain(value: Any) -> bool:
    """Whether there is nothing in it but what JSON has names for; numbers with a fraction are left to be looked at."""
    inner = value.values() if type(value) is dict else value if type(value) is list else None
    if inner is None:
        return type(value) in _PLAIN
    for one in inner:  # noqa: SIM110 - a generator costs as much as the questions
        if type(one) not in _PLAIN and not _is_plain(one):
            return False
    return True


def _for_header(value: str, what: str) -> str:
    if not value.isascii() or not value.isprintable() or value != value.strip():
        raise Rejected(f"{what} cannot stand in a header; nothing was sent")
    return value
