"""NHS MESH: what waits is read once and acknowledged when it is written down; what is sent is sent once."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.errors import ConnectorError, Unauthorised, Unknown, Unreachable
from connectors.login_settings import MeshLogin
from connectors.mesh_token import MeshToken, token
from connectors.port import Item, UnreadableItem
from connectors.problems import ProfileFaults
from sandbox.mesh import Mesh
from tests.connectors.mesh.conftest import AT, OURS, THEIRS, WORKFLOW, Held, referral


def body(*ids: str) -> bytes:
    return json.dumps(referral(ids[0])).encode()


def walk(connector: Any, cursor: str = "", between: Callable[[Any], None] = lambda _: None) -> list[Any]:
    items: list[Any] = []
    for _ in range(60):
        page = connector.changes("Referral", watermark="", cursor=cursor)
        between(page)
        items += page.items
        cursor = page.cursor
        if not cursor:
            return items
    raise AssertionError("the walk does not end")


def ids(items: list[Any]) -> list[str]:
    return [item.id for item in items]


# The token


def test_the_token_is_the_one_that_the_contract_describes() -> None:
    """The digest is openssl's: `openssl dgst -sha256 -hmac key` over mailbox:nonce:count:password:timestamp."""
    secrets = {"env:P": "pass", "env:K": "key"}
    told = {"mailbox": "X26AB1234", "password": "env:P", "shared_key": "env:K"}
    login = MeshLogin.model_validate(told, context={"secret": secrets.__getitem__})
    assert token(login, "bd0e2bd5-218e-41d0-83a9-73fdec414803", 0, "202005041305") == (
        "NHSMESH X26AB1234:bd0e2bd5-218e-41d0-83a9-73fdec414803:0:202005041305:"
        "52d19949f2382eaf6ae855837998f554730bc8539f8c03321bff8bd904613c93"
    )


def test_no_token_is_used_twice_and_none_is_shown(open_one: Any, held: Held) -> None:
    connector = open_one()
    walk(connector)
    walk(connector)
    told = [call.headers["authorization"] for call in held.calls]
    assert len(told) == len(set(told)) > 2
    assert "gwenynen" not in repr(connector) + repr(connector._settings) + repr(
        MeshToken(connector._settings.login.mesh)
    )


def test_a_wrong_password_pauses_the_connection(open_one: Any) -> None:
    with pytest.raises(Unauthorised) as told:
        open_one(password="anghywir").changes("Referral", watermark="")
    assert "anghywir" not in str(told.value)


def test_a_clock_that_is_hours_wrong_is_refused(open_one: Any, now: dict[str, datetime]) -> None:
    now["now"] = datetime.now(UTC) + timedelta(hours=3)
    with pytest.raises(Unauthorised):
        open_one().changes("Referral", watermark="")


def test_without_our_certificate_nobody_speaks_to_us(open_one: Any) -> None:
    with pytest.raises((Unreachable, Unknown)):
        open_one(client_certificate=None, client_key=None).changes("Referral", watermark="")


def test_another_way_to_log_in_is_refused(open_one: Any) -> None:
    with pytest.raises(ProfileFaults, match=r"login\.mesh"):
        open_one(login={"basic": {"username": "a", "password": "env:SHARED"}})


# Receiving


@pytest.mark.parametrize("number", [0, 1, 5])
def test_what_waits_is_read_in_order_and_acknowledged_behind_its_page(open_one: Any, mesh: Mesh, number: int) -> None:
    for at in range(number):
        mesh.put(THEIRS, OURS, WORKFLOW, body(f"r{at}"))
    handed: set[str] = set()
    early: list[str] = []

    def look(page: Any) -> None:
        early.extend(set(mesh.acknowledged) - handed)
        handed.update(mesh.boxes[OURS].inbox[: len(handed) + 1])

    assert ids(walk(open_one(), between=look)) == [f"r{at}" for at in range(number)]
    assert early == []
    assert (len(mesh.acknowledged), mesh.boxes[OURS].inbox) == (number, [])


def test_a_process_that_died_shows_it_again_or_acknowledges_later(open_one: Any, mesh: Mesh) -> None:
    mesh.put(THEIRS, OURS, WORKFLOW, body("r1"))
    kept = open_one().changes("Referral", watermark="").cursor
    assert mesh.acknowledged == []
    assert ids(walk(open_one())[:1]) == ["r1"], "nothing was written down: it is shown again"
    mesh.put(THEIRS, OURS, WORKFLOW, body("r2"))
    assert ids(walk(open_one(), kept)) == ["r2"], "it was written down: acknowledged once more, which does no harm"


def test_more_than_one_answer_of_the_list_holds_is_read(open_one: Any, mesh: Mesh) -> None:
    mesh.page = 2
    for at in range(7):
        mesh.put(THEIRS, OURS, "OTHER" if at % 2 else WORKFLOW, body(f"r{at}"))
    assert ids(walk(open_one())) == ["r0", "r2", "r4", "r6"]
    assert len(mesh.boxes[OURS].inbox) == 3, "what is of another workflow stays for whoever takes it"


def test_a_message_in_chunks_is_put_together_and_unpacked(open_one: Any, mesh: Mesh) -> None:
    whole = json.dumps(referral("r1", "x" * 5_000)).encode()
    parts = [whole[:2_000], whole[2_000:4_000], whole[4_000:]]
    message = mesh.put(THEIRS, OURS, WORKFLOW, *map(gzip.compress, parts))
    message.encodings = {1: "gzip", 2: "gzip", 3: "gzip"}
    mesh.put(THEIRS, OURS, WORKFLOW, *map(gzip.compress, [whole.replace(b"r1", b"r2")]))  # packed, and nobody says so
    first, second = walk(open_one())
    assert (first.id, len(first.record["name"]), second.id) == ("r1", 5_000, "r2")


def test_a_message_that_lacks_a_chunk_stays_in_the_inbox_and_is_told(open_one: Any, mesh: Mesh) -> None:
    broken = mesh.put(THEIRS, OURS, WORKFLOW, b"{", b"}")
    broken.of = 3
    mesh.put(THEIRS, OURS, WORKFLOW, body("r2"))
    first, second = walk(open_one())
    assert (type(first), first.id, second.id) == (UnreadableItem, broken.id, "r2")
    assert mesh.boxes[OURS].inbox == [broken.id]


@pytest.mark.parametrize("how", ["packed", "in chunks", "in one"])
def test_a_message_too_long_to_be_read_stays_and_the_rest_goes_on(open_one: Any, mesh: Mesh, how: str) -> None:
    whole = b'"' + b"x" * 3_000_000 + b'"'
    parts = {
        "packed": [gzip.compress(whole)],
        "in chunks": [whole[:1_500_000], whole[1_500_000:], b" "],
        "in one": [whole],
    }
    long = mesh.put(THEIRS, OURS, WORKFLOW, *parts[how])
    mesh.put(THEIRS, OURS, WORKFLOW, body("r2"))
    first, second = walk(open_one(max_reply_bytes=2_000_000))
    assert (first.id, second.id) == (long.id, "r2")
    assert "max_reply_bytes" in first.reason
    assert mesh.boxes[OURS].inbox == [long.id], "it can be read once the limit is higher"


@pytest.mark.parametrize(
    ("how", "sent", "found"),
    [
        (
            {"format": "json-lines"},
            b'{"id": "a", "name": "A", "at": "%s"}\n{"id": 7\n{"id": "c", "name": "C", "at": "%s"}\n',
            "a?c",
        ),
        ({"format": "csv"}, b"id,name,at\na,A,%s\nb,B\nc,C,%s\n", "a?c"),
        (
            {"format": "csv", "csv": {"delimiter": "|"}, "encoding": "windows-1252"},
            b"id|name|at\na|\xca|%s\nc|C|%s\n",
            "ac",
        ),
        (
            {"format": "xml", "items": "R"},
            b"<X><R><id>a</id><name>A</name><at>%s</at></R><R><id>c</id><name>C</name><at>%s</at></R></X>",
            "ac",
        ),
    ],
)
def test_a_message_may_be_a_file_of_many_records(open_one: Any, mesh: Mesh, how: Any, sent: bytes, found: str) -> None:
    mesh.put(THEIRS, OURS, WORKFLOW, sent.replace(b"%s", AT.encode()))
    connector = open_one(changes={**how, "of": 2})
    items = walk(connector)
    assert "".join(item.id or "?" for item in items) == found
    assert len(mesh.acknowledged) == 1, "one message is acknowledged once, behind its last record"
    for item in items:
        if isinstance(item, Item):
            again = connector.parse("Referral", item.raw, id=item.id)
            assert isinstance(again, Item)
            assert again.record == item.record


def test_a_long_file_goes_on_in_another_process(open_one: Any, mesh: Mesh) -> None:
    rows = b"".join(b"r%d,N,%s\n" % (at, AT.encode()) for at in range(7))
    mesh.put(THEIRS, OURS, WORKFLOW, b"id,name,at\n" + rows)
    how = {"format": "csv", "of": 3}
    page = open_one(changes=how).changes("Referral", watermark="")
    assert ids(page.items) == ["r0", "r1", "r2"]
    assert ids(walk(open_one(changes=how), page.cursor)) == ["r3", "r4", "r5", "r6"]


@pytest.mark.parametrize(
    ("how", "sent"),
    [
        ({"format": "csv"}, b'id,name,at\n"a,A'),
        ({"format": "csv", "control": {"trailer": {"first": "TRL", "count": 2}}}, b"id,name,at\na,A,b\nTRL,2,\n"),
        ({"format": "xml", "items": "R"}, b'<!DOCTYPE x [<!ENTITY a "b">]><X><R>&a;</R></X>'),
        ({"format": "json"}, b"\xff\xfe{"),
        ({"format": "json"}, b"<html>"),
    ],
)
def test_a_message_that_cannot_be_read_is_kept_with_its_bytes_and_acknowledged(
    open_one: Any, mesh: Mesh, how: Any, sent: bytes
) -> None:
    mesh.put(THEIRS, OURS, WORKFLOW, sent)
    (item,) = walk(open_one(changes=how))
    assert isinstance(item, UnreadableItem)
    assert item.raw == sent
    assert len(mesh.acknowledged) == 1


def test_one_message_that_is_not_given_keeps_none_behind_it(open_one: Any, mesh: Mesh, strike: Any) -> None:
    for id in ("r1", "r2"):
        mesh.put(THEIRS, OURS, WORKFLOW, body(id))
    strike(error_before={"operations": ["get"], "times": 3, "status": 500})
    first, second = walk(open_one())
    assert (type(first), second.id) == (UnreadableItem, "r2")
    assert mesh.boxes[OURS].inbox == [first.id]
    assert ids(walk(open_one())) == ["r1"]


@pytest.mark.parametrize("fault", ["reset_before", "reset_after", "truncated"])
def test_trouble_while_reading_loses_nothing(open_one: Any, mesh: Mesh, strike: Any, fault: str) -> None:
    for id in ("r1", "r2"):
        mesh.put(THEIRS, OURS, WORKFLOW, body(id))
    strike(**{fault: {"times": 4}})
    cursor, items = "", []
    for _ in range(30):
        try:
            page = open_one().changes("Referral", watermark="", cursor=cursor)
        except ConnectorError:
            continue
        items += page.items
        cursor = page.cursor
        if not cursor:
            break
    assert set(ids(items)) == {"r1", "r2"}
    assert mesh.boxes[OURS].inbox == []


def test_a_report_that_ours_was_not_delivered_is_for_a_person(open_one: Any, mesh: Mesh) -> None:
    connector = open_one()
    sent = connector.deliver("Referral", referral("r1"), key="K1")
    mesh.expire(sent.id)
    (item,) = walk(connector)
    assert isinstance(item, UnreadableItem)
    assert item.id == sent.id, "told under the number by which the delivery is known"
    assert (
        item.reason == "Referral: MESH did not deliver a message that we sent: it was not collected in time (code 14)"
    )
    assert b"mex-localid: K1" in item.raw.lower().replace(b"k1", b"K1")
    assert mesh.boxes[OURS].inbox == []
    assert connector.find("Referral", "K1") == [], "so it may be sent again"


def test_the_mailbox_is_validated_once_a_day(open_one: Any, mesh: Mesh) -> None:
    connector = open_one()
    walk(connector)
    walk(connector)
    assert mesh.boxes[OURS].handshakes == 1


# The whole


def test_doctor_says_how_the_mailbox_is_and_takes_nothing(open_one: Any, mesh: Mesh) -> None:
    mesh.put(THEIRS, OURS, WORKFLOW, body("r1"))
    findings = open_one().doctor()
    assert all(finding.well for finding in findings), findings
    assert findings[-1].words == "1 messages wait; none was taken"
    assert len(mesh.boxes[OURS].inbox) == 1
    assert "compare mailbox" in open_one(password="anghywir").doctor()[-1].remedy


def test_the_calls_are_those_of_the_contract(open_one: Any, mesh: Mesh, held: Held) -> None:
    """`held` fails each test whose calls or answers are not as the contract says; here every kind of call is made."""
    connector = open_one(create={"compress": False}, chunk_bytes=1_000)
    mesh.put(THEIRS, OURS, WORKFLOW, b'{"id": "r1", "name": "A",', b' "at": "' + AT.encode() + b'"}')
    walk(connector)
    connector.deliver("Referral", referral("r1", "x" * 3_500), key="K1")
    connector.find("Referral", "K1")
    made = {
        f"{method} {path.removeprefix('/messageexchange/{mailbox_id}')} {status}" for method, path, status in held.seen
    }
    assert made >= {
        "POST  200", "GET /inbox 200", "HEAD /inbox/{message_id} 200", "GET /inbox/{message_id} 206",
        "GET /inbox/{message_id}/{chunk_number} 200", "PUT /inbox/{message_id}/status/acknowledged 200",
        "POST /outbox 202", "POST /outbox/{message_id}/{chunk_number} 202", "GET /outbox/tracking/{local_id} 200",
    }  # fmt: skip
