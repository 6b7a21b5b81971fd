"""What came back: an answer, a fault, or something that is neither.

A fault is a fault whatever the HTTP status says, and a page of HTML is not an answer even with status 200. What a
fault means is looked up in the profile; its words are the supplier's and may name a person, so they stay in the bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from lxml import etree

from connectors import xml
from connectors.errors import (
    ConnectorError,
    Duplicate,
    Misconfigured,
    NotThere,
    Outdated,
    Rejected,
    Throttled,
    Unauthorised,
    Unknown,
)
from connectors.http import Reply, retry_after
from connectors.profile import ErrorName, Errors
from connectors.soap.addressing import FAULTS as ADDRESSING_FAULTS
from connectors.soap.addressing import belongs

SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12 = "http://www.w3.org/2003/05/soap-envelope"
# Of OASIS WS-Security 1.1, section 12: every way to say that the login was not accepted.
LOGIN_FAULTS = frozenset(
    {
        "FailedAuthentication",
        "FailedCheck",
        "InvalidSecurity",
        "InvalidSecurityToken",
        "MessageExpired",
        "SecurityTokenUnavailable",
        "UnsupportedAlgorithm",
        "UnsupportedSecurityToken",
    }
)
_CODE = re.compile(r"[A-Za-z0-9_.:-]{1,80}")
_FIELD = re.compile(r"[A-Za-z0-9_./@\[\]-]{1,200}")


class UnreadableReply(Unknown):
    """It claims to be an answer, but its XML cannot be read: a page that holds it may be readable in smaller pieces."""


@dataclass(frozen=True, slots=True)
class SoapFault:
    """What a fault says about itself; all of it the supplier's words."""

    codes: tuple[str, ...]  # local names, the most specific one first
    name: str  # local name of the first element in its detail, or ""
    detail: Any  # that element as a record


def answer_of(
    reply: Reply, *, expected: str, errors: Errors, what: str, max_bytes: int, number: str = ""
) -> etree._Element:
    """Return the answer's own element, `expected` being its {namespace}name.

    Raises whatever the profile or the rules say that the fault means; UnreadableReply and Unknown for what is no
    SOAP answer, or the answer to another message than the one with this WS-Addressing `number` ("" for none). `what`
    names system and operation in the sentence.
    """
    if reply.status == 429:
        slow, after = f"{what}: too many calls (429)", retry_after(reply)
        raise Throttled(slow, after=after, code="429", reply=reply.body, whole=True)
    body, trouble = _body(reply, max_bytes)
    if body is not None:
        if number and not belongs(body.getroottree().getroot(), number):
            raise Unknown(f"{what}: the answer belongs to another message (RelatesTo)", reply=reply.body)
        if (fault := _fault(body)) is not None:
            raise _meaning(fault, reply, errors, what)
        first = next(iter(body), None)
        if first is not None and first.tag == expected and reply.status < 300:
            return first
        trouble = Unknown(
            f"{what}: the answer is not the one that the interface names"
            + (" (its Body is empty)" if first is None else "")
            + (f" (status {reply.status})" if reply.status >= 300 else ""),
            reply=reply.body,
        )
    if reply.status in (401, 403):
        raise Unauthorised(f"{what}: the login was refused ({reply.status})", code=str(reply.status), reply=reply.body)
    if reply.status == 413:
        raise Rejected(f"{what}: the message is too long for the system (413)", code="413", reply=reply.body)
    assert trouble is not None
    raise type(trouble)(f"{what}: {trouble.reason}", reply=reply.body) if body is None else trouble


def _body(reply: Reply, max_bytes: int) -> tuple[etree._Element | None, Unknown | None]:
    """Return the Body of the envelope, or what is wrong."""
    if not reply.body.strip():
        return None, Unknown(f"an empty answer (status {reply.status})")
    if reply.media_type == "text/html" or reply.body.lstrip()[:200].lower().startswith((b"<!doctype html", b"<html")):
        return None, Unknown(f"a web page came instead of an answer (status {reply.status}); is it a login page?")
    if reply.media_type.startswith("multipart/"):
        return None, Unknown("an answer in several parts (MTOM), which is not supported")
    try:
        root = xml.parse(reply.body, max_bytes=max_bytes)
    except xml.UnreadableXml as problem:
        kind = UnreadableReply if "xml" in reply.media_type and reply.status < 300 else Unknown
        return None, kind(f"the answer cannot be read: {problem} (status {reply.status})")
    for namespace in (SOAP11, SOAP12):
        if root.tag == f"{{{namespace}}}Envelope":
            body = root.find(f"{{{namespace}}}Body")
            return (body, None) if body is not None else (None, Unknown("the answer's envelope has no Body"))
    return None, Unknown(f"the answer is no SOAP envelope (status {reply.status})")


def _fault(body: etree._Element) -> SoapFault | None:
    for first in body:
        if first.tag == f"{{{SOAP11}}}Fault":
            code = (first.findtext("faultcode") or "").strip()
            return _told((_local(code),), first.find("detail"))
        if first.tag == f"{{{SOAP12}}}Fault":
            values = [(value.text or "").strip() for value in first.iterfind(f"{{{SOAP12}}}Code//{{{SOAP12}}}Value")]
            return _told(tuple(_local(value) for value in reversed(values)), first.find(f"{{{SOAP12}}}Detail"))
    return None


def _told(codes: tuple[str, ...], detail: etree._Element | None) -> SoapFault:
    first = next(iter(detail), None) if detail is not None else None
    name = "" if first is None else xml.local(first)
    return SoapFault(codes, name, {} if first is None else xml.record_of(first, frozenset()))


def _meaning(fault: SoapFault, reply: Reply, errors: Errors, what: str) -> ConnectorError:
    """Say what a fault means: the profile's table first, then what SOAP and WS-Security themselves say."""
    code = _safe(_CODE, xml.text_at(fault.detail, errors.fault.code))
    field = _safe(_FIELD, xml.text_at(fault.detail, errors.fault.field))
    shown = code or _safe(_CODE, fault.name) or next((_safe(_CODE, found) for found in fault.codes), "")
    told = ", ".join(
        part for part in (_safe(_CODE, fault.name), code and f"code {code}", field and f"field {field}") if part
    )
    words = f"{what}: refused with a fault" + (f" ({told})" if told else f" ({shown})" if shown else "")
    for name in (f"{fault.name}:{code}", fault.name, code, *fault.codes):
        if name and name in errors.errors:
            return _named(errors.errors[name], words, fault, reply, errors, code=shown, field=field)
    if LOGIN_FAULTS.intersection(fault.codes) or reply.status in (401, 403):
        return Unauthorised(f"{what}: the login was refused ({shown})", code=shown, reply=reply.body)
    if ADDRESSING_FAULTS.intersection(fault.codes):
        return Misconfigured(
            f"{words}: the system did not take the message's addresses; correct the profile's addressing or the "
            "connection's addressed_to",
            code=shown,
        )
    kinds = {found.partition(".")[0] for found in fault.codes}
    if kinds & {"VersionMismatch", "MustUnderstand", "DataEncodingUnknown"}:
        return Misconfigured(
            f"{words}: the system does not take this kind of message; is port the right one?", code=shown
        )
    if kinds & {"Client", "Sender"}:
        return Rejected(words, field=field, code=shown, reply=reply.body)
    return Unknown(f"{what}: the system failed ({shown or 'no code'})", code=shown, reply=reply.body)


def _named(
    name: ErrorName, words: str, fault: SoapFault, reply: Reply, errors: Errors, *, code: str, field: str
) -> ConnectorError:
    if name is ErrorName.REJECTED:
        return Rejected(words, field=field, code=code, reply=reply.body)
    if name in (ErrorName.THROTTLED, ErrorName.LOCKED):
        whole = name is ErrorName.THROTTLED
        return Throttled(words, after=retry_after(reply), code=code, reply=reply.body, whole=whole)
    if name is ErrorName.DUPLICATE:
        existing = xml.text_at(fault.detail, errors.fault.existing)
        return Duplicate(words, existing=existing, code=code, reply=reply.body)
    plain = {
        ErrorName.OUTDATED: Outdated,
        ErrorName.NOT_THERE: NotThere,
        ErrorName.UNAUTHORISED: Unauthorised,
        ErrorName.MISCONFIGURED: Misconfigured,
    }
    return plain[name](words, code=code, reply=reply.body)


def _safe(form: re.Pattern[str], text: str) -> str:
    """Let only what looks like a code or a path into a sentence that is logged."""
    return text if form.fullmatch(text) else ""


def _local(name: str) -> str:
    return name.rpartition(":")[2]
