"""A syslog collector for tests, over real sockets: TLS (RFC 5425) or plain, good, or bad in one of the ways below.

- `cut`: it resets the connection after some frames. The frames that it had read it keeps: nobody told the sender.
- `no goodbye`: it reads everything and ends without close_notify.
- `leaves at once`: it says goodbye before it has read anything, and goes.
- `leaves at the end`: it says goodbye when everything has come in and nothing was read, and goes.
- `leaves and drains`: it says goodbye before it has read anything, and throws away what still comes, so that nothing is
  reset: only that its goodbye came before ours tells it from a good end.
- `falls silent`: it reads nothing and says nothing until it is closed.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import trustme

LONGEST = 8_192  # octets that RFC 5425 (4.3.1) says a collector should take


@dataclass
class Collector:
    """What it heard, and how it behaves at its next connections; good when nothing is left of that."""

    port: int = 0
    ways: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)  # messages in order, as they were said
    connections: int = 0
    raw: bytes = b""
    cut_after: int = 2
    left: threading.Event = field(default_factory=threading.Event)  # it has said goodbye by itself
    done: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def frames(self, buffer: bytes) -> bytes:
        """Take whole frames out of what came; returns the rest."""
        while b" " in buffer:
            size, _, rest = buffer.partition(b" ")
            assert size.isdigit()
            assert not size.startswith(b"0")
            assert int(size) <= LONGEST
            if len(rest) < int(size):
                break
            self.heard.append(rest[: int(size)].decode())
            buffer = rest[int(size) :]
        return buffer


def secure(authority: trustme.CA, name: str = "localhost", *, asks: bool = False) -> ssl.SSLContext:
    """Its side of TLS. `asks`: for a certificate of that authority."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(made)
    if asks:
        made.verify_mode = ssl.CERT_REQUIRED
        authority.configure_trust(made)
    return made


@contextlib.contextmanager
def collecting(context: ssl.SSLContext | None) -> Iterator[Collector]:
    """Serve one, over TLS or (None) in clear, for as long as the block lasts."""
    told = Collector()
    listener = socket.create_server(("127.0.0.1", 0))
    told.port = int(listener.getsockname()[1])
    over = threading.Event()
    threads: list[threading.Thread] = []

    def talk(plain: socket.socket) -> None:
        way = told.ways.pop(0) if told.ways else ""
        beside = plain.dup()  # to look at what came in and was not read
        try:
            line = plain if context is None else context.wrap_socket(plain, server_side=True)
            with line:
                _behave(line, beside, way, told, over)
        except OSError:
            pass
        finally:
            beside.close()
            told.done.release()

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                plain, _ = listener.accept()
                told.connections += 1
                threads.append(threading.Thread(target=talk, args=(plain,)))
                threads[-1].start()

    serving = threading.Thread(target=serve)
    serving.start()
    try:
        yield told
    finally:
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        serving.join()
        for one in threads:
            one.join()


def _behave(line: socket.socket, beside: socket.socket, way: str, told: Collector, over: threading.Event) -> None:
    if way == "falls silent":
        over.wait(10)
        return
    if way == "leaves and drains":
        _say_goodbye_alone(line)
        told.left.set()
        beside.settimeout(10)
        while beside.recv(65_536):
            pass
        return
    if way in ("leaves at once", "leaves at the end"):
        if way == "leaves at the end":
            _wait_until_nothing_more_comes(beside)
        _say_goodbye_alone(line)
        return
    rest, before = b"", len(told.heard)
    while piece := line.recv(100):
        told.raw += piece
        rest = told.frames(rest + piece)
        if way == "cut" and len(told.heard) - before >= told.cut_after:
            beside.close()
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
    assert rest == b""
    if way != "no goodbye" and isinstance(line, ssl.SSLSocket):
        line.unwrap().close()


def _say_goodbye_alone(line: socket.socket) -> None:
    assert isinstance(line, ssl.SSLSocket)
    line.setblocking(False)
    with contextlib.suppress(OSError):
        line.unwrap()  # says goodbye, and would wait for that of the other


def _wait_until_nothing_more_comes(beside: socket.socket) -> None:
    before = b""
    beside.settimeout(5)
    while True:
        now = beside.recv(1_000_000, socket.MSG_PEEK)
        if now and now == before:
            return
        before = now
        threading.Event().wait(0.1)
