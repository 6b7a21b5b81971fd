"""The REST family against small servers that lie, break off, drip, redirect and nest: each vice has a named error."""

from __future__ import annotations

import copy
import gzip
import json
import re
import time
from collections.abc import Callable, Iterator
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
from connectors.port import Item, UnreadableItem
from connectors.registry import open_connector

OPENAPI = {
    "openapi": "3.1.0",
    "paths": {"/things": {}},
    "components": {
        "schemas": {
            "Thing": {
                "type": "object",
                "required": ["id", "at"],
                "properties": {
                    "id": {"type": "string"},
                    "at": {"type": "string", "format": "date-time"},
                    "born": {"oneOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
                    "name": {"type": "string", "maxLength": 5},
                    "kind": {"enum": ["A", "B"]},
                    "key": {"type": ["string", "null"]},
                    "version": {"type": "integer"},
                    "parts": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}}},
                },
                "additionalProperties": False,
            }
        }
    },
}
PROFILE: dict[str, Any] = {
    "system": "things",
    "protocol": "rest",
    "interface": "interfaces/things.json",
    "clock": "Europe/London",
    "records": {
        "Thing": {
            "component": "Thing",
            "item": {"id": "id", "modified": "at", "our_key": "key"},
            "changes": {
                "feed": "cursor",
                "path": "/things",
                "query": {"sort": "at"},
                "since": "since",
                "page": {"next": "next", "cursor": "after", "size": "limit", "of": 50, "at_most": 20},
                "items": "things[]",
                "overlap": "PT1M",
            },
            "fetch": {"path": "/things/{id}"},
            "create": {"method": "POST", "path": "/things", "our_key": "key", "key_header": "Idempotency-Key"},
            "update": {"method": "PUT", "path": "/things/{id}", "mode": "replace", "check": {"value": '"{version}"'}},
            "find": {"path": "/things", "by": "key", "items": "things[]"},
            "errors": {"taken": "duplicate", "503": "throttled"},
            "fault": {"code": "code", "field": "field", "existing": "id"},
        }
    },
}
AT = "2026-03-02T09:15:00Z"
NAME = "Blodeuwedd-Gwenllian"


def thing(id: str = "1", **more: Any) -> dict[str, Any]:
    return {"id": id, "at": AT, **more}


def listing(*things: Any, next: Any = None) -> bytes:
    return json.dumps({"things": things, "next": next}).encode()


@pytest.fixture
def connect(clock: Callable[[], datetime]) -> Iterator[Callable[..., Any]]:
    made: list[Any] = []

    def connect(url: str, profile: dict[str, Any] | None = None, openapi: Any = None, **settings: Any) -> Any:
        body = openapi if isinstance(openapi, bytes) else json.dumps(openapi or OPENAPI).encode()
        connector = open_connector(
            profile or PROFILE,
            {"url": url, "timeout_seconds": 5, **settings},
            interfaces=lambda _: body,
            clock=clock,
            secret=lambda reference: f"cyfrinach-{reference[4:]}",
        )
        made.append(connector)
        return connector

    yield connect
    for connector in made:
        connector.close()


@pytest.fixture
def served(small: Any, answer: Any, connect: Any) -> Callable[..., Any]:
    """Connects to a server that always gives this one answer."""

    def start(body: bytes, status: int = 200, headers: dict[str, str] | None = None, **more: Any) -> Any:
        shown = {"Content-Type": "application/json"} if headers is None else headers
        server = small(lambda _: answer(status, body, shown, **more))
        connector = connect(server.url + "/api")
        connector.server = server
        return connector

    return start


@pytest.mark.parametrize(
    ("body", "headers", "error", "words"),
    [
        (b"", None, Unknown, "no body"),
        (b"<html>Mewngofnodwch</html>", {"Content-Type": "text/html"}, Unknown, "text/html"),
        (b"<html>Mewngofnodwch</html>", None, PageUnreadable, "not valid JSON at character 0"),
        (listing(), {"Content-Type": "text/plain"}, Unknown, "text/plain"),
        (listing(), {}, Unknown, "without a content type"),
        (listing(), {"Content-Type": "application/json; charset=iso-8859-1"}, PageUnreadable, "not UTF-8"),
        (listing().decode().encode("utf-16"), None, PageUnreadable, "not valid JSON"),
        (listing(thing())[:-9], None, PageUnreadable, "not valid JSON"),
        (b"[" * 100_000, None, PageUnreadable, "nested too deep"),
        (b'{"things": [' + b"9" * 5000 + b'], "next": null}', None, PageUnreadable, "too long"),
        (b"[]", None, PageUnreadable, "at next"),
        (b'{"things": {"id": "1"}, "next": null}', None, PageUnreadable, "at things"),
        (b'{"things": null, "next": null}', None, PageUnreadable, "expected a list"),
        (b'{"things": []}', None, PageUnreadable, "at next"),
        (b'{"things": [], "next": {"href": "x"}}', None, PageUnreadable, "at next"),
    ],
)
def test_a_page_that_cannot_be_read(served: Any, body: bytes, headers: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words) as caught:
        served(body, headers=headers).changes("Thing", watermark="")
    assert caught.value.reply == body
    assert "Mewngofnodwch" not in str(caught.value)


@pytest.mark.parametrize(
    ("blemished", "words"),
    [
        (b'{"id": "2", "at": "x", "name": NaN}', "at name: a number that JSON does not have"),
        (b'{"id": "2", "at": "x", "name": -Infinity}', "at name: a number that JSON does not have"),
        (b'{"id": "2", "at": "x", "version": 1e999}', "at version: a number that JSON does not have"),
        (b'{"id": "2", "at": "x", "version": 99999999999999999999999}', "longer than 64 bits"),
        (b'{"id": "2", "id": "3", "at": "x"}', "a key stands twice"),
        (b'{"id": "2", "parts": [{"n": 1, "n": 2}]}', "at parts/0: a key stands twice"),
        (b'{"id": "2", "name": "Si\xe2n"}', "at name: text that is not valid UTF-8"),
        (b'{"id": "2", "name": "\\ud800"}', "at name: text that is not valid UTF-8"),
        (b'{"id": "2", "Blod euwedd": NaN}', "at [?]: a number"),
        (b'{"id": "2", "parts": ' + b"[" * 300 + b"]" * 300 + b"}", "nested deeper than 254"),
        (b'"2"', "at the top: expected object"),
        (b"null", "at the top: expected object"),
        (json.dumps({"id": "2"}).encode(), "at the top: at is missing"),
        (json.dumps(thing("2", at="02/03/2026")).encode(), "at at: expected a moment with offset"),
        (json.dumps(thing("2", at="2026-03-02T09:15:00")).encode(), "at at: expected a moment with offset"),
        (json.dumps(thing("2", born="31/12/1950")).encode(), "at born: expected a date or null"),
        (json.dumps(thing("2", born="2026-W01-1")).encode(), "at born: expected a date or null"),
        (json.dumps(thing("2", born=19501231)).encode(), "at born: expected a date or null"),
        (json.dumps(thing("2", name=True)).encode(), "at name: expected string"),
        (json.dumps(thing("2", kind=1)).encode(), "at kind: expected string"),
        (json.dumps(thing("2", parts=[{"n": 1}, {"n": NAME}])).encode(), "at parts/1/n: expected integer"),
        (json.dumps(thing("")).encode(), "at id: expected an id"),
        (json.dumps(thing("a\nb")).encode(), "at id: expected an id"),
    ],
)
def test_one_bad_record_touches_no_neighbour(served: Any, blemished: bytes, words: str) -> None:
    body = b'{"things": [' + json.dumps(thing("1")).encode() + b"," + blemished + b"," + listing(thing("3"))[12:]
    first, bad, last = served(body).changes("Thing", watermark="").items
    assert isinstance(first, Item)
    assert isinstance(last, Item)
    assert isinstance(bad, UnreadableItem)
    assert re.search(words, bad.reason), bad.reason
    assert NAME not in bad.reason
    assert "31/12" not in bad.reason
    assert bad.raw


def test_the_bytes_of_a_bad_record_are_kept(served: Any) -> None:
    (bad,) = served(b'{"things": [{"id": "2", "name": "Si\xe2n"}], "next": null}').changes("Thing", watermark="").items
    assert bad.raw == b'{"id": "2", "name": "Si\xe2n"}'
    assert bad.id == "2"


def test_codes_lengths_and_additions_are_left_to_the_mapping(served: Any) -> None:
    page = served(listing(thing(kind="Z", name="far too long", new="field"))).changes("Thing", watermark="")
    assert isinstance(page.items[0], Item)
    assert page.items[0].record["new"] == "field"


def test_a_byte_order_mark_is_no_fault(served: Any) -> None:
    assert len(served(b"\xef\xbb\xbf" + listing(thing())).changes("Thing", watermark="").items) == 1


def test_a_body_cut_at_any_byte_is_never_taken_for_a_whole_one(small: Any, answer: Any, connect: Any) -> None:
    whole = listing(thing("1"), thing("2"))
    cut = {"at": 0}
    server = small(lambda _: answer(200, whole[: cut["at"]], length=len(whole)))
    connector = connect(server.url, timeout_seconds=3)
    connector._sleep = lambda _: None
    for cut["at"] in range(0, len(whole), 7):
        with pytest.raises(Unknown):
            connector.changes("Thing", watermark="")


def test_a_dripping_body_ends_with_the_deadline(small: Any, answer: Any, connect: Any) -> None:
    server = small(lambda _: answer(200, listing(thing()), pause=0.2))
    began = time.monotonic()
    with pytest.raises(Unknown, match="1 seconds"):
        connect(server.url, timeout_seconds=1).changes("Thing", watermark="")
    assert time.monotonic() - began < 2


def test_a_bomb_of_gzip_is_not_unpacked(small: Any, answer: Any, connect: Any) -> None:
    packed = gzip.compress(b" " * 50_000_000)
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    server = small(lambda _: answer(200, packed, headers))
    with pytest.raises(PageUnreadable, match="max_reply_bytes"):
        connect(server.url).changes("Thing", watermark="")
    assert len(server.calls) == 1, "what is too large is not asked for again"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(small: Any, answer: Any, connect: Any, status: int) -> None:
    canary = small(lambda _: answer(200, listing()))
    server = small(lambda _: answer(status, b"", {"Location": canary.url + "/things"}))
    connector = connect(server.url, login={"api_key": {"header": "X-Api-Key", "key": "env:KEY"}})
    for call in (
        lambda: connector.changes("Thing", watermark=""),
        lambda: connector.deliver("Thing", thing(), key="k"),
    ):
        with pytest.raises((Misconfigured, Unknown)):
            call()
    assert canary.calls == []


def links(canary: str, own: str) -> list[str]:
    port = own.rsplit(":", 1)[1]
    host = canary.removeprefix("http://")
    return [
        canary + "/api/things?after=1",
        f"//{host}/api/things",
        f"http://127.0.0.1:{port}@{host}/api/things",
        f"http://2130706433:{host.rsplit(':')[1]}/api/things",
        f"http://[::ffff:127.0.0.1]:{port}/api/things",
        f"https://127.0.0.1:{port}/api/things",
        f"http://127.0.0.1:{port}/other/things",
        f"http://127.0.0.1:{port}/api/../other",
        f"http://127.0.0.1:{port}/api/%2e%2e/other",
        f"http://127.0.0.1:{port}/apix",
        f"http:\\\\{host}\\api\\things",
        "file:///etc/hostname",
        "http://[",
    ]


@pytest.mark.parametrize("which", range(13))
def test_a_next_link_that_leaves_the_url_is_refused(small: Any, answer: Any, connect: Any, which: int) -> None:
    canary = small(lambda _: answer(200, listing()))
    profile = copy.deepcopy(PROFILE)
    profile["records"]["Thing"]["changes"]["page"] |= {"is": "link"}
    server = small(lambda _: answer(200, listing(thing(), next=links(canary.url, server.url)[which])))
    connector = connect(server.url + "/api", profile)
    with pytest.raises(Misconfigured, match="next page"):
        connector.changes("Thing", watermark="")
    assert canary.calls == []
    assert len(server.calls) == 1


def test_links_are_followed_within_the_url(small: Any, answer: Any, connect: Any) -> None:
    profile = copy.deepcopy(PROFILE)
    profile["records"]["Thing"]["changes"]["page"] |= {"is": "link"}

    def give(call: Any) -> Any:
        return answer(200, listing(thing("2")) if "p=2" in call.path else listing(thing(), next="things?p=2&limit=50"))

    server = small(give)
    connector = connect(server.url + "/api", profile)
    page = connector.changes("Thing", watermark="")
    more = connector.changes("Thing", watermark="", cursor=page.cursor, limit=1)
    assert more.items[0].id == "2"
    assert server.calls[1].path == "/api/things?p=2&limit=1"


def test_a_link_header_leads_on_also_past_an_unreadable_body(small: Any, answer: Any, connect: Any) -> None:
    profile = copy.deepcopy(PROFILE)
    profile["records"]["Thing"]["changes"]["page"] = {"next_header": "Link", "is": "link", "size": "limit", "of": 2}
    headers = {
        "Content-Type": "application/json",
        "Link": '</api/things?p=0>; rel="prev", </api/things?p=2>; title="next"; rel="next"',
    }

    def give(call: Any) -> Any:
        return answer(200, listing(thing("2"))) if "p=2" in call.path else answer(200, b"{{{", headers)

    connector = connect(small(give).url + "/api", profile)
    with pytest.raises(PageUnreadable):
        connector.changes("Thing", watermark="")
    behind = connector.skip("Thing", watermark="", cursor="")
    page = connector.changes("Thing", watermark="", cursor=behind)
    assert ([item.id for item in page.items], page.cursor) == (["2"], "")


def test_a_feed_that_leads_in_a_circle_or_never_ends_is_noticed(small: Any, answer: Any, connect: Any) -> None:
    circle = {"": "a", "a": "b", "b": "c", "c": "a"}

    def round_and_round(call: Any) -> Any:
        return answer(200, listing(next=circle[call.path.partition("after=")[2][:1]]))

    count = iter(range(1000))
    for give, words in (
        (round_and_round, "given before"),
        (lambda _: answer(200, listing(next=next(count))), "goes on after 20 pages"),
    ):
        connector, cursor = connect(small(give).url), ""
        with pytest.raises(PageUnreadable, match=words):
            for _ in range(30):
                cursor = connector.changes("Thing", watermark="", cursor=cursor).cursor


def test_what_is_asked_for_a_page(small: Any, answer: Any, connect: Any) -> None:
    server = small(lambda _: answer(200, listing()))
    connect(server.url + "/api/").changes("Thing", watermark="2026-03-29T01:30:00.750000+01:00", limit=7)
    assert server.calls[0].path == "/api/things?sort=at&since=2026-03-29T00%3A29%3A00Z&limit=7"


def test_a_stamp_from_the_future_does_not_hide_what_comes_before_it(small: Any, answer: Any, connect: Any) -> None:
    now = datetime.now(UTC)
    body = listing(thing("1"), thing("2", at="2099-01-01T00:00:00Z"))
    headers = {"Content-Type": "application/json", "Date": format_datetime(now, usegmt=True)}
    server = small(lambda _: answer(raw=_raw(body, headers)))
    page = connect(server.url).changes("Thing", watermark="")
    assert page.watermark == "2026-03-02T09:15:00.000000+00:00"
    assert [item.id for item in page.items] == ["1", "2"]


def _raw(body: bytes, headers: dict[str, str]) -> bytes:
    lines = [f"{name}: {value}" for name, value in {**headers, "Content-Length": str(len(body))}.items()]
    return ("HTTP/1.1 200 OK\r\n" + "\r\n".join(lines) + "\r\n\r\n").encode() + body


def test_stamps_without_offset_follow_the_profiles_clock(served: Any, connect: Any, small: Any, answer: Any) -> None:
    openapi = copy.deepcopy(OPENAPI)
    openapi["components"]["schemas"]["Thing"]["properties"]["at"] = {"type": "string"}  # type: ignore[index]
    stamps = ["2026-10-25T00:30:00", "2026-10-25T01:30:00", "2026-07-01T12:00:00", "2026-01-01T12:00:00"]
    server = small(lambda _: answer(200, listing(*(thing(str(n), at=at) for n, at in enumerate(stamps)))))
    items = connect(server.url, openapi=openapi).changes("Thing", watermark="").items
    hours = [(item.modified.hour, item.modified.minute) for item in items]
    assert hours == [(23, 30), (0, 30), (11, 0), (12, 0)], "of the doubled hour the earlier one is taken"


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


@pytest.mark.parametrize("place", ["cursor", "watermark"])
def test_a_kept_place_that_is_not_ours_is_named(served: Any, place: str) -> None:
    for wrong in ("{", "[1]", "yesterday", "2026-01-01T00:00:00"):
        told = {"watermark": "", "cursor": ""} | {place: wrong}
        with pytest.raises(Misconfigured, match="kept"):
            served(listing()).changes("Thing", **told)
