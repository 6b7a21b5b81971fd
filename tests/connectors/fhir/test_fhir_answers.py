"""What a FHIR server may answer, from small servers with vices: a named error, an item, or nothing at all."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from connectors import errors
from connectors.errors import ConnectorError, Misconfigured, PageUnreadable, Rejected, Throttled
from connectors.fhir.bundles import entries, next_of
from connectors.fhir.capability import lacks
from connectors.fhir.outcome import issue_in, refusing
from connectors.fhir.profile import FhirProfile
from connectors.fhir.records import Records
from connectors.http import Reply
from connectors.port import Item, UnreadableItem
from connectors.problems import ProfileFaults
from connectors.registry import check_profile, interfaces_of, lacking
from connectors.rest.interface import open_interface
from sandbox.health.system import capabilities

FHIR = {"Content-Type": "application/fhir+json"}
STAMP = {"versionId": "1", "lastUpdated": "2026-03-02T09:15:00+00:00"}
WHOLE = [
    {"resourceType": "Task", "id": "t1", "meta": STAMP, "status": "requested", "intent": "order",
     "focus": {"reference": "ServiceRequest/s1"}, "for": {"reference": "Patient/p1"}},
    {"resourceType": "ServiceRequest", "id": "s1", "meta": STAMP, "status": "active", "intent": "order",
     "subject": {"reference": "Patient/p1"}},
    {"resourceType": "Patient", "id": "p1", "meta": STAMP},
]  # fmt: skip


def bundle(resources: list[Any] = WHOLE, **more: Any) -> dict[str, Any]:
    modes = ["match", *["include"] * (len(resources) - 1)]
    entry = [{"resource": each, "search": {"mode": mode}} for each, mode in zip(resources, modes, strict=True)]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entry, **more}


def outcome(code: str, *, detail: str = "", expression: str = "", severity: str = "error") -> bytes:
    issue: dict[str, Any] = {"severity": severity, "code": code, "diagnostics": "Gwen Prys lives here"}
    if detail:
        issue["details"] = {"coding": [{"code": detail}], "text": "Gwen Prys"}
    if expression:
        issue["expression"] = [expression]
    return json.dumps({"resourceType": "OperationOutcome", "issue": [issue]}).encode()


@pytest.fixture
def served(small: Any, answer: Any, fhir: Any) -> Callable[..., Any]:
    """A connector onto a server that always gives this one answer."""

    def start(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Any:
        told = body if isinstance(body, bytes) else json.dumps(body).encode()
        server = small(lambda _: answer(status, told, headers or FHIR))
        connector = fhir(server.url + "/fhir")
        connector.server = server
        return connector

    return start


@pytest.mark.parametrize(
    ("status", "code", "named"),
    [
        (400, "invalid", "Rejected"), (400, "structure", "Rejected"), (422, "business-rule", "Rejected"),
        (422, "duplicate", "Duplicate"), (409, "duplicate", "Duplicate"), (409, "conflict", "Outdated"),
        (409, "lock-error", "Outdated"), (409, "", "Outdated"), (412, "multiple-matches", "Rejected"),
        (401, "login", "Unauthorised"), (403, "forbidden", "Unauthorised"), (400, "security", "Unauthorised"),
        (404, "not-found", "Misconfigured"), (410, "deleted", "Misconfigured"), (405, "not-supported", "Rejected"),
        (429, "throttled", "Throttled"), (415, "not-supported", "Rejected"), (413, "too-long", "Rejected"),
        (500, "exception", "Unknown"), (503, "transient", "Unknown"), (500, "duplicate", "Unknown"),
        (503, "conflict", "Unknown"), (504, "timeout", "Unknown"), (408, "timeout", "Unknown"),
    ],
)  # fmt: skip
def test_the_table_of_refusals_of_a_create(served: Any, record: Any, status: int, code: str, named: str) -> None:
    with pytest.raises(getattr(errors, named)) as caught:
        served(outcome(code) if code else b"", status).deliver("Referral", record, key="k")
    assert type(caught.value).__name__ == named
    assert caught.value.code == code
    assert "Gwen" not in str(caught.value) + repr(caught.value)


def test_a_second_match_of_a_conditional_create_is_for_a_person(served: Any, record: Any) -> None:
    with pytest.raises(Rejected, match="bear our key"):
        served(outcome("conflict"), 412).deliver("Referral", record, key="k")


def test_the_servers_own_code_goes_before_the_general_one(served: Any, record: Any) -> None:
    with pytest.raises(Rejected) as caught:
        served(outcome("invalid", detail="REC_BAD_REQUEST"), 400).deliver("Referral", record, key="k")
    assert caught.value.code == "REC_BAD_REQUEST"


def test_a_word_that_is_no_issue_type_of_fhir_is_not_shown(served: Any, record: Any) -> None:
    with pytest.raises(Rejected) as caught:
        served(outcome("Prydderch"), 422).deliver("Referral", record, key="k")
    assert (caught.value.code, str(caught.value).count("Prydderch")) == ("", 0)


@pytest.mark.parametrize("issue", [3, "error", {"severity": "error"}, [3], None])
def test_a_judgement_of_another_shape_refuses_nothing(issue: Any) -> None:
    """Seen red: a number in place of the list ended `dolen doctor`."""
    assert refusing({"resourceType": "OperationOutcome", "issue": issue}) is None


@pytest.mark.parametrize(
    ("expression", "field"),
    [("Task.status", "Task/status"), ("Patient.name[0].family", "Patient/name/family"), ("Patient.gwen", ""),
     ("Patient.where(name='Gwen')", ""), (7, "")],
)  # fmt: skip
def test_only_elements_of_fhir_are_named(served: Any, record: Any, expression: Any, field: str) -> None:
    with pytest.raises(Rejected) as caught:
        served(outcome("value", expression=expression), 422).deliver("Referral", record, key="k")
    assert caught.value.field == field
    assert "gwen" not in str(caught.value).lower()


def test_a_warning_does_not_hide_the_error() -> None:
    told = {"resourceType": "OperationOutcome", "issue": [
        {"severity": "warning", "code": "informational"}, {"severity": "fatal", "code": "conflict"}]}  # fmt: skip
    assert issue_in(told).code == "conflict"


def test_a_wait_is_obeyed_but_not_for_ever(served: Any) -> None:
    with pytest.raises(Throttled) as caught:
        served(outcome("throttled"), 429, {**FHIR, "Retry-After": "999999"}).changes("Referral", watermark="")
    assert caught.value.after == 3600


@pytest.mark.parametrize(
    "link", ["http://203.0.113.9/fhir/Task?p=2", "//203.0.113.9/x", "/elsewhere?p=2", "../../../x", "http://[", "x:y"]
)
def test_a_next_page_elsewhere_is_never_called(served: Any, link: str) -> None:
    connector = served(bundle(link=[{"relation": "next", "url": link}]))
    with pytest.raises(Misconfigured, match="was not called"):
        connector.changes("Referral", watermark="")
    assert len(connector.server.calls) == 1


def test_a_page_whose_place_is_lost_is_begun_again(small: Any, answer: Any, fhir: Any) -> None:
    def say(call: Any) -> Any:
        if call.method == "GET":
            return answer(410, outcome("not-found"), FHIR)
        link = [{"relation": "next", "url": f"{server.url}/fhir?_getpages=7"}]
        return answer(200, json.dumps(bundle(link=link)).encode(), FHIR)

    server = small(say)
    connector = fhir(server.url + "/fhir")
    page = connector.changes("Referral", watermark="")
    (again,) = connector.changes("Referral", watermark="", cursor=page.cursor).items
    assert again.id == "t1"
    assert [call.method for call in server.calls] == ["POST", "GET", "POST"]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"null", b"{}", b'{"resourceType":"Bundle","entry":7}', b'{"resourceType":"Patient"}',
        b'{"resourceType":"Bundle","link":7}', b'{"resourceType":"Bundle","link":[{"relation":"next"}]}',
        b'{"resourceType":"Bundle","entry":[],"entry":[]}', b'{"resourceType":"Bundle","entry":[', b"\xff\xfe",
        b"[" * 100_000, outcome("exception"),
    ],
)  # fmt: skip
def test_what_is_no_bundle_is_no_page(served: Any, body: bytes) -> None:
    with pytest.raises((PageUnreadable, errors.Unknown)):
        served(body).changes("Referral", watermark="")


@pytest.mark.parametrize("kind", ["text/html", "application/xml", ""])
def test_what_is_no_json_says_nothing_of_the_records(served: Any, kind: str) -> None:
    with pytest.raises(errors.Unknown):
        served(bundle(), headers={"Content-Type": kind}).changes("Referral", watermark="")


def test_an_entry_without_a_resource_is_one_hole_and_an_outcome_is_none(served: Any) -> None:
    told = bundle()
    told["entry"] += [
        {"fullUrl": "urn:uuid:5", "search": {"mode": "match"}},
        {"resource": json.loads(outcome("informational")), "search": {"mode": "outcome"}},
    ]
    whole, hole = served(told).changes("Referral", watermark="").items
    assert isinstance(whole, Item)
    assert isinstance(hole, UnreadableItem)
    assert hole.reason == "Referral at entry/3: expected a resource"


@pytest.mark.parametrize("way", ["http://elsewhere.example.org/Patient/p1", "Patient/p1/_history/3", "urn:uuid:77"])
def test_a_reference_is_followed_inside_the_bundle_and_nowhere_else(served: Any, way: str) -> None:
    told = copy.deepcopy(bundle())
    told["entry"][0]["resource"]["for"] = {"reference": way}
    told["entry"][2]["fullUrl"] = "urn:uuid:77"
    connector = served(told)
    (item,) = connector.changes("Referral", watermark="").items
    assert isinstance(item, Item)
    assert len(connector.server.calls) == 1


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        ("status", {"x": 1}, "Task at status: expected string"),
        ("id", " ", "expected an id"),
        ("meta", {"versionId": "1", "lastUpdated": "gestern"}, "lastUpdated"),
        ("intent", None, "expected string"),
    ],
)
def test_a_fault_names_the_path_and_not_the_value(served: Any, place: str, value: Any, words: str) -> None:
    told = copy.deepcopy(WHOLE)
    told[0][place] = value
    for one in told[1:]:
        one["meta"] = {"versionId": "1"}
    (item,) = served(bundle(told)).changes("Referral", watermark="").items
    assert isinstance(item, UnreadableItem)
    assert words in item.reason
    assert "gestern" not in item.reason


def test_a_version_that_one_part_lacks_is_none(served: Any, record: Any) -> None:
    told = copy.deepcopy(WHOLE)
    del told[2]["meta"]["versionId"]
    told[2]["meta"] = {"lastUpdated": STAMP["lastUpdated"]}
    connector = served(bundle(told))
    (item,) = connector.changes("Referral", watermark="").items
    assert item.version == ""
    with pytest.raises(errors.Outdated, match="not known"):
        connector.deliver("Referral", item.record, key="k", id="t1", version="1")


@pytest.mark.parametrize("status", [200, 201])
def test_an_answer_that_names_no_resource_leaves_it_open(served: Any, record: Any, status: int) -> None:
    with pytest.raises((errors.Unknown, errors.PageUnreadable)):
        served(b'{"resourceType":"OperationOutcome"}', status).deliver("Referral", record, key="k")


def test_a_promise_for_later_is_not_done(served: Any, record: Any) -> None:
    with pytest.raises(errors.Unknown, match="promises"):
        served(b"", 202).deliver("Referral", record, key="k")


JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(max_size=8),
    lambda inner: some.lists(inner, max_size=4)
    | some.dictionaries(some.sampled_from(["resource", "resourceType", "id", "meta", "entry", "link", "relation", "url",
                                           "search", "mode", "issue", "code", "request", "method", "for", "focus",
                                           "reference", "identifier"]) | some.text(max_size=4), inner, max_size=6),
    max_leaves=15,
)  # fmt: skip


@given(JSON)
def test_no_bundle_or_outcome_makes_us_stumble(told: Any) -> None:
    issue_in(told)
    reply = Reply(200, {}, b"", 0.0)
    for body in (told, {"resourceType": "Bundle", "entry": told}, {"resourceType": "Bundle", "entry": [told],
                                                                   "link": [told]}):  # fmt: skip
        try:
            found = entries(body, reply, "reading")
            next_of(body, reply, "reading")
        except PageUnreadable:
            continue
        records = _records()
        for item in records.led(found):
            assert isinstance(item, UnreadableItem)
        for entry in found:
            records.deleted(entry.whole)


def _records() -> Records:
    from pathlib import Path

    file = "interfaces/fhir-r4/resources.json"
    body = (Path(__file__).parents[3] / "connectors" / file).read_bytes()
    steps = [
        {"resource": "Patient"},
        {"resource": "Task", "refers": {"for": {"to": "Patient", "search": "patient"}}},
    ]
    profile = check_profile(
        {"system": "h", "protocol": "fhir", "records": {"R": {"identifier": "urn:x:y", "steps": steps}}}
    )
    assert isinstance(profile, FhirProfile)
    return Records("R", profile.records["R"], open_interface(body, file))


def test_what_a_server_denies_is_named(shipped: Any) -> None:
    profile = check_profile(shipped("health"))
    assert isinstance(profile, FhirProfile)
    told = capabilities()
    assert list(lacks(told, profile)) == []
    task = told["rest"][0]["resource"][2]
    task["conditionalCreate"] = task["conditionalUpdate"] = False
    task["interaction"] = [{"code": "read"}, {"code": "search-type"}, {"code": "create"}, {"code": "history-type"}]
    task["searchInclude"] = ["Task:patient"]
    task["searchParam"] = [{"name": "patient"}]
    told["rest"][0]["resource"] = [told["rest"][0]["resource"][0], task]
    told["fhirVersion"] = "5.0.0"
    assert list(lacks(told, profile)) == [
        "the server does not say that it speaks FHIR R4 (fhirVersion 4.0.x)",
        "Referral: the server says nothing of ServiceRequest",
        "Referral: Task cannot be used by update",
        "Referral: Task cannot be created on a condition, so that a repeated create would make a second one",
        "Referral: Task cannot be searched by identifier",
        "Referral: a search for Task cannot bring along Task:focus",
        "Referral: the server says nothing of DocumentReference, by which documents are handed over",
    ]
    assert list(lacks({}, profile)) == ["what the server shows at /metadata is no CapabilityStatement"]


def test_a_live_server_is_asked_what_it_can_do(council: Any, shipped: Any, small: Any, answer: Any) -> None:
    def ask(url: str) -> list[str]:
        return lacking(shipped("health"), {"url": url}, secret=lambda _: "")

    assert ask(council.system("health") + "/fhir") == []
    less = capabilities()
    del less["rest"][0]["resource"][0]
    server = small(lambda _: answer(200, json.dumps(less).encode(), FHIR))
    assert ask(server.url) == ["Referral: the server says nothing of Patient"]
    assert [call.path for call in server.calls] == ["/metadata"]
    with pytest.raises(ConnectorError):
        ask("http://127.0.0.1:9")


def test_the_records_in_the_neutral_form(shipped: Any, interfaces: Any) -> None:
    (form,) = interfaces_of(shipped("health"), interfaces=interfaces)
    for use in ("read", "create", "update"):
        assert form[use]["required"] == ["Patient", "ServiceRequest", "Task"]
        assert "order" in form[use]["properties"]["Task"]["properties"]["intent"]["enum"]
    assert {"Task/focus", "Task/for", "ServiceRequest/subject", "Patient/meta", "Task/id"} <= set(form["ours"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"steps": [{"resource": "Patient"}, {"resource": "Patient"}]}, "twice"),
        ({"steps": [{"resource": "Task", "refers": {"for": {"to": "Patient"}}}]}, "no earlier step"),
        ({"steps": [{"resource": "Patient"}, {"resource": "Task"}]}, "no reference with `search` to Patient"),
        ({"find": None}, "create needs find"),
        ({"fetch": None}, "update needs fetch"),
        ({"identifier": "ours"}, "identifier"),
        ({"changes": {"feed": "cursor"}}, "feed"),
    ],
)
def test_a_profile_that_cannot_work_is_refused(shipped: Any, change: dict[str, Any], words: str) -> None:
    profile = shipped("health")
    profile["records"]["Referral"].update(change)
    with pytest.raises(ProfileFaults, match=words):
        check_profile(profile)


def test_a_resource_that_the_snapshot_lacks_is_named(shipped: Any, interfaces: Any) -> None:
    profile = shipped("health")
    profile["records"]["Referral"]["steps"][0]["resource"] = "Person"
    profile["records"]["Referral"]["steps"][1]["refers"]["subject"]["to"] = "Person"
    profile["records"]["Referral"]["documents"]["subject"] = "Person"
    profile["records"]["Referral"]["steps"][2]["refers"]["for"]["to"] = "Person"
    with pytest.raises(Misconfigured, match="has no schema Person"):
        interfaces_of(profile, interfaces=interfaces)
