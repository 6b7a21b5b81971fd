"""The parsers of the public standards' answers, each as one function of bytes: MESH, Open311, Open Referral, FHIR.

Through whole connectors, over a socket, they are met by `tests/connectors/test_reply_fuzz.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from connectors.errors import ConnectorError
from connectors.fhir.bundles import Together, entries, next_of
from connectors.fhir.outcome import issue_in, refuse, refusing
from connectors.files.items import ItemReader
from connectors.files.rows import UnreadableFile
from connectors.http import Reply
from connectors.json_body import UnreadableBody, parse, read
from connectors.json_schema import JsonSchema
from connectors.mesh import client as mesh
from connectors.mesh.connector import _report
from connectors.mesh.payload import records
from connectors.mesh.profile import Mailbox, MeshRecord
from connectors.open311.items import Items
from connectors.open311.profile import Open311Record
from connectors.open311.wire import again, rows_of
from connectors.open_referral import item_of
from connectors.port import Item, UnreadableItem
from tests.doors import seeds
from tests.doors.door import CSV_WORDS, JSON_WORDS, XML_WORDS, Door

ROOT = Path(__file__).parents[2]
SECRET = "Canari-Unigryw"  # stands in answers, and in no reason
DOING = "reading"
_PLACE = re.compile(r"\bat \S+:")  # the path to a fault, in names that look like those of fields
_JSON_TYPE, _XML_TYPE = "application/json", "text/xml"


def silent(found: object) -> None:
    """Whatever was read is an item, or says why not in a sentence that quotes nothing but a field's name."""
    assert isinstance(found, Item | UnreadableItem)
    if isinstance(found, UnreadableItem):
        assert SECRET not in _PLACE.sub("", found.reason)
        assert "\n" not in found.reason


def _named(call: Callable[[], Any]) -> Any:
    """What comes of a call that may end in a named error, which quotes nothing but the system's own code."""
    try:
        return call()
    except ConnectorError as error:
        assert SECRET not in error.reason.replace(error.code or "-", "")
        return None


def _mesh_answer(content: bytes) -> None:
    reply = Reply(417, {"Content-Type": "application/vnd.mesh.v2+json"}, content, 0.0)
    for one in (False, True):
        _named(partial(mesh._refuse, reply, DOING, one=one))
    _named(partial(mesh._json, reply, DOING))
    assert SECRET not in mesh._code(reply)


def _mesh_headers(content: bytes) -> None:
    lines = [line.partition(":") for line in content.decode("latin-1").split("\n")]
    told = {name.strip().title(): value.strip() for name, _, value in lines}
    for status in (200, 206):
        for number in (1, 2):
            count = _named(partial(mesh._chunks, Reply(status, told, b"", 0.0), number, DOING))
            assert count is None or number <= count <= mesh.MOST_CHUNKS
    lower = {name.lower(): value for name, value in told.items()}
    silent(_report("Referral", lower, lower.get("mex-linkedmsgid", "")))


_MESSAGES: Mapping[str, dict[str, Any]] = {
    "json": {"format": "json"},
    "csv": {"format": "csv", "control": {"trailer": {"first": "T", "count": 2}}},
    "xml": {"format": "xml", "items": "r"},
}


def _mesh_message(name: str) -> Callable[[bytes], None]:
    feed = {"feed": "mailbox", "workflows": ["W"], **_MESSAGES[name]}
    record = MeshRecord.model_validate({"item": {"id": "id", "modified": "at"}, "required": ["name"], "changes": feed})
    reader = ItemReader("Referral", record, lambda _: b"", ZoneInfo("Europe/London"))
    mailbox = Mailbox.model_validate(feed)

    def take(content: bytes) -> None:
        with suppress(UnreadableFile):
            for row in islice(records(content, mailbox), 500):
                silent(reader.item(row))

    return take


_ASKED = Items(JsonSchema((ROOT / "connectors/interfaces/open311.schema.json").read_bytes(), "open311"))
_SECTION = Open311Record.model_validate({"fetch": True})


def _open311(form: str, kind: str) -> Callable[[bytes], None]:
    def take(content: bytes) -> None:
        reply = Reply(200, {"Content-Type": kind}, content, 0.0)
        rows = _named(partial(rows_of, reply, form, DOING, most_bytes=100_000))
        if rows is None:
            return
        for row in rows.rows[:500]:
            silent(_ASKED.item(row))
            with suppress(ValueError):
                again(row.raw)

    return take


def _open_referral(content: bytes) -> None:
    with suppress(UnreadableBody):
        told = read(content, _JSON_TYPE)
        listed = told.get("contents") if isinstance(told, dict) else None
        for one in [told, *(listed if isinstance(listed, list) else [])]:
            silent(item_of(one))


def _fhir(content: bytes) -> None:
    reply = Reply(422, {"Content-Type": "application/fhir+json"}, content, 0.0)
    _named(partial(refuse, reply, doing=DOING, interface=None, one=True))
    with suppress(UnreadableBody):
        bundle = parse(content, _JSON_TYPE)
        refusing(bundle)
        issue_in(bundle)
        found = _named(partial(entries, bundle, reply, DOING))
        if found is not None:
            together = Together(found)
            for entry in found:
                together.led_to(entry.resource, "Patient")
                together.led_to({"reference": entry.mode or entry.type}, "Patient")
            _named(partial(next_of, bundle, reply, DOING))


_MESH_SAYS = (
    b'{"messages": ["M1"], "links": {"next": "/x?continue_from=a"}}',
    b'{"detail": [{"event": "SEND", "code": "06", "msg": "Canari-Unigryw"}]}', b'{"errorCode": "Canari-Unigryw"}',
)  # fmt: skip
_MESH_HEADS = (
    b"Mex-MessageType: REPORT\nMex-StatusCode: 14\nMex-LinkedMsgID: M0\nMex-Chunk-Range: 1:2",
    b"Mex-Chunk-Range: 2:2\nMex-StatusCode: Canari-Unigryw\nMex-StatusDescription: Canari-Unigryw",
)
#: Without an offset, in the hour that comes twice, before the first year, and none.
_TIMES = ("2026-03-02T09:00:00", "2026-10-25T01:30:00", "0001-01-01T00:00:00+14:00", "2026-03-02T09:00:00Z", "soon")
_MESH_BODIES = {
    "json": (*seeds.JSON, *seeds.LINE_FILES, *(f'{{"id": "R", "name": "S", "at": "{at}"}}'.encode() for at in _TIMES)),
    "csv": (*seeds.FILES["csv"], *(f"id,name,at\nR,S,{at}\nT,1\n".encode() for at in _TIMES)),
    "xml": (
        *seeds.FILES["xml"],
        *(f"<x><r><id>R</id><name>S</name><at>{at}</at></r></x>".encode() for at in _TIMES),
        b"<x><r><id>R</id></r></x>", b"<x><r><name>S</name></r><r><id/><name/></r></x>",
    ),
}  # fmt: skip
_OPEN311_XML = (
    b'<?xml version="1.0"?><service_requests><request><service_request_id>1</service_request_id><status>open</status>'
    b"<service_code>a</service_code><requested_datetime>2026-03-02T09:30:00Z</requested_datetime></request>"
    b"</service_requests>",
    b"<errors><error><code>404</code><description>Canari-Unigryw</description></error></errors>",
)
_OPEN311_JSON = (
    b'[{"service_request_id": 1, "status": "open", "service_code": "a", "requested_datetime": "2026-03-02T09:30:00Z"}]',
    b'{"errors": [{"code": "Canari-Unigryw", "description": "Canari-Unigryw"}]}',
)
_SERVICE = (
    b'{"id": "00000000-0000-4000-8000-000000000001", "name": "S", "status": "active", "minimum_age": 18, '
    b'"last_modified": "2026-03-02T09:30:00Z", "organization": {"id": "x"}}'
)
_SERVICES = (_SERVICE, b'{"contents": [' + _SERVICE + b"]}")
_BUNDLE = (
    b'{"resourceType": "Bundle", "link": [{"relation": "next", "url": "/x"}], "entry": [{"fullUrl": "urn:uuid:1", '
    b'"search": {"mode": "match"}, "resource": {"resourceType": "Task", "id": "t", "reference": "Patient/p"}}]}',
    b'{"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "invalid", "diagnostics": '
    b'"Canari-Unigryw", "details": {"coding": [{"code": "REC_BAD_REQUEST"}]}, "expression": ["Task.status"]}]}',
)
_OWN = (b"Canari-Unigryw", b'"code": "Canari-Unigryw"', b"2026-02-30", b"1:2", b"\xc2\xb2", b"Mex-StatusCode: ")

DOORS: Mapping[str, Door] = {
    "MESH: answers": Door(_mesh_answer, (*_MESH_SAYS, *seeds.BLEMISHED), JSON_WORDS + _OWN),
    "MESH: headers": Door(_mesh_headers, _MESH_HEADS, (b":", b"\n", b" ", b"9" * 30, *_OWN)),
    **{f"MESH: {name}": Door(_mesh_message(name), _MESH_BODIES[name], JSON_WORDS + CSV_WORDS + XML_WORDS)
       for name in _MESSAGES},
    "Open311: xml": Door(_open311("xml", _XML_TYPE), (*_OPEN311_XML, *seeds.XML), XML_WORDS + _OWN),
    "Open311: json": Door(_open311("json", _JSON_TYPE), (*_OPEN311_JSON, *seeds.BLEMISHED), JSON_WORDS + _OWN),
    "Open Referral": Door(_open_referral, (*_SERVICES, *seeds.BLEMISHED), JSON_WORDS + _OWN),
    "FHIR": Door(_fhir, (*_BUNDLE, *seeds.BLEMISHED), JSON_WORDS + _OWN),
}  # fmt: skip
