"""Who is told: a real mail server and a real web address on loopback, which remember what they took.

The mail server takes nothing in clear. Either can be told to refuse, or is simply closed, as the night brings it.
"""

from __future__ import annotations

import email
import email.policy
import json
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

#: What calls are signed with.
SECRET = "a-secret-of-the-council"


class Mailbox:
    """A mail server with STARTTLS. `mails` are (addresses, message)."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        self.ca = folder / "mail-ca.pem"
        authority.cert_pem.write_to_path(self.ca)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(self._context)
        self.mails: list[tuple[list[str], Any]] = []
        self.refuses = False
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._server: Controller | None = None

    async def handle_DATA(self, _server: Any, session: Session, envelope: Envelope) -> str:
        assert session.ssl is not None, "in clear"
        if self.refuses:
            return "451 later"
        assert isinstance(envelope.content, bytes)
        read = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.mails.append((list(envelope.rcpt_tos), read))
        return "250 OK"

    def serve(self) -> None:
        """Begin to take mail."""
        box = self

        class Server(Controller):
            def factory(self) -> SMTP:
                return SMTP(box, hostname="mail.example.org", tls_context=box._context, require_starttls=True)

        self._server = Server(self, hostname="127.0.0.1", port=self.port)
        self._server.start()

    def close(self) -> None:
        """Nobody answers any more."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def texts(self, to: str = "") -> list[str]:
        """The words of what was taken, of one address's if named."""
        return [message.get_content() for addresses, message in self.mails if not to or to in addresses]


class Ear:
    """A web address. `heard` are (path, headers, JSON); `status` is what it answers."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Any, Any]] = []
        self.bodies: list[bytes] = []
        self.status = 200
        ear = self

        class Hears(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self._take(body)

            def do_GET(self) -> None:
                self._take(b"null")

            def _take(self, body: bytes) -> None:
                if ear.status == 200:
                    ear.bodies.append(body)
                    ear.heard.append((self.path, self.headers, json.loads(body)))
                self.send_response(ear.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Hears)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def told(self, path: str = "/all") -> list[dict[str, Any]]:
        """The alerts that were posted to one path, one entry each."""
        return [one for where, _, body in self.heard if where == path for one in body["alerts"]]

    def close(self) -> None:
        """Nobody answers any more."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
