"""GOV.UK Notify beside texts: letters, how messages went, and what residents sent back. Against the pretend one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from connectors.errors import Misconfigured, PageUnreadable, Rejected
from connectors.port import Item, UnreadableItem
from connectors.registry import open_connector
from sandbox.notify_checks import templates

ACCEPTED_EN = "d1708f94-2432-5cc8-b53c-a45f62662629"
WORDS = {"reference": "ABC-1", "phone": "01632 960100"}
TEXT = {"channel": "text", "to": "07700 900123", "template_id": ACCEPTED_EN, "personalisation": WORDS}
ADDRESS = ["Siân Rhŷs", "1 Heol y Môr", "NP4 0AA"]
ID = "740e5834-3a29-46b4-9a6f-{:012d}"


@pytest.fixture
def opened(shipped: Callable[[str], Any], clock: Callable[[], datetime]) -> Iterator[Callable[..., Any]]:
    made: list[Any] = []

    def connect(url: str, key: str = f"prawf-{ID.format(1)}-{ID.format(2)}", **more: Any) -> Any:
        told = {"url": url, "login": {"notify": {"api_key": "env:KEY"}}, "timeout_seconds": 5, **more}
        connector = open_connector(shipped("notify"), told, interfaces=lambda _: b"", clock=clock, secret=lambda _: key)
        made.append(connector)
        return connector

    yield connect
    for connector in made:
        connector.close()


@pytest.fixture
def notify(council: Any, opened: Any) -> Any:
    return opened(council.system("notify"), council.secrets["notify"]["api_key"])


def template(kind: str) -> str:
    return next(each["id"] for each in templates().values() if (each["type"], each["language"]) == (kind, "both"))


def letter(**other: Any) -> dict[str, Any]:
    told = {"channel": "letter", "address": ADDRESS, "template_id": template("letter")}
    return {**told, "personalisation": {"reference": "ABC-1", "phone": "01632 960100"}, **other}


def walk(connector: Any, kind: str, watermark: str = "", limit: int | None = None) -> tuple[list[Any], str, int]:
    """Every item of one walk, the watermark of the next, and how many pages there were."""
    items: list[Any] = []
    cursor, pages = "", 0
    while True:
        page = connector.changes(kind, watermark=watermark, cursor=cursor, limit=limit)
        items, pages = [*items, *page.items], pages + 1
        if not page.cursor:
            return items, page.watermark, pages
        cursor = page.cursor


def test_a_letter_goes_to_an_address_under_our_reference(council: Any, notify: Any) -> None:
    receipt = notify.deliver("Text", letter(), key="dolen-1")
    (kept,) = council.records("notify")
    assert (kept["id"], kept["reference"], kept["to"]) == (receipt.id, "dolen-1", "NP4 0AA")
    assert kept["personalisation"]["address_line_1"] == "Siân Rhŷs"
    (found,) = notify.find("Text", "dolen-1")
    assert found.id == receipt.id


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"address": ADDRESS[:2]}, "address"),
        ({"address": [*ADDRESS, *ADDRESS, *ADDRESS]}, "address"),
        ({"address": ["Siân Rhŷs", " ", "NP4 0AA"]}, "address"),
        ({"address": None}, "address"),
        ({"to": "07700900123"}, "address"),
        ({"personalisation": {"address_line_1": "Rhywun Arall"}}, "address"),
        ({"channel": "text"}, "to"),
    ],
)
def test_what_is_no_letter_is_not_sent(council: Any, notify: Any, wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(Rejected, match="nothing was sent") as caught:
        notify.deliver("Text", letter(**wrong), key="dolen-1")
    assert caught.value.field == field
    assert "Rhŷs" not in str(caught.value)
    assert council.records("notify") == []


@pytest.mark.parametrize(("only_to", "goes"), [(["NP4 0AA"], True), (["NP4*"], False), (["np4 0*"], True), ([], False)])
def test_only_to_holds_letters_back_by_their_postcode(
    council: Any, opened: Any, only_to: list[str], goes: bool
) -> None:
    if only_to == ["NP4*"]:
        with pytest.raises(Misconfigured):
            opened(council.system("notify"), council.secrets["notify"]["api_key"], only_to=only_to)
        return
    connector = opened(council.system("notify"), council.secrets["notify"]["api_key"], only_to=only_to)
    if goes:
        connector.deliver("Text", letter(), key="dolen-1")
    else:
        with pytest.raises(Rejected, match="only_to; nothing was sent"):
            connector.deliver("Text", letter(), key="dolen-1")
    assert len(council.records("notify")) == goes


def test_an_address_that_notify_refuses_names_no_line(notify: Any) -> None:
    with pytest.raises(Rejected) as caught:
        notify.deliver("Text", letter(address=[*ADDRESS[:2], "Rhywle"]), key="dolen-1")
    assert "Rhywle" not in str(caught.value)


def test_reports_are_read_again_while_they_may_change(council: Any, notify: Any) -> None:
    sent = [notify.deliver("Text", TEXT, key=f"dolen-{number}").id for number in range(3)]
    items, watermark, _ = walk(notify, "Report")
    assert [item.id for item in items] == sent[::-1]
    assert {item.our_key for item in items} == {"dolen-0", "dolen-1", "dolen-2"}
    assert all(item.record["status"] in ("created", "sending") for item in items)
    again, later, _ = walk(notify, "Report", watermark)
    assert [item.id for item in again] == [item.id for item in items], "they may have changed since"
    assert later == watermark
    one = notify.parse("Report", items[0].raw, id=items[0].id)
    assert isinstance(one, Item)
    assert (one.id, one.record, one.modified) == (items[0].id, items[0].record, items[0].modified)
    assert notify.fetch("Report", sent[0]).id == sent[0]
    del council


def test_a_page_may_be_asked_for_in_smaller_pieces(notify: Any) -> None:
    sent = [notify.deliver("Text", TEXT, key=f"dolen-{number}").id for number in range(5)]
    items, _, pages = walk(notify, "Report", limit=2)
    assert [item.id for item in items] == sent[::-1]
    assert pages == 4, "two, two, one, and the one that is empty"


def test_texts_that_came_in_are_read_once_over_many_pages(council: Any, notify: Any) -> None:
    for number in range(260):
        council.type_in("notify", {"user_number": "447700900123", "content": f"{number}"})
    items, watermark, pages = walk(notify, "ReceivedText")
    assert [item.record["content"] for item in items] == [str(number) for number in reversed(range(260))]
    assert pages == 3
    assert items[0].modified is not None
    assert watermark == items[0].modified.isoformat(timespec="microseconds")
    assert "900123" not in repr(items[0])
    council.type_in("notify", {"user_number": "447700900123", "content": "STOP"})
    items, later, _ = walk(notify, "ReceivedText", watermark)
    assert items[0].record["content"] == "STOP"
    assert later > watermark


def rows(*days_ago: float) -> list[dict[str, Any]]:
    now = datetime.fromisoformat("2026-03-02T09:30:00+00:00")
    made = [now - timedelta(days=ago) for ago in days_ago]
    return [{"id": ID.format(n), "created_at": f"{at:%Y-%m-%dT%H:%M:%S.%fZ}"} for n, at in enumerate(made, 1)]


def serving(small: Any, answer: Any, *pages: Any) -> Any:
    left = list(pages)

    def serve(_: Any) -> Any:
        return answer(200, json.dumps({"notifications": left.pop(0) if left else []}).encode())

    return small(serve)


def test_a_walk_ends_behind_what_may_still_change(small: Any, answer: Any, opened: Any) -> None:
    server = serving(small, answer, rows(0, 1), rows(5, 6), rows(7, 8))
    items, watermark, pages = walk(opened(server.url), "Report", "2026-03-02T08:00:00.000000+00:00")
    assert (len(items), pages) == (4, 2)
    assert watermark == "2026-03-02T09:30:00.000000+00:00"
    assert server.calls[1].path.endswith(f"older_than={ID.format(2)}")


def test_a_row_that_is_none_is_set_aside_alone(small: Any, answer: Any, opened: Any) -> None:
    one, two = rows(0, 1)
    server = serving(small, answer, [one, {"id": "x", "phone_number": "07700900123"}, two])
    items, _, _ = walk(opened(server.url), "Report")
    assert [item.id for item in items] == [one["id"], "", two["id"]]
    assert isinstance(items[1], UnreadableItem)
    assert "900123" not in items[1].reason + repr(items[1])


def test_a_page_that_cannot_lead_on_is_unreadable(small: Any, answer: Any, opened: Any) -> None:
    for told in ([{"id": "x"}], {"no": "list"}):
        with pytest.raises(PageUnreadable):
            walk(opened(serving(small, answer, told).url), "Report")


def test_a_list_that_turns_in_a_circle_ends(small: Any, answer: Any, opened: Any) -> None:
    server = small(lambda _: answer(200, json.dumps({"notifications": rows(0, 1)}).encode()))
    assert walk(opened(server.url), "Report")[2] == 2


@pytest.mark.parametrize("cursor", ["x", "[1]", '["y", "", 2]', '{"a": 1}'])
def test_a_place_that_is_not_ours_is_refused(notify: Any, cursor: str) -> None:
    with pytest.raises(Misconfigured, match="kept place"):
        notify.changes("Report", watermark="", cursor=cursor)
    with pytest.raises(Misconfigured, match="watermark"):
        notify.changes("Report", watermark="yesterday")
