"""Not known, empty and a value: every combination that a row can declare, both ways. And what is carried whole."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from mappings.facts import normal
from tests.mappings.test_compile import facts, made, written

REASON = {"ours": "outcome_reason", "theirs": "G/T"}
LINES = {"ours": "person.address.lines", "theirs": "G/L"}
NEEDS = {"ours": "needs", "theirs": "G/N", "each": [{"ours": "text", "theirs": "t"}]}
PICKED = {"ours": "person.telecom[system=email].value", "theirs": "c[k=e]/v"}
UNKNOWN = object()

NOTHING_THERE: list[dict[str, Any]] = [{}, {"G": {}}]
NOTHING_IN_IT: list[dict[str, Any]] = [
    {"G": None},  # JSON null, and an element with xsi:nil, come as None
    {"G": ""},
    {"G": []},
    {"G": {"T": None, "L": None, "N": None}},
    {"G": {"T": "", "L": "", "N": ""}},
    {"G": {"T": [], "L": [], "N": []}},
]


@pytest.mark.parametrize("row", [REASON, LINES, NEEDS], ids=lambda row: row["ours"])
class TestReading:
    @pytest.mark.parametrize("record", NOTHING_THERE)
    def test_no_path_is_not_known_unless_the_row_says_more(self, row: dict[str, Any], record: dict[str, Any]) -> None:
        assert facts(made(row), record) == {}
        assert facts(made({**row, "missing": "empty"}), record) == {row["ours"]: None}
        assert [gap.kind for gap in made({**row, "needed": True}).read(record).stopped] == ["missing"]

    @pytest.mark.parametrize("record", NOTHING_IN_IT)
    @pytest.mark.parametrize("more", [{}, {"missing": "empty"}, {"missing": "unknown"}])
    def test_nothing_in_it_is_empty(self, row: dict[str, Any], record: dict[str, Any], more: dict[str, Any]) -> None:
        assert facts(made({**row, **more}), record) == {row["ours"]: None}
        assert [gap.kind for gap in made({**row, "needed": True}).read(record).stopped] == ["missing"]


@pytest.mark.parametrize(
    ("record", "more", "expected"),
    [
        ({}, {"default": {"read": "x"}}, "x"),
        ({"G": {}}, {"default": {"read": "x"}, "missing": "empty"}, "x"),
        ({"G": {"T": None}}, {"default": {"read": "x"}}, None),
        ({"G": {"T": "NONE"}}, {"absent": ["NONE", "-"]}, None),
        ({"G": {"T": "-"}}, {"absent": ["NONE", "-"]}, None),
        ({"G": {"T": {"@reason": "asked", ".": "-"}}}, {"absent": ["-"]}, None),
        ({"G": {"T": "none"}}, {"absent": ["NONE", "-"]}, "none"),
    ],
)
def test_reading_a_default_and_declared_null_values(
    record: dict[str, Any], more: dict[str, Any], expected: Any
) -> None:
    assert facts(made({**REASON, **more}), record) == {"outcome_reason": expected}


def test_of_a_list_the_filter_picks_nothing() -> None:
    assert facts(made(PICKED), {}) == {}
    for held in ([], None, "", [{"k": "x", "v": "y"}], {"k": "x"}, [{"k": "e", "v": None}], [{"k": "e", "v": ""}]):
        assert facts(made(PICKED), {"c": held}) == {PICKED["ours"]: None}
    assert facts(made(PICKED), {"c": [{"k": "e"}]}) == {}


GONE = object()


@pytest.mark.parametrize(
    ("file", "row", "left"),
    [
        ("omit", {}, GONE),
        ("null", {}, None),
        (None, {}, None),
        ("text", {}, ""),
        ("null", {"empty": "omit"}, GONE),
        ("omit", {"empty": "null"}, None),
        ("omit", {"empty": None}, None),
        ("omit", {"empty": "text"}, ""),
        ("omit", {"empty": "list"}, []),
        ("omit", {"absent": ["NONE", "-"]}, "NONE"),
        ("null", {"absent": ["NONE"], "empty": "null"}, None),
        ("null", {"absent": ["NONE"], "empty": "omit"}, GONE),
        ("omit", {"empty": "default", "default": {"write": "x"}}, "x"),
        ("null", {"default": {"write": "x"}}, None),
    ],
)
@pytest.mark.parametrize("held", [{}, {"G": {"K": "k", "T": "old"}}, None])
def test_writing_emptiness(file: str | None, row: dict[str, Any], left: Any, held: dict[str, Any] | None) -> None:
    record = written(made({**REASON, **row}, empty=file), {"outcome_reason": None}, held)
    kept = {"K": "k"} if held else {}
    expected = {**kept, **({} if left is GONE else {"T": left})}
    assert record == ({"G": expected} if expected else {"G": {}} if held else {})


@pytest.mark.parametrize(
    ("file", "row", "left"),
    [("omit", LINES, GONE), ("null", LINES, []), ("omit", NEEDS, GONE), ("null", NEEDS, []), ("text", NEEDS, []),
     ("null", {**NEEDS, "empty": "null"}, None), ("omit", {**LINES, "empty": "list"}, [])],
)  # fmt: skip
def test_writing_an_empty_list(file: str, row: dict[str, Any], left: Any) -> None:
    key = row["theirs"].partition("/")[2]
    record = written(made(row, empty=file), {row["ours"]: None}, {"G": {key: ["old"], "K": "k"}})
    assert record == {"G": {"K": "k"} | ({} if left is GONE else {key: left})}


@pytest.mark.parametrize(
    ("style", "left"), [("omit", {}), ("null", {"G": None}), (None, {"G": None}), ("text", {"G": ""})]
)
def test_a_group_goes_as_a_whole_where_the_file_says_so(style: str | None, left: dict[str, Any]) -> None:
    mapping = made(REASON, LINES, optional={"G": style})
    what = {"outcome_reason": None, "person.address.lines": None}
    assert written(mapping, what, {"G": {"T": "old"}}) == left
    assert written(mapping, what, {"G": {"T": "old", "K": "k"}}) == {"G": {"K": "k"}}


@pytest.mark.parametrize("held", [None, {}, {"G": {"T": "old"}}])
@pytest.mark.parametrize("more", [{}, {"empty": "null"}, {"absent": ["-"]}, {"missing": "empty"}])
def test_not_known_leaves_what_is_there(held: dict[str, Any] | None, more: dict[str, Any]) -> None:
    assert written(made({**REASON, **more}), {}, copy.deepcopy(held)) == (held or {})


@pytest.mark.parametrize(
    ("default", "more", "left"),
    [("x", {}, {"G": {"T": "x"}}), (None, {"empty": "null"}, {"G": {"T": None}}),
     (None, {"empty": "text"}, {"G": {"T": ""}}), (None, {"absent": ["-"]}, {"G": {"T": "-"}}),
     (None, {"empty": "omit"}, {})],
)  # fmt: skip
def test_not_known_in_a_new_record_gets_the_declared_default(default: Any, more: Any, left: dict[str, Any]) -> None:
    mapping = made({**REASON, **more, "default": {"write": default}})
    record = written(mapping, {})
    assert {key: value for key, value in record.items() if value} == left
    assert written(mapping, {}, {"K": "k"}) == {"K": "k"}, "a default is only for what is new"


TENANCY = {"ours": "extensions.housing.tenancy", "theirs": "Tenancy"}


class TestCarriedWhole:
    """Extensions: what only some systems know, in one piece or in pieces."""

    @pytest.mark.parametrize(
        "value",
        [
            "text",
            5,
            True,
            False,
            0,
            {"Kind": "secure", "Rooms": {"@n": "3", ".": "three"}, "Rent": [{"Week": "1", "Paid": False}]},
            [{"a": [1, 2, {"b": "c"}]}, "d"],
            ["one"],
        ],
    )
    def test_a_group_or_a_list_goes_both_ways_with_all_that_is_in_it(self, value: Any) -> None:
        mapping = made(TENANCY)
        read = facts(mapping, {"Tenancy": value, "Other": 1})
        assert read == {TENANCY["ours"]: value}
        assert written(mapping, read) == {"Tenancy": value}
        assert written(mapping, normal(read), {"Tenancy": {"x": "y"}, "Other": 1}) == {"Tenancy": value, "Other": 1}

    def test_it_is_left_alone_emptied_and_never_met_by_another_row(self) -> None:
        held = {"Tenancy": {"Kind": "secure"}}
        assert written(made(TENANCY), {}, held) == held
        assert written(made(TENANCY), {TENANCY["ours"]: None}, held) == {}
        assert written(made(TENANCY, empty=None), {TENANCY["ours"]: None}, held) == {"Tenancy": None}
        assert facts(made(TENANCY), {"Tenancy": None}) == {TENANCY["ours"]: None}

    def test_pieces_of_it_are_rows_like_any_other(self) -> None:
        rows = ({"ours": "extensions.housing.kind", "theirs": "Tenancy/Kind", "as": "text", "max_length": 9},
                {"ours": "extensions.housing.rooms", "theirs": "Tenancy/Rooms/@n", "as": "integer"})  # fmt: skip
        record = {"Tenancy": {"Kind": "secure", "Rooms": {"@n": "3", ".": "three"}}}
        read = facts(made(*rows), record)
        assert read == {"extensions.housing.kind": "secure", "extensions.housing.rooms": 3}
        assert written(made(*rows), {"extensions.housing.rooms": 4}, record)["Tenancy"]["Rooms"] == {
            "@n": 4,
            ".": "three",
        }
