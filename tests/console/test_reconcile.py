"""Reconcile over real pretend systems: it agrees when they do, and turns red for each fault that is planted in them."""

from __future__ import annotations

import copy
from typing import Any

import pytest

ROUTE = "contact-to-casework"


@pytest.fixture
def synced(live: Any, request_record: dict[str, Any]) -> list[str]:
    """Three requests that casework holds and contact has heard back of; returns their numbers in casework."""
    for number in range(3):
        one = copy.deepcopy(request_record)
        one["customer"]["last_name"] = f"O'Neill-{'ABC'[number]}"
        live.control("POST", "torfaen/contact/records", one)
    with live.running():
        live.until_arrived(6)
        live.json("sync")
        live.until_arrived(6)
    return [one["ReferralId"] for one in live.control("GET", "torfaen/casework/records")["records"]]


def report(site: Any, code: int, route: str = ROUTE) -> dict[str, Any]:
    (found,) = site.json("reconcile", route, code=code)
    return dict(found)


def test_it_agrees_both_ways_and_writes_nothing(live: Any, synced: list[str]) -> None:
    before = live.json("status")
    for route in (ROUTE, "casework-to-contact"):
        found = report(live, 0, route)
        assert found["agrees"]
        assert (found["in_source"], found["in_target"], found["compared"]) == (3, 3, 3)
        assert found["open"] == []
    assert live.json("status") == before


def test_a_missing_record(live: Any, synced: list[str]) -> None:
    live.control("DELETE", f"torfaen/casework/records/{synced[1]}")
    found = report(live, 1)
    assert [one["target"] for one in found["missing"]] == [synced[1]]
    assert found["compared"] == 2


def test_a_changed_field_is_named_and_its_value_is_not(live: Any, synced: list[str]) -> None:
    live.control("PATCH", f"torfaen/casework/records/{synced[0]}", {"Subject": {"Surname": "Rhywunarall"}})
    found = report(live, 1)
    assert [(one["target"], one["fields"]) for one in found["different"]] == [(synced[0], ["person.name.family"])]
    done = live.dolen("reconcile", ROUTE)
    assert done.returncode == 1
    assert "person.name.family" in done.stdout
    assert "Rhywunarall" not in done.stdout
    assert "O'Neill" not in done.stdout


def test_a_dropped_field(live: Any, synced: list[str]) -> None:
    live.control("PATCH", f"torfaen/casework/records/{synced[2]}", {"Subject": {"Mobile": None}})
    (one,) = report(live, 1)["different"]
    assert "person.telecom[system=phone,use=mobile].value" in one["fields"]


def test_two_persons_swapped(live: Any, synced: list[str]) -> None:
    first, second = (live.control("GET", f"torfaen/casework/records/{id}") for id in synced[:2])
    for id, other in ((synced[0], second), (synced[1], first)):
        live.control("PATCH", f"torfaen/casework/records/{id}", {"Subject": other["Subject"]})
    assert {one["target"] for one in report(live, 1)["different"]} == set(synced[:2])


def test_a_double(live: Any, synced: list[str]) -> None:
    copied = live.control("GET", f"torfaen/casework/records/{synced[0]}")
    for name in ("ReferralId", "Version", "LastChanged"):
        del copied[name]
    twin = live.control("POST", "torfaen/casework/records", copied)["ReferralId"]
    assert [one["target"] for one in report(live, 1)["extra"]] == [twin]


def test_a_key_of_ours_that_is_nobodys(live: Any, synced: list[str]) -> None:
    live.control(
        "PATCH", f"torfaen/casework/records/{synced[0]}", {"ClientReference": "01900000-dead", "SourceReference": ""}
    )
    found = report(live, 1)
    assert [one["target"] for one in found["extra"]] == [synced[0]]


def test_an_old_status(live: Any, synced: list[str]) -> None:
    """The target shows what it was last sent, while the source has moved on and says that all was delivered."""
    live.control("PATCH", f"torfaen/casework/records/{synced[0]}", {"Status": "INP"})
    with live.running():
        live.json("sync", "casework")
        live.until_arrived(7)
    contact = live.control("GET", "torfaen/contact/records")["records"]
    (moved,) = [one for one in contact if one["status"] == "in-progress"]
    live.control("PATCH", f"torfaen/contact/records/{moved['id']}", {"status": "new"})
    found = report(live, 1, "casework-to-contact")
    assert [one["target"] for one in found["different"] + found["stale"]] == [moved["id"]]


def test_what_is_on_its_way_is_no_difference(live: Any, synced: list[str]) -> None:
    live.control("PATCH", "torfaen/contact/records/C-000001", {"customer": {"last_name": "Newydd"}})
    found = report(live, 0)
    assert [one["source"] for one in found["open"]] == ["C-000001"]
    live.json("sync", "contact")
    assert "waiting" in report(live, 0)["open"][0]["words"]
