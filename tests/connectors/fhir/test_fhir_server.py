"""The FHIR family against the pretend health service, over loopback: an ordinary day and its faults."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from connectors.errors import (
    Misconfigured,
    NotThere,
    Outdated,
    PageUnreadable,
    Rejected,
    Throttled,
    Unauthorised,
    Unknown,
    Unreachable,
)
from connectors.port import Item, Tier, UnreadableItem

OURS = "https://dolen.example.org/id/referral"
TYPES = ("Patient", "ServiceRequest", "Task")


def of_type(council: Any, type: str) -> list[dict[str, Any]]:
    """All resources of a type, asked for as a stranger asks."""
    answer = requests.get(
        f"{council.system('health')}/fhir/{type}",
        params={"_count": "200"},
        headers={"apikey": council.secrets["health"]["api_key"]},
        timeout=10,
    )
    return [entry["resource"] for entry in answer.json().get("entry", [])]


def test_says_what_it_can_do(fhir: Any) -> None:
    connector = fhir()
    assert connector.kinds() == ("Referral",)
    assert connector.offers("Referral") == {"changes", "fetch", "create", "update", "find"}
    assert connector.tier("Referral") is Tier.KEEPS_KEY
    assert connector.reads_first("Referral")
    assert connector.lookups("Referral") == ()
    with pytest.raises(Misconfigured, match="it has Referral"):
        connector.offers("Patient")
    with pytest.raises(Misconfigured, match="no look-up"):
        connector.codes("Referral", "Task/status")


def test_a_referral_is_made_as_three_resources_that_refer_to_each_other(council: Any, fhir: Any, record: Any) -> None:
    made = fhir().deliver("Referral", record, key="dolen-1")
    (patient,), (request,), (task,) = (of_type(council, type) for type in TYPES)
    assert request["subject"] == task["for"] == {"reference": f"Patient/{patient['id']}"}
    assert task["focus"] == {"reference": f"ServiceRequest/{request['id']}"}
    for resource in (patient, request, task):
        assert {"system": OURS, "value": "dolen-1"} in resource["identifier"]
    assert (made.id, made.effect, made.version) == (task["id"], "created", "1 1 1")
    assert made.modified is not None
    assert "O'Neill" not in repr(made)
    assert "id" not in record["Task"], "the caller's record is left alone"


def test_no_address_names_a_key_or_a_person(small: Any, answer: Any, fhir: Any, record: Any, council: Any) -> None:
    def passed_on(call: Any) -> Any:
        url = council.system("health") + call.path
        headers = {name: value for name, value in call.headers.items() if name not in ("host", "content-length")}
        told = requests.request(call.method, url, data=call.body, headers=headers, timeout=10)
        kept = {name: told.headers[name] for name in ("Content-Type", "ETag", "Location") if name in told.headers}
        return answer(told.status_code, told.content, kept)

    server = small(passed_on)
    connector = fhir(server.url + "/fhir")
    made = connector.deliver("Referral", record, key="dolen-1")
    held = connector.fetch("Referral", made.id)
    connector.find("Referral", "dolen-1")
    changed = {**held.record, "Task": {**held.record["Task"], "status": "accepted"}}
    connector.deliver("Referral", changed, key="dolen-1", id=held.id, version=held.version)
    assert len(server.calls) >= 7
    for call in server.calls:
        assert not any(word in call.path for word in ("dolen-1", "9990000018", "Neill", "1941"))


@pytest.mark.parametrize(("steps", "type"), [(1, "Patient"), (2, "ServiceRequest")])
def test_a_delivery_cut_off_between_two_steps_goes_on_from_there(
    council: Any, fhir: Any, record: Any, steps: int, type: str
) -> None:
    """The server commits a step and the connection breaks: the process that sent it might as well be gone."""
    council.faults("health", reset_after={"times": 1, "operations": [f"create {type}"]})
    with pytest.raises(Unknown):
        fhir().deliver("Referral", record, key="dolen-1")
    assert sum(len(of_type(council, one)) for one in TYPES) == steps
    assert fhir().find("Referral", "dolen-1") == [], "what is half made is no record yet"
    record["Patient"]["gender"] = "other"  # a newer revision than the first try carried
    record["ServiceRequest"]["priority"] = "stat"
    made = fhir().deliver("Referral", record, key="dolen-1")
    (patient,), (request,), (task,) = (of_type(council, one) for one in TYPES)
    assert (patient["gender"], request["priority"]) == ("other", "stat")
    assert (made.id, made.effect) == (task["id"], "created")


def test_a_repeated_create_makes_nothing_and_brings_it_up_to_date(council: Any, fhir: Any, record: Any) -> None:
    connector = fhir()
    made = connector.deliver("Referral", record, key="dolen-1")
    again = connector.deliver("Referral", record, key="dolen-1")
    assert (again.id, again.effect, again.version) == (made.id, "nothing", "1 1 1")
    record["Task"]["status"] = "received"
    newer = connector.deliver("Referral", record, key="dolen-1")
    assert (newer.id, newer.effect, newer.version) == (made.id, "updated", "1 1 2")
    assert [len(of_type(council, type)) for type in TYPES] == [1, 1, 1]
    assert connector.deliver("Referral", record, key="dolen-2").id != made.id


def test_what_others_wrote_onto_it_stays_when_a_create_is_repeated(council: Any, fhir: Any, record: Any) -> None:
    connector = fhir()
    made = connector.deliver("Referral", record, key="dolen-1")
    held = connector.fetch("Referral", made.id)
    local = {"system": "https://iechyd.example.org/id/local", "value": "77"}
    theirs = {**held.record["Task"], "identifier": [*held.record["Task"]["identifier"], local], "description": "theirs"}
    connector.deliver("Referral", {**held.record, "Task": theirs}, key="", id=made.id, version=held.version)
    record["Task"]["status"] = "received"
    connector.deliver("Referral", record, key="dolen-1")
    (task,) = of_type(council, "Task")
    assert (task["status"], task["description"]) == ("received", "theirs")
    assert local in task["identifier"]


def test_several_that_bear_our_key_are_for_a_person(council: Any, fhir: Any, record: Any) -> None:
    ours = [{"system": OURS, "value": "dolen-1"}]
    for _ in range(2):
        council.type_in("health", {**record, "Patient": {**record["Patient"], "identifier": ours}})
    with pytest.raises(Rejected, match="several of its records bear our key"):
        fhir().deliver("Referral", record, key="dolen-1")


def test_a_create_that_says_nothing_of_what_it_found_is_looked_up(small: Any, answer: Any, fhir: Any) -> None:
    patient = {"resourceType": "Patient", "id": "p1", "meta": {"versionId": "1", "lastUpdated": "2026-03-02T09:15:00Z"},
               "identifier": [{"system": OURS, "value": "k"}]}  # fmt: skip
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": patient}]}
    profile = {
        "system": "h", "protocol": "fhir",
        "records": {"Person": {"identifier": OURS, "steps": [{"resource": "Patient"}], "create": {}, "find": {}}},
    }  # fmt: skip
    kind = {"Content-Type": "application/fhir+json"}
    server = small(lambda call: answer(200, json.dumps(bundle).encode() if "_search" in call.path else b"", kind))
    made = fhir(server.url, profile).deliver("Person", {"Patient": {}}, key="k")
    assert (made.id, made.effect) == ("p1", "nothing")


def test_only_what_differs_is_written_and_only_onto_the_version_that_was_read(fhir: Any, record: Any) -> None:
    connector = fhir()
    made = connector.deliver("Referral", record, key="dolen-1")
    held = connector.fetch("Referral", made.id)
    changed = {**held.record, "Task": {**held.record["Task"], "status": "accepted"}}
    done = connector.deliver("Referral", changed, key="k", id=held.id, version=held.version)
    assert (done.effect, done.version) == ("updated", "1 1 2")
    with pytest.raises(Outdated, match="changed since it was read"):
        connector.deliver("Referral", changed, key="k", id=held.id, version=held.version)
    with pytest.raises(Outdated, match="not known"):
        connector.deliver("Referral", changed, key="k", id=held.id, version="")
    same = connector.deliver("Referral", changed, key="k", id=held.id, version="1 1 2")
    assert same.effect == "nothing"
    again = connector.fetch("Referral", made.id)
    assert again.record["Task"]["focus"] == held.record["Task"]["focus"]


def test_a_change_between_our_look_and_our_write_is_caught_by_if_match(
    small: Any, answer: Any, fhir: Any, record: Any, council: Any
) -> None:
    made = fhir().deliver("Referral", record, key="dolen-1")
    held = fhir().fetch("Referral", made.id)

    def meddling(call: Any) -> Any:
        if call.method == "PUT":
            council.type_in_again = council.control(
                "PUT", f"{council.name}/health/records/{made.id}", {"Task": {"status": "on-hold"}}
            )
        told = requests.request(
            call.method, council.system("health") + call.path, data=call.body, timeout=10,
            headers={name: value for name, value in call.headers.items() if name not in ("host", "content-length")},
        )  # fmt: skip
        return answer(told.status_code, told.content, {"Content-Type": told.headers["Content-Type"]})

    connector = fhir(small(meddling).url + "/fhir")
    changed = {**held.record, "Task": {**held.record["Task"], "status": "accepted"}}
    with pytest.raises(Outdated) as caught:
        connector.deliver("Referral", changed, key="k", id=held.id, version=held.version)
    assert caught.value.code == "conflict"
    (task,) = of_type(council, "Task")
    assert task["status"] == "on-hold"


def test_finds_by_our_key_alone(fhir: Any, record: Any) -> None:
    connector = fhir()
    made = connector.deliver("Referral", record, key="dolen-1")
    connector.deliver("Referral", record, key="dolen-11")
    (found,) = connector.find("Referral", "dolen-1")
    assert (found.id, found.our_key) == (made.id, "dolen-1")
    assert set(found.record) == set(TYPES)
    assert connector.find("Referral", "dolen-2") == []


def test_what_is_not_there_or_deleted(council: Any, fhir: Any, record: Any) -> None:
    connector = fhir()
    assert connector.fetch("Referral", "t999") is None
    assert connector.fetch("Referral", "t1,t2") is None
    with pytest.raises(NotThere):
        connector.deliver("Referral", record, key="k", id="t999", version="1 1 1")
    made = connector.deliver("Referral", record, key="dolen-1")
    held = connector.fetch("Referral", made.id)
    remove(council, "Task", made.id)
    assert connector.fetch("Referral", made.id) is None
    with pytest.raises(NotThere):
        connector.deliver("Referral", held.record, key="k", id=made.id, version=held.version)


def test_a_refused_resource_names_the_element_and_never_the_value(fhir: Any, record: Any) -> None:
    record["Patient"]["gender"] = "secretly"
    with pytest.raises(Rejected) as caught:
        fhir().deliver("Referral", record, key="dolen-1")
    assert (caught.value.field, caught.value.code) == ("Patient/gender", "structure")
    assert "secretly" not in str(caught.value) + repr(caught.value)


def test_a_record_that_json_cannot_hold_is_never_sent(council: Any, fhir: Any, record: Any) -> None:
    record["Patient"]["birthDate"] = float("nan")
    with pytest.raises(Rejected, match="nothing was sent"):
        fhir().deliver("Referral", record, key="dolen-1")
    assert of_type(council, "Patient") == []


def test_a_wrong_key_and_a_wrong_address(council: Any, fhir: Any) -> None:
    with pytest.raises(Unauthorised) as caught:
        fhir(key="another").changes("Referral", watermark="")
    assert caught.value.code == "login"
    with pytest.raises(Misconfigured, match="url"):
        fhir(council.system("health") + "/fhi").changes("Referral", watermark="")
    with pytest.raises(Unreachable):
        fhir("http://127.0.0.1:9").changes("Referral", watermark="")


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"error_before": {"status": 503, "rate": 1}}, Unknown),
        ({"throttle": {"seconds": 7, "rate": 1}}, Throttled),
        ({"html_before": {"rate": 1}}, Unknown),
        ({"html_after": {"rate": 1}}, Unknown),
        ({"error_after": {"status": 500, "rate": 1}}, Unknown),
        ({"truncated": {"rate": 1}}, Unknown),
    ],
)
def test_an_unwell_server(council: Any, fhir: Any, record: Any, fault: Any, expected: type[Exception]) -> None:
    connector = fhir()
    council.faults("health", **fault)
    with pytest.raises(expected) as caught:
        connector.deliver("Referral", record, key="dolen-1")
    assert "O'Neill" not in str(caught.value) + repr(caught.value)
    if isinstance(caught.value, Throttled):
        assert caught.value.after == 7
    council.well("health")
    connector.deliver("Referral", record, key="dolen-1")
    assert [len(of_type(council, type)) for type in TYPES] == [1, 1, 1], "nothing was doubled"


def test_walks_all_pages_and_starts_again_behind_them(council: Any, fhir: Any, record: Any, walk: Any) -> None:
    for _ in range(7):
        council.type_in("health", record)
    connector = fhir()
    items, watermark = walk(connector, limit=3)
    assert len({item.id for item in items}) == len(items) == 7
    first = items[0]
    assert isinstance(first, Item)
    assert set(first.record) == set(TYPES)
    assert connector.parse("Referral", first.raw, id=first.id) == first
    again, same = walk(connector, watermark)
    assert [item.id for item in again] == [item.id for item in items], "the overlap reads late records again"
    assert same >= watermark
    assert "O'Neill" not in repr(first)


def test_an_empty_server_leaves_the_watermark_as_it_was(fhir: Any, walk: Any) -> None:
    assert walk(fhir()) == ([], "")
    assert walk(fhir(), "2026-01-02T03:04:05.000000+00:00") == ([], "2026-01-02T03:04:05.000000+00:00")


def test_a_change_of_any_part_shows_the_whole_record_once(
    council: Any, fhir: Any, record: Any, walk: Any, shipped: Any
) -> None:
    profile = shipped("health")
    profile["records"]["Referral"]["changes"]["overlap"] = "PT1S"
    council.control("PUT", "clock", {"now": "2026-03-02T09:00:00+00:00"})
    try:
        made = [council.type_in("health", record) for _ in range(3)]
        council.control("PUT", "clock", {"now": "2026-03-02T09:30:00+00:00"})
        latest = council.type_in("health", record)["Task"]["id"]
        connector = fhir(profile=profile)
        _, watermark = walk(connector)
        council.control("PUT", "clock", {"now": "2026-03-02T10:00:00+00:00"})
        touched = {"Patient": {**made[0]["Patient"], "gender": "unknown"}}
        council.control("PUT", f"{council.name}/health/records/{made[0]['Task']['id']}", touched)
        both = {"ServiceRequest": {"priority": "stat"}, "Task": {"status": "received"}}
        council.control("PUT", f"{council.name}/health/records/{made[1]['Task']['id']}", both)
        items, further = walk(connector, watermark)
        assert [item.id for item in items] == [latest, made[1]["Task"]["id"], made[0]["Task"]["id"]]
        assert items[2].record["Patient"]["gender"] == "unknown"
        assert items[2].modified.isoformat().startswith("2026-03-02T10:00:00")
        assert further.startswith("2026-03-02T10:00:00")
    finally:
        council.control("PUT", "clock", {"now": datetime.now(UTC).isoformat()})


def remove(council: Any, type: str, id: str) -> None:
    """Delete a resource as a stranger does."""
    key = {"apikey": council.secrets["health"]["api_key"]}
    url = f"{council.system('health')}/fhir/{type}/{id}"
    requests.delete(url, headers=key, timeout=10).raise_for_status()


def test_a_deleted_record_is_told_from_the_history(council: Any, fhir: Any, record: Any, walk: Any) -> None:
    kept, gone = (council.type_in("health", record)["Task"]["id"] for _ in range(2))
    connector = fhir()
    _, watermark = walk(connector)
    remove(council, "Task", gone)
    items, _ = walk(connector, watermark)
    assert [(item.id, item.deleted) for item in items] == [(kept, False), (gone, True)]
    assert connector.parse("Referral", items[1].raw, id=gone) == items[1]


def test_a_part_that_is_gone_makes_one_record_unreadable_and_no_other(
    council: Any, fhir: Any, record: Any, walk: Any
) -> None:
    made = [council.type_in("health", record) for _ in range(2)]
    remove(council, "Patient", made[0]["Patient"]["id"])
    first, second = walk(fhir())[0]
    assert isinstance(first, UnreadableItem)
    assert (first.id, first.reason) == (
        made[0]["Task"]["id"], "Referral: the Task came without the Patient that it should refer to"
    )  # fmt: skip
    assert isinstance(second, Item)


def test_a_resource_that_is_not_as_fhir_says(council: Any, fhir: Any, record: Any, walk: Any) -> None:
    for _ in range(3):
        council.type_in("health", record)
    council.faults("health", broken_record={"times": 1})
    items = walk(fhir())[0]
    assert [type(item) for item in items] == [UnreadableItem, Item, Item]
    assert "expected" in items[0].reason
    assert "see" not in items[0].reason


@pytest.mark.parametrize("fault", ["repeated_page", "changed_while_paging", "expired_token"])
def test_pages_that_come_twice_or_change_lose_nothing(
    council: Any, fhir: Any, record: Any, walk: Any, fault: str
) -> None:
    made = {council.type_in("health", record)["Task"]["id"] for _ in range(6)}
    council.faults("health", **{fault: {"times": 1}})
    assert {item.id for item in walk(fhir(), limit=2)[0]} == made


def test_a_feed_without_an_end_is_noticed(council: Any, fhir: Any, record: Any, walk: Any) -> None:
    council.type_in("health", record)
    council.faults("health", endless_page={"rate": 1})
    with pytest.raises(PageUnreadable, match="given before"):
        walk(fhir())


def test_a_record_beyond_all_measure_is_stepped_over(council: Any, fhir: Any, record: Any) -> None:
    for _ in range(3):
        council.type_in("health", record)
    connector = fhir(max_reply_bytes=20_000)
    page = connector.changes("Referral", watermark="", limit=1)
    council.faults("health", huge_record={"bytes": 50_000, "times": 1})
    with pytest.raises(PageUnreadable):
        connector.changes("Referral", watermark="", cursor=page.cursor, limit=1)
    council.faults("health", huge_record={"bytes": 50_000, "times": 1})
    behind = connector.skip("Referral", watermark="", cursor=page.cursor)
    (last,) = connector.changes("Referral", watermark="", cursor=behind, limit=1).items
    assert last.id not in {item.id for item in page.items}


def test_doctor_finds_a_well_server_well_and_changes_nothing(council: Any, fhir: Any, record: Any) -> None:
    council.type_in("health", record)
    found = fhir().doctor()
    assert all(one.well for one in found), found
    assert [one.subject for one in found][-1] == "capabilities"
    assert sum(len(of_type(council, type)) for type in TYPES) == 3
