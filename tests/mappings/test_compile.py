"""What compiled rows do to records, in both directions."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from mappings.codes import CodeList, parse
from mappings.compile import compile_mapping
from mappings.mapping import Gap, Mapping

CODES = {
    "status": parse("theirs,ours\nN,received\nI,in_progress\n", "status"),
    "need": parse("theirs,ours\nN1,meals\nN2,memory\n", "need"),
}
MOBILE = "person.telecom[system=phone,use=mobile].value"
SAFE = "person.telecom[system=phone,use=mobile].safe_to_text"
HOME = "person.telecom[system=phone,use=home].value"


def codes(name: str) -> CodeList:
    return CODES[name]


def made(*rows: dict[str, Any], **head: Any) -> Mapping:
    data = {"system": "s", "record": "R", **head, "fields": list(rows)}
    return compile_mapping("mine", lambda _: (data, "mine.yaml"), codes, "Europe/London")


def facts(mapping: Mapping, record: dict[str, Any]) -> dict[str, Any]:
    reading = mapping.read(record)
    assert not reading.left_out
    assert not reading.stopped
    return dict(reading.facts)


def written(mapping: Mapping, what: dict[str, Any], onto: dict[str, Any] | None = None) -> dict[str, Any]:
    before = copy.deepcopy(onto)
    writing = mapping.write(what, onto)
    assert onto == before, "what the target holds was changed in place"
    assert not writing.left_out
    assert not writing.stopped
    return writing.record


TOWN = {"ours": "person.address.town", "theirs": "Subject/Address/Town"}
SURNAME = {"ours": "person.name.family", "theirs": "Subject/Surname"}


class TestUnknownEmptyAndValue:
    @pytest.mark.parametrize(
        ("record", "expected"),
        [
            ({}, {}),
            ({"Subject": {}}, {}),
            ({"Subject": {"Address": {}}}, {}),
            ({"Subject": None}, {"person.address.town": None}),
            ({"Subject": {"Address": ""}}, {"person.address.town": None}),
            ({"Subject": {"Address": []}}, {"person.address.town": None}),
            ({"Subject": {"Address": {"Town": ""}}}, {"person.address.town": None}),
            ({"Subject": {"Address": {"Town": None}}}, {"person.address.town": None}),
            ({"Subject": {"Address": {"Town": "Cwmbrân"}}}, {"person.address.town": "Cwmbrân"}),
            ({"Subject": [{"Address": [{"Town": ["Cwmbrân"]}]}]}, {"person.address.town": "Cwmbrân"}),
            ({"Subject": {"Address": {"Town": {"@lang": "cy", ".": "Cwmbrân"}}}}, {"person.address.town": "Cwmbrân"}),
        ],
    )
    def test_read(self, record: dict[str, Any], expected: dict[str, Any]) -> None:
        assert facts(made(TOWN), record) == expected

    def test_absent_values_are_empty_and_come_back(self) -> None:
        mapping = made({"ours": "person.date_of_birth", "theirs": "DOB", "as": "date", "absent": ["0001-01-01"]})
        assert facts(mapping, {"DOB": "0001-01-01"}) == {"person.date_of_birth": None}
        assert written(mapping, {"person.date_of_birth": None}, {"DOB": "1950-02-03"}) == {"DOB": "0001-01-01"}

    def test_missing_means_empty_only_where_the_row_says_so(self) -> None:
        mapping = made({"ours": "outcome_reason", "theirs": "A/B", "missing": "empty"}, TOWN)
        assert facts(mapping, {}) == facts(mapping, {"A": {}}) == {"outcome_reason": None}

    def test_what_is_not_known_stays_and_what_is_empty_goes(self) -> None:
        held = {"Subject": {"Surname": "Llŷr", "Address": {"Town": "Cwmbrân", "Flat": "2"}}, "Notes": ["kept"]}
        mapping = made(SURNAME, TOWN)
        assert written(mapping, {}, held) == held
        assert written(mapping, {"person.address.town": None}, held) == {
            "Subject": {"Surname": "Llŷr", "Address": {"Flat": "2"}}, "Notes": ["kept"],
        }  # fmt: skip

    @pytest.mark.parametrize(("style", "left"), [("omit", {}), (None, {"T": None}), ("text", {"T": ""})])
    def test_emptiness_is_written_as_the_file_says(self, style: str | None, left: dict[str, Any]) -> None:
        mapping = made({"ours": "outcome_reason", "theirs": "T"}, empty=style)
        assert written(mapping, {"outcome_reason": None}, {"T": "x"}) == left

    def test_nothing_is_assumed_but_what_is_declared(self) -> None:
        row = {
            "ours": "status",
            "theirs": "S",
            "codes": "status",
            "default": {"write": "received", "read": "in_progress"},
        }
        mapping = made(row)
        assert written(mapping, {}) == {"S": "N"}
        assert written(mapping, {}, {"S": "I"}) == {"S": "I"}
        assert written(mapping, {}, {"Other": "x"}) == {"Other": "x"}, "a default is only for what is new"
        assert facts(mapping, {}) == {"status": "in_progress"}
        assert facts(mapping, {"S": ""}) == {"status": None}

    def test_unmapped_parts_are_taken_over_and_not_copied(self) -> None:
        held: dict[str, Any] = {"Notes": {"a": [1]}, "Subject": {"Extra": {"b": 2}, "Surname": "Rees"}}
        record = written(made(SURNAME), {"person.name.family": "Rhŷs"}, held)
        assert record["Notes"] is held["Notes"]
        assert record["Subject"]["Extra"] is held["Subject"]["Extra"]


class TestGaps:
    def test_an_unknown_code_in_a_needed_field_stops_and_hides_its_value(self) -> None:
        reading = made({"ours": "status", "theirs": "S", "codes": "status"}).read({"S": "ZZ-secret"})
        assert reading.stopped == [Gap("status", "S", "unknown code", "status")]
        assert not reading.facts
        assert "secret" not in repr(reading)
        assert "secret" not in str(reading.stopped[0])
        assert reading.stopped[0].value == "ZZ-secret"

    def test_an_unknown_code_elsewhere_leaves_the_field_out(self) -> None:
        mapping = made(
            {"ours": "needs", "theirs": "N", "each": [{"ours": "code", "theirs": "c", "codes": "need"}]}, TOWN
        )
        reading = mapping.read({"N": [{"c": "N1"}, {"c": "N9"}], "Subject": {"Address": {"Town": "Cwm"}}})
        assert reading.facts == {"person.address.town": "Cwm"}
        assert [(gap.field, gap.kind, gap.code_list) for gap in reading.left_out] == [("needs", "unknown code", "need")]

    def test_a_code_that_cannot_be_written_leaves_the_target_alone(self) -> None:
        mapping = made({"ours": "needs", "theirs": "N", "each": [{"ours": "code", "theirs": "c", "codes": "need"}]})
        writing = mapping.write({"needs": [{"code": "loneliness"}]}, {"N": [{"c": "N1"}]})
        assert writing.record == {"N": [{"c": "N1"}]}
        assert [gap.field for gap in writing.left_out] == ["needs"]

    @pytest.mark.parametrize("value", [{"a": "b"}, ["x", "y"], {"@a": "1", "b": "2"}])
    def test_a_wrong_shape_is_a_wrong_type(self, value: Any) -> None:
        reading = made(SURNAME, TOWN).read({"Subject": {"Surname": value, "Address": [1, 2]}})
        assert [(gap.field, gap.kind) for gap in reading.stopped] == [("person.name.family", "wrong type")]
        assert [(gap.field, gap.kind) for gap in reading.left_out] == [("person.address.town", "wrong type")]

    def test_a_wrong_date_of_birth_stops(self) -> None:
        reading = made({"ours": "person.date_of_birth", "theirs": "D", "as": "date"}).read({"D": "31/12/1950"})
        assert [gap.kind for gap in reading.stopped] == ["wrong type"]
        assert "1950" not in str(reading.stopped[0])

    def test_a_text_is_never_cut(self) -> None:
        mapping = made({"ours": "reason.text", "theirs": "R", "max_length": 5}, {**SURNAME, "max_length": 3})
        writing = mapping.write({"reason.text": "abcdef", "person.name.family": "Rees"}, {"R": "old"})
        assert writing.record == {"R": "old"}
        assert [(gap.field, gap.kind) for gap in writing.left_out] == [("reason.text", "too long")]
        assert [(gap.field, gap.kind) for gap in writing.stopped] == [("person.name.family", "too long")]

    def test_a_list_is_never_cut(self) -> None:
        row = {"ours": "person.name.given", "theirs": "F", "max_items": 2, "max_length": 4}
        assert written(made(row), {"person.name.given": ["Siân", "Eira"]}) == {"F": ["Siân", "Eira"]}
        assert made(row).write({"person.name.given": ["A", "B", "C"]}).stopped[0].kind == "too long"
        assert made(row).write({"person.name.given": ["Myfanwy"]}).stopped[0].kind == "too long"

    @pytest.mark.parametrize("record", [{}, {"Subject": {}}, {"Subject": None}, {"Subject": {"Surname": ""}}])
    def test_a_needed_value_that_is_not_there_stops(self, record: dict[str, Any]) -> None:
        mapping = made({**SURNAME, "needed": True})
        assert [(gap.field, gap.kind) for gap in mapping.read(record).stopped] == [("person.name.family", "missing")]
        assert mapping.read(record).facts == {}
        for what in ({}, {"person.name.family": None}):
            assert [gap.kind for gap in mapping.write(what).stopped] == ["missing"]
        assert written(mapping, {}, {"Subject": {"Surname": "Rees"}}) == {"Subject": {"Surname": "Rees"}}

    @pytest.mark.parametrize(
        "record", [{"Subject": 5}, {"Subject": True}, {"Subject": [[]]}, {"Subject": {"Surname": 2.5}}]
    )
    def test_nothing_in_a_record_raises(self, record: dict[str, Any]) -> None:
        mapping = made(SURNAME, TOWN, {"ours": MOBILE, "theirs": "Subject/c[t=m]/v"})
        mapping.read(record)
        mapping.write({"person.name.family": "Rees", "person.address.town": "Cwm", MOBILE: "07700 900123"}, record)

    @pytest.mark.parametrize("value", [5, True, {"a": 1}, ["x"], 2.5])
    def test_nothing_in_facts_raises(self, value: Any) -> None:
        mapping = made(SURNAME, {"ours": "needs", "theirs": "N", "each": [{"ours": "text", "theirs": "."}]})
        mapping.write({"person.name.family": value, "needs": value})


CONTACTS = (
    {"ours": MOBILE, "theirs": "contacts[type=mobile]/value", "lead": True},
    {"ours": SAFE, "theirs": "contacts[type=mobile]/ok"},
    {"ours": HOME, "theirs": "contacts[type=phone]/value", "lead": True},
)


class TestPicks:
    def test_the_one_item_is_read_and_a_known_list_without_it_is_empty(self) -> None:
        mapping = made(*CONTACTS, empty=None)
        one = {"contacts": {"type": "mobile", "value": "+447700900123", "ok": True}}
        assert facts(mapping, one) == {MOBILE: "+447700900123", SAFE: True, HOME: None}
        assert facts(mapping, {"contacts": []}) == {MOBILE: None, SAFE: None, HOME: None}
        assert facts(mapping, {}) == {}

    def test_items_are_laid_over_their_own_kind(self) -> None:
        held = {
            "contacts": [
                {"type": "email", "value": "a@example.org"},
                {"type": "mobile", "value": "+447700900123", "n": 1},
            ]
        }
        record = written(made(*CONTACTS, empty=None), {MOBILE: "+447700900999", HOME: "+441632960001"}, held)
        assert record == {"contacts": [
            {"type": "email", "value": "a@example.org"},
            {"type": "mobile", "value": "+447700900999", "n": 1},
            {"type": "phone", "value": "+441632960001"},
        ]}  # fmt: skip

    def test_an_item_without_the_value_that_leads_it_goes(self) -> None:
        held = {"contacts": [{"type": "mobile", "value": "+447700900123", "ok": True}]}
        assert written(made(*CONTACTS, empty=None), {MOBILE: None}, held) == {"contacts": []}
        assert written(made(*CONTACTS), {MOBILE: None}, held) == {}
        assert written(made(*CONTACTS, empty=None), {MOBILE: None, SAFE: True}) == {"contacts": []}

    def test_an_item_picked_for_its_own_text(self) -> None:
        mapping = made({"ours": "reason.text", "theirs": "Note[@kind=why]"})
        assert facts(mapping, {"Note": [{"@kind": "who", ".": "a"}, {"@kind": "why", ".": "b"}]}) == {
            "reason.text": "b"
        }
        assert written(mapping, {"reason.text": "b"}) == {"Note": [{"@kind": "why", ".": "b"}]}


NEEDS = {
    "ours": "needs", "theirs": "Needs/Need",
    "each": [{"ours": "code", "theirs": "@code", "codes": "need", "key": True}, {"ours": "text", "theirs": "."}],
}  # fmt: skip


class TestEach:
    @pytest.mark.parametrize(
        ("items", "expected"),
        [
            ({"@code": "N1", ".": "help"}, [{"code": "meals", "text": "help"}]),
            ([{"@code": "N1", ".": ""}, {"@code": "N2"}], [{"code": "meals"}, {"code": "memory"}]),
            ("in words", [{"text": "in words"}]),
            ([], None), ("", None), (None, None),
        ],
    )  # fmt: skip
    def test_one_or_many(self, items: Any, expected: Any) -> None:
        assert facts(made(NEEDS), {"Needs": {"Need": items}}) == {"needs": expected}

    def test_an_empty_group_is_an_empty_list_and_no_group_says_nothing(self) -> None:
        assert facts(made(NEEDS), {"Needs": ""}) == {"needs": None}
        assert facts(made(NEEDS), {}) == {}

    def test_items_keep_what_is_not_mapped_in_their_match(self) -> None:
        held = {"Needs": {"Need": [{"@code": "N2", ".": "old", "@by": "x"}, {"@code": "N1", "@by": "y"}], "@n": "2"}}
        record = written(made(NEEDS), {"needs": [{"code": "memory", "text": "new"}]}, held)
        assert record == {"Needs": {"Need": [{"@code": "N2", ".": "new", "@by": "x"}], "@n": "2"}}

    def test_a_group_that_may_be_empty_goes_with_its_last_item(self) -> None:
        held = {"Needs": {"Need": {"@code": "N2"}}}
        assert written(made(NEEDS, optional={"Needs": "omit"}), {"needs": None}, held) == {}
        assert written(made(NEEDS), {"needs": None}, held) == {"Needs": {}}
        assert written(made(NEEDS, empty=None), {"needs": None}, held) == {"Needs": {"Need": []}}

    def test_where_takes_some_items_and_leaves_the_others(self) -> None:
        row = {"ours": "person.local_ids", "theirs": "ids", "where": {"kind": "person"},
               "each": [{"ours": "value", "theirs": "v"}]}  # fmt: skip
        held = {"ids": [{"kind": "case", "v": "1"}, {"kind": "person", "v": "2"}]}
        mapping = made(row, empty=None)
        assert facts(mapping, held) == {"person.local_ids": [{"value": "2"}]}
        record = written(mapping, {"person.local_ids": [{"value": "3"}]}, held)
        assert record == {"ids": [{"kind": "case", "v": "1"}, {"kind": "person", "v": "3"}]}
        assert written(mapping, {"person.local_ids": None}, held) == {"ids": [{"kind": "case", "v": "1"}]}


class TestGroupsAndConstants:
    def test_a_group_may_go_as_a_whole_where_the_file_says_so(self) -> None:
        held = {"Subject": {"Surname": "Rees", "Address": {"Town": "Cwm"}}}
        mapping = made(SURNAME, TOWN, optional={"Subject/Address": None}, empty=None)
        assert written(mapping, {"person.address.town": None}, held)["Subject"] == {"Surname": "Rees", "Address": None}
        mapping = made(SURNAME, TOWN, empty=None)
        assert written(mapping, {"person.address.town": None}, held)["Subject"]["Address"] == {"Town": None}

    def test_what_is_not_mapped_in_it_keeps_a_group(self) -> None:
        held = {"Subject": {"Address": {"Town": "Cwm", "Flat": "2"}}}
        mapping = made(TOWN, optional={"Subject/Address": "omit"})
        assert written(mapping, {"person.address.town": None}, held) == {"Subject": {"Address": {"Flat": "2"}}}

    def test_a_group_goes_without_the_value_that_leads_it(self) -> None:
        mapping = made(
            {"ours": "notify.opt_in[channel=text].opted_in", "theirs": "U/In", "lead": True},
            {"ours": "notify.opt_in[channel=text].by", "theirs": "U/By"},
            optional={"U": "omit"},
        )
        assert written(mapping, {"notify.opt_in[channel=text].by": "x"}) == {}
        held = {"U": {"In": True, "By": "x"}}
        assert written(mapping, {"notify.opt_in[channel=text].opted_in": None}, held) == {}

    def test_constants_are_written_where_their_group_is(self) -> None:
        rows = ({"constant": "DOLEN", "theirs": "From"}, {"constant": "GB", "theirs": "Subject/Address/Country"}, TOWN)
        mapping = made(*rows, optional={"Subject/Address": "omit"})
        assert written(mapping, {}) == {}
        assert written(mapping, {"person.address.town": "Cwm"}) == {
            "From": "DOLEN", "Subject": {"Address": {"Town": "Cwm", "Country": "GB"}},
        }  # fmt: skip
        assert facts(mapping, {"From": "x"}) == {}

    def test_one_direction_only(self) -> None:
        read = made({"ours": "reason.text", "theirs": "A", "direction": "read"})
        write = made({"ours": "reason.text", "theirs": "A", "direction": "write"})
        assert facts(read, {"A": "x"}) == {"reason.text": "x"}
        assert facts(write, {"A": "x"}) == {}
        assert written(read, {"reason.text": "x"}) == {}
        assert written(write, {"reason.text": "x"}) == {"A": "x"}


class TestIdentity:
    def test_the_digest_changes_with_rows_codes_and_zone_and_with_nothing_else(self) -> None:
        row = {"ours": "status", "theirs": "S", "codes": "status"}
        plain = made(row)
        assert made({**row, "note": "why"}).digest == plain.digest
        assert made({**row, "needed": True}).digest != plain.digest
        data = {"system": "s", "record": "R", "fields": [row]}
        other = parse("theirs,ours\nN,received\n", "status")
        assert compile_mapping("mine", lambda _: (data, "m"), lambda _: other, "Europe/London").digest != plain.digest
        assert compile_mapping("mine", lambda _: (data, "m"), codes, "UTC").digest != plain.digest
        assert {kind for kind, _ in plain.artifacts.values()} == {"mapping", "codes"}
        assert plain.digest in plain.artifacts

    def test_what_we_write_reads_as_expected(self) -> None:
        mapping = made(SURNAME, TOWN)
        record = written(
            mapping, {"person.name.family": "Rees", "person.address.town": None}, {"Subject": {"Surname": "R"}}
        )
        assert mapping.expected(record) == {"person.name.family": "Rees"}

    def test_fields_are_named_once(self) -> None:
        assert made(SURNAME, TOWN).fields == ("person.name.family", "person.address.town")
