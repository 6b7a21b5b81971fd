"""The lines between Dolen and everything else: they carry bytes whole and in order, until they are made to fail."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from console.bench.lines import Lines


@pytest.fixture
def echo() -> Iterator[int]:
    """A place that says back what it is told."""
    server = socket.create_server(("127.0.0.1", 0))
    lines: list[socket.socket] = []

    def listen() -> None:
        while True:
            try:
                line, _ = server.accept()
            except OSError:
                return
            lines.append(line)
            threading.Thread(target=answer, args=[line], daemon=True).start()

    def answer(line: socket.socket) -> None:
        try:
            while data := line.recv(65_536):
                line.sendall(data)
        except OSError:
            return

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    yield server.getsockname()[1]
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    for line in lines:
        line.close()
    thread.join(5)


@pytest.fixture
def way(echo: int) -> Iterator[tuple[Lines, int]]:
    with Lines() as lines:
        yield lines, lines.lay("there", "127.0.0.1", echo)


def call(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=5)


def read(line: socket.socket, size: int) -> bytes:
    got = b""
    while len(got) < size:
        more = line.recv(size - len(got))
        if not more:
            break
        got += more
    return got


def test_bytes_come_through_whole_and_in_order_even_when_slowed(way: tuple[Lines, int]) -> None:
    lines, port = way
    sent = bytes(range(256)) * 400
    with call(port) as line:
        for slow in (0.0, 0.2, 0.0):
            lines.slow("there", slow)
            began = time.monotonic()
            for at in range(0, len(sent), 1_000):
                line.sendall(sent[at : at + 1_000])
            assert read(line, len(sent)) == sent
            assert time.monotonic() - began >= slow
    assert lines.last_opened() > 0


def test_a_line_that_is_cut_is_dead_and_the_next_call_gets_through(way: tuple[Lines, int]) -> None:
    lines, port = way
    with call(port) as line:
        line.sendall(b"before")
        assert read(line, 6) == b"before"
        lines.cut("there")
        with pytest.raises(OSError):
            line.sendall(b"after")
            if not line.recv(10):
                raise ConnectionResetError
    with call(port) as line:
        line.sendall(b"again")
        assert read(line, 5) == b"again"


def test_a_black_hole_takes_every_byte_and_gives_none_and_counts_what_it_took(way: tuple[Lines, int]) -> None:
    lines, port = way
    lines.swallow("there", True)
    with call(port) as line:
        line.settimeout(0.3)
        line.sendall(b"hello")
        with pytest.raises(TimeoutError):
            line.recv(10)
    lines.swallow("there", False)
    assert lines.swallowed("there") == 1
    assert lines.swallowed("there") == 0
    with call(port) as line:
        line.sendall(b"again")
        assert read(line, 5) == b"again"
