"""What OpenAPI and JSON Schema say of a record, in the neutral form."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import Misconfigured
from connectors.registry import interfaces_of

PROFILE: dict[str, Any] = {
    "system": "t", "protocol": "rest", "interface": "interfaces/t.json", "clock": "UTC",
    "records": {"Case": {
        "component": "Case", "item": {"id": "id"}, "leave_out": ["id"], "fetch": {"path": "/cases/{id}"},
        "create": {"method": "POST", "path": "/cases"},
        "update": {"method": "PATCH", "path": "/cases/{id}", "mode": "merge"},
    }},
}  # fmt: skip


def forms(schemas: dict[str, Any], version: str = "3.1.0", paths: dict[str, Any] | None = None) -> dict[str, Any]:
    document = {"openapi": version, "paths": paths or {}, "components": {"schemas": schemas}}
    (found,) = interfaces_of(PROFILE, interfaces=lambda _: json.dumps(document).encode())
    return found


def read(schema: dict[str, Any], version: str = "3.1.0", **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = forms({"Case": schema, **more}, version)["read"]
    return found


def test_all_of_is_one_shape_in_which_the_narrower_limit_counts() -> None:
    found = read(
        {
            "allOf": [
                {"$ref": "#/components/schemas/Base"},
                {"type": "object", "required": ["b"], "properties": {"b": {"type": "integer", "maximum": 9}}},
                {"type": "object"},
            ]
        },
        Base={
            "type": "object",
            "required": ["a"],
            "properties": {"a": {"type": "string", "maxLength": 5}, "b": {"type": "number", "maximum": 20}},
        },
    )
    assert found == {
        "type": "object",
        "required": ["a", "b"],
        "properties": {"a": {"type": "string", "maxLength": 5}, "b": {"type": "integer", "maximum": 9}},
    }


@pytest.mark.parametrize(
    ("schema", "version"),
    [
        ({"type": "string", "nullable": True, "enum": ["a", None]}, "3.0.3"),
        ({"type": ["string", "null"], "enum": ["a"]}, "3.1.0"),
        ({"oneOf": [{"enum": ["a"]}, {"type": "null"}]}, "3.1.0"),
        ({"anyOf": [{"$ref": "#/components/schemas/A"}, {"type": "null"}]}, "3.1.0"),
        ({"allOf": [{"$ref": "#/components/schemas/A"}], "nullable": True}, "3.0.3"),
    ],
)
def test_however_null_is_said_it_is_told_by_the_type(schema: dict[str, Any], version: str) -> None:
    found = read({"type": "object", "properties": {"x": schema}}, version, A={"const": "a"})
    assert found["properties"]["x"] == {"type": ["string", "null"], "enum": ["a"]}


def test_shapes_of_which_one_holds_stay_apart_and_words_are_put_together() -> None:
    found = read(
        {
            "type": "object",
            "properties": {
                "x": {"oneOf": [{"type": "string"}, {"type": "object", "properties": {"y": {"type": "integer"}}}]},
                "w": {"oneOf": [{"const": "a"}, {"const": "b"}]},
            },
        }
    )["properties"]
    assert found["x"]["type"] == ["string", "object"]
    assert [one["type"] for one in found["x"]["anyOf"]] == ["string", "object"]
    assert found["w"] == {"type": "string", "enum": ["a", "b"]}


def test_a_record_in_itself_is_stopped_and_says_so() -> None:
    found = read(
        {"type": "object", "properties": {"parts": {"type": "array", "items": {"$ref": "#/components/schemas/Case"}}}}
    )
    inner = found["properties"]["parts"]["items"]["properties"]["parts"]["items"]
    assert inner == {"type": "object", "additionalProperties": True, "x-stopped": True}


def test_where_anything_may_stand() -> None:
    found = read(
        {
            "type": "object",
            "properties": {
                "free": {"type": "object"},
                "map": {"type": "object", "additionalProperties": {"type": "string"}},
                "shut": {"type": "object", "additionalProperties": False},
                "any": {},
            },
        }
    )
    assert "additionalProperties" not in found
    opened = {name: one.get("additionalProperties", False) for name, one in found["properties"].items()}
    assert opened == {"free": True, "map": True, "shut": False, "any": True}


def test_a_moment_carries_an_offset_unless_a_pattern_says_otherwise() -> None:
    moment = {"type": "string", "format": "date-time"}
    bare = {**moment, "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$"}
    found = read({"type": "object", "properties": {"a": moment, "b": bare}})["properties"]
    assert (found["a"]["x-zone"], found["b"]["x-zone"]) == ("required", "none")


def test_what_may_be_sent_is_the_body_that_the_file_describes() -> None:
    body = {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}}
    paths = {"/api/cases": {"post": {"requestBody": {"content": {"application/json": {"schema": body}}}}}}
    found = forms(
        {"Case": {"type": "object", "properties": {"a": {"type": "string"}, "id": {"type": "string"}}}}, paths=paths
    )
    assert found["create"] == body
    assert found["ours"] == ["id"]


def test_without_a_body_it_is_the_component_without_what_only_the_system_sets() -> None:
    parts = {
        "id": {"type": "string", "readOnly": True},
        "a": {"type": "string"},
        "pin": {"type": "string", "writeOnly": True},
    }
    found = forms({"Case": {"type": "object", "required": ["id", "a"], "properties": parts}})
    assert set(found["read"]["properties"]) == {"id", "a"}
    assert set(found["create"]["properties"]) == {"a", "pin"}
    assert found["create"]["required"] == ["a"]
    assert "required" not in found["update"], "a merge leaves out what does not change"


def test_a_json_schema_serves_where_there_is_no_openapi() -> None:
    schema = {
        "$defs": {"Case": {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}}, "A": {"type": "integer"}}
    }
    (found,) = interfaces_of(PROFILE, interfaces=lambda _: json.dumps(schema).encode())
    assert found["read"]["properties"] == {"a": {"type": "integer"}}


def test_a_form_that_officers_fill_in_may_be_given_as_a_json_schema() -> None:
    profile = {"system": "t", "protocol": "by-hand", "records": {"Case": {"form": "interfaces/form.json"}, "Other": {}}}
    form = {"type": "object", "required": ["Name"], "properties": {"Name": {"type": "string", "maxLength": 40}}}
    case, other = interfaces_of(profile, interfaces=lambda _: json.dumps(form).encode())
    assert (case["create"], case["read"], case["file"]) == (form, None, "interfaces/form.json")
    assert (other["create"], other["read"]) == (None, None)
    with pytest.raises(Misconfigured, match="not JSON"):
        interfaces_of(profile, interfaces=lambda _: b"{")


def test_of_texts_nothing_is_known() -> None:
    (found,) = interfaces_of(
        {"system": "notify", "protocol": "notify", "records": {"Text": {}}}, interfaces=lambda _: b""
    )
    assert (found["read"], found["create"], found["update"]) == (None, None, None)


def test_a_bomb_of_references_is_refused() -> None:
    schemas: dict[str, Any] = {"A0": {"type": "string"}}
    for number in range(1, 12):
        below = {"$ref": f"#/components/schemas/A{number - 1}"}
        schemas[f"A{number}"] = {"type": "object", "properties": dict.fromkeys("abcd", below)}
    with pytest.raises(Misconfigured, match="grows beyond"):
        forms({"Case": {"$ref": "#/components/schemas/A11"}, **schemas})


def test_the_shipped_contact_centre(shipped: Callable[[str], Any], interfaces: Callable[[str], bytes]) -> None:
    one, reply = interfaces_of(shipped("contact"), interfaces=interfaces)
    assert (one["kind"], reply["kind"]) == ("Request", "Reply")
    assert one["ours"] == ["changed_at", "external_reference", "id", "version"]
    assert one["create"]["required"] == ["category", "priority", "received_at", "customer", "language", "flags"]
    assert "required" not in one["update"]
    assert "required" not in one["update"]["properties"]["customer"]
    assert one["update"]["properties"]["needs"]["items"]["required"] == ["code"]
    assert one["read"]["properties"]["channel"] == {
        "type": ["string", "null"],
        "enum": ["phone", "web", "email", "face-to-face"],
    }


_KEYS = (
    "type", "properties", "required", "items", "enum", "const", "allOf", "oneOf", "anyOf", "$ref", "format", "pattern",
    "maxLength", "minimum", "additionalProperties", "nullable", "readOnly", "a", "b",
)  # fmt: skip
_LEAVES = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(
    ["string", "object", "array", "null", "date-time", "a", "(", "#/components/schemas/Case", "#/nowhere", "x.json#/a"]
)
_ANYTHING = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=5),
    max_leaves=25,
)  # fmt: skip


@given(_ANYTHING)
def test_whatever_stands_in_the_file_ends_in_a_form_or_in_a_sentence(schema: Any) -> None:
    try:
        found = forms({"Case": schema})
    except Misconfigured:
        return
    json.dumps(found)
    for use in ("read", "create", "update"):
        assert "allOf" not in found[use]
        assert "$ref" not in found[use]
