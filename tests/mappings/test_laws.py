"""The laws see what is wrong, blame the right row, and show the smallest example; what is invented is worth trying."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from mappings.codes import parse
from mappings.compile import compile_mapping
from mappings.interface import Interface, Schema
from mappings.laws import values
from mappings.laws.facts import facts
from mappings.laws.records import Hint, hints_of, records
from mappings.laws.search import Found, invented, search
from mappings.laws.shape import misfits
from mappings.mapping import Mapping, Reading, Writing

TEXT: dict[str, Any] = {"type": "string", "maxLength": 20}
LISTS = {
    "status": "theirs,ours\nN,received\nA,accepted\n",
    "many": "theirs,ours,direction\nN,received,both\nR,received,read\nA,accepted,both\n",
}


def made(*rows: dict[str, Any], zone: str = "Europe/London", **head: Any) -> Mapping:
    data = {"system": "s", "record": "R", **head, "fields": list(rows)}
    return compile_mapping("mine", lambda _: (data, "mine.yaml"), lambda name: parse(LISTS[name], name), zone)


def shape(required: list[str] | None = None, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties) if required is None else required}


def found(mapping: Mapping, schema: Schema | None, *, sent: Schema | None = None) -> list[Found]:
    interface = None if schema is None else Interface("s", "R", "s.wsdl", read=schema, create=sent)
    return list(search(mapping, interface, examples=100, start=7).found)


def blamed(all_found: list[Found]) -> set[tuple[str, str]]:
    return {(one.breach.law, one.breach.row.shown if one.breach.row else one.breach.at) for one in all_found}


# What holds


@pytest.mark.parametrize(
    ("row", "leaf"),
    [
        ({"ours": "person.name.family", "max_length": 20}, TEXT),
        ({"ours": "person.name.given", "max_length": 20, "max_items": 3},
         {"type": "array", "items": TEXT, "x-one-or-many": True, "maxItems": 3}),
        ({"ours": "person.date_of_birth", "as": "date"}, {"type": "string", "x-lexical": "date"}),
        ({"ours": "received_at", "as": "time", "lossy": "the offset"},
         {"type": "string", "x-lexical": "dateTime", "x-zone": "required"}),
        ({"ours": "received_at", "as": "local-time", "lossy": "which of two"},
         {"type": "string", "x-lexical": "dateTime", "x-zone": "none"}),
        ({"ours": "safeguarding_flag", "as": "boolean", "options": {"wire": "text"}},
         {"type": "string", "x-lexical": "boolean"}),
        ({"ours": "status", "codes": "many"}, {"type": "string", "enum": ["N", "R", "A"]}),
        ({"ours": "person.telecom[system=phone,use=home].value", "as": "phone"}, TEXT),
        ({"ours": "person.date_of_birth", "as": "date", "absent": ["0001-01-01"]},
         {"type": "string", "x-lexical": "date"}),
    ],
)  # fmt: skip
def test_an_honest_row_keeps_the_laws(row: dict[str, Any], leaf: dict[str, Any]) -> None:
    mapping = made({"theirs": "X", **row}, empty="null")
    assert found(mapping, shape(X=leaf, Other=TEXT), sent=shape([], X={**leaf, "type": [leaf["type"], "null"]})) == []


# What breaks, and whose fault it is


def test_a_time_without_offset_loses_an_hour_unless_it_says_so() -> None:
    row = {"ours": "received_at", "theirs": "At", "as": "local-time"}
    [one] = [one for one in found(made(row), None) if one.breach.law == "keeps ours"]
    assert one.breach.row is not None
    assert one.breach.row.place == ("mine.yaml", ("fields", 0))
    assert one.smallest["received_at"].startswith("2026-10-25T01")  # the hour that comes twice
    assert found(made({**row, "lossy": "which of two in the hour that comes twice"}), None) == []


NAME = {"ours": "person.name.family", "theirs": "Name"}
NAMED = {"type": "object", "properties": {"Name": {"type": "string", "minLength": 1}}, "required": ["Name"]}


def changed(
    mapping: Mapping, *, read: Callable[[Any], Any] = lambda facts: facts, write: Callable[[Any], Any] = lambda r: r
) -> Mapping:
    """The mapping with a fault in its machinery, as no honest file can make it."""

    def reads(record: dict[str, Any]) -> Reading:
        return replace(one := mapping.read(record), facts=read(dict(one.facts)))

    def writes(what: Any, onto: Any, empty: Any) -> Writing:
        return replace(one := mapping.write(what, onto, empty=empty), record=write(dict(one.record)))

    return replace(mapping, _read=reads, _write=writes)


def test_what_nobody_said_is_a_breach_unless_a_default_is_declared() -> None:
    spoken = {"ours": "language.spoken", "theirs": "Spoken"}
    schema = shape(["Name"], Name=NAMED["properties"]["Name"], Spoken=TEXT)
    inventing = changed(made(NAME, spoken), write=lambda record: {"Spoken": "cy", **record})
    assert ("keeps theirs", "language.spoken <-> Spoken") in blamed(found(inventing, schema))
    [one] = [one for one in found(inventing, schema) if one.side == "referral"]
    assert one.smallest == {}
    assert found(made(NAME, {**spoken, "default": {"read": "cy"}}), schema) == []


def test_lossy_covers_what_is_lost_once_and_not_what_changes_each_time() -> None:
    row = {**NAME, "lossy": "the last letter"}
    shorter = changed(made(row), write=lambda record: {**record, "Name": record["Name"][:5]} if record else record)
    assert found(shorter, NAMED) == []
    restless = changed(made(row), write=lambda record: {**record, "Name": f"{record['Name']}!"} if record else record)
    assert {law for law, _ in blamed(found(restless, NAMED))} == {"keeps theirs", "keeps ours"}
    assert found(changed(made(NAME), write=lambda record: {k: v[:5] for k, v in record.items()}), NAMED) != []


def test_an_exact_row_is_written_to_the_letter_and_a_tidying_one_is_not_asked_to() -> None:
    def lower(facts: dict[str, Any]) -> dict[str, Any]:
        return {path: value and value.lower() for path, value in facts.items()}

    shouting = changed(made(NAME), read=lower, write=lambda record: {key: v and v.upper() for key, v in record.items()})
    broken = [one for one in found(shouting, NAMED) if one.side == "record"]
    assert [one.breach.why for one in broken] == ["it is not written as it was, and no loss is declared"]
    assert found(made({**NAME, "as": "trimmed"}), shape(Name=TEXT)) == []  # spaces go, as its law says


def test_what_goes_with_its_lead_is_no_breach() -> None:
    schema = shape(["Name"], Name=TEXT, Group=shape(["Lead"], Lead=TEXT, Beside=TEXT))
    lead = {"ours": "referrer.name", "theirs": "Group/Lead"}
    beside = {"ours": "referrer.relationship", "theirs": "Group/Beside"}
    assert found(made(NAME, {**lead, "lead": True}, beside, optional={"Group": "omit"}), schema) == []
    led_by_nothing = changed(made(NAME, lead, beside), write=lambda record: {**record, "Group": {}})
    assert blamed(found(led_by_nothing, schema)) >= {("keeps theirs", "referrer.relationship <-> Group/Beside")}


def test_a_row_that_cannot_read_what_the_interface_allows_is_named() -> None:
    mapping = made(NAME, {"ours": "person.date_of_birth", "theirs": "Born", "as": "date"})
    [one] = found(mapping, shape(Name=TEXT, Born=TEXT))
    assert (one.breach.law, one.breach.at, one.side) == ("reads", "person.date_of_birth", "record")
    assert one.breach.row is not None
    assert one.breach.row.place == ("mine.yaml", ("fields", 1))
    assert len(one.smallest["Name"]) <= 1  # made as small as it can be
    assert len(one.smallest["Born"]) == 1


def test_a_value_that_the_interface_does_not_take_is_named() -> None:
    mapping = made(NAME)
    assert found(mapping, None) == []
    short = Interface("s", "R", "s.wsdl", create=shape([], Name={"type": "string", "maxLength": 3}))
    [one] = search(mapping, short, examples=100, start=1).found
    assert (one.breach.law, one.breach.at) == ("fits", "Name")
    assert len(one.smallest["person.name.family"]) == 4
    nowhere = Interface("s", "R", "s.wsdl", create=shape([], Surname=TEXT))
    [one] = search(mapping, nowhere, examples=100, start=1).found
    assert one.breach.why == "the interface takes a name that the interface has there"


def test_several_rows_are_named_in_one_run_each_with_its_own_example() -> None:
    mapping = made(
        {"ours": "received_at", "theirs": "A", "as": "local-time"},
        {"ours": "status_changed_at", "theirs": "B", "as": "local-time"},
        {"ours": "citizen_reference", "theirs": "C"},
    )
    assert blamed(found(mapping, None)) == {
        ("keeps ours", "received_at <-> A"), ("keeps ours", "status_changed_at <-> B"),
    }  # fmt: skip


def test_what_no_row_maps_must_stay() -> None:
    """A list that is replaced as a whole takes with it what stands beside the mapped values in its items."""
    rows = {"ours": "needs", "theirs": "Needs", "each": [{"ours": "text", "theirs": "Text"}]}
    item = shape(["Text"], Text=TEXT, Note=TEXT)
    assert found(made(rows), shape(Needs={"type": "array", "items": item})) == []  # a list is the row's own, whole
    [one] = found(
        made({"ours": "person.telecom[system=phone,use=home].value", "theirs": "Group/Phone", "lead": True},
             optional={"Group": "omit"}),
        shape(["Group"], Group=shape(["Kept"], Phone=TEXT, Kept={"type": "string", "minLength": 1})),
    )  # fmt: skip
    assert one.breach.law == "leaves the rest"
    assert one.breach.row is None
    assert one.breach.at.startswith("Group")


def test_the_same_seed_tries_the_same_things() -> None:
    mapping = made({"ours": "received_at", "theirs": "A", "as": "local-time"})
    first, again = (search(mapping, None, examples=60, start=3) for _ in range(2))
    assert [one.smallest for one in first.found] == [one.smallest for one in again.found]
    strategy = facts(mapping.terms)
    assert invented(strategy, 20, 5) == invented(strategy, 20, 5)
    assert invented(strategy, 20, 5) != invented(strategy, 20, 6)


# What is invented


def test_records_keep_order_choices_and_what_is_required() -> None:
    schema = shape(["First"], Last=TEXT, First=TEXT, One=TEXT, Two=TEXT, Three=TEXT) | {
        "x-order": ["First", "One", "Two", "Three", "Last"],
        "x-choices": [{"min": 1, "of": [["One"], ["Two", "Three"]]}],
    }
    seen = set()
    for record in invented(records(schema, {}), 80, 1):
        assert list(record) == [name for name in schema["x-order"] if name in record]
        assert "First" in record
        seen.add(frozenset(record) - {"First", "Last"})
    assert seen == {frozenset({"One"}), frozenset({"Two", "Three"})}
    free = {**schema, "x-choices": [{"min": 0, "of": [["One"], ["Two", "Three"]]}]}
    assert any(not set(record) & {"One", "Two", "Three"} for record in invented(records(free, {}), 80, 1))


def test_records_have_nothing_one_or_many_and_the_ends_of_lengths() -> None:
    many = {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 60}, "x-one-or-many": True}
    schema = shape([], Nil={"type": ["string", "null"]}, Many=many, Short={"type": "string", "minLength": 2})
    made_ = invented(records(schema, {}), 200, 1)
    nil = [record["Nil"] for record in made_ if "Nil" in record]
    assert None in nil
    assert "" in nil
    listed = [record["Many"] for record in made_ if "Many" in record]
    assert any(isinstance(value, str) for value in listed)
    assert any(isinstance(value, list) and len(value) > 1 for value in listed)
    assert [] not in listed  # XML has no empty list
    lengths = {len(one) for value in listed for one in (value if isinstance(value, list) else [value])}
    assert {1, 60} <= lengths
    assert min(len(record["Short"]) for record in made_ if "Short" in record) == 2
    assert {frozenset(record) for record in made_} >= {frozenset(), frozenset({"Nil", "Many", "Short"})}
    letters = {letter for record in made_ for value in record.values() if isinstance(value, str) for letter in value}
    assert letters & set("ŵŷâêîôû")


def test_a_record_that_may_be_nothing_as_a_whole_is_never_tried_as_nothing() -> None:
    whole = {**shape([], Surname=TEXT), "type": ["object", "null"]}
    made_ = invented(records(whole, {}), 100, start=3)
    assert made_
    assert None not in made_


def test_records_keep_formats_patterns_and_codes() -> None:
    schema = shape(
        Day={"type": "string", "x-lexical": "date"},
        Naive={"type": "string", "x-lexical": "dateTime", "x-zone": "none"},
        Zoned={"type": "string", "format": "date-time"},
        Number={"type": "string", "x-lexical": "integer", "minimum": 3, "maximum": 5},
        Code={"type": "string", "pattern": "^[A-Z]{2}[0-9]$", "maxLength": 3},
        Either={"anyOf": [{"type": "string", "enum": ["a", "b"]}, {"type": "null"}]},
        Fixed={"const": "x"},
        Status={"type": "string", "pattern": "^[A-Z]$"},
        Flag={"type": "boolean"},
        Big={"type": "integer", "minimum": 1, "maximum": 2},
    )
    hints = hints_of(made({"ours": "status", "theirs": "Status", "codes": "status"}).terms)
    made_ = invented(records(schema, hints), 120, 1)
    for record in made_:
        assert list(misfits(schema, record)) == []
    assert {record["Status"] for record in made_} == {"N", "A"}
    assert {record["Number"] for record in made_} == {"3", "4", "5"}
    assert {record["Either"] for record in made_} == {"a", "b", None}
    assert any(record["Day"].endswith("02-29") for record in made_)
    nights = {record["Naive"][:13] for record in made_} | {record["Zoned"][:13] for record in made_}
    assert "2026-10-25T01" in nights  # the hour that comes twice
    assert "2026-03-29T01" in nights  # the hour that is missing


def test_hints_that_the_interface_does_not_take_are_not_used() -> None:
    schema = shape(Code={"type": "string", "enum": ["A", "B"]})
    hints = {("Code",): Hint(("A", "Z"), only=True)}
    assert {record["Code"] for record in invented(records(schema, hints), 30, 1)} == {"A"}


def test_facts_are_what_the_converters_can_give() -> None:
    mapping = made(
        {"ours": "person.name.family", "theirs": "Name", "as": "trimmed", "needed": True, "max_length": 50},
        {"ours": "person.date_of_birth", "theirs": "Born", "as": "partial-date"},
        {"ours": "status", "theirs": "Status", "codes": "many"},
        {"ours": "person.nhs_number", "theirs": "Nhs"},
        {"ours": "needs", "theirs": "Needs", "max_items": 2, "each": [{"ours": "code", "theirs": "C", "key": True}]},
        {"ours": "extensions.s.thing", "theirs": "Thing", "as": "text"},
    )
    made_ = invented(facts(mapping.terms), 200, 1)
    for one in made_:
        assert one["person.name.family"] == one["person.name.family"].strip() != ""
        assert mapping.write(one).stopped == []
        assert mapping.write(one).left_out == []
    born = {len(one["person.date_of_birth"]) for one in made_ if one.get("person.date_of_birth")}
    assert born == {4, 7, 10}
    assert {one.get("status") for one in made_} == {None, "received", "accepted"}
    assert {one["person.nhs_number"][:3] for one in made_ if one.get("person.nhs_number")} == {"999"}  # nobody real
    assert max(len(one["needs"]) for one in made_ if one.get("needs")) == 2
    assert max(len(one["person.name.family"]) for one in made_) == 50


def test_every_soft_check_that_wants_a_known_shape_has_values() -> None:
    assert set(values.CHECKED) >= {"nhs-number", "postcode", "uprn", "telecom", "ods", "language"}


@pytest.mark.parametrize(
    ("leaf", "wrong"),
    [
        ({"type": "string"}, 1), ({"type": "integer"}, True), ({"type": "boolean"}, "true"), ({"enum": ["a"]}, "b"),
        ({"const": "a"}, "b"), ({"type": "string", "maxLength": 2}, "abc"), ({"type": "string", "minLength": 2}, "a"),
        ({"type": "string", "pattern": "^a$"}, "b"), ({"type": "string", "x-lexical": "date"}, "1/2/2026"),
        ({"type": "string", "x-lexical": "dateTime", "x-zone": "none"}, "2026-01-01T10:00:00Z"),
        ({"type": "string", "x-lexical": "dateTime", "x-zone": "required"}, "2026-01-01T10:00:00"),
        ({"type": "string", "x-lexical": "dateTime"}, "2026-13-01T10:00:00"),
        ({"type": "string", "x-lexical": "dateTime"}, "2026-01-01 10:00:00"),
        ({"type": "array", "maxItems": 1, "items": {}}, ["a", "b"]), ({"type": "array", "items": TEXT}, [1]),
        ({"type": "string"}, None), ({"anyOf": [{"type": "string"}, {"type": "null"}]}, 3),
        ({"type": "array", "x-one-or-many": True, "items": {"type": "string"}}, {"a": "b"}),
    ],
)  # fmt: skip
def test_what_does_not_fit_an_interface_is_seen(leaf: dict[str, Any], wrong: Any) -> None:
    [(keys, _)] = misfits(shape(X=leaf), {"X": wrong})
    assert keys == ("X",)


def test_a_name_that_the_interface_does_not_have_is_seen_unless_anything_may_stand_there() -> None:
    assert list(misfits(shape(X=TEXT), {"Y": "a"})) == [(("Y",), "a name that the interface has")]
    assert list(misfits({**shape(X=TEXT), "additionalProperties": True}, {"Y": "a"})) == []
    assert list(misfits({"type": "object"}, {"Y": "a"})) == []


@pytest.mark.parametrize(
    "row",
    [
        {"ours": "received_at", "theirs": ["D", "T"], "as": "date-and-time"},
        {"ours": ["person.name.title", "person.name.family"], "theirs": "Full", "as": "full-name"},
        {"ours": "person.address.lines", "theirs": ["A", "B"], "as": "numbered"},
    ],
)
def test_rows_with_several_paths_keep_the_laws_and_are_one_row(row: dict[str, Any]) -> None:
    leaves = {"D": {"type": "string", "x-lexical": "date"}, "T": {"type": "string", "x-lexical": "time"}}
    mapping = made({**row, "lossy": "how it was spelled"})
    [terms] = mapping.terms
    assert terms.several is not None
    schema = shape([], **{path[0].key: leaves.get(path[0].key, TEXT) for path in terms.theirs})
    assert found(mapping, schema) == []
    said = {path for one in invented(facts(mapping.terms), 40, 1) for path, value in one.items() if value}
    assert said == set(terms.ours)
