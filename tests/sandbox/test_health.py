"""The pretend health service over a real socket: what it gives and takes is FHIR R4, and what is not is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox import people
from sandbox.health import shape
from sandbox.health_words import as_health_knows, as_resources
from sandbox.secrets import health_login
from tests.sandbox.conftest import Running

FHIR = "application/fhir+json"


@pytest.fixture
def api(running: Running) -> Any:
    """Calls torfaen's health service, and holds every answer against FHIR."""

    def call(method: str, path: str, status: int, **more: Any) -> requests.Response:
        headers = {"apikey": health_login("torfaen")["api_key"], "Content-Type": FHIR, **more.pop("headers", {})}
        url = f"{running.url}/torfaen/health/fhir{path}"
        answer = running.http.request(method, url, headers=headers, timeout=10, **more)
        assert answer.status_code == status, answer.text
        if answer.content:
            assert answer.headers["Content-Type"].startswith(FHIR)
            told = answer.json()
            if told["resourceType"] in shape.definitions():
                shape.check(told["resourceType"], told)
            for entry in told.get("entry", []) if told["resourceType"] == "Bundle" else []:
                if "resource" in entry:
                    shape.check(entry["resource"]["resourceType"], entry["resource"])
        return answer

    return call


def test_it_stands_on_the_same_snapshot_as_everybody() -> None:
    root = Path(__file__).parents[2]
    ours = (root / "sandbox/interfaces" / shape.SNAPSHOT).read_bytes()
    assert ours == (root / "connectors/interfaces/fhir-r4/resources.json").read_bytes()


def test_whatever_staff_type_is_fhir(running: Running, api: Any) -> None:
    health: Any = running.world.systems["health"]
    for number in range(40):
        health.staff_put("torfaen", "", as_resources(as_health_knows(people.request(3, number, "torfaen"))))
    found, url = 0, "/Task/_search"
    asked: Any = [("_count", "15"), ("_include", "Task:focus"), ("_include", "Task:patient")]
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    while url:
        page = (api("POST", url, 200, data=asked, headers=form) if asked else api("GET", url, 200)).json()
        asked = None
        found += sum(entry["search"]["mode"] == "match" for entry in page.get("entry", []))
        assert len(page["entry"]) == 3 * sum(entry["search"]["mode"] == "match" for entry in page["entry"])
        further = [link["url"] for link in page["link"] if link["relation"] == "next"]
        url = further[0].partition("/fhir")[2] if further else ""
    assert found == 40


def test_created_once_changed_with_if_match_and_deleted_with_a_trace(api: Any) -> None:
    patient = {"resourceType": "Patient", "identifier": [{"system": "urn:x:y", "value": "1"}]}
    once = {"If-None-Exist": "identifier=urn:x:y|1"}
    made = api("POST", "/Patient", 201, json=patient, headers=once)
    again = api("POST", "/Patient", 200, json=patient, headers=once)
    assert made.json() == again.json()
    id = made.json()["id"]
    assert made.headers["ETag"] == 'W/"1"'
    changed = {**patient, "id": id, "gender": "female"}
    api("PUT", f"/Patient/{id}", 412, json=changed)
    api("PUT", f"/Patient/{id}", 412, json=changed, headers={"If-Match": 'W/"9"'})
    assert api("PUT", f"/Patient/{id}", 200, json=changed, headers={"If-Match": 'W/"1"'}).headers["ETag"] == 'W/"2"'
    api("DELETE", f"/Patient/{id}", 204)
    assert api("GET", f"/Patient/{id}", 410).json()["issue"][0]["code"] == "deleted"
    methods = [entry["request"]["method"] for entry in api("GET", "/Patient/_history", 200).json()["entry"]]
    assert methods == ["POST", "PUT", "DELETE"]
    assert "entry" not in api("GET", "/Patient?identifier=urn:x:y|1", 200).json()


@pytest.mark.parametrize(
    ("body", "element"),
    [
        ({"gender": "F"}, "Patient.gender"),
        ({"surname": "Prys"}, "Patient.surname"),
        ({"name": []}, "Patient.name"),
        ({"birthDate": "06/05/1941"}, "Patient.birthDate"),
        ({"deceasedBoolean": True, "deceasedDateTime": "2026-01-01"}, "Patient"),
        ({"name": [{"family": ""}]}, "Patient.name.family"),
    ],
)
def test_what_is_no_fhir_is_refused_and_named(api: Any, body: dict[str, Any], element: str) -> None:
    told = api("POST", "/Patient", 422, json={"resourceType": "Patient", **body}).json()
    assert told["issue"][0]["expression"] == [element]
    assert "Prys" not in str(told)


def test_what_it_does_not_do_it_says(api: Any) -> None:
    task = {"resourceType": "Task", "status": "requested", "intent": "order", "for": {"reference": "Patient/none"}}
    api("POST", "/Task", 422, json=task)
    api("POST", "/Task", 415, json=task, headers={"Content-Type": "application/json"})
    api("POST", "/Task", 400, data=b"{")
    api("GET", "/Task?owner=1", 400)
    api("GET", "/Task?_sort=date", 400)
    api("GET", "/Task?_lastUpdated=lt2026", 400)
    api("GET", "/Observation", 404)
    api("PATCH", "/Task/1", 405)
    api("GET", "/Task", 401, headers={"apikey": "another"})
    assert api("GET", "/metadata", 200).json()["fhirVersion"] == "4.0.1"
