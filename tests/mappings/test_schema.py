"""The published schema: stable, valid, and agreeing with what `Referral` takes and refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from mappings.declaration import declared
from mappings.referral import SCHEMA_VERSION, Referral
from mappings.schema import referral_schema

SCHEMA = referral_schema()
VALID = Draft202012Validator(SCHEMA)
LEAST: dict[str, Any] = {
    "referral_id": "r",
    "council": "W06000020",
    "source_identifiers": [{"system": "contact", "value": "C-1"}],
    "type": "referral",
    "status": "received",
    "person": {"name": {"family": "Prys"}},
}


def test_it_is_a_schema_and_always_the_same() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert json.dumps(SCHEMA) == json.dumps(referral_schema())
    assert SCHEMA["$id"].endswith(SCHEMA_VERSION)
    assert SCHEMA["x-version"] == SCHEMA_VERSION


def _fields(schema: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, shown in schema.get("properties", {}).items():
        yield prefix + name, shown
        yield from _fields(shown, f"{prefix}{name}.")
        yield from _fields(shown.get("items", {}), f"{prefix}{name}[].")


def test_every_declared_field_is_in_it_with_its_sensitivity() -> None:
    shown = dict(_fields(SCHEMA))
    for path, field in declared().items():
        assert shown[path]["x-sensitivity"] == field.strictest.value
        assert shown[path]["x-label"] == {"cy": field.meta.cy, "en": field.meta.en}
    assert set(shown) - set(declared()) == {"remarks", "remarks[].path", "remarks[].code"}


def test_coded_fields_show_their_codes_in_both_languages() -> None:
    codes = SCHEMA["properties"]["priority"]["x-codes"]
    assert [code["code"] for code in codes] == ["routine", "urgent", "emergency"]
    assert all(code["cy"] and code["en"] for code in codes)
    assert SCHEMA["x-welsh-checked"] is False


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"priority": "soon", "council": "torfaen"},  # remarked, not refused
        {"person": {"name": {"given": ["Siân"]}, "address": None, "nhs_number": None}},
        {"person": {"name": {"preferred": "Nain"}, "telecom": [{"system": "phone", "value": "x", "rank": 1}]}},
        {"extensions": {"contact": {"transport_needs": "lift"}}, "needs": [{"code": "meals"}]},
    ],
)
def test_what_the_referral_takes_is_valid_before_and_after(changes: dict[str, Any]) -> None:
    raw = LEAST | changes
    VALID.validate(raw)
    VALID.validate(Referral.model_validate(raw).model_dump(mode="json", by_alias=True))


@pytest.mark.parametrize(
    "changes",
    [
        {"referral_id": ""},
        {"council": None},
        {"source_identifiers": []},
        {"type": "party"},
        {"status": "queued"},
        {"person": {"name": {"title": "Dr"}}},
        {"person": {}},
        {"schema_version": "2.0.0"},
        {"language": {"correspondence": None}},
        {"source_identifiers": [{"system": "contact"}]},
    ],
)
def test_what_the_referral_refuses_is_not_valid(changes: dict[str, Any]) -> None:
    raw = LEAST | changes
    assert not VALID.is_valid(raw)
    with pytest.raises(ValueError):
        Referral.model_validate(raw)
