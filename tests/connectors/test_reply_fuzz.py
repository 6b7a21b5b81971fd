"""Whatever a system answers, a call ends in time as a value or a named error: no other error, no file, no other host.

Every parser of replies is met through the connector that owns it, over a real socket: answers that were whole are
broken by chance, in body, headers and status. What they point to is a server that must not hear of it and a file that
must not be read.
"""

from __future__ import annotations

import copy
import json
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors import live
from connectors.errors import ConnectorError
from connectors.http import Reply, retry_after
from connectors.port import Connector
from connectors.registry import open_connector
from connectors.soap.times import moment
from tests.connectors.rest.conftest import OPENAPI, PROFILE
from tests.connectors.standing import at_once
from tests.connectors.test_notify import SENT, TEXT

# After some of the broken answers a socket is closed by the garbage collector and not by us; which, is not known yet.
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning")

SECONDS = 2.0  # that a call may take; what is more than this by a second hangs
INSIDE = "cynnwys-y-ffeil-ddirgel"  # of a file that no answer may have read
PERSON = "Canari-Unigryw"  # of a person: stands in bodies, headers and statuses, and in no error
KEY = "prawf-" + "-".join(["11111111-2222-3333-4444-555555555555"] * 2)
FUZZED = settings(max_examples=settings().max_examples // 5, suppress_health_check=list(HealthCheck))


class Said:
    """A server that says the bytes that it was given, to whoever calls, and counts the callers."""

    def __init__(self) -> None:
        self.answers: list[bytes] = [b""]
        self.calls = 0
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.origin = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                line, _ = self._socket.accept()
                threading.Thread(target=self._answered, args=(line,), daemon=True).start()

    def _answered(self, line: socket.socket) -> None:
        with line, suppress(OSError):
            line.settimeout(1)
            self._answer(line)

    def _answer(self, line: socket.socket) -> None:
        got = b""
        while b"\r\n\r\n" not in got:
            if not (piece := line.recv(65_536)):
                return
            got += piece
        head, _, body = got.partition(b"\r\n\r\n")
        for field in head.split(b"\r\n"):
            if field.lower().startswith(b"content-length:"):
                while len(body) < int(field[15:]) and (piece := line.recv(65_536)):
                    body += piece
        self.calls += 1
        line.sendall(self.answers[min(self.calls - 1, len(self.answers) - 1)])
        line.shutdown(socket.SHUT_WR)
        while line.recv(65_536):  # closing with bytes unread would reset the answer away
            pass

    def close(self) -> None:
        """Let go of the port."""
        self._socket.close()


@pytest.fixture(scope="module")
def system() -> Iterator[Said]:
    """The system."""
    made = Said()
    yield made
    made.close()


@pytest.fixture(scope="module")
def canary() -> Iterator[Said]:
    """The other host."""
    made = Said()
    yield made
    made.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file."""
    made = tmp_path_factory.mktemp("ffeil") / "ffeil"
    made.write_text(INSIDE, encoding="utf-8")
    return made


# --- What is asked, and what a whole answer is ------------------------------------------------------------------------

_SOAP = '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{}</s:Body></s:Envelope>'
_RECORD = (
    "<Referral><ReferralId>R1</ReferralId><Version>1</Version><LastChanged>2026-03-02T09:30:00</LastChanged>"
    "<Received>2026-03-02T09:30:00</Received><Kind>REF</Kind><Status>NEW</Status><Priority>P2</Priority><Subject>"
    "<Forename>S</Forename><Surname>J</Surname><DOB>1941-02-03</DOB><Gender>2</Gender><PreferredLanguage>W"
    '</PreferredLanguage></Subject><Needs><Need code="N01">x</Need></Needs><Safeguarding>false</Safeguarding>'
    "<Restricted>false</Restricted></Referral>"
)
_IN = 'xmlns="urn:example:casework:2"'
_XML = "text/xml; charset=utf-8"
_FAULT = (
    "<s:Fault><faultcode>s:Client</faultcode><faultstring>no</faultstring><detail><ValidationFault "
    f"{_IN}><Code>E1</Code><Field>Priority</Field></ValidationFault></detail></s:Fault>"
)
_THING = {"id": "T1", "at": "2026-03-01T09:00:00Z", "name": "a", "kind": "A", "version": 1, "parts": [{"n": 1}]}


def _things(**feed: Any) -> dict[str, Any]:
    made = copy.deepcopy(PROFILE)
    made["records"]["Thing"]["changes"].update(feed)
    return made


def _walked(connector: Connector, kind: str) -> Any:
    page = connector.changes(kind, watermark="")
    return connector.changes(kind, watermark=page.watermark, cursor=page.cursor) if page.cursor else page


Case = tuple[str, dict[str, Any], Callable[[Connector], Any], str, list[str]]  # profile, login, call, type, answers
_CASES: dict[str, Case] = {
    "soap changes": (
        "casework", {}, lambda one: _walked(one, "Referral"), _XML,
        [_SOAP.format(f"<FindReferralsResponse {_IN}>{_RECORD * 2}<MorePages>true</MorePages></FindReferralsResponse>"),
         _SOAP.format(_FAULT)],
    ),
    "soap fetch": (
        "casework", {}, lambda one: one.fetch("Referral", "R1"), _XML,
        [_SOAP.format(f"<GetReferralResponse {_IN}>{_RECORD}</GetReferralResponse>"), _SOAP.format(_FAULT)],
    ),
    "soap create": (
        "casework", {},
        lambda one: one.deliver("Referral", {"Received": "2026-03-02T09:30:00", "Kind": "REF", "Status": "NEW",
                                             "Priority": "P2", "Subject": {"Forename": "S", "Surname": "J",
                                                                           "DOB": "1941-02-03", "Gender": "2",
                                                                           "PreferredLanguage": "W"},
                                             "Safeguarding": False, "Restricted": False}, key="k"), _XML,
        [_SOAP.format(f"<CreateReferralResponse {_IN}><ReferralId>R1</ReferralId><Version>1</Version><LastChanged>"
                      "2026-03-02T09:30:00</LastChanged></CreateReferralResponse>"), _SOAP.format(_FAULT)],
    ),
    "rest cursor": ("cursor", {}, lambda one: _walked(one, "Thing"), "application/json",
                    [json.dumps({"things": [_THING, _THING], "next": "abc"})]),
    "rest links": ("links", {}, lambda one: _walked(one, "Thing"), "application/json",
                   [json.dumps({"things": [_THING], "next": "CANARY/things?page=2"}),
                    json.dumps({"things": [_THING], "next": "/things?page=2"})]),
    "rest fetch": ("cursor", {}, lambda one: one.fetch("Thing", "T1"), "application/json",
                   [json.dumps(_THING), '{"code": "taken", "field": "name", "id": "T1"}']),
    "rest find": ("cursor", {}, lambda one: one.find("Thing", "k"), "application/json",
                  [json.dumps({"things": [{**_THING, "key": "k"}]})]),
    "rest create": ("cursor", {}, lambda one: one.deliver("Thing", {"name": "a"}, key="k"), "application/json",
                    [json.dumps(_THING), '{"code": "taken", "field": "name", "id": "T1"}']),
    "oauth2": ("cursor", {"oauth2": {"token_url": "SYSTEM/token", "client_id": "c", "client_secret": "env:X"}},
               lambda one: one.fetch("Thing", "T1"), "application/json",
               ['{"access_token": "t", "token_type": "Bearer", "expires_in": 60}']),
    "token": ("cursor", {"token": {"sign_in_url": "SYSTEM/in", "username": "u", "password": "env:X"}},
              lambda one: one.fetch("Thing", "T1"), "application/json", ['{"token": "t"}']),
    "session": ("cursor", {"session": {"sign_in_url": "SYSTEM/in", "username": "u", "password": "env:X",
                                       "cookie": "SID"}},
                lambda one: one.fetch("Thing", "T1"), "application/json", ["{}"]),
    "notify create": ("notify", {"notify": {"api_key": "env:X"}}, lambda one: one.deliver("Text", TEXT, key="k"),
                      "application/json", [json.dumps({"id": SENT, "reference": "k"}),
                                           '{"status_code": 400, "errors": [{"error": "E", "message": "to no"}]}']),
    "notify find": ("notify", {"notify": {"api_key": "env:X"}}, lambda one: one.find("Text", "k"), "application/json",
                    [json.dumps({"notifications": [{"id": SENT, "reference": "k",
                                                    "created_at": "2026-03-01T09:00:00.000000Z"}]})]),
}  # fmt: skip


@pytest.fixture(scope="module")
def opened(system: Said, shipped: Callable[[str], Any], interfaces: Callable[[str], bytes]) -> Iterator[Any]:
    """The connector of each case, opened once."""
    made: dict[str, Connector] = {}
    things = {"cursor": PROFILE, "links": _things(page={"next": "next", "is": "link", "size": "limit", "of": 50})}

    def read(name: str) -> bytes:
        return json.dumps(OPENAPI).encode() if "things" in name else interfaces(name)

    def connector(name: str) -> Connector:
        if name not in made:
            profile, login, *_ = _CASES[name]
            told: dict[str, Any] = {"url": system.origin, "timeout_seconds": SECONDS, "max_reply_bytes": 100_000}
            if login:
                told["login"] = json.loads(json.dumps(login).replace("SYSTEM", system.origin))
            made[name] = at_once(
                open_connector(
                    things.get(profile) or shipped(profile), told, interfaces=read, clock=lambda: datetime.now(UTC),
                    secret=lambda _: KEY,
                )
            )  # fmt: skip
        return made[name]

    yield connector
    for one in made.values():
        one.close()


# --- How it is broken -------------------------------------------------------------------------------------------------

PIECES = (
    b"<", b">", b"&", b"&#0;", b"&#x110000;", b"&e;", b"]]>", b"<![CDATA[", b"<!--", b"<?x", b"</", b"\x00",
    b"\xff\xfe", b"\xed\xa0\x80", b'"', b"\\", b"\\ud800", b"{", b"}", b"[", b"]", b",", b"null", b"true",
    b"-0", b"1e999", b"NaN",
    b"Infinity", b"9" * 400, b"0001-01-01T00:00:00", b"9999-12-31T23:59:59.9999999+14:00", b"2026-02-30", b"24:00:00",
    b"xsi:nil='true'", b'<x xmlns="urn:x"/>', b"MorePages", b"../..", b"%2e%2e", b"\r\n", b"\xef\xbb\xbf", b"[" * 3000,
    b"<a>" * 600, PERSON.encode(), b'"code":"Canari-Unigryw"',
    b"<faultstring>Canari-Unigryw</faultstring>", b'"next":', b'"id":', b"\xc2\x85", b"\xe2\x80\xa8",
)  # fmt: skip
HEADERS = (
    b"Retry-After: soon", b"Retry-After: 99999999999999999999", b"Retry-After: -1", b"Retry-After: \xb2",
    b"Retry-After: Mon, 32 Feb 2026 99:99:99 GMT", b"Date: yesterday", b"Date: Fri, 31 Dec 9999 23:59:59 -2359",
    b"Date: Mon, 01 Jan 0001 00:00:00 +1400", b"ETag: \"", b"ETag: W/\"\xff\"", b"Content-Encoding: gzip",
    b"Content-Encoding: nonsense", b"Content-Encoding: gzip, gzip, gzip", b"Transfer-Encoding: chunked",
    b"Content-Length: -1", b"Content-Length: abc", b"Content-Length: 99999999999999999999", b"Content-Length: 5",
    b"Link: <CANARY/next>; rel=next", b"Link: <//>; rel=next", b"Location: CANARY/elsewhere", b"Location: http://[",
    b"Set-Cookie: SID=\x00; Domain=example.org", b"Set-Cookie: SID=abc", b"no colon here", b": empty",
    b"X: " + b"y" * 70_000,
    b"Content-Type: ", b"Content-Type: text/html", b"Content-Type: application/json; charset=utf-16",
    b"ETag: \"Canari-Unigryw\"", b"Location: /Canari-Unigryw?q=Canari-Unigryw", b"X-Canari-Unigryw: Canari-Unigryw",
    b"Content-Type: multipart/related; boundary=\"", b"Content-Type: application/fhir+json",
)  # fmt: skip
STATUSES = (b"200 OK",) * 6 + (
    b"201 Made", b"202 Later", b"204 Nothing", b"206 Part", b"299 Odd", b"301 Moved", b"302 Found", b"304 Same",
    b"307 Again", b"400 No", b"401 No", b"403 No", b"404 No", b"409 No", b"410 No", b"412 No", b"422 No", b"429 No",
    b"400 Canari-Unigryw", b"500 Canari-Unigryw", b"302 Canari-Unigryw",
    b"500 No", b"503 No", b"599 No", b"999 No", b"99 No", b"abc No", b"200", b"",
)  # fmt: skip
ENTITIES = (
    b'<!DOCTYPE r [<!ENTITY e SYSTEM "FILE">]>', b'<!DOCTYPE r SYSTEM "CANARY/x.dtd">', b"<!DOCTYPE r>",
    b'<!DOCTYPE r [<!ENTITY % p SYSTEM "CANARY/p"> %p;]>', b'<?xml-stylesheet href="CANARY/x.xsl"?>',
    b'<?xml version="1.0" encoding="UTF-7"?>', b'<?xml version="1.0" encoding="EBCDIC-CP-US"?>',
    b'<?xml version="1.1"?>', b'<?xml version="1.0" encoding="UTF-16"?>',
)  # fmt: skip


@st.composite
def broken(draw: st.DrawFn, whole: bytes) -> bytes:
    """A body that was whole: cut, doubled, spoilt at a few places."""
    body = bytearray(whole)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(body)))
        match draw(st.integers(0, 4)):
            case 0:
                body[at:at] = draw(st.sampled_from(PIECES))
            case 1:
                del body[at : at + draw(st.integers(1, 40))]
            case 2:
                body[at : at + 1] = draw(st.binary(max_size=3))
            case 3:
                end = at + draw(st.integers(1, 200))
                body[at:at] = body[at:end]
            case _:
                del body[at:]
    return draw(st.sampled_from(ENTITIES)) + bytes(body) if draw(st.integers(0, 7)) == 0 else bytes(body)


@st.composite
def answers(draw: st.DrawFn, kind: str, wholes: list[str]) -> list[bytes]:
    """Two answers as they travel: the first call's, and that of all later ones."""
    made = []
    for _ in range(2):
        body = draw(broken(draw(st.sampled_from(wholes)).encode()))
        lines = [b"HTTP/1.1 " + draw(st.sampled_from(STATUSES)), f"Content-Type: {kind}".encode()]
        lines += draw(st.lists(st.sampled_from(HEADERS), max_size=2))
        if draw(st.booleans()):
            lines.append(b"Content-Length: %d" % len(body))
        made.append(b"\r\n".join(lines) + b"\r\n\r\n" + body)
    if draw(st.integers(0, 30)) == 0:
        made[0] = draw(st.binary(max_size=60))
    return made


def ends_well(call: Callable[[], Any], system: Said, canary: Said, file: Path, said: list[bytes]) -> None:
    """A call that is answered so ends in time, and in a named way."""
    places = ((b"CANARY", canary.origin.encode()), (b"FILE", file.as_uri().encode()))
    for name, place in places:
        said = [one.replace(name, place) for one in said]
    system.answers, system.calls = said, 0
    began, shown = time.monotonic(), ""
    try:
        shown = repr(call())
    except ConnectorError as fault:
        shown = f"{fault} {fault!r} {fault.__cause__!r}"
        whole = shown + "".join(traceback.format_exception(fault))
        assert PERSON not in whole, "an error quotes the answer"
        assert "\n" not in fault.reason
    assert time.monotonic() - began < SECONDS + 1
    assert canary.calls == 0, "the other host was called"
    assert INSIDE not in shown, "the file was read"


@pytest.mark.parametrize("name", _CASES)
@given(data=st.data())
@FUZZED
def test_any_answer_ends_in_a_named_way(
    name: str, data: st.DataObject, opened: Any, system: Said, canary: Said, file: Path
) -> None:
    _, _, call, kind, wholes = _CASES[name]
    said = data.draw(answers(kind, wholes))
    ends_well(lambda: call(opened(name)), system, canary, file, said)


WSDL = (
    '<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:xs="http://www.w3.org/2001/XMLSchema">'
    '<wsdl:types><xs:schema><xs:import namespace="urn:t" schemaLocation="CANARY/x.xsd"/><xs:include schemaLocation='
    '"?xsd=1"/></xs:schema></wsdl:types></wsdl:definitions>'
)


@pytest.mark.parametrize(("profile", "kind", "whole"), [
    ("casework", "text/xml", WSDL),
    ("contact", "application/yaml", "openapi: 3.1.0\npaths: {/a: {get: {}}}\n&a b: *a\n"),
])  # fmt: skip
@given(data=st.data())
@FUZZED
def test_any_live_interface_ends_in_a_named_way(
    profile: str, kind: str, whole: str, data: st.DataObject, system: Said, canary: Said, file: Path, shipped: Any
) -> None:
    told = {"url": f"{system.origin}/api", "timeout_seconds": SECONDS, "max_reply_bytes": 100_000}
    said = data.draw(answers(kind, [whole]))

    def fetch() -> Any:
        return live.fetch(shipped(profile), told, secret=lambda _: KEY)

    ends_well(fetch, system, canary, file, said)


STAMP = r"\d{1,5}-\d\d?-\d\d?([T ]\d\d?:\d\d?(:\d\d?(\.\d*)?)?)?(Z|[+-]\d\d:?\d\d)?"


@given(text=st.text(max_size=40) | st.from_regex(STAMP))
def test_any_stamp_is_a_moment_in_utc_or_none(text: str) -> None:
    found = moment(text, ZoneInfo("Europe/London"))
    assert found is None or found.tzinfo is UTC


@given(after=st.text(max_size=30), date=st.text(max_size=40))
def test_any_retry_after_is_a_number_or_none(after: str, date: str) -> None:
    found = retry_after(Reply(429, {"Retry-After": after, "Date": date}, b"", 0.0))
    assert found is None or 0 <= found < 1e12
