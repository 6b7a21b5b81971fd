"""Invented people: the same for the same seed, from ranges kept for fiction, and awkward in every promised way."""

import json
import unicodedata
from collections import Counter

import pytest
from stdnum.gb import nhs

from sandbox import people, shape
from sandbox.people import COUNCILS

MANY = [people.request(3, number, COUNCILS[number % 3]) for number in range(3000)]


def test_the_same_seed_gives_the_same_people_to_the_byte() -> None:
    again = [people.request(3, number, COUNCILS[number % 3]) for number in range(200)]
    assert json.dumps(again).encode() == json.dumps(MANY[:200]).encode()
    assert people.request(4, 0, "torfaen") != people.request(3, 0, "torfaen")


def test_every_request_fits_the_interface_and_bears_its_own_token() -> None:
    for number, request in enumerate(MANY):
        shape.check("RequestWritten", request)
        assert people.token_in(request["reason"]["text"]) == people.token(3, number)
    assert people.token_in("no mark here") is None
    assert people.token_in(None) is None


def test_nobody_can_be_rung_or_found() -> None:
    for request in MANY:
        customer = request["customer"]
        numbers = [each for each in customer["contacts"] if each["type"] != "email"]
        for each in (*numbers, {"type": "mobile", "value": request["referred_by"]["mobile"] or "07700900123"}):
            plain = each["value"].replace(" ", "").replace("+44", "0")
            assert plain.startswith("07700900" if each["type"] == "mobile" else "01632960")
            assert len(plain) == 11
            assert plain not in people.FAILING_MOBILES
        assert all(each["value"].endswith("@example.org") for each in customer["contacts"] if each["type"] == "email")
        assert (customer["nhs_number"] or "999").startswith("999")


def test_nhs_numbers_have_the_check_digit_they_should() -> None:
    given = [request["customer"]["nhs_number"] for request in MANY if request["customer"]["nhs_number"]]
    right = [nhs.is_valid(number) for number in given]
    assert all(len(number) == 10 for number in given)
    assert 0.02 < right.count(False) / len(right) < 0.08


def test_everything_awkward_is_there() -> None:
    letters = Counter(request["language"]["letters"] for request in MANY)
    assert set(letters) == {"cy", "en", "both", "unknown"}
    spelt = "".join("".join(request["customer"]["first_names"]) + request["customer"]["last_name"] for request in MANY)
    assert set("ŵŷâêôî'’-") <= set(unicodedata.normalize("NFC", spelt).lower())
    assert Counter(request["referred_by"]["kind"] for request in MANY).keys() == {
        "self", "family", "professional", "other"
    }  # fmt: skip
    agrees = {
        request["referred_by"]["customer_agrees"] for request in MANY if request["referred_by"]["kind"] == "family"
    }
    assert agrees == {True, False, None}
    assert {request["updates"]["opted_in"] for request in MANY} == {True, False, None}
    assert any(request["customer"]["first_names"] == ["-"] for request in MANY)
    assert any("title" not in request["customer"] for request in MANY)
    assert any(request["customer"].get("title", 0) is None for request in MANY)
    flags = Counter((request["flags"]["safeguarding"], request["flags"]["restricted"]) for request in MANY)
    assert 0 < flags[True, False] < 150
    assert 0 < flags[False, True] < 150


@pytest.mark.parametrize("council", COUNCILS)
def test_transport_is_for_blaenau_gwent_alone(council: str) -> None:
    told = [people.request(5, number, council)["transport_needs"] is not None for number in range(100)]
    assert any(told) is (council == "blaenau-gwent")
    assert not all(told)
