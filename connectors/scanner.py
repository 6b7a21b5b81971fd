"""Asks a virus scanner about a document: the protocol of ClamAV's daemon, over TCP or a local socket.

The command is zINSTREAM (clamd(8)): pieces, each behind its length in four bytes, most significant first, and an empty
one at the end. The answer is one text. Nothing that the scanner says about the content is passed on but the name of
what it found.
"""

from __future__ import annotations

import re
import socket
import struct
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from connectors.deadline import Deadline
from connectors.errors import Misconfigured, Unreachable
from connectors.references import LOOPBACK

if TYPE_CHECKING:
    from connectors.http import Readable

PIECE = 64 * 1024
_LONGEST_ANSWER = 2_000
_NAME = re.compile(r"[A-Za-z0-9._/{}-]{1,120}")


class Scanner:
    """One scanner. Safe to use from several threads at once: each question has a connection of its own."""

    def __init__(self, address: str) -> None:
        """`address`: tcp://HOST:PORT or unix:/PATH. Raises Misconfigured."""
        parts = urlsplit(address)
        self._path = parts.path if parts.scheme == "unix" else ""
        try:
            self._host = (parts.hostname or "", parts.port or 0)
        except ValueError:
            self._host = ("", 0)
        if not (self._path or (parts.scheme == "tcp" and all(self._host))):
            raise Misconfigured("scanner.clamd: expected tcp://HOST:PORT or unix:/PATH, such as tcp://127.0.0.1:3310")
        if not self._path and self._host[0] not in LOOPBACK:
            raise Misconfigured(
                "scanner.clamd: its protocol knows no encryption, and people's documents must not travel in clear: run "
                "it on this machine, or let a TLS tunnel here lead to it and name the tunnel's own end"
            )

    def __repr__(self) -> str:
        return "Scanner()"

    def look(self, body: Readable, deadline: Deadline) -> str:
        """Return the name of what was found in `body`, "" if nothing was.

        Raises Unreachable if the scanner gives no answer in time, or one that is neither: never taken for well.
        """
        try:
            with self._connected(deadline) as connection:
                connection.sendall(b"zINSTREAM\0")
                while piece := body.read(PIECE):
                    connection.settimeout(max(deadline.left(), 0.001))
                    connection.sendall(struct.pack("!L", len(piece)) + piece)
                connection.sendall(struct.pack("!L", 0))
                answer = self._answer(connection, deadline)
        except OSError as trouble:
            raise Unreachable(f"the scanner gives no answer ({type(trouble).__name__}); nothing was sent") from None
        told = answer.rstrip(b"\0\n").decode("ascii", errors="replace").strip()
        if told == "stream: OK":
            return ""
        found = re.fullmatch(r"stream: (\S+) FOUND", told)
        if found is not None:
            return found[1] if _NAME.fullmatch(found[1]) else "unnamed"
        if "size limit exceeded" in told:
            raise Misconfigured(
                "the scanner takes no document of this size: raise its StreamMaxLength, or lower most_megabytes"
            )
        raise Unreachable("the scanner answers neither that it is well nor what it found; nothing was sent")

    def alive(self, deadline: Deadline) -> bool:
        """Ask whether the scanner is there."""
        try:
            with self._connected(deadline) as connection:
                connection.sendall(b"zPING\0")
                return self._answer(connection, deadline).startswith(b"PONG")
        except OSError:
            return False

    def _connected(self, deadline: Deadline) -> socket.socket:
        seconds = max(deadline.left(), 0.001)
        if not self._path:
            return socket.create_connection(self._host, timeout=seconds)
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        made.settimeout(seconds)
        try:
            made.connect(self._path)
        except OSError:
            made.close()
            raise
        return made

    def _answer(self, connection: socket.socket, deadline: Deadline) -> bytes:
        pieces = b""
        while len(pieces) < _LONGEST_ANSWER and not pieces.endswith((b"\0", b"\n")):
            connection.settimeout(max(deadline.left(), 0.001))
            piece = connection.recv(_LONGEST_ANSWER)
            if not piece:
                break
            pieces += piece
        return pieces
