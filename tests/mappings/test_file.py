"""The format of a mapping file: paths, the closed vocabulary, and faults that name everything at once."""

from __future__ import annotations

from typing import Any

import pytest

from mappings import paths
from mappings.codes import CodeList, parse
from mappings.compile import compile_mapping
from mappings.file import ItemRow, MappingFile, Row, json_schema
from mappings.mapping import Fault, MappingFaults

CODES = {"status": parse("theirs,ours\nN,received\nI,in_progress\n", "status")}

STATUS = {"ours": "status", "theirs": "A", "codes": "status"}
NEEDS = {"ours": "needs", "theirs": "A"}


def faults_of(data: Any, **more: Any) -> list[Fault]:
    files = {"mine": data, **more}

    def load(name: str) -> tuple[Any, str]:
        return files[name], f"{name}.yaml"

    def codes(name: str) -> CodeList:
        return CODES[name]

    with pytest.raises(MappingFaults) as raised:
        compile_mapping("mine", load, codes, "Europe/London")
    return raised.value.faults


def file(*rows: dict[str, Any], **head: Any) -> dict[str, Any]:
    return {"system": "s", "record": "R", **head, "fields": list(rows)}


@pytest.mark.parametrize(
    "text",
    ["Subject/Surname", "@code", ".", "Need/@code", "contacts[type=mobile]/value", "contacts[type=mobile,primary=true]",
     "first-name", "a.b/c d"],
)  # fmt: skip
def test_a_path_is_spelled_as_it_was_read(text: str) -> None:
    assert paths.spell(paths.parse(text)) in (
        text,
        text.replace("type=mobile,primary=true", "primary=true,type=mobile"),
    )


@pytest.mark.parametrize(
    "text", ["", "/", "A//B", "A/", "A/./B", "@a/b", "a[b", "a[]", "a[b=]", "a[=c]", ".[a=b]", "A/B]"]
)
def test_a_path_that_leads_nowhere_says_so(text: str) -> None:
    with pytest.raises(paths.PathError) as raised:
        paths.parse(text)
    assert raised.value.expected


@pytest.mark.parametrize(
    ("outer", "inner", "meets"),
    [
        ("A", "A", True), ("A", "A/B", True), ("A/B", "A", False), ("A/B", "A/C", False),
        ("l", "l[t=x]/v", True), ("l[t=x]", "l[t=x]/v", True), ("l[t=x]/v", "l[t=y]/v", False),
    ],
)  # fmt: skip
def test_a_path_contains_what_lies_inside(outer: str, inner: str, meets: bool) -> None:
    assert paths.contains(paths.parse(outer), paths.parse(inner)) is meets


def test_every_key_says_what_it_is_for_and_shows_an_example() -> None:
    for model in (MappingFile, Row, ItemRow):
        for name, info in model.model_fields.items():
            assert info.description, name
            assert info.examples, name


def test_the_schema_for_editors_is_closed() -> None:
    schema = json_schema()
    assert schema["additionalProperties"] is False
    assert "as" in schema["$defs"]["Row"]["properties"]


def test_an_unknown_key_is_answered_with_the_one_that_was_meant() -> None:
    [fault] = faults_of(file({"ours": "status", "their": "Status", "codes": "status"}))
    assert fault.path == ("fields", 0, "their")
    assert fault.remedy == "Did you mean `theirs`?"


def test_all_faults_come_at_once_each_with_its_place() -> None:
    faults = faults_of(
        file(
            {"ours": "person.name.famly", "theirs": "Surname"},
            {"ours": "status", "theirs": "Status", "codes": "statsu"},
            {"ours": "reason.text", "theirs": "Reason//Text"},
            {"ours": "received_at", "theirs": "Received", "as": "tiem"},
            {"ours": "outcome_reason"},
            {"theirs": "X"},
        )
    )
    assert [fault.path for fault in faults] == [
        ("fields", 0, "ours"), ("fields", 1, "codes"), ("fields", 2, "theirs"), ("fields", 3, "as"), ("fields", 4),
        ("fields", 5),
    ]  # fmt: skip
    assert faults[0].remedy == "Did you mean 'person.name.family'?"
    assert "time" in faults[3].remedy
    assert {fault.file for fault in faults} == {"mine.yaml"}


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (None, ()),
        ([], ()),
        ("text", ()),
        ({}, ()),
        ({"system": "s", "record": "R", "fields": []}, ("fields",)),
        ({"system": "s", "record": "R", "fields": "all"}, ("fields",)),
        ({"system": "s", "record": "R", "fields": ["a"]}, ("fields", 0)),
        (file({"ours": 1, "theirs": "A"}), ("fields", 0, "ours")),
        (file({"ours": "status", "theirs": "A", "direction": "up"}), ("fields", 0, "direction")),
        (file({"ours": "status", "theirs": "A", "max_length": "9"}), ("fields", 0, "max_length")),
        (file({"ours": "status", "theirs": "A", "max_length": 0}), ("fields", 0, "max_length")),
        (file({"ours": "status", "theirs": "A", "needed": "yes"}), ("fields", 0, "needed")),
        (file({"ours": "status", "theirs": "A", "default": "x"}), ("fields", 0, "default")),
        (file({"ours": "status", "theirs": "A", "default": {"wriet": 1}}), ("fields", 0, "default", "wriet")),
        (file({**NEEDS, "each": [{"ours": "code", "thiers": "x"}]}), ("fields", 0, "each", 0, "thiers")),
        (file({"ours": "status", "theirs": "A"}, if_="x"), ("if_",)),
        (file({"ours": "status", "theirs": "A", "empty": "default"}), ("fields", 0, "empty")),
        (file({**STATUS, "default": {"write": "lost"}}), ("fields", 0, "default")),
        (file({"ours": "status", "theirs": "A", "where": {"a": "b"}}), ("fields", 0, "where")),
        (file({"ours": "status", "theirs": "A", "key": True}), ("fields", 0, "key")),
        (file({"ours": "status", "theirs": "A", "drop": True}, extends="mine2"), ("extends",)),
        (file({"constant": "x", "theirs": "A", "codes": "status"}), ("fields", 0, "codes")),
        (file({"constant": "x", "theirs": "A", "direction": "read"}), ("fields", 0, "direction")),
        (file({"ours": "status", "theirs": "A/B"}, optional={"C": "omit"}), ("optional", "C")),
        (file({"ours": "status", "theirs": "A/B"}, optional={"A/": "omit"}), ("optional", "A/")),
        ({"record": "R", "fields": [{"ours": "reason.text", "theirs": "A"}]}, ()),
    ],
)  # fmt: skip
def test_what_a_tired_person_writes_is_named_where_it_stands(data: Any, path: tuple[str | int, ...]) -> None:
    faults = faults_of(data)
    assert path in [fault.path for fault in faults], [str(fault) for fault in faults]
    assert all(fault.found and fault.expected and fault.remedy for fault in faults)


def test_a_list_of_codes_must_hold_our_codes() -> None:
    CODES["wrong"] = parse("theirs,ours\nN,recieved\n", "wrong")
    [fault] = faults_of(file({"ours": "status", "theirs": "Status", "codes": "wrong"}))
    assert fault.remedy == "Did you mean received?"


@pytest.mark.parametrize(
    ("one", "other", "path"),
    [
        ({"ours": "reason.text", "theirs": "A"}, {"ours": "reason.text", "theirs": "B"}, ("fields", 1, "ours")),
        ({"ours": "reason.text", "theirs": "A"}, {"ours": "outcome_reason", "theirs": "A"}, ("fields", 1, "theirs")),
        ({"ours": "reason.text", "theirs": "A"}, {"ours": "outcome_reason", "theirs": "A/B"}, ("fields", 1, "theirs")),
        ({"ours": "reason.text", "theirs": "A/B"}, {"constant": "x", "theirs": "A"}, ("fields", 1, "theirs")),
    ],
)
def test_two_rows_must_not_meet(one: dict[str, Any], other: dict[str, Any], path: tuple[str | int, ...]) -> None:
    [fault] = faults_of(file(one, other))
    assert fault.path == path


def test_rows_that_go_one_way_each_do_not_meet() -> None:
    rows = (
        {"ours": "reason.text", "theirs": "A", "direction": "read"},
        {"ours": "reason.text", "theirs": "B", "direction": "write"},
    )
    compile_mapping("mine", lambda _: (file(*rows), "mine.yaml"), CODES.__getitem__, "UTC")


def test_a_whole_list_and_a_pick_from_it_meet() -> None:
    whole = {"ours": "person.telecom", "theirs": "A", "each": [{"ours": "value", "theirs": "v"}]}
    pick = {"ours": "person.telecom[system=email].value", "theirs": "B"}
    [fault] = faults_of(file(whole, pick))
    assert fault.path == ("fields", 1, "ours")
