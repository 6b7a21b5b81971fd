"""Raw bytes at the listener's socket: whatever comes, it answers in HTTP or hangs up in time, takes nothing in that is
not proved, and answers the next honest push.

The bytes are a signed push that was whole once: cut, doubled, spoilt, its header lines out of order, with words of HTTP
put in. Whatever is left of the signature, only the very body that was signed may be taken in. Bounded; more by
`HYPOTHESIS_PROFILE=long`.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from console.listener.server import Listener
from pipelines import composition
from pipelines.plant import Plant
from pipelines.tables import pushed
from tests.conftest import PROFILE
from tests.rig.pushing import lay_out_pushing, push, signed
from tests.rig.systems import Web

EXAMPLES = 5_000 if PROFILE == "long" else 120
#: The listener lets go of whoever says nothing for a second; the rest is a busy machine's.
SECONDS = 20.0
PLACE = "/push/alder/desk/Case"
BODY = b'{"id": "C-1", "version": 1, "changed_at": "2026-11-30T10:00:00Z", "person": {"last_name": "Ann"}}'
WORDS = (
    b"\r\n", b"\n", b"\r", b"\x00", b" ", b":", b"\r\n\r\n", b"Transfer-Encoding: chunked\r\n",
    b"Content-Length: 0\r\n", b"Content-Length: 99999999999\r\n", b"Content-Length: -1\r\n", b"Host: a\r\n",
    b"Expect: 100-continue\r\n", b"Connection: keep-alive\r\n", b"0\r\n\r\n", b"ffffffff\r\n", b"HTTP/1.0", b"HTTP/2.0",
    b"GET /up HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"Upgrade: websocket\r\n", b"../", b"%2e%2e/",
    b"//", b"?", b"#", b"A" * 40_000, b"webhook-id: other\r\n", b"\x16\x03\x01\x02\x00", b"X" * 300 + b": y\r\n",
    b"\xff\xfe", b"$process-message",
)  # fmt: skip


@pytest.fixture(scope="module")
def listening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Plant, str]]:
    """A plant, and the address of its listener."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    web = Web()
    for name, tier in (("desk", "A"), ("care", "A")):
        web.add("alder", name, tier)
    folder = tmp_path_factory.mktemp("pushing")
    loaded = composition.load(lay_out_pushing(Path(folder), {"alder": "A"}, web.url, port=0, carries="record"))
    plant = composition.build(loaded)
    assert loaded.settings.listener is not None
    listener, stop = Listener(plant, loaded.settings.listener), threading.Event()
    thread = threading.Thread(target=listener.run, args=(stop,))
    thread.start()
    yield plant, listener.address
    stop.set()
    thread.join()
    plant.close()
    web.close()
    structlog.reset_defaults()


def whole(id: str) -> list[bytes]:
    """The lines of a push as it should be, and its body."""
    headers = {"Host": "dolen.example.org", **signed(BODY, id), "Content-Length": str(len(BODY))}
    lines = [f"{name}: {value}\r\n".encode() for name, value in headers.items()]
    return [f"POST {PLACE} HTTP/1.1\r\n".encode(), *lines, b"\r\n", BODY]


@st.composite
def calls(draw: st.DrawFn) -> bytes:
    """Bytes for the socket."""
    if draw(st.integers(0, 5)) == 0:
        return draw(st.binary(max_size=400))
    lines = whole(f"m{draw(st.integers(0, 9))}")
    for _ in range(draw(st.integers(0, 2))):
        one, other = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
        match draw(st.integers(0, 2)):
            case 0:
                lines[one], lines[other] = lines[other], lines[one]
            case 1:
                lines.insert(one, lines[other])
            case _:
                lines[one : one + 1] = [draw(st.sampled_from(WORDS))]
    said = bytearray(b"".join(lines))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(said)))
        match draw(st.integers(0, 3)):
            case 0:
                said[at:at] = draw(st.sampled_from(WORDS))
            case 1:
                del said[at : at + draw(st.integers(1, 60))]
            case 2:
                said[at : at + 1] = draw(st.binary(max_size=3))
            case _:
                said[at:] = b""
    return bytes(said)


def spoken(address: str, said: bytes, *, patience: float) -> bytes:
    """Say it; all that is answered until the listener hangs up. After so many seconds without a word we say that no
    more comes, so that a call that was cut short need not be waited for."""
    host, _, port = address.removeprefix("http://").partition(":")
    heard = bytearray()
    with socket.create_connection((host, int(port)), timeout=patience) as line:
        try:
            line.sendall(said)
            with suppress(TimeoutError):
                while more := line.recv(65_536):
                    heard += more
                return bytes(heard)
            line.settimeout(SECONDS)
            line.shutdown(socket.SHUT_WR)
            while more := line.recv(65_536):
                heard += more
        except (ConnectionResetError, BrokenPipeError):
            pass  # it hung up while we spoke
    return bytes(heard)


def taken(plant: Plant) -> list[Any]:
    with plant.ledger.reading() as connection:
        return [plant.vault.get(connection, "alder", row.raw) for row in connection.execute(select(pushed)).all()]


@pytest.mark.timeout(0 if PROFILE == "long" else 180)
def test_a_whole_one_is_taken(listening: tuple[Plant, str]) -> None:
    plant, address = listening
    assert spoken(address, b"".join(whole("whole")), patience=SECONDS).startswith(b"HTTP/1.1 200 ")
    assert taken(plant) == [BODY]


@pytest.mark.timeout(0 if PROFILE == "long" else 180)
@given(said=calls())
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_bytes_are_answered_or_hung_up_on(listening: tuple[Plant, str], said: bytes) -> None:
    plant, address = listening
    began = time.monotonic()
    heard = spoken(address, said, patience=0.05)
    assert time.monotonic() - began < SECONDS
    if heard:
        status = heard.partition(b"\r\n")[0]
        assert status.startswith(b"HTTP/1.1 "), status
        assert not status.startswith(b"HTTP/1.1 500"), "a fault of ours"
        assert b"Traceback" not in heard and b"Ann" not in heard
    assert set(taken(plant)) <= {BODY}


def test_the_next_honest_push_is_answered(listening: tuple[Plant, str]) -> None:
    _, address = listening
    assert push(address, "alder/desk/Case", BODY, signed(BODY, "after")).status == 200
