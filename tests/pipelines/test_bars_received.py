"""BaRS messages through the real listener into a real ledger: taken once, changed, cancelled, answered, or refused.

The sender is our own connector, which knows nothing of the listener; the service that hears the answers is the
sandbox's pretend receiver, written from the contract. A care system of the rig, which keeps nothing of ours, stands
behind.
"""

from __future__ import annotations

import copy
import json
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from ruamel.yaml import YAML
from sqlalchemy import select

from connectors.bars.message import made
from connectors.bars.profile import BarsProfile, BarsSettings
from connectors.errors import Unauthorised
from connectors.registry import check_profile, open_connector
from console.listener.server import Listener
from pipelines import composition, desk
from pipelines.check import check
from pipelines.merge import WHY_CANCELLED
from pipelines.plant import Plant
from pipelines.pushes import Pushes
from pipelines.tables import payload, pushed, referral, version
from pipelines.walks import Walker
from pipelines.worker import Worker
from tests.found import as_asked
from tests.pipelines.conftest import HandClock
from tests.rig.bars import TOKEN, lay_out_bars
from tests.rig.pushing import push
from tests.rig.systems import Web

ROOT = Path(__file__).parents[2]
PROFILE = YAML(typ="safe", pure=True).load((ROOT / "connectors/profiles/bars.yaml").read_text("utf-8"))
PLACE = "alder/nhs/Referral/$process-message"
REFERRAL: dict[str, Any] = json.loads((ROOT / "mappings/shipped/bars/golden/referral.full.json").read_bytes())["read"][
    "record"
]
CONNECT: dict[str, Any] = {
    "login": {"api_key": {"header": "Authorization", "key": "env:TOKEN"}},
    "target": {"system": "https://fhir.nhs.uk/Id/dos-service-id", "value": "2000099999"},
    "ours": {"system": "https://fhir.nhs.uk/Id/dos-service-id", "value": "2000011147"},
    "organisation": {"ods": "A1002", "name": "Bwrdd Iechyd"},
    "receiver": {"ods": "A1001", "name": "Cyngor Alder"},
    "timeout_seconds": 5,
}


def asked(**changes: Any) -> dict[str, Any]:
    """A referral as its sender writes it; `changes` are of the ServiceRequest."""
    record = {type: copy.deepcopy(REFERRAL[type]) for type in ("Patient", "ServiceRequest")}
    record["ServiceRequest"] |= {"priority": "urgent", "code": {"coding": [
        {"system": "https://dolen.example.org/fhir/CodeSystem/referral-kind", "code": "referral"}]}}  # fmt: skip
    record["ServiceRequest"] |= changes
    return record


def message(key: str) -> tuple[dict[str, str], dict[str, Any]]:
    """Headers and Bundle of a first message."""
    profile = check_profile(PROFILE)
    assert isinstance(profile, BarsProfile)
    settings = BarsSettings.model_validate(
        {**CONNECT, "url": "http://127.0.0.1:9/none"}, context={"secret": lambda _: f"Bearer {TOKEN}"}
    )
    told = made(profile, profile.records["Referral"], settings, asked(), key=key, new=True, now=datetime.now(UTC))
    return {**told.headers, "Authorization": f"Bearer {TOKEN}"}, told.bundle


@pytest.fixture(scope="module")
def nhs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The sandbox, as the service that referrals come from: its address, and the token by which it knows us."""
    folder = tmp_path_factory.mktemp("sandbox")
    command = [sys.executable, "-m", "sandbox", "serve", "--dir", str(folder), "--until-stdin-closes"]
    process = subprocess.Popen(
        [*command, "--tenants", "alder"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        url = json.loads(process.stdout.readline())["url"]
        yield url, json.loads((folder / "secrets.json").read_bytes())["alder"]["bars"]["token"]
    finally:
        process.stdin.close()
        process.wait(timeout=20)
        process.stdout.close()


class Place:
    """A site that listens, and who sends to it."""

    def __init__(self, folder: Path, nhs: tuple[str, str], *, asks: bool = False) -> None:
        self.web, (self.service, token) = Web(), nhs
        self.care = self.web.add("alder", "care", "C")
        self.desk = self.web.add("alder", "desk", "A")
        address = f"{self.service}/alder/bars/FHIR/R4"
        self.site = lay_out_bars(folder, self.web.url, nhs=address, token=token, asks=asks)
        self._around = as_asked(self.site)
        self._around.__enter__()
        loaded = composition.load(self.site)
        self.clock = HandClock()
        self.plant: Plant = composition.build(loaded, clock=self.clock)
        assert not self.plant.findings, self.plant.findings
        assert loaded.settings.listener is not None
        listener, self._stop = Listener(self.plant, loaded.settings.listener), threading.Event()
        self.address = listener.address
        self._thread = threading.Thread(target=listener.run, args=(self._stop,))
        self._thread.start()
        self._senders: list[Any] = []

    def sender(self, token: str = TOKEN, where: str = "alder/nhs/Referral") -> Any:
        """A sender that was given the address of our messages."""
        made = open_connector(
            PROFILE, {**CONNECT, "url": f"{self.address}/push/{where}"},
            interfaces=lambda name: (ROOT / "connectors" / name).read_bytes(),
            clock=lambda: datetime.now(UTC), secret=lambda _: f"Bearer {token}",
        )  # fmt: skip
        self._senders.append(made)
        return made

    def send(self, headers: dict[str, str], bundle: Any) -> Any:
        """Send a message's bytes."""
        return push(self.address, PLACE, bundle if isinstance(bundle, bytes) else json.dumps(bundle).encode(), headers)

    def settle(self) -> None:
        """Take in what was pushed, read the council's own system, and send on what is due."""
        council = self.plant.councils["alder"]
        for kind in ("Referral", "Response"):
            Pushes(self.plant).now(council.wired["nhs"], kind)
        worker = Worker(self.plant, "test")
        (own,) = (wired for name, wired in council.wired.items() if name != "nhs")
        for _ in range(3):
            for name in (own.name, "nhs"):
                while worker.drain(council, name, probe=True):
                    pass
            self.clock.push(40)
            Walker(self.plant, council).walk(own, own.kinds["Case"])
        while worker.drain(council, "nhs", probe=True):
            pass

    def answers(self) -> list[dict[str, Any]]:
        """What the service was answered and holds."""
        with urllib.request.urlopen(f"{self.service}/control/alder/bars/records?limit=500", timeout=10) as told:
            found: list[dict[str, Any]] = json.load(told)["records"]
            return found

    def rows(self, table: Any) -> list[Any]:
        with self.plant.ledger.reading() as connection:
            return list(connection.execute(select(table)).all())

    def close(self) -> None:
        for sender in self._senders:
            sender.close()
        self._stop.set()
        self._thread.join()
        self.plant.close()
        self._around.__exit__(None, None, None)
        self.web.close()


@pytest.fixture
def site_folder(tmp_path: Path) -> Path:
    """Where the site lies, whose ledger is the one that was asked for."""
    return tmp_path


@pytest.fixture
def place(site_folder: Path, nhs: tuple[str, str]) -> Iterator[Place]:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    made = Place(site_folder, nhs)
    yield made
    made.close()
    structlog.reset_defaults()


def test_a_referral_arrives_is_changed_answered_and_cancelled(place: Place) -> None:
    assert [finding for finding in check(place.site) if "nhs" in f"{finding.key}"] == []
    sender = place.sender()
    sent = sender.deliver("Referral", asked(), key="k1")
    assert sent.effect == "created"
    (row,) = place.rows(pushed)
    assert row.taken is None, "it is kept before anything is done with it"
    place.settle()
    (case,) = place.care.cases.values()
    assert (case.body["person"]["last_name"], case.body["priority"]) == ("O'Neill", "urgent")
    changed = asked(priority="routine", patientInstruction="Ail")
    sender.deliver("Referral", changed, key="k1", id=sent.id)  # within the same second, as like as not
    place.settle()
    assert (case.body["priority"], case.body["reason"]) == ("routine", "Ail")
    place.care.change(case.id, status="on-hold")
    place.settle()
    (answer,) = [one for one in place.answers() if one["Patient"]["birthDate"] == "1941-05-06"]
    assert answer["ServiceRequest"]["status"] == "on-hold"
    assert answer["MessageHeader"]["eventCoding"]["code"] == "servicerequest-response"
    versions = [row for row in place.rows(version) if row.connection == "nhs"]
    newest = answer["MessageHeader"]["response"]["identifier"]
    assert newest == [row.version for row in versions][-1], "it names the message that it answers"
    sender.deliver("Referral", {**changed, "ServiceRequest": {**changed["ServiceRequest"], "status": "revoked"}},
                   key="k1", id=sent.id)  # fmt: skip
    place.settle()
    assert case.body["status"] == "on-hold", "care owns the status"
    (told,) = desk.open_conflicts(place.plant)
    assert (told.loser, told.why) == ("nhs", WHY_CANCELLED), "and a person is told that it was taken back"
    assert len(place.care.cases) == len(place.rows(referral)) == 1


def test_a_referral_that_is_cancelled_before_anybody_has_begun_is_cancelled(place: Place) -> None:
    sender = place.sender()
    sent = sender.deliver("Referral", asked(), key="k2")
    sender.deliver("Referral", asked(status="revoked"), key="k2", id=sent.id)
    place.settle()
    (case,) = place.care.cases.values()
    assert case.body["status"] == "cancelled"
    assert desk.attention(place.plant) == []


def test_a_message_that_comes_again_is_answered_with_409_and_taken_once(place: Place) -> None:
    headers, bundle = message("k1")
    first = place.send(headers, bundle)
    assert first.status == 200
    told = json.loads(first.said)
    assert told["entry"][0]["resource"]["response"] == {"identifier": bundle["id"], "code": "ok"}
    again = place.send(headers, bundle)
    later = place.send(headers, {**bundle, "timestamp": "2026-12-01T10:00:00+00:00"})  # the time written anew
    for one in (first, again, later):
        assert one.getheader("Content-Type") == "application/fhir+json"
        for name in ("X-Request-Id", "X-Correlation-Id"):
            assert one.getheader(name) == headers[name]
    for one in (again, later):
        assert (one.status, code_of(one)) == (409, "REC_CONFLICT")
    place.settle()
    place.send(headers, bundle)  # after it was taken in, too
    place.settle()
    assert len(place.rows(pushed)) == 1
    assert len([row for row in place.rows(version) if row.connection == "nhs"]) == 1
    assert len(place.care.cases) == 1


def test_what_is_kept_is_sealed_and_the_envelope_goes_once_it_is_taken_in(place: Place) -> None:
    headers, bundle = message("k1")
    assert place.send(headers, bundle).status == 200
    (row,) = place.rows(pushed)
    with place.plant.ledger.reading() as connection:
        assert json.loads(place.plant.vault.get(connection, "alder", row.raw)) == bundle
    assert not any(b"O'Neill" in bytes(str(one), "utf-8") for one in place.rows(payload))
    place.settle()
    assert [one for one in place.rows(payload) if one[2] == "push"] == []


def code_of(answer: Any) -> str:
    told = json.loads(answer.said)
    assert told["resourceType"] == "OperationOutcome"
    return str(told["issue"][0]["details"]["coding"][0]["code"])


def changed(bundle: dict[str, Any], **header: Any) -> dict[str, Any]:
    """A message whose MessageHeader says something else."""
    made = copy.deepcopy(bundle)
    made["entry"][0]["resource"] |= header
    return made


def test_what_is_forged_or_not_for_us_is_refused_in_the_words_of_the_contract_and_not_kept(place: Place) -> None:
    headers, bundle = message("k1")
    reason = {"coding": [{"code": "delete"}]}
    for what, status, code, call in (
        ("no token", 401, "REC_UNAUTHORIZED", ({**headers, "Authorization": ""}, bundle)),
        ("another token", 401, "REC_UNAUTHORIZED", ({**headers, "Authorization": f"Bearer {TOKEN}x"}, bundle)),
        ("for another", 404, "REC_NOT_FOUND", ({**headers, "NHSD-Target-Identifier": "eyJ2YWx1ZSI6IjEifQ=="}, bundle)),
        ("no request id", 400, "REC_BAD_REQUEST", ({**headers, "X-Request-Id": "7"}, bundle)),
        ("cut off", 400, "REC_BAD_REQUEST", (headers, json.dumps(bundle).encode()[:-1])),
        ("deep", 400, "REC_BAD_REQUEST", (headers, b'{"a":' * 70 + b"1" + b"}" * 70)),
        ("packed", 415, "REC_BAD_REQUEST", ({**headers, "Content-Encoding": "gzip"}, bundle)),
        ("no id", 400, "REC_BAD_REQUEST", (headers, {**bundle, "id": "an id with O'Neill"})),
        ("a booking", 422, "REC_UNPROCESSABLE_ENTITY", (headers, changed(bundle, eventCoding={"code": "booking"}))),
        ("an answer to nothing", 400, "REC_BAD_REQUEST",
         (headers, changed(bundle, eventCoding={"code": "servicerequest-response"}))),
        ("cancelled, and active", 422, "REC_UNPROCESSABLE_ENTITY", (headers, changed(bundle, reason=reason))),
    ):  # fmt: skip
        answer = place.send(*call)
        assert (answer.status, code_of(answer)) == (status, code), what
        assert b"O'Neill" not in answer.said, what
        mirrored = "" if what == "no request id" else headers["X-Request-Id"]
        assert answer.getheader("X-Request-Id", "") == mirrored, what
        assert answer.getheader("X-Correlation-Id") == headers["X-Correlation-Id"], what
    with pytest.raises(Unauthorised):
        place.sender(token="a-guess-of-sixteen").deliver("Referral", asked(), key="k1")
    body = json.dumps(bundle).encode()
    for where in (
        "alder/nhs/Reply/$process-message",
        "alder/care/Case/$process-message",
        "alder/nhs/Referral/$other",
    ):
        assert push(place.address, where, body, headers).status == 404, where
    assert place.rows(pushed) == []
    place.plant.ledger.lost.set()
    away = place.send(headers, bundle)
    place.plant.ledger.lost.clear()
    assert (away.status, away.getheader("Retry-After"), code_of(away)) == (503, "30", "REC_UNAVAILABLE")
    assert away.getheader("X-Request-Id") == headers["X-Request-Id"]
    assert place.send(headers, bundle).status == 200


def test_check_tells_of_proofs_for_a_system_that_never_calls(place: Place) -> None:
    profile = (ROOT / "connectors/profiles/bars.yaml").read_text("utf-8")
    file = place.site / "profiles/bars.yaml"  # the council's own, without what is pushed
    file.write_text("".join(f"{line}\n" for line in profile.split("\n") if "    push:" not in line), "utf-8")
    (told,) = [finding for finding in check(place.site) if "push" in finding.key]
    assert told.key == "connections.nhs.connect.push"
    assert "would all be refused" in told.found


def test_check_tells_of_pushes_that_nobody_listens_for(place: Place) -> None:
    file = place.site / "config/dolen.yaml"
    file.write_text(file.read_text("utf-8").partition("listener:")[0], "utf-8")
    (told,) = [finding for finding in check(place.site) if "push" in finding.key]
    assert told.key == "connections.nhs.connect.push"
    assert "nobody hears them" in told.found
