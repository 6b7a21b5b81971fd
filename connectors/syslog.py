"""The line to a syslog collector: frames counted by their octets, in clear (RFC 6587) or inside TLS (RFC 5425).

Syslog has no answer: a collector never says that it took a line. What TLS adds is an end that both sides sign. So after
its last frame the secure line says goodbye (close_notify), and believes that the frames were read where the collector
says goodbye after it and the connection then ends without a reset: RFC 5425 (4.4) demands both. A peer that left before
we said it, or that only fell silent, has taken nothing for sure, and whoever calls sends again.

What that cannot promise: that a collector which read a line also kept it, and that one which ends by itself in the same
instant had handed on what it had just decrypted. Nothing here knows what the lines are about.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from connectors.errors import Misconfigured, Unknown, Unreachable
from connectors.tls import Ourselves, tls_context

SECONDS = 20.0
#: How long the collector may take to let go of the connection after its goodbye.
_END_SECONDS = 2.0
#: RFC 5424: facility 13 (log audit), severity 5 (notice).
_PRIORITY = 13 * 8 + 5


def frame(text: str) -> bytes:
    """One message of ours with its length before it. The text is one line; what time it tells stands in it."""
    message = f"<{_PRIORITY}>1 - - dolen - audit - {text}".encode()
    return b"%d %s" % (len(message), message)


def send_in_clear(lines: Iterable[str], host: str, port: int) -> int:
    """Send lines over plain TCP; return how many. Nothing says that they were read. Raises OSError."""
    sent = 0
    with socket.create_connection((host, port), timeout=SECONDS) as line:
        for text in lines:
            line.sendall(frame(text))
            sent += 1
    return sent


class SecureCollector:
    """One collector behind TLS: always verified, 1.2 at least. `ca_bundle`: the only authorities to trust, None for
    the usual ones. `certificate` and `key`: our own, for a collector that asks for one."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        ca_bundle: Path | None = None,
        certificate: Path | None = None,
        key: Path | None = None,
    ) -> None:
        """Raises Misconfigured for files that cannot be used."""
        self.host, self.port = host, port
        if (certificate is None) != (key is None):
            raise Misconfigured("our own certificate takes two files: name the certificate and its key")
        ourselves = Ourselves(certificate, key) if certificate is not None and key is not None else None
        try:
            self._context = tls_context(ca_bundle, ourselves)
        except (ssl.SSLError, OSError):
            raise Misconfigured("the CA bundle cannot be read: is it a PEM file of certificates?") from None

    @property
    def place(self) -> str:
        """Its host and port, as a person writes them."""
        return f"{self.host}:{self.port}"

    def take(self, lines: Iterable[str]) -> None:
        """Send lines over a connection of their own, and return when the collector's end has read them all.

        Raises Unreachable where none was sent, and Unknown where nobody knows which were read: send them again.
        """
        with self._connected() as line:
            try:
                for text in lines:
                    line.sendall(frame(text))
            except OSError:
                raise Unknown(f"the connection to the collector at {self.place} was cut") from None
            self._say_goodbye(line)

    def _connected(self) -> ssl.SSLSocket:
        try:
            plain = socket.create_connection((self.host, self.port), timeout=SECONDS)
        except (OSError, ValueError) as fault:
            raise Unreachable(
                f"the collector at {self.place} cannot be reached ({type(fault).__name__}); nothing was sent"
            ) from None
        try:
            return self._context.wrap_socket(plain, server_hostname=self.host)
        except ssl.SSLCertVerificationError:
            plain.close()
            raise Unreachable(
                f"the certificate of the collector at {self.place} is not accepted: name the file of its authority, or "
                "ask its owner for one in this name; nothing was sent"
            ) from None
        except OSError:
            plain.close()
            raise Unreachable(f"the collector at {self.place} makes no TLS with us; nothing was sent") from None

    def _say_goodbye(self, line: ssl.SSLSocket) -> None:
        if self._left_already(line):
            raise Unknown(f"the collector at {self.place} left before it had everything")
        try:
            plain = line.unwrap()  # our close_notify, then theirs
        except ssl.SSLEOFError:
            raise Unknown(
                f"the collector at {self.place} ended without the goodbye that RFC 5425 asks for, so nobody knows what "
                "it read"
            ) from None
        except (OSError, ValueError):
            raise Unknown(f"the connection to the collector at {self.place} was cut at its end") from None
        with plain:
            with suppress(OSError):  # after a reset there is nothing to end: the next line tells it from a good end
                plain.shutdown(socket.SHUT_WR)
            plain.settimeout(_END_SECONDS)
            try:
                while plain.recv(4096):
                    pass
            except TimeoutError:  # it holds on to a connection that is over: no reset, and that is what counts
                return
            except OSError:
                raise Unknown(f"the collector at {self.place} threw away a part of what was sent") from None

    def _left_already(self, line: ssl.SSLSocket) -> bool:
        """Whether the collector's goodbye, or its end, came before ours. A collector says nothing else."""
        line.setblocking(False)
        try:
            line.recv(1)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        except OSError:
            return True
        else:
            return True
        finally:
            line.settimeout(SECONDS)
