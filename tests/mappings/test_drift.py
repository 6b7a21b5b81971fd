"""Two states of an interface compared by meaning, and what a change does to a row."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.drift import Change, Harm, Used, What, compare, unused, weigh
from mappings.interface import Interface

TEXT = {"type": "string"}
RECORD: dict[str, Any] = {
    "type": "object",
    "properties": {
        "Id": {"type": "string", "maxLength": 20},
        "Status": {"type": "string", "enum": ["NEW", "OPEN"]},
        "Subject": {
            "type": "object",
            "properties": {"Surname": {"type": "string", "maxLength": 70}, "Born": {"type": ["string", "null"]}},
            "required": ["Surname"],
            "x-order": ["Surname", "Born"],
        },
        "Need": {"type": "array", "items": {"type": "object", "properties": {"@code": dict(TEXT), ".": dict(TEXT)}}},
        "Phone": dict(TEXT),
        "Mail": dict(TEXT),
    },
    "required": ["Id", "Subject"],
    "x-order": ["Id", "Status", "Subject", "Need", "Phone", "Mail"],
    "x-choices": [{"min": 0, "of": [["Phone"], ["Mail"]]}],
}


def state(schema: dict[str, Any] | None) -> Interface:
    return Interface("s", "R", "s.wsdl", schema, schema, schema, frozenset({"Id"}))


def changed(edit: Callable[[dict[str, Any]], Any]) -> list[Change]:
    after = copy.deepcopy(RECORD)
    edit(after)
    return compare(state(RECORD), state(after))


def subject(schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = schema["properties"]["Subject"]
    return found


def rename(below: dict[str, Any], old: str, new: str) -> None:
    below["properties"][new] = below["properties"].pop(old)


def move(schema: dict[str, Any]) -> None:
    schema["properties"]["Born"] = subject(schema)["properties"].pop("Born")


def test_what_means_the_same_has_no_change() -> None:
    def reword(schema: dict[str, Any]) -> None:
        schema["description"] = "told otherwise"
        schema["properties"] = dict(reversed(schema["properties"].items()))  # JSON has no order; x-order has
        schema["required"] = list(reversed(schema["required"]))
        schema["properties"]["Status"]["enum"] = ["OPEN", "NEW"]
        schema["properties"]["Phone"]["x-where"] = ["s.wsdl", 7]

    assert changed(lambda _schema: None) == changed(reword) == []


def reads(*codes: str) -> Used:
    return Used("A", True, True, codes_read=frozenset(codes))


def writes(*codes: str) -> Used:
    return Used("A", True, True, codes_written=frozenset(codes))


CASES: list[tuple[str, Callable[[dict[str, Any]], Any], str, What, str]] = [
    ("gone", lambda s: s["properties"].pop("Phone"), "Phone", What.GONE, ""),
    ("like name", lambda s: rename(subject(s), "Surname", "FamilySurname"), "Subject/Surname", What.RENAMED,
     "Subject/FamilySurname"),
    ("case", lambda s: rename(s, "Phone", "PHONE"), "Phone", What.RENAMED, "PHONE"),
    ("moved", move, "Subject/Born", What.MOVED, "Born"),
    ("group gone", lambda s: s["properties"].pop("Subject"), "Subject", What.GONE, ""),
    ("new", lambda s: s["properties"].update(Fax=TEXT), "Fax", What.NEW, ""),
    ("new and required", lambda s: (s["properties"].update(Fax=TEXT), s["required"].append("Fax")), "Fax",
     What.REQUIRED, ""),
    ("required", lambda s: s["required"].append("Status"), "Status", What.REQUIRED, ""),
    ("optional", lambda s: s["required"].remove("Subject"), "Subject", What.OPTIONAL, ""),
    ("type", lambda s: s["properties"].update(Phone={"type": "integer"}), "Phone", What.TYPE, ""),
    ("lexical", lambda s: s["properties"].update(Phone={**TEXT, "x-lexical": "date"}), "Phone", What.TYPE, ""),
    ("shorter", lambda s: s["properties"]["Id"].update(maxLength=10), "Id", What.SHORTER, ""),
    ("longer", lambda s: s["properties"]["Id"].pop("maxLength"), "Id", What.LONGER, ""),
    ("code gone", lambda s: s["properties"]["Status"].update(enum=["NEW"]), "Status", What.CODES_GONE, ""),
    ("code new", lambda s: s["properties"]["Status"]["enum"].append("X"), "Status", What.CODES_NEW, ""),
    ("one", lambda s: s["properties"].update(Need=s["properties"]["Need"]["items"]), "Need", What.ONE_OR_MANY, ""),
    ("no nil", lambda s: subject(s)["properties"].update(Born=TEXT), "Subject/Born", What.NOT_NULL, ""),
    ("nil", lambda s: s["properties"].update(Phone={"type": ["string", "null"]}), "Phone", What.NULL, ""),
    ("order", lambda s: subject(s).update({"x-order": ["Born", "Surname"]}), "Subject", What.ORDER, ""),
    ("choice", lambda s: s.pop("x-choices"), "", What.CHOICE, ""),
    ("rule", lambda s: s["properties"]["Phone"].update(pattern="[0-9]+"), "Phone", What.RULE, ""),
    ("in a list", lambda s: s["properties"]["Need"]["items"]["properties"].pop("@code"), "Need/@code", What.GONE, ""),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "path", "what", "near"), [one[1:] for one in CASES], ids=[one[0] for one in CASES])
def test_each_kind_of_change_is_told_once_by_its_path(edit: Any, path: str, what: What, near: str) -> None:
    found = changed(edit)
    assert [(one.path, one.what, one.near) for one in found if one.what is not What.ORDER or what is What.ORDER] == [
        (path, what, near)
    ]
    assert found[0].uses == ("read", "create", "update")


def test_an_operation_that_is_gone_is_a_use_that_is_gone() -> None:
    before, after = state(RECORD), Interface("s", "R", "s.wsdl", RECORD, None, RECORD)
    [found] = compare(before, after)
    assert (found.path, found.what, found.uses) == ("", What.GONE, ("create",))
    assert unused(found) is Harm.BREAKS


@pytest.mark.parametrize(
    ("change", "row", "harm"),
    [
        (Change("A", What.GONE, ("read",)), Used("A", reads=True, writes=True), Harm.BREAKS),
        (Change("A", What.GONE, ("read",)), Used("A", reads=False, writes=True), Harm.NONE),
        (Change("A", What.GONE, ("update",)), Used("A", reads=False, writes=True), Harm.BREAKS),
        (Change("A", What.REQUIRED, ("create",)), Used("A", reads=True, writes=True), Harm.MAY),
        (Change("A", What.REQUIRED, ("create",)), Used("A", reads=True, writes=True, sure=True), Harm.NONE),
        (Change("A", What.SHORTER, ("create",), "35", "20"), Used("A", True, True, longest=20), Harm.NONE),
        (Change("A", What.SHORTER, ("create",), "35", "20"), Used("A", True, True, longest=21), Harm.MAY),
        (Change("A", What.SHORTER, ("create",), "35", "20"), Used("A", True, True), Harm.MAY),
        (Change("A", What.SHORTER, ("read",), "35", "20"), Used("A", True, True), Harm.NONE),
        (Change("A", What.CODES_GONE, ("create",), "X, Y"), writes("Y"), Harm.BREAKS),
        (Change("A", What.CODES_GONE, ("create",), "X, Y"), writes("Z"), Harm.NONE),
        (Change("A", What.CODES_GONE, ("create",), "X"), Used("A", True, True), Harm.MAY),
        (Change("A", What.CODES_NEW, ("read",), "", "X"), reads("Y"), Harm.MAY),
        (Change("A", What.CODES_NEW, ("read",), "", "X"), reads("X"), Harm.NONE),
        (Change("A", What.CODES_NEW, ("create",), "", "X"), reads("Y"), Harm.NONE),
        (Change("A", What.NOT_NULL, ("update",)), Used("A", True, True, empties=True), Harm.MAY),
        (Change("A", What.NOT_NULL, ("update",)), Used("A", True, True), Harm.NONE),
        (Change("", What.ORDER, ("create",)), Used("A", True, True), Harm.BREAKS),
        (Change("", What.ORDER, ("read",)), Used("A", True, True), Harm.MAY),
        (Change("A", What.NEW, ("create",)), Used("A", True, True), Harm.NONE),
    ],
)  # fmt: skip
def test_how_bad_it_is_depends_on_what_the_row_does(change: Change, row: Used, harm: Harm) -> None:
    assert weigh(change, row) is harm


def test_what_nobody_uses_breaks_only_where_it_must_be_written() -> None:
    assert unused(Change("A", What.REQUIRED, ("create",))) is Harm.BREAKS
    assert unused(Change("A/B", What.REQUIRED, ("create",))) is Harm.MAY  # who writes no A need not write its B
    assert unused(Change("A", What.REQUIRED, ("read",))) is Harm.NONE
    assert unused(Change("A", What.GONE, ("read", "create"))) is Harm.NONE


def test_a_change_touches_what_lies_below_it_where_that_goes_too() -> None:
    gone, shorter = Change("A", What.GONE, ("read",)), Change("A", What.SHORTER, ("create",), "2", "1")
    assert gone.touches("A") and gone.touches("A/B") and not gone.touches("AB")
    assert shorter.touches("A") and not shorter.touches("A/B")


leaves = st.fixed_dictionaries({"type": st.sampled_from(["string", "integer", "boolean"])})
schemas = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda item: {"type": "array", "items": item}, inner),
        st.builds(
            lambda below: {
                "type": "object",
                "properties": below,
                "required": sorted(below)[:1],
                "x-order": sorted(below),
            },
            st.dictionaries(st.sampled_from("ABCDE"), inner, min_size=1, max_size=4),
        ),
    ),
    max_leaves=8,
)


@given(schemas, schemas)
def test_any_two_states_can_be_compared_and_one_state_is_itself(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert compare(state(one), state(copy.deepcopy(one))) == []
    for change in compare(state(one), state(other)):
        assert str(change)
        assert unused(change) in Harm
        assert weigh(change, Used(change.path, reads=True, writes=True)) in Harm
