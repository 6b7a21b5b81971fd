"""Choices: one member at most, and which one follows from the value that is known."""

from __future__ import annotations

from typing import Any

import pytest

from mappings.mapping import MappingFaults
from tests.mappings.test_compile import facts, made, written

A = {"ours": "reason.text", "theirs": "Why/Text"}
B = {"ours": "reason.code", "theirs": "Why/Coded/Code"}
CHOICE = [["Why/Text", "Why/Coded", "Why/Other"]]


class TestReading:
    @pytest.mark.parametrize(
        ("record", "expected"),
        [
            ({}, {}),
            ({"Why": {}}, {}),
            ({"Why": {"Text": "x"}}, {"reason.text": "x", "reason.code": None}),
            ({"Why": {"Coded": {"Code": "c"}}}, {"reason.text": None, "reason.code": "c"}),
            ({"Why": {"Other": "o"}}, {"reason.text": None, "reason.code": None}),
            ({"Why": [{"Text": "x"}]}, {"reason.text": "x", "reason.code": None}),
            ({"Why": {"Text": "x", "Coded": {"Code": "c"}}}, {"reason.text": "x", "reason.code": "c"}),
            ({"Why": {"Text": ""}}, {"reason.text": None}),
        ],
    )
    def test_one_member_says_that_the_others_are_empty(self, record: dict[str, Any], expected: dict[str, Any]) -> None:
        assert facts(made(A, B, choices=CHOICE), record) == expected

    def test_two_members_may_read_into_one_field(self) -> None:
        born = "person.date_of_birth"
        rows = (
            {"ours": born, "theirs": "Born", "as": "date"},
            {"ours": born, "theirs": "Year", "as": "partial-date", "direction": "read"},
        )
        mapping = made(*rows, choices=[["Born", "Year"]])
        assert facts(mapping, {"Year": "1950"}) == {"person.date_of_birth": "1950"}
        assert facts(mapping, {"Born": "1950-02-03"}) == {"person.date_of_birth": "1950-02-03"}
        assert written(mapping, {"person.date_of_birth": "1950-02-03"}, {"Year": "1950"}) == {"Born": "1950-02-03"}
        with pytest.raises(MappingFaults):
            made(*rows)


class TestWriting:
    def test_the_member_that_is_written_makes_the_others_go(self) -> None:
        mapping = made(A, B, choices=CHOICE, empty=None)
        held = {"Why": {"Other": "o", "Coded": {"Code": "c"}, "By": "x"}, "Z": 1}
        assert written(mapping, {"reason.text": "t"}, held) == {"Why": {"Text": "t", "By": "x"}, "Z": 1}
        assert written(mapping, {"reason.text": None, "reason.code": "d"}, {"Why": {"Text": "t"}}) == {
            "Why": {"Coded": {"Code": "d"}}
        }
        assert written(mapping, {"reason.code": "d"}, {"Why": [{"Text": "t"}]}) == {"Why": {"Coded": {"Code": "d"}}}

    def test_nothing_known_leaves_everything_and_empty_takes_only_its_own(self) -> None:
        mapping = made(A, B, choices=CHOICE, empty=None)
        held = {"Why": {"Other": "o"}}
        assert written(mapping, {}, held) == held
        assert written(mapping, {"reason.text": None, "reason.code": None}, held) == held
        assert written(mapping, {"reason.text": None}, {"Why": {"Text": "t"}}) == {"Why": {}}
        assert written(mapping, {"reason.code": None}, {"Why": {"Coded": {"Code": "c"}}}) == {"Why": {}}

    def test_of_two_that_are_known_the_first_is_written_and_the_other_is_a_gap(self) -> None:
        writing = made(A, B, choices=CHOICE).write({"reason.text": "t", "reason.code": "c"}, {"Why": {"Other": "o"}})
        assert writing.record == {"Why": {"Text": "t"}}
        [gap] = writing.left_out
        assert (gap.field, gap.theirs) == ("reason.code", "Why/Coded/Code")
        assert "nothing beside Text" in gap.reason

    def test_a_member_that_cannot_be_written_makes_nothing_go(self) -> None:
        writing = made({**A, "max_length": 2}, B, choices=CHOICE).write(
            {"reason.text": "long"}, {"Why": {"Other": "o"}}
        )
        assert writing.record == {"Why": {"Other": "o"}}
        assert [gap.kind for gap in writing.left_out] == ["too long"]

    def test_a_member_of_several_elements_goes_and_comes_as_a_whole(self) -> None:
        rows = (A, B, {"ours": "outcome_reason", "theirs": "Why/More"})
        mapping = made(*rows, choices=[["Why/Text", ["Why/Coded", "Why/More"]]])
        held = {"Why": {"Coded": {"Code": "c"}, "More": "m"}}
        assert written(mapping, {"reason.text": "t"}, held) == {"Why": {"Text": "t"}}
        assert written(mapping, {"outcome_reason": "n"}, held) == {"Why": {"Coded": {"Code": "c"}, "More": "n"}}

    def test_a_list_is_a_member_too(self) -> None:
        needs = {"ours": "needs", "theirs": "Needs", "each": [{"ours": "text", "theirs": "t"}]}
        mapping = made(needs, A, choices=[["Needs", "NoNeeds"]], empty=None)
        assert written(mapping, {"needs": [{"text": "x"}]}, {"NoNeeds": True}) == {"Needs": [{"t": "x"}]}
        assert written(mapping, {"needs": None}, {"Needs": [{"t": "x"}]}) == {}

    def test_the_picked_items_of_a_list_are_a_member_too(self) -> None:
        picked = {"ours": "person.telecom[system=email].value", "theirs": "Contacts[k=e]/v", "lead": True}
        mapping = made(picked, A, choices=[["Contacts", "NoContacts"]], empty=None)
        assert written(mapping, {picked["ours"]: None}, {"Contacts": [{"k": "e", "v": "x"}]}) == {}
        assert written(mapping, {picked["ours"]: "y"}, {"NoContacts": "1"}) == {"Contacts": [{"k": "e", "v": "y"}]}

    def test_a_row_with_several_paths_is_a_member_too(self) -> None:
        row = {"ours": "person.date_of_birth", "theirs": ["D", "M", "Y"], "as": "day-month-year", "lossy": True}
        mapping = made(row, {"ours": "reason.text", "theirs": "Age"}, choices=[[["D", "M", "Y"], "Age"]])
        assert written(mapping, {"person.date_of_birth": "1950-02-03"}, {"Age": "70"}) == {
            "D": "03",
            "M": "02",
            "Y": "1950",
        }
        assert written(mapping, {"reason.text": "70"}, {"D": "1", "M": "2", "Y": "1950"}) == {"Age": "70"}
        assert facts(mapping, {"Y": "1950"}) == {"person.date_of_birth": "1950", "reason.text": None}


IN_ITEMS = {
    "ours": "person.telecom", "theirs": "N", "choices": [["c", "t", "u"]],
    "each": [{"ours": "system", "theirs": "c"}, {"ours": "value", "theirs": "t"},
             {"ours": "use", "theirs": "l", "key": True}],
}  # fmt: skip


class TestInItems:
    def test_the_member_that_is_written_makes_the_others_go_also_those_not_mapped(self) -> None:
        held = {"N": [{"l": "home", "c": "phone", "k": 1}, {"l": "work", "u": "x"}]}
        what = {"person.telecom": [{"use": "home", "value": "1"}, {"use": "work", "system": "email"}]}
        record = written(made(IN_ITEMS), what, held)
        assert record == {"N": [{"l": "home", "k": 1, "t": "1"}, {"l": "work", "c": "email"}]}

    def test_what_an_item_does_not_say_is_left_out_whatever_the_file_says_of_emptiness(self) -> None:
        what = {"person.telecom": [{"use": "home", "value": "1"}]}
        assert written(made(IN_ITEMS, empty=None), what) == {"N": [{"l": "home", "t": "1"}]}

    def test_two_in_one_item_leave_the_list_out(self) -> None:
        what = {"person.telecom": [{"system": "phone", "value": "1"}]}
        writing = made(IN_ITEMS).write(what, {"N": [{"t": "old"}]})
        assert writing.record == {"N": [{"t": "old"}]}
        assert [(gap.field, gap.kind) for gap in writing.left_out] == [("person.telecom", "wrong type")]


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ([["Why/Text", "Other"]], "different groups"),
        ([["Why/Text", "Why/"]], "empty step"),
        ([["Why/Text", "Why/l[t=x]"]], "without a filter"),
        ([["Why/Text", "Why/Text"]], "twice"),
        ([["X", "Y"]], "nothing is mapped"),
        ([["Why/Text", "Why/Coded"], ["Why/Text", "Why/Z"]], "two choices"),
        ([["Why/Text"]], "2 items at least"),
        ([], "1 item at least"),
        ("Why/Text", "list"),
    ],
)
def test_what_is_wrong_with_a_choice_is_named(choices: Any, words: str) -> None:
    with pytest.raises(MappingFaults) as raised:
        made(A, B, choices=choices)
    [fault] = raised.value.faults
    assert fault.path[0] == "choices"
    assert words in f"{fault.found} {fault.expected}"


@pytest.mark.parametrize(
    ("row", "key"),
    [({**A, "needed": True}, "needed"), ({**A, "default": {"write": "x"}}, "default"),
     ({**A, "empty": "text"}, "empty"), ({"constant": "x", "theirs": "Why/Text"}, "constant"),
     ({**A, "choices": [["a", "b"]]}, "choices")],
)  # fmt: skip
def test_what_does_not_go_with_a_choice_is_named_at_its_key(row: dict[str, Any], key: str) -> None:
    with pytest.raises(MappingFaults) as raised:
        made(row, B, choices=CHOICE)
    assert [fault.path for fault in raised.value.faults] == [("fields", 0, key)]


def test_optional_and_choice_must_agree() -> None:
    with pytest.raises(MappingFaults) as raised:
        made(A, B, choices=CHOICE, optional={"Why/Coded": None})
    assert raised.value.faults[0].path == ("choices", 0)


def test_a_choice_in_items_names_plain_keys() -> None:
    with pytest.raises(MappingFaults) as raised:
        made({**IN_ITEMS, "choices": [["a/c", "a/t"]]})
    assert raised.value.faults[0].path == ("fields", 0, "choices", 0)
