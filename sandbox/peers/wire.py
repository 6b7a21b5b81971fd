"""HTTP/1.1 as the peers speak it: keep-alive, one request at a time a connection, written for throughput.

Only what the benches need: a method, a path, a query, a few headers, a body with a length. What a request means is the
caller's business; this file carries answers out, late, in part or never, as they ask for.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from time import time
from typing import Any
from urllib.parse import parse_qsl, unquote

LONGEST_HEAD = 65_536  # bytes
LONGEST_BODY = 4_000_000


@dataclass(slots=True)
class Call:
    """One request, and whether whoever made it is still there to hear the answer."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    gone: bool = False
    when_gone: Callable[[], None] | None = None

    def json(self) -> Any:
        """The body as JSON. Raises ValueError."""
        return json.loads(self.body)


@dataclass(slots=True)
class Answer:
    """One reply. `after` seconds late; `silent`: never, the line stays open; `cut`: half of it, then a dead line."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    after: float = 0.0
    silent: bool = False
    cut: bool = False


Answering = Callable[[Call], Answer]


def as_json(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Answer:
    """Make an answer of a JSON value."""
    return Answer(status, json.dumps(value, separators=(",", ":")).encode(), headers or {})


class Line(asyncio.Protocol):
    """One connection of a client."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._waiting = bytearray()
        self._busy: Call | None = None
        self._transport: asyncio.Transport | None = None
        self._last = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody called."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, _exc: Exception | None) -> None:
        """They hung up, or were killed."""
        self._transport = None
        if self._busy is not None:
            self._busy.gone = True
            if self._busy.when_gone is not None:
                self._busy.when_gone()

    def data_received(self, data: bytes) -> None:
        """Take in bytes, and answer every request that is whole."""
        self._waiting += data
        if self._busy is None:
            self._next()

    def _next(self) -> None:
        while self._busy is None and self._transport is not None:
            call = self._read()
            if call is None:
                return
            self._busy = call
            answer = self._answering(call)
            if answer.silent:
                return  # the line stays open until they give up
            if answer.after > 0:
                asyncio.get_running_loop().call_later(answer.after, self._late, answer)
                return
            self._say(answer)

    def _late(self, answer: Answer) -> None:
        self._say(answer)
        self._next()

    def _read(self) -> Call | None:
        end = self._waiting.find(b"\r\n\r\n")
        if end < 0:
            if len(self._waiting) > LONGEST_HEAD:
                self._drop()
            return None
        first, *rest = self._waiting[:end].decode("latin-1").split("\r\n")
        headers = {}
        for line in rest:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        try:
            method, target, _ = first.split(" ")
            length = int(headers.get("content-length", "0"))
        except ValueError:
            self._drop()
            return None
        if length > LONGEST_BODY or "transfer-encoding" in headers:
            self._drop()
            return None
        if len(self._waiting) < end + 4 + length:
            return None
        body = bytes(self._waiting[end + 4 : end + 4 + length])
        del self._waiting[: end + 4 + length]
        self._last = headers.get("connection", "").lower() == "close"
        path, _, query = target.partition("?")
        asked = dict(parse_qsl(query, keep_blank_values=True)) if query else {}
        return Call(method, unquote(path) if "%" in path else path, asked, headers, body)

    def _say(self, answer: Answer) -> None:
        self._busy = None
        if self._transport is None:
            return
        lines = [
            f"HTTP/1.1 {answer.status} {_phrase(answer.status)}",
            f"Date: {_date()}",
            f"Content-Length: {len(answer.body)}",
            "Content-Type: application/json",
            *(f"{name}: {value}" for name, value in answer.headers.items()),
        ]
        whole = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + answer.body
        if answer.cut:
            self._transport.write(whole[: len(whole) - max(1, len(answer.body) // 2)])
            self._transport.close()
            return
        self._transport.write(whole)
        if self._last:
            self._transport.close()

    def _drop(self) -> None:
        if self._transport is not None:
            self._transport.abort()


async def serve(answer: Callable[[Call], Answer], port: int, *, backlog: int = 256) -> None:
    """Serve on loopback, say where on standard output, and end when told to or when standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Line(answer), "127.0.0.1", port, backlog=backlog)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_reader(sys.stdin.fileno(), lambda: None if os.read(sys.stdin.fileno(), 4096) else stop.set())
    taken = server.sockets[0].getsockname()[1]
    sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{taken}"}) + "\n")
    sys.stdout.flush()
    await stop.wait()
    server.close()


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


_kept_date: tuple[int, str] = (0, "")


def _date() -> str:
    """The Date header, made once a second: thousands of answers share one."""
    global _kept_date
    now = int(time())
    if _kept_date[0] != now:
        _kept_date = (now, formatdate(now, usegmt=True))
    return _kept_date[1]
