"""What a REST reply means for the caller: the one table from HTTP status and error code to a named error.

| reply | error |
|---|---|
| a code or status that the profile's `errors` names | what it says there |
| 429 | Throttled, after Retry-After (one hour at most) |
| 401, 403, 407 | Unauthorised |
| 300 | Rejected: several records have the key by which one was meant, and a person must say which |
| 404, 410 | NotThere; on a list, a create or a look-up the path itself is wrong: Misconfigured |
| 409 | Rejected, as nobody but the profile knows which conflict is meant |
| 412 | Outdated |
| 408, 5xx, and any other that is not 4xx | Unknown: perhaps done |
| any other 4xx | Rejected, with the field if the system names one |

An error that comes as a list is judged by its first entry. Words of the supplier are never passed on: they may quote
the record. A field is shown if the pinned interface knows it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NoReturn

from connectors.errors import Duplicate, Misconfigured, NotThere, Outdated, Rejected, Throttled, Unauthorised, Unknown
from connectors.http import Reply, retry_after
from connectors.json_body import UnreadableBody, read
from connectors.profile import ErrorName
from connectors.rest.interface import Interface
from connectors.rest.profile import RestRecord

LONGEST_WAIT = 3600.0  # seconds: a supplier that asks for more is asked again after an hour
LONGEST_ID = 200  # characters
_CODE = re.compile(r"[A-Za-z0-9_.:-]{1,64}")

BY_STATUS: Mapping[int, ErrorName] = {
    401: ErrorName.UNAUTHORISED,
    403: ErrorName.UNAUTHORISED,
    404: ErrorName.NOT_THERE,
    407: ErrorName.UNAUTHORISED,
    410: ErrorName.NOT_THERE,
    412: ErrorName.OUTDATED,
    429: ErrorName.THROTTLED,
}


def at(record: Any, path: str, missing: Any = None) -> Any:
    """Return what stands at a path of a record, `missing` if nothing does."""
    for step in path.split("/"):
        if not isinstance(record, dict) or step not in record:
            return missing
        record = record[step]
    return record


def refuse(
    reply: Reply,
    *,
    doing: str,
    record: RestRecord,
    interface: Interface,
    one: bool,
    errors: Mapping[str, ErrorName] | None = None,
) -> NoReturn:
    """Raise the named error for a reply that is no success.

    `doing` is a phrase of ours ("creating a Request"), `one` says that the address named one record, `errors` what
    codes and statuses mean for this call alone.
    """
    body = _body(reply)
    code = _code(body, record)
    what = f"{doing}: HTTP {reply.status}{f' ({code})' if code else ''}"
    raw = reply.body
    meaning = _meaning(reply.status, code, {**record.errors, **(errors or {})})
    if meaning is None and reply.status == 300:
        raise Rejected(f"{what}: several records hold the key that one should: merge them there", code=code, reply=raw)
    match meaning:
        case ErrorName.THROTTLED | ErrorName.LOCKED:
            asked = retry_after(reply)
            if asked is None and code in record.waits:
                asked = record.waits[code].total_seconds()
            after = None if asked is None else min(asked, LONGEST_WAIT)
            if meaning is ErrorName.LOCKED:
                raise Throttled(f"{what}: another one is writing the record", after=after, code=code, reply=raw)
            raise Throttled(f"{what} asks us to slow down", after=after, code=code, reply=raw, whole=True)
        case ErrorName.UNAUTHORISED:
            raise Unauthorised(f"{what} refuses our login or its permissions", code=code, reply=raw)
        case ErrorName.NOT_THERE if one and (not record.fault.code or at(body, record.fault.code) is not None):
            raise NotThere(f"{what}: there is no such record", code=code, reply=raw)
        case ErrorName.NOT_THERE:  # a web server's own 404 must not pass for a deleted record
            raise Misconfigured(f"{what}: no such path; is the connection's url right?", code=code, reply=raw)
        case ErrorName.MISCONFIGURED:
            raise Misconfigured(f"{what}: the system does not know what we call it by", code=code, reply=raw)
        case ErrorName.OUTDATED:
            raise Outdated(f"{what}: the record was changed since it was read", code=code, reply=raw)
        case ErrorName.DUPLICATE:
            found = at(body, record.fault.existing) if record.fault.existing else None
            raise Duplicate(f"{what}: it is there already", existing=id_text(found), code=code, reply=raw)
        case ErrorName.REJECTED:
            field = _field(body, record, interface)
            named = f", naming the field {field}" if field else ""
            raise Rejected(f"{what} refuses what we sent{named}", field=field, code=code, reply=raw)
        case None:
            raise Unknown(f"{what} says neither done nor refused", code=code, reply=raw)


def code_in(reply: Reply, record: RestRecord) -> str:
    """Return the system's own error code in a reply, "" if it names none that can be one."""
    return _code(_body(reply), record)


def _code(body: Any, record: RestRecord) -> str:
    told = at(body, record.fault.code) if record.fault.code else None
    return str(told) if isinstance(told, str | int) and _CODE.fullmatch(str(told)) else ""


def id_text(found: Any) -> str:
    """Return an id or a version as text; "" for what cannot be one."""
    if isinstance(found, bool) or not isinstance(found, str | int):
        return ""
    text = str(found)
    return text if text.strip() and text.isprintable() and len(text) <= LONGEST_ID else ""


def _meaning(status: int, code: str, errors: Mapping[str, ErrorName]) -> ErrorName | None:
    told = (errors.get(code) if code else None) or errors.get(str(status)) or BY_STATUS.get(status)
    if told is None and 400 <= status < 500 and status != 408:
        return ErrorName.REJECTED
    return told


def _field(body: Any, record: RestRecord, interface: Interface) -> str:
    found = at(body, record.fault.field) if record.fault.field else None
    if isinstance(found, list) and found:
        found = found[0]
    return found if isinstance(found, str) and len(found) <= 200 and interface.names_field(found) else ""


def _body(reply: Reply) -> Any:
    try:
        body = read(reply.body, reply.headers.get("Content-Type", ""))
    except UnreadableBody:
        return None
    return body[0] if isinstance(body, list) and body else body
