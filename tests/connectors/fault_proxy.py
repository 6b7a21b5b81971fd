"""A proxy that stands before any HTTP peer and makes one call in it go wrong.

It forwards what it gets, byte for byte, and keeps the caller's Host, so that links in an answer lead back through it.
A strike is armed for the next call that it fits, or for all. Its own texts hold a person and a token, as a supplier's
do, so that whoever passes them on is found out. Nothing here knows a protocol.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import struct
import threading
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

PERSON = "Blodeuwedd Prydderch, 07700 900942"
TOKEN = "tocyn-cyfrinachol-942"
HTML = f"<!DOCTYPE html><html><title>Sign in</title><body>{PERSON} <input value='{TOKEN}'></body></html>".encode()
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 seconds: closing sends RST


@dataclass
class Answer:
    """What came from the peer, or is given in its place."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def but(self, body: bytes, **headers: str) -> Answer:
        """The same with another body and other headers (content_type for Content-Type)."""
        named = {name.replace("_", "-").title(): value for name, value in headers.items()}
        kept = [(name, value) for name, value in self.headers if name.title() not in named]
        return Answer(self.status, [*kept, *named.items()], body)


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong. What is not said stays as the peer does it."""

    forwards: bool = True  # whether the peer gets the call at all
    answer: Callable[[Answer], Answer] = lambda found: found
    cut: int | None = None  # bytes of the body after which the connection is closed, of a length that says more
    silent: bool = False  # nothing is answered until the proxy is closed
    reset: bool = False
    pause: float = 0.0  # seconds between the bytes of the body
    repeats: bool = False  # gives the answer of the call before once more


def _given(status: int, content_type: str, body: bytes, **headers: str) -> Fault:
    made = Answer(status, [("Content-Type", content_type)], body)
    return Fault(forwards=False, answer=lambda _: made.but(body, **headers))


def status(number: int, *, content_type: str = "application/json", body: bytes = b"", **headers: str) -> Fault:
    """The peer is not asked; a status comes, with a text that quotes the person."""
    told = body or f'{{"error": {{"code": "e{number}", "message": "{PERSON} {TOKEN}"}}}}'.encode()
    return _given(number, content_type, told, **headers)


def instead(found: Answer, body: bytes, content_type: str) -> Answer:
    """A success with another body."""
    return Answer(200, [], body).but(body, content_type=content_type)


def _bomb() -> bytes:
    packing = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packing.compress(bytes(1_000_000)) for _ in range(200)) + packing.flush()


BOMB = _bomb()  # 200 MB in 200 KB
LAUGHS = b'<!DOCTYPE x [<!ENTITY a "%b"><!ENTITY b "%b"><!ENTITY c SYSTEM "file:///etc/hostname">]><x>&b;&c;</x>' % (
    b"ha" * 500, b"&a;" * 500,
)  # fmt: skip

#: Nothing was done, and the peer says so.
REFUSALS = {
    f"status {number}": status(number, **more)
    for number, more in {
        400: {}, 401: {}, 403: {}, 404: {}, 409: {}, 412: {}, 422: {}, 429: {"retry_after": "7"},
    }.items()
}  # fmt: skip
#: Nothing was done, and nobody can know it.
BEFORE = {
    "status 500": status(500),
    "status 503": status(503),
    "html before": _given(200, "text/html; charset=utf-8", HTML),
    "html called json before": _given(200, "application/json", HTML),
    "html called xml before": _given(200, "text/xml", HTML),
    "silent before": Fault(forwards=False, silent=True),
    "reset before": Fault(forwards=False, reset=True),
    "sign-in page": _given(302, "text/html", HTML, location="/sign-in"),
    "error inside 200": _given(200, "application/json", f'{{"error": "{PERSON}", "success": false}}'.encode()),
    "errors inside 200": _given(200, "application/json", b'{"errors": [{"message": "no"}], "data": null}'),
    "nothing inside 200": _given(200, "application/json", b""),
    "null inside 200": _given(200, "application/json", b"null"),
    "another list inside 200": _given(200, "application/json", b'["a", 1, null]'),
    "entities": _given(200, "text/xml", LAUGHS),
    "nested too deep": _given(200, "application/json", b"[" * 100_000),
    "xml nested too deep": _given(200, "text/xml", b"<a>" * 100_000),
}
#: It was done, and the answer does not say so.
AFTER = {
    "silent after": Fault(silent=True),
    "reset after": Fault(reset=True),
    "html after": Fault(answer=lambda found: instead(found, HTML, "text/html")),
    "500 after": Fault(answer=lambda found: Answer(500, [], b"").but(HTML, content_type="text/html")),
    "truncated": Fault(cut=-1),
    "cut short": Fault(answer=lambda found: found.but(found.body[: len(found.body) // 2])),
    "empty body": Fault(answer=lambda found: instead(found, b"", "application/json")),
    "wrong content type": Fault(answer=lambda found: found.but(found.body, content_type="text/plain")),
    "slow drip": Fault(pause=0.05),
    "too large": Fault(answer=lambda found: found.but(found.body + b" " * 3_000_000)),
    "packed bomb": Fault(answer=lambda found: found.but(BOMB, content_encoding="gzip")),
    "packed wrongly": Fault(answer=lambda found: found.but(b"\x1f\x8b no", content_encoding="gzip")),
    "another encoding": Fault(answer=lambda found: found.but("Siân".encode("utf-16") * 9)),
    "no such encoding": Fault(answer=lambda found: found.but(b"\xff\xfe\x00\x81" * 20)),
    "header without end": Fault(answer=lambda found: found.but(found.body, x_long="y" * 100_000)),
    "garbage": Fault(answer=lambda found: instead(found, bytes(range(256)) * 4, "application/json")),
}


class FaultProxy:
    """Stands before one peer. Use it as a context."""

    def __init__(self, url: str, *, tls: ssl.SSLContext | None = None, strikes: Callable[[str, str], bool]) -> None:
        """`url` is any address of the peer; `strikes` says by method and path which calls may go wrong (a login's
        do not)."""
        self._peer = urlsplit(url)
        self._tls = tls
        self._may = strikes
        self._lock = threading.Lock()
        self._fault: Fault | None = None
        self._times: int | None = 0
        self._after = 0
        self._last: Answer | None = None
        self.calls = 0  # that may go wrong
        self.struck = 0
        self.closing = threading.Event()
        self._server = _Quiet(("127.0.0.1", 0), _conversation(self))
        self.origin = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> FaultProxy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def through(self, url: str) -> str:
        """The address of the peer, by way of the proxy."""
        return url.replace(f"{self._peer.scheme}://{self._peer.netloc}", self.origin)

    def strike(self, fault: Fault, *, times: int | None = 1, after: int = 0) -> None:
        """Let the call after so many others go wrong, and so many in all; None is every one."""
        with self._lock:
            self._fault, self._times, self._after, self.struck = fault, times, after, 0

    def calm(self) -> None:
        """Let nothing go wrong."""
        with self._lock:
            self._fault, self.calls = None, 0

    def drawn(self, method: str, path: str) -> Fault | None:
        """What goes wrong with this call."""
        with self._lock:
            if not self._may(method, path):
                return None
            self.calls += 1
            if self._fault is None or self._times == 0:
                return None
            if self._after:
                self._after -= 1
                return None
            self._times = None if self._times is None else self._times - 1
            self.struck += 1
            return self._fault

    def forward(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Ask the peer."""
        host, port = self._peer.hostname or "", self._peer.port
        line = (
            http.client.HTTPSConnection(host, port, timeout=20, context=self._tls)
            if self._peer.scheme == "https"
            else http.client.HTTPConnection(host, port, timeout=20)
        )
        try:
            line.request(method, path, body, dict(headers))
            found = line.getresponse()
            left_out = {"transfer-encoding", "connection", "content-length", "keep-alive"}
            kept = [(name, value) for name, value in found.getheaders() if name.lower() not in left_out]
            return Answer(found.status, kept, found.read())
        finally:
            line.close()

    def answered(self, fault: Fault | None, ask: Callable[[], Answer]) -> Answer:
        """The answer of the peer, after what goes wrong with it."""
        if fault is None:
            self._last = ask()
            return self._last
        if fault.repeats and self._last is not None:
            return self._last
        return fault.answer(ask() if fault.forwards else Answer(0))


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]
        self.close_request(request)  # a FIN before it would hide a reset

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller that hangs up is what these tests are about."""


def _conversation(proxy: FaultProxy) -> type[BaseHTTPRequestHandler]:
    class Conversation(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30
        disable_nagle_algorithm = True

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            fault = proxy.drawn(self.command, self.path)
            headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
            with suppress(OSError):
                found = proxy.answered(fault, lambda: proxy.forward(self.command, self.path, headers, body))
                self._say(found, fault or Fault())

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _any

        def _say(self, found: Answer, fault: Fault) -> None:
            if fault.silent or fault.reset:
                if fault.silent:
                    proxy.closing.wait(20)
                else:
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                self.close_connection = True
                return
            self.send_response_only(found.status, f"{PERSON}" if fault != Fault() else None)
            for name, value in found.headers:
                self.send_header(name, value)
            if found.status not in (204, 304):
                self.send_header("Content-Length", str(len(found.body)))
            self.end_headers()
            if fault.pause:
                for place in range(len(found.body)):
                    self.wfile.write(found.body[place : place + 1])
                    if proxy.closing.wait(fault.pause):
                        return
            elif fault.cut is not None:
                self.wfile.write(found.body[: len(found.body) // 2])
                self.close_connection = True
            else:
                self.wfile.write(found.body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Conversation
