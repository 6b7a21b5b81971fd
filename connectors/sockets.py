"""Connections that keep a deadline and know whether anything was sent.

urllib3 sets one time-out for each wait on the socket; here every wait gets what is left of the whole call, from
the name look-up to the last byte of the body. The call in progress is found through a context variable, because
requests and urllib3 hand nothing through. Whether a request left the machine is noted where the bytes are written:
that decides between "safe to send again" and "not sure", so it must not be guessed from exceptions.
"""

from __future__ import annotations

import io
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from http.client import HTTPConnection as OneLine
from http.client import HTTPResponse, IncompleteRead
from typing import Any

import requests.adapters
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util import Url
from urllib3.util.retry import Retry

from connectors.deadline import Deadline
from connectors.reach import OutOfReach, addresses

# A quiet connection is opened anew after this: many web servers hang up after 5 seconds, and a request that meets
# the hang-up half-way would be "not sure" for no reason.
IDLE_SECONDS = 4.0
SMALL = 65_536  # bytes of a body that are put behind the headers rather than sent by themselves
# A wait may last so much longer than the call: setting a socket's time-out costs as much as waiting, so that the calls
# of one connection, which all have the same time, share it.
AGAIN_SECONDS = 0.05


@dataclass(slots=True)
class Call:
    """One request on its way: how long it may take, whether it was sent, and why it could not be."""

    deadline: Deadline
    private: bool = False  # it may lead into a private network
    sent: bool = False
    trouble: str = ""
    came: io.BytesIO = field(default_factory=io.BytesIO, repr=False)  # what has come of the answer's body so far


current_call: ContextVar[Call | None] = ContextVar("current_call", default=None)


def _call() -> Call:
    call = current_call.get()
    if call is None:
        raise RuntimeError("a connection of connectors.http was used outside HttpSession.send")
    return call


class _Reader(io.RawIOBase):
    """The reading end of a DeadlineSocket."""

    def __init__(self, owner: DeadlineSocket) -> None:
        super().__init__()
        self._owner = owner

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._owner.recv_into(buffer)

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._owner.reader_closed()


class DeadlineSocket:
    """A socket of which every wait is bounded by the call's deadline. Everything else is the socket itself."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.ended = False  # the other side has said its last word
        self._readers = 0
        self._closing = False
        self._timeout: float | None = None  # as it was set last

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def sendall(self, data: Any) -> None:
        self._bound()
        self._sock.sendall(data)

    def recv_into(self, buffer: Any) -> int:
        self._bound()
        got = self._sock.recv_into(buffer)
        self.ended = self.ended or not got
        return got

    def settimeout(self, seconds: float | None) -> None:
        """Set the longest wait, for those who set it themselves."""
        self._sock.settimeout(seconds)
        self._timeout = seconds

    def _bound(self) -> None:
        """Let the next wait take what is left of the call, and no more than AGAIN_SECONDS beyond it."""
        left = _call().deadline.left_or_raise()
        if self._timeout is None or not left <= self._timeout <= left + AGAIN_SECONDS:
            self.settimeout(left + AGAIN_SECONDS / 2)

    def makefile(self, *_args: Any, **_kwargs: Any) -> io.BufferedReader:
        self._readers += 1
        return io.BufferedReader(_Reader(self))

    def reader_closed(self) -> None:
        self._readers -= 1
        if self._closing and not self._readers:
            self._sock.close()

    def close(self) -> None:
        """Close once the reply that is still being read is closed too, as a real socket does."""
        self._closing = True
        if not self._readers:
            self._sock.close()


def _connected(host: str, port: int, deadline: Deadline, options: Any, *, private: bool) -> socket.socket:
    """Try each address of a host in turn, sharing out the time that is left. What is tried is what was judged."""
    trouble: OSError = OSError("the name has no address")
    found = addresses(host, port, deadline, private=private)
    for tried, (family, kind, protocol, _, address) in enumerate(found):
        sock = socket.socket(family, kind, protocol)
        try:
            for option in options or ():
                sock.setsockopt(*option)
            sock.settimeout(deadline.left_or_raise() / (len(found) - tried))
            sock.connect(address)
        except OSError as problem:
            sock.close()
            trouble = problem
        else:
            return sock
    raise trouble


def _words(problem: BaseException) -> str:
    """Say in a few words why connecting failed, without the text of the library."""
    if isinstance(problem, OutOfReach):
        return str(problem)
    if isinstance(problem, socket.gaierror):
        return "its name is not known (DNS)"
    if isinstance(problem, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted ({problem.verify_message})"
    if isinstance(problem, ssl.SSLError):
        return f"no secure connection ({(problem.reason or 'TLS').replace('_', ' ').lower()})"
    if isinstance(problem, TimeoutError):
        return "it does not answer to connecting"
    if isinstance(problem, ConnectionRefusedError):
        return "it refuses connections"
    return "no connection"


class _Deadlines:
    """What both kinds of connection do differently from urllib3's."""

    sock: Any
    _used = 0.0
    _held: bytes | None = None
    _answer: HTTPResponse | None = None

    def _new_conn(self) -> socket.socket:
        call = _call()
        return _connected(self._dns_host, self.port, call.deadline, self.socket_options, private=call.private)  # type: ignore[attr-defined]  # urllib3 sets it

    def connect(self) -> None:
        call = _call()
        before = call.sent  # talking to a proxy while connecting is not sending the request
        try:
            super().connect()  # type: ignore[misc]
        except Exception as problem:
            call.trouble = _words(problem)
            raise
        finally:
            call.sent = before
        self.sock = DeadlineSocket(self.sock)
        self._used = time.monotonic()

    def request(self, method: str, url: str, body: Any = None, *args: Any, **kwargs: Any) -> None:
        """Send a request. A small body goes out together with the headers, in one piece and not in two."""
        self._held = b"" if isinstance(body, bytes) and 0 < len(body) <= SMALL else None
        super().request(method, url, body, *args, **kwargs)  # type: ignore[misc]

    putheader = OneLine.putheader  # urllib3's looks in each value for a mark that only its own callers set

    def ask(self, method: str, target: str, body: Any, headers: Mapping[str, str]) -> HTTPResponse:
        """Send a request and read status and headers of its answer, with the standard library's client alone.

        What urllib3 does above it - redirects, histories, tries, packing - is not wanted here, and costs as much again.
        """
        self._held = b"" if isinstance(body, bytes) and 0 < len(body) <= SMALL else None
        # Both are called on the connection that they are a base of; in the hints this class has no base.
        OneLine.request(self, method, target, body, headers)  # type: ignore[arg-type]
        sock = self.sock
        self._answer = answer = OneLine.getresponse(self)  # type: ignore[arg-type]
        self._refuse_half(sock, answer)
        return answer

    @property
    def is_at_rest(self) -> bool:
        """Whether the answer to what was asked last has been read to its end."""
        return self._answer is not None and self._answer.isclosed()

    def send(self, data: Any) -> None:
        if self._held is not None:
            if not self._held:
                self._held = data  # the headers; the body follows at once
                return
            data, self._held = self._held + data, None
        if self.sock is None:
            self.connect()
        self._used = time.monotonic()
        _call().sent = True
        super().send(data)  # type: ignore[misc]

    def getresponse(self) -> Any:
        """Read status and headers."""
        sock = self.sock
        response = super().getresponse()  # type: ignore[misc]
        self._refuse_half(sock, response)
        return response

    def _refuse_half(self, sock: Any, response: Any) -> None:
        """http.client takes headers that break off for whole ones: a length would be missing from them, and half a
        body would pass for all of it."""
        if sock.ended:
            response.close()
            raise IncompleteRead(b"")

    @property
    def is_connected(self) -> bool:
        """Say no for a connection that was quiet for long, so that the pool opens a new one."""
        if time.monotonic() - self._used > IDLE_SECONDS:
            return False
        return bool(super().is_connected)  # type: ignore[misc]


class _Plain(_Deadlines, HTTPConnection):
    pass


class _Secure(_Deadlines, HTTPSConnection):
    pass


Line = _Plain | _Secure


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


@contextmanager
def borrowed(pool: HTTPConnectionPool) -> Iterator[Line]:
    """Have one connection of a pool for one call. It goes back if its answer was read to the end, and is hung up on
    otherwise: what still lies in it would be the next call's answer."""
    line: Line = pool._get_conn()  # type: ignore[assignment]  # of our class: `lines_to` made the pool so
    whole = False
    try:
        yield line
        whole = line.is_at_rest
    finally:
        if not whole:
            line.close()
        pool._put_conn(line)


_POOLS = {"http": _PlainPool, "https": _SecurePool}


class DeadlineAdapter(requests.adapters.HTTPAdapter):
    """The adapter that puts our connections under a requests.Session. Never tries again by itself."""

    def __init__(self, context: ssl.SSLContext, *, places: int) -> None:
        self._context = context
        super().__init__(pool_connections=4, pool_maxsize=places, max_retries=Retry(0, read=False))

    def lines_to(self, url: Url) -> HTTPConnectionPool:
        """The open connections to a host, without a proxy between: `get` one, ask, and `put` it back."""
        pool: HTTPConnectionPool = self.poolmanager.connection_from_host(url.host, url.port, url.scheme)
        return pool

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:
        super().init_poolmanager(connections, maxsize, block, ssl_context=self._context, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> urllib3.ProxyManager:
        found = super().proxy_manager_for(proxy, ssl_context=self._context, proxy_ssl_context=self._context, **kwargs)
        found.pool_classes_by_scheme = _POOLS
        return found  # type: ignore[no-any-return]

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:  # noqa: ARG002 - requests' signature
        """Leave the authorities to our own context; requests would add the public ones to a council's own."""
        if url.lower().startswith("https"):
            conn.cert_reqs = "CERT_REQUIRED"
