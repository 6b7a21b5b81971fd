"""Golden pairs say what differs without showing whose record it is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mappings import golden
from mappings.codes import parse
from mappings.compile import compile_mapping
from mappings.mapping import Mapping

DATA = {
    "system": "s",
    "record": "R",
    "fields": [
        {"ours": "person.name.family", "theirs": "Surname", "max_length": 6},
        {"ours": "status", "theirs": "Status", "codes": "status"},
    ],
}


@pytest.fixture
def mapping() -> Mapping:
    status = parse("theirs,ours\nN,received\n", "status")
    return compile_mapping("mine", lambda _: (DATA, "mine.yaml"), lambda _: status, "UTC")


def pair(**parts: Any) -> golden.Pair:
    return golden.load(json.dumps({"about": "x", **parts}), "mine.x.json")


READ = {"record": {"Surname": "Llŷr", "Status": "N"}, "facts": {"person.name.family": "Llŷr", "status": "received"}}


def test_a_pair_that_holds_is_silent_both_ways(mapping: Mapping) -> None:
    assert golden.run(mapping, {"a": pair(read=READ, write={})}) == []


def test_a_difference_hides_who_it_is_and_shows_what_is_no_secret(mapping: Mapping) -> None:
    wrong = {**READ, "facts": {"person.name.family": "Secret", "status": "accepted"}}
    name, status = golden.run(mapping, {"a": pair(read=wrong)})
    assert str(name) == "a: read: person.name.family: expected a text of 6 characters, got a text of 4 characters"
    assert str(status) == 'a: read: status: expected "accepted", got "received"'
    assert "Secret" not in repr(name)


def test_somebody_who_may_see_it_sees_it(mapping: Mapping) -> None:
    wrong = {**READ, "facts": {"person.name.family": None, "status": "received"}}
    [difference] = golden.run(mapping, {"a": pair(read=wrong)}, reveal=True)
    assert str(difference) == 'a: read: person.name.family: expected null, got "Llŷr"'


def test_what_is_written_is_compared_leaf_by_leaf(mapping: Mapping) -> None:
    write = {"onto": {"Deep": {"List": [1, 2]}}, "record": {"Surname": "Llŷr", "Deep": {"List": [1, 3]}}}
    found = golden.run(mapping, {"a": pair(read=READ, write=write)})
    assert [(one.direction, one.path) for one in found] == [("write", "Deep/List[2]"), ("write", "Status")]


def test_gaps_are_part_of_a_pair(mapping: Mapping) -> None:
    read = {"record": {"Status": "Z"}, "facts": {}, "stopped": ["unknown code: status"]}
    assert golden.run(mapping, {"a": pair(read=read)}) == []
    [difference] = golden.run(mapping, {"a": pair(read={**read, "stopped": []})})
    assert str(difference) == 'a: read: stopped: expected [], got ["unknown code: status"]'
    write = {"facts": {"person.name.family": "Secretary"}, "record": {}, "stopped": ["too long: person.name.family"]}
    assert golden.run(mapping, {"a": pair(write=write)}) == []


def test_true_is_not_one_and_null_is_not_nothing() -> None:
    assert [path for path, _, _ in golden.differences({"a": True, "b": None}, {"a": 1}, "")] == ["a", "b"]


def test_rows_that_no_pair_shows_are_named(mapping: Mapping) -> None:
    half = pair(read={"record": {}, "facts": {"status": "received", "person.name.family": None}}, write={})
    assert golden.uncovered(mapping, [half]) == ["read person.name.family", "write person.name.family"]
    assert golden.uncovered(mapping, [pair(read=READ, write={})]) == []
    assert golden.uncovered(mapping, [], origin="elsewhere.yaml") == []


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"about": "x"}', '{"about": "x", "raed": {}}', '{"about": "x", "write": {"facts": {}}}',
     '{"about": "x", "read": {"record": {"n": "Secret"}, "facts": "Secret"}}', b"\xff\xfe"],
)  # fmt: skip
def test_a_bad_pair_names_its_file_and_no_value(text: str | bytes) -> None:
    with pytest.raises(golden.BadPair) as raised:
        golden.load(text, "mine.x.json")
    assert str(raised.value).startswith("mine.x.json: ")
    assert "Secret" not in str(raised.value)
    assert raised.value.__context__ is None


def test_pairs_lie_beside_their_mapping() -> None:
    assert golden.pattern("casework/referral") == "casework/golden/referral.*.json"
    assert golden.pattern("referral") == "golden/referral.*.json"


def test_codes_are_tried_one_by_one_both_ways() -> None:
    need = {"ours": "code", "theirs": "@code", "codes": "need"}
    data = {"system": "s", "record": "R", "fields": [
        {"ours": "status", "theirs": "Deep/Status", "codes": "status", "needed": True},
        {"ours": "person.gender", "theirs": "Gender", "codes": "gender", "direction": "read"},
        {"ours": "needs", "theirs": "Needs/Need", "each": [need, {"ours": "text", "theirs": "."}]},
    ]}  # fmt: skip
    lists = {
        "status": "theirs,ours\nN,received\nA,accepted\n", "gender": "theirs,ours\n1,male\n",
        "need": "theirs,ours\nN1,meals\nN2,memory\n",
    }  # fmt: skip
    mine = compile_mapping("mine", lambda _: (data, "m.yaml"), lambda name: parse(lists[name], name), "UTC")
    right = {
        "status": {"N": "received", "A": "accepted"}, "person.gender": {"1": "male"},
        "needs[].code": {"N1": "meals", "N2": "memory"},
    }  # fmt: skip
    assert golden.run(mine, {"a": pair(codes=right)}) == []
    wrong = {"status": {"N": "accepted"}, "needs[].code": {"N1": "memory"}, "person.gender": {"1": "female"}}
    assert [str(one) for one in golden.run(mine, {"a": pair(codes=wrong)})] == [
        'a: read: status, the code N <-> accepted: expected "accepted", got "received"',
        'a: write: status, the code N <-> accepted: expected "N", got "A"',
        'a: read: needs[].code, the code N1 <-> memory: expected "memory", got "meals"',
        'a: write: needs[].code, the code N1 <-> memory: expected "N1", got "N2"',
        'a: read: person.gender, the code 1 <-> female: expected "female", got "male"',
    ]
    nobody = {"status": {"Z": "received"}, "channel": {"P": "phone"}, "needs[].other": {"N1": "meals"}}
    told = [str(one) for one in golden.run(mine, {"a": pair(codes=nobody)})]
    assert 'a: read: status, the code Z <-> received: expected "received", got nothing' in told
    assert 'a: read: channel: expected "a row of the mapping", got nothing' in told
    assert 'a: read: needs[].other: expected "a row of the mapping", got nothing' in told
