"""Facts and referrals are two shapes of one thing: nothing is lost, made up or reordered on the way."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given as example
from hypothesis import strategies as st

from mappings.declaration import declared
from mappings.facts import Refused, assemble, facts_of, group, normal, sensitivity
from mappings.fieldpaths import BadPath, check
from mappings.meta import Kind, Sensitivity
from mappings.referral import Referral

LEDGER = {
    "referral_id": "6f1f7b1e-6a0d-4d7a-9a3e-0d5b8f3a2c11",
    "council": "W06000020",
    "source_identifiers": [{"system": "contact", "value": "C-000123"}],
}
LEAST = {"type": "referral", "status": "received", "person.name.family": "Prys"}
MOBILE = "person.telecom[system=phone,use=mobile]"


def made(**facts: Any) -> Referral:
    return assemble(LEAST | facts, LEDGER)


# --- the law


def _value(kind: Kind) -> st.SearchStrategy[Any]:
    if kind is Kind.BOOLEAN:
        return st.booleans()
    if kind is Kind.INTEGER:
        return st.integers(0, 10**9)
    return st.text(max_size=12)


def _fact_of(path: str) -> st.SearchStrategy[Any]:
    field = declared()[path]
    value = _value(field.meta.kind)
    if field.part is not None:
        members = {
            member: _value(declared()[f"{path}[].{member}"].meta.kind)
            for member in field.members
            if not declared()[f"{path}[].{member}"].many
        }
        return st.lists(st.fixed_dictionaries({}, optional=members), max_size=3)
    return st.lists(value, max_size=3) if field.many else value


OWNED = {
    "schema_version",
    "referral_id",
    "correlation_id",
    "council",
    "source_identifiers",
    "target_identifiers",
    *LEAST,
}
PLAIN = sorted(path for path in declared() if path not in OWNED and check(path) is None and path != "person.telecom")
FILTERED = [
    *(f"{MOBILE}.{name}" for name in ("value", "safe_to_text", "rank")),
    *(f"person.telecom[system={system}].value" for system in ("email", "other")),
    *(f"notify.opt_in[channel={channel}].{name}" for channel in ("text", "letter") for name in ("opted_in", "at")),
    "appointments[kind=visit].start",
    "referrer.telecom[use=home].value",
]
WHOLE = {path.split("[")[0] for path in FILTERED}
ANY_PATH = st.sampled_from([path for path in PLAIN if path not in WHOLE] + FILTERED)


@st.composite
def any_facts(draw: st.DrawFn) -> dict[str, Any]:
    facts: dict[str, Any] = dict(LEAST)
    for path in draw(st.lists(ANY_PATH, unique=True, max_size=25)):
        plain = path if path in declared() else None
        value = _fact_of(plain) if plain else _value(_kind(path))
        facts[path] = draw(st.none() | value)
    for name in draw(st.lists(st.sampled_from(["transport_needs", "Beds"]), unique=True)):
        facts[f"extensions.contact.{name}"] = draw(st.none() | st.booleans() | st.text(max_size=5))
    return facts


def _kind(path: str) -> Kind:
    listed, _, rest = path.partition("[")
    return declared()[f"{listed}[]{rest.split(']')[1]}"].meta.kind


@example(any_facts())
def test_what_is_assembled_reads_back_as_the_same_facts(facts: dict[str, Any]) -> None:
    spelled = normal(facts)
    assert facts_of(assemble(facts, LEDGER), spelled) == spelled


@example(any_facts(), st.randoms(use_true_random=False))
def test_the_order_of_facts_does_not_matter(facts: dict[str, Any], chance: random.Random) -> None:
    items = list(facts.items())
    chance.shuffle(items)
    assert assemble(dict(items), LEDGER).model_dump_json() == assemble(facts, LEDGER).model_dump_json()


@example(any_facts())
def test_the_normal_spelling_is_normal(facts: dict[str, Any]) -> None:
    assert normal(normal(facts)) == normal(facts)
    assert facts_of(assemble(normal(facts), LEDGER), facts) == facts_of(assemble(facts, LEDGER), facts)


# --- lists by filter


def test_facts_with_one_filter_share_one_member() -> None:
    referral = made(
        **{f"{MOBILE}.value": "+447700900123", "person.telecom[use=mobile, system=phone].safe_to_text": True}
    )
    (point,) = referral.person.telecom
    assert (point.system, point.use, point.value, point.safe_to_text) == ("phone", "mobile", "+447700900123", True)


def test_a_member_of_which_nothing_is_known_is_not_made() -> None:
    referral = made(**{f"{MOBILE}.value": None, f"{MOBILE}.safe_to_text": None})
    assert referral.person.telecom == ()
    assert facts_of(referral, [f"{MOBILE}.value"]) == {f"{MOBILE}.value": None}


def test_members_come_in_the_order_of_their_paths() -> None:
    facts = {f"person.telecom[system={system}].value": system for system in ("phone", "other", "email")}
    assert [point.system for point in made(**facts).person.telecom] == ["email", "other", "phone"]


def test_a_filter_finds_its_member_in_a_whole_list() -> None:
    whole = {"person.telecom": [{"system": "email", "value": "a@example.org"}, {"system": "phone", "use": "mobile"}]}
    referral = made(**whole, **{f"{MOBILE}.value": "+447700900123", "person.telecom[use=work].value": "x"})
    assert [(point.system, point.value) for point in referral.person.telecom] == [
        ("email", "a@example.org"),
        ("phone", "+447700900123"),
        (None, "x"),
    ]
    assert whole["person.telecom"][1] == {"system": "phone", "use": "mobile"}, "the facts themselves stay as they were"


def test_the_first_member_that_fits_is_read() -> None:
    referral = made(**{"person.telecom": [{"system": "phone", "value": "1"}, {"system": "phone", "value": "2"}]})
    assert facts_of(referral, ["person.telecom[system=phone].value"]) == {"person.telecom[system=phone].value": "1"}


# --- what the ledger owns, and what is refused


def test_what_the_ledger_gives_wins() -> None:
    referral = assemble(
        LEAST | {"citizen_reference": "TOR-1", "council": "E06000001"}, LEDGER | {"citizen_reference": "TOR-2"}
    )
    assert (referral.citizen_reference, referral.council) == ("TOR-2", "W06000020")


def test_a_conversation_begins_with_the_referral() -> None:
    assert made().correlation_id == LEDGER["referral_id"]
    assert assemble(LEAST, LEDGER | {"correlation_id": "c"}).correlation_id == "c"


def test_unknown_language_counts_as_not_asked() -> None:
    assert normal({"language.correspondence": None}) == {"language.correspondence": "not-asked"}
    assert facts_of(made(), ["language.correspondence"]) == {"language.correspondence": "not-asked"}


def test_refusal_names_every_field_and_no_value() -> None:
    secret = "Angharad"
    with pytest.raises(Refused) as caught:
        assemble(
            {"type": secret, "status": "received", "person.name.given": secret, "needs": [secret]}, {"council": "x"}
        )
    assert {path.split(".")[0] for path, _ in caught.value.problems} >= {"type", "person", "needs", "referral_id"}
    assert secret not in str(caught.value)
    assert secret not in repr(caught.value.__context__)


def test_no_name_at_all_is_refused() -> None:
    with pytest.raises(Refused, match="no name"):
        assemble({"type": "referral", "status": "received", "person.gender": "female"}, LEDGER)


@pytest.mark.parametrize("path", ["person.nmae", "person", "person.telecom.value", "needs[].code", "a b"])
def test_a_path_that_is_none_is_refused(path: str) -> None:
    with pytest.raises(BadPath):
        made(**{path: "x"})
    with pytest.raises(BadPath):
        facts_of(made(), [path])


def test_enumerations_come_back_as_plain_text() -> None:
    facts = facts_of(made(), ["type", "status"])
    assert [type(value) for value in facts.values()] == [str, str]


def test_sensitivity_and_group() -> None:
    assert sensitivity(f"{MOBILE}.value") is Sensitivity.IDENTIFYING
    assert sensitivity("needs") is Sensitivity.SPECIAL
    assert sensitivity("status") is Sensitivity.NONE
    assert sensitivity("extensions.contact.transport_needs") is Sensitivity.SPECIAL
    assert sensitivity("no.such.field") is sensitivity("not a path") is Sensitivity.SPECIAL, "in doubt, masked"
    assert group(f"{MOBILE}.value") == "person"
    assert group("status_reason.text") == "status_reason"


def test_a_referral_without_what_each_must_have_is_refused_in_words_that_an_officer_knows() -> None:
    with pytest.raises(Refused) as caught:
        assemble({}, {})
    assert ("type", "no value, and there is no referral without one") in caught.value.problems
