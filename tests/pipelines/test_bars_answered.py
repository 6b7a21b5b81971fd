"""Referrals that we sent by BaRS, and what the receiver says became of them: through the listener into the ledger.

The receiver is the sandbox's, which answers as application 6 of the standard has it, with its Encounter in focus.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog

from connectors.port import Receipt
from pipelines import desk, facts
from pipelines.check import check
from pipelines.intake import Intake
from pipelines.pushes import Pushes
from pipelines.states import VersionState
from pipelines.tables import record, referral, version
from pipelines.walks import Walker
from pipelines.worker import Worker
from tests.pipelines.test_bars_received import TOKEN, Place, message, nhs
from tests.rig.pushing import push

__all__ = ["nhs"]  # a fixture


@pytest.fixture
def site_folder(tmp_path: Path) -> Path:
    """Where the site lies, whose ledger is the one that was asked for."""
    return tmp_path


@pytest.fixture
def place(site_folder: Path, nhs: tuple[str, str]) -> Iterator[Place]:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    made = Place(site_folder, nhs, asks=True)
    yield made
    made.close()
    structlog.reset_defaults()


def answered(place: Place, id: str, status: str, reason: str = "", *, where: str = "Referral") -> int:
    """The receiver's staff decide; returns what our listener said to the answer."""
    told = {"tenant": "alder", "id": id, "url": f"{place.address}/push/alder/nhs/{where}", "bearer": TOKEN,
            "service": "2000099999", "status": status, "reason": reason}  # fmt: skip
    call = urllib.request.Request(f"{place.service}/control/bars/answer", data=json.dumps(told).encode(), method="POST")
    with urllib.request.urlopen(call, timeout=20) as reply:
        return int(json.load(reply)["status"])


def sent(place: Place, name: str) -> tuple[Any, str]:
    """A case of the desk that was referred to the NHS: itself, and its number there."""
    case = place.desk.type_in(name)
    place.settle()
    (number,) = [row.external_id for row in place.rows(record) if row.connection == "nhs" and row.kind == "Referral"]
    return case, str(number)


def of_nhs(place: Place) -> list[VersionState]:
    """How the answers ended, the oldest first."""
    return [row.state for row in place.rows(version) if row.connection == "nhs"]


def test_what_became_of_a_referral_that_we_sent_comes_back_to_whoever_asked(place: Place) -> None:
    assert [finding for finding in check(place.site) if "nhs" in f"{finding.key}"] == []
    case, number = sent(place, "Prys")
    assert answered(place, number, "planned") == 200
    place.settle()
    assert case.body["status"] == "accepted"
    assert answered(place, number, "cancelled", "Dim lle", where="Response") == 200, "either address will do"
    place.settle()
    assert (case.body["status"], case.body["status_reason"]) == ("rejected", "Dim lle")
    assert of_nhs(place) == [VersionState.MERGED, VersionState.MERGED]
    assert len(place.rows(referral)) == len(place.desk.cases) == 1
    assert desk.attention(place.plant) == []
    place.desk.change(case.id, reason="Ail")
    place.settle()
    assert sum(one["ServiceRequest"]["id"] == number for one in place.answers()) == 1, "its number there is as it was"


def test_an_answer_that_is_older_changes_nothing(place: Place) -> None:
    case, number = sent(place, "Rees")
    assert answered(place, number, "in-progress") == 200
    place.settle()
    council, wired = place.plant.councils["alder"], place.plant.councils["alder"].wired["nhs"]
    (row,) = [row for row in place.rows(version) if row.connection == "nhs"]
    with place.plant.ledger.reading() as connection:
        bundle = json.loads(place.plant.vault.get(connection, "alder", row.raw))
    bundle |= {"id": "an-older-one", "timestamp": "2026-01-01T08:00:00+00:00"}
    bundle["entry"][1]["resource"]["status"] = "planned"
    item = wired.connector.parse("Response", json.dumps(bundle).encode(), id="")
    Intake(place.plant, council).take(wired, wired.kinds["Response"], [item])
    place.settle()
    assert case.body["status"] == "in-progress"
    assert of_nhs(place) == [VersionState.MERGED, VersionState.OLDER]


def test_an_answer_is_no_number_of_the_referral_there(place: Place) -> None:
    """Some receivers give each answer's ServiceRequest an id of its own, and name our message."""
    case, number = sent(place, "Huws")
    assert answered(place, number, "planned") == 200
    place.settle()
    council, wired = place.plant.councils["alder"], place.plant.councils["alder"].wired["nhs"]
    (row,) = [row for row in place.rows(version) if row.connection == "nhs"]
    with place.plant.ledger.reading() as connection:
        bundle = json.loads(place.plant.vault.get(connection, "alder", row.raw))
    for id, status in (("other-1", "triaged"), ("other-2", "in-progress")):
        later = (datetime.now(UTC) + timedelta(minutes=int(id[-1]))).isoformat()
        bundle |= {"id": f"message-{id}", "timestamp": later}
        bundle["entry"][1]["resource"]["status"] = status
        bundle["entry"][2]["resource"]["id"] = id
        item = wired.connector.parse("Response", json.dumps(bundle).encode(), id="")
        Intake(place.plant, council).take(wired, wired.kinds["Response"], [item])
    place.settle()
    assert case.body["status"] == "in-progress"
    with place.plant.ledger.reading() as connection:
        known = facts.load(connection, place.plant.vault, "alder", place.rows(referral)[0].facts)
    assert facts.number_in(facts.plain(known), "nhs") == number
    assert desk.attention(place.plant) == []


def test_an_answer_to_what_we_never_sent_needs_attention_and_makes_no_referral(place: Place) -> None:
    headers, bundle = message("never")
    bundle["entry"][0]["resource"] |= {"eventCoding": {"code": "servicerequest-response"},
                                       "response": {"identifier": "never-sent", "code": "ok"}}  # fmt: skip
    told = push(place.address, "alder/nhs/Response/$process-message", json.dumps(bundle).encode(), headers)
    assert told.status == 200
    place.settle()
    assert place.rows(referral) == []
    (group,) = desk.attention(place.plant)
    assert "we do not know to have sent" in group.words


def test_an_answer_that_overtakes_its_own_receipt_waits_for_it(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    council = place.plant.councils["alder"]
    case, wired = place.desk.type_in("Morgan"), place.plant.councils["alder"].wired["nhs"]
    deliver = wired.connector.deliver

    def slowly(*told: Any, **more: Any) -> Receipt:
        """The receiver decides, and its answer comes in, before we have written down that it took the referral."""
        receipt = deliver(*told, **more)
        assert answered(place, receipt.id, "planned") == 200
        Pushes(place.plant).now(wired, "Response")
        return receipt

    monkeypatch.setattr(wired.connector, "deliver", slowly)
    desk_side = council.wired["desk"]
    Walker(place.plant, council).walk(desk_side, desk_side.kinds["Case"])
    while Worker(place.plant, "test").drain(council, "nhs", probe=True):
        pass
    monkeypatch.undo()
    (waiting,) = [row for row in place.rows(version) if row.connection == "nhs"]
    assert waiting.state == VersionState.WAITING
    Intake(place.plant, council).again([waiting.id])
    place.settle()
    assert case.body["status"] == "accepted"
