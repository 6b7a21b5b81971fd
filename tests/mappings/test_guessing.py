"""What a name means, and what it does not: whole names count, and whom the groups around them are about."""

from __future__ import annotations

import pytest

from mappings import fieldpaths
from mappings.guessed_codes import codes_for
from mappings.guessed_lines import with_lines
from mappings.guesses import REFERRER, REQUEST
from mappings.guessing import guess, meant


@pytest.mark.parametrize(
    ("path", "ours"),
    [
        ("Client/Surname", "person.name.family"), ("ServiceUser/NHSNo", "person.nhs_number"),
        ("patient_nhs_number", "person.nhs_number"), ("Person/Name/Given", "person.name.given"),
        ("Subject/Address/Postcode", "person.address.postcode"), ("clientSurname", "person.name.family"),
        ("Referrer/Name", "referrer.name"), ("ReferrerName", "referrer.name"), ("referred_by/mobile",
         "referrer.telecom[system=phone,use=mobile].value"), ("Urgency", "priority"), ("Cyfenw", "person.name.family"),
    ],
)  # fmt: skip
def test_the_words_that_suppliers_use_are_known(path: str, ours: str) -> None:
    assert meant(path) == (ours, True)


@pytest.mark.parametrize(
    "path",
    ["Carer/Surname", "CarerSurname", "NextOfKin/Forename", "GP/Telephone", "Client/PreviousAddress/PostCode",
     "MaidenName", "FormerSurname", "Client/WorkPhone", "CreatedBy/Name", "Allergy/Type", "Address/Type",
     "EmergencyContact/Mobile"],
)  # fmt: skip
def test_somebody_else_and_something_former_is_nobody(path: str) -> None:
    assert meant(path) is None


def test_in_a_group_that_nobody_knows_nothing_is_sure() -> None:
    assert meant("Episode/Reason") == ("reason.text", False)


def test_every_field_of_the_table_exists() -> None:
    for ours, _ in [*REQUEST.values(), *REFERRER.values()]:
        assert fieldpaths.check(ours.replace("SYSTEM", "x")) is None, ours


def test_of_two_values_for_one_field_the_surest_is_in_force_and_the_other_a_candidate() -> None:
    schema = {"type": "object", "properties": {
        "Client": {"type": "object", "properties": {"Surname": {"type": "string"}}},
        "Surname": {"type": "string"}}}  # fmt: skip
    found = {one.spot.theirs: one for one in guess(schema, None, "x")}
    assert found["Surname"].active
    assert not found["Client/Surname"].active
    assert "Surname looks more like it" in found["Client/Surname"].why


@pytest.mark.parametrize(
    ("field", "code", "display", "ours", "sure"),
    [
        ("status", "LOGGED", "Received", "received", "sure"), ("person.gender", "Benyw", "", "female", "sure"),
        ("person.gender", "1", "", "male", "likely"), ("person.gender", "F", "", "female", "unsure"),
        ("language.correspondence", "W", "", "cy", "likely"),
        ("outcome", "declined", "", "nfa-support-declined", "likely"),
    ],
)  # fmt: skip
def test_codes_are_paired_by_spelling_by_the_text_beside_them_and_by_their_letter(
    field: str, code: str, display: str, ours: str, sure: str
) -> None:
    found, unmatched = codes_for(field, [code], {code: display})
    assert [(one.ours, one.sure) for one in found] == [(ours, sure)]
    assert unmatched == []


def test_a_code_like_none_of_ours_is_left_over_and_two_for_one_write_but_once() -> None:
    found, unmatched = codes_for("priority", ["urgent", "URGENT", "P7"], {})
    assert [(one.theirs, one.direction) for one in found] == [("urgent", "both"), ("URGENT", "read")]
    assert unmatched == ["P7"]


def test_numbered_address_lines_are_one_row_that_waits_for_somebody_to_look() -> None:
    lines = {f"AddressLine{number}": {"type": "string", "maxLength": 30 + number} for number in (1, 2, 3)}
    client = {"type": "object", "properties": {**lines, "PostCode": {"type": "string"}}}
    carer = {"type": "object", "properties": dict(lines)}
    schema = {"type": "object", "properties": {"Client": client, "Carer": carer}}
    found = with_lines(guess(schema, None, "x"))
    row = next(one for one in found if one.ours == "person.address.lines")
    assert (row.spot.theirs, row.beside) == ("Client/AddressLine1", ("Client/AddressLine2", "Client/AddressLine3"))
    lossy = "which place was left empty before a later one"  # without it the row could not be put in force as it is
    assert (row.active, dict(row.keys)) == (False, {"as": "numbered", "lossy": lossy, "max_length": 31})
    assert [one.spot.theirs for one in found if not one.ours] == [f"Carer/AddressLine{number}" for number in (1, 2, 3)]
