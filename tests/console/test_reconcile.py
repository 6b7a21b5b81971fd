"""Reconcile over real pretend systems: it agrees when they do, and turns red for each fault that is planted in them."""

from __future__ import annotations

from typing import Any

ROUTE = "contact-to-casework"


CASES = ("R0000001", "R0000002", "R0000003")


def report(site: Any, code: int, route: str = ROUTE) -> dict[str, Any]:
    (found,) = site.json("reconcile", route, code=code)
    return dict(found)


def test_g10_it_agrees_both_ways_and_writes_nothing_but_the_proof(synced: Any) -> None:
    before = synced.json("status")
    assert [one["at"] for one in before.pop("proofs")] == [None, None]
    for route in (ROUTE, "casework-to-contact"):
        found = report(synced, 0, route)
        assert found["agrees"]
        assert (found["in_source"], found["in_target"], found["compared"]) == (3, 3, 3)
        assert found["open"] == []
    after = synced.json("status")
    assert [(one["agrees"], one["differ"], one["compared"]) for one in after.pop("proofs")] == [(True, 0, 3)] * 2
    assert after == before
    assert f"torfaen/{ROUTE}: compared " in synced.dolen("status").stdout


def test_the_overview_says_that_a_route_differs(synced: Any) -> None:
    synced.control("DELETE", f"torfaen/casework/records/{CASES[1]}")
    report(synced, 1)
    assert "DIFFERS in 1" in synced.dolen("status").stdout


def test_a_repair_asks_for_the_reason(synced: Any) -> None:
    synced.control("PATCH", f"torfaen/casework/records/{CASES[0]}", {"Subject": {"Surname": "Golygwyd"}})
    (found,) = synced.json("reconcile", ROUTE, "--repair", code=1)
    assert [(step["target"], step["possible"]) for step in found["repair"]] == [(CASES[0], True)]
    refused = synced.dolen("reconcile", ROUTE, "--repair", "--go")
    assert refused.returncode == 2
    assert "a reason is needed" in refused.stderr
    (done,) = synced.json("reconcile", ROUTE, "--repair", "--go", said="golygwyd yn y system")
    assert (done["mended"]["taken_in"], len(done["mended"]["deliveries"])) == (1, 1)
    assert synced.dolen("audit", "verify").returncode == 0
    with synced.running():
        synced.until_arrived(8)
    report(synced, 0)


def test_go_belongs_to_repair(synced: Any) -> None:
    done = synced.dolen("reconcile", ROUTE, "--go", said="am reswm")
    assert done.returncode == 2
    assert "--repair --go" in done.stderr


def test_g10_a_missing_record(synced: Any) -> None:
    synced.control("DELETE", f"torfaen/casework/records/{CASES[1]}")
    found = report(synced, 1)
    assert [one["target"] for one in found["missing"]] == [CASES[1]]
    assert found["compared"] == 2


def test_g10_a_changed_field_is_named_and_its_value_is_not(synced: Any) -> None:
    synced.control("PATCH", f"torfaen/casework/records/{CASES[0]}", {"Subject": {"Surname": "Rhywunarall"}})
    found = report(synced, 1)
    assert [(one["target"], one["fields"]) for one in found["different"]] == [(CASES[0], ["person.name.family"])]
    done = synced.dolen("reconcile", ROUTE)
    assert done.returncode == 1
    assert "person.name.family" in done.stdout
    assert "Rhywunarall" not in done.stdout
    assert "O'Neill" not in done.stdout


def test_g10_a_dropped_field(synced: Any) -> None:
    synced.control("PATCH", f"torfaen/casework/records/{CASES[2]}", {"Subject": {"Mobile": None}})
    (one,) = report(synced, 1)["different"]
    assert "person.telecom[system=phone,use=mobile].value" in one["fields"]


def test_g10_two_persons_swapped(synced: Any) -> None:
    first, second = (synced.control("GET", f"torfaen/casework/records/{id}") for id in CASES[:2])
    for id, other in ((CASES[0], second), (CASES[1], first)):
        synced.control("PATCH", f"torfaen/casework/records/{id}", {"Subject": other["Subject"]})
    assert {one["target"] for one in report(synced, 1)["different"]} == set(CASES[:2])


def test_g10_a_double(synced: Any) -> None:
    copied = synced.control("GET", f"torfaen/casework/records/{CASES[0]}")
    for name in ("ReferralId", "Version", "LastChanged"):
        del copied[name]
    twin = synced.control("POST", "torfaen/casework/records", copied)["ReferralId"]
    assert [one["target"] for one in report(synced, 1)["extra"]] == [twin]


def test_g10_a_key_of_ours_that_is_nobodys(synced: Any) -> None:
    synced.control(
        "PATCH", f"torfaen/casework/records/{CASES[0]}", {"ClientReference": "01900000-dead", "SourceReference": ""}
    )
    found = report(synced, 1)
    assert [one["target"] for one in found["extra"]] == [CASES[0]]


def test_g10_an_old_status(synced: Any) -> None:
    """The target shows what it was last sent, while the source has moved on and says that all was delivered."""
    synced.control("PATCH", f"torfaen/casework/records/{CASES[0]}", {"Status": "INP"})
    with synced.running():
        synced.json("sync", "casework")
        synced.until_arrived(7)
    contact = synced.control("GET", "torfaen/contact/records")["records"]
    (moved,) = [one for one in contact if one["status"] == "in-progress"]
    synced.control("PATCH", f"torfaen/contact/records/{moved['id']}", {"status": "new"})
    found = report(synced, 1, "casework-to-contact")
    assert [one["target"] for one in found["different"] + found["stale"]] == [moved["id"]]


def test_what_is_on_its_way_is_no_difference(synced: Any) -> None:
    synced.control("PATCH", "torfaen/contact/records/C-000001", {"customer": {"last_name": "Newydd"}})
    found = report(synced, 0)
    assert [one["source"] for one in found["open"]] == ["C-000001"]
    synced.json("sync", "contact")
    assert "waiting" in report(synced, 0)["open"][0]["words"]
