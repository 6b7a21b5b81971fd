"""Open311's two spellings read as one: rows of text, whether they came as XML or as JSON.

An element that is empty, a null and a name that is not there say the same (nothing), and numbers are the text that they
are written as: the same request has the same record in both. Errors are rows too, and may come inside a success.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lxml import etree

from connectors import xml
from connectors.errors import PageUnreadable, Unknown
from connectors.http import Reply
from connectors.json_body import UnreadableBody, as_received, parse, sound

_XML = ("text/xml", "application/xml")
_PAGES = (b"<!doctype html", b"<html")  # a gateway's page, whatever it calls itself: it says nothing about requests
#: What a list may be wrapped in by endpoints that write JSON as they write XML.
_ROOTS = ("service_requests", "services", "service_requests_updates", "service_request_updates", "errors")


#: How the answers to a read are called in XML, by the first word of what is asked for. The extension has two spellings.
_UPDATES = frozenset({"service_request_updates", "service_requests_updates"})
LISTS = {
    "requests": frozenset({"service_requests"}),
    "tokens": frozenset({"service_requests"}),
    "services": frozenset({"services"}),
    "servicerequestupdates": _UPDATES,
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of an answer. `fault`: why it cannot be read, "" if it can."""

    record: dict[str, Any]
    raw: bytes
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Rows:
    """An answer. `errors` are rows that have a code and a description and are nothing else."""

    rows: list[Row]
    error: bool = False
    root: str = ""  # how the list is called, where it is XML


def rows_of(reply: Reply, form: str, doing: str, *, most_bytes: int) -> Rows:
    """Read an answer of any status. Raises Unknown for a page that is of another sort altogether (a login page), and
    PageUnreadable for one that is broken."""
    if form == "json":
        return _json(reply, doing)
    if reply.media_type not in _XML or reply.body.lstrip()[:200].lower().startswith(_PAGES):
        raise Unknown(f"{doing}: the answer is no XML", reply=reply.body)
    try:
        root = xml.parse(reply.body, max_bytes=most_bytes)
    except xml.UnreadableXml as trouble:
        raise PageUnreadable(f"{doing}: {trouble}", reply=reply.body) from None
    rows = [_element(child) for child in root]
    return Rows(rows, xml.local(root) == "errors", xml.local(root))


def again(raw: bytes) -> Row:
    """Read one row's own bytes. Raises ValueError, whose text is safe to log."""
    if raw.lstrip()[:1] == b"<":
        try:
            return _element(xml.parse(raw, max_bytes=20_000_000))
        except xml.UnreadableXml as trouble:
            raise ValueError(f"the record cannot be read: {trouble}") from None
    try:
        return _value(parse(raw, "application/json"))
    except UnreadableBody as trouble:
        raise ValueError(trouble.reason) from None


def _json(reply: Reply, doing: str) -> Rows:
    try:
        found = parse(reply.body, reply.headers.get("Content-Type", ""))
    except UnreadableBody as trouble:
        if trouble.foreign:
            raise Unknown(f"{doing}: {trouble.reason}", reply=reply.body) from None
        raise PageUnreadable(f"{doing}: {trouble.reason}", reply=reply.body) from None
    if isinstance(found, dict):
        inner = next((found[root] for root in _ROOTS if isinstance(found.get(root), list)), None)
        found = inner if inner is not None else [found]
    if not isinstance(found, list):
        raise PageUnreadable(f"{doing}: expected a list", reply=reply.body)
    rows = [_value(one) for one in found]
    return Rows(rows, bool(rows) and all(set(row.record) == {"code", "description"} for row in rows))


def _value(found: Any) -> Row:
    try:
        raw = sound(found)
    except UnreadableBody as blemish:
        return Row({}, as_received(found), blemish.reason)
    if not isinstance(found, dict):
        return Row({}, raw, "expected an object")
    return Row({key: text for key, value in found.items() if (text := _text(value)) is not None}, raw)


def _text(value: Any) -> Any:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


def _element(element: etree._Element) -> Row:
    record = xml.record_of(element, frozenset({""}))
    shown = {key: value for key, value in record.items() if value not in (None, "")} if isinstance(record, dict) else {}
    return Row(shown, xml.canonical(element))
