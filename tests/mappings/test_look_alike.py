"""Nobody real in a golden pair: look-alikes hold nothing of the original, and shapes of real numbers are found."""

from __future__ import annotations

import json
import re
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings import inventing, look_alike
from mappings.look_alike import SomethingSurvived, survivors
from mappings.realness import is_nhs_number, real_looking

SHIPPED = Path(__file__).parents[2] / "mappings/shipped"
FULL = json.loads((SHIPPED / "casework/golden/referral.full.json").read_text(encoding="utf-8"))["read"]["record"]
CODES = {"ASR", "INP", "P2", "O01", "N01", "2", "W", "F", "A", "cy"}


def leaves(value: Any, at: str = "") -> dict[str, Any]:
    if isinstance(value, dict):
        return {path: leaf for key, inner in value.items() for path, leaf in leaves(inner, f"{at}/{key}").items()}
    if isinstance(value, list):
        return {path: leaf for n, inner in enumerate(value) for path, leaf in leaves(inner, f"{at}/{n}").items()}
    return {at: value}


def test_a_look_alike_has_the_shape_and_the_codes_and_nobody_in_it() -> None:
    made = look_alike.look_alike(FULL, "one", CODES)
    before, after = leaves(FULL), leaves(made)
    assert before.keys() == after.keys()
    assert {path for path in before if before[path] == after[path]} == {
        path for path in before if before[path] in CODES | {"true", "false", "0", "1"}
    }
    assert made["Subject"]["NHSNumber"].startswith("999")
    assert is_nhs_number(made["Subject"]["NHSNumber"])
    assert re.fullmatch(r"07700 900\d{3}", made["Subject"]["Mobile"])
    assert made["Subject"]["Email"].endswith("@example.org")
    assert made["Extra"]["Anything"] != FULL["Extra"]["Anything"]  # no row maps it, and it may be personal
    assert not any(real_looking(str(value)) for value in after.values())


def test_the_same_seed_gives_the_same_and_another_another() -> None:
    made = [look_alike.look_alike(FULL, seed, CODES) for seed in ("one", "one", "two")]
    assert made[0] == made[1] != made[2]


def test_stamps_keep_their_order() -> None:
    made = look_alike.look_alike(FULL, "one", CODES)
    assert made["Received"] < made["StatusChanged"] < made["LastChanged"]
    assert look_alike.look_alike({"DOB": "0001-01-01"}, "one") == {"DOB": "0001-01-01"}  # it stands for nothing


@given(
    st.dictionaries(
        st.sampled_from(["Surname", "Notes", "Line", "Team", "Ref", "Town", "Email", "Number", "When"]),
        st.one_of(
            st.text(max_size=40),
            st.sampled_from([*inventing.SENTENCES, *inventing.FAMILY, *inventing.TOWNS, *inventing.STREETS]),
            st.integers(0, 10**10).map(str), st.integers(10, 10**9), st.dates().map(str),
            st.builds(lambda word: f"{word}@supplier.example", st.text("abcdefg", min_size=1, max_size=9)),
        ),
        min_size=1,
    ),
    st.integers(0, 50),
)  # fmt: skip
def test_nothing_survives_whatever_a_record_holds(record: dict[str, Any], seed: int) -> None:
    assert survivors(record, look_alike.look_alike(record, str(seed)), look_alike._KEPT) == []


def test_what_survives_is_found_and_its_place_named() -> None:
    original = {"Subject": {"Surname": "Prydderch"}, "Notes": "rang Prydderch about 10293847"}
    assert survivors(original, {"Subject": {"Surname": "Ann"}, "Notes": "ask prydderch"}, set()) == ["Notes"]
    assert survivors(original, {"Notes": "about the 10293847"}, set()) == ["Notes"]
    assert survivors(original, {"Notes": "Prydderch"}, {"Prydderch"}) == []
    assert "Prydderch" not in str(SomethingSurvived(["Notes"]))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("943 476 " "5919", "an NHS number"),
        ("call 0113 " "2345678 today", "a telephone number"),
        ("+44 7911 " "123456", "a telephone number"),
        ("mair@" "gmail.com", "an email address"),
        ("AB" "123456C", "a National Insurance number"),
    ],
)  # fmt: skip
def test_what_may_be_somebodys_is_found_by_its_shape(text: str, kind: str) -> None:
    assert real_looking(text) == (kind,)


@pytest.mark.parametrize(
    "text",
    ["9990000018", "07700 900123", "+447700900123", "01632 960001", "020 7946 0123", "mair@example.org", "QQ123456C",
     "ZZ123456A", "2026-07-01T09:05:00", "10012345678", "TOR-7KX-2MP", "999908206081", "a@b.test", "NP44 1AA", "12345"],
)  # fmt: skip
def test_what_is_invented_is_left_alone(text: str) -> None:
    assert real_looking(text) == ()


def test_what_we_invent_is_never_taken_for_real() -> None:
    chance = Random("x")
    for _ in range(200):
        for made in (
            inventing.nhs_number(chance), inventing.phone(chance, mobile=True), inventing.phone(chance, mobile=False),
            inventing.email(chance), inventing.uprn(chance), inventing.postcode(chance), inventing.line(chance),
        ):  # fmt: skip
            assert real_looking(made) == ()
