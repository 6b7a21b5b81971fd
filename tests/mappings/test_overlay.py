"""A council's file laid over the shared one."""

from __future__ import annotations

from typing import Any

import pytest

from mappings.codes import CodeList, parse
from mappings.compile import compile_mapping
from mappings.mapping import Fault, Mapping, MappingFaults

CODES = {
    "status": parse("theirs,ours\nN,received\n", "status"),
    "own-status": parse("theirs,ours\nX,received\n", "own-status"),
}
SHARED: dict[str, Any] = {
    "system": "s",
    "record": "R",
    "fields": [
        {"ours": "status", "theirs": "Status", "codes": "status"},
        {"ours": "reason.text", "theirs": "Reason", "max_length": 10},
        {"ours": "needs", "theirs": "N", "each": [{"ours": "code", "theirs": "c"}, {"ours": "text", "theirs": "t"}]},
        {"constant": "D", "theirs": "From"},
    ],
}


def compiled(own: Any, **more: Any) -> Mapping:
    files = {"own": own, "shared": SHARED, **more}

    def codes(name: str) -> CodeList:
        return CODES[name]

    return compile_mapping("own", lambda name: (files[name], f"{name}.yaml"), codes, "UTC")


def faults(own: Any, **more: Any) -> list[Fault]:
    with pytest.raises(MappingFaults) as raised:
        compiled(own, **more)
    return raised.value.faults


def test_a_row_is_laid_over_key_by_key_and_names_its_file() -> None:
    mapping = compiled({"extends": "shared", "fields": [{"ours": "status", "codes": "own-status"}]})
    assert mapping.read({"Status": "X"}).facts == {"status": "received"}
    assert [(row.ours, row.origin) for row in mapping.rows[:2]] == [
        ("status", "own.yaml"),
        ("reason.text", "shared.yaml"),
    ]


def test_the_shared_file_stays_as_it_was() -> None:
    compiled({"extends": "shared", "fields": [{"ours": "status", "codes": "own-status"}]})
    assert SHARED["fields"][0]["codes"] == "status"


def test_rows_are_added_changed_below_each_and_taken_out() -> None:
    mapping = compiled({"extends": "shared", "fields": [
        {"ours": "extensions.mine.colour", "theirs": "Colour", "as": "text"},
        {"ours": "needs", "each": [{"ours": "text", "theirs": "words"}]},
        {"ours": "reason.text", "drop": True},
        {"constant": "E", "theirs": "From"},
    ]})  # fmt: skip
    assert mapping.fields == ("status", "needs", "extensions.mine.colour")
    record = mapping.write({"needs": [{"code": "meals", "text": "x"}], "extensions.mine.colour": "red"}).record
    assert record == {"N": [{"c": "meals", "words": "x"}], "Colour": "red", "From": "E"}


def test_null_takes_a_key_away() -> None:
    mapping = compiled({"extends": "shared", "fields": [{"ours": "reason.text", "max_length": None}]})
    assert mapping.write({"reason.text": "longer than ten"}).record["Reason"] == "longer than ten"


def test_a_chain_is_laid_from_the_bottom() -> None:
    middle = {"extends": "shared", "fields": [{"ours": "status", "theirs": "State"}]}
    mapping = compiled({"extends": "middle", "fields": [{"ours": "status", "codes": "own-status"}]}, middle=middle)
    assert mapping.read({"State": "X"}).facts == {"status": "received"}


def test_a_fault_is_named_where_the_wrong_key_was_written() -> None:
    [fault] = faults({"extends": "shared", "fields": [{"ours": "reason.text", "as": "boolean"}]})
    assert (fault.file, fault.path) == ("own.yaml", ("fields", 0, "as"))


@pytest.mark.parametrize(
    ("own", "path"),
    [
        ({"extends": "own", "fields": [{"ours": "status", "theirs": "x"}]}, ("extends",)),
        ({"extends": "nowhere", "fields": [{"ours": "status", "theirs": "x"}]}, ("extends",)),
        ({"extends": "shared", "system": "other", "fields": [{"ours": "status", "theirs": "x"}]}, ("system",)),
        ({"extends": "shared", "empty": None, "fields": [{"ours": "status", "theirs": "x"}]}, ("empty",)),
        ({"extends": "shared", "fields": [{"ours": "outcome_reason", "drop": True}]}, ("fields", 0)),
        ({"extends": "shared", "fields": [{"ours": "outcome_reason"}]}, ("fields", 0)),
    ],
)
def test_what_an_overlay_cannot_do(own: dict[str, Any], path: tuple[str | int, ...]) -> None:
    assert (("own.yaml", path)) in [(fault.file, fault.path) for fault in faults(own)]


def test_a_loop_names_its_chain() -> None:
    [fault] = faults(
        {"extends": "b", "fields": [{"ours": "status"}]}, b={"extends": "own", "fields": [{"ours": "status"}]}
    )
    assert "own -> b -> own" in fault.found


def test_two_rows_below_are_told_apart_by_direction() -> None:
    base = {"system": "s", "record": "R", "fields": [
        {"ours": "reason.text", "theirs": "A", "direction": "read"},
        {"ours": "reason.text", "theirs": "B", "direction": "write"},
    ]}  # fmt: skip
    own = {"extends": "base", "fields": [{"ours": "reason.text", "theirs": "C", "direction": "write"}]}
    assert compiled(own, base=base).write({"reason.text": "x"}).record == {"C": "x"}
    [fault] = faults({"extends": "base", "fields": [{"ours": "reason.text", "theirs": "C"}]}, base=base)
    assert "direction" in fault.remedy
