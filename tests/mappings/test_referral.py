"""The referral: what it refuses, what it carries with a remark, and what it never shows."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from pydantic import ValidationError
from rich.console import Console

from mappings.declaration import declared
from mappings.meta import Coded, Kind, Meta, Part
from mappings.referral import Referral, Sensitivity
from mappings.remarks import CHECKS, is_partial_date
from mappings.vocabulary import Outcome

# The field list of the project, by name. A field that goes missing here goes missing for somebody.
PROMISED = {
    "schema_version",
    "referral_id",
    "request_id",
    "correlation_id",
    "source_identifiers",
    "target_identifiers",
    "citizen_reference",
    "council",
    "type",
    "status",
    "status_reason",
    "status_changed_at",
    "priority",
    "reason",
    "primary_support_reason",
    "route_of_access",
    "service_requested",
    "received_at",
    "authored_at",
    "due_at",
    "channel",
    "person",
    "language",
    "communication_needs",
    "notify",
    "referrer",
    "related_persons",
    "sharing_basis",
    "safeguarding_flag",
    "warning_flags",
    "restricted_record",
    "assigned_to",
    "appointments",
    "outcome",
    "decision",
    "based_on",
    "replaces",
    "part_of",
    "attachments",
    "notes",
    "provenance",
    "extensions",
    "needs",
}

SECRET = "Angharad-Prys-9990000018"


def given(**changes: Any) -> dict[str, Any]:
    """The least that makes a referral, with changes."""
    return {
        "referral_id": "6f1f7b1e-6a0d-4d7a-9a3e-0d5b8f3a2c11",
        "council": "W06000020",
        "source_identifiers": [{"system": "contact", "value": "C-000123"}],
        "type": "referral",
        "status": "received",
        "person": {"name": {"family": "Prys"}},
    } | changes


def person(**changes: Any) -> dict[str, Any]:
    """A change of the person alone."""
    return {"person": {"name": {"family": "Prys"}} | changes}


def remarks(**changes: Any) -> set[tuple[str, str]]:
    return {(remark.path, remark.code) for remark in Referral.model_validate(given(**changes)).remarks}


def test_every_promised_field_is_there() -> None:
    assert set(Referral.model_fields) >= PROMISED


def test_every_field_is_declared_whole() -> None:
    for field in declared().values():
        meta = field.meta
        assert meta.en and meta.cy and meta.about and meta.standard, field.path
        assert meta.card in ("1", "?", "*"), field.path
        assert (meta.card == "*") is field.many, field.path
        assert (meta.kind is Kind.OBJECT) is (field.part is not None), field.path
        assert not meta.check or meta.check in CHECKS, field.path
        assert meta.codes is None or meta.kind is Kind.CODE, field.path


def test_every_field_has_exactly_one_declaration() -> None:
    for part in {Referral, *(field.part for field in declared().values() if field.part)}:
        for name, info in part.model_fields.items():
            assert sum(isinstance(found, Meta) for found in info.metadata) == 1, f"{part.__name__}.{name}"


@pytest.mark.parametrize("coded", Coded.__subclasses__())
def test_every_code_has_both_displays(coded: type[Coded]) -> None:
    for member in coded:
        assert re.fullmatch(r"[a-z]+(?:[-_][a-z]+)*", member.value)
        assert member.cy and member.en
        assert str(member) == member.value


def test_there_are_eighteen_outcomes() -> None:
    assert len(Outcome) == 18


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("person", Sensitivity.SPECIAL),  # ethnicity is below it
        ("person.name.family", Sensitivity.IDENTIFYING),
        ("person.ethnicity", Sensitivity.SPECIAL),
        ("language.correspondence", Sensitivity.SPECIAL),
        ("language.asked_at", Sensitivity.NONE),
        ("type", Sensitivity.SPECIAL),
        ("status", Sensitivity.NONE),
        ("referrer.telecom[].value", Sensitivity.IDENTIFYING),
        ("extensions", Sensitivity.SPECIAL),
    ],
)
def test_sensitivity_is_that_of_the_field_list(path: str, expected: Sensitivity) -> None:
    assert declared()[path].strictest is expected


@pytest.mark.parametrize(
    "changes",
    [
        {"referral_id": ""},
        {"council": ""},
        {"source_identifiers": []},
        {"source_identifiers": [{"system": "contact"}]},
        {"type": "party"},
        {"status": "queued"},
        {"status": None},
        {"person": {}},
        {"person": {"name": {"title": "Dr"}}},
        {"person": {"name": {"given": [], "family": ""}}},
        {"schema_version": "2.0.0"},
    ],
)
def test_what_breaks_identity_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Referral.model_validate(given(**changes))


@pytest.mark.parametrize("name", [{"family": "Ŵyn"}, {"given": ["Siân"]}, {"preferred": "Nain"}])
def test_any_name_is_a_name(name: dict[str, Any]) -> None:
    assert Referral.model_validate(given(person={"name": name})).person.name is not None


def test_a_newer_minor_and_unknown_fields_are_read() -> None:
    referral = Referral.model_validate(given(schema_version="1.7.0", horoscope="Leo"))
    assert referral.schema_version == "1.7.0"
    assert not hasattr(referral, "horoscope")


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        (person(nhs_number="9990000019"), "person.nhs_number", "nhs-number-check-digit"),
        (person(nhs_number="999"), "person.nhs_number", "nhs-number-shape"),
        (person(address={"postcode": "NP4"}), "person.address.postcode", "postcode-shape"),
        (person(address={"uprn": "1234567890123"}), "person.address.uprn", "uprn-shape"),
        (person(gp_practice="w9"), "person.gp_practice", "ods-shape"),
        (person(date_of_birth="1950-02-30"), "person.date_of_birth", "date-shape"),
        ({"person": {"name": {"family": "P" * 36}}}, "person.name.family", "too-long"),
        ({"person": {"name": {"given": ["P" * 36]}}}, "person.name.given", "too-long"),
        (person(gender="m"), "person.gender", "unknown-code"),
        (person(telecom=[{"system": "phone", "value": "nain"}]), "person.telecom[].value", "phone-shape"),
        (person(telecom=[{"system": "email", "value": "nain"}]), "person.telecom[].value", "email-shape"),
        ({"council": "torfaen"}, "council", "gss-shape"),
        ({"referral_id": "7"}, "referral_id", "uuid-shape"),
        ({"received_at": "2026-03-01T09:30:00+00:00"}, "received_at", "instant-shape"),
        ({}, "received_at", "missing"),
        ({"priority": "soon"}, "priority", "unknown-code"),
        ({"language": {"spoken": "Welsh please"}}, "language.spoken", "language-shape"),
        ({"appointments": [{"start": "tomorrow"}]}, "appointments[].start", "date-shape"),
        ({"warning_flags": ["bear"]}, "warning_flags", "unknown-code"),
        ({"extensions": {"contact": {"x": "y" * 20_001}}}, "extensions", "too-long"),
    ],
)  # fmt: skip
def test_what_looks_wrong_is_remarked_and_carried(changes: dict[str, Any], path: str, code: str) -> None:
    assert (path, code) in remarks(**changes)
    carried = Referral.model_validate(given(**changes)).model_dump(mode="json", by_alias=True)
    for key, value in changes.items():
        _kept(value, carried[key])


def _kept(given_value: Any, carried: Any) -> None:
    if isinstance(given_value, dict):
        for key, value in given_value.items():
            _kept(value, carried[key])
    elif isinstance(given_value, list):
        for value, there in zip(given_value, carried, strict=True):
            _kept(value, there)
    else:
        assert carried == given_value


def test_a_good_referral_has_no_remarks() -> None:
    assert (
        remarks(
            received_at="2026-03-01T09:30:00Z",
            authored_at="2026-03-01T09:30:00Z",
            restricted_record=False,
            provenance={"source_connector": "contact"},
            priority="urgent",
            person={
                "name": {"given": ["Siôn"], "family": "ap Rhys"},
                "nhs_number": "9990000018",
                "date_of_birth": "1950",
                "gp_practice": "W97001",
                "address": {"uprn": "100012345678", "postcode": "NP4 0AA"},
                "telecom": [
                    {"system": "phone", "value": "+447700900123"},
                    {"system": "email", "value": "sion@example.org"},
                    {"system": "other", "value": "shout"},
                ],
            },
            appointments=[{"start": "2026-03-05"}, {"start": "2026-03-05T10:00:00Z"}],
        )
        == set()
    )


def test_remarks_are_in_the_dump_and_not_read_back() -> None:
    referral = Referral.model_validate(given(council="torfaen"))
    dumped = referral.model_dump(mode="json", by_alias=True)
    assert {"path": "council", "code": "gss-shape"} in dumped["remarks"]
    again = Referral.model_validate(dumped | {"remarks": [], "council": "W06000020"})
    assert "gss-shape" not in {remark.code for remark in again.remarks}


def test_a_changed_copy_has_its_own_remarks() -> None:
    referral = Referral.model_validate(given(council="torfaen"))
    assert referral.remarks
    copy = referral.model_copy(update={"council": "W06000020"})
    assert "gss-shape" not in {remark.code for remark in copy.remarks}


def test_a_referral_goes_through_json_and_back() -> None:
    referral = Referral.model_validate(given(person={"name": {"family": "Prys"}, "address": {"from": "2020-01"}}))
    assert referral.person.address is not None
    assert referral.person.address.from_ == "2020-01"
    assert Referral.model_validate_json(referral.model_dump_json(by_alias=True)) == referral


def test_language_not_asked_is_the_default() -> None:
    assert Referral.model_validate(given()).language.correspondence == "not-asked"


def test_it_is_frozen() -> None:
    with pytest.raises(ValidationError):
        Referral.model_validate(given()).council = "W06000012"  # type: ignore[misc]


def test_no_content_shows() -> None:
    referral = Referral.model_validate(given(person={"name": {"family": SECRET}}, priority=SECRET))
    screen = io.StringIO()
    Console(file=screen).print(referral, referral.person)
    for shown in (
        repr(referral),
        str(referral),
        f"{referral}",
        repr(referral.person),
        str(referral.remarks),
        screen.getvalue(),
    ):
        assert SECRET not in shown


def test_errors_show_no_content() -> None:
    with pytest.raises(ValidationError) as caught:
        Referral.model_validate(given(type=SECRET, person={"name": {"family": SECRET}, "telecom": SECRET}))
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value)


def test_booleans_are_not_guessed() -> None:
    with pytest.raises(ValidationError):
        Referral.model_validate(given(safeguarding_flag="yes"))


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("1950", True),
        ("1950-02", True),
        ("1952-02-29", True),
        ("1951-02-29", False),
        ("1950-13", False),
        ("50", False),
        ("0000", False),
    ],
)
def test_partial_dates(text: str, right: bool) -> None:
    assert is_partial_date(text) is right


def test_parts_are_deaf_frozen_and_silent_everywhere() -> None:
    for part in Part.__subclasses__():
        assert part.model_config["extra"] == "ignore"
        assert part.model_config["frozen"] is True
        assert part.model_config["hide_input_in_errors"] is True
