"""A pretend My Council Services (Abavus): a create in two steps, and events that are gone once they were read.

Behaviour seen elsewhere in an open-source client of the product, not verified against the product: the header that
carries the key, `result` and `id` in HTTP 200, the reference that is put beside a request by a second call, and the
words "No Events Found". It keeps everything in memory. A request whose reference was never set is an orphan: nobody
who waits for it will hear of it, and whoever judges a run counts those.
"""

from __future__ import annotations

import hmac
import json
import re
import threading
from dataclasses import dataclass, field
from typing import Any

from sandbox.exchange import Exchange, Request, Response

Json = dict[str, Any]

NEEDED = ("languageCode", "submissionDate", "catalogue", "form", "status")
_SUBMITTED = re.compile(r"\d\d-(JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)-\d{4} \d\d:\d\d:\d\d")
_REFERENCE = re.compile(r"/serviceRequest/integrationReference/(\d+)")


@dataclass(slots=True)
class Held:
    """One service request."""

    number: int
    body: Json
    reference: str = ""
    system: str = ""
    referenced: int = 0  # how often the second step was made


@dataclass(slots=True)
class Office:
    """One council's installation."""

    requests: dict[int, Held] = field(default_factory=dict)
    events: list[Json] = field(default_factory=list)
    given: list[str] = field(default_factory=list)  # guids of the events that were read, in order


class Abavus:
    """The installations of all councils. Safe to use from several threads."""

    name = "abavus"

    def __init__(self, key: str) -> None:
        self._key = key
        self._lock = threading.Lock()
        self._offices: dict[str, Office] = {}

    def office(self, tenant: str) -> Office:
        """One council's installation, for staff and for witnesses."""
        with self._lock:
            return self._offices.setdefault(tenant, Office())

    def answer(self, request: Request, exchange: Exchange) -> Response:
        """Answer one call."""
        office = self.office(request.tenant)
        if not hmac.compare_digest(request.headers.get("ipublickey", "").encode(), self._key.encode()):
            exchange.outcome = "unauthorised"
            return _refused(401, "UNAUTHORISED")
        if (request.method, request.path) == ("POST", "/serviceRequest"):
            exchange.begin("create")
            return self._create(office, request, exchange)
        if (request.method, request.path) == ("GET", "/serviceRequest/event/status"):
            exchange.begin("events")
            events = exchange.commit(lambda: self._take(office))
            words = "Get Service Request Events retrieved Sucessfully." if events else "No Events Found"
            shown = {"serviceEvents": [{"ServiceEvent": one} for one in events]} if events else {}
            return _said({**shown, "message": words, "webServiceId": 1})
        found = _REFERENCE.fullmatch(request.path)
        if request.method == "PUT" and found:
            exchange.begin("reference")
            return self._refer(office, int(found[1]), request, exchange)
        return _refused(404, "")

    def failure(self, _request: Request, status: int) -> Response:
        """What it says when the whole server is unwell."""
        return _refused(status, "BUSY" if status == 429 else "ERROR")

    def staff_put(self, tenant: str, id: str, record: Json) -> Json:
        """Staff move a request on: `record` holds its new `status`. Raises ValueError for one that is not there."""
        office = self.office(tenant)
        with self._lock:
            held = office.requests.get(int(id))
            if held is None:
                raise ValueError("no such service request")
            held.body["status"] = record["status"]
            event = {
                "number": held.number,
                "guid": f"{len(office.given) + len(office.events) + 1:032X}",
                "otherSystemID": held.reference,
                "process": held.body["form"]["code"],
                "sub_process": record["status"],
                "otherSystemCode": held.system,
            }
            office.events.append(event)
            return dict(event)

    def _create(self, office: Office, request: Request, exchange: Exchange) -> Response:
        try:
            body = json.loads(request.body)["serviceRequest"]
            whole = all(body.get(name) for name in NEEDED) and _SUBMITTED.fullmatch(body["submissionDate"])
        except (ValueError, TypeError, KeyError, AttributeError):
            whole = None
        if not whole:
            exchange.outcome = "INVALID"
            return _said({"result": 0, "errorCode": 1, "errorCodeString": "INVALID", "debugErrorMessage": "invalid"})

        def make() -> Held:
            with self._lock:
                held = Held(len(office.requests) + 1, body)
                office.requests[held.number] = held
                return held

        return _said({"result": 1, "id": exchange.commit(make).number})

    def _refer(self, office: Office, number: int, request: Request, exchange: Exchange) -> Response:
        held = office.requests.get(number)
        if held is None or not request.query.get("reference"):
            exchange.outcome = "NOT_FOUND"
            return _refused(404, "NOT_FOUND")

        def refer() -> None:
            held.reference, held.system = request.query["reference"], request.query.get("systemCode", "")
            held.referenced += 1

        exchange.commit(refer)
        return _said({"result": 1, "id": number})

    def _take(self, office: Office) -> list[Json]:
        with self._lock:
            events, office.events = office.events, []
            office.given += [event["guid"] for event in events]
            return events


def _said(body: Json, status: int = 200) -> Response:
    return Response(status, json.dumps(body).encode())


def _refused(status: int, code: str) -> Response:
    return _said({"errorCode": status, "errorCodeString": code, "debugErrorMessage": "refused"}, status)
