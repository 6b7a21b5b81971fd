"""Abavus My Council Services, against a pretend one: behaviour seen elsewhere, not verified against the product."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import Duplicate, Misconfigured, Rejected, Throttled, Unauthorised, Unknown
from connectors.port import Tier
from connectors.registry import open_connector
from pipelines.keystore import KeyStore
from pipelines.spool import FolderSpool
from sandbox.abavus import Abavus
from sandbox.exchange import Response
from sandbox.faults import Faults
from sandbox.tally import Tally
from sandbox.web import Server

KEY = "gwenynen-123"
WHO = "torfaen"


@pytest.fixture
def abavus() -> Abavus:
    return Abavus(KEY)


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def url(abavus: Abavus, faults: Faults) -> Iterator[str]:
    server = Server({"abavus": abavus}, lambda _: Response(404), faults, Tally(), lambda: datetime.now(UTC))
    server.start()
    yield f"{server.url}/{WHO}/abavus"
    server.stop()


@pytest.fixture
def open_one(url: str, shipped: Any, interfaces: Any, tmp_path: Path, clock: Any) -> Iterator[Callable[..., Any]]:
    """Opens a connector, as each new process of a site does."""
    keys = KeyStore(f"sqlite:///{tmp_path / 'keys.db'}", bytes(range(32)))
    made: list[Any] = []

    def start(*, draft: bool = False, alone: bool = True, key: str = KEY) -> Any:
        profile = shipped("abavus")
        profile["records"]["ServiceRequest"]["create"]["commit"]["draft"] = draft
        connector: Any = open_connector(
            profile,
            {"url": url, "timeout_seconds": 0.7, "login": {"api_key": {"header": "iPublicKey", "key": "env:KEY"}}},
            interfaces=interfaces,
            clock=clock,
            secret=lambda _: key,
            spool=FolderSpool(tmp_path / "spool", keys, WHO, "mcs", alone=alone),
        )
        connector._sleep = lambda _: None
        made.append(connector)
        return connector

    yield start
    for connector in made:
        connector.close()
    keys.close()


def record(reason: str = "Cwympodd ddwywaith") -> dict[str, Any]:
    return {
        "serviceRequest": {
            "languageCode": "CY",
            "submissionDate": "01-MAY-2026 13:00:00",
            "catalogue": {"code": "ADULT_SOCIAL_CARE"},
            "form": {"code": "REFERRAL_C"},
            "status": "OPEN_S",
            "questions": [{"questionCode": "REASON", "answer": reason}],
        }
    }


def create(connector: Any, key: str = "K1", reason: str = "Cwympodd ddwywaith") -> Any:
    return connector.deliver("ServiceRequest", record(reason), key=key)


def test_a_create_is_two_steps_and_has_our_key_behind_the_second(abavus: Abavus, open_one: Any) -> None:
    receipt = create(open_one())
    (held,) = abavus.office(WHO).requests.values()
    assert (receipt.id, receipt.effect) == ("1", "created")
    assert (held.reference, held.system) == ("K1", "DOLEN")
    assert held.body["questions"] == [{"questionCode": "REASON", "answer": "Cwympodd ddwywaith"}]


@pytest.mark.parametrize("fault", ["reset_before", "reset_after", "error_after", "html_after", "hang_after"])
def test_trouble_in_the_second_step_makes_no_second_request(
    abavus: Abavus, faults: Faults, open_one: Any, fault: str
) -> None:
    faults.set(WHO, "abavus", {fault: {"operations": ["reference"], "times": 1}})
    with pytest.raises(Throttled, match="second step has no clear answer"):
        create(open_one())
    assert create(open_one()).id == "1", "the worker's next try, in a new process, goes on with what was made"
    assert [(held.number, held.reference) for held in abavus.office(WHO).requests.values()] == [(1, "K1")]


@pytest.mark.parametrize("draft", [False, True])
def test_a_process_that_died_between_the_steps_goes_on_with_the_second(
    abavus: Abavus, open_one: Any, draft: bool
) -> None:
    first = open_one(draft=draft)

    def dies(*_: Any) -> None:
        raise KeyboardInterrupt

    first._committed = dies
    with pytest.raises(KeyboardInterrupt):
        create(first)
    assert abavus.office(WHO).requests[1].reference == ""
    receipt = create(open_one(draft=draft))
    assert receipt.id == "1"
    assert [(held.number, held.reference) for held in abavus.office(WHO).requests.values()] == [(1, "K1")]


def test_what_an_earlier_try_made_from_other_words_is_not_taken_for_todays(abavus: Abavus, open_one: Any) -> None:
    first = open_one()
    first._committed = lambda *_: (_ for _ in ()).throw(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        create(first, reason="first")
    with pytest.raises(Duplicate) as there:
        create(open_one(), reason="second")
    assert there.value.existing == "1"
    assert len(abavus.office(WHO).requests) == 1


def test_a_draft_of_other_words_is_left_and_another_is_submitted(abavus: Abavus, open_one: Any) -> None:
    first = open_one(draft=True)
    first._two_steps._spool.keep = _dies_behind(first._two_steps._spool.keep, 1)
    with pytest.raises(KeyboardInterrupt):
        create(first, reason="first")
    assert create(open_one(draft=True), reason="second").id == "2"
    assert [held.reference for held in abavus.office(WHO).requests.values()] == ["", "K1"]


def test_a_create_that_was_done_is_not_done_again(abavus: Abavus, open_one: Any) -> None:
    create(open_one())
    assert create(open_one()).id == "1"
    assert len(abavus.office(WHO).requests) == 1


def _dies_behind(step: Any, times: int) -> Any:
    left = [times]

    def walked(*given: Any) -> None:
        step(*given)
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt

    return walked


def test_an_unclear_first_step_is_not_repeated_by_itself(abavus: Abavus, faults: Faults, open_one: Any) -> None:
    faults.set(WHO, "abavus", {"reset_after": {"times": 1}})
    with pytest.raises(Unknown):
        create(open_one())
    assert len(abavus.office(WHO).requests) == 1


@pytest.mark.parametrize(
    ("draft", "alone", "tier"),
    [(False, True, Tier.NEITHER), (True, True, Tier.KEEPS_KEY), (True, False, Tier.NEITHER)],
)
def test_how_a_create_is_made_to_happen_once(open_one: Any, draft: bool, alone: bool, tier: Tier) -> None:
    assert open_one(draft=draft, alone=alone).tier("ServiceRequest") is tier


def test_a_refusal_inside_http_200_is_a_refusal(abavus: Abavus, open_one: Any) -> None:
    broken = record()
    broken["serviceRequest"]["submissionDate"] = "2026-05-01T13:00:00"
    with pytest.raises(Rejected) as told:
        open_one().deliver("ServiceRequest", broken, key="K1")
    assert told.value.code == "INVALID"
    assert abavus.office(WHO).requests == {}
    assert create(open_one()).id == "1", "a refusal leaves nothing behind"


def test_a_wrong_key_pauses_the_connection(open_one: Any) -> None:
    with pytest.raises(Unauthorised):
        create(open_one(key="wrong"))
    with pytest.raises(Unauthorised):
        open_one(key="wrong").changes("ServiceRequest", watermark="")


def test_events_are_read_once_and_name_our_key(abavus: Abavus, open_one: Any) -> None:
    create(open_one(), key="K7")
    abavus.staff_put(WHO, "1", {"status": "ACCEPTED_S"})
    abavus.staff_put(WHO, "1", {"status": "CLOSED_S"})
    connector = open_one()
    page = connector.changes("ServiceRequest", watermark="")
    assert [(item.id, item.our_key, item.record["ServiceEvent"]["sub_process"]) for item in page.items] == [
        ("1", "K7", "ACCEPTED_S"),
        ("1", "K7", "CLOSED_S"),
    ]
    again = open_one().changes("ServiceRequest", watermark="")
    assert [item.version for item in again.items] == [item.version for item in page.items], "not yet written down"
    assert connector.changes("ServiceRequest", watermark="", cursor=page.cursor).items == []
    assert open_one().changes("ServiceRequest", watermark="").cursor == ""


def test_no_events_found_is_a_success(open_one: Any) -> None:
    page = open_one().changes("ServiceRequest", watermark="")
    assert (page.items, page.cursor) == ([], "")


def test_doctor_reads_no_event(abavus: Abavus, open_one: Any) -> None:
    create(open_one())
    abavus.staff_put(WHO, "1", {"status": "ACCEPTED_S"})
    assert all(finding.well for finding in open_one().doctor())
    assert len(abavus.office(WHO).events) == 1


def test_no_person_is_ever_in_an_address(abavus: Abavus, open_one: Any, url: str) -> None:
    connector = open_one()
    asked: list[str] = []
    send = connector._session.send
    connector._session.send = lambda method, address, **more: (
        asked.append(f"{address}?{more.get('params')}"),
        send(method, address, **more),
    )[1]
    create(connector, reason="Gwenllian")
    assert len(asked) == 2
    assert not any("Gwenllian" in one for one in asked)


def test_without_a_place_on_the_disk_nothing_is_made(url: str, shipped: Any, interfaces: Any, clock: Any) -> None:
    connector = open_connector(
        shipped("abavus"), {"url": url}, interfaces=interfaces, clock=clock, secret=lambda reference: reference
    )
    with pytest.raises(Misconfigured, match="none was handed in"):
        create(connector)
    connector.close()
