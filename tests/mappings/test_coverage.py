"""The loss report names what is dropped, merged, filled in, left out or lossy, and what a route carries of whom."""

from __future__ import annotations

from typing import Any

import pytest

from mappings.codes import parse
from mappings.compile import compile_mapping
from mappings.coverage import Loss, counts, losses
from mappings.crossing import crossing
from mappings.interface import Interface
from mappings.loss_words import SENSITIVITIES, SORTS, WAYS, all_words
from mappings.mapping import Mapping
from mappings.meta import Sensitivity

LISTS = {
    "status": "theirs,ours,direction\nN,received,both\nR,received,read\nA,accepted,both\n",
    "coarse": "theirs,ours,direction\nOPEN,received,both\nOPEN,accepted,write\nOPEN,in_progress,write\n",
}


def made(*rows: dict[str, Any], **head: Any) -> Mapping:
    data = {"system": "s", "record": "R", **head, "fields": list(rows)}
    return compile_mapping("mine", lambda _: (data, "mine.yaml"), lambda name: parse(LISTS[name], name), "UTC")


def shape(**properties: Any) -> Interface:
    schema = {"type": "object", "properties": properties}
    return Interface("s", "R", "s.wsdl", read=schema, create=schema, ours=frozenset({"Id"}))


def lost(mapping: Mapping, interface: Interface | None = None, *, dropped: bool = False) -> list[str]:
    return [one.key for one in losses(mapping, interface) if dropped or (one.way, one.sort) != ("writing", "dropped")]


TEXT = {"type": "string"}


def test_a_field_of_theirs_without_a_row_is_dropped_and_counts_as_special() -> None:
    written = {"ours": "status", "theirs": "Only", "direction": "write"}
    mapping = made({"ours": "person.name.family", "theirs": "Group/Name"}, written)
    interface = shape(
        Id=TEXT, Only=TEXT, Group={"type": "object", "properties": {"Name": TEXT, "Note": TEXT}},
        Items={"type": "array", "items": {"anyOf": [{"properties": {"Deep": TEXT}}, {"type": "null"}]}},
    )  # fmt: skip
    dropped = [one for one in losses(mapping, interface) if (one.way, one.sort) == ("reading", "dropped")]
    assert [one.theirs for one in dropped] == ["Only", "Group/Note", "Items/Deep"]
    assert {one.sensitivity for one in dropped} == {Sensitivity.SPECIAL}
    assert not [one for one in losses(mapping, None) if (one.way, one.sort) == ("reading", "dropped")]


def test_a_field_of_ours_without_a_row_is_dropped_and_says_how_sensitive_it_is() -> None:
    mapping = made({"ours": "person.name.family", "theirs": "Name"})
    found = {one.ours: one for one in losses(mapping, None) if one.sort == "dropped"}
    assert found["person.ethnicity"].sensitivity is Sensitivity.SPECIAL
    assert found["person.address.town"].sensitivity is Sensitivity.IDENTIFYING
    assert found["status"].sensitivity is Sensitivity.NONE
    assert "person.name.family" not in found
    assert not {"council", "referral_id", "source_identifiers[].value"} & set(found)  # the ledger gives these
    read_only = made({"ours": "person.name.family", "theirs": "Name", "direction": "read"})
    assert [one for one in losses(read_only, None) if one.sort == "dropped"] == []  # nothing is written at all


def test_a_list_of_which_only_some_members_are_written_is_carried_in_part() -> None:
    mapping = made({"ours": "person.telecom[system=phone,use=home].value", "theirs": "Phone"})
    assert "writing: in part: person.telecom[].value: only of telecom[system=phone,use=home]" in lost(mapping)
    picked = made({"ours": "person.name.family", "theirs": "names[type=last]/value"})
    first = "person.name.family <-> names[type=last]/value: of several such items only the first is read"
    assert f"reading: in part: {first}" in lost(picked)


def test_codes_that_become_one_are_merged_in_the_direction_in_which_they_do() -> None:
    fine = lost(made({"ours": "status", "theirs": "S", "codes": "status"}))
    assert "reading: merged: status <-> S: N, R become received" in fine
    coarse = lost(made({"ours": "status", "theirs": "S", "codes": "coarse"}))
    assert "writing: merged: status <-> S: accepted, in_progress, received become OPEN" in coarse
    assert not [one for one in coarse if one.startswith("reading: merged")]


def test_codes_without_a_row_are_left_out_or_stop_the_record() -> None:
    mapping = made({"ours": "status", "theirs": "S", "codes": "status"})
    found = lost(mapping, shape(S={"anyOf": [{"type": "string", "enum": ["N", "Z"]}, {"type": "null"}]}))
    assert "reading: left out: status <-> S: not in the code list: Z: stops the record" in found
    [ours] = [one for one in found if one.startswith("writing: left out")]
    assert "rejected" in ours
    assert ours.endswith(": stops the record")


def test_what_is_filled_in_is_named() -> None:
    found = lost(
        made(
            {"ours": "language.correspondence", "theirs": "L", "default": {"read": "both", "write": "not-asked"},
             "empty": "default"},
            {"ours": "person.name.family", "theirs": "N", "missing": "empty", "default": {"write": None}},
            {"theirs": "From", "constant": "DOLEN"},
        )
    )  # fmt: skip
    assert [one for one in found if "defaulted" in one] == [
        "reading: defaulted: language.correspondence <-> L: a record without it reads as `both`",
        "reading: defaulted: person.name.family <-> N: a record without it reads as known to be empty",
        "writing: defaulted: language.correspondence <-> L: a new record gets `not-asked` where nobody knows",
        "writing: defaulted: language.correspondence <-> L: a field known to be empty is written as `not-asked`",
        "writing: defaulted: person.name.family <-> N: a new record gets empty where nobody knows",
        "writing: defaulted: From: always 'DOLEN'",
    ]


def test_what_does_not_fit_is_left_out_whole_and_never_cut() -> None:
    each = [{"ours": "code", "theirs": "C"}, {"ours": "text", "theirs": "T", "max_length": 9}]
    found = lost(
        made(
            {"ours": "person.name.given", "theirs": "G", "max_length": 5, "max_items": 2},
            {"ours": "needs", "theirs": "N", "max_items": 3, "each": each},
            {"ours": "person.date_of_birth", "theirs": "D", "as": "date"},
            {"ours": "referrer.name", "theirs": "R/N", "lead": True},
        )
    )
    assert [one.partition("left out: ")[2] for one in found if "left out" in one] == [
        "person.name.given <-> G: a text of more than 5 characters is left out whole",
        "person.name.given <-> G: a list of more than 2 is left out whole",
        "needs[].text <-> N/T: a text of more than 9 characters is left out whole",
        "person.date_of_birth <-> D: a month or a year alone cannot be written: stops the record",
        "referrer.name <-> R/N: without it what stands beside it there goes too",
        "needs <-> N: a list of more than 3 is left out whole",
    ]


def test_what_is_lossy_says_what_is_lost_in_the_words_of_the_file_or_of_the_converter() -> None:
    found = lost(
        made(
            {"ours": "received_at", "theirs": "A", "as": "time", "lossy": "the offset"},
            {"ours": "person.address.postcode", "theirs": "P", "as": "postcode"},
            {"ours": "status_changed_at", "theirs": "B", "as": "time", "direction": "write"},
            {"ours": "person.name.family", "theirs": "F"},
        )
    )
    assert [one for one in found if "lossy" in one] == [
        "reading: lossy: person.address.postcode <-> P: capitals and spaces it came with are lost",
        "writing: lossy: status_changed_at <-> B: the offset it came with is lost",
        "there and back: lossy: received_at <-> A: the offset",
    ]


def test_counts_are_by_direction_and_sort() -> None:
    one = Loss("reading", "dropped", "", "X", "", Sensitivity.SPECIAL)
    assert counts([one, one]) == {"reading: dropped": 2}


def test_a_crossing_tells_what_arrives_stops_and_comes_from_elsewhere() -> None:
    source = made(
        {"ours": "person.name.family", "theirs": "Name"}, {"ours": "person.ethnicity", "theirs": "E"},
        {"ours": "status", "theirs": "S", "codes": "status"}, {"ours": "channel", "theirs": "Ch", "direction": "write"},
        {"ours": "needs", "theirs": "Needs",
         "each": [{"ours": "code", "theirs": "C"}, {"ours": "text", "theirs": "T"}]},
        {"ours": "extensions.s.travel", "theirs": "Travel", "as": "text"},
    )  # fmt: skip
    target = made(
        {"ours": "person.name.family", "theirs": "surname"}, {"ours": "status", "theirs": "st", "codes": "coarse"},
        {"ours": "channel", "theirs": "ch"}, {"ours": "source_identifiers[system=s].value", "theirs": "number"},
        {"ours": "needs", "theirs": "wants", "each": [{"ours": "code", "theirs": "c"}]},
        {"ours": "person.ethnicity", "theirs": "e", "direction": "read"},
        {"ours": "extensions.s.travel", "theirs": "t", "as": "text"},
    )  # fmt: skip
    found = crossing(source, target)
    assert [(one.ours, one.from_, one.to) for one in found.arrives] == [
        ("person.name.family", "Name", "surname"), ("status", "S", "st"), ("needs[].code", "Needs/C", "wants/c"),
        ("extensions.s.travel", "Travel", "t"),
    ]  # fmt: skip
    assert [one.ours for one in found.stops] == ["person.ethnicity", "needs[].text"]
    assert [one.ours for one in found.elsewhere] == ["channel"]
    assert [one.ours for one in found.numbers] == ["source_identifiers[system=s].value"]
    assert found.codes_lost == ()
    assert {one.ours: one.sensitivity for one in found.arrives}["extensions.s.travel"] is Sensitivity.SPECIAL
    assert found.strictest is Sensitivity.SPECIAL
    assert crossing(target, source).codes_lost == ()
    narrow = made({"ours": "status", "theirs": "S", "codes": "status"})
    assert crossing(made({"ours": "status", "theirs": "S"}), narrow).codes_lost == ()  # no list, no codes to name


def test_a_code_that_has_none_at_the_other_end_is_named() -> None:
    LISTS["few"] = "theirs,ours\nX,accepted\n"
    source = made({"ours": "status", "theirs": "S", "codes": "status"})
    target = made({"ours": "status", "theirs": "S", "codes": "few"})
    assert crossing(source, target).codes_lost == (("status", "received"),)


def test_every_word_of_the_report_is_there_in_welsh() -> None:
    assert set(SORTS) == {"dropped", "in part", "merged", "defaulted", "left out", "lossy"}
    assert set(WAYS) == {"reading", "writing", "there and back"}
    assert set(SENSITIVITIES) == set(Sensitivity)
    pairs = all_words()
    assert len(pairs) > 30
    for pair in pairs:
        assert pair.en.strip()
        assert pair.cy.strip()
        assert pair.en != pair.cy


@pytest.mark.parametrize("direction", ["read", "write", "both"])
def test_the_items_of_a_list_go_the_way_of_the_list(direction: str) -> None:
    row = {"ours": "needs", "theirs": "N", "direction": direction, "each": [{"ours": "text", "theirs": "T"}]}
    [terms] = made(row).terms
    assert [item.direction for item in terms.items] == [direction]
