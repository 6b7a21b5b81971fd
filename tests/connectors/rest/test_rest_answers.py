"""Answers of every kind to writes and look-ups: what each means, and what of it is shown."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from connectors.errors import (
    ConnectorError,
    Duplicate,
    Misconfigured,
    NotThere,
    Outdated,
    PageUnreadable,
    Rejected,
    Throttled,
    Unauthorised,
    Unknown,
    Unreachable,
)

AT = "2026-03-02T09:15:00Z"
NAME = "Blodeuwedd-Gwenllian"


def thing(id: str = "1", **more: Any) -> dict[str, Any]:
    return {"id": id, "at": AT, **more}


def listing(*things: Any, next: Any = None) -> bytes:
    return json.dumps({"things": things, "next": next}).encode()


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, b"{}", Rejected),
        (401, b"{}", Unauthorised),
        (403, b"", Unauthorised),
        (404, b'{"code": "none"}', NotThere),
        (404, b"<html>IIS</html>", Misconfigured),
        (408, b"", Unknown),
        (409, b"{}", Rejected),
        (409, b'{"code": "taken", "id": 17}', Duplicate),
        (412, b"{}", Outdated),
        (422, b'{"code": "bad", "field": "parts/0/n"}', Rejected),
        (429, b"{}", Throttled),
        (500, b"{}", Unknown),
        (502, b"<html>", Unknown),
        (503, b"{}", Throttled),
        (504, b"", Unknown),
        (304, b"", Unknown),
        (202, b"{}", Unknown),
        (202, b'{"id": "1"}', Unknown),
        (200, b"<html>", Unknown),
        (200, b"", Unknown),
        (200, b"{}", Unknown),
        (200, b'{"id": "2"}', Unknown),
        (200, b'{"id": "1", "id": "1"}', Unknown),
    ],
)
def test_what_an_answer_to_an_update_means(served: Any, status: int, body: bytes, error: type[ConnectorError]) -> None:
    connector = served(body, status)
    with pytest.raises(error) as caught:
        connector.deliver("Thing", thing(name=NAME), key="k", id="1", version="7")
    assert type(caught.value) is error
    assert len(connector.server.calls) == 1, "a write is sent once"
    assert NAME not in str(caught.value)
    assert connector.server.calls[0].headers["if-match"] == '"7"'
    if isinstance(caught.value, Duplicate):
        assert caught.value.existing == "17"
    if status == 422:
        assert caught.value.field == "parts/0/n"  # type: ignore[attr-defined]


def test_a_field_or_code_that_may_be_a_value_is_not_shown(served: Any) -> None:
    body = json.dumps({"code": NAME + " 1941", "field": NAME}).encode()
    with pytest.raises(Rejected) as caught:
        served(body, 422).deliver("Thing", thing(), key="k")
    assert (caught.value.code, caught.value.field) == ("", "")
    assert NAME not in str(caught.value) + repr(caught.value)
    assert NAME.encode() in caught.value.reply


@pytest.mark.parametrize(
    ("told", "after"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "999999"}, 3600),
        ({"Retry-After": "soon"}, None),
        ({}, None),
        (timedelta(seconds=90), 90),
        (timedelta(seconds=-90), 0),
    ],
)
def test_how_long_to_wait(served: Any, told: Any, after: float | None) -> None:
    if isinstance(told, timedelta):
        told = {"Retry-After": format_datetime(datetime.now(UTC) + told, usegmt=True)}
    with pytest.raises(Throttled) as caught:
        served(b"{}", 429, {"Content-Type": "application/json", **told}).changes("Thing", watermark="")
    assert caught.value.after == (after if after is None else pytest.approx(after, abs=10))


def test_where_the_id_of_a_new_record_is_read(served: Any) -> None:
    made = served(b'{"id": "5", "key": "k"}', 201, {"Content-Type": "application/json", "ETag": 'W/"v1"'})
    receipt = made.deliver("Thing", thing(), key="k")
    assert (receipt.id, receipt.version, receipt.effect) == ("5", "v1", "created")
    call = made.server.calls[0]
    assert json.loads(call.body)["key"] == "k"
    assert call.headers["idempotency-key"] == "k"
    located = served(b"", 201, {"Location": "http://127.0.0.1/api/things/a%2Fb"})
    assert located.deliver("Thing", thing(), key="k").id == "a/b"
    for location in ("http://127.0.0.1/api/things", "/elsewhere/things/5", "/api/things/5/parts"):
        with pytest.raises(Unknown, match="names no record"):
            served(b"", 201, {"Location": location}).deliver("Thing", thing(), key="k")
    with pytest.raises(Unknown, match="another key"):
        served(b'{"id": "5", "key": "other"}', 201).deliver("Thing", thing(), key="k")


def test_an_update_without_a_body_in_the_answer(served: Any) -> None:
    receipt = served(b"", 204, {"ETag": '"8"'}).deliver("Thing", thing(), key="k", id="1", version="7")
    assert (receipt.id, receipt.effect, receipt.version) == ("1", "updated", "8")


def test_the_etag_is_the_version_where_no_field_is(served: Any) -> None:
    item = served(json.dumps(thing()).encode(), headers={"Content-Type": "application/json", "ETag": '"v9"'}).fetch(
        "Thing", "1"
    )
    assert item.version == "v9"


def test_a_search_that_finds_what_is_merely_like_our_key_finds_nothing(served: Any) -> None:
    found = served(listing(thing("1", key="dolen-10"), thing("2", key="dolen-1"))).find("Thing", "dolen-1")
    assert [item.id for item in found] == ["2"]


def test_a_record_that_cannot_be_read_whole_is_an_error_where_it_was_asked_for(served: Any) -> None:
    with pytest.raises(PageUnreadable, match="at born"):
        served(json.dumps(thing(born="31/12/1950")).encode()).fetch("Thing", "1")


@pytest.mark.parametrize("wrong", [{"name": float("nan")}, {"name": "\ud800"}, {"name": object()}])
def test_what_json_cannot_hold_is_not_sent(served: Any, wrong: Any) -> None:
    connector = served(b"{}")
    with pytest.raises(Rejected, match="nothing was sent"):
        connector.deliver("Thing", wrong, key="k")
    assert connector.server.calls == []


def test_a_key_or_version_that_no_header_can_carry_is_not_sent(served: Any) -> None:
    connector = served(b"{}")
    for call in (
        lambda: connector.deliver("Thing", thing(), key="a\r\nX: b"),
        lambda: connector.deliver("Thing", thing(), key="k", id="1", version="é"),
    ):
        with pytest.raises(Rejected):
            call()
    assert connector.server.calls == []


def test_nobody_there_is_unreachable_and_tried_again(connect: Any, small: Any, answer: Any) -> None:
    server = small(lambda _: answer())
    url = server.url
    server.close()
    began = time.monotonic()
    with pytest.raises(Unreachable, match="refuses connections"):
        connect(url).deliver("Thing", thing(), key="k")
    with pytest.raises(Unreachable):
        connect(url).changes("Thing", watermark="")
    assert time.monotonic() - began < 5


def test_a_system_that_names_its_own_waiting_time_is_not_pressed(small: Any, answer: Any, connect: Any) -> None:
    headers = {"Content-Type": "application/json", "Retry-After": "30"}
    server = small(lambda _: answer(502, b"{}", headers))
    with pytest.raises(Unknown):
        connect(server.url).changes("Thing", watermark="")
    assert len(server.calls) == 1


def test_codes_are_asked_for(small: Any, answer: Any, connect: Any, profile: dict[str, Any]) -> None:
    asked: list[str] = []

    def lists(request: Any) -> Any:
        asked.append(request.path)
        return answer(200, bodies.pop(0), {"Content-Type": "application/json"})

    bodies = [b'{"codes": [{"c": "A", "w": "Cyntaf"}, {"c": 2, "w": null}, {}]}', b'{"codes": 1}']
    told = {"path": "/lists/kind", "query": {"all": "yes"}, "items": "codes[]", "code": "c", "cy": "w"}
    profile["records"]["Thing"]["lookups"] = {"kind": told}
    things = connect(small(lists).url + "/api", profile)
    assert things.lookups("Thing") == ("kind",)
    assert [(one.code, one.cy, one.en) for one in things.codes("Thing", "kind")] == [
        ("A", "Cyntaf", ""), ("2", "", ""), ("", "", ""),
    ]  # fmt: skip
    assert asked == ["/api/lists/kind?all=yes"]
    with pytest.raises(PageUnreadable, match="expected a list of codes"):
        things.codes("Thing", "kind")
    with pytest.raises(Misconfigured, match="no look-up of name"):
        things.codes("Thing", "name")
