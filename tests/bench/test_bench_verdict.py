"""The verdict of the fault bench: silent when all is well, and red for each fault that is planted, without Dolen."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from console.bench.verdict import CLASSES, FAULTS, Verdict, count_ledger

AT_REST = {"attention": 0, "sums_agree": True}
TOKENS = ("alder-000001", "cedar-000001", "elder-000001")


def red(verdict: Verdict) -> dict[str, int]:
    return {fault: verdict.counts[fault] for fault in FAULTS if verdict.counts[fault]}


def accounted(verdict: Verdict) -> int:
    return sum(verdict.counts[each] for each in CLASSES)


def test_all_is_well_and_every_version_is_accounted_for(small: Any) -> None:
    verdict = small.judge()
    assert red(verdict) == {}
    assert verdict.well
    assert verdict.counts["versions"] == accounted(verdict) == 9
    assert {tier: counts["versions"] for tier, counts in verdict.by_tier.items()} == {"A": 3, "B": 3, "C": 3}


@pytest.mark.parametrize("token", TOKENS)
def test_a_request_that_never_arrived_is_lost(small: Any, token: str) -> None:
    small.records.remove(small.of(token, "care"))
    small.truth = [each for each in small.truth if not (each["token"] == token and each["side"] == "care")]
    verdict = small.judge()
    assert red(verdict) == {"lost": 1}
    assert verdict.offences[0].token == token
    assert verdict.counts["versions"] > accounted(verdict), "a lost version must not be accounted for"


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("side", ["desk", "care"])
def test_a_second_record_is_a_double(small: Any, token: str, side: str) -> None:
    again = deepcopy(small.of(token, side))
    again["id"] += "1"
    small.records.append(again)
    assert red(small.judge()) == {"doubled": 1}


def test_a_record_at_another_council_is_a_double_too(small: Any) -> None:
    stray = deepcopy(small.of("alder-000001", "care")) | {"council": "birch"}
    small.records.append(stray)
    assert red(small.judge()) == {"doubled": 1}


def test_an_older_version_at_the_end_is_stale(small: Any) -> None:
    record = small.of("cedar-000001", "care")
    record["body"]["reason"] = record["said"]["reason"][0]
    assert red(small.judge()) == {"stale": 1}


def test_a_newest_version_that_was_never_given_is_not_accounted_for(small: Any) -> None:
    record = small.of("cedar-000001", "care")
    record["body"]["reason"] = record["said"]["reason"].pop(0)
    record["said"]["reason"] = [record["body"]["reason"]]
    verdict = small.judge()
    assert red(verdict) == {"stale": 1}
    assert verdict.counts["versions"] == accounted(verdict) + 1


def test_a_version_that_stands_there_though_nobody_gave_it_is_not_well(small: Any) -> None:
    small.of("cedar-000001", "care")["said"]["reason"].pop()
    verdict = small.judge()
    assert red(verdict) == {}
    assert verdict.unaccounted == 1
    assert not verdict.well


def test_a_status_that_did_not_come_back_is_stale(small: Any) -> None:
    desk = small.of("alder-000001", "desk")
    desk["body"] |= {"status": "new", "status_reason": None}
    desk["said"] = {}
    assert red(small.judge()) == {"stale": 2}


SPOILERS: list[tuple[str, str, Callable[[dict[str, Any]], None]]] = [
    ("a field that staff at the desk typed", "desk", lambda body: body.update(reason="help [#alder-000001] (v1)")),
    ("the name", "desk", lambda body: body["person"].update(last_name="Smith")),
    ("a status that care typed", "care", lambda body: body.update(status="new")),
    ("notes at the desk that nobody maps", "desk", lambda body: body.update(notes=None)),
    ("notes in care that nobody maps", "care", lambda body: body.update(notes="at the desk")),
]


@pytest.mark.parametrize(("side", "spoil"), [each[1:] for each in SPOILERS], ids=[each[0] for each in SPOILERS])
def test_what_staff_typed_and_is_gone_was_wiped(small: Any, side: str, spoil: Callable[[dict[str, Any]], None]) -> None:
    spoil(small.of("alder-000001", side)["body"])
    assert small.judge().counts["wiped"] == 1


def test_a_record_that_no_longer_says_whose_it_is_was_wiped(small: Any) -> None:
    small.of("alder-000001", "care")["token"] = ""
    assert small.judge().counts["wiped"] == 1


# --- The mobile: owned by the desk, corrected in care -----------------------------------------------------------------


def corrected(small: Any, *, root: str, desk: str, care: str) -> None:
    """Care corrects alder's mobile to ...003 over `root`; the systems end with these."""
    small.typed("alder-000001", "care", "mobile", "07700 900003", {"person": {"mobile": "07700 900003"}}, root=root)
    small.of("alder-000001", "desk")["body"]["person"]["mobile"] = desk
    small.of("alder-000001", "care")["body"]["person"]["mobile"] = care


def test_a_correction_over_the_desks_last_word_stands(small: Any) -> None:
    corrected(small, root="07700 900002", desk="+447700900003", care="07700 900003")
    verdict = small.judge()
    assert red(verdict) == {}
    assert verdict.counts["versions"] == accounted(verdict)


def test_a_correction_that_vanished_unsaid_was_wiped(small: Any) -> None:
    corrected(small, root="07700 900002", desk="07700 900002", care="07700 900002")
    assert red(small.judge()) == {"wiped": 1}


def test_a_correction_that_lost_and_was_said_to_is_a_conflict(small: Any) -> None:
    corrected(small, root="07700 900002", desk="07700 900002", care="07700 900002")
    verdict = small.judge(conflicted=lambda number: number == "AD-1")
    assert red(verdict) == {}
    assert verdict.conflicts == 1


def test_a_correction_over_an_older_word_loses_against_the_desk(small: Any) -> None:
    corrected(small, root="07700 900001", desk="07700 900002", care="07700 900002")
    assert red(small.judge()) == {}


def test_the_desks_last_word_written_over_by_an_older_correction_was_wiped(small: Any) -> None:
    corrected(small, root="07700 900001", desk="07700 900003", care="07700 900003")
    assert red(small.judge(conflicted=lambda _number: True)) == {"wiped": 1}


def test_two_mobiles_at_the_end_are_stale(small: Any) -> None:
    corrected(small, root="07700 900002", desk="07700 900002", care="07700 900003")
    assert red(small.judge()) == {"stale": 1}


# --- What nobody can map, and what a person was asked -----------------------------------------------------------------


def unmapped(small: Any) -> None:
    mark = "help [#elder-000001] (v3)"
    fields = {"reason": mark, "priority": "same-day"}
    small.typed("elder-000001", "desk", "edit", mark, fields, unmapped=True)
    small.of("elder-000001", "desk")["body"] |= fields


def test_a_version_that_nobody_can_map_needs_attention_and_is_no_fault(small: Any) -> None:
    unmapped(small)
    verdict = small.judge()
    assert red(verdict) == {}
    assert verdict.counts["attention"] == verdict.attention_due == 1
    assert verdict.counts["versions"] == accounted(verdict)
    assert count_ledger(verdict, AT_REST | {"attention": 1}, 0) == []
    assert red(verdict) == {}


def test_a_version_that_nobody_can_map_and_nobody_is_told_of_is_lost(small: Any) -> None:
    unmapped(small)
    verdict = small.judge()
    assert count_ledger(verdict, AT_REST, 0)
    assert red(verdict) == {"lost": 1}


def test_a_create_that_a_person_was_asked_about_is_held_once(small: Any) -> None:
    verdict = small.judge(held={"elder-000001"})
    assert verdict.counts["held"] == 1
    assert verdict.by_tier["C"]["held"] == 1
    assert verdict.counts["versions"] == accounted(verdict)


@pytest.mark.parametrize(
    ("status", "still_open", "stuck"),
    [
        (AT_REST, 0, 0),
        (AT_REST, 3, 3),
        (AT_REST | {"attention": 2}, 0, 2),
        (AT_REST | {"sums_agree": False}, 0, 1),
    ],
)
def test_what_never_comes_to_rest_is_stuck(small: Any, status: dict[str, Any], still_open: int, stuck: int) -> None:
    verdict = small.judge()
    words = count_ledger(verdict, status, still_open)
    assert verdict.counts["stuck"] == stuck
    assert bool(words) is bool(stuck)
    assert verdict.well is not bool(stuck)
