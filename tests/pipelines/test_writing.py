"""Writing onto what a target holds: rule R8, with the shipped mappings."""

import json
from typing import Any

import pytest

from pipelines.merge import Base, written_base
from pipelines.writing import draft_create, draft_update

pytest_plugins = ("tests.pipelines.pieces",)

MOBILE = "person.telecom[system=phone,use=mobile].value"


def hash_of(name: str, value: Any) -> str:
    return f"{name}={json.dumps(value, sort_keys=True)}"


@pytest.fixture
def casework(bench: Any) -> Any:
    return bench.council.wired["casework"].kinds["Referral"].mapping


@pytest.fixture
def contact(bench: Any) -> Any:
    return bench.council.wired["contact"].kinds["Request"].mapping


def known(mapping: Any, item: Any, **other: Any) -> Base:
    """The base of a record that we saw like this."""
    return {name: [hash_of(name, value), None] for name, value in {**mapping.read(item.record).facts, **other}.items()}


def draft(mapping: Any, facts: dict[str, Any], item: Any, base: Base, **options: Any) -> Any:
    chosen = {"shows_changes": True, "whole": False, **options}
    return draft_update(mapping, facts, item, base, hash_of=hash_of, **chosen)


def test_what_the_target_holds_already_is_not_written(bench: Any, contact: Any) -> None:
    item = bench.request()
    facts = contact.read(item.record).facts
    made = draft(contact, facts, item, known(contact, item))
    assert (made.record, made.held_back, made.stopped) == (None, [], ())


def test_only_what_differs_is_written(bench: Any, contact: Any) -> None:
    item = bench.request()
    facts = {**contact.read(item.record).facts, "status": "accepted"}
    made = draft(contact, facts, item, known(contact, item))
    assert made.record == {"status": "accepted"}
    assert made.expected == {"status": "accepted"}


def test_an_edit_in_the_target_that_we_have_not_taken_in_is_never_written_over(bench: Any, contact: Any) -> None:
    before = bench.request()
    facts = {**contact.read(before.record).facts, "status": "accepted"}
    edited = bench.request(minute=1, customer__last_name="Pugh")
    made = draft(contact, facts, edited, known(contact, before))
    assert made.record == {"status": "accepted"}
    assert made.held_back == ["person.name.family"]


def test_what_the_target_shows_as_we_would_write_it_is_known_from_then_on(bench: Any, contact: Any) -> None:
    """A call that died after it was carried out: nothing is left to do, and the next change must not take it for an
    edit of somebody's."""
    before, after = bench.request(), bench.request(minute=1, status="accepted")
    facts = {**contact.read(before.record).facts, "status": "accepted"}
    made = draft(contact, facts, after, known(contact, before))
    assert (made.record, made.expected) == (None, {"status": "accepted"})
    base = written_base(known(contact, before), {"status": hash_of("status", "accepted")})
    made = draft(contact, {**facts, "status": "in_progress"}, after, base)
    assert (made.expected, made.held_back) == ({"status": "in_progress"}, [])


def test_a_value_cleared_in_the_target_is_not_written_back_either(bench: Any, contact: Any) -> None:
    before = bench.request()
    facts = contact.read(before.record).facts
    cleared = bench.request(minute=1, reason__text=None)
    made = draft(contact, facts, cleared, known(contact, before))
    assert (made.record, made.held_back) == (None, ["reason.text"])


def test_a_target_that_shows_us_no_changes_is_written_over(bench: Any, contact: Any) -> None:
    before = bench.request()
    edited = bench.request(minute=1, customer__last_name="Pugh")
    made = draft(contact, contact.read(before.record).facts, edited, known(contact, before), shows_changes=False)
    assert made.record == {"customer": {**edited.record["customer"], "last_name": "Llŷr"}}


def test_a_value_that_we_never_knew_is_left_to_the_feed(bench: Any, contact: Any) -> None:
    """Somebody typed it, be it into a field that another system owns: written over unseen, nobody would ever know."""
    item = bench.request(customer__last_name="Pugh")
    facts = {"person.name.family": "Llŷr"}
    assert draft(contact, facts, item, {}).held_back == ["person.name.family"]
    assert draft(contact, facts, item, {}, shows_changes=False).record["customer"]["last_name"] == "Llŷr"


def test_the_ledgers_own_numbers_are_written_whatever_stands_there(bench: Any, contact: Any) -> None:
    item = bench.request(case_number="999")
    name = "target_identifiers[system=casework].value"
    base = {name: [hash_of(name, "1"), None]}
    made = draft(contact, {name: "881"}, item, base)
    assert made.record == {"case_number": "881"}


def test_what_is_not_known_is_never_written(bench: Any, contact: Any) -> None:
    item = bench.request()
    made = draft(contact, {"status": "accepted"}, item, known(contact, item))
    assert made.record == {"status": "accepted"}


def test_a_clear_is_written_as_the_mapping_declares(bench: Any, contact: Any) -> None:
    item = bench.request()
    facts = {**contact.read(item.record).facts, "reason.code": None}
    made = draft(contact, facts, item, known(contact, item))
    assert made.record == {"reason": {"code": None, "text": "Cwympodd ddwywaith."}}
    assert made.expected == {"reason.code": None}


def test_a_whole_record_goes_back_with_what_we_do_not_map(bench: Any, casework: Any) -> None:
    item = bench.case(OfficerNotes="Rings only on Tuesdays", TransportNeeds="Wheelchair")
    facts = {**casework.read(item.record).facts, "reason.text": "Cwympodd."}
    made = draft(casework, facts, item, known(casework, item), whole=True)
    assert made.record["OfficerNotes"] == "Rings only on Tuesdays"
    assert made.record["TransportNeeds"] == "Wheelchair"
    assert made.record["Reason"] == "Cwympodd."
    assert {**made.record, "Reason": ...} == {**item.record, "Reason": ...}
    assert made.expected == {"reason.text": "Cwympodd."}
    assert "Reason" not in item.record  # what was read is not changed


def test_a_whole_record_goes_back_with_the_edit_that_was_held_back(bench: Any, casework: Any) -> None:
    before = bench.case()
    facts = {**casework.read(before.record).facts, "reason.text": "Cwympodd."}
    edited = bench.case(Subject__Surname="Pugh")
    made = draft(casework, facts, edited, known(casework, before), whole=True)
    assert made.record["Subject"]["Surname"] == "Pugh"
    assert made.held_back == ["person.name.family"]


def test_an_old_base_and_an_echo_not_yet_seen(bench: Any, contact: Any) -> None:
    """We wrote `accepted` and have not seen it: what the target shows is ours, and the next status goes out."""
    item = bench.request(status="accepted")
    base = {"status": [hash_of("status", "received"), hash_of("status", "accepted")]}
    assert draft(contact, {"status": "completed"}, item, base).record == {"status": "closed"}


def test_a_code_that_nobody_mapped_stops_what_is_needed_and_leaves_out_the_rest(bench: Any, contact: Any) -> None:
    item = bench.request()
    made = draft(contact, {"priority": "tomorrow"}, item, known(contact, item))
    assert [gap.field for gap in made.stopped] == ["priority"]
    assert made.expected == {}
    made = draft(contact, {"channel": "pigeon", "reason.code": "X"}, item, known(contact, item))
    assert ([gap.field for gap in made.left_out], set(made.record)) == (["channel"], {"reason"})
    assert made.record["reason"]["code"] == "X"


def test_where_all_of_it_is_left_out_nothing_is_sent(bench: Any, contact: Any) -> None:
    item = bench.request()
    for whole in (True, False):
        made = draft(contact, {"channel": "pigeon"}, item, known(contact, item), whole=whole)
        assert made.record is None
        assert [(gap.field, gap.kind, gap.code_list) for gap in made.left_out] == [
            ("channel", "unknown code", "contact-channel")
        ]


def test_a_list_is_sent_whole_and_a_default_stands_for_empty(bench: Any, contact: Any) -> None:
    item = bench.request()
    facts = {"needs": [{"code": "meals"}], "language.correspondence": None}
    made = draft(contact, facts, item, known(contact, item))
    assert made.record == {
        "needs": [{"code": "meals", "note": None}],
        "language": {**item.record["language"], "letters": "unknown"},
    }


def test_an_element_that_goes_is_a_change_of_a_whole_record(bench: Any, casework: Any) -> None:
    case = bench.case(Reason="Cwympodd.")
    made = draft(casework, {"reason.text": None}, case, known(casework, case), whole=True)
    assert made.record == {name: value for name, value in case.record.items() if name != "Reason"}


def test_a_create_writes_what_is_known_and_no_empties(bench: Any, casework: Any) -> None:
    facts = {**casework.read(bench.case().record).facts, "reason.text": None}
    made = draft_create(casework, facts)
    assert "Reason" not in made.record
    assert made.record["Subject"]["Surname"] == "Llŷr"
    assert made.expected["person.name.family"] == "Llŷr"
    assert casework.read(made.record).facts == made.expected


def test_a_create_that_lacks_what_is_needed_is_stopped(casework: Any) -> None:
    made = draft_create(casework, {"status": "received"})
    assert {gap.field for gap in made.stopped} >= {"person.name.family", "priority"}
    assert made.expected == {}
    assert "Llŷr" not in repr(made)
