"""Every parser that reads what somebody else wrote, as one function of bytes: it returns, or raises what it says.

Used by `test_fuzz.py` (hypothesis, in CI and for long) and by `long_run.py` (by hand). A function here
lets only those errors end it that its parser names; any other error is a hole. Those of the public standards' answers
are in `standards.py`.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from config.documents import parse_yaml
from config.findings import SiteFaults
from connectors import registry, xml
from connectors.errors import ConnectorError, Misconfigured
from connectors.files.profile import Drop
from connectors.files.rows import UnreadableFile, again, rows, total
from connectors.http import Reply, retry_after
from connectors.json_body import UnreadableBody, as_received, blemish, parse, read
from connectors.push.port import Pushed, PushRefused
from connectors.push.proofs import prove
from connectors.push.settings import PushSettings
from connectors.rest.addresses import Addresses, next_in
from connectors.rest.interface import Interface
from connectors.soap.times import moment
from console.cells import cell
from console.show import safe
from console.supply.advisories import Feed
from console.supply.packages import Package
from mappings import codes, fieldpaths
from pipelines import wakeups
from tests.doors import seeds, standards
from tests.doors.door import CSV_WORDS, JSON_WORDS, XML_WORDS, Door

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
_SECRET = "a-secret-of-the-test-of-32-signs"


def _xml(content: bytes) -> None:
    with suppress(xml.UnreadableXml):
        xml.record_of(xml.parse(content, max_bytes=1_000_000), frozenset())


def _json(content: bytes) -> None:
    with suppress(UnreadableBody):
        read(content, "application/json")
    with suppress(UnreadableBody):
        value = parse(content, "application/json")
        assert isinstance(as_received(value), bytes)
        assert "\n" not in blemish(value)


def _content_type(content: bytes) -> None:
    with suppress(UnreadableBody):
        read(b"{}", content.decode("latin-1"))


def _yaml(content: bytes) -> None:
    with suppress(SiteFaults):
        parse_yaml(content, Path("site.yaml"))


def _openapi(content: bytes) -> None:
    with suppress(Misconfigured):
        Interface(content, "live.yaml").component("Case")


def described(content: bytes) -> list[dict[str, Any]]:
    """What a WSDL says of the one kind of record that is asked for. Raises ConnectorError."""
    push = {"operation": "caseChanged", "carries": "record", "items": "Case[]", "answer": {"Ack": "true"}}
    profile = {
        "system": "a",
        "protocol": "soap",
        "interface": "interfaces/a.wsdl",
        "clock": "UTC",
        "records": {"Case": {"item": {"id": "Id", "modified": "Changed"}, "push": push}},
    }
    return registry.interfaces_of(profile, interfaces=lambda _: content)


def _wsdl(content: bytes) -> None:
    with suppress(ConnectorError):
        described(content)


def _codes(content: bytes) -> None:
    with suppress(codes.CodeFaults):
        codes.parse(content, "fuzzed")


DROPS: Mapping[str, dict[str, Any]] = {
    "csv": {"format": "csv"},
    "trailer": {"format": "csv", "csv": {"delimiter": ";"}, "control": {"trailer": {"first": "T", "count": 2}}},
    "windows": {"format": "csv", "encoding": "windows-1252"},
    "lines": {"format": "json-lines"},
    "xml": {"format": "xml", "items": "r"},
}


def _drop(name: str) -> Callable[[bytes], None]:
    drop = Drop.model_validate({"feed": "file-drop", "names": "a*", **DROPS[name]})

    def take(content: bytes) -> None:
        with suppress(UnreadableFile):
            total(io.BytesIO(content), drop)
            for one in islice(rows(io.BytesIO(content), drop), 500):
                again(one.raw, drop)

    return take


def _wake_up(content: bytes) -> None:
    for kind in ("application/json", "application/x-python-serialize", content[:20].decode("latin-1")):
        message = SimpleNamespace(body=content, errors=None, headers={}, content_type=kind)
        assert wakeups._read(message) is None or kind == "application/json"


_HMAC = PushSettings.model_validate({"signature": {"secrets": ["env:A"]}}, context={"secret": lambda _: _SECRET})
_MORE = PushSettings.model_validate(
    {"bearer": {"tokens": ["env:A"]},
     "certificate": {"header": "X-Cert", "fingerprints": ["ab" * 32], "proxies": ["127.0.0.1"]}},
    context={"secret": lambda _: _SECRET},
)  # fmt: skip


_BASIC = PushSettings.model_validate(
    {"basic": {"username": "dolen", "password": "env:A"}}, context={"secret": lambda _: _SECRET}
)


def _proof(content: bytes) -> None:
    """No bytes are a proof: who does not hold the secret is never let in."""
    lines = [line.partition(b":") for line in content.decode("latin-1").encode("utf-8").split(b"\n")]
    headers = [(name.decode("utf-8"), value.decode("utf-8")) for name, _, value in lines]
    for settings in (_HMAC, _MORE, _BASIC):
        try:
            prove(settings, Pushed(headers, content, "127.0.0.1"), NOW)
        except PushRefused as refusal:
            assert _SECRET not in refusal.reason
        else:
            raise AssertionError("it was let in")


def _rest_push() -> Callable[[bytes], None]:
    profile = {
        "system": "peer", "protocol": "rest", "interface": "a.yaml", "clock": "UTC",
        "records": {"Case": {"component": "Case", "item": {"id": "id", "version": "version", "modified": "at"},
                             "push": {"carries": "record"}}},
    }  # fmt: skip
    interface = (
        b'{"openapi": "3.1.0", "info": {"title": "a", "version": "1"}, "paths": {}, "components": {"schemas": {"Case": '
        b'{"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}, "version": '
        b'{"type": "integer"}, "at": {"type": "string", "format": "date-time"}}}}}}'
    )
    connect = {"url": "http://127.0.0.1:9", "push": {"bearer": {"tokens": ["env:A"]}}}
    made: Any = registry.open_connector(
        profile, connect, interfaces=lambda _: interface, clock=lambda: NOW, secret=lambda _: _SECRET
    )
    return _pushed(made.push("Case"), "application/json")


def _pushed(push: Any, kind: str) -> Callable[[bytes], None]:
    def take(content: bytes) -> None:
        call = Pushed([("Content-Type", kind)], content)
        try:
            push.look(call)
        except PushRefused as refusal:
            push.refused(refusal, call)
        list(push.unpack(content, ""))

    return take


def _links(content: bytes) -> None:
    text = content.decode("utf-8", "replace")
    addresses = Addresses("https://casework.example.org/api")
    for link in (text, next_in(text)):
        with suppress(Misconfigured):
            led = urlsplit(addresses.linked("https://casework.example.org/api/cases", link))
            assert (led.scheme, led.hostname, led.port or 443) == ("https", "casework.example.org", 443)
            assert led.path == "/api" or led.path.startswith("/api/")
    with suppress(ConnectorError):
        below = addresses.below("/cases/{id}", id=text)
        assert below.startswith("https://casework.example.org/api/cases/")
        assert below.count("/") == 5
    addresses.id_in(text, "/cases/{id}")


def _times(content: bytes) -> None:
    text = content.decode("utf-8", "replace")
    moment(text, NOW.tzinfo)  # type: ignore[arg-type]
    retry_after(Reply(429, {"Retry-After": text, "Date": text}, b"", 0.0))


def _paths(content: bytes) -> None:
    text = content.decode("utf-8", "replace")
    said = fieldpaths.check(text)
    assert said is None or said
    with suppress(fieldpaths.BadPath):
        fieldpaths.normalise(text)


def _advisories(content: bytes) -> None:
    feed = Feed()
    with suppress(ValueError, RecursionError):  # what is no JSON is counted before it comes here
        found = json.loads(content)
        feed.take(found)
        list(feed.about(Package("requests", "2.31.0")))


def _shown(content: bytes) -> None:
    """What a terminal or a spreadsheet is shown of somebody else's text."""
    text = content.decode("utf-8", "surrogateescape")
    assert safe(text).isprintable() or not text
    assert not cell(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


_YAML_WORDS = (
    b"&a ", b"*a", b"<<: *a", b"!!python/object/apply:os.system ", b"!x ", b"---\n", b"- ", b": ", b"\t", b"'", b'"',
    b"%YAML 1.1\n", b"[" * 60, b"? ", b"|\n", b"> ", b"\xc2\x85", b"\xe2\x80\xa8", b"#", b"{",
)  # fmt: skip
_URL_WORDS = (
    b"https://casework.example.org/api/", b"//evil.example/", b"..", b"%2e%2e", b"%2f", b"@", b"\\", b"?", b"#", b"<",
    b"[::1]", b"http://169.254.169.254/", b"\r\n", b"; rel=next", b">", b"cases",
)  # fmt: skip
_WAKE = (b'{"format": 2, "council": "a", "connection": "b", "probe": false}', b"\x80\x04cos\nsystem\n")
_HEADERS = (
    b"webhook-id: m1\nwebhook-timestamp: 1796040000\nwebhook-signature: v1,AAAA\nAuthorization: Bearer x\nX-Cert: "
    + b"ab" * 32
)
_MOMENTS = (b"2026-10-25T01:30:00.1234567+01:00", b"Mon, 30 Nov 2026 12:00:00 GMT")
_LIST = (ROOT / "config/example/codes/blaenau-gwent-priority-contact.csv").read_bytes()

DOORS: Mapping[str, Door] = {
    "XML": Door(_xml, seeds.XML, XML_WORDS),
    "JSON": Door(_json, seeds.JSON, JSON_WORDS),
    "content type": Door(_content_type, (b"application/fhir+json; charset=utf-8",), (b";", b"=", b'"', b"charset=")),
    "YAML of a site": Door(_yaml, seeds.YAML, _YAML_WORDS),
    "OpenAPI": Door(_openapi, seeds.OPENAPI, _YAML_WORDS),
    "WSDL": Door(_wsdl, seeds.WSDL, XML_WORDS),
    "code list": Door(_codes, (_LIST,), CSV_WORDS),
    "wake-up": Door(_wake_up, _WAKE, JSON_WORDS),
    "proof of a push": Door(_proof, (_HEADERS,), (b"v1,", b":", b"\n", b" ")),
    "push of a record": Door(_rest_push(), seeds.JSON, JSON_WORDS),
    "links and ids": Door(_links, seeds.LINKS, _URL_WORDS),
    "times": Door(_times, _MOMENTS, (b"Z", b"T", b":", b"-", b"\xc2\xb2")),
    "field paths": Door(_paths, seeds.PATHS, (b"[", b"]", b".", b"=", b",")),
    "advisories": Door(_advisories, seeds.ADVISORIES, JSON_WORDS),
    "terminal and cells": Door(_shown, (b"=1+1", b"O'Neill\x1b[31m"), (b"\x1b", b"=", b"+", b"@", b"\r", b"\x00")),
    **{
        f"file drop: {name}": Door(_drop(name), seeds.FILES.get(name, seeds.FILES["csv"]), CSV_WORDS + XML_WORDS)
        for name in DROPS
    },
    **standards.DOORS,
}
