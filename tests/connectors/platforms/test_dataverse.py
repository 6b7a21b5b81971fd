"""The shipped profile of Dataverse against the pretend one: both ways, over loopback, with its vices."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.errors import (
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
    "dolen_kind": 791230001, "dolen_status": 791230000, "dolen_priority": 791230002,
    "dolen_receivedon": "2026-03-02T09:15:00Z", "dolen_firstname": "Siân", "dolen_lastname": "O'Neill",
    "dolen_birthdate": "1941-05-06", "dolen_safeguarding": False, "dolen_restricted": False,
    "dolen_needs": ["791230000", "791230005"],
}  # fmt: skip
TYPED = {**NEW, "dolen_needs": "791230000,791230005"}


def type_in(council: Any, number: int) -> list[str]:
    return [council.type_in("dataverse", TYPED)["dolen_referralid"] for _ in range(number)]


def test_says_what_it_can_do(opened: Any) -> None:
    connector = opened("dataverse")
    assert connector.offers("Referral") == {"changes", "fetch", "create", "update", "find"}
    assert connector.tier("Referral") is Tier.KEEPS_KEY
    assert not connector.reads_first("Referral")


def test_reads_all_then_what_changed_and_what_was_deleted(council: Any, opened: Any, walk: Any) -> None:
    ids = type_in(council, 5)
    connector = opened("dataverse")
    items, watermark, notes = walk(connector, limit=2)
    assert [item.id for item in items] == ids
    assert items[0].record["dolen_needs"] == ["791230000", "791230005"]
    assert b'"791230000,791230005"' in items[0].raw
    assert items[0].version.startswith('W/"')
    assert items[0].modified is not None
    assert "createdon" not in items[0].record, "no column that is not mapped leaves the system"
    assert walk(connector, watermark) == ([], walk(connector, watermark)[1], [])
    council.control("PATCH", f"{council.name}/dataverse/records/{ids[3]}", {"dolen_team": "adults"})
    council.control("DELETE", f"{council.name}/dataverse/records/{ids[0]}")
    (changed, gone), _, _ = walk(connector, watermark)
    assert (changed.id, changed.record["dolen_team"]) == (ids[3], "adults")
    assert (gone.id, gone.deleted) == (ids[0], True)
    assert connector.parse("Referral", gone.raw, id=gone.id).deleted
    assert notes == []


def test_a_delta_link_older_than_seven_days_leads_to_everything(council: Any, opened: Any, walk: Any) -> None:
    ids = type_in(council, 3)
    connector = opened("dataverse")
    _, watermark, _ = walk(connector)
    council.faults("dataverse", forgotten_place={"times": 1})
    items, later, notes = walk(connector, watermark, limit=1)
    assert [item.id for item in items] == ids
    assert len(notes) == 1
    assert walk(connector, later)[0] == []


def test_the_pretend_one_forgets_a_link_by_its_own_clock(own: Any, opened: Any, walk: Any) -> None:
    type_in(own.council, 1)
    connector = opened("dataverse")
    _, watermark, _ = walk(connector)
    own.later(days=6)
    _, watermark, notes = walk(connector, watermark)
    assert notes == []
    own.later(days=8)
    items, _, notes = walk(connector, watermark)
    assert (len(items), len(notes)) == (1, 1)


def test_a_changing_table_is_read_whole(council: Any, opened: Any, walk: Any) -> None:
    ids = type_in(council, 6)
    council.faults("dataverse", changed_while_paging={}, repeated_page={"rate": 0.5})
    items, watermark, _ = walk(opened("dataverse"), limit=2)
    assert {item.id for item in items} >= set(ids)
    council.well("dataverse")
    assert walk(opened("dataverse"), watermark)[0], "what changed meanwhile is in the next walk"


def test_a_link_to_another_host_is_never_followed(council: Any, opened: Any) -> None:
    type_in(council, 3)
    council.faults("dataverse", link_elsewhere={})
    with pytest.raises(Misconfigured, match="not called"):
        opened("dataverse").changes("Referral", watermark="", limit=1)


def test_a_broken_row_touches_no_other(council: Any, opened: Any, walk: Any) -> None:
    type_in(council, 2)
    council.faults("dataverse", broken_record={})
    bad, good = walk(opened("dataverse"))[0]
    assert isinstance(bad, UnreadableItem)
    assert "dolen_status" in bad.reason
    assert good.record["dolen_status"] == 791230000


@pytest.mark.parametrize("key", ["dolen-1", "o'neill's"])
def test_creates_once_by_the_alternate_key_and_finds_it(council: Any, opened: Any, key: str) -> None:
    connector = opened("dataverse")
    made = connector.deliver("Referral", NEW, key=key)
    assert made.effect == "created"
    assert made.version.startswith("W/")
    council.control("PATCH", f"{council.name}/dataverse/records/{made.id}", {"dolen_worker": "Siwan"})
    with pytest.raises(Duplicate):
        connector.deliver("Referral", NEW, key=key)
    (row,) = council.records("dataverse")
    assert (row["dolen_key"], row["dolen_worker"], row["dolen_needs"]) == (key, "Siwan", "791230000,791230005")
    (found,) = connector.find("Referral", key)
    assert (found.id, found.our_key) == (made.id, key)
    assert connector.find("Referral", "another") == []
    assert NEW["dolen_needs"] == ["791230000", "791230005"], "the caller's record is left alone"


def test_a_quote_in_a_key_cannot_lead_to_another_row(council: Any, opened: Any) -> None:
    connector = opened("dataverse")
    connector.deliver("Referral", NEW, key="a")
    assert connector.find("Referral", "a',dolen_key='a") == []


def test_changes_only_what_is_sent_and_only_the_version_it_was_made_from(council: Any, opened: Any) -> None:
    connector = opened("dataverse")
    made = connector.deliver("Referral", NEW, key="k")
    held = connector.fetch("Referral", made.id)
    done = connector.deliver("Referral", {"dolen_status": 791230002}, key="k", id=made.id, version=held.version)
    assert done.effect == "updated"
    assert done.version not in ("", held.version)
    with pytest.raises(Outdated):
        connector.deliver("Referral", {"dolen_status": 791230003}, key="k", id=made.id, version=held.version)
    (row,) = council.records("dataverse")
    assert (row["dolen_status"], row["dolen_lastname"]) == (791230002, "O'Neill")
    emptied = connector.deliver("Referral", {"dolen_needs": []}, key="k", id=made.id, version=done.version)
    assert emptied.effect == "updated"
    assert council.records("dataverse")[0]["dolen_needs"] is None


def test_an_update_never_makes_a_row_again_that_was_deleted(council: Any, opened: Any) -> None:
    connector = opened("dataverse")
    made = connector.deliver("Referral", NEW, key="k")
    council.control("DELETE", f"{council.name}/dataverse/records/{made.id}")
    with pytest.raises(NotThere):
        connector.deliver("Referral", {"dolen_status": 791230002}, key="k", id=made.id, version=made.version)
    assert connector.fetch("Referral", made.id) is None
    assert council.records("dataverse") == []


def test_an_update_that_takes_anothers_key_is_refused_and_is_no_arrival(opened: Any, shipped: Any) -> None:
    profile = shipped("dataverse")
    profile["records"]["Referral"]["leave_out"] = []
    connector = opened("dataverse", profile)
    connector.deliver("Referral", NEW, key="a")
    made = connector.deliver("Referral", NEW, key="b")
    with pytest.raises(Rejected, match="0x80060892"):
        connector.deliver("Referral", {"dolen_key": "a"}, key="b", id=made.id, version=made.version)


def test_a_refused_column_is_named_by_code_and_shows_no_value(opened: Any) -> None:
    with pytest.raises(Rejected) as caught:
        opened("dataverse").deliver("Referral", {**NEW, "dolen_status": 42}, key="k")
    assert caught.value.code == "0x8004431a"
    with pytest.raises(Rejected) as caught:
        opened("dataverse").deliver("Referral", {**NEW, "dolen_lastname": "x" * 101}, key="k")
    assert "xxx" not in str(caught.value) + repr(caught.value)


@pytest.mark.parametrize("code", ["0x80072322", "0x80072321", "0x80072326"])
def test_the_service_protection_is_obeyed(council: Any, opened: Any, code: str, small: Any, answer: Any) -> None:
    council.faults("dataverse", throttle={"seconds": 17, "operations": ["List", "Upsert"]})
    with pytest.raises(Throttled) as caught:
        opened("dataverse").deliver("Referral", NEW, key="k")
    assert (caught.value.after, caught.value.code) == (17.0, "0x80072322")
    body = b'{"error": {"code": "%s", "message": "busy"}}' % code.encode()
    server = small(lambda _: answer(503, body, {"Content-Type": "application/json", "Retry-After": "9"}))
    with pytest.raises(Throttled) as caught:
        opened("dataverse", url=server.url, login=None).changes("Referral", watermark="")
    assert caught.value.after == 9.0


def test_a_wrong_table_is_not_taken_for_a_row_that_is_gone(opened: Any, shipped: Any) -> None:
    profile = shipped("dataverse")
    profile["records"]["Referral"]["fetch"]["path"] = "/dolen_referalls({id})"
    profile["records"]["Referral"]["find"]["path"] = "/dolen_referalls(dolen_key='{our_key}')"
    connector = opened("dataverse", profile)
    for ask in (connector.fetch, connector.find):
        with pytest.raises(Misconfigured, match="0x8006088a"):
            ask("Referral", "00000000-0000-0000-0000-000000000001")


def test_a_token_that_ends_is_renewed_and_a_wrong_secret_is_named(council: Any, opened: Any) -> None:
    connector = opened("dataverse")
    connector.changes("Referral", watermark="")
    council.faults("dataverse", expired_token={"times": 1})
    connector.changes("Referral", watermark="")
    with pytest.raises(Unauthorised) as caught:
        opened("dataverse", secret="cyfrinach-arall").changes("Referral", watermark="")
    assert "cyfrinach" not in str(caught.value) + repr(caught.value)


@pytest.mark.parametrize("fault", ["error_after", "reset_after", "html_after", "truncated"])
def test_a_create_without_a_clear_answer_is_unknown_and_made_once(council: Any, opened: Any, fault: str) -> None:
    connector = opened("dataverse")
    council.faults("dataverse", **{fault: {"times": 1, "operations": ["Upsert"]}})
    with pytest.raises(Unknown):
        connector.deliver("Referral", NEW, key="k")
    with pytest.raises(Duplicate):
        connector.deliver("Referral", NEW, key="k")
    assert len(council.records("dataverse")) == 1
    assert len(connector.find("Referral", "k")) == 1


def test_tells_its_choices(opened: Any) -> None:
    connector = opened("dataverse")
    assert "dolen_status" in connector.lookups("Referral")
    codes = connector.codes("Referral", "dolen_status")
    assert [code.code for code in codes] == [str(791230000 + number) for number in range(10)]
    assert codes[0].en
    assert len(connector.codes("Referral", "dolen_needs")) == 8


def test_doctor_reads_a_page_and_says_what_is_wrong(council: Any, opened: Any) -> None:
    type_in(council, 1)
    found = opened("dataverse").doctor()
    assert [one.subject for one in found if not one.well] == []
    assert {"route", "clock", "reading Referral", "interface of Referral"} <= {one.subject for one in found}
    assert [one.subject for one in opened("dataverse", secret="arall").doctor() if not one.well] == ["login"]
