"""The one door for HTTP: where it goes, how long it waits, how much it reads, and whether anything was sent."""

from __future__ import annotations

import gzip
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from connectors import errors, sockets
from connectors.http import ReplyTooLarge, origin, retry_after

Talk = Callable[[socket.socket], None]


def test_a_plain_exchange(small: Any, answer: Any, session: Any) -> None:
    server = small(lambda call: answer(201, call.body[::-1], {"X-Two": "b", "Set-Cookie": "who=me"}))
    door = session(server.url)
    for _ in range(2):
        reply = door.send("POST", f"{server.url}/a", headers={"X-One": "a"}, params={"q": "ŵ&"}, body=b"abc")
        assert (reply.status, reply.body, reply.headers["x-two"]) == (201, b"cba", "b")
        assert "cba" not in repr(reply)
    first, second = server.calls
    assert (first.method, first.path) == ("POST", "/a?q=%C5%B5%26")
    assert first.headers["x-one"] == "a"
    assert "cookie" not in second.headers, "one thread's cookie is not another's"


SILENT_SECONDS = 3.0  # of a peer that says nothing: whoever keeps no deadline takes longer, on a busy machine too
PATHS = ["", "/", "/a", "/a/b-1?x=1&y=", "/a?", "/a/../b", "/a/./b", "/a/..b", "//b/c", "/a//b", "/%2e%2e/b", "/a\\b"]
PATHS += ["/a#b", "/a?b#c", "/a b", "/~a_b.c", "?a=1", "@b/", "1/a", "/ŵ", "/a;b", "/a?b=/../c"]


@pytest.mark.parametrize("url", ["https://one.example.org", "http://127.0.0.1:8080", "https://one.example.org/base"])
def test_an_address_that_is_read_quickly_is_read_as_any_other(session: Any, url: str) -> None:
    """Broken by letting dots through: urllib3 would have called /b, and we /a/../b."""
    door = session(url)
    for path in PATHS:
        try:
            slowly = parse_url(url + path)
        except LocationParseError:
            with pytest.raises(errors.Misconfigured):
                door._address(url + path)
        else:
            assert door._address(url + path) == slowly


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("measured", [False, True])
def test_calls_share_a_connection_whatever_shape_the_answers_have(
    raw: Any, session: Any, packed: bool, measured: bool
) -> None:
    """Broken by hanging up behind each answer: as many connections as calls."""
    body = gzip.compress(b"abc") if packed else b"abc"
    shape = b"Content-Length: %d\r\n\r\n%s" if measured else b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"
    head = b"HTTP/1.1 200 OK\r\n" + (b"Content-Encoding: gzip\r\n" if packed else b"")
    connections: list[int] = []

    def talk(connection: socket.socket) -> None:
        connections.append(1)
        while connection.recv(65_536):
            connection.sendall(head + shape % (len(body), body))

    door = session(f"http://127.0.0.1:{raw(talk)}")
    for _ in range(3):
        assert door.send("GET", door._root + "/a").body == b"abc"
    assert len(connections) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(small: Any, answer: Any, session: Any, status: int) -> None:
    canary = small(lambda _: answer())
    server = small(lambda _: answer(status, b"", {"Location": f"{canary.url}/stolen"}))
    with pytest.raises((errors.Unknown, errors.Misconfigured), match="redirect"):
        session(server.url).send("POST", server.url, headers={"X-Api-Key": "k"}, body=b"a person")
    assert canary.calls == []


ELSEWHERE = [
    "http://{other}/",
    "//{other}/",
    "http://user@{other}/",
    "http://{own}@{other}/",
    "http://{other}\\@{own}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f.1:{port}/",
    "https://{own}/",
    "file:///etc/hostname",
    "ftp://{own}/",
    "gopher://{own}/",
    "http://127.0.0.1/",
]


@pytest.mark.parametrize("url", ELSEWHERE)
def test_only_the_connections_own_address_is_called(small: Any, answer: Any, session: Any, url: str) -> None:
    canary, server = small(lambda _: answer()), small(lambda _: answer())
    own, other = server.url.removeprefix("http://"), canary.url.removeprefix("http://")
    place = url.format(own=own, other=other, port=own.partition(":")[2])
    with pytest.raises((errors.Misconfigured, errors.Unreachable)):
        session(server.url).send("GET", place)
    assert canary.calls == []
    assert server.calls == []


def test_how_an_address_is_read() -> None:
    assert origin("HTTPS://Example.ORG/a?b") == "https://example.org:443"
    assert origin("http://example.org:8080") == "http://example.org:8080"


def test_nothing_is_taken_from_the_environment(
    small: Any, answer: Any, session: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    canary, server = small(lambda _: answer()), small(lambda _: answer())
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n", encoding="utf-8")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, canary.url)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    session(server.url).send("GET", server.url)
    assert canary.calls == []
    assert "authorization" not in server.calls[0].headers


def test_a_proxy_of_the_settings_is_used(small: Any, answer: Any, session: Any) -> None:
    proxy = small(lambda _: answer(200, b"by proxy"))
    door = session("http://localhost:9/x", proxy=proxy.url)
    assert door.send("GET", "http://localhost:9/x").body == b"by proxy"
    assert proxy.calls[0].path == "http://localhost:9/x"


def test_a_tunnel_that_is_refused_means_that_nothing_was_sent(raw: Any, session: Any) -> None:
    def refuse(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    door = session("https://casework.example.org/", proxy=f"http://127.0.0.1:{raw(refuse)}")
    with pytest.raises(errors.Unreachable, match="nothing was sent"):
        door.send("POST", "https://casework.example.org/", body=b"a person")


def test_not_sent_is_known_from_the_socket(session: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(errors.Unreachable, match="it refuses connections; nothing was sent"):
        session(f"http://127.0.0.1:{port}").send("POST", f"http://127.0.0.1:{port}", body=b"x")
    with pytest.raises(errors.Unreachable, match=r"its name is not known \(DNS\)"):
        session("https://casework.invalid/").send("POST", "https://casework.invalid/", body=b"x")


def test_a_connection_that_is_never_taken_is_unreachable_in_time(session: Any) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        host, port = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]  # the queue is full: the next one gets no answer
        for one in waiting:
            one.setblocking(False)
            one.connect_ex((host, port))
        started = time.monotonic()
        with pytest.raises(errors.Unreachable, match="does not answer to connecting"):
            session(f"http://127.0.0.1:{port}", timeout_seconds=0.5).send("POST", f"http://127.0.0.1:{port}", body=b"x")
        assert time.monotonic() - started < SILENT_SECONDS
        for one in waiting:
            one.close()


def test_a_name_look_up_that_hangs_is_given_up(session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets.socket, "getaddrinfo", lambda *_, **__: time.sleep(SILENT_SECONDS))
    started = time.monotonic()
    with pytest.raises(errors.Unreachable, match="nothing was sent"):
        session("https://slow.example.org", timeout_seconds=0.3).send("GET", "https://slow.example.org")
    assert time.monotonic() - started < SILENT_SECONDS


SILENT = b""
VICES: list[tuple[str, bytes, float]] = [
    ("never answers", SILENT, 0),
    ("drips its first line", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", 0.1),
    ("drips its headers", b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 50, 0.05),
    ("drips an endless body", b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1000, 0.02),
]


@pytest.mark.parametrize(("name", "says", "pause"), VICES, ids=[row[0] for row in VICES])
def test_the_deadline_holds_for_a_server_that(raw: Any, session: Any, name: str, says: bytes, pause: float) -> None:
    def drip(connection: socket.socket) -> None:
        connection.recv(1000)
        for place in range(len(says)):
            connection.sendall(says[place : place + 1])
            time.sleep(pause)
        time.sleep(SILENT_SECONDS)

    url = f"http://127.0.0.1:{raw(drip)}"
    started = time.monotonic()
    with pytest.raises(errors.Unknown, match=r"no complete answer within 0\.5 seconds"):
        session(url, timeout_seconds=0.5).send("POST", url, body=b"x")
    assert time.monotonic() - started < SILENT_SECONDS


def test_a_server_that_does_not_take_the_message(raw: Any, session: Any) -> None:
    url = f"http://127.0.0.1:{raw(lambda connection: time.sleep(SILENT_SECONDS))}"
    started = time.monotonic()
    with pytest.raises(errors.Unknown):
        session(url, timeout_seconds=0.5).send("POST", url, body=b"x" * 50_000_000)
    assert time.monotonic() - started < SILENT_SECONDS


BROKEN = [
    b"",
    b"no HTTP at all\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
    b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
    b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
    b"HTTP/1.1 999999 OK\r\n\r\n",
]


@pytest.mark.parametrize("says", BROKEN, ids=range(len(BROKEN)))
def test_half_an_answer_is_none(raw: Any, session: Any, says: bytes) -> None:
    def talk(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(says)

    url = f"http://127.0.0.1:{raw(talk)}"
    with pytest.raises(errors.Unknown) as caught:
        session(url).send("POST", f"{url}/x?token=canary", body=b"x")
    shown = f"{caught.value} {caught.value!r} {caught.value.__cause__!r} {caught.value.__cause__.__cause__!r}"
    assert "canary" not in shown


def test_a_quiet_connection_is_not_used_again(raw: Any, session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    connections: list[int] = []

    def talk(connection: socket.socket) -> None:
        connections.append(1)
        while connection.recv(1000):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    url = f"http://127.0.0.1:{raw(talk)}"
    door = session(url)
    door.send("GET", url)
    door.send("GET", url)
    assert len(connections) == 1, "a busy connection is kept"
    monkeypatch.setattr(sockets, "IDLE_SECONDS", 0.0)
    door.send("GET", url)
    assert len(connections) == 2


@pytest.mark.parametrize("size", [0, 9_999, 10_000, 10_001, 5_000_000])
@pytest.mark.parametrize("packed", [False, True])
def test_a_reply_is_read_up_to_its_cap(small: Any, answer: Any, session: Any, size: int, packed: bool) -> None:
    plain = b"x" * size
    headers = {"Content-Encoding": "gzip"} if packed else {}
    server = small(lambda _: answer(200, gzip.compress(plain) if packed else plain, headers))
    door = session(server.url, max_reply_bytes=10_000)
    if size <= 10_000:
        assert door.send("GET", server.url).body == plain
    else:
        with pytest.raises(ReplyTooLarge, match="max_reply_bytes"):
            door.send("GET", server.url)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-3"}, None),
        ({"Retry-After": "Mon, 23 Nov 2026 10:00:30 GMT", "Date": "Mon, 23 Nov 2026 10:00:00 GMT"}, 30.0),
        ({"Retry-After": "Mon, 23 Nov 2026 09:00:00 GMT", "Date": "Mon, 23 Nov 2026 10:00:00 GMT"}, 0.0),
    ],
)
def test_retry_after(small: Any, answer: Any, session: Any, headers: dict[str, str], seconds: float | None) -> None:
    server = small(lambda _: answer(429, b"", headers))
    reply = session(server.url).send("GET", server.url)
    if "Date" in headers:
        # The small server adds a Date of its own before ours.
        reply.headers["Date"] = headers["Date"]
    assert retry_after(reply) == seconds
