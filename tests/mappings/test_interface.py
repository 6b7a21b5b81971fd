"""Looking a mapping's path up in the neutral form: what stands there, or the name that may have been meant."""

from __future__ import annotations

import pytest

from mappings import paths
from mappings.interface import Found, Interface, Missing, interface_of, look

ITEM = {"type": "object", "properties": {"type": {"type": "string"}, "value": {"type": "string", "maxLength": 9}}}
SCHEMA = {
    "type": "object",
    "properties": {
        "Subject": {"type": "object", "properties": {"Surname": {"type": "string"}, "Family_Name": {"type": "string"}}},
        "contacts": {"type": "array", "items": ITEM},
        "Need": {"type": "object", "properties": {"@code": {"type": "string"}, ".": {"type": "string"}}},
        "Extra": {"type": "object", "additionalProperties": True},
        "either": {"anyOf": [{"type": "string"}, {"type": "object", "properties": {"deep": {"type": "integer"}}}]},
    },
}


def at(path: str) -> Found | Missing:
    return look(SCHEMA, paths.parse(path))


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        ("Subject/Surname", {"type": "string"}),
        ("contacts[type=mobile]/value", ITEM["properties"]["value"]),
        ("contacts", SCHEMA["properties"]["contacts"]),
        ("Need/@code", {"type": "string"}),
        ("Need/.", {"type": "string"}),
        ("Subject/Surname/.", {"type": "string"}),
        ("either/deep", {"type": "integer"}),
    ],
)
def test_what_stands_there(path: str, schema: object) -> None:
    found = at(path)
    assert isinstance(found, Found)
    assert found.schema == schema
    assert not found.open
    assert not found.unpicked


@pytest.mark.parametrize(
    ("path", "place", "key", "near"),
    [
        ("Subject/Surnam", 1, "Surnam", "Subject/Surname"),
        ("subject/Surname", 0, "subject", "Subject"),
        ("Subject/familyName", 1, "familyName", "Subject/Family_Name"),
        ("Surname", 0, "Surname", "Subject/Surname"),
        ("contacts[tpye=mobile]/value", 0, "tpye", "type"),
        ("contacts[type=mobile]/vlaue", 1, "vlaue", "contacts[type=mobile]/value"),
        ("Need/@coed", 1, "@coed", "Need/@code"),
        ("Subject/.", 1, ".", ""),
        ("qqq", 0, "qqq", ""),
    ],
)
def test_the_name_that_may_have_been_meant(path: str, place: int, key: str, near: str) -> None:
    found = at(path)
    assert isinstance(found, Missing)
    assert (found.place, found.key, found.near) == (place, key, near)


def test_where_anything_may_stand_nothing_is_said() -> None:
    found = at("Extra/Any/Thing")
    assert isinstance(found, Found)
    assert found.open


def test_a_list_without_a_picked_item_is_told() -> None:
    found = at("contacts/value")
    assert isinstance(found, Found)
    assert found.unpicked == ("contacts",)


def test_what_a_connector_gives_becomes_an_interface() -> None:
    one = interface_of(
        {"system": "t", "kind": "Case", "file": "f", "read": SCHEMA, "create": None, "update": None, "ours": ["id"]}
    )
    assert one == Interface("t", "Case", "f", SCHEMA, None, None, frozenset({"id"}))
    assert one.of("read") is SCHEMA
