"""The pinned OpenAPI file: what it may say, what is judged by it, and that the quick answer is the right one."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from connectors.errors import Misconfigured
from connectors.rest import interface as rest_interface
from connectors.rest.fits import quick
from connectors.rest.interface import Interface, _formats, _is_date, _is_moment


def interface(schemas: Any, openapi: str = "3.1.0", **more: Any) -> Interface:
    document = {"openapi": openapi, "components": {"schemas": schemas}, **more}
    return Interface(json.dumps(document).encode(), "interfaces/x.yaml")


def test_the_shipped_interface_of_contact(interfaces: Callable[[str], bytes]) -> None:
    contact = Interface(interfaces("interfaces/contact.openapi.yaml"), "contact")
    assert "/api/requests/{id}" in contact.paths()
    whole = json.dumps(contact.component("Request"))
    assert "$ref" not in whole
    assert "maxLength" in whole, "for the mappings' sake everything is kept"
    assert contact.names_field("customer/contacts/0/value")
    assert not contact.names_field("Blodeuwedd")
    assert not contact.names_field("")
    assert contact.fault("Request", {}) == "at the top: id is missing"


def test_many_that_open_one_file_at_once_read_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """All sources of a site are first read in one moment; sixty that each parsed the file took the first minute."""
    body = json.dumps({"openapi": "3.1.0", "components": {"schemas": {"R": {"type": "object"}}}}).encode()
    together, read = threading.Barrier(12), []
    kept = rest_interface._document

    def slowly(body: bytes, name: str) -> Any:
        read.append(name)
        time.sleep(0.05)  # long enough for all of them to come in meanwhile
        return kept(body, name)

    monkeypatch.setattr(rest_interface, "_document", slowly)

    def opened(_: int) -> Interface:
        together.wait(10)
        return rest_interface.open_interface(body, "interfaces/shared.yaml")

    with ThreadPoolExecutor(12) as threads:
        found = set(threads.map(opened, range(12)))
    assert (len(found), read) == (1, ["interfaces/shared.yaml"])


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "no OpenAPI 3"),
        (b"[]", "no OpenAPI 3"),
        (b'swagger: "2.0"', "no OpenAPI 3"),
        (b"openapi: 3.1.0\nopenapi: 3.1.0", "neither YAML nor JSON"),
        (b"\xff\xfe\x00", "neither YAML nor JSON"),
        (b"!!python/object/apply:os.system ['true']", "neither YAML nor JSON"),
        (b"{" * 5000, "neither YAML nor JSON"),
        # What the library itself falls over; the first was found by fuzzing, the others by looking for its like.
        (b'openapi: 3.1.0\nall: {{"$ref": "#/x"}: 1}', "neither YAML nor JSON"),
        (b'openapi: !!int ""', "neither YAML nor JSON"),
        (b"openapi: !!bool x", "neither YAML nor JSON"),
        (b'openapi: "\\UFFFFFFFF"', "neither YAML nor JSON"),
    ],
)
def test_a_file_that_is_none(body: bytes, words: str) -> None:
    with pytest.raises(Misconfigured, match=words) as caught:
        Interface(body, "interfaces/x.yaml")
    assert "interfaces/x.yaml" in caught.value.reason


def test_an_unknown_component_is_named() -> None:
    with pytest.raises(Misconfigured, match="write one of: Thing"):
        interface({"Thing": {}}).component("Think")


@pytest.mark.parametrize(
    ("schemas", "words"),
    [
        ({"A": {"$ref": "https://example.org/x.json#/A"}}, "leaves the file"),
        ({"A": {"$ref": "other.yaml#/A"}}, "leaves the file"),
        ({"A": {"$ref": "file:///etc/hostname"}}, "leaves the file"),
        ({"A": {"$ref": "#/components/schemas/B"}}, "refers to nothing"),
        ({"A": {"properties": {"a": {"$ref": "#/components/schemas/A"}}}}, "refers to itself"),
        (
            {"A": {"$ref": "#/components/schemas/B0"}}
            | {f"B{n}": {"allOf": [{"$ref": f"#/components/schemas/B{n + 1}"}] * 10} for n in range(9)}
            | {"B9": {}},
            "grows beyond",
        ),
        ({"A": {"type": "strange"}}, "not valid JSON Schema"),
    ],
)
def test_references_stay_inside_and_come_to_an_end(schemas: Any, words: str) -> None:
    with pytest.raises(Misconfigured, match=words):
        interface(schemas).prepare("A")


def test_references_are_escaped_and_may_have_neighbours() -> None:
    schemas = {
        "A/B~C": {"type": "string"},
        "A": {"properties": {"x": {"$ref": "#/components/schemas/A~1B~0C", "description": "words", "type": "string"}}},
    }
    assert interface(schemas).fault("A", {"x": 1}) == "at x: expected string"


def test_nullable_of_the_older_version_is_understood() -> None:
    schemas = {"A": {"properties": {"x": {"type": "string", "nullable": True, "format": "date"}}}}
    old = interface(schemas, "3.0.3")
    assert old.fault("A", {"x": None}) == ""
    assert old.fault("A", {"x": "2026-01-01"}) == ""
    assert old.fault("A", {"x": "1/1/2026"}) == "at x: expected a date or null"
    assert interface(schemas).fault("A", {"x": None}) == "at x: expected string"


@pytest.mark.parametrize(
    ("stamp", "well"),
    [
        ("2026-03-02T09:15:00Z", True),
        ("2026-03-02t09:15:00.5z", True),
        ("2026-03-02T09:15:00.123456789+01:00", True),
        ("2026-03-02 09:15:00-00:00", True),
        ("2026-03-02T09:15:00", False),
        ("2026-03-02T09:15Z", False),
        ("2026-03-02", False),
        ("2026-02-30T09:15:00Z", False),
        ("2026-03-02T25:15:00Z", False),
        ("\u0662026-03-02T09:15:00Z", False),
        ("20260302T091500Z", False),
    ],
)
def test_moments(stamp: str, well: bool) -> None:
    assert _is_moment(stamp) is well


@pytest.mark.parametrize(
    ("day", "well"),
    [("2026-02-28", True), ("2026-02-29", False), ("2026-W01-1", False), ("20260228", False), ("28/02/2026", False)],
)
def test_days(day: str, well: bool) -> None:
    assert _is_date(day) is well


NAMES = st.sampled_from(["a", "b", "c"])
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 2), st.sampled_from([0.0, 1.0, 1.5]),
    st.sampled_from(["", "x", "2026-01-01", "2026-01-01T00:00:00Z"]),
)  # fmt: skip
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=8,
)
TYPES = st.sampled_from(["string", "object", "array", "boolean", "null", "integer", "number"])
SIMPLE = st.one_of(
    st.just({}),
    st.builds(lambda one: {"type": one}, TYPES),
    st.builds(lambda several: {"type": several}, st.lists(TYPES, min_size=1, max_size=3, unique=True)),
    st.builds(lambda one: {"format": one}, st.sampled_from(["date", "date-time", "uuid"])),
    st.builds(lambda names: {"required": names}, st.lists(NAMES, unique=True)),
)


def _composed(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    some = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        st.builds(lambda told: {"properties": told}, st.dictionaries(NAMES, inner)),
        st.builds(lambda told: {"items": told}, inner),
        st.builds(lambda told: {"anyOf": told}, some),
        st.builds(lambda told: {"allOf": told}, some),
        st.builds(lambda one, other: {**one, **other}, inner, inner),
    )


@given(st.recursive(SIMPLE, _composed, max_leaves=8), VALUES)
def test_the_quick_answer_is_that_of_jsonschema(schema: Any, value: Any) -> None:
    fits = quick(schema, {"date": _is_date, "date-time": _is_moment})
    assert fits is not None
    assert fits(value) is Draft202012Validator(schema, format_checker=_formats).is_valid(value)


@pytest.mark.parametrize(
    "schema",
    [
        {"not": {}},
        {"minimum": 3},
        {"items": False},
        {"properties": {"a": {"if": {}}}},
        {"prefixItems": [{}], "items": {}},
    ],
)
def test_what_is_more_than_structure_has_no_quick_answer(schema: Any) -> None:
    assert quick(schema, {}) is None


def test_each_field_of_a_request_that_is_retyped_or_dropped_is_noticed(interfaces: Callable[[str], bytes]) -> None:
    contact = Interface(interfaces("interfaces/contact.openapi.yaml"), "contact")
    whole = {
        "id": "C-000001", "version": 1, "changed_at": "2026-03-02T09:15:00Z", "external_reference": None,
        "status": "new", "category": "referral", "priority": "routine", "received_at": "2026-03-02T09:15:00+00:00",
        "customer": {
            "first_names": ["Siân"], "last_name": "O'Neill", "gender": "F", "date_of_birth": "1941-05-06",
            "contacts": [{"type": "mobile", "value": "07700 900123", "ok_to_text": True}],
        },
        "language": {"letters": "cy", "interpreter": False}, "needs": [{"code": "meals", "note": None}],
        "flags": {"safeguarding": False, "restricted": False},
    }  # fmt: skip
    assert contact.fault("Request", whole) == ""
    required = {
        "id",
        "version",
        "changed_at",
        "status",
        "customer",
        "needs",
        "flags",
        "last_name",
        "safeguarding",
        "letters",
    }
    for path, field in [((), name) for name in whole] + [
        (("customer",), name)
        for name in whole["customer"]  # type: ignore[attr-defined]
    ]:
        for damage in ("drop", "retype"):
            record = json.loads(json.dumps(whole))
            at = record
            for step in path:
                at = at[step]
            if damage == "drop":
                del at[field]
            else:
                at[field] = 4711.5
            fault = contact.fault("Request", record)
            if damage == "drop" and field in required:
                assert f"{field} is missing" in fault
            if damage == "retype":
                assert field in fault, (field, fault)
                assert "4711" not in fault
