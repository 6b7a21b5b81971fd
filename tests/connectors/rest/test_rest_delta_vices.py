"""The vices of a feed that names its own places: links elsewhere, circles, no place at all, and what is no page."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.errors import ConnectorError, Misconfigured, PageUnreadable
from connectors.port import Item, UnreadableItem
from connectors.problems import ProfileFaults
from tests.connectors.rest.delta_town import AT, JSON, LINK, STYLES, TOKEN, Town, shown, walk


@pytest.mark.parametrize("where", ["@odata.nextLink", "@odata.deltaLink"])
def test_a_link_that_leaves_the_connection_or_all_measure_is_never_called(
    connected: Any, answer: Any, where: str
) -> None:
    links = [
        "http://127.0.0.1:1/api/things?d=1",
        "https://127.0.0.1/api/things",
        "//elsewhere.example.org/api/things",
        "http://dolen:x@127.0.0.1/api/things",
        "/other/things",
        "/api/../other",
        "/api/%2e%2e/other",
        "file:///etc/passwd",
        "http://[::1/api",
        "\\\\elsewhere\\api",
        "/api/things?x=" + "x" * 9000,
    ]
    connector = connected(LINK, lambda _: answer())
    for link in links:
        body = json.dumps({"things": [], where: link}).encode()
        connector.server.answer = lambda _, body=body: answer(200, body, JSON)
        connector.server.calls.clear()
        with pytest.raises(Misconfigured):
            connector.changes("Thing", watermark="")
        assert len(connector.server.calls) == 1, link


def test_a_token_beyond_all_measure_is_refused(connected: Any, answer: Any) -> None:
    body = json.dumps({"things": [], "nextSyncToken": "x" * 5000}).encode()
    with pytest.raises(Misconfigured, match="longer than"):
        connected(TOKEN, lambda _: answer(200, body, JSON)).changes("Thing", watermark="")


def test_the_same_page_for_ever_is_noticed_and_twice_is_not_minded(connected: Any, answer: Any) -> None:
    body = json.dumps({"things": [], "@odata.nextLink": "/api/things?p=2"}).encode()
    connector = connected(LINK, lambda _: answer(200, body, JSON))
    page = connector.changes("Thing", watermark="")
    with pytest.raises(PageUnreadable, match="given before"):
        connector.changes("Thing", watermark="", cursor=page.cursor)
    end = json.dumps({"things": [], "@odata.deltaLink": "/api/things?d=1"}).encode()
    served = iter([body])
    connector.server.answer = lambda _: answer(200, next(served, end), JSON)
    assert connector.changes("Thing", watermark="", cursor=page.cursor).cursor == ""


def test_pages_without_end_are_taken_for_endless(connected: Any, answer: Any) -> None:
    numbers = iter(range(99))

    def endless(_: Any) -> Any:
        return answer(
            200, json.dumps({"things": [], "@odata.nextLink": f"/api/things?p={next(numbers)}"}).encode(), JSON
        )

    with pytest.raises(PageUnreadable, match="endless"):
        walk(connected(LINK, endless))


def test_a_place_that_never_moves_although_there_is_news_is_told(connected: Any, answer: Any) -> None:
    body = json.dumps({"things": [{"id": "a", "at": AT}], "@odata.deltaLink": "/api/things?d=1"}).encode()
    connector = connected(LINK, lambda _: answer(200, body, JSON))
    _, watermark, notes = walk(connector)
    assert notes == []
    items, same, notes = walk(connector, watermark)
    assert ([item.id for item in items], same) == (["a"], watermark)
    assert "names the same place again" in notes[0]


@pytest.mark.parametrize("body", [b'{"things": []}', b"{}", b'{"things": [], "@odata.deltaLink": null}'])
def test_an_answer_without_a_place_keeps_the_one_that_we_have(
    connected: Any, town: Town, answer: Any, body: bytes
) -> None:
    town.put("a")
    connector = connected(LINK)
    _, watermark, _ = walk(connector)
    connector.server.answer = lambda _: answer(200, body, JSON)
    assert walk(connector, watermark) == ([], watermark, [])
    with pytest.raises(PageUnreadable, match="names neither"):
        walk(connector)  # of everything, that is no answer
    news = json.dumps({"things": [{"id": "a", "at": AT}]}).encode()
    connector.server.answer = lambda _: answer(200, news, JSON)
    with pytest.raises(PageUnreadable, match="names neither"):
        walk(connector, watermark)


@pytest.mark.parametrize("changed", ["query", "url"])
def test_a_place_of_another_question_or_system_is_not_asked_from(
    connected: Any, town: Town, profile: Any, connect: Any, small: Any, changed: str
) -> None:
    town.put("a", "b")
    connector = connected(LINK)
    _, watermark, _ = walk(connector)
    if changed == "query":
        profile["records"]["Thing"]["changes"]["query"] = {"$select": "id,at,version"}
    server = connector.server if changed == "query" else small(town)
    other = connect(server.url + "/api", profile)
    items, _, notes = walk(other, watermark)
    assert shown(items) == {"a": 1, "b": 1}
    assert len(notes) == 1
    assert "syncToken" not in server.calls[-1].path


def test_from_a_moment_all_is_read_and_what_is_older_left_out(connected: Any, town: Town) -> None:
    town.put("a")
    connector = connected(LINK)
    assert shown(walk(connector, "2026-03-02T09:00:00+00:00")[0]) == {"a": 1}
    items, watermark, _ = walk(connector, "2026-03-02T09:00:01+00:00")
    assert items == []
    town.put("b")
    assert shown(walk(connector, watermark)[0]) == {"b": 1}


@pytest.mark.parametrize("watermark", ["[", "[]", '["delta", 1]', '["other", "", ""]', '["delta", "", 3]', "yesterday"])
def test_a_watermark_that_is_not_ours_is_refused(connected: Any, watermark: str) -> None:
    with pytest.raises(Misconfigured, match="cannot be read"):
        connected(LINK).changes("Thing", watermark=watermark)


@pytest.mark.parametrize("cursor", ["{", "[]", '["", 1]', '["[]", false, ""]'])
def test_a_cursor_that_is_not_ours_is_refused(connected: Any, cursor: str) -> None:
    with pytest.raises(Misconfigured, match="start the walk from its watermark"):
        connected(LINK).changes("Thing", watermark="", cursor=cursor)


def test_a_monstrous_record_is_stepped_over(connected: Any, town: Town) -> None:
    town.put("a", "b")
    connector = connected(LINK)
    page = connector.changes("Thing", watermark="", limit=1)
    behind = connector.skip("Thing", watermark="", cursor=page.cursor)
    end = connector.changes("Thing", watermark="", cursor=behind)
    assert (end.items, end.cursor) == ([], "")
    town.put("c")
    assert shown(walk(connector, end.watermark)[0]) == {"c": 1}
    assert connected({**LINK, "headers": {}, "begin_headers": {}}).skip("Thing", watermark="", cursor="") is None


def test_an_unreadable_record_touches_no_neighbour(connected: Any, answer: Any) -> None:
    body = b'{"things": [{"id": "a", "at": "soon"}, {"id": "b", "at": "%s"}], "@odata.deltaLink": "/api/things?d"}'
    connector = connected(LINK, lambda _: answer(200, body % AT.encode(), JSON))
    bad, good = walk(connector)[0]
    assert isinstance(bad, UnreadableItem)
    assert isinstance(good, Item)


ODD = [True, 1.5, [], ["/api/x"], {}, {"a": 1}, "\x00", " ", "http:", "ftp://x", -1, "\ud800", "a\nb"]


@STYLES
@pytest.mark.parametrize("where", ["next", "delta", "items", "gone"])
def test_whatever_a_page_is_made_of_ends_in_a_page_or_a_named_error(
    connected: Any, answer: Any, style: Any, where: str
) -> None:
    names = {"next": style.get("next", "@odata.nextLink"), "delta": style.get("delta", "@odata.deltaLink")}
    connector = connected(style, lambda _: answer())
    for odd in ODD:
        body = {"things": [], names["delta"]: "/api/things?d=1" if style["is"] == "link" else "t"}
        body[{**names, "items": "things", "gone": "gone"}[where]] = odd
        connector.server.answer = lambda _, body=body: answer(200, json.dumps(body).encode(), JSON)
        connector.server.calls.clear()
        try:
            assert isinstance(connector.changes("Thing", watermark="").watermark, str)
        except ConnectorError as error:
            assert error.reason
        assert len(connector.server.calls) <= 3


def test_a_key_that_stands_twice_around_the_records_is_refused(connected: Any, answer: Any) -> None:
    body = b'{"things": [], "things": [], "@odata.deltaLink": "/api/things?d"}'
    with pytest.raises(PageUnreadable, match="stands twice"):
        connected(LINK, lambda _: answer(200, body, JSON)).changes("Thing", watermark="")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"is": "token"}, "name the parameters that take tokens"),
        ({"cursor": "p"}, "a link is called as it is"),
        ({"removed": {"mark": "m", "items": "gone[]"}}, "write either mark or items"),
        ({"removed": {"items": "gone[]", "ends": "x"}}, "ends goes with mark"),
        ({"headers": {"Authorization": "x"}}, "not set by a profile"),
        ({"headers": {"Prefer": "a\nb"}}, "headers"),
        ({"expired": []}, "expired"),
    ],
)
def test_a_profile_that_cannot_work_is_named(connected: Any, change: Any, words: str) -> None:
    with pytest.raises(ProfileFaults, match=words):
        connected({**LINK, **change})
