"""A server's TLS, in front of a server that has none: real certificates, good and bad, before a real node."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import trustme

#: How a certificate or a handshake can be wrong. Each is served by `context`.
BAD = ("expired", "another name", "another authority", "self-signed", "TLS 1.1")
_ASKS_FOR_TLS = bytes.fromhex("0000000804d2162f")  # PostgreSQL's SSLRequest


def context(authority: trustme.CA, how: str = "good") -> ssl.SSLContext:
    """The TLS of a server on localhost, of which one thing is wrong."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    past = datetime(2020, 1, 1, tzinfo=UTC)
    issued = {
        "expired": lambda: authority.issue_cert("localhost", not_before=past, not_after=past + timedelta(days=1)),
        "another name": lambda: authority.issue_cert("broker.example.org"),
        "another authority": lambda: trustme.CA().issue_cert("localhost"),
    }.get(how, lambda: authority.issue_cert("localhost"))()
    if how == "self-signed":
        own = trustme.CA()
        with own.cert_pem.tempfile() as certificate, own.private_key_pem.tempfile() as key:
            made.load_cert_chain(certificate, key)
    else:
        issued.configure_cert(made)
    if how == "TLS 1.1":
        made.set_ciphers("ALL:@SECLEVEL=0")
        made.minimum_version = ssl.TLSVersion.TLSv1
        made.maximum_version = ssl.TLSVersion.TLSv1_1
    return made


@contextlib.contextmanager
def front(to: int | None, made: ssl.SSLContext, *, postgresql: bool = False) -> Iterator[tuple[int, list[bytes]]]:
    """Speak TLS on a port and pass on to `to` what is said; gives the port and what was said within TLS."""
    listener = socket.create_server(("127.0.0.1", 0))
    heard: list[bytes] = []
    open_ones: list[socket.socket] = []

    def talk(plain: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if postgresql:
                while plain.recv(8, socket.MSG_WAITALL) != _ASKS_FOR_TLS:
                    plain.sendall(b"N")
                plain.sendall(b"S")
            secure = made.wrap_socket(plain, server_side=True)
            open_ones.append(secure)
            if to is None:
                while said := secure.recv(65_536):
                    heard.append(said)
                return
            server = socket.create_connection(("127.0.0.1", to), timeout=10)
            open_ones.append(server)
            threading.Thread(target=pass_on, args=(server, secure), daemon=True).start()
            pass_on(secure, server, heard)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                plain, _ = listener.accept()
                open_ones.append(plain)
                threading.Thread(target=talk, args=(plain,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield int(listener.getsockname()[1]), heard
    finally:
        listener.close()
        for one in open_ones:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


def pass_on(one: socket.socket, other: socket.socket, heard: list[bytes] | None = None) -> None:
    with contextlib.suppress(OSError):
        while said := one.recv(65_536):
            if heard is not None:
                heard.append(said)
            other.sendall(said)
