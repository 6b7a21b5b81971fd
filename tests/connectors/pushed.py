"""The half of the one suite for what comes to us unasked: what every caller may do wrong, and what must come of it.

Whatever a call looks like, it is taken once and answered so that its sender knows it, or refused and not kept; and no
answer repeats anybody's words. The listener and the ledger behind it are the real ones.
"""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import func, select

from console.listener.server import Listener
from pipelines import composition
from pipelines.plant import Plant
from pipelines.tables import pushed
from tests.connectors.fault_proxy import BOMB, HTML, LAUGHS, Fault, FaultProxy
from tests.connectors.standing import LATE, WORDS
from tests.found import as_asked
from tests.pipelines.conftest import HandClock

Headers = dict[str, str]
WITHIN_SECONDS = 1.0  # that a call may take to come


@dataclass(frozen=True)
class Said:
    """What a caller was answered; status 0 where it was cut off."""

    status: int
    body: bytes = b""


@dataclass
class Caller:
    """One system that calls us: how it makes a genuine call, and how it is answered."""

    name: str
    path: str
    body: Callable[[int], bytes]  # of its nth record, with a person's name in it
    proven: Callable[[int, bytes], Headers]  # the headers of a genuine call with that body, under the id of the nth
    forged: Callable[[bytes], Mapping[str, Headers]]  # headers that prove nothing, by what is wrong with them
    first: int  # the status of a call that is taken
    again: int  # of one that was taken before
    other: int  # of one with an id that was taken with another body
    secrets: tuple[str, ...]
    exempt: Mapping[str, str] = field(default_factory=dict)  # what goes wrong -> why it is taken all the same
    site: Any = None
    numbers: int = 0

    def next(self) -> int:
        """A number that was never used."""
        self.numbers += 1
        return self.numbers


class Listening:
    """A site that listens. Use it as a context."""

    def __init__(self, site: Path) -> None:
        settings = site / "config/dolen.yaml"
        told = settings.read_text(encoding="utf-8")
        head = told[: told.index("listener:")]
        listener = f"listener: {{port: 0, within: PT{WITHIN_SECONDS:g}S, most_bytes: 200000, at_once: 4}}\n"
        settings.write_text(head + listener, encoding="utf-8")
        self._around = as_asked(site)
        self._around.__enter__()
        loaded = composition.load(site)
        self.plant: Plant = composition.build(loaded, clock=HandClock())
        assert loaded.settings.listener is not None
        listening, self._stop = Listener(self.plant, loaded.settings.listener), threading.Event()
        self.address = listening.address
        self._thread = threading.Thread(target=listening.run, args=(self._stop,))

    def __enter__(self) -> Listening:
        structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self.plant.close()
        self._around.__exit__(None, None, None)
        structlog.reset_defaults()

    @property
    def kept(self) -> int:
        """How many calls are durable."""
        with self.plant.ledger.reading() as connection:
            return int(connection.execute(select(func.count()).select_from(pushed)).scalar_one())


def send(caller: Caller, headers: Headers, body: bytes, *, address: str = "") -> Said:
    """Make one call and read its answer, which repeats nobody's words and no secret."""
    parts = urllib.parse.urlsplit(address or caller.site.address)
    line = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    try:
        line.request("POST", f"/push/{caller.path}", body, headers)
        answer = line.getresponse()
        said, shown = Said(answer.status, answer.read()), f"{answer.headers}"
    except (OSError, http.client.HTTPException):
        return Said(0)
    finally:
        line.close()
    for word in (*WORDS, *caller.secrets):
        assert word not in shown
        assert word.encode() not in said.body, f"{caller.name}: the answer repeats a word"
    return said


def genuine(caller: Caller, *, address: str = "") -> Said:
    """A call as it should be."""
    number = caller.next()
    body = caller.body(number)
    return send(caller, caller.proven(number, body), body, address=address)


def well(caller: Caller, kept: int) -> None:
    """A genuine call is taken, and nothing else was since."""
    assert genuine(caller).status == caller.first, f"{caller.name}: it is not well again"
    assert caller.site.kept == kept + 1


def once(caller: Caller) -> None:
    """The same call again is known again, and the same id with another body is no second record."""
    number, before = caller.next(), caller.site.kept
    body, other = caller.body(number), caller.body(caller.next())
    assert send(caller, caller.proven(number, body), body).status == caller.first
    assert send(caller, caller.proven(number, body), body).status == caller.again
    assert caller.site.kept == before + 1
    assert send(caller, caller.proven(number, other), other).status == caller.other
    assert caller.site.kept == before + 1 + (caller.other == caller.first)


def at_once(caller: Caller) -> None:
    """The same call from several threads at the same moment is one."""
    number, before = caller.next(), caller.site.kept
    body = caller.body(number)
    headers = caller.proven(number, body)
    with ThreadPoolExecutor(6) as pool:
        told = [one.result() for one in [pool.submit(send, caller, headers, body) for _ in range(6)]]
    assert {one.status for one in told} <= {caller.first, caller.again, 503}
    assert caller.site.kept == before + 1


def forged(caller: Caller) -> None:
    """What proves nothing is refused as that, whatever it says, and not kept."""
    before, number = caller.site.kept, caller.next()
    body = caller.body(number)
    for what, headers in caller.forged(body).items():
        said = send(caller, headers, body)
        assert said.status == 401, f"{caller.name}: {what}: {said.status}"
    assert caller.site.kept == before
    well(caller, before)


#: What is wrong with a call that proves itself all the same: its body, and headers that are put over its own.
WRONG: dict[str, Callable[[bytes], tuple[bytes, Headers]]] = {
    "cut short": lambda body: (body[: len(body) // 2], {}),
    "empty": lambda _: (b"", {}),
    "null": lambda _: (b"null", {}),
    "a list": lambda _: (b'["a", 1, null]', {}),
    "twice in one": lambda body: (body + body, {}),
    "a number that is none": lambda body: (body[:-1] + b', "x": NaN}', {}),
    "html": lambda _: (HTML, {"Content-Type": "text/html; charset=utf-8"}),
    "html called json": lambda _: (HTML, {}),
    "entities": lambda _: (LAUGHS, {"Content-Type": "text/xml"}),
    "wrong content type": lambda body: (body, {"Content-Type": "text/plain"}),
    "another encoding": lambda body: (body.decode().encode("utf-16"), {}),
    "no such encoding": lambda _: (b"\xff\xfe\x00\x81" * 20, {}),
    "garbage": lambda _: (bytes(range(256)) * 4, {}),
    "nested too deep": lambda _: (b"[" * 100_000, {}),
    "packed": lambda body: (gzip.compress(body), {"Content-Encoding": "gzip"}),
    "packed bomb": lambda _: (BOMB, {"Content-Encoding": "gzip"}),
    "too large": lambda body: (body[:-1] + b" " * 300_000 + body[-1:], {}),
    "a header without end": lambda body: (body, {"X-Long": "y" * 200_000}),
}  # fmt: skip


def wrong(caller: Caller, what: str) -> None:
    """It is refused as the caller's own mistake, in time, and not kept."""
    number, before = caller.next(), caller.site.kept
    body, over = WRONG[what](caller.body(number))
    began = time.monotonic()
    said = send(caller, {**caller.proven(number, body), **over}, body)
    assert time.monotonic() - began < WITHIN_SECONDS + LATE
    refused = 400 <= said.status < 500 or said.status == 0
    if what in caller.exempt:
        assert said.status == caller.first, f"{what} is refused of {caller.name}: take the exemption out"
        before += 1
    else:
        assert refused, f"{caller.name}: {what}: {said.status}"
    assert caller.site.kept == before, f"{caller.name}: {what} was kept"
    well(caller, before)


def broken_off(caller: Caller) -> None:
    """Fewer bytes than were promised, and bytes that come one by one: neither is kept, and neither holds anybody up."""
    number, before = caller.next(), caller.site.kept
    body = caller.body(number)
    head = f"POST /push/{caller.path} HTTP/1.1\r\nHost: x\r\n" + "".join(
        f"{name}: {value}\r\n" for name, value in caller.proven(number, body).items()
    )
    whole = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    parts = urllib.parse.urlsplit(caller.site.address)
    for cut in (len(head) // 2, len(whole) - 1):
        with socket.create_connection((parts.hostname, parts.port), timeout=20) as line:
            line.sendall(whole[:cut])
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as line:
        line.sendall(whole[:-1])
        well(caller, before)  # meanwhile
        began = time.monotonic()
        assert b" 200 " not in line.recv(100)
        assert time.monotonic() - began < WITHIN_SECONDS + LATE
    assert caller.site.kept == before + 1


def answer_lost(caller: Caller, fault: Fault, *, taken: bool) -> None:
    """The caller does not hear what it was answered, and calls again: there is one."""
    number, before = caller.next(), caller.site.kept
    body = caller.body(number)
    headers = caller.proven(number, body)
    with FaultProxy(caller.site.address, strikes=lambda _method, _path: True) as proxy:
        proxy.strike(fault)
        assert send(caller, headers, body, address=proxy.origin).status != caller.first
        assert proxy.struck == 1
        assert caller.site.kept == before + taken
        again = send(caller, headers, body, address=proxy.origin)
    assert again.status == (caller.again if taken else caller.first)
    assert caller.site.kept == before + 1


@contextmanager
def listening(caller: Caller, site: Path) -> Iterator[Caller]:
    """The caller with a site that listens to it."""
    with Listening(site) as there:
        caller.site = there
        yield caller


def as_json(record: Any) -> bytes:
    """A body."""
    return json.dumps(record).encode()
