"""Rows with several paths on one side: their converters, both ways, and onto what the target holds."""

from __future__ import annotations

import string
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mappings import converters, fieldpaths
from mappings.converters import BadOption, SeveralRequest, WrongType, make_several
from mappings.converters.port import Several
from mappings.mapping import Fault, Gap, MappingFaults
from tests.mappings.test_compile import facts, made, written

SECRET = "Angharad Prys"
ABROAD = "+353" + "1" * 8


def several(name: str, ours: str | Sequence[str], theirs: int, zone: str = "Europe/London", **options: Any) -> Several:
    """The converter as a row of these fields would have it."""
    types = [fieldpaths.type_of(one) for one in ([ours] if isinstance(ours, str) else ours)]
    fields = tuple((one.kind, one.many) for one in types)
    return make_several(SeveralRequest(name, options, zone, fields, theirs))


GIVEN, FAMILY = "person.name.given", "person.name.family"
VISIT, BORN, LINES = "appointments[kind=visit].start", "person.date_of_birth", "person.address.lines"
ADDRESS = [LINES, "person.address.town", "person.address.postcode"]
PHONE = "person.telecom[system=phone,use=home].value"
BOTH = ["reason.code", "reason.text"]

MADE: dict[str, Several] = {
    "date-and-time": several("date-and-time", VISIT, 2),
    "date-and-time HH:MM": several("date-and-time", "received_at", 2, clock="HH:MM", format="DD/MM/YYYY"),
    "day-month-year": several("day-month-year", BORN, 3),
    "day-month-year json": several("day-month-year", BORN, 3, wire="json"),
    "full-name": several("full-name", [GIVEN, FAMILY], 1),
    "full-name comma": several("full-name", [GIVEN, FAMILY], 1, order="family-comma-given"),
    "full-name apart": several("full-name", "referrer.name", 2),
    "given-names": several("given-names", GIVEN, 2),
    "numbered": several("numbered", LINES, 4),
    "address-text": several("address-text", ADDRESS, 1, separator=", "),
    "area-and-number": several("area-and-number", PHONE, 2),
    "parts": several("parts", BOTH, 1, separator="|"),
}

_days = st.dates(date(1000, 1, 1), date(9998, 12, 31)).map(date.isoformat)
_british = st.dates(date(1900, 1, 1), date(2099, 12, 30)).map(lambda day: day.strftime("%d/%m/%Y"))
_clocks = st.times().map(lambda at: at.isoformat()) | st.sampled_from(["9:30", "09:30", "23:59:59", "00:00"])
_names = st.text(alphabet="ab ŷ-", max_size=8)
_opt = st.none()

PARTS: dict[str, st.SearchStrategy[Any]] = {
    "date-and-time": st.tuples(_days, _clocks | _opt),
    "date-and-time HH:MM": st.tuples(_british, _clocks),
    "day-month-year": st.tuples(st.integers(1, 31).map(str) | _opt, st.integers(1, 12).map(str) | _opt,
                                st.integers(1900, 2030).map(str)),
    "day-month-year json": st.tuples(st.integers(1, 31) | _opt, st.integers(1, 12) | _opt, st.integers(1900, 2030)),
    "full-name": st.tuples(st.lists(_names, max_size=3), _names),
    "full-name comma": st.tuples(st.lists(_names, max_size=3), _names),
    "full-name apart": st.tuples(_names, _names),
    "given-names": st.tuples(_names, _names | _opt),
    "numbered": st.tuples(*[_names | _opt] * 4),
    "address-text": st.tuples(st.lists(_names, max_size=3), _names, st.sampled_from(["NP44 1AA", "x", ""])),
    "area-and-number": st.tuples(st.sampled_from(["01632", "029", "07700", "", "x"]),
                                 st.text(alphabet=string.digits + " ", min_size=1, max_size=9)),
    "parts": st.tuples(_names | _opt, _names | _opt),
}  # fmt: skip
CASES = pytest.mark.parametrize("case", list(MADE))
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


def test_every_converter_has_its_law_tested() -> None:
    assert {case.partition(" ")[0] for case in MADE} == set(converters.SEVERAL_NAMES)


@CASES
@given(st.data())
def test_what_was_put_together_is_taken_apart_and_put_together_as_the_same(case: str, data: st.DataObject) -> None:
    converter = MADE[case]
    try:
        whole = converter.together(list(data.draw(PARTS[case])))
        assume(whole is not None)
        parts = converter.apart(whole)
    except WrongType:
        assume(False)
    if converter.note is not None and converter.note(parts):
        return  # the hour that comes twice, as `loses` says
    again = converter.together(parts)
    if "HH:MM" in case:
        assert str(again)[:16] == str(whole)[:16], "the seconds are lost, and nothing else"
    else:
        assert again == whole
    assert converter.apart(again) == parts


@CASES
@given(ANY, st.lists(ANY, min_size=4, max_size=4))
def test_whatever_comes_it_answers_or_says_what_it_expected(case: str, whole: Any, parts: list[Any]) -> None:
    converter = MADE[case]
    for convert in (lambda: converter.apart(whole), lambda: converter.together(parts[: len(_shape(case))])):
        try:
            convert()
        except WrongType as error:
            assert error.expected
    if converter.note is not None:
        converter.note(parts[:2])


def _shape(case: str) -> Sequence[int]:
    return range({"day": 3, "numbered": 4, "address": 3}.get(case.partition("-")[0].partition(" ")[0], 2))


@CASES
def test_the_value_is_never_told(case: str) -> None:
    converter = MADE[case]
    for call in (lambda: converter.apart(SECRET), lambda: converter.together([SECRET, {SECRET: 1}, SECRET, SECRET])):
        try:
            call()
        except WrongType as error:
            assert "Angharad" not in str(error)


@pytest.mark.parametrize("name", converters.SEVERAL_NAMES)
def test_the_example_of_its_declaration_is_true(name: str) -> None:
    shown = converters.SEVERAL[name].example
    theirs = shown["theirs"] if isinstance(shown["theirs"], list) else [shown["theirs"]]
    converter = several(name, shown["ours"], len(theirs), **shown.get("options", {}))
    assert list(converter.apart(shown["whole"])) == shown["parts"]
    assert converter.together(shown["parts"]) == shown["whole"]


@pytest.mark.parametrize(
    ("case", "parts"),
    [
        ("date-and-time", [None, "09:30"]),
        ("date-and-time HH:MM", ["01/06/2026", None]),
        ("day-month-year", ["1", None, "1950"]),
        ("day-month-year", ["31", "2", "1950"]),
        ("day-month-year", ["1", "2", "50"]),
        ("full-name", [["Siân"], None]),
        ("full-name comma", [["Siân, Eira"], "Rees"]),
        ("given-names", [None, "Eira"]),
        ("address-text", [["1 Heol Las"], None, "NP44 1AA"]),
        ("address-text", [["Fflat 2, 1 Heol Las"], "Cwmbrân", "NP44 1AA"]),
        ("address-text", [["1 Heol Las"], "Cwmbrân", "no postcode"]),
        ("area-and-number", ["01632", None]),
        ("parts", ["a|b", "c"]),
    ],
)
def test_what_could_not_be_told_apart_again_is_refused(case: str, parts: list[Any]) -> None:
    with pytest.raises(WrongType):
        MADE[case].together(parts)


@pytest.mark.parametrize(
    ("case", "whole"),
    [("full-name comma", "Siân Rees"), ("address-text", "1 Heol Las, Cwmbrân"), ("numbered", ["a", "b", "c", "d", "e"]),
     ("parts", "a"), ("parts", "a|b|c"), ("day-month-year", "1950-02-31"), ("date-and-time HH:MM", "2026-06-01")],
)  # fmt: skip
def test_what_cannot_be_taken_apart_is_refused_and_never_guessed(case: str, whole: Any) -> None:
    with pytest.raises(WrongType):
        MADE[case].apart(whole)


@pytest.mark.parametrize(
    ("number", "parts"),
    [("+441632960001", ["01632", "960001"]), ("+447700900123", ["07700", "900123"]), (ABROAD, [None, ABROAD]),
     ("ring the bell", [None, "ring the bell"])],
)  # fmt: skip
def test_an_area_code_is_that_of_the_country(number: str, parts: list[str | None]) -> None:
    assert list(MADE["area-and-number"].apart(number)) == parts


VISIT_ROW = {"ours": VISIT, "theirs": ["Visit/Day", "Visit/Time"], "as": "date-and-time", "lossy": True}
NAME_ROW = {"ours": [GIVEN, FAMILY], "theirs": "Subject/Name", "as": "full-name", "lossy": True}


class TestSeveralOfTheirs:
    def test_both_ways(self) -> None:
        record = {"Visit": {"Day": "2026-06-01", "Time": "10:30:00"}}
        assert facts(made(VISIT_ROW), record) == {VISIT: "2026-06-01T09:30:00Z"}
        assert written(made(VISIT_ROW), {VISIT: "2026-06-01T09:30:00Z"}) == record

    @pytest.mark.parametrize(
        ("record", "expected"),
        [
            ({}, {}),
            ({"Visit": {}}, {}),
            ({"Visit": {"Day": "2026-06-01"}}, {VISIT: "2026-06-01"}),
            ({"Visit": {"Day": "2026-06-01", "Time": ""}}, {VISIT: "2026-06-01"}),
            ({"Visit": {"Day": None, "Time": None}}, {VISIT: None}),
            ({"Visit": {"Day": ""}}, {VISIT: None}),
            ({"Visit": None}, {VISIT: None}),
            (
                {"Visit": [{"Day": ["2026-06-01"], "Time": {"@zone": "x", ".": "10:30"}}]},
                {VISIT: "2026-06-01T09:30:00Z"},
            ),
        ],
    )
    def test_not_known_empty_and_a_value(self, record: dict[str, Any], expected: dict[str, Any]) -> None:
        assert facts(made(VISIT_ROW), record) == expected

    @pytest.mark.parametrize(("style", "left"), [("omit", {}), (None, {"Day": None, "Time": None})])
    def test_emptied_as_the_file_says_and_left_alone_where_not_known(self, style: str | None, left: Any) -> None:
        held = {"Visit": {"Day": "2026-06-01", "Time": "10:30", "Room": "2"}}
        assert written(made(VISIT_ROW, empty=style), {VISIT: None}, held) == {"Visit": {**left, "Room": "2"}}
        assert written(made(VISIT_ROW), {}, held) == held

    def test_a_gap_names_our_field_and_both_paths_and_nothing_is_half_read(self) -> None:
        reading = made(VISIT_ROW).read({"Visit": {"Day": "2026-06-01", "Time": "soon"}})
        assert reading.facts == {}
        assert reading.left_out == [
            Gap(VISIT, "Visit/Day + Visit/Time", "wrong type", reason="a time of day, as 09:30 or 09:30:00")
        ]
        reading = made(VISIT_ROW).read({"Visit": {"Day": ["a", "b"], "Time": "10:30"}})
        assert [(gap.field, gap.theirs) for gap in reading.left_out] == [(VISIT, "Visit/Day")]
        assert reading.facts == {}

    def test_half_a_value_is_never_written(self) -> None:
        row = {**VISIT_ROW, "theirs": ["Day", "Visit/Time"]}
        held = {"Day": "2026-01-01", "Visit": [{"Time": "1"}, {"Time": "2"}]}
        writing = made(row).write({VISIT: "2026-06-01T09:30:00Z"}, held)
        assert writing.record == held
        assert [gap.field for gap in writing.left_out] == [VISIT]

    def test_needed_and_defaults(self) -> None:
        needed = made({**VISIT_ROW, "needed": True})
        assert [(gap.field, gap.kind) for gap in needed.read({}).stopped] == [(VISIT, "missing")]
        assert [gap.kind for gap in needed.write({}).stopped] == ["missing"]
        assert not needed.write({}, {"Visit": {"Day": "2026-06-01"}}).stopped
        assert [gap.kind for gap in needed.write({VISIT: None}).stopped] == ["missing"]
        given_day = made({**VISIT_ROW, "default": {"read": "2026-01-01", "write": "2026-01-02"}})
        assert facts(given_day, {}) == {VISIT: "2026-01-01"}
        assert written(given_day, {}) == {"Visit": {"Day": "2026-01-02"}}
        assert facts(made({**VISIT_ROW, "missing": "empty"}), {}) == {VISIT: None}

    def test_the_first_of_several_leads_its_group(self) -> None:
        room = {"constant": "2", "theirs": "Visit/Room"}
        mapping = made({**VISIT_ROW, "lead": True}, room, optional={"Visit": "omit"})
        assert written(mapping, {VISIT: "2026-06-01"}) == {"Visit": {"Day": "2026-06-01", "Room": "2"}}
        assert written(mapping, {VISIT: None}, {"Visit": {"Day": "2026-06-02", "Time": "1", "Place": "x"}}) == {}

    def test_a_time_that_came_twice_is_remarked(self) -> None:
        reading = made(VISIT_ROW).read({"Visit": {"Day": "2026-10-25", "Time": "01:30"}})
        assert [(one.field, one.code) for one in reading.remarks] == [(VISIT, "ambiguous-time")]

    def test_inside_a_list(self) -> None:
        row = {"ours": "appointments", "theirs": "Visits", "each": [
            {"ours": "kind", "theirs": "Kind", "key": True},
            {"ours": "start", "theirs": ["Day", "Time"], "as": "date-and-time", "lossy": True},
        ]}  # fmt: skip
        record = {"Visits": [{"Kind": "visit", "Day": "2026-06-01", "Time": "10:30:00"}, {"Day": "2026-06-02"}]}
        read = facts(made(row), record)
        assert read == {"appointments": [{"kind": "visit", "start": "2026-06-01T09:30:00Z"}, {"start": "2026-06-02"}]}
        assert written(made(row), read) == record
        bad = {"Visits": [{"Kind": "visit", "Time": "10:30"}]}
        assert made(row).read(bad).facts == {}
        assert [gap.theirs for gap in made(row).read(bad).left_out] == ["Visits/Day + Time"]
        refused = made(row).write({"appointments": [{"start": "soon"}]}, record)
        assert refused.record == record
        assert [gap.field for gap in refused.left_out] == ["appointments"]


class TestSeveralOfOurs:
    def test_both_ways(self) -> None:
        record = {"Subject": {"Name": "Siân Eira Rees"}}
        read = facts(made(NAME_ROW), record)
        assert read == {GIVEN: ["Siân", "Eira"], FAMILY: "Rees"}
        assert written(made(NAME_ROW), read) == record

    def test_an_update_that_knows_one_half_keeps_the_other(self) -> None:
        held = {"Subject": {"Name": "Siân Rees", "Born": "1950"}}
        record = written(made(NAME_ROW), {FAMILY: "Llŷr"}, held)
        assert record == {"Subject": {"Name": "Siân Llŷr", "Born": "1950"}}
        assert written(made(NAME_ROW), {GIVEN: ["Eira"]}, held)["Subject"]["Name"] == "Eira Rees"
        assert written(made(NAME_ROW), {GIVEN: None}, held)["Subject"]["Name"] == "Rees"
        assert written(made({**NAME_ROW, "direction": "write"}), {FAMILY: "Llŷr"}, held) == record

    def test_where_the_other_half_cannot_be_had_the_target_is_left_alone(self) -> None:
        row = {**NAME_ROW, "options": {"order": "family-comma-given"}}
        held = {"Subject": {"Name": "Siân Rees"}}
        writing = made(row).write({FAMILY: "Llŷr"}, held)
        assert writing.record == held
        assert [(gap.field, gap.kind) for gap in writing.stopped] == [(FAMILY, "wrong type")]

    def test_empty_only_where_both_are(self) -> None:
        held = {"Subject": {"Name": "Siân Rees"}}
        assert written(made(NAME_ROW), {GIVEN: None, FAMILY: None}, held) == {"Subject": {}}
        assert facts(made(NAME_ROW), {"Subject": {"Name": None}}) == {GIVEN: None, FAMILY: None}
        assert facts(made(NAME_ROW), {}) == {}

    def test_gaps_name_every_field_and_absent_and_length_hold(self) -> None:
        row = {**NAME_ROW, "max_length": 9, "absent": ["UNKNOWN"]}
        writing = made(row).write({GIVEN: ["Myfanwy"], FAMILY: "Rees"}, {"Subject": {"Name": "x y"}})
        assert writing.record == {"Subject": {"Name": "x y"}}
        assert [(gap.field, gap.kind) for gap in writing.stopped] == [(GIVEN, "too long"), (FAMILY, "too long")]
        assert facts(made(row), {"Subject": {"Name": "UNKNOWN"}}) == {GIVEN: None, FAMILY: None}
        assert written(made(row), {GIVEN: None, FAMILY: None}) == {"Subject": {"Name": "UNKNOWN"}}

    def test_fields_and_rows_are_told_one_by_one(self) -> None:
        mapping = made(NAME_ROW, VISIT_ROW)
        assert mapping.fields == (GIVEN, FAMILY, VISIT)
        assert [(row.ours, row.theirs) for row in mapping.rows] == [
            (GIVEN, "Subject/Name"), (FAMILY, "Subject/Name"), (VISIT, "Visit/Day"), (VISIT, "Visit/Time"),
        ]  # fmt: skip


def faults(*rows: dict[str, Any]) -> list[Fault]:
    with pytest.raises(MappingFaults) as raised:
        made(*rows)
    return raised.value.faults


@pytest.mark.parametrize(
    ("row", "key", "words"),
    [
        ({**VISIT_ROW, "as": None}, "", "no `as`"),
        ({**VISIT_ROW, "as": "date-and-tiem"}, "as", "date-and-time"),
        ({**VISIT_ROW, "as": "date"}, "as", "between one"),
        ({**VISIT_ROW, "lossy": False}, "as", "lossy"),
        ({**VISIT_ROW, "theirs": ["A", "B", "C"]}, "theirs", "one for the time"),
        ({**VISIT_ROW, "theirs": ["A", "A"]}, "theirs", "twice"),
        ({**VISIT_ROW, "theirs": ["A", "A/"]}, "theirs", "empty step"),
        ({**VISIT_ROW, "ours": "reason.text"}, "ours", "instant"),
        ({**VISIT_ROW, "ours": "reason.txet"}, "ours", "reason.text"),
        ({**VISIT_ROW, "codes": "status"}, "codes", "several paths"),
        ({**VISIT_ROW, "max_length": 9}, "max_length", "several paths"),
        ({**VISIT_ROW, "absent": ["x"]}, "absent", "several paths"),
        ({**VISIT_ROW, "options": {"clock": "HH"}}, "options", "HH:MM"),
        ({**VISIT_ROW, "options": {"colour": "red"}}, "options", "colour"),
        ({**VISIT_ROW, "zone": "Nowhere"}, "zone", "time zone"),
        ({**VISIT_ROW, "default": {"write": "soon"}}, "default", "cannot be written"),
        ({**NAME_ROW, "default": {"write": "x"}}, "default", "several paths"),
        ({**NAME_ROW, "theirs": ["A", "B"]}, "theirs", "both sides"),
        ({**NAME_ROW, "ours": [FAMILY, GIVEN]}, "ours", "given names"),
        ({**NAME_ROW, "ours": [FAMILY, FAMILY]}, "ours", "twice"),
        ({"ours": "reason.text", "theirs": "A", "as": "full-name"}, "as", "several paths"),
    ],
)
def test_what_such_a_row_cannot_say_is_named_at_its_key(row: dict[str, Any], key: str, words: str) -> None:
    row = {name: value for name, value in row.items() if value is not None}
    found = faults(row)
    fault = next(one for one in found if words in f"{one.found} {one.expected} {one.remedy}")
    assert fault.path == (("fields", 0, key) if key else ("fields", 0))


@pytest.mark.parametrize(
    ("one", "other", "key"),
    [
        (NAME_ROW, {"ours": FAMILY, "theirs": "Surname"}, "ours"),
        ({"ours": FAMILY, "theirs": "Surname"}, NAME_ROW, "ours"),
        (VISIT_ROW, {"ours": "reason.text", "theirs": "Visit/Time"}, "theirs"),
        (VISIT_ROW, {"ours": "reason.text", "theirs": "Visit"}, "theirs"),
    ],
)
def test_rows_that_meet_are_found(one: dict[str, Any], other: dict[str, Any], key: str) -> None:
    [fault] = faults(one, other)
    assert fault.path == ("fields", 1, key)


def test_a_request_checks_its_options() -> None:
    with pytest.raises(BadOption):
        several("parts", BOTH, 1)
    with pytest.raises(LookupError):
        several("nothing", BOTH, 1)
