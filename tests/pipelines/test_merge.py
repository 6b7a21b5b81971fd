"""The laws of merging: R2 and R3 of docs/data-model.md, first by example and then for anything at all."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.merge import WHY_CANCELLED, Base, Known, Merged, group_of, last_known, merge, written_base

OWNERS = {"person": "contact", "needs": "contact", "safeguarding_flag": "contact", "status": "casework"}
FIELDS = ("person.name.family", "needs", "safeguarding_flag", "status", "outcome_reason", "citizen_reference")
SYSTEMS = ("contact", "casework", "form")


def hash_of(name: str, value: Any) -> str:
    return hashlib.sha256(f"{name}|{json.dumps(value, sort_keys=True)}".encode()).hexdigest()[:12]


def run(facts: dict[str, Known], base: Base, shown: dict[str, Any], by: str, *, newer: bool = True) -> Merged:
    return merge(facts, base, shown, by=by, owners=OWNERS, newer_than_write=newer, hash_of=hash_of)


def seen(name: str, value: Any, written: Any = ...) -> Base:
    return {name: [hash_of(name, value), None if written is ... else hash_of(name, written)]}


values = st.one_of(st.none(), st.sampled_from(["a", "b", "c"]), st.booleans(), st.just([{"code": "meals"}]))
real_values = values.filter(lambda value: value is not None)
fields = st.sampled_from(FIELDS)
knowns = st.tuples(values, st.sampled_from((*SYSTEMS, "dolen")), st.integers(1, 9))
all_facts = st.dictionaries(fields, knowns)
all_shown = st.dictionaries(fields, values)


@st.composite
def known_hashes(draw: st.DrawFn) -> Base:
    def pair(name: str) -> list[str | None]:
        was, wrote = draw(values), draw(values)
        return [
            hash_of(name, was) if draw(st.booleans()) else None,
            hash_of(name, wrote) if draw(st.booleans()) else None,
        ]

    return {name: pair(name) for name in draw(st.sets(fields))}


worlds = st.tuples(all_facts, known_hashes(), all_shown, st.sampled_from(SYSTEMS), st.booleans())


@given(world=worlds)
def test_an_echo_of_what_we_wrote_never_changes_anything(world: Any) -> None:
    facts, base, shown, by, newer = world
    echo: Base = {name: [base.get(name, [None, None])[0], hash_of(name, value)] for name, value in shown.items()}
    after = run(facts, echo, shown, by, newer=newer)
    assert not after.changes
    assert not after.lost
    assert not after.corrections
    assert not after.differs
    assert after.base == {name: [hash_of(name, value), None] for name, value in shown.items()}


@given(world=worlds)
def test_what_was_seen_before_never_changes_anything(world: Any) -> None:
    facts, _, shown, by, newer = world
    base: Base = {name: [hash_of(name, value), None] for name, value in shown.items()}
    after = run(facts, base, shown, by, newer=newer)
    assert (after.changes, after.lost, after.corrections, after.base) == ({}, [], [], base)


@given(world=worlds)
def test_merging_the_same_version_twice_is_merging_it_once(world: Any) -> None:
    facts, base, shown, by, newer = world
    once = run(facts, base, shown, by, newer=newer)
    merged = {**facts, **{name: (value, by, 10) for name, value in once.changes.items()}}
    twice = run(merged, once.base, shown, by, newer=newer)
    assert (twice.changes, twice.lost, twice.corrections) == ({}, [], [])
    assert twice.base == once.base


@given(world=worlds)
def test_nobody_but_the_owner_clears(world: Any) -> None:
    facts, base, shown, by, newer = world
    after = run(facts, base, shown, by, newer=newer)
    for name, value in after.changes.items():
        if value is None and facts[name][0] is not None:
            owner = OWNERS.get(group_of(name))
            # Where nobody owns the field, who gave the value may take it back.
            assert owner == by or (owner is None and facts[name][1] == by)


@given(world=worlds)
def test_a_change_by_the_owner_always_applies(world: Any) -> None:
    facts, base, shown, by, newer = world
    after = run(facts, base, shown, by, newer=newer)
    for name, value in shown.items():
        was, wrote = base.get(name, (None, None))
        hash_ = hash_of(name, value)
        echo = wrote == hash_
        old_view = was == hash_ and (wrote is None or not newer)
        began_empty = value is None and was is None and wrote is None
        if OWNERS.get(group_of(name)) == by and not echo and not old_view and not began_empty:
            present = facts[name][0] if name in facts else None
            assert after.changes.get(name, present) == value


@given(world=worlds)
def test_no_value_disappears_unseen(world: Any) -> None:
    """Whatever is new in a version is the referral's now, or is kept as lost, or was the ledger's to give."""
    facts, base, shown, by, newer = world
    after = run(facts, base, shown, by, newer=newer)
    lost = {(one.field, one.hash) for one in after.lost}
    for name, value in shown.items():
        was, wrote = base.get(name, (None, None))
        hash_ = hash_of(name, value)
        if value is None or hash_ in (was, wrote) or name == "citizen_reference":
            continue
        present = after.changes[name] if name in after.changes else facts.get(name, (None, "", 0))[0]
        assert present == value or (name, hash_) in lost, name


@given(world=worlds)
def test_a_value_of_another_system_that_was_not_known_there_is_not_overwritten_unseen(world: Any) -> None:
    facts, base, shown, by, newer = world
    after = run(facts, base, shown, by, newer=newer)
    lost = {(one.field, one.hash) for one in after.lost}
    for name in after.changes:
        present, present_by, _ = facts.get(name, (None, by, 0))
        knew = hash_of(name, present) == last_known(base, name)
        first_status = name == "status" and not base
        if present is not None and present_by != by and not knew and not first_status:
            assert (name, hash_of(name, present)) in lost


@given(world=worlds)
def test_what_is_not_shown_is_left_alone(world: Any) -> None:
    facts, base, shown, by, newer = world
    after = run(facts, base, shown, by, newer=newer)
    assert set(after.changes) <= set(shown)
    assert set(after.corrections) <= set(shown)
    assert {name: pair for name, pair in after.base.items() if name not in shown} == {
        name: pair for name, pair in base.items() if name not in shown
    }


@given(world=worlds)
def test_nothing_that_comes_in_is_changed_in_place(world: Any) -> None:
    facts, base, shown, by, newer = world
    before = json.dumps([facts, base, shown], sort_keys=True)
    run(facts, base, shown, by, newer=newer)
    assert json.dumps([facts, base, shown], sort_keys=True) == before


@given(world=worlds)
def test_the_ledgers_own_numbers_are_never_changed_by_a_system(world: Any) -> None:
    facts, base, shown, by, newer = world
    assert "citizen_reference" not in run(facts, base, shown, by, newer=newer).changes


FAMILY = "person.name.family"


def test_the_owner_wins_over_an_edit_it_was_not_told_of() -> None:
    facts = {FAMILY: ("Rees", "casework", 2)}
    after = run(facts, seen(FAMILY, "Llŷr"), {FAMILY: "Pugh"}, "contact")
    assert after.changes == {FAMILY: "Pugh"}
    [lost] = after.lost
    assert (lost.winner, lost.loser, lost.hash) == ("contact", "casework", hash_of(FAMILY, "Rees"))


def test_an_edit_made_knowing_the_present_value_applies() -> None:
    facts = {FAMILY: ("Llŷr", "contact", 1)}
    after = run(facts, seen(FAMILY, "x", written="Llŷr"), {FAMILY: "Rees"}, "casework")
    assert (after.changes, after.lost) == ({FAMILY: "Rees"}, [])


def test_an_edit_made_not_knowing_the_present_value_is_told_it() -> None:
    facts = {FAMILY: ("Pugh", "contact", 2)}
    after = run(facts, seen(FAMILY, "Llŷr"), {FAMILY: "Rees"}, "casework")
    assert (after.changes, after.corrections) == ({}, [FAMILY])
    assert [(one.winner, one.loser) for one in after.lost] == [("contact", "casework")]


def test_an_old_view_of_what_we_have_written_over_is_ignored() -> None:
    facts = {"status": ("accepted", "casework", 2)}
    base = seen("status", "received", written="accepted")
    after = run(facts, base, {"status": "received"}, "contact", newer=False)
    assert (after.changes, after.corrections, after.base) == ({}, [], base)


def test_the_same_view_with_a_newer_stamp_is_a_change_back() -> None:
    facts = {FAMILY: ("Rees", "casework", 2)}
    after = run(facts, seen(FAMILY, "Llŷr", written="Rees"), {FAMILY: "Llŷr"}, "contact", newer=True)
    assert after.changes == {FAMILY: "Llŷr"}


def test_what_the_owner_overrides_at_first_sight_is_kept_as_lost() -> None:
    facts = {"safeguarding_flag": (True, "form", 1), "status": ("received", "form", 1)}
    after = run(facts, {}, {"safeguarding_flag": False}, "contact")
    assert after.changes == {"safeguarding_flag": False}
    assert [(one.loser, one.why == "safeguarding") for one in after.lost] == [("form", True)]
    # A first status is not an opinion against another's.
    assert run(facts, {}, {"status": "accepted"}, "casework").lost == []


def test_first_sight_overrides_nothing_but_what_it_owns() -> None:
    facts = {FAMILY: ("Llŷr", "contact", 1), "status": ("received", "contact", 1)}
    after = run(facts, {}, {FAMILY: "Rees", "status": "accepted"}, "casework")
    assert after.changes == {"status": "accepted"}
    assert after.corrections == [FAMILY]
    assert [one.field for one in after.lost] == [FAMILY]


@pytest.mark.parametrize("by", ["contact", "casework"])
def test_empty_when_first_seen_is_no_clear(by: str) -> None:
    after = run({FAMILY: ("Llŷr", "form", 1)}, {}, {FAMILY: None}, by)
    assert (after.changes, after.lost, after.corrections) == ({}, [], [FAMILY])


def test_the_owner_clears_and_another_cannot() -> None:
    facts = {FAMILY: ("Llŷr", "contact", 1)}
    assert run(facts, seen(FAMILY, "Llŷr"), {FAMILY: None}, "contact").changes == {FAMILY: None}
    after = run(facts, seen(FAMILY, "Llŷr"), {FAMILY: None}, "casework")
    assert (after.changes, after.corrections) == ({}, [FAMILY])


def test_nobody_else_changes_a_status_that_its_owner_has_shown() -> None:
    shown = {"status": "cancelled"}
    base = seen("status", "accepted")
    after = run({"status": ("accepted", "casework", 2)}, base, shown, "contact")
    assert (after.changes, [lost.why for lost in after.lost]) == ({}, [WHY_CANCELLED]), "it is not overruled unseen"
    assert run({"status": ("accepted", "form", 2)}, base, shown, "contact").changes == shown


def test_a_conflict_about_safeguarding_is_marked() -> None:
    facts = {"safeguarding_flag": (True, "contact", 1)}
    [lost] = run(facts, seen("safeguarding_flag", None), {"safeguarding_flag": False}, "casework").lost
    assert lost.why == "safeguarding"


def test_what_a_write_will_show_is_the_echo_to_expect() -> None:
    base = written_base(seen(FAMILY, "Llŷr"), {FAMILY: hash_of(FAMILY, "Rees"), "needs": hash_of("needs", [])})
    assert last_known(base, FAMILY) == hash_of(FAMILY, "Rees")
    assert base["needs"] == [None, hash_of("needs", [])]
    assert written_base(base, {FAMILY: hash_of(FAMILY, "Llŷr")})[FAMILY] == [hash_of(FAMILY, "Llŷr"), None]
    assert last_known(base, "status") is None


@pytest.mark.parametrize(
    ("name", "group"),
    [
        (FAMILY, "person"),
        ("notify.opt_in[channel=text].at", "notify"),
        ("appointments[kind=a.b].start", "appointments"),
    ],
)
def test_a_group_is_the_first_part_of_a_field(name: str, group: str) -> None:
    assert group_of(name) == group
