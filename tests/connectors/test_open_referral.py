"""A directory of services is read whole and softly, and nobody's words are sent to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from connectors.errors import (
    ConnectorError,
    Misconfigured,
    NotThere,
    PageUnreadable,
    Rejected,
    Throttled,
    Unauthorised,
    Unknown,
)
from connectors.open_referral import DirectoryConnector
from connectors.port import Item, UnreadableItem
from connectors.registry import open_connector
from tests.connectors.directory import JSON, Feed, entry
from tests.connectors.held import Held


@pytest.fixture
def feed(answer: Any) -> Feed:
    return Feed(answer)


@pytest.fixture
def directory(small: Any, shipped: Any, feed: Feed, clock: Callable[[], datetime]) -> Iterator[DirectoryConnector]:
    """Connects to the feed, five services a page."""
    profile = shipped("open-referral-uk")
    profile["records"]["Service"]["of"] = 5
    server = small(feed)
    made = open_connector(
        profile, {"url": f"{server.url}/feed"}, interfaces=lambda _: b"", clock=clock, secret=lambda _: ""
    )
    assert isinstance(made, DirectoryConnector)
    made._sleep = lambda _: None
    made.server = server  # type: ignore[attr-defined]
    yield made
    made.close()


def test_every_service_is_read_once(directory: DirectoryConnector, feed: Feed) -> None:
    found = list(directory.entries())
    assert [item.id for item in found] == [one["id"] for one in feed.services]
    assert [query for path, query in feed.said if path == "/feed/services"] == [
        f"page={number}&per_page=5" for number in (1, 2, 3)
    ]
    first = found[0]
    assert isinstance(first, Item)
    assert first.modified == datetime.fromisoformat("2026-03-02T09:30:00Z")
    assert directory.parse("Service", first.raw, id=first.id) == first


def test_the_feed_is_as_the_standard_says_and_is_asked_so(directory: Any, feed: Feed) -> None:
    held, answered = Held("open-referral-uk"), directory.server.answer

    def judged(call: Any) -> Any:
        answer, split = answered(call), urlsplit(call.path)
        query = dict(parse_qsl(split.query))
        told = (answer.status, answer.headers, answer.body)
        held.judge(call.method, split.path.removeprefix("/feed"), query, call.headers, call.body, told)
        return answer

    directory.server.answer = judged
    assert len(list(directory.entries())) == len(feed.services)
    assert directory.fetch("Service", feed.services[0]["id"]) is not None
    assert directory.fetch("Service", str(entry(900)["id"])) is None
    assert all(finding.well for finding in directory.doctor())
    assert held.wrong == []
    assert held.seen == held.calls
    feed.services[0] = entry(0, status="open", maximum_age="120", contacts=[])
    list(directory.entries())
    assert {one.partition(" at $.")[2].partition(":")[0] for one in held.wrong} == {
        "contents[0]", "contents[0].status", "contents[0].maximum_age",
    }  # fmt: skip


def test_one_service_is_read_with_all_that_belongs_to_it(directory: DirectoryConnector, feed: Feed) -> None:
    found = directory.fetch("Service", feed.services[3]["id"])
    assert found is not None
    assert found.record["contacts"]
    assert directory.fetch("Service", str(entry(900)["id"])) is None
    asked = len(feed.said)
    with pytest.raises(Rejected, match="nothing was sent"):
        directory.fetch("Service", "../organizations")
    assert len(feed.said) == asked


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": "12"}, "service at id: expected a UUID"),
        ({"name": None}, "service at name: expected text"),
        ({"status": "open"}, "service at status: expected one of active, inactive, defunct, temporarily closed"),
        ({"minimum_age": "18"}, "service at minimum_age: expected a number"),
        ({"organization": []}, "service at organization: expected object"),
        ({"fees": 3}, "service at fees: expected text"),
    ],
)
def test_a_service_that_is_not_as_the_standard_says_spoils_no_other(
    directory: DirectoryConnector, feed: Feed, change: dict[str, Any], reason: str
) -> None:
    feed.services[4] = entry(4, **change)
    found = list(directory.entries())
    assert len(found) == 12
    [bad] = [item for item in found if isinstance(item, UnreadableItem)]
    assert bad.reason == reason


def test_fields_may_be_missing_or_null(directory: DirectoryConnector, feed: Feed) -> None:
    few = {"id": feed.services[0]["id"], "name": "Bare", "status": "inactive", "email": None, "extra": {"a": 1}}
    feed.services[:] = [few]
    [item] = directory.entries()
    assert isinstance(item, Item)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (500, b"{}", Unknown), (429, b"{}", Throttled), (401, b"{}", Unauthorised), (404, b"{}", NotThere),
        (200, b"[]", PageUnreadable), (200, b'{"contents": {}}', PageUnreadable),
        (200, b'{"contents": [', PageUnreadable),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_named(
    directory: Any, answer: Any, status: int, body: bytes, error: type[ConnectorError]
) -> None:
    directory.server.answer = lambda _: answer(status, body, JSON)
    with pytest.raises(error):
        list(directory.entries())


def test_a_web_page_is_no_directory(directory: Any, answer: Any) -> None:
    directory.server.answer = lambda _: answer(200, b"<html></html>", {"Content-Type": "text/html"})
    with pytest.raises(Unknown):
        list(directory.entries())


def test_a_feed_that_shows_the_same_page_for_ever_is_noticed(directory: Any, feed: Feed) -> None:
    page = feed.page(1, 5) | {"last_page": False, "total_pages": 99}
    feed.page = lambda number, size: page  # type: ignore[method-assign]  # plays on
    with pytest.raises(PageUnreadable, match="what was shown before"):
        list(directory.entries())


def test_a_feed_that_shows_the_same_services_without_ids_for_ever_is_noticed(directory: Any, feed: Feed) -> None:
    feed.services[:] = [{"name": f"No id {number}"} for number in range(5)]
    page = {name: value for name, value in feed.page(1, 5).items() if name != "total_pages"} | {"last_page": False}
    feed.page = lambda number, size: page  # type: ignore[method-assign]  # plays on
    found = []
    with pytest.raises(PageUnreadable, match="what was shown before"):
        for item in directory.entries():
            found.append(item)
    assert [type(item) for item in found] == [UnreadableItem] * 5
    assert len(feed.said) == 2


def test_the_doctor_looks_and_names_another_version(directory: DirectoryConnector, feed: Feed) -> None:
    assert all(finding.well for finding in directory.doctor())
    feed.version = "2.0"
    [bad] = [finding for finding in directory.doctor() if not finding.well]
    assert (bad.subject, bad.words) == ("interface", "it says that it is HSDS 2.0")


def test_it_is_neither_source_nor_target(directory: DirectoryConnector) -> None:
    assert directory.offers("Service") == {"fetch"}
    with pytest.raises(Misconfigured, match="directory of services"):
        directory.changes("Service", watermark="")
    with pytest.raises(Misconfigured, match="no create"):
        directory.deliver("Service", {}, key="k")
    with pytest.raises(NotImplementedError):
        directory.find("Service", "k")
