"""Answers that were whole and are broken by chance, a server that says them, and what every call must keep.

Used by `test_reply_fuzz` (a few of each, by hypothesis, so that what breaks is made small) and `long_replies` (tens of
thousands of each). Which calls there are, and what a whole answer to each is, stands in `reply_cases`.
"""

from __future__ import annotations

import random
import re
import socket
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from connectors.errors import ConnectorError
from connectors.port import Page

SECONDS = 2.0  # that a call may take; what is more than this by a second hangs
INSIDE = "cynnwys-y-ffeil-ddirgel"  # of a file that no answer may have read
_PLACE = re.compile(r"\bat \S+:")  # in a reason: the path to a fault, in names that look like those of fields
PERSON = "Canari-Unigryw"  # of a person: stands in bodies, headers and statuses, and in no error


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


def broken(chance: random.Random, whole: bytes) -> bytes:
    """A body that was whole: cut, doubled, spoilt at a few places."""
    body = bytearray(whole)
    for _ in range(chance.randrange(5)):
        at = chance.randrange(len(body) + 1)
        match chance.randrange(5):
            case 0:
                body[at:at] = chance.choice(PIECES)
            case 1:
                del body[at : at + chance.randrange(1, 41)]
            case 2:
                body[at : at + 1] = _bytes(chance, 3)
            case 3:
                body[at:at] = body[at : at + chance.randrange(1, 201)]
            case _:
                del body[at:]
    return chance.choice(ENTITIES) + bytes(body) if chance.randrange(8) == 0 else bytes(body)


def answers(chance: random.Random, kind: str, wholes: Sequence[str | bytes], own: Sequence[bytes] = ()) -> list[bytes]:
    """Two answers as they travel: the first call's, and that of all later ones.

    `own`: header lines of the system's own, which are mostly there and sometimes broken.
    """
    made = []
    for _ in range(2):
        whole = chance.choice(wholes)
        body = broken(chance, whole if isinstance(whole, bytes) else whole.encode())
        lines = [b"HTTP/1.1 " + chance.choice(STATUSES), f"Content-Type: {kind}".encode()]
        lines += [line if chance.randrange(3) else broken(chance, line) for line in own if chance.randrange(8)]
        lines += [chance.choice(HEADERS) for _ in range(chance.randrange(3))]
        if chance.randrange(2):
            lines.append(b"Content-Length: %d" % len(body))
        made.append(b"\r\n".join(lines) + b"\r\n\r\n" + body)
    if chance.randrange(31) == 0:
        made[0] = _bytes(chance, 60)
    return made


def _bytes(chance: random.Random, most: int) -> bytes:
    return bytes(chance.randrange(256) for _ in range(chance.randrange(most + 1)))


def ends_well(
    call: Callable[[], Any], system: Said, canary: Said, file: Path, said: Sequence[bytes],
    *, seconds: float = SECONDS + 1,
) -> None:  # fmt: skip
    """A call that is answered so ends in time, and in a named way."""
    places = ((b"CANARY", canary.origin.encode()), (b"FILE", file.as_uri().encode()))
    for name, place in places:
        said = [one.replace(name, place) for one in said]
    system.answers, system.calls = list(said), 0
    began, shown = time.monotonic(), ""
    try:
        value = call()
        shown = repr(value)
        assert not any(PERSON in _PLACE.sub("", reason) for reason in _reasons(value)), "a reason quotes the answer"
    except ConnectorError as fault:
        shown = f"{fault} {fault!r} {fault.__cause__!r}"
        whole = shown + "".join(traceback.format_exception(fault))
        if PERSON in fault.code:  # the system's own code, from the place that its profile names, is shown as it is
            whole = whole.replace(fault.code, "")
        assert PERSON not in whole, "an error quotes the answer"
        assert "\n" not in fault.reason
    assert time.monotonic() - began < seconds
    assert canary.calls == 0, "the other host was called"
    assert INSIDE not in shown, "the file was read"


def _reasons(value: Any) -> list[str]:
    """The sentences in which a value that a call gave says what is wrong."""
    items = value.items if isinstance(value, Page) else value if isinstance(value, list) else ()
    told = [str(getattr(item, "reason", "")) + str(getattr(item, "words", "")) for item in items]
    return [*told, value.note] if isinstance(value, Page) else told
