"""The calls of the public standards whose answers are fuzzed: NHS MESH, Open311, Open Referral, FHIR and BaRS.

The pretend mailbox answers without TLS here: what is broken is what stands in the answers.
"""

from __future__ import annotations

import copy
import gzip
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from ruamel.yaml import YAML

from connectors.fhir.connector import FhirConnector
from connectors.port import PROVISIONAL
from tests.connectors.bars.test_bars import CONNECT as BARS
from tests.connectors.bars.test_bars import RECORD as BARS_RECORD
from tests.connectors.conftest import ROOT
from tests.connectors.directory import entry
from tests.connectors.fhir.conftest import RECORD as HEALTH_RECORD
from tests.connectors.fhir.test_fhir_answers import bundle, outcome
from tests.connectors.mesh.conftest import PROFILE as MESH
from tests.connectors.mesh.conftest import WORKFLOW, referral
from tests.connectors.reply_cases import JSON, Case, said, walked

# --- NHS MESH ---------------------------------------------------------------------------------------------------------

_MESH = "application/vnd.mesh.v2+json"
_BINARY = "application/octet-stream"
_MAILBOX = {
    "to": "X26OT002", "chunk_bytes": 1_000,
    "login": {"mesh": {"mailbox": "X26OT001", "password": "env:X", "shared_key": "env:X"}},
}  # fmt: skip
_INBOX = json.dumps({"messages": ["M1", "M2"], "links": {"self": "/x", "next": "CANARY/inbox?continue_from=abc"}})
_WAITS = said(_MESH, json.dumps({"messages": ["M1"]}))
_HEAD = said(_BINARY, "", f"Mex-WorkflowID: {WORKFLOW}", "Mex-MessageType: DATA", "Mex-MessageID: M1")
_PART = said(_BINARY, '{"id": ', "Mex-MessageID: M1", "Mex-Chunk-Range: 1:2", status="206 Part")
_HEADS = (
    b"Mex-MessageID: M1", b"Mex-MessageType: DATA", b"Mex-WorkflowID: " + WORKFLOW.encode(), b"Mex-Chunk-Range: 1:1",
)  # fmt: skip
_REPORT = (
    b"Mex-MessageType: REPORT", b"Mex-WorkflowID: ASC_ANSWER", b"Mex-StatusCode: 14", b"Mex-LinkedMsgID: M0",
    b"Mex-StatusDescription: Canari-Unigryw",
)  # fmt: skip
_WHOLE = json.dumps(referral("R1")).encode()
_REFUSED = json.dumps({"detail": [{"event": "SEND", "code": "06", "msg": "Canari-Unigryw"}]})
_LONG = referral("R1", "".join(chr(0x4E00 + 7919 * at % 20_000) for at in range(2_000)))  # more than one chunk, packed


def _mail(call: Any) -> Any:
    """A call of a mailbox that said hello today and holds no message."""

    def fresh(one: Any) -> Any:
        one._shaken, one._held = time.monotonic(), ("", b"")
        return call(one)

    return fresh


def _listed(one: Any) -> Any:
    return one.changes("Referral", watermark="")


# --- Open311 ----------------------------------------------------------------------------------------------------------

_OPEN311: Any = YAML(typ="safe").load((ROOT / "connectors/profiles/open311.yaml").read_text(encoding="utf-8"))
_ENDPOINT = {"api_key": "env:X", "jurisdiction_id": "torfaen.example.org"}
_XML = "text/xml; charset=utf-8"
_ASKED = {
    "service_request_id": "638344", "status": "open", "service_code": "contact", "description": "Cwympodd",
    "requested_datetime": "2026-03-02T09:30:00Z", "updated_datetime": "2026-03-02T09:30:00+00:00", "lat": "51.6",
}  # fmt: skip
_SENT = {"service_code": "contact", "address_string": "3 Heol y Bont", "first_name": "S", "status": "closed"}


def _in_xml(root: str, row: str, fields: dict[str, str]) -> str:
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    return f'<?xml version="1.0" encoding="utf-8"?><{root}><{row}>{inner}</{row}></{root}>'


_SHOWN = _in_xml("service_requests", "request", _ASKED)
_TOLD = _in_xml("service_requests_updates", "request_update", {
    "update_id": "1", "service_request_id": "638344", "status": "closed", "updated_datetime": "2026-03-02T09:30:00Z",
})  # fmt: skip
_NUMBER = _in_xml("service_requests", "request", {"service_request_id": "638344", "token": "T-1"})
_TOKEN = _in_xml("service_requests", "request", {"token": "T-1"})
_ERROR = _in_xml("errors", "error", {"code": "404", "description": "Canari-Unigryw"})
_SERVICES = _in_xml("services", "service", {"service_code": "contact", "service_name": "Ask"})


def _open311(form: str) -> Any:
    """The shipped profile in one spelling, with two windows to read."""
    made = copy.deepcopy(_OPEN311)
    made["format"] = form
    beginning = (datetime.now(UTC) - timedelta(days=10)).isoformat(timespec="seconds")
    made["records"]["Request"]["changes"] |= {"beginning": beginning}
    return made


# --- FHIR, BaRS, Open Referral ----------------------------------------------------------------------------------------

_FHIR = "application/fhir+json"
_HEALTH = {"login": {"api_key": {"header": "apikey", "key": "env:X"}}}
_NEXT = {"link": [{"relation": "next", "url": "CANARY/fhir?page=2"}]}
_FOUND = [json.dumps(bundle()), json.dumps(bundle(**_NEXT)), outcome("throttled")]
_MADE = (b'ETag: W/"1"', b"Location: SELF/Task/t1/_history/1")
_MESSAGE = json.dumps({
    "resourceType": "Bundle", "type": "message", "entry": [{"resource": {
        "resourceType": "MessageHeader", "response": {"identifier": "m", "code": "ok"},
        "eventCoding": {"code": "servicerequest-response"}}}],
})  # fmt: skip
_SERVICE = entry(1, contacts=[{"id": "c"}])


def _page(*, last: bool, contents: Any) -> str:
    return json.dumps({"total_items": 2, "total_pages": 9, "page_number": 1, "size": 1, "last_page": last,
                       "contents": contents})  # fmt: skip


def _entries(one: Any) -> Any:
    return list(one.entries())


def _health(one: FhirConnector) -> Any:
    return one.deliver("Referral", HEALTH_RECORD, key="k")


CASES: dict[str, Case] = {
    "mesh inbox": Case(MESH, _mail(_listed), _MESH, [_INBOX, json.dumps({"messages": []}), _REFUSED], _MAILBOX),
    "mesh headers": Case(MESH, _mail(_listed), _BINARY, [_WHOLE, b""], _MAILBOX, _HEADS, [_WAITS]),
    "mesh report": Case(MESH, _mail(_listed), _BINARY, [b"", _REFUSED], _MAILBOX, _REPORT, [_WAITS]),
    "mesh message": Case(
        MESH, _mail(_listed), _BINARY, [_WHOLE, gzip.compress(_WHOLE), gzip.compress(b" " * 3_000_000)], _MAILBOX,
        _HEADS, [_WAITS, _HEAD],
    ),
    "mesh second chunk": Case(
        MESH, _mail(_listed), _BINARY, [_WHOLE, gzip.compress(_WHOLE)], _MAILBOX,
        (b"Mex-MessageID: M1", b"Mex-Chunk-Range: 2:2"), [_WAITS, _HEAD, _PART],
    ),
    "mesh sending": Case(
        MESH, lambda one: one.deliver("Referral", _LONG, key="k"), _MESH,
        [json.dumps({"message_id": "M9"}), _REFUSED], _MAILBOX,
    ),
    "mesh tracking": Case(
        MESH, lambda one: one.find("Referral", "k"), JSON,
        [json.dumps({"messageId": "M9", "status": "accepted", "localId": "k", "statusCode": None}), _REFUSED], _MAILBOX,
    ),
    "mesh doctor": Case(
        MESH, lambda one: one.doctor(), _MESH, [_INBOX, json.dumps({"mailboxId": "X26OT001"})], _MAILBOX
    ),
    "open311 window, xml": Case(
        _open311("xml"), lambda one: walked(one, "Request"), _XML, [_SHOWN, _TOLD, _ERROR], _ENDPOINT
    ),
    "open311 updates, xml": Case(
        _open311("xml"), lambda one: one.changes("Request", watermark=""), _XML, [_TOLD, _ERROR], _ENDPOINT,
        before=[said(_XML, _SHOWN)],
    ),
    "open311 window, json": Case(
        _open311("json"), lambda one: walked(one, "Request"), JSON,
        [json.dumps([_ASKED]), json.dumps({"service_requests": [_ASKED]}), '[{"code": 404, "description": "x"}]'],
        _ENDPOINT,
    ),
    "open311 fetch": Case(
        _open311("xml"), lambda one: one.fetch("Request", "638344"), _XML, [_SHOWN, _ERROR], _ENDPOINT
    ),
    "open311 create": Case(
        _open311("xml"), lambda one: one.deliver("Request", _SENT, key="k"), _XML, [_NUMBER, _TOKEN, _ERROR], _ENDPOINT
    ),
    "open311 update": Case(
        _open311("xml"), lambda one: one.deliver("Request", _SENT, key="k", id="638344"), _XML, [_TOLD, _ERROR],
        _ENDPOINT, before=[said(_XML, _SHOWN)],
    ),
    "open311 token": Case(
        _open311("json"), lambda one: one.number_of("Request", PROVISIONAL + "T-1"), JSON,
        [json.dumps([{"service_request_id": "638344", "token": "T-1"}])], _ENDPOINT,
    ),
    "open311 services": Case(
        _open311("xml"), lambda one: one.codes("Request", "service_code"), _XML, [_SERVICES], _ENDPOINT
    ),
    "open referral list": Case(
        "open-referral-uk", _entries, JSON,
        [_page(last=False, contents=[_SERVICE]), _page(last=True, contents=[_SERVICE])],
    ),
    "open referral page of faults": Case(
        "open-referral-uk", _entries, JSON, [_page(last=False, contents=[{"id": "no"}, 3, {**_SERVICE, "name": 1}])]
    ),
    "open referral service": Case(
        "open-referral-uk", lambda one: one.fetch("Service", _SERVICE["id"]), JSON, [json.dumps(_SERVICE)]
    ),
    "open referral doctor": Case(
        "open-referral-uk", lambda one: one.doctor(), JSON,
        ['{"version": "3.0", "profile": "https://docs.example.org/uk"}', _page(last=True, contents=[_SERVICE])],
    ),
    "fhir changes": Case("health", lambda one: walked(one, "Referral"), _FHIR, _FOUND, _HEALTH),
    "fhir later changes": Case(
        "health", lambda one: walked(one, "Referral", "2026-03-02T09:00:00+00:00"), _FHIR, _FOUND, _HEALTH
    ),
    "fhir fetch": Case("health", lambda one: one.fetch("Referral", "t1"), _FHIR, _FOUND, _HEALTH),
    "fhir create": Case(
        "health", _health, _FHIR, [json.dumps(bundle()["entry"][0]["resource"]), outcome("duplicate")], _HEALTH, _MADE
    ),
    "fhir dry write": Case(
        "health", lambda one: one.dry_write("Referral", HEALTH_RECORD), _FHIR,
        [outcome("required"), outcome("informational", severity="information")], _HEALTH,
    ),
    "bars": Case(
        "bars", lambda one: one.deliver("Referral", BARS_RECORD, key="k"), _FHIR, [_MESSAGE, outcome("duplicate")],
        {**BARS, "login": {"api_key": {"header": "Authorization", "key": "env:X"}}, "timeout_seconds": 2},
    ),
}  # fmt: skip
