"""A FHIR server without conditional create: resources are made and brought up to date by a conditional update."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from connectors.errors import Outdated, Rejected, Unauthorised, Unknown
from connectors.fhir.capability import lacks
from connectors.fhir.profile import FhirProfile
from connectors.registry import check_profile
from tests.connectors.fhir.test_fhir_server import OURS, TYPES, of_type


def put(profile: dict[str, Any]) -> dict[str, Any]:
    """The profile of a server that has no conditional create."""
    for step in profile["records"]["Referral"]["steps"]:
        step["once"] = "update"
    return profile


def read(profile: dict[str, Any]) -> FhirProfile:
    checked = check_profile(profile)
    assert isinstance(checked, FhirProfile)
    return checked



@pytest.fixture
def putting(fhir: Any, shipped: Any) -> Any:
    """Opens connectors onto a server that has no conditional create."""
    return lambda url="", **more: fhir(url, profile=put(shipped("health")), **more)


def test_a_conditional_update_makes_once_and_brings_up_to_date(council: Any, putting: Any, record: Any) -> None:
    council.faults("health", reset_after={"times": 1, "operations": ["update ServiceRequest"]})
    with pytest.raises(Unknown):
        putting().deliver("Referral", record, key="dolen-1")
    assert sum(len(of_type(council, one)) for one in TYPES) == 2
    record["ServiceRequest"]["priority"] = "stat"  # a newer revision than the first try carried
    made = putting().deliver("Referral", record, key="dolen-1")
    (patient,), (request,), (task,) = (of_type(council, one) for one in TYPES)
    assert (made.id, made.effect, made.version) == (task["id"], "created", "1 2 1")
    assert request["priority"] == "stat"
    again = putting().deliver("Referral", record, key="dolen-1")
    assert (again.id, again.effect) == (made.id, "nothing")
    assert council.calls("health", "create Patient") == 0
    assert patient["identifier"][-1]["value"] == "dolen-1"


def test_a_conditional_update_keeps_what_others_wrote(council: Any, putting: Any, fhir: Any, record: Any) -> None:
    made = putting().deliver("Referral", record, key="dolen-1")
    held = fhir().fetch("Referral", made.id)
    local = {**held.record, "Task": {**held.record["Task"], "description": "theirs alone"}}
    fhir().deliver("Referral", local, key="dolen-1", id=held.id, version=held.version)
    record["Task"]["status"] = "received"
    putting().deliver("Referral", record, key="dolen-1")
    (task,) = of_type(council, "Task")
    assert (task["status"], task["description"]) == ("received", "theirs alone")


def test_a_conditional_update_is_checked_against_the_version_that_was_read(
    small: Any, answer: Any, putting: Any, record: Any, council: Any
) -> None:
    """Somebody writes between our look-up and our update; and the call is as the standard has it."""
    putting().deliver("Referral", record, key="dolen-1")

    def passed_on(call: Any) -> Any:
        if call.method == "PUT":
            return answer(412, b'{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"conflict"}]}',
                          {"Content-Type": "application/fhir+json"})  # fmt: skip
        headers = {name: value for name, value in call.headers.items() if name not in ("host", "content-length")}
        told = requests.request(
            call.method, council.system("health") + call.path, data=call.body, headers=headers, timeout=10
        )
        return answer(told.status_code, told.content, {"Content-Type": told.headers["Content-Type"]})

    server = small(passed_on)
    record["Patient"]["gender"] = "other"
    with pytest.raises(Outdated):
        putting(server.url + "/fhir").deliver("Referral", record, key="dolen-1")
    (put,) = [call for call in server.calls if call.method == "PUT"]
    assert put.path == f"/fhir/Patient?identifier={OURS}%7Cdolen-1"
    assert put.headers["if-match"] == 'W/"1"'
    with pytest.raises(Rejected, match="several"):
        putting(server.url + "/fhir").deliver("Referral", record, key="dolen-2")


def test_doctor_says_which_condition_the_server_denies(shipped: Any) -> None:
    told: dict[str, Any] = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": [{"resource": [
        {"type": type, "conditionalCreate": False, "conditionalUpdate": True} for type in TYPES]}]}  # fmt: skip
    *words, documents = lacks(told, read(shipped("health")))
    assert "DocumentReference" in documents
    assert len(words) == 3
    assert all("once: update" in one for one in words)
    without = put(shipped("health"))
    del without["records"]["Referral"]["documents"]
    profile = read(without)
    assert list(lacks(told, profile)) == []
    for one in told["rest"][0]["resource"]:
        one["conditionalUpdate"] = False
    assert all("cannot be updated on a condition" in one for one in lacks(told, profile))


def test_doctor_tries_a_write_that_keeps_nothing(council: Any, fhir: Any, record: Any, small: Any, answer: Any) -> None:
    assert "dry write" not in {one.subject for one in fhir().doctor()}, "there is no record to try it with"
    council.type_in("health", record)
    (tried,) = [one for one in fhir().doctor() if one.subject == "dry write"]
    assert (tried.well, "nothing was kept" in tried.words) == (True, True)
    assert council.calls("health", "validate Task") == 1
    assert [len(of_type(council, type)) for type in TYPES] == [1, 1, 1]
    outcome = {"resourceType": "OperationOutcome", "issue": [
        {"severity": "error", "code": "required", "diagnostics": "O'Neill", "expression": ["Task.owner"]}]}  # fmt: skip
    held = fhir().changes("Referral", watermark="", limit=1).items[0].record

    for status, body, words in ((200, outcome, "required"), (422, outcome, "HTTP 422"), (403, outcome, "HTTP 403")):
        server = small(lambda _, status=status, body=body: answer(
            status, json.dumps(body).encode(), {"Content-Type": "application/fhir+json"}))  # fmt: skip
        with pytest.raises((Rejected, Unauthorised), match=words) as caught:
            fhir(server.url).dry_write("Referral", held)
        assert "O'Neill" not in str(caught.value)
