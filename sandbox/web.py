"""The web server of the pretend systems: threaded, HTTP/1.1 with keep-alive, on the standard library alone.

It routes `/<tenant>/<system>/...` to a `System` (see `exchange.py`, where `Request`, `Response` and the seam for faults
live) and everything else to one `front` (the control pages). A call is counted in the tally under its operation and
outcome. Nothing a caller sends is ever logged.
"""

from __future__ import annotations

import re
import socket
import ssl
import struct
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from datetime import datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from sandbox.exchange import Exchange, Interrupted, Request, Response, System
from sandbox.faults import Faults
from sandbox.tally import Tally

Front = Callable[[Request], Response]
Clock = Callable[[], datetime]

MOST_BODY_BYTES = 64_000_000
_TENANT = re.compile(r"[a-z0-9][a-z0-9-]{0,60}\Z")
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 seconds: closing sends RST instead of FIN


class Server(ThreadingHTTPServer):
    """Serves until `stop()`. `port` 0 takes a free one; `url` says which it became."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(
        self,
        systems: Mapping[str, System],
        front: Front,
        faults: Faults,
        tally: Tally,
        clock: Clock,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.systems, self.front, self.faults, self.tally, self.clock = systems, front, faults, tally, clock
        self.stopping = threading.Event()
        super().__init__((host, port), _Conversation)
        if tls is not None:
            # The handshake happens in the connection's own thread, at its first read: a slow caller delays nobody.
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        scheme = "http" if tls is None else "https"
        self.url = f"{scheme}://{host}:{self.server_address[1]}"

    def start(self) -> threading.Thread:
        """Serve in a thread of its own."""
        thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        """Take no more calls; what hangs on a fault lets go. Safe to call from another thread than the server's."""
        self.stopping.set()
        self.shutdown()
        self.server_close()

    def shutdown_request(self, request: Any) -> None:
        # ThreadingHTTPServer would send FIN first, and the caller would never see the reset.
        try:
            lingering = request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, len(_RESET_ON_CLOSE)) == _RESET_ON_CLOSE
        except OSError:
            lingering = False
        if lingering:
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that went away in mid-call is daily life here; the standard server would print a stack for it."""


class _Conversation(BaseHTTPRequestHandler):
    """One connection and the calls on it."""

    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 120  # seconds an idle connection is kept

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        body = self._read_body()
        if body is None:
            return
        parts = url.path.split("/", 3)
        tenant, name = (parts[1], parts[2]) if len(parts) > 2 else ("", "")
        system = self.server.systems.get(name) if _TENANT.match(tenant) and tenant != "control" else None
        host = self.headers.get("Host", "")
        scheme = self.server.url.split(":", 1)[0]
        request = Request(
            method=self.command,
            tenant=tenant if system else "",
            system=name if system else "",
            path=unquote("/" + parts[3] if system and len(parts) > 3 else "" if system else url.path),
            query=dict(parse_qsl(url.query, keep_blank_values=True)),
            headers={key.lower(): value for key, value in self.headers.items()},
            body=body,
            url=f"{scheme}://{host}/{tenant}/{name}" if system else f"{scheme}://{host}",
        )
        if system is None:
            self._send(_front(self.server.front, request))
        else:
            self._converse(system, request)

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_GET

    def _converse(self, system: System, request: Request) -> None:
        server = self.server
        exchange = Exchange(request, system, server.faults, server.tally, server.stopping.wait)
        try:
            exchange.knock()
            response = _answer(system, request, exchange)
            exchange.finish()
            outcome = exchange.outcome or str(response.status)
            drip, cut = exchange.take("slow_drip"), exchange.take("truncated") is not None
        except Interrupted as fault:
            response, outcome, drip, cut = fault.response or Response(0), fault.outcome, None, False
            if fault.response is None:
                self.close_connection = True
            if fault.reset:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        # Counted before it is sent, so that whoever has the answer finds it counted.
        server.tally.count(request.tenant, request.system, exchange.operation, outcome)
        if response.status:
            self._send(response, bytes_a_second=drip["bytes_a_second"] if drip else 0, cut=cut)

    def _read_body(self) -> bytes | None:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            self._refuse(411, b"Send Content-Length: bodies in chunks are not taken here.\n")
            return None
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal():
            self._refuse(400, b"Content-Length must be a whole number.\n")
            return None
        if int(length) > MOST_BODY_BYTES:
            self._refuse(413, b"The body is larger than 64 MB.\n")
            return None
        return self.rfile.read(int(length)) if length != "0" else b""

    def _refuse(self, status: int, words: bytes) -> None:
        self.close_connection = True  # what follows on the connection is a body nobody read
        self._send(Response(status, words, "text/plain; charset=utf-8"))

    def _send(self, response: Response, *, bytes_a_second: float = 0, cut: bool = False) -> None:
        phrase = self.responses[response.status][0] if response.status in self.responses else "Unknown"
        lines = [f"HTTP/1.1 {response.status} {phrase}", f"Content-Length: {len(response.body)}"]
        if response.status not in (204, 304):
            lines.append(f"Content-Type: {response.content_type}")
        lines += [f"{name}: {value}" for name, value in response.headers.items()]
        lines += [f"Date: {format_datetime(self.server.clock(), usegmt=True)}"]
        if self.close_connection:
            lines.append("Connection: close")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        body = b"" if self.command == "HEAD" else response.body
        if cut:
            self.close_connection = True
            body = body[: len(body) // 2]
        if not bytes_a_second:
            self.connection.sendall(head + body)
            return
        self.connection.sendall(head)
        step = max(1, int(bytes_a_second / 10))
        for start in range(0, len(body), step):
            if self.server.stopping.is_set():
                return
            self.connection.sendall(body[start : start + step])
            time.sleep(0.1)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: a request line may hold a key, and a busy sandbox would drown its terminal."""


def _answer(system: System, request: Request, exchange: Exchange) -> Response:
    try:
        return system.answer(request, exchange)
    except Interrupted:
        raise
    except Exception as mistake:
        exchange.outcome = f"mistake of the sandbox: {_said(mistake)}"
        return system.failure(request, 500)


def _front(front: Front, request: Request) -> Response:
    try:
        return front(request)
    except Exception as mistake:
        return Response(500, f"A mistake of the sandbox: {_said(mistake)}\n".encode(), "text/plain; charset=utf-8")


def _said(mistake: Exception) -> str:
    # Kind and place only: the words of an exception may hold what a caller sent.
    where = traceback.extract_tb(mistake.__traceback__)[-1]
    return f"{type(mistake).__name__} at {Path(where.filename).name}:{where.lineno}"
