"""Rows 9, 16, 17, 19 and 25 of docs/catalogue.md for systems that speak REST.

A small server plays the system of things. What matters most is what a bad answer is *not* taken for: a page, a record,
or the word that nothing is there.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from connectors.errors import ConnectorError, Misconfigured, PageUnreadable, Rejected, Throttled, Unknown
from connectors.port import Item, UnreadableItem

AT = "2026-03-02T09:15:00Z"
JSON = {"Content-Type": "application/json"}


def thing(id: str = "1", **more: Any) -> dict[str, Any]:
    return {"id": id, "at": AT, **more}


def listing(*things: Any) -> bytes:
    return json.dumps({"things": things, "next": None}).encode()


def chunked(body: bytes, *, whole: bool) -> bytes:
    """One answer in chunks, with the last chunk or without it."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + (b"%x\r\n%s\r\n" % (len(body), body) if body else b"") + (b"0\r\n\r\n" if whole else b"")


# How a body can be cut: the length tells, nothing tells but the JSON itself, or the last chunk is missing.
CUTS: dict[str, Callable[[Any, bytes, int], Any]] = {
    "shorter than its length": lambda answer, whole, at: answer(200, whole[:at], length=len(whole)),
    "cut and well measured": lambda answer, whole, at: answer(200, whole[:at]),
    "cut in chunks": lambda answer, whole, at: answer(raw=chunked(whole[:at], whole=False)),
    "cut, in whole chunks": lambda answer, whole, at: answer(raw=chunked(whole[:at], whole=True)),
    "cut where the connection ends": lambda answer, whole, at: answer(
        raw=b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + whole[:at]
    ),
}


@pytest.mark.parametrize("how", CUTS)
def test_row_9_a_page_cut_at_any_byte_is_refused_whole(small: Any, answer: Any, connect: Any, how: str) -> None:
    whole, cut = listing(thing("1"), thing("2")), [0]
    server = small(lambda _: CUTS[how](answer, whole, cut[0]))
    connector = connect(server.url)
    connector._sleep = lambda _: None
    for cut[0] in range(len(whole)):
        with pytest.raises((Unknown, PageUnreadable)):
            connector.changes("Thing", watermark=AT)
    cut[0] = len(whole)
    if "well measured" in how or "whole chunks" in how:
        assert len(connector.changes("Thing", watermark=AT).items) == 2


def test_row_9_an_answer_cut_at_any_byte_of_its_head_is_refused(small: Any, answer: Any, connect: Any) -> None:
    whole, cut = listing(thing("1")), [0]
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(whole)
    server = small(lambda _: answer(raw=(head + whole)[: cut[0]]))
    connector = connect(server.url)
    connector._sleep = lambda _: None
    for cut[0] in range(len(head)):
        with pytest.raises(Unknown):
            connector.changes("Thing", watermark="")


class Things:
    """A system that keeps things and can be searched by our key: what it does is told apart from what it says."""

    def __init__(self, small: Any, answer: Any) -> None:
        self.made: list[tuple[float, dict[str, Any]]] = []  # from when it can be seen, and what
        self.late, self.says, self.pause = 0.0, answer(500), 0.0
        self._answer = answer
        self.posts = 0
        self.closing = threading.Event()
        self.url = small(self._on).url + "/api"

    def _on(self, call: Any) -> Any:
        if call.method == "POST":
            self.posts += 1
            self.made.append(
                (time.monotonic() + self.late, {**thing(str(len(self.made) + 1)), **json.loads(call.body)})
            )
            self.closing.wait(self.pause)
            return self.says
        key = call.path.partition("key=")[2]
        seen = [one for since, one in self.made if since <= time.monotonic() and one.get("key") == key]
        return self._answer(200, listing(*seen))


@pytest.fixture
def things(small: Any, answer: Any) -> Any:
    made = Things(small, answer)
    yield made
    made.closing.set()


# What a system may say that has done what was asked.
DONE_AND: dict[str, Callable[[Any], Any]] = {
    "500": lambda answer: answer(500, b"{}"),
    "502 of a gateway": lambda answer: answer(502, b"<html>", {"Content-Type": "text/html"}),
    "504 of a gateway": lambda answer: answer(504, b""),
    "408": lambda answer: answer(408, b"{}"),
    "a login page": lambda answer: answer(200, b"<html>Mewngofnodwch</html>", {"Content-Type": "text/html"}),
    "nothing": lambda answer: answer(200, b""),
    "another's record": lambda answer: answer(200, b'{"at": "2026-03-02T09:15:00Z"}'),
    "half an answer": lambda answer: answer(201, b'{"id": "', length=90),
    "half a header": lambda answer: answer(raw=b"HTTP/1.1 201 Created\r\nContent-Ty"),
    "hangs up": lambda answer: answer(raw=b""),
    "302": lambda answer: answer(302, b"", {"Location": "/login"}),
}


@pytest.mark.parametrize("what", DONE_AND)
def test_row_16_done_and_not_said_is_unknown_sent_once_and_found(
    things: Any, answer: Any, connect: Any, what: str
) -> None:
    things.says = DONE_AND[what](answer)
    connector = connect(things.url)
    with pytest.raises(Unknown) as caught:
        connector.deliver("Thing", {"name": "Siân"}, key="k-1")
    assert isinstance(caught.value, Unknown)
    assert things.posts == 1
    assert [item.our_key for item in connector.find("Thing", "k-1")] == ["k-1"]


def test_row_16_a_system_that_works_longer_than_we_wait_shows_it_later(things: Any, answer: Any, connect: Any) -> None:
    things.pause, things.late = 5.0, 0.9
    connector = connect(things.url, timeout_seconds=0.4)
    with pytest.raises(Unknown, match=r"within 0\.4 seconds"):
        connector.deliver("Thing", {"name": "Siân"}, key="k-1")
    assert connector.find("Thing", "k-1") == [], "one look at once is not enough"
    time.sleep(0.8)
    assert len(connector.find("Thing", "k-1")) == 1
    assert things.posts == 1


LONGEST = 3600.0


@pytest.mark.parametrize(
    ("told", "after"),
    [("7", 7.0), ("0", 0.0), ("3600", LONGEST), ("86400", LONGEST), ("99999999999999999999", LONGEST), ("-5", None),
     ("soon", None), ("1.5", None), ("", None), ("Fri, 31 Dec 2099 23:59:59 GMT", LONGEST)],
)  # fmt: skip
@pytest.mark.parametrize("status", [429, 503])
def test_row_17_retry_after_is_obeyed_up_to_a_cap(
    small: Any, answer: Any, connect: Any, status: int, told: str, after: float | None
) -> None:
    server = small(lambda _: answer(status, b"{}", {**JSON, "Retry-After": told}))
    with pytest.raises(Throttled) as caught:
        connect(server.url).deliver("Thing", {}, key="k")
    assert caught.value.after == after
    assert len(server.calls) == 1


# Answers with status 200 (or none) that say nothing about what was asked.
EMPTY_WORDS: list[tuple[str, int, bytes, dict[str, str]]] = [
    ("a login page", 200, b"<html>Mewngofnodwch</html>", {"Content-Type": "text/html; charset=utf-8"}),
    ("a login page called JSON", 200, b"<html>Mewngofnodwch</html>", JSON),
    ("plain words", 200, b"please log in", {"Content-Type": "text/plain"}),
    ("nothing", 200, b"", JSON),
    ("blanks", 200, b" \r\n ", JSON),
    ("no content", 204, b"", {}),
    ("accepted", 202, b"", {}),
    ("part", 206, listing()[:-1], JSON),
    ("null", 200, b"null", JSON),
    ("a word", 200, b'"ok"', JSON),
    ("a number", 200, b"0", JSON),
    ("true", 200, b"true", JSON),
    ("an empty list", 200, b"[]", JSON),
    ("an empty object", 200, b"{}", JSON),
    ("another root", 200, b'{"objects": [], "next": null}', JSON),
    ("null for the list", 200, b'{"things": null, "next": null}', JSON),
    ("a word for the list", 200, b'{"things": "", "next": null}', JSON),
    ("an object for the list", 200, b'{"things": {}, "next": null}', JSON),
    ("an error in 200", 200, b'{"error": "session expired", "code": 17}', JSON),
    ("a page of XML", 200, b"<things/>", {"Content-Type": "application/xml"}),
    ("no content type", 200, listing(), {}),
    ("a list twice", 200, b'{"things": [], "next": null, "things": [{}]}', JSON),
    ("Latin-1", 200, listing(), {"Content-Type": "application/json; charset=iso-8859-1"}),
    ("a web server's 404", 404, b"<html>IIS</html>", {"Content-Type": "text/html"}),
    ("a redirect", 302, b"", {"Location": "/login"}),
]


@pytest.mark.parametrize(("name", "status", "body", "headers"), EMPTY_WORDS, ids=[row[0] for row in EMPTY_WORDS])
def test_row_19_what_says_nothing_is_no_page_no_record_and_no_absence(
    small: Any, answer: Any, connect: Any, name: str, status: int, body: bytes, headers: dict[str, str]
) -> None:
    server = small(lambda _: answer(status, body, headers))
    connector = connect(server.url)
    connector._sleep = lambda _: None
    with pytest.raises(ConnectorError):
        connector.changes("Thing", watermark=AT)
    with pytest.raises(ConnectorError):  # an empty list here would be "not there": send it again
        connector.find("Thing", "k")
    with pytest.raises(ConnectorError):  # and None here would be "deleted"
        connector.fetch("Thing", "1")
    reads = len(server.calls)
    with pytest.raises((Unknown, Misconfigured)) as caught:
        connector.deliver("Thing", {}, key="k")
    assert len(server.calls) == reads + 1
    if status != 404:
        assert isinstance(caught.value, Unknown)
    assert "Mewngofnodwch" not in str(caught.value)


def test_row_19_what_is_given_twice_around_the_records_is_not_chosen_from(
    small: Any, answer: Any, connect: Any, profile: Any
) -> None:
    profile["records"]["Thing"]["changes"] |= {"items": "result/things[]"}
    inner = f'"things": {json.dumps([thing("1")])}, "things": []'
    server = small(lambda _: answer(200, f'{{"result": {{{inner}}}, "next": null}}'.encode()))
    with pytest.raises(PageUnreadable, match="at result: a key stands twice"):
        connect(server.url, profile).changes("Thing", watermark="")


# Text that real systems hold. The second column is how JSON may write it on the wire, where that is another matter.
TEXTS: dict[str, str] = {
    "plain": "Sian",
    "Welsh": "Siân Llŷr-Tŵr",
    "combining marks": "Sia\u0302n",
    "NUL": "a\x00b",
    "C0": "a\x01\x08\x1fb",
    "C1": "a\x85\x9fb",
    "a BOM inside": "a\ufeffb",
    "right to left": "\u202bشيان\u202c",
    "emoji of several": "👩\u200d👧\u200d👦",
    "cp1252 read as UTF-8": "Siân Oâ€™Neill",
    "not a character": "a\uffffb",
    "line separators": "a\u2028b\u2029c",
    "CR and LF": "a\r\nb\tc",
    "beyond the plane": "\U0001f3f4\U000e0067",
    "long": "ŷ" * 20_000,
}


@pytest.mark.parametrize("escaped", [False, True])
@pytest.mark.parametrize("name", TEXTS)
def test_row_25_text_comes_and_goes_as_it_is_or_is_named(
    small: Any, answer: Any, connect: Any, name: str, escaped: bool
) -> None:
    text = TEXTS[name]
    body = json.dumps({"things": [thing("1", name=text), thing("2")], "next": None}, ensure_ascii=escaped).encode()
    server = small(lambda call: answer(200, body) if call.method == "GET" else answer(201, b'{"id": "1"}'))
    connector = connect(server.url)
    first, second = connector.changes("Thing", watermark="").items
    assert isinstance(second, Item)
    assert isinstance(first, Item)
    assert first.record["name"] == text, "neither repaired nor normalised on the wire"
    again = connector.parse("Thing", first.raw, id="1")
    assert isinstance(again, Item)
    assert again.record == first.record
    connector.deliver("Thing", {"name": text}, key="k")
    assert json.loads(server.calls[-1].body)["name"] == text


# What no system can have meant: bytes of another encoding, and halves of a character.
SPOILT: dict[str, bytes] = {
    "Latin-1": b'"Si\xe2n"',
    "cp1252": b'"O\x92Neill"',
    "a lone surrogate": b'"a\\ud800b"',
    "two in the wrong order": b'"a\\udc00\\ud800b"',
    "a surrogate in UTF-8": b'"a\xed\xa0\x80b"',
    "an overlong NUL": b'"a\xc0\x80b"',
    "half a character": b'"a\xe2\x80"',
}


@pytest.mark.parametrize("name", SPOILT)
def test_row_25_text_that_cannot_be_meant_stops_one_record_by_name(
    small: Any, answer: Any, connect: Any, name: str
) -> None:
    spoilt = b'{"id": "2", "at": "%s", "name": %s}' % (AT.encode(), SPOILT[name])
    body = b'{"things": [%s, %s, %s], "next": null}' % (*(json.dumps(thing(id)).encode() for id in "13"), spoilt)
    server = small(lambda _: answer(200, body))
    first, third, bad = connect(server.url).changes("Thing", watermark="").items
    assert [first.id, third.id] == ["1", "3"]
    assert isinstance(bad, UnreadableItem)
    assert "at name" in bad.reason
    assert bad.id == "2"
    assert SPOILT[name] in bad.raw or b"\\ud" in SPOILT[name]


@pytest.mark.parametrize("text", ["a\ud800b", "\udc80"])
def test_row_25_half_a_character_is_never_sent(small: Any, answer: Any, connect: Any, text: str) -> None:
    server = small(lambda _: answer(201, b'{"id": "1"}'))
    with pytest.raises(Rejected, match="at name"):
        connect(server.url).deliver("Thing", {"name": text}, key="k")
    assert server.calls == []
