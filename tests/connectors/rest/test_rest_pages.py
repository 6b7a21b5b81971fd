"""Pages from small servers that lie, break off, drip, redirect and nest: each vice has a named error."""

from __future__ import annotations

import gzip
import json
import re
import time
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest

from connectors.errors import (
    Misconfigured,
    PageUnreadable,
    Unknown,
)
from connectors.port import Item, UnreadableItem

AT = "2026-03-02T09:15:00Z"
NAME = "Blodeuwedd-Gwenllian"


def thing(id: str = "1", **more: Any) -> dict[str, Any]:
    return {"id": id, "at": AT, **more}


def listing(*things: Any, next: Any = None) -> bytes:
    return json.dumps({"things": things, "next": next}).encode()


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
    assert time.monotonic() - began < 4


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
def test_a_next_link_that_leaves_the_url_is_refused(
    profile: Any, small: Any, answer: Any, connect: Any, which: int
) -> None:
    canary = small(lambda _: answer(200, listing()))
    profile["records"]["Thing"]["changes"]["page"] |= {"is": "link"}
    server = small(lambda _: answer(200, listing(thing(), next=links(canary.url, server.url)[which])))
    connector = connect(server.url + "/api", profile)
    with pytest.raises(Misconfigured, match="next page"):
        connector.changes("Thing", watermark="")
    assert canary.calls == []
    assert len(server.calls) == 1


def test_links_are_followed_within_the_url(profile: Any, small: Any, answer: Any, connect: Any) -> None:
    profile["records"]["Thing"]["changes"]["page"] |= {"is": "link"}

    def give(call: Any) -> Any:
        return answer(200, listing(thing("2")) if "p=2" in call.path else listing(thing(), next="things?p=2&limit=50"))

    server = small(give)
    connector = connect(server.url + "/api", profile)
    page = connector.changes("Thing", watermark="")
    more = connector.changes("Thing", watermark="", cursor=page.cursor, limit=1)
    assert more.items[0].id == "2"
    assert server.calls[1].path == "/api/things?p=2&limit=1"


def test_a_link_header_leads_on_also_past_an_unreadable_body(
    profile: Any, small: Any, answer: Any, connect: Any
) -> None:
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


def test_stamps_without_offset_follow_the_profiles_clock(openapi: Any, connect: Any, small: Any, answer: Any) -> None:
    openapi["components"]["schemas"]["Thing"]["properties"]["at"] = {"type": "string"}
    stamps = ["2026-10-25T00:30:00", "2026-10-25T01:30:00", "2026-07-01T12:00:00", "2026-01-01T12:00:00"]
    server = small(lambda _: answer(200, listing(*(thing(str(n), at=at) for n, at in enumerate(stamps)))))
    items = connect(server.url, openapi=openapi).changes("Thing", watermark="").items
    hours = [(item.modified.hour, item.modified.minute) for item in items]
    assert hours == [(23, 30), (0, 30), (11, 0), (12, 0)], "of the doubled hour the earlier one is taken"


@pytest.mark.parametrize("place", ["cursor", "watermark"])
def test_a_kept_place_that_is_not_ours_is_named(served: Any, place: str) -> None:
    for wrong in ("{", "[1]", "yesterday", "2026-01-01T00:00:00"):
        told = {"watermark": "", "cursor": ""} | {place: wrong}
        with pytest.raises(Misconfigured, match="kept"):
            served(listing()).changes("Thing", **told)
