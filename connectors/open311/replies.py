"""What an Open311 answer means for the caller.

| answer | error |
|---|---|
| a code that the profile's `errors` names | what it says there |
| 401, 403 (the standard's "missing or invalid api_key") | Unauthorised |
| 404 on one request | NotThere; on a list or a create a service_code or jurisdiction_id is not known: Rejected |
| 429 | Throttled, after Retry-After |
| 408, 5xx | Unknown: perhaps done |
| any other 4xx | Rejected |
| an error inside a success | as its own code says; a code that is no status: Rejected |

Descriptions are never passed on: real endpoints quote what was sent in them.
"""

from __future__ import annotations

import re
from typing import NoReturn

from connectors.errors import Duplicate, NotThere, Outdated, Rejected, Throttled, Unauthorised, Unknown
from connectors.http import Reply, retry_after
from connectors.open311.profile import Open311Record
from connectors.open311.wire import Rows
from connectors.profile import ErrorName

#: The standard's codes are numbers. A word is shown where the profile names it, and else may be anybody's.
_CODE = re.compile(r"[0-9]{1,5}")
_LONGEST_WAIT = 3600.0


def refuse(reply: Reply, rows: Rows | None, *, doing: str, record: Open311Record, one: bool) -> NoReturn:
    """Raise the named error of an answer. `one`: it was about one request."""
    told = str(rows.rows[0].record.get("code", "")) if rows is not None and rows.error and rows.rows else ""
    code = told if _CODE.fullmatch(told) or told in record.errors else ""
    status = int(code) if 200 <= reply.status < 300 and code.isdecimal() and 400 <= int(code) < 600 else reply.status
    status = 400 if 200 <= status < 300 else status
    words = f"{doing}: refused (status {status}{f', code {code}' if code else ''})"
    name = record.errors.get(code) or record.errors.get(str(status))
    if name is ErrorName.THROTTLED or (name is None and status == 429):
        after = retry_after(reply)
        raise Throttled(words, after=None if after is None else min(after, _LONGEST_WAIT), code=code, reply=reply.body)
    if name is ErrorName.DUPLICATE:
        raise Duplicate(words, code=code, reply=reply.body)
    if name is ErrorName.UNAUTHORISED or (name is None and status in (401, 403, 407)):
        raise Unauthorised(words, code=code, reply=reply.body)
    if name is ErrorName.OUTDATED or (name is None and status == 412):
        raise Outdated(words, code=code, reply=reply.body)
    if name is ErrorName.NOT_THERE or (name is None and status in (404, 410) and one):
        raise NotThere(words, code=code, reply=reply.body)
    if name is None and (status == 408 or status >= 500):
        raise Unknown(words, code=code, reply=reply.body)
    raise Rejected(words, code=code, reply=reply.body)
