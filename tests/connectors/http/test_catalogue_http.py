"""Rows 17, 23 and 24 of docs/catalogue.md at the door for HTTP: nothing is sent twice, read for ever or kept waiting.

The servers here are bare sockets, so that each can do exactly what a web server never would on purpose.
"""

from __future__ import annotations

import gzip
import socket
import struct
import threading
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from connectors.errors import Unknown
from connectors.http import PIECE, ReplyTooLarge

WRITES = ("POST", "PUT", "PATCH", "DELETE")
WELL = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def request_of(connection: socket.socket) -> bytes:
    """Read one request whole; nothing if the caller has hung up."""
    got = b""
    while b"\r\n\r\n" not in got:
        piece = connection.recv(65_536)
        if not piece:
            return b""
        got += piece
    head, _, body = got.partition(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if b"content-length" in line), 0)
    while len(body) < length:
        body += connection.recv(65_536)
    return head


def reset(connection: socket.socket) -> None:
    """Hang up rudely."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def says(words: bytes) -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(words)


# What a server may do once it has the whole request, and perhaps has done what it asks.
RUDE: dict[str, Callable[[socket.socket], None]] = {
    "hangs up": lambda _: None,
    "resets": reset,
    "half a status line": says(b"HTTP/1.1 2"),
    "half a header": says(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "goes on and hangs up": says(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "half a body": says(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"),
    "half a chunk": says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{"),
    "no HTTP": says(b"\x15\x03\x03\x00\x02\x02\x28"),
}


@pytest.mark.parametrize("method", WRITES)
@pytest.mark.parametrize("how", RUDE)
def test_row_17_a_write_without_an_answer_is_sent_once(raw: Any, session: Any, method: str, how: str) -> None:
    seen: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        seen.append(request_of(connection))
        RUDE[how](connection)

    url = f"http://127.0.0.1:{raw(talk)}"
    with pytest.raises(Unknown):  # and never Unreachable, which would mean that it may be sent again
        session(url).send(method, url + "/x", body=b"{}")
    assert len(seen) == 1


@pytest.mark.parametrize("status", [408, 413, 425, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("method", WRITES)
def test_row_17_a_write_that_is_put_off_is_not_sent_again_by_the_library(
    small: Any, answer: Any, session: Any, method: str, status: int
) -> None:
    server = small(lambda _: answer(status, b"{}", {"Retry-After": "0"}))
    assert session(server.url).send(method, server.url + "/x", body=b"{}").status == status
    assert len(server.calls) == 1


@pytest.mark.parametrize("method", WRITES)
def test_row_17_a_connection_that_dies_under_the_second_write_does_not_send_it_twice(
    raw: Any, session: Any, method: str
) -> None:
    seen: list[bytes] = []
    connections: list[int] = []

    def talk(connection: socket.socket) -> None:
        connections.append(1)
        seen.append(request_of(connection))
        connection.sendall(WELL)
        seen.append(request_of(connection))  # and hangs up without a word

    url = f"http://127.0.0.1:{raw(talk)}"
    door = session(url)
    assert door.send(method, url, body=b"{}").status == 200
    with pytest.raises(Unknown):
        door.send(method, url, body=b"{}")
    time.sleep(0.1)
    assert (len(seen), len(connections)) == (2, 1), "it was sent again on another connection"


def test_row_17_a_server_that_hung_up_while_nobody_spoke_costs_nothing(raw: Any, session: Any) -> None:
    closed = threading.Event()

    def talk(connection: socket.socket) -> None:
        if request_of(connection):
            connection.sendall(WELL)
        connection.shutdown(socket.SHUT_RDWR)
        closed.set()

    url = f"http://127.0.0.1:{raw(talk)}"
    door = session(url)
    for _ in range(5):  # seen before anything is sent, so that nothing is in doubt
        assert door.send("POST", url, body=b"{}").status == 200
        assert closed.wait(2)
        closed.clear()
        time.sleep(0.02)


CAP = 1_000_000


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("size", [0, CAP - 1, CAP, CAP + 1])
def test_row_23_the_cap_is_exact(small: Any, answer: Any, session: Any, size: int, packed: bool) -> None:
    body = b"x" * size
    headers = {"Content-Type": "text/plain", **({"Content-Encoding": "gzip"} if packed else {})}
    server = small(lambda _: answer(200, gzip.compress(body) if packed else body, headers))
    door = session(server.url, max_reply_bytes=CAP, timeout_seconds=20)
    if size <= CAP:
        assert door.send("GET", server.url).body == body
    else:
        with pytest.raises(ReplyTooLarge):
            door.send("GET", server.url)


@pytest.mark.parametrize("layers", [1, 2])
def test_row_23_a_bomb_of_gzip_costs_no_more_memory_than_the_cap(
    small: Any, answer: Any, session: Any, layers: int
) -> None:
    bomb = gzip.compress(b" " * 200_000_000)
    if layers == 2:
        bomb = gzip.compress(bomb)
    headers = {"Content-Type": "application/json", "Content-Encoding": ", ".join(["gzip"] * layers)}
    server = small(lambda _: answer(200, bomb, headers))
    door = session(server.url, max_reply_bytes=CAP, timeout_seconds=20)
    tracemalloc.start()
    try:
        with pytest.raises((ReplyTooLarge, Unknown)):
            door.send("GET", server.url)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * CAP + len(bomb) + 8 * PIECE, f"{peak} bytes for a reply that may have {CAP}"


def test_row_23_a_body_without_end_is_left_at_the_cap(raw: Any, session: Any) -> None:
    sent = [0]

    def talk(connection: socket.socket) -> None:
        request_of(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        piece = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
        with suppress(OSError):
            while sent[0] < 200 * CAP:
                connection.sendall(piece)
                sent[0] += 65_536

    url = f"http://127.0.0.1:{raw(talk)}"
    with pytest.raises(ReplyTooLarge):
        session(url, max_reply_bytes=CAP, timeout_seconds=20).send("GET", url)
    assert sent[0] < 20 * CAP, "most of it was never sent, because nobody read it"


# Each of these keeps every single wait short, so that only a deadline for the whole call ends it.
DRIPS: dict[str, tuple[bytes, bytes]] = {
    "the status line": (b"", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"),
    "a header": (b"HTTP/1.1 200 OK\r\nX-A: ", b"a" * 100),
    "headers without end": (b"HTTP/1.1 200 OK\r\n", b"A: b\r\n" * 50),
    "the body": (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", b"x" * 100),
    "small chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 50),
    "a body without length": (b"HTTP/1.0 200 OK\r\n\r\n", b"x" * 100),
    "go on, for ever": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 50),
}


@pytest.mark.parametrize("what", DRIPS)
def test_row_24_what_drips_ends_with_the_calls_own_deadline(raw: Any, session: Any, what: str) -> None:
    at_once, slowly = DRIPS[what]

    def talk(connection: socket.socket) -> None:
        request_of(connection)
        connection.sendall(at_once)
        for place in range(len(slowly)):
            connection.sendall(slowly[place : place + 1])
            time.sleep(0.1)

    url = f"http://127.0.0.1:{raw(talk)}"
    began = time.monotonic()
    with pytest.raises(Unknown, match=r"within 0\.7 seconds"):
        session(url, timeout_seconds=0.7).send("POST", url, body=b"{}")
    assert 0.6 < time.monotonic() - began < 3


def test_row_24_a_server_that_takes_the_message_drop_by_drop_is_given_up(raw: Any, session: Any) -> None:
    def talk(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for _ in range(100):
            if not connection.recv(1000):
                return
            time.sleep(0.1)

    url = f"http://127.0.0.1:{raw(talk)}"
    began = time.monotonic()
    with pytest.raises(Unknown, match=r"within 0\.7 seconds"):
        session(url, timeout_seconds=0.7).send("POST", url, body=b"x" * 20_000_000)
    assert time.monotonic() - began < 3
