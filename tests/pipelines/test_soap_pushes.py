"""What a SOAP system pushes, through the listener into the ledger: kept, acknowledged in its own words, once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from lxml import etree

from pipelines import desk
from pipelines.pushes import Pushes
from pipelines.tables import pushed, record
from tests.pipelines.test_pushes import Place, opened, site_folder
from tests.rig.pushing import push, signed
from tests.rig.soap_pushing import S11, S12, SPACE, case, message

__all__ = ["opened", "site_folder"]  # fixtures
WHERE = "alder/desk/Case"


@pytest.fixture
def place(opened: Callable[[str], Place]) -> Place:
    return opened("soap")


def say(place: Place, body: bytes, id: str = "m1", *, kind: str = "text/xml; charset=utf-8", **more: Any) -> Any:
    return push(place.address, WHERE, body, {**signed(body, id, **more), "Content-Type": kind})


def settle(place: Place) -> None:
    """Take in what was pushed and send it on."""
    Pushes(place.plant).now(place.plant.councils["alder"].wired["desk"], "Case")
    place.deliver()


def inside(answer: Any) -> Any:
    """What stands in the Body of an answer's envelope."""
    (body,) = etree.fromstring(answer.said)
    return body[0]


def held(place: Place) -> list[tuple[str, str]]:
    """What care holds, by name."""
    cases = place.web.systems["alder/care"].cases.values()
    return sorted((one.body["person"]["last_name"], one.body["reason"]) for one in cases)


def test_a_message_is_kept_acknowledged_and_arrives_once(place: Place) -> None:
    told = message(case("7", "O'Neill & Rhys"), case("8", "Prys"))
    answer = say(place, told)
    assert (answer.status, inside(answer).tag) == (200, f"{{{SPACE}}}caseChangedResponse")
    assert inside(answer).findtext(f"{{{SPACE}}}Ack") == "true"
    (row,) = place.rows(pushed)
    assert row.taken is None, "it is kept before anything is done with it"
    assert b"Neill" not in b"".join(str(part).encode() for part in row)
    assert say(place, told).status == 200
    assert len(place.rows(pushed)) == 1, "the same message again is the same"
    settle(place)
    assert held(place) == [("O'Neill & Rhys", "first"), ("Prys", "first")]
    assert say(place, told).status == 200, "after it was taken in, too"
    settle(place)
    assert len([row for row in place.rows(record) if row.connection == "desk"]) == 2


def test_messages_that_overtake_one_another_end_on_the_newest(place: Place) -> None:
    new = message(case("7", "Prys", Reason="second", changed="2026-03-02T10:05:00Z"), envelope=S12)
    answer = say(place, new, "m2", kind="application/soap+xml")
    assert etree.fromstring(answer.said).tag == f"{{{S12}}}Envelope"
    assert say(place, message(case("7", "Prys")), "m1").status == 200
    settle(place)
    assert held(place) == [("Prys", "second")]


def test_one_bad_case_of_a_message_costs_no_other(place: Place) -> None:
    say(place, message(case("7", "Prys", Status="nobody-knows"), case("8", "Rees")))
    say(place, message(case("9", "Morgan", changed="yesterday"), case("10", "Llwyd")), "m2")
    settle(place)
    assert held(place) == [("Llwyd", "first"), ("Rees", "first")]
    told = {(group.step, group.field): group.count for group in desk.attention(place.plant)}
    assert sum(told.values()) == 2
    assert ("read", "status") in told


def test_what_is_not_genuine_or_no_message_is_a_fault_and_is_not_kept(place: Place) -> None:
    body = message(case("7", "Prys"))
    for what, answer, status, code in (
        ("forged", say(place, body, secret="a-guess-of-sixteen-signs"), 401, "soap:Client"),
        ("recorded long ago", say(place, body, at=1_700_000_000.0), 401, "soap:Client"),
        ("another operation", say(place, body.replace(b"caseChanged", b"caseDropped")), 500, "soap:Client"),
        ("cut off", say(place, body[:-9]), 500, "soap:Client"),
    ):
        assert answer.status == status, what
        assert inside(answer).findtext("faultcode") == code, what
        assert b"Prys" not in answer.said, what
    assert say(place, body, kind="application/json").status == 415
    entity = b'<!DOCTYPE s [<!ENTITY e SYSTEM "file:///etc/hostname">]>' + body.replace(b"Prys", b"&e;")
    assert say(place, entity).status == 500
    assert place.rows(pushed) == []
    place.plant.ledger.lost.set()
    away = say(place, body)
    place.plant.ledger.lost.clear()
    assert (away.status, away.getheader("Retry-After")) == (503, "30")
    assert inside(away).findtext("faultcode") == "soap:Server"
    assert inside(say(place, body)).tag != f"{{{S11}}}Fault"
