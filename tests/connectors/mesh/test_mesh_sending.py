"""NHS MESH: what is sent is sent once, under our reference, and never half."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from connectors.errors import ConnectorError, Misconfigured, Rejected, Throttled, Unknown
from connectors.http import Reply
from connectors.mesh import client
from connectors.port import Tier
from sandbox.mesh import Mesh
from tests.connectors.mesh.conftest import AT, THEIRS, referral


def test_a_record_is_sent_once_with_our_reference(open_one: Any, mesh: Mesh) -> None:
    connector = open_one()
    assert connector.tier("Referral") is Tier.SEARCHABLE
    receipt = connector.deliver("Referral", referral("r1"), key="K1")
    message = mesh.messages[receipt.id]
    assert (receipt.effect, message.to, message.headers["mex-localid"]) == ("created", THEIRS, "K1")
    assert (message.headers["mex-workflowid"], message.encodings[1]) == ("ASC_ANSWER", "gzip")
    assert json.loads(gzip.decompress(message.chunks[1])) == referral("r1")
    (found,) = connector.find("Referral", "K1")
    assert (found.id, found.our_key, found.record["status"]) == (receipt.id, "K1", "Accepted")
    assert connector.find("Referral", "K2") == []


def test_what_is_longer_than_a_chunk_goes_in_several(open_one: Any, mesh: Mesh) -> None:
    connector = open_one(create={"compress": False}, chunk_bytes=1_000)
    receipt = connector.deliver("Referral", referral("r1", "x" * 3_500), key="K1")
    message = mesh.messages[receipt.id]
    assert (message.of, message.whole, mesh.boxes[THEIRS].inbox) == (4, True, [receipt.id])
    assert max(map(len, message.chunks.values())) <= 1_000
    assert json.loads(b"".join(message.chunks[at] for at in range(1, 5)))["name"] == "x" * 3_500


def test_a_message_that_was_half_sent_is_never_taken_for_sent(open_one: Any, mesh: Mesh, strike: Any) -> None:
    connector = open_one(create={"compress": False}, chunk_bytes=1_000)
    strike(reset_before={"operations": ["send chunk"], "times": 1})
    with pytest.raises(Unknown):
        connector.deliver("Referral", referral("r1", "x" * 3_500), key="K1")
    assert mesh.boxes[THEIRS].inbox == []
    with pytest.raises(Rejected, match="reached it whole"):
        connector.find("Referral", "K1")


def test_an_answer_that_was_lost_is_found_by_our_reference(open_one: Any, mesh: Mesh, strike: Any) -> None:
    connector = open_one()
    strike(reset_after={"times": 1})
    with pytest.raises(Unknown):
        connector.deliver("Referral", referral("r1"), key="K1")
    (found,) = connector.find("Referral", "K1")
    assert found.id == mesh.boxes[THEIRS].inbox[0]


def test_several_under_one_reference_are_for_a_person(open_one: Any) -> None:
    connector = open_one()
    for _ in range(2):
        connector.deliver("Referral", referral("r1"), key="K1")
    with pytest.raises(Rejected, match="several messages"):
        connector.find("Referral", "K1")


def test_what_changed_is_another_message_and_the_same_words_are_not_sent_twice(open_one: Any, mesh: Mesh) -> None:
    connector = open_one()
    first = connector.deliver("Referral", referral("r1"), key="K1")
    second = connector.deliver("Referral", referral("r1", "Eira"), key="K1", id=first.id)
    assert (second.id, second.effect) == (first.id, "updated")
    again = connector.deliver("Referral", referral("r1", "Eira"), key="K1", id=first.id)
    assert (again.effect, len(mesh.boxes[THEIRS].inbox)) == ("nothing", 2)
    assert [item.id for item in connector.find("Referral", "K1")] == [first.id]


@pytest.mark.parametrize(
    ("how", "sent"),
    [
        ({"format": "csv"}, b"id,name,at\r\nr1,Si\xc3\xa2n,2026-03-02T09:00:00Z\r\n"),
        (
            {"format": "xml", "items": "Referral"},
            b"<?xml version='1.0' encoding='utf-8'?>\n<Referral><id>r1</id><name>Si\xc3\xa2n</name>"
            b"<at>2026-03-02T09:00:00Z</at></Referral>",
        ),
    ],
)
def test_a_record_is_written_as_the_profile_says(open_one: Any, mesh: Mesh, how: Any, sent: bytes) -> None:
    receipt = open_one(create={**how, "compress": False}).deliver("Referral", referral("r1"), key="K1")
    assert mesh.messages[receipt.id].chunks[1] == sent


@pytest.mark.parametrize("how", [{"format": "csv"}, {"format": "json"}, {"format": "xml", "items": "R"}])
def test_what_cannot_be_written_is_refused_before_anything_is_sent(open_one: Any, mesh: Mesh, how: Any) -> None:
    broken = {"id": "r1", "name": float("nan") if how["format"] == "json" else {"a\x00b": ["\x00"]}, "at": AT}
    with pytest.raises(Rejected, match="nothing was sent"):
        open_one(create=how).deliver("Referral", broken, key="K1")
    assert mesh.messages == {}


def test_mesh_s_own_refusal_is_told_by_its_code(open_one: Any) -> None:
    with pytest.raises(Rejected, match=r"12: the receiving mailbox is not registered") as told:
        open_one(to="X26NOBODY").deliver("Referral", referral("r1"), key="K1")
    assert told.value.code == "12"


@pytest.mark.parametrize("said", ["Prydderch", "Siôn", "12 Heol y Bont", 12, None])
def test_what_is_no_code_of_the_contract_is_not_shown(said: Any) -> None:
    told = {"detail": [{"event": "SEND", "code": said, "msg": "Prydderch"}]}
    reply = Reply(417, {"Content-Type": "application/json"}, json.dumps(told).encode(), 0.0)
    with pytest.raises(Rejected) as caught:
        client._refuse(reply, "sending a message", one=True)
    assert (caught.value.code, str(caught.value)) == ("", "sending a message: HTTP 417 refuses what we sent")


@pytest.mark.parametrize(
    ("fault", "error"), [({"throttle": {"seconds": 7}}, Throttled), ({"error_before": {"status": 503}}, Unknown)]
)
def test_a_busy_or_unwell_exchange(open_one: Any, strike: Any, fault: Any, error: type[ConnectorError]) -> None:
    connector = open_one()
    strike(**fault)
    with pytest.raises(error):
        connector.deliver("Referral", referral("r1"), key="K1")


def test_a_connection_that_sends_names_the_receiver(open_one: Any) -> None:
    with pytest.raises(Misconfigured, match="to: no mailbox"):
        open_one(to=None)
