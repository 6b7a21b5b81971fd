"""A pretend receiver of the NHS Booking and Referral Standard: takes message Bundles at $process-message, keeps them.

Written from the public contract (NHSDigital/booking-and-referral-fhir-api, 1.3.0): its headers, its 409 for a message
that was processed, its OperationOutcomes. Resources that FHIR's snapshot holds are held against it.
"""

from __future__ import annotations

import base64
import hmac
import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sandbox.exchange import Exchange, Request, Response
from sandbox.health import shape
from sandbox.secrets import bars_login
from sandbox.store import Json, Store

JSON = "application/fhir+json"
SERVICE = "2000011147"
_CODES = {400: "BAD_REQUEST", 401: "UNAUTHORIZED", 404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED", 406: "NOT_ACCEPTABLE",
          409: "CONFLICT", 422: "UNPROCESSABLE_ENTITY", 429: "TOO_MANY_REQUESTS", 500: "SERVER_ERROR",
          503: "UNAVAILABLE"}  # fmt: skip


class _Refusal(Exception):
    def __init__(self, status: int, issue: str, words: str) -> None:
        super().__init__(issue)
        self.status, self.issue, self.words = status, issue, words


class Bars:
    """One receiver serving every council's partner."""

    name = "bars"

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store, self._clock = store, clock

    def answer(self, request: Request, exchange: Exchange) -> Response:
        """Answer one call."""
        try:
            return self._route(request, exchange)
        except _Refusal as refusal:
            exchange.outcome = f"{refusal.status} {refusal.issue}"
            return _mirrored(request, _outcome(refusal.status, refusal.issue, refusal.words))

    def failure(self, _request: Request, status: int) -> Response:
        """What it says when the whole server is unwell or busy."""
        return _outcome(status, "throttled" if status == 429 else "exception", "The receiver cannot answer now.")

    def staff_put(self, tenant: str, id: str, record: Json) -> Json:  # noqa: ARG002 - the port's parameters
        """Nobody types messages in."""
        raise ValueError("messages are sent and not typed in")

    def _route(self, request: Request, exchange: Exchange) -> Response:
        if request.path == "/FHIR/R4/metadata" and request.method == "GET":
            exchange.begin("metadata")
            self._headers(request)
            told = {"resourceType": "CapabilityStatement", "status": "active", "date": "2026-01-01", "kind": "instance",
                    "fhirVersion": "4.0.1", "format": ["json"]}  # fmt: skip
            return _mirrored(request, Response(200, json.dumps(told).encode(), JSON))
        if request.path != "/FHIR/R4/$process-message":
            raise _Refusal(404, "not-found", "There is nothing at this address.")
        if request.method != "POST":
            raise _Refusal(405, "not-supported", "Messages are sent with POST.")
        exchange.begin("processMessage")
        self._headers(request)
        if not request.headers.get("use-context"):
            raise _Refusal(400, "required", "The header use-context is missing.")
        bundle = _body(request)
        header, focus = _parts(bundle)

        def change() -> Response:
            with self._store.transaction():
                messages = self._store.collection(request.tenant, self.name, "messages")
                if messages.get(bundle["id"]) is not None:
                    words = "This message has been recognised as having already been successfully processed."
                    raise _Refusal(409, "duplicate", words)
                now = self._clock().astimezone(UTC).isoformat()
                messages.put(bundle["id"], bundle, version=1, changed=now, key=str(focus["id"]))
                self._take(request.tenant, header, focus, bundle, now)
            return _mirrored(request, _processed(bundle, header))

        return exchange.commit(change)

    def _take(self, tenant: str, header: Json, focus: Json, bundle: Json, now: str) -> None:
        reason = header["reason"]["coding"][0]["code"]
        referrals = self._store.collection(tenant, self.name)
        held = referrals.get(focus["id"])
        if held is None and reason != "new":
            raise _Refusal(422, "not-found", "A change of a referral that was never sent here.")
        if held is not None and reason == "new":
            raise _Refusal(422, "business-rule", "That referral is here already; send a change.")
        if reason == "delete" and focus["status"] not in ("revoked", "entered-in-error"):
            raise _Refusal(422, "business-rule", "A cancellation needs the status revoked or entered-in-error.")
        kept = {each["resource"]["resourceType"]: each["resource"] for each in bundle["entry"]}
        version = held.version + 1 if held else 1
        referrals.put(focus["id"], {**kept, "reason": reason}, version=version, changed=now)

    def _headers(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        right = hmac.compare_digest(token.encode(), bars_login(request.tenant)["token"].encode())
        if scheme != "Bearer" or not right:
            raise _Refusal(401, "security", "The token is missing or of another sender.")
        for name in ("x-request-id", "x-correlation-id"):
            try:
                uuid.UUID(request.headers.get(name, ""))
            except ValueError:
                raise _Refusal(400, "invalid", f"The header {name} must be a UUID.") from None
        if "version=1.3.0" not in request.headers.get("accept", ""):
            raise _Refusal(406, "not-supported", "Accept must name the version of BaRS Core.")
        if _decoded(request, "nhsd-target-identifier").get("value") != SERVICE:
            raise _Refusal(404, "not-found", "The target is not here.")
        if _decoded(request, "nhsd-end-user-organisation").get("resourceType") != "Organization":
            raise _Refusal(400, "invalid", "NHSD-End-User-Organisation must hold an Organization.")
        if _decoded(request, "nhsd-requesting-software").get("resourceType") != "Device":
            raise _Refusal(400, "invalid", "NHSD-Requesting-Software must hold a Device.")


def _decoded(request: Request, name: str) -> Json:
    try:
        found = json.loads(base64.b64decode(request.headers.get(name, ""), validate=True))
    except ValueError:
        raise _Refusal(400, "invalid", f"The header {name} is not JSON in Base64.") from None
    return found if isinstance(found, dict) else {}


def _body(request: Request) -> Json:
    try:
        bundle = json.loads(request.body)
    except ValueError:
        raise _Refusal(400, "structure", "The body is not JSON.") from None
    if not isinstance(bundle, dict) or bundle.get("type") != "message" or not bundle.get("id"):
        raise _Refusal(400, "invalid", "The body must be a Bundle of the type message with an id.")
    try:
        shape.check("Bundle", {**bundle, "entry": [{"fullUrl": each["fullUrl"]} for each in bundle["entry"]]})
        for each in bundle["entry"]:
            type = each["resource"]["resourceType"]
            if type in shape.definitions():
                shape.check(type, each["resource"])
    except (shape.Misshapen, KeyError, TypeError) as wrong:
        raise _Refusal(400, "invariant", f"Attempts to validate the message have failed: {wrong}") from None
    return bundle


def _parts(bundle: Json) -> tuple[Json, Json]:
    by_url = {each["fullUrl"]: each["resource"] for each in bundle["entry"]}
    header = bundle["entry"][0]["resource"]
    if header["resourceType"] != "MessageHeader":
        raise _Refusal(400, "invariant", "The first resource of a message is its MessageHeader.")
    for name in ("eventCoding", "destination", "source", "reason", "focus", "definition", "sender"):
        if not header.get(name):
            raise _Refusal(400, "invariant", f"MessageHeader.{name} is missing.")
    focus = by_url.get(header["focus"][0]["reference"])
    if focus is None or focus["resourceType"] != "ServiceRequest":
        raise _Refusal(422, "processing", "The focus must be a ServiceRequest in the message.")
    led: list[Any] = [focus["subject"], header["sender"], header["destination"][0]["receiver"]]
    if any(each["reference"] not in by_url for each in led):
        raise _Refusal(422, "processing", "A reference leads to nothing in the message.")
    if header["eventCoding"]["code"] == "servicerequest-response" and not header.get("response", {}).get("identifier"):
        raise _Refusal(422, "processing", "A response must say which message it answers.")
    return header, focus


def _processed(bundle: Json, header: Json) -> Response:
    back = {
        "resourceType": "MessageHeader",
        "eventCoding": header["eventCoding"],
        "source": {"endpoint": header["destination"][0]["endpoint"]},
        "response": {"identifier": bundle["id"], "code": "ok"},
    }
    told = {"resourceType": "Bundle", "id": bundle["id"], "type": "message",
            "entry": [{"fullUrl": bundle["entry"][0]["fullUrl"], "resource": back}]}  # fmt: skip
    return Response(200, json.dumps(told).encode(), JSON)


def _outcome(status: int, issue: str, words: str) -> Response:
    coding = {"system": "https://fhir.nhs.uk/Codesystem/http-error-codes", "code": f"REC_{_CODES.get(status, 'ERROR')}"}
    told = {"resourceType": "OperationOutcome", "issue": [
        {"severity": "error", "code": issue, "details": {"coding": [coding]}, "diagnostics": words}]}  # fmt: skip
    return Response(status, json.dumps(told).encode(), JSON)


def _mirrored(request: Request, response: Response) -> Response:
    told = {name: request.headers[name.lower()] for name in ("X-Request-Id", "X-Correlation-Id")
            if name.lower() in request.headers}  # fmt: skip
    return Response(response.status, response.body, response.content_type, {**response.headers, **told})
