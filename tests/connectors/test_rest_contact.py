"""The REST family against the pretend contact centre, over loopback: what an ordinary day and its faults look like."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from connectors.errors import (
    Misconfigured,
    NotThere,
    Outdated,
    PageUnreadable,
    Rejected,
    Throttled,
    Unauthorised,
    Unknown,
)
from connectors.port import Item, Tier, UnreadableItem
from connectors.registry import open_connector
from connectors.rest.connector import RestConnector

WRITTEN = {
    "status": "new",
    "category": "referral",
    "priority": "routine",
    "received_at": "2026-03-02T09:15:00+00:00",
    "reason": {"code": None, "text": "Mae angen help ar Siân wrth ymolchi"},
    "customer": {
        "first_names": ["Siân"],
        "last_name": "O'Neill",
        "date_of_birth": "1941-05-06",
        "gender": "F",
        "contacts": [{"type": "mobile", "value": "07700 900123", "ok_to_text": True}],
    },
    "language": {"letters": "cy"},
    "needs": [{"code": "bathing", "note": None}],
    "flags": {"safeguarding": False, "restricted": False},
}


@pytest.fixture
def opened(
    council: Any, shipped: Callable[[str], Any], interfaces: Callable[[str], bytes], clock: Callable[[], datetime]
) -> Iterator[Callable[..., RestConnector]]:
    made: list[Any] = []

    def connect(profile: dict[str, Any] | None = None, secret: str | None = None, **more: Any) -> RestConnector:
        login = council.secrets["contact"]
        told = {
            "url": council.system("contact") + "/api",
            "login": {
                "oauth2": {
                    "token_url": council.system("contact") + "/token",
                    "client_id": login["client_id"],
                    "client_secret": "env:SECRET",
                }
            },
            **more,
        }
        connector = open_connector(
            profile or shipped("contact"),
            told,
            interfaces=interfaces,
            clock=clock,
            secret=lambda _: secret or login["client_secret"],
        )
        made.append(connector)
        assert isinstance(connector, RestConnector)
        return connector

    yield connect
    for connector in made:
        connector.close()


def walk(connector: RestConnector, watermark: str = "", **more: Any) -> tuple[list[Any], str, int]:
    items: list[Any] = []
    cursor, pages = "", 0
    while True:
        page = connector.changes("Request", watermark=watermark, cursor=cursor, **more)
        items += page.items
        pages += 1
        cursor = page.cursor
        if not cursor:
            return items, page.watermark, pages


def test_says_what_it_can_do(opened: Any) -> None:
    connector = opened()
    assert connector.kinds() == ("Request", "Reply")
    assert connector.offers("Request") == {"changes", "fetch", "create", "update", "find"}
    assert connector.tier("Request") is Tier.KEEPS_KEY
    assert connector.reads_first("Request")
    with pytest.raises(Misconfigured, match="it has Request"):
        connector.offers("Referral")


def test_walks_all_pages_and_starts_again_behind_them(council: Any, opened: Any) -> None:
    for _ in range(7):
        council.type_in("contact", WRITTEN)
    connector = opened()
    items, watermark, pages = walk(connector, limit=3)
    assert pages == 3
    assert [item.id for item in items] == [f"C-{number:06d}" for number in range(1, 8)]
    first = items[0]
    assert isinstance(first, Item)
    assert first.record["customer"]["last_name"] == "O'Neill"
    assert json.loads(first.raw) == first.record
    assert (first.version, first.our_key) == ("1", "")
    assert first.modified is not None
    assert first.modified.utcoffset() is not None
    assert watermark.startswith(items[-1].record["changed_at"][:19])
    again, same, _ = walk(connector, watermark)
    assert [item.id for item in again] == [item.id for item in items], "the overlap reads late records again"
    assert same == watermark
    assert "O'Neill" not in repr(first)


def test_an_empty_source_leaves_the_watermark_as_it_was(opened: Any) -> None:
    connector = opened()
    assert walk(connector) == ([], "", 1)
    assert walk(connector, "2026-01-02T03:04:05.000000+00:00")[1] == "2026-01-02T03:04:05.000000+00:00"


def test_a_cursor_is_good_in_a_later_process(council: Any, opened: Any) -> None:
    for _ in range(3):
        council.type_in("contact", WRITTEN)
    page = opened().changes("Request", watermark="", limit=2)
    rest = opened().changes("Request", watermark="", cursor=page.cursor, limit=2)
    assert [item.id for item in rest.items] == ["C-000003"]
    assert rest.watermark >= page.watermark


def test_creates_by_our_key_as_often_as_asked_and_once(council: Any, opened: Any) -> None:
    connector = opened()
    made = connector.deliver("Request", WRITTEN, key="dolen-1")
    again = connector.deliver("Request", WRITTEN, key="dolen-1")
    assert (made.effect, made.version, again.id) == ("created", "1", made.id)
    assert len(council.records("contact")) == 1
    (found,) = connector.find("Request", "dolen-1")
    assert (found.id, found.our_key) == (made.id, "dolen-1")
    assert connector.find("Request", "dolen-2") == []
    assert b"O'Neill" in made.reply
    assert "O'Neill" not in repr(made)


def test_updates_only_the_version_it_was_made_from(opened: Any) -> None:
    connector = opened()
    made = connector.deliver("Request", WRITTEN, key="dolen-1")
    held = connector.fetch("Request", made.id)
    assert held is not None
    done = connector.deliver(
        "Request", {**held.record, "status": "accepted"}, key="k", id=held.id, version=held.version
    )
    assert (done.effect, done.version) == ("updated", "2")
    same = connector.deliver("Request", {**held.record, "status": "accepted"}, key="k", id=held.id, version="2")
    assert same.effect == "nothing"
    with pytest.raises(Outdated):
        connector.deliver("Request", held.record, key="k", id=held.id, version="1")
    with pytest.raises(Outdated, match="nothing was sent"):
        connector.deliver("Request", held.record, key="k", id=held.id, version="")
    assert held.record["version"] == 1, "the caller's record is left alone"


def test_a_missing_check_is_refused_by_the_system(opened: Any, shipped: Any) -> None:
    profile = shipped("contact")
    del profile["records"]["Request"]["update"]["check"]
    connector = opened(profile)
    made = connector.deliver("Request", WRITTEN, key="dolen-1")
    with pytest.raises(Rejected, match="HTTP 428") as caught:
        connector.deliver("Request", {"status": "accepted"}, key="k", id=made.id)
    assert caught.value.code == "precondition_required"


def test_a_refused_record_names_the_field_and_never_the_value(opened: Any) -> None:
    wrong = {**WRITTEN, "customer": {**WRITTEN["customer"], "gender": "secretly"}}  # type: ignore[dict-item]
    with pytest.raises(Rejected) as caught:
        opened().deliver("Request", wrong, key="dolen-1")
    assert caught.value.field == "customer/gender"
    assert caught.value.code == "invalid"
    assert "secretly" not in str(caught.value) + repr(caught.value)


def test_what_is_not_there(opened: Any) -> None:
    connector = opened()
    assert connector.fetch("Request", "C-999999") is None
    with pytest.raises(NotThere):
        connector.deliver("Request", {"status": "accepted"}, key="k", id="C-999999", version="1")


@pytest.mark.parametrize("id", ["..", ".", "", "a\nb"])
def test_an_id_cannot_lead_elsewhere(opened: Any, id: str) -> None:
    with pytest.raises(Rejected, match="nothing was sent"):
        opened().fetch("Request", id)


def test_an_id_is_encoded_whole(council: Any, opened: Any) -> None:
    assert opened().fetch("Request", "../../../control/state?x=1#y") is None
    assert council.calls("contact", "getRequest") == 1


def test_a_url_that_misses_the_path_is_named(council: Any, opened: Any) -> None:
    connector = opened(url=council.system("contact") + "/ap")
    with pytest.raises(Misconfigured, match="url"):
        connector.changes("Request", watermark="")


def test_a_token_that_ends_is_renewed_once_and_the_call_repeated(council: Any, opened: Any) -> None:
    connector = opened()
    connector.deliver("Request", WRITTEN, key="dolen-1")
    council.faults("contact", expired_token={"times": 1})
    connector.deliver("Request", WRITTEN, key="dolen-2")
    assert council.calls("contact", "getToken") == 2
    council.faults("contact", expired_token={})
    with pytest.raises(Unauthorised):
        connector.changes("Request", watermark="")
    assert council.calls("contact", "getToken") == 3


def test_a_wrong_secret_is_unauthorised_and_stays_secret(opened: Any) -> None:
    connector = opened(secret="cyfrinachol-iawn")
    with pytest.raises(Unauthorised) as caught:
        connector.changes("Request", watermark="")
    assert caught.value.code == "invalid_client"
    chain = repr(caught.value) + str(caught.value) + repr(caught.value.__cause__) + repr(caught.value.__context__)
    assert "cyfrinachol" not in chain + repr(connector) + repr(vars(connector))


def test_throttled_says_how_long(council: Any, opened: Any) -> None:
    connector = opened()
    connector.log_in()
    council.faults("contact", throttle={"seconds": 7})
    with pytest.raises(Throttled) as caught:
        connector.deliver("Request", WRITTEN, key="dolen-1")
    assert caught.value.after == 7
    assert council.records("contact") == []


@pytest.mark.parametrize("fault", ["error_after", "html_after", "reset_after", "truncated"])
def test_whatever_is_no_clear_answer_to_a_write_is_unknown(council: Any, opened: Any, fault: str) -> None:
    connector = opened()
    connector.log_in()
    council.faults("contact", **{fault: {"operations": ["upsertRequest"]}})
    with pytest.raises(Unknown):
        connector.deliver("Request", WRITTEN, key="dolen-1")
    assert council.calls("contact", "upsertRequest") == 1, "a write is sent once"
    council.well("contact")
    assert len(connector.find("Request", "dolen-1")) == 1


def test_a_silent_system_is_unknown_within_the_deadline(council: Any, opened: Any) -> None:
    connector = opened(timeout_seconds=1)
    connector.log_in()
    council.faults("contact", hang_after={"seconds": 5})
    with pytest.raises(Unknown, match="1 seconds"):
        connector.deliver("Request", WRITTEN, key="dolen-1")


@pytest.mark.parametrize("fault", ["error_before", "reset_before", "truncated"])
def test_a_read_is_tried_again(council: Any, opened: Any, fault: str) -> None:
    council.type_in("contact", WRITTEN)
    connector = opened()
    connector.log_in()
    council.faults("contact", **{fault: {"operations": ["listRequests"], "times": 2}})
    assert len(connector.changes("Request", watermark="").items) == 1


def test_a_system_that_stays_unwell_is_unknown(council: Any, opened: Any) -> None:
    connector = opened()
    connector.log_in()
    council.faults("contact", error_before={})
    with pytest.raises(Unknown, match="HTTP 503"):
        connector.changes("Request", watermark="")


def test_html_with_status_200_is_no_page(council: Any, opened: Any) -> None:
    connector = opened()
    connector.log_in()
    council.faults("contact", html_before={})
    with pytest.raises(Unknown, match="text/html"):
        connector.changes("Request", watermark="")


def test_one_broken_record_is_named_and_its_neighbours_go_on(council: Any, opened: Any) -> None:
    for _ in range(3):
        council.type_in("contact", WRITTEN)
    council.faults("contact", broken_record={})
    broken, *others = opened().changes("Request", watermark="").items
    assert isinstance(broken, UnreadableItem)
    assert broken.id == "C-000001"
    assert broken.reason == "Request at customer: expected object"
    assert "see paper file" not in broken.reason
    assert b"see paper file" in broken.raw
    assert broken.modified is not None
    assert all(isinstance(item, Item) for item in others)


def test_a_huge_record_is_stepped_over(council: Any, opened: Any) -> None:
    for _ in range(2):
        council.type_in("contact", WRITTEN)
    connector = opened(max_reply_bytes=100_000)
    council.faults("contact", huge_record={"bytes": 300_000, "times": 3})
    with pytest.raises(PageUnreadable, match="max_reply_bytes"):
        connector.changes("Request", watermark="")
    with pytest.raises(PageUnreadable):
        connector.changes("Request", watermark="", limit=1)
    behind = connector.skip("Request", watermark="", cursor="")
    assert behind is not None
    page = connector.changes("Request", watermark="", cursor=behind)
    assert [item.id for item in page.items] == ["C-000002"]


def test_stepping_over_the_last_record_ends_the_walk(council: Any, opened: Any) -> None:
    council.type_in("contact", WRITTEN)
    connector = opened()
    behind = connector.skip("Request", watermark="", cursor="")
    assert behind is not None
    page = connector.changes("Request", watermark="", cursor=behind)
    assert (page.items, page.cursor, page.watermark) == ([], "", "")


def test_a_page_served_twice_costs_nothing(council: Any, opened: Any) -> None:
    for _ in range(6):
        council.type_in("contact", WRITTEN)
    connector = opened()
    council.faults("contact", repeated_page={"times": 1})
    items, _, _ = walk(connector, limit=2)
    assert len({item.id for item in items}) == 6


def test_a_feed_without_end_is_noticed(council: Any, opened: Any) -> None:
    council.type_in("contact", WRITTEN)
    connector = opened()
    council.faults("contact", endless_page={})
    with pytest.raises(PageUnreadable, match="given before"):
        walk(connector)


def test_a_cursor_that_the_system_forgot_starts_the_walk_again(council: Any, opened: Any, shipped: Any) -> None:
    for _ in range(4):
        council.type_in("contact", WRITTEN)
    connector = opened()
    page = connector.changes("Request", watermark="", limit=2)
    place = json.loads(page.cursor)
    place[0] = "forgotten"
    again = connector.changes("Request", watermark="", cursor=json.dumps(place), limit=2)
    assert [item.id for item in again.items] == ["C-000001", "C-000002"]
    assert json.loads(again.cursor)[2] > place[2], "pages go on counting, so that this cannot go on for ever"


def test_a_change_while_paging_loses_nothing(council: Any, opened: Any) -> None:
    for _ in range(6):
        council.type_in("contact", WRITTEN)
    council.faults("contact", changed_while_paging={"times": 3})
    items, _, _ = walk(opened(), limit=2)
    assert {item.id for item in items} == {f"C-{number:06d}" for number in range(1, 7)}


def test_the_doctor_finds_all_well_and_changes_nothing(council: Any, opened: Any) -> None:
    council.type_in("contact", WRITTEN)
    before = council.records("contact")
    findings = opened().doctor()
    assert all(finding.well for finding in findings), findings
    assert {"name", "route", "clock", "reading Request", "interface of Request"} <= {each.subject for each in findings}
    assert council.records("contact") == before


def test_the_doctor_names_what_is_ill(council: Any, opened: Any) -> None:
    council.type_in("contact", WRITTEN)
    wrong = opened(secret="cyfrinachol").doctor()[-1]
    assert (wrong.subject, wrong.well) == ("login", False)
    assert wrong.remedy
    council.faults("contact", broken_record={})
    ill = opened().doctor()[-1]
    assert (ill.subject, ill.well) == ("interface of Request", False)
    council.faults("contact", dead={})
    route = opened(timeout_seconds=3).doctor()[-1]
    assert (route.subject, route.well) == ("route", False)
