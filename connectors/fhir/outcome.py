"""What a FHIR server's refusal means for the caller: the one table from HTTP status and issue code to a named error.

| reply | error |
|---|---|
| 429, or the issue code `throttled` | Throttled, after Retry-After (one hour at most) |
| 401, 403, 407, or `login`, `expired`, `forbidden`, `security`, `suppressed`, `unknown` | Unauthorised |
| 404, 410, or `not-found`, `deleted` | NotThere; on a search or a create the path itself is wrong: Misconfigured |
| 409 with `duplicate` | Duplicate |
| 409 with `conflict`, `lock-error` or no code; 412 on an update | Outdated |
| 412 on a conditional create, or `multiple-matches` | Rejected: several records bear our key, a person must look |
| 412 on a conditional update: with a version Outdated, without one as on a conditional create | |
| 400, 405, 406, 413, 415, 422 and any other 4xx | Rejected, with the element that the issue names |
| 408, 5xx, and any other | Unknown: perhaps done |

The status rules where it is plain; an issue code only refines it, and never turns a 5xx into "not done". Codes are
those of the value set `issue-type` of FHIR R4. Words of the server (`diagnostics`, `details.text`) are never passed
on: they may quote the record.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from connectors.errors import Duplicate, Misconfigured, NotThere, Outdated, Rejected, Throttled, Unauthorised, Unknown
from connectors.http import Reply, retry_after
from connectors.json_body import UnreadableBody, read
from connectors.profile import ErrorName
from connectors.rest.interface import Interface

LONGEST_WAIT = 3600.0  # seconds: a server that asks for more is asked again after an hour
_CODE = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
#: FHIR R4's issue types (valueset-issue-type.html). A word that is none of them may be anybody's.
ISSUES = frozenset({
    "invalid", "structure", "required", "value", "invariant", "security", "login", "unknown", "expired", "forbidden",
    "suppressed", "processing", "not-supported", "duplicate", "multiple-matches", "not-found", "deleted", "too-long",
    "code-invalid", "extension", "too-costly", "business-rule", "conflict", "transient", "lock-error", "no-store",
    "exception", "timeout", "incomplete", "throttled", "informational",
})  # fmt: skip
_PLACE = re.compile(r"[A-Za-z][A-Za-z0-9_.\[\]]{0,199}")

BY_STATUS: Mapping[int, ErrorName] = {
    401: ErrorName.UNAUTHORISED,
    403: ErrorName.UNAUTHORISED,
    404: ErrorName.NOT_THERE,
    407: ErrorName.UNAUTHORISED,
    409: ErrorName.OUTDATED,
    410: ErrorName.NOT_THERE,
    412: ErrorName.OUTDATED,
    429: ErrorName.THROTTLED,
}
BY_CODE: Mapping[str, ErrorName] = {
    "throttled": ErrorName.THROTTLED,
    "login": ErrorName.UNAUTHORISED,
    "expired": ErrorName.UNAUTHORISED,
    "forbidden": ErrorName.UNAUTHORISED,
    "security": ErrorName.UNAUTHORISED,
    "suppressed": ErrorName.UNAUTHORISED,
    "unknown": ErrorName.UNAUTHORISED,  # "the user or system was not able to be authenticated", says the value set
    "not-found": ErrorName.NOT_THERE,
    "deleted": ErrorName.NOT_THERE,
    "duplicate": ErrorName.DUPLICATE,
    "conflict": ErrorName.OUTDATED,
    "lock-error": ErrorName.OUTDATED,
    "multiple-matches": ErrorName.REJECTED,
}
#: Where a refusal says something that its status leaves open.
_REFINED = frozenset({400, 409, 412, 422})


@dataclass(frozen=True, slots=True)
class Issue:
    """The first issue of an OperationOutcome that is an error."""

    code: str = ""
    detail: str = ""  # the server's own code
    element: str = ""  # where, as a path of ours: "Task/status"


def issue_in(body: Any) -> Issue:
    """Read the first error of an OperationOutcome; an empty one for anything else."""
    if not isinstance(body, dict) or body.get("resourceType") != "OperationOutcome":
        return Issue()
    told = body.get("issue")
    issues = [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
    grave = [one for one in issues if one.get("severity") in ("error", "fatal")] or issues
    if not grave:
        return Issue()
    first = grave[0]
    details = first.get("details")
    codings = details.get("coding") if isinstance(details, dict) else None
    coding = codings[0] if isinstance(codings, list) and codings else None
    detail = _code(coding.get("code")) if isinstance(coding, dict) else ""
    places = first.get("expression")
    place = places[0] if isinstance(places, list) and places else ""
    code = _code(first.get("code"))
    return Issue(code if code in ISSUES else "", detail, _element(place))


def refusing(body: Any) -> Issue | None:
    """The error for which a server that was only asked ($validate) would refuse; None where it would not."""
    told = body.get("issue") if isinstance(body, dict) else None
    issues = [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
    return issue_in(body) if any(one.get("severity") in ("error", "fatal") for one in issues) else None


def refuse(reply: Reply, *, doing: str, interface: Interface | None, one: bool, creating: bool = False) -> NoReturn:
    """Raise the named error for a reply that is no success.

    `doing` is a phrase of ours ("creating a Task"), `one` says that the address named one record, `creating` that the
    call was a conditional create.
    """
    try:
        issue = issue_in(read(reply.body, reply.headers.get("Content-Type", "")))
    except UnreadableBody:
        issue = Issue()
    status, raw, code = reply.status, reply.body, issue.detail or issue.code
    what = f"{doing}: HTTP {status}{f' ({issue.code})' if issue.code else ''}"
    match _meaning(status, issue, creating):
        case ErrorName.THROTTLED | ErrorName.LOCKED:
            asked = retry_after(reply)
            after = None if asked is None else min(asked, LONGEST_WAIT)
            raise Throttled(f"{what} asks us to slow down", after=after, code=code, reply=raw, whole=True)
        case ErrorName.UNAUTHORISED:
            raise Unauthorised(f"{what} refuses our login or its permissions", code=code, reply=raw)
        case ErrorName.NOT_THERE if one:
            raise NotThere(f"{what}: there is no such record", code=code, reply=raw)
        case ErrorName.NOT_THERE | ErrorName.MISCONFIGURED:
            raise Misconfigured(f"{what}: no such path; is the connection's url right?", code=code, reply=raw)
        case ErrorName.OUTDATED:
            raise Outdated(f"{what}: the record was changed since it was read", code=code, reply=raw)
        case ErrorName.DUPLICATE:
            raise Duplicate(f"{what}: it is there already", code=code, reply=raw)
        case ErrorName.REJECTED:
            if creating and status == 412:
                raise Rejected(f"{what}: several of its records bear our key", code=code, reply=raw)
            known = issue.element if interface is not None and interface.names_field(_without_type(issue)) else ""
            named = f", naming {known}" if known else ""
            raise Rejected(f"{what} refuses what we sent{named}", field=known, code=code, reply=raw)
        case None:
            raise Unknown(f"{what} says neither done nor refused", code=code, reply=raw)


def _meaning(status: int, issue: Issue, creating: bool) -> ErrorName | None:
    if creating and status == 412:
        return ErrorName.REJECTED
    told = BY_STATUS.get(status)
    if status in _REFINED and issue.code in BY_CODE:
        told = BY_CODE[issue.code]
    if told is None and 400 <= status < 500 and status != 408:
        return ErrorName.REJECTED
    return told


def _code(told: object) -> str:
    return told if isinstance(told, str) and _CODE.fullmatch(told) else ""


def _element(place: object) -> str:
    """An expression such as `Task.status` or `Patient.name[0].family` as a path; "" for anything cleverer."""
    if not isinstance(place, str) or not _PLACE.fullmatch(place):
        return ""
    return re.sub(r"\[\d+\]", "", place).replace(".", "/")


def _without_type(issue: Issue) -> str:
    return issue.element.partition("/")[2]
