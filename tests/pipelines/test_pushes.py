"""What is pushed to us arrives once: signed, repeated, overtaken, forged, broken off, and while things fail.

A real listener on a socket, real systems behind it; only the ledger's clock is pushed forward where time must pass.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import select, update

from config.findings import Severity
from console.listener.server import Listener
from pipelines import composition, desk, overview
from pipelines.called import Calls
from pipelines.check import check
from pipelines.plant import Plant
from pipelines.pushes import Pushes
from pipelines.tables import payload, pushed, record, version
from pipelines.worker import Worker
from tests.found import as_asked
from tests.pipelines.conftest import HandClock
from tests.rig.pushing import lay_out_pushing, push, shown, signed
from tests.rig.soap_pushing import speak_soap
from tests.rig.systems import System, Web

DESK = "alder/desk/Case"


@dataclass
class Place:
    """A plant with a listener."""

    plant: Plant
    clock: HandClock
    web: Web
    address: str
    listener: Listener

    @property
    def desk(self) -> System:
        return self.web.systems["alder/desk"]

    @property
    def care(self) -> System:
        return self.web.systems["alder/care"]

    def take(self) -> int:
        """Take in what waits."""
        wired = self.plant.councils["alder"].wired["desk"]
        return Pushes(self.plant).now(wired, "Case")

    def deliver(self) -> None:
        """Send on what is due."""
        worker = Worker(self.plant, "test")
        while worker.drain(self.plant.councils["alder"], "care", probe=True):
            pass

    def rows(self, table: Any) -> list[Any]:
        with self.plant.ledger.reading() as connection:
            return list(connection.execute(select(table)).all())


@pytest.fixture
def site_folder(tmp_path: Path) -> Path:
    """Where the site lies, whose ledger is the one that was asked for."""
    return tmp_path


@pytest.fixture
def opened(site_folder: Path) -> Iterator[Callable[[str], Place]]:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    web, ends = Web(), []

    def open_(carries: str) -> Place:
        web.add("alder", "desk", "A")
        web.add("alder", "care", "A")
        form = "record" if carries == "soap" else carries
        site = lay_out_pushing(site_folder, {"alder": "A"}, web.url, port=0, carries=form)
        if carries == "soap":
            speak_soap(site)
        around = as_asked(site)
        around.__enter__()
        clock = HandClock()
        loaded = composition.load(site)
        plant = composition.build(loaded, clock=clock)
        assert not plant.findings
        assert loaded.settings.listener is not None
        listener, stop = Listener(plant, loaded.settings.listener), threading.Event()
        thread = threading.Thread(target=listener.run, args=(stop,))
        thread.start()

        def end() -> None:
            stop.set()
            thread.join()
            plant.close()
            around.__exit__(None, None, None)

        ends.append(end)
        return Place(plant, clock, web, listener.address, listener)

    yield open_
    for end in ends:
        end()
    web.close()
    structlog.reset_defaults()


@pytest.fixture
def place(opened: Callable[[str], Place]) -> Place:
    return opened("record")


def test_a_push_is_durable_before_it_is_answered_and_arrives_once(place: Place) -> None:
    case = place.desk.type_in("Ann")
    body = shown(case)
    answer = push(place.address, DESK, body, signed(body, "m1"))
    assert answer.status == 200
    (row,) = place.rows(pushed)
    assert row.taken is None
    assert overview.look(place.plant).calls == [Calls("alder", "desk", row.at, waiting=1)]
    with place.plant.ledger.reading() as connection:
        assert place.plant.vault.get(connection, "alder", row.raw) == body
    assert place.take() == 1
    place.deliver()
    assert [held.body["person"]["last_name"] for held in place.care.cases.values()] == ["Ann"]
    # The envelope is gone, the record's own bytes are with its version.
    (row,) = place.rows(pushed)
    assert row.taken is not None
    assert row.raw is None
    assert overview.look(place.plant).calls == [Calls("alder", "desk", row.at, waiting=0)]
    assert [one for one in place.rows(payload) if one[2] == "push"] == []
    # The same push comes again, and then the same record under another id: no news.
    assert push(place.address, DESK, body, signed(body, "m1")).status == 200
    assert len(place.rows(pushed)) == 1
    assert push(place.address, DESK, body, signed(body, "m2")).status == 200
    place.take()
    place.deliver()
    assert len(place.rows(version)) == 1
    assert len(place.care.cases) == 1


def test_check_tells_of_a_system_that_only_calls(place: Place) -> None:
    assert not [finding for finding in check(place.plant.root) if "only calls about" in finding.found]
    profile = place.plant.root / "profiles/rig-desk.yaml"
    text = profile.read_text("utf-8")
    before, _, rest = text.partition("    changes:\n")
    profile.write_text(before + "    fetch:" + rest.partition("    fetch:")[2], "utf-8")
    told = [finding for finding in check(place.plant.root) if "only calls about" in finding.found]
    assert [one.key for one in told] == ["connections.desk.records.Case"] * len(told) != []
    assert all(one.severity is Severity.WARNING for one in told)


def test_pushes_that_overtake_one_another_end_on_the_newest(place: Place) -> None:
    case = place.desk.type_in("Ann", stamp=1_780_000_000)
    old = shown(case)
    place.desk.change(case.id, reason="second")
    case.stamp = 1_780_000_100
    new = shown(case)
    for body, id in ((new, "m2"), (old, "m1")):
        assert push(place.address, DESK, body, signed(body, id)).status == 200
    place.take()
    place.deliver()
    assert [held.body["reason"] for held in place.care.of("Ann")] == ["second"]


def test_a_push_of_an_id_fetches_the_record_and_waits_while_it_is_not_there(opened: Callable[[str], Place]) -> None:
    place = opened("id")
    first, second = place.desk.type_in("Ann"), place.desk.type_in("Bob")
    body = json.dumps({"events": [{"case": {"id": first.id}}, {"case": {"id": second.id}}]}).encode()
    assert push(place.address, DESK, body, signed(body, "m1")).status == 202
    held = dict(place.desk.cases)
    place.desk.cases.clear()  # not shown yet
    assert place.take() == 0
    (row,) = place.rows(pushed)
    assert row.words == "the record that it names is not there yet"
    assert row.taken is None
    place.desk.cases.update(held)
    assert place.take() == 0  # not before its time
    place.clock.push(2)
    assert place.take() == 1
    place.deliver()
    assert {case.body["person"]["last_name"] for case in place.care.cases.values()} == {"Ann", "Bob"}
    # One that stays away is shown to a person, and the one beside it goes on.
    body = json.dumps({"events": [{"case": {"id": "nobody"}}, {"case": {}}]}).encode()
    assert push(place.address, DESK, body, signed(body, "m2")).status == 202
    for _ in range(6):
        place.take()
        place.clock.push(300)
    groups = desk.attention(place.plant)
    assert not place.rows(pushed)[1].words
    assert sum(len(group.versions) for group in groups) == 2


def test_a_push_of_an_id_waits_while_its_system_is_away(opened: Callable[[str], Place]) -> None:
    place = opened("id")
    case = place.desk.type_in("Ann")
    place.web.close()
    for number in range(3):
        body = json.dumps({"events": [{"case": {"id": case.id}}]}).encode()
        assert push(place.address, DESK, body, signed(body, f"m{number}")).status == 202
    assert place.take() == 0
    rows = place.rows(pushed)
    assert [row.tries for row in rows] == [1, 0, 0]
    assert len({row.due for row in rows}) == 1  # the others wait with it, and nobody knocks three times


def test_what_is_not_genuine_is_refused_and_not_kept(place: Place) -> None:
    body = shown(place.desk.type_in("Ann"))
    now = time.time()
    good = signed(body, "m1")
    forged = {
        "no signature": {k: v for k, v in good.items() if k != "webhook-signature"},
        "another secret": signed(body, "m1", secret="guess"),
        "another id": {**good, "webhook-id": "m2"},
        "another time": {**good, "webhook-timestamp": str(int(now) + 1)},
        "too old": signed(body, "m1", at=now - 301),
        "from the future": signed(body, "m1", at=now + 330),
        "no id": {k: v for k, v in good.items() if k != "webhook-id"},
        "not base64": {**good, "webhook-signature": "v1,****"},
        "no version": {**good, "webhook-signature": good["webhook-signature"].replace("v1,", "v9,")},
    }
    for what, headers in forged.items():
        assert push(place.address, DESK, body, headers).status == 401, what
    assert push(place.address, DESK, body + b" ", good).status == 401
    assert place.rows(pushed) == []
    assert push(place.address, DESK, body, good).status == 200


def test_what_cannot_be_a_push_is_refused_and_not_kept(place: Place) -> None:
    deep = b'{"a":' * 70 + b"1" + b"}" * 70
    for status, body, changed in (
        (400, b'{"id": "x"', {}),
        (400, b"[]", {}),
        (400, deep, {}),
        (400, b"\xff\xfe", {}),
        (415, b"<a/>", {"Content-Type": "text/xml"}),
        (415, b"{}", {"Content-Encoding": "gzip"}),
    ):
        assert push(place.address, DESK, body, {**signed(body, "m1"), **changed}).status == status, body[:20]
    big = b" " * 20_001
    assert push(place.address, DESK, big, signed(big, "m1")).status == 413
    for where in ("alder/care/Case", "alder/nobody/Case", "nobody/desk/Case", "alder/desk/Other"):
        assert push(place.address, where, b"{}", signed(b"{}", "m1")).status == 404
    assert place.rows(pushed) == []
    # A record that is JSON and not as the interface says is the supplier's word: kept, and shown to a person.
    body = json.dumps({"id": "desk-9", "version": 1}).encode()
    assert push(place.address, DESK, body, signed(body, "m1")).status == 200
    place.take()
    (group,) = desk.attention(place.plant)
    assert len(group.versions) == 1


def raw(place: Place) -> socket.socket:
    host, _, port = place.address.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=10)


def test_callers_that_drip_or_break_off_cost_nothing(place: Place) -> None:
    body = shown(place.desk.type_in("Ann"))
    head = "POST /push/alder/desk/Case HTTP/1.1\r\nHost: x\r\n" + "".join(
        f"{name}: {value}\r\n" for name, value in signed(body, "m1").items()
    )
    # Broken off: fewer bytes than were promised.
    with raw(place) as wire:
        wire.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:-1])
    # Headers that never end.
    with raw(place) as wire:
        began = time.monotonic()
        wire.sendall(b"POST /push/alder/desk/Case HTTP/1.1\r\nHost: x\r\nX-A")
        assert wire.recv(100) == b""
        assert time.monotonic() - began < 5
    # A body that never ends, byte by byte, with good pushes going through meanwhile.
    with raw(place) as wire:
        wire.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:5])
        other = shown(place.desk.type_in("Bob"))
        assert push(place.address, DESK, other, signed(other, "m2")).status == 200
        assert b" 408 " in wire.recv(100)
    # Chunks without end are stopped at the size that may be.
    with raw(place) as wire:
        wire.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        told = b""
        try:
            for _ in range(30):
                wire.sendall(b"400\r\n" + b" " * 1024 + b"\r\n")
            told = wire.recv(100)
        except OSError:
            pass  # it has hung up already
        assert told == b"" or b" 413 " in told
    # What is two things at once (RFC 9112, 6.3) is nothing.
    with raw(place) as wire:
        wire.sendall(f"{head}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".encode())
        assert b" 200 " not in wire.recv(100)
    assert len(place.rows(pushed)) == 1


def test_a_ledger_that_is_full_or_away_refuses_and_says_when_to_come_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    wired = place.plant.councils["alder"].wired["desk"]
    monkeypatch.setitem(wired.settings, "most_waiting", 2)  # type: ignore[arg-type]
    answers = []
    for number in range(3):
        body = shown(place.desk.type_in(f"Ann{number}"))
        answers.append(push(place.address, DESK, body, signed(body, f"m{number}")))
    assert [answer.status for answer in answers] == [200, 200, 503]
    assert answers[2].getheader("Retry-After") == "30"
    # One that is known is acknowledged all the same: it waits already.
    again = shown(place.desk.of("Ann0")[0])
    assert push(place.address, DESK, again, signed(again, "m0")).status == 200
    assert place.take() == 2
    assert push(place.address, DESK, body, signed(body, "m2")).status == 200
    place.plant.ledger.lost.set()
    other = shown(place.desk.type_in("Eve"))
    answer = push(place.address, DESK, other, signed(other, "m9"))
    assert (answer.status, answer.getheader("Retry-After")) == (503, "30")
    place.plant.ledger.lost.clear()
    assert push(place.address, DESK, other, signed(other, "m9")).status == 200
    assert len(place.rows(pushed)) == 4


def test_one_push_many_times_at_once_is_one(place: Place) -> None:
    body = shown(place.desk.type_in("Ann"))
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda: statuses.append(push(place.address, DESK, body, signed(body, "m1")).status))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 8
    assert len(place.rows(pushed)) == 1


def test_two_that_take_in_the_same_pushes_write_them_once(place: Place) -> None:
    body = shown(place.desk.type_in("Ann"))
    assert push(place.address, DESK, body, signed(body, "m1")).status == 200
    wired = place.plant.councils["alder"].wired["desk"]
    slow = Pushes(place.plant)
    rows = slow._claim(wired, "Case")  # it is frozen here, and its lease ends
    with place.plant.ledger.writing() as connection:
        connection.execute(update(pushed).values(due=0))
    assert place.take() == 1
    place.deliver()
    from pipelines.intake import Intake
    from pipelines.pushes import Overtaken

    with pytest.raises(Overtaken):
        Intake(place.plant, place.plant.councils["alder"]).take(wired, wired.kinds["Case"], [], place=slow._marks(rows))
    assert len(place.rows(record)) == 2  # the desk's and care's
    assert len(place.care.cases) == 1
