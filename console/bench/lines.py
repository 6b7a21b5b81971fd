"""Lines: a small TCP proxy that stands between Dolen and everything else, so that connections can be made to fail.

Each line has a port of its own and leads to one place. It can be cut, slowed, or made a black hole that takes every
byte and gives none back. It runs on a thread of its own, as the bench goes about its work.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable


class _Line:
    """One way from a port of ours to a place."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.delay = 0.0
        self.swallows = False
        self.swallowed = 0  # what callers said into the hole
        self.ends: set[_End] = set()
        self.opened = 0.0  # when a connection was last made, by the monotonic clock


class _End(asyncio.Protocol):
    """One end of one connection; what comes in here goes out at the other."""

    def __init__(self, line: _Line, other: _End | None = None) -> None:
        self._line, self._other = line, other
        self._calling = other is None  # the end of whoever called, not of where the line leads
        self._early = bytearray()  # what the caller said before we had got through
        self._free_at = 0.0
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._line.ends.add(self)
        if self._other is not None:  # we have got through
            self._other.meet(self)
            return
        self._line.opened = time.monotonic()
        asyncio.get_running_loop().create_task(self._reach())

    async def _reach(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: _End(self._line, self), self._line.host, self._line.port)
        except OSError:
            self.cut()

    def meet(self, other: _End) -> None:
        """The other end is there: pass on what was said meanwhile."""
        self._other = other
        if self.transport is None or self.transport.is_closing():
            other.cut()
            return
        early, self._early = bytes(self._early), bytearray()
        if early:
            self._pass_on(early)

    def data_received(self, data: bytes) -> None:
        if self._line.swallows:
            self._line.swallowed += self._calling
            return
        if self._other is None:
            self._early += data
            return
        self._pass_on(data)

    def _pass_on(self, data: bytes) -> None:
        assert self._other is not None
        loop = asyncio.get_running_loop()
        now = loop.time()
        at = max(now + self._line.delay, self._free_at)
        if at <= now:
            self._other.say(data)
            return
        self._free_at = at + 1e-6  # timers of one moment come in any order; bytes must not
        loop.call_at(at, self._other.say, data)

    def say(self, data: bytes) -> None:
        """Put bytes out here."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def connection_lost(self, _exc: Exception | None) -> None:
        self._line.ends.discard(self)
        if self._other is not None and self._other.transport is not None:
            self._other.transport.close()

    def cut(self) -> None:
        """Break the connection off, as a reset."""
        if self.transport is not None:
            self.transport.abort()


class Lines:
    """All lines of one bench. Use it as a context; every method may be called from any thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="lines", daemon=True)
        self._lines: dict[str, _Line] = {}
        self._servers: list[asyncio.Server] = []

    def __enter__(self) -> Lines:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    @property
    def names(self) -> list[str]:
        """Every line, in the order in which they were laid."""
        return list(self._lines)

    def lay(self, name: str, host: str, port: int) -> int:
        """Lay a line; returns the port of ours that leads there."""
        line = self._lines[name] = _Line(host, port)

        async def listen() -> int:
            server = await self._loop.create_server(lambda: _End(line), "127.0.0.1", 0, backlog=256)
            self._servers.append(server)
            return int(server.sockets[0].getsockname()[1])

        return asyncio.run_coroutine_threadsafe(listen(), self._loop).result(30)

    def cut(self, name: str) -> None:
        """Break off every connection of a line; the next may be made at once."""
        line = self._lines[name]

        def cut_all() -> None:
            for end in list(line.ends):
                end.cut()

        self._on_loop(cut_all)

    def swallow(self, name: str, on: bool) -> None:
        """Make a line a black hole, or a line again; what had begun before is lost, so it is broken off."""
        line = self._lines[name]
        line.swallows = on
        if not on:
            self.cut(name)

    def swallowed(self, name: str) -> int:
        """How often callers spoke into the black hole since this was last asked."""
        line = self._lines[name]
        number, line.swallowed = line.swallowed, 0
        return number

    def slow(self, name: str, seconds: float) -> None:
        """Let every byte of a line come so much later; 0 is at once."""
        self._lines[name].delay = seconds

    def last_opened(self) -> float:
        """When a connection was last made on any line, by the monotonic clock; 0 if never."""
        return max((line.opened for line in self._lines.values()), default=0.0)

    def _on_loop(self, do: Callable[[], None]) -> None:
        done = threading.Event()

        def task() -> None:
            do()
            done.set()

        self._loop.call_soon_threadsafe(task)
        done.wait(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        for server in self._servers:
            server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        for line in self._lines.values():
            for end in list(line.ends):
                end.cut()
        self._loop.run_until_complete(asyncio.sleep(0.01))  # sockets are let go of in the turn after
        self._loop.close()
