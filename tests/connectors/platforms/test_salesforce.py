"""The shipped profile of Salesforce against the pretend one: both ways, over loopback, with its vices."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from connectors.errors import (
    ConnectorError,
    Duplicate,
    Misconfigured,
    NotThere,
    Outdated,
    Rejected,
    Throttled,
    Unauthorised,
    Unknown,
)
from connectors.port import Tier, UnreadableItem

NEW = {
    "Kind__c": "Referral", "Status__c": "Received", "Priority__c": "Routine", "Received__c": "2026-03-02T09:15:00Z",
    "First_Name__c": "Siân", "Last_Name__c": "O'Neill", "Birth_Date__c": "1941-05-06", "Safeguarding__c": False,
    "Restricted__c": False, "Needs__c": ["Meals", "Memory"],
}  # fmt: skip
TYPED = {**NEW, "Needs__c": "Meals;Memory"}


def type_in(council: Any, number: int) -> list[str]:
    return [council.type_in("salesforce", TYPED)["Id"] for _ in range(number)]


def edit(council: Any, id: str, **changes: Any) -> None:
    council.control("PATCH", f"{council.name}/salesforce/records/{id}", changes)


def test_says_what_it_can_do(opened: Any) -> None:
    connector = opened("salesforce")
    assert connector.offers("Referral") == {"changes", "fetch", "create", "update", "find"}
    assert connector.tier("Referral") is Tier.KEEPS_KEY


def test_reads_all_then_what_was_updated_and_deleted(own: Any, opened: Any, walk: Any) -> None:
    ids = type_in(own.council, 5)
    own.council.faults("salesforce", small_pages={"ids": 2})
    own.later(minutes=3)
    connector = opened("salesforce")
    items, watermark, notes = walk(connector, limit=2)
    assert ([item.id for item in items], notes) == (ids, [])
    assert items[0].record["Needs__c"] == ["Meals", "Memory"]
    assert items[0].modified is not None
    own.later(minutes=5)
    assert walk(connector, watermark)[0] == []
    edit(own.council, ids[3], Team__c="adults")
    own.council.control("DELETE", f"{own.council.name}/salesforce/records/{ids[0]}")
    own.later(minutes=3)
    items, later, _ = walk(connector, watermark)
    gone, changed = sorted(items, key=lambda item: item.id)
    assert (changed.id, changed.record["Team__c"]) == (ids[3], "adults")
    assert (gone.id, gone.deleted) == (ids[0], True)
    assert connector.parse("Referral", gone.raw, id=gone.id).deleted
    assert datetime.fromisoformat(later) > datetime.fromisoformat(watermark)
    again, _, _ = walk(connector, watermark)
    assert {item.id for item in again} == {ids[0], ids[3]}, "what was not committed is shown again"


def test_seconds_that_are_ignored_hide_nothing(own: Any, opened: Any, walk: Any) -> None:
    connector = opened("salesforce")
    _, watermark, _ = walk(connector)
    seen: set[str] = set()
    typed: set[str] = set()
    for _ in range(12):
        typed |= set(type_in(own.council, 1))
        own.later(seconds=23)
        items, watermark, _ = walk(connector, watermark)
        seen |= {item.id for item in items}
    own.later(minutes=3)
    seen |= {item.id for item in walk(connector, watermark)[0]}
    assert seen == typed


def test_a_record_changed_while_the_walk_goes_on_is_in_the_next(own: Any, opened: Any, walk: Any) -> None:
    ids = type_in(own.council, 4)
    own.later(minutes=3)
    connector = opened("salesforce")

    def between() -> None:
        edit(own.council, ids[0], Team__c="adults")
        own.later(seconds=40)

    _, watermark, _ = walk(connector, "", between, limit=1)
    own.later(minutes=3)
    items, _, _ = walk(connector, watermark)
    assert next(item for item in items if item.id == ids[0]).record["Team__c"] == "adults"


def test_a_walk_after_longer_than_it_remembers_reads_everything_and_says_so(own: Any, opened: Any, walk: Any) -> None:
    ids = type_in(own.council, 3)
    own.later(minutes=3)
    connector = opened("salesforce")
    _, watermark, _ = walk(connector)
    own.later(days=16)
    items, later, notes = walk(connector, watermark)
    assert sorted(item.id for item in items) == ids
    assert len(notes) == 1
    assert "dolen reconcile" in notes[0]
    own.later(minutes=3)
    assert walk(connector, later)[::2] == ([], [])
    own.council.faults("salesforce", forgotten_place={"times": 1})
    items, _, notes = walk(connector, later)
    assert (sorted(item.id for item in items), len(notes)) == (ids, 1)


def test_more_ids_than_a_cursor_holds(own: Any, opened: Any, walk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    connector = opened("salesforce")
    _, watermark, _ = walk(connector)
    monkeypatch.setattr("connectors.rest.feeds.id_window.KEPT", 3)
    own.later(minutes=3)
    ids = type_in(own.council, 10)
    own.later(minutes=3)
    items, _, _ = walk(connector, watermark)
    assert [item.id for item in items] == ids


def test_a_link_to_another_host_is_never_followed(own: Any, opened: Any, walk: Any) -> None:
    type_in(own.council, 3)
    own.council.faults("salesforce", link_elsewhere={})
    with pytest.raises(Misconfigured, match="not called"):
        walk(opened("salesforce"))


def test_a_list_without_end_is_noticed(own: Any, opened: Any, walk: Any) -> None:
    own.council.faults("salesforce", endless_page={}, small_pages={"ids": 0})
    with pytest.raises(ConnectorError, match="given before"):
        walk(opened("salesforce"))


def test_a_broken_record_touches_no_other(own: Any, opened: Any, walk: Any) -> None:
    ids = type_in(own.council, 2)
    own.council.control("PATCH", f"torfaen/salesforce/records/{ids[0]}?unchecked=1", {"Last_Name__c": None})
    bad, good = walk(opened("salesforce"))[0]
    assert isinstance(bad, UnreadableItem)
    assert "Last_Name__c" in bad.reason
    assert good.id == ids[1]
    own.held["salesforce"].wrong.clear()  # what it was made to show breaks the contract, of course


@pytest.mark.parametrize("key", ["dolen-1", "a?c#d e's"])
def test_creates_once_by_the_external_id_and_finds_it(council: Any, opened: Any, key: str) -> None:
    connector = opened("salesforce")
    made = connector.deliver("Referral", NEW, key=key)
    assert made.effect == "created"
    again = connector.deliver("Referral", NEW, key=key)
    assert (again.id, again.effect) == (made.id, "updated")
    (row,) = council.records("salesforce")
    assert (row["Dolen_Key__c"], row["Needs__c"]) == (key, "Meals;Memory")
    (found,) = connector.find("Referral", key)
    assert (found.id, found.our_key) == (made.id, key)
    assert connector.find("Referral", "another") == []


def test_two_records_with_one_external_id_are_for_a_person(council: Any, opened: Any) -> None:
    for _ in range(2):
        council.type_in("salesforce", {**TYPED, "Dolen_Key__c": "k"})
    connector = opened("salesforce")
    for ask in (lambda: connector.deliver("Referral", NEW, key="k"), lambda: connector.find("Referral", "k")):
        with pytest.raises(Rejected, match="merge them there"):
            ask()
    assert len(council.records("salesforce")) == 2


def test_changes_only_what_is_sent_and_only_the_version_it_was_made_from(own: Any, opened: Any) -> None:
    connector = opened("salesforce")
    made = connector.deliver("Referral", NEW, key="k")
    held = connector.fetch("Referral", made.id)
    own.later(seconds=5)
    done = connector.deliver("Referral", {"Status__c": "Accepted"}, key="k", id=made.id, version=held.version)
    assert (done.id, done.effect) == (made.id, "updated")
    with pytest.raises(Outdated):
        connector.deliver("Referral", {"Status__c": "Completed"}, key="k", id=made.id, version=held.version)
    with pytest.raises(Outdated, match="no moment"):
        connector.deliver("Referral", {"Status__c": "Completed"}, key="k", id=made.id, version="7")
    (row,) = own.council.records("salesforce")
    assert (row["Status__c"], row["Last_Name__c"]) == ("Accepted", "O'Neill")


def test_what_is_gone_is_not_there(council: Any, opened: Any) -> None:
    connector = opened("salesforce")
    made = connector.deliver("Referral", NEW, key="k")
    held = connector.fetch("Referral", made.id)
    council.control("DELETE", f"{council.name}/salesforce/records/{made.id}")
    assert connector.fetch("Referral", made.id) is None
    with pytest.raises(NotThere) as caught:
        connector.deliver("Referral", {"Status__c": "Accepted"}, key="k", id=made.id, version=held.version)
    assert caught.value.code == "ENTITY_IS_DELETED"


@pytest.mark.parametrize(
    ("fault", "code", "after"),
    [("locked_row", "UNABLE_TO_LOCK_ROW", 5.0), ("limit_exceeded", "REQUEST_LIMIT_EXCEEDED", 900.0)],
)
def test_locks_and_limits_are_waited_for(council: Any, opened: Any, fault: str, code: str, after: float) -> None:
    connector = opened("salesforce")
    council.faults("salesforce", **{fault: {"times": 1}})
    with pytest.raises(Throttled) as caught:
        connector.deliver("Referral", NEW, key="k")
    assert (caught.value.code, caught.value.after) == (code, after)
    assert council.records("salesforce") == []
    assert connector.deliver("Referral", NEW, key="k").effect == "created"


def test_a_session_that_ends_is_renewed_and_a_wrong_secret_is_named(council: Any, opened: Any) -> None:
    connector = opened("salesforce")
    connector.deliver("Referral", NEW, key="k")
    council.faults("salesforce", expired_token={"times": 1})
    connector.deliver("Referral", NEW, key="k")
    assert council.calls("salesforce", "token") == 2
    council.faults("salesforce", expired_token={})
    with pytest.raises(Unauthorised) as caught:
        connector.deliver("Referral", NEW, key="k")
    assert caught.value.code == "INVALID_SESSION_ID"
    with pytest.raises(Unauthorised) as caught:
        opened("salesforce", secret="cyfrinach-arall").deliver("Referral", NEW, key="k")
    assert "cyfrinach" not in str(caught.value) + repr(caught.value)


def test_a_refused_field_is_named_and_never_its_value(opened: Any) -> None:
    with pytest.raises(Rejected) as caught:
        opened("salesforce").deliver("Referral", {**NEW, "Last_Name__c": "x" * 101}, key="k")
    assert (caught.value.code, caught.value.field) == ("STRING_TOO_LONG", "Last_Name__c")
    assert "xxx" not in str(caught.value) + repr(caught.value)


def test_a_value_that_would_fall_apart_is_not_sent(council: Any, opened: Any) -> None:
    with pytest.raises(Rejected, match="nothing was sent"):
        opened("salesforce").deliver("Referral", {**NEW, "Needs__c": ["Meals;Memory"]}, key="k")
    assert council.calls("salesforce", "upsert") == 0


@pytest.mark.parametrize("fault", ["error_after", "reset_after", "html_after", "truncated"])
def test_a_create_without_a_clear_answer_is_unknown_and_made_once(council: Any, opened: Any, fault: str) -> None:
    connector = opened("salesforce")
    council.faults("salesforce", **{fault: {"times": 1, "operations": ["upsert"]}})
    with pytest.raises(Unknown):
        connector.deliver("Referral", NEW, key="k")
    assert connector.deliver("Referral", NEW, key="k").effect == "updated"
    assert len(council.records("salesforce")) == 1


def test_two_at_once_under_one_key_are_one(small: Any, answer: Any, opened: Any) -> None:
    body = b'[{"message": "duplicate value found", "errorCode": "DUPLICATE_VALUE", "fields": []}]'
    server = small(lambda _: answer(400, body))
    with pytest.raises(Duplicate):
        opened("salesforce", url=server.url, login=None).deliver("Referral", NEW, key="k")
    with pytest.raises(Rejected):
        opened("salesforce", url=server.url, login=None).deliver(
            "Referral", NEW, key="k", id="a00", version="2026-03-02T09:15:00.000+0000"
        )


def test_doctor_reads_a_page_and_says_what_is_wrong(council: Any, opened: Any) -> None:
    type_in(council, 1)
    assert [one for one in opened("salesforce").doctor() if not one.well] == []
    assert [one.subject for one in opened("salesforce", secret="arall").doctor() if not one.well] == ["login"]
