"""The shipped snapshot of FHIR R4: what it says, that a REST connector reads by it, and what it has no room for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from connectors.errors import PageUnreadable
from connectors.registry import check_fit, interfaces_of
from connectors.rest.interface import open_interface

FILE = "interfaces/fhir-r4/resources.json"
RESOURCES = (
    "Appointment", "Bundle", "CommunicationRequest", "Consent", "DocumentReference", "HealthcareService",
    "OperationOutcome", "Organization", "Patient", "Practitioner", "PractitionerRole", "RelatedPerson",
    "ServiceRequest", "Task",
)  # fmt: skip
PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "meta": {"versionId": "3", "lastUpdated": "2026-03-02T09:15:00.000+00:00"},
    "extension": [{"url": "https://example.org/language", "valueCode": "cy"}],
    "identifier": [{"system": "https://example.org/ids", "value": "17", "assigner": {"display": "Cyngor"}}],
    "active": True,
    "name": [{"use": "official", "family": "Prys", "given": ["Gwen", "Mair"]}],
    "telecom": [{"system": "phone", "value": "07700 900123", "use": "mobile", "rank": 1}],
    "gender": "female",
    "birthDate": "1950-04",
    "_birthDate": {"extension": [{"url": "https://example.org/how-known", "valueString": "said"}]},
    "deceasedBoolean": False,
    "communication": [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "cy"}]}, "preferred": True}],
}
REQUEST = {
    "resourceType": "ServiceRequest",
    "id": "s1",
    "status": "active",
    "intent": "order",
    "priority": "urgent",
    "subject": {"reference": "Patient/p1"},
    "occurrencePeriod": {"start": "2026-03-09", "end": "2026-03-10T17:00:00Z"},
    "authoredOn": "2026-03-02T09:15:00Z",
    "requester": {"identifier": {"value": "T7"}, "display": "Tîm Gofal"},
    "reasonCode": [{"text": "cwymp"}],
    "contained": [{"resourceType": "Location", "id": "l1"}],
    "note": [{"authorString": "Dolen", "time": "2026-03-02T09:15:00Z", "text": "Two steps at the door"}],
}


def profile(*names: str) -> dict[str, Any]:
    def record(name: str) -> dict[str, Any]:
        return {
            "component": name, "item": {"id": "id"}, "leave_out": ["id"], "fetch": {"path": f"/{name}/{{id}}"},
            "create": {"method": "POST", "path": f"/{name}"},
            "update": {"method": "PUT", "path": f"/{name}/{{id}}", "mode": "merge"},
        }  # fmt: skip

    return {
        "system": "fhir", "protocol": "rest", "interface": FILE, "clock": "Europe/London",
        "records": {name: record(name) for name in names},
    }  # fmt: skip


@pytest.fixture(scope="session")
def forms(interfaces: Callable[[str], bytes]) -> dict[str, dict[str, Any]]:
    """Every resource of the snapshot in the neutral form."""
    return {one["kind"]: one for one in interfaces_of(profile(*RESOURCES), interfaces=interfaces)}


def test_a_service_request_in_the_neutral_form(forms: dict[str, dict[str, Any]]) -> None:
    for use in ("read", "create"):
        found = forms["ServiceRequest"][use]
        assert set(found["required"]) == {"resourceType", "status", "intent", "subject"}
        parts = found["properties"]
        assert parts["resourceType"]["enum"] == ["ServiceRequest"]
        assert set(parts["status"]["enum"]) == {
            "active", "completed", "draft", "entered-in-error", "on-hold", "revoked", "unknown",
        }  # fmt: skip
        assert set(parts["priority"]["enum"]) == {"routine", "urgent", "asap", "stat"}
        assert parts["subject"]["properties"]["reference"]["type"] == "string"
        assert (parts["code"]["type"], parts["category"]["type"]) == ("object", "array")
        assert parts["note"]["items"]["required"] == ["text"]
        chosen = {tuple(sorted(name for group in one["of"] for name in group)) for one in found["x-choices"]}
        assert ("occurrenceDateTime", "occurrencePeriod", "occurrenceTiming") in chosen
        assert ("quantityQuantity", "quantityRange", "quantityRatio") in chosen


def test_a_patient_in_the_neutral_form(forms: dict[str, dict[str, Any]]) -> None:
    found = forms["Patient"]["read"]
    assert found["required"] == ["resourceType"]
    parts = found["properties"]
    assert set(parts["gender"]["enum"]) == {"male", "female", "other", "unknown"}
    assert parts["name"]["type"] == "array"
    assert parts["name"]["items"]["properties"]["given"]["type"] == "array"
    assert parts["name"]["items"]["properties"]["family"]["type"] == "string"
    assert parts["meta"]["properties"]["lastUpdated"]["x-zone"] == "required"
    assert parts["telecom"]["items"]["properties"]["rank"] == {"type": "integer", "minimum": 1}
    assert parts["communication"]["items"]["required"] == ["language"]


def test_lists_and_choices_that_must_be_there(forms: dict[str, dict[str, Any]]) -> None:
    assert "participant" in forms["Appointment"]["create"]["required"]
    assert "issue" in forms["OperationOutcome"]["read"]["required"]
    assert {"intent", "status"} <= set(forms["Task"]["create"]["required"])
    assert "rejected" in forms["Task"]["create"]["properties"]["status"]["enum"]
    for use in ("create", "update"):  # an update replaces lists whole, so that what is in one is whole too
        items = forms["CommunicationRequest"][use]["properties"]["payload"]["items"]
        (told,) = items["x-choices"]
        assert told["min"] == 1
        assert ["contentString"] in told["of"]


def test_a_merge_needs_no_member_of_a_choice() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
        "x-choices": [{"min": 1, "of": [["a"], ["b"]]}, {"of": "a"}, "a"],
    }
    body = json.dumps({"$defs": {"Case": schema}}).encode()
    (found,) = interfaces_of(profile("Case"), interfaces=lambda _: body)
    assert found["create"]["x-choices"] == [{"min": 1, "of": [["a"], ["b"]]}], "what makes no sense says nothing"
    assert found["update"]["x-choices"] == [{"min": 0, "of": [["a"], ["b"]]}]


def test_extensions_and_whatever_goes_on_in_itself_are_open(forms: dict[str, dict[str, Any]]) -> None:
    patient = forms["Patient"]["read"]["properties"]
    opened = [
        patient["extension"]["items"], patient["contained"]["items"],
        patient["identifier"]["items"]["properties"]["assigner"],
        forms["Bundle"]["read"]["properties"]["entry"]["items"]["properties"]["resource"],
    ]  # fmt: skip
    assert [one["additionalProperties"] for one in opened] == [True] * 4
    assert "x-stopped" not in json.dumps(list(forms.values())), "nothing refers to itself"


def test_every_resource_can_be_read_by(interfaces: Callable[[str], bytes]) -> None:
    check_fit(profile(*RESOURCES), interfaces=interfaces)
    opened = open_interface(interfaces(FILE), FILE)
    slow = [name for name in RESOURCES if opened._quick[name] is None]
    assert slow == [], "words of our own in the file are no reason to judge each record slowly"


@pytest.mark.parametrize("record", [PATIENT, REQUEST], ids=["Patient", "ServiceRequest"])
def test_a_connector_reads_a_resource(
    small: Any, answer: Any, connect: Any, interfaces: Callable[[str], bytes], record: dict[str, Any]
) -> None:
    kind, id = str(record["resourceType"]), str(record["id"])
    server = small(lambda _: answer(200, json.dumps(record).encode(), {"Content-Type": "application/fhir+json"}))
    item = connect(server.url, profile(kind), interfaces(FILE)).fetch(kind, id)
    assert (item.id, item.record) == (id, record)


@pytest.mark.parametrize(
    ("record", "key", "value", "said"),
    [
        (PATIENT, "name", {"family": "Prys"}, "at name: expected array"),
        (PATIENT, "name", [{"given": "Gwen"}], "at name/0/given: expected array"),
        (PATIENT, "active", "true", "at active: expected boolean"),
        (PATIENT, "meta", {"lastUpdated": "2026-03-02"}, "at meta/lastUpdated: expected a moment with offset"),
        (PATIENT, "telecom", [{"rank": 1.5}], "at telecom/0/rank: expected integer"),
        (REQUEST, "subject", "Patient/p1", "at subject: expected object"),
        (REQUEST, "note", [{"authorString": "Dolen"}], "at note/0: text is missing"),
        (REQUEST, "subject", None, "at subject: expected object"),
    ],
)
def test_a_wrong_type_is_refused_by_its_path(
    small: Any, answer: Any, connect: Any, interfaces: Callable[[str], bytes],
    record: dict[str, Any], key: str, value: Any, said: str,
) -> None:  # fmt: skip
    body = json.dumps(record | {key: value}).encode()
    server = small(lambda _: answer(200, body, {"Content-Type": "application/fhir+json"}))
    kind = str(record["resourceType"])
    with pytest.raises(PageUnreadable) as caught:
        connect(server.url, profile(kind), interfaces(FILE)).fetch(kind, str(record["id"]))
    assert said in str(caught.value)


def keys(node: Any, *, names: bool = False) -> Iterator[str]:
    """The words of the schema; the names of a resource's own parts (`description` is one) are none."""
    for key, value in node.items() if isinstance(node, dict) else ():
        if not names:
            yield key
        yield from keys(value, names=not names and key in ("properties", "$defs"))
    for one in node if isinstance(node, list) else ():
        yield from keys(one)


def test_the_snapshot_is_facts_alone(interfaces: Callable[[str], bytes]) -> None:
    body = interfaces(FILE)
    snapshot = json.loads(body)
    assert len(body) < 300_000
    assert list(snapshot) == ["$schema", "$comment", "$defs"]
    assert set(keys(snapshot)) - set(snapshot) == {
        "type", "required", "properties", "items", "minItems", "enum", "const", "format", "pattern", "minLength",
        "maxLength", "minimum", "$ref", "x-choices", "min", "of",
    }  # fmt: skip
    assert not any(" " in word for one in snapshot["$defs"].values() for word in words(one))


def words(node: Any) -> Iterator[str]:
    """Every text in a schema."""
    if isinstance(node, str):
        yield node
    for one in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from words(one)
