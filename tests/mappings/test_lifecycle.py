"""The business life-cycle: its table has no hole, and nothing that a system says makes it raise."""

from __future__ import annotations

import itertools

import pytest

from mappings import lifecycle
from mappings.lifecycle import STAGES, Notice, Verdict, allowed
from mappings.vocabulary import Status


def test_every_state_has_a_stage_and_every_move_leads_to_a_state() -> None:
    assert set(STAGES) == set(Status)
    assert all(stage.next <= set(Status) and stage.status not in stage.next for stage in STAGES.values())


@pytest.mark.parametrize(
    ("before", "after"), list(itertools.pairwise(["received", "in_triage", "accepted", "in_progress", "completed"]))
)
def test_the_main_path(before: str, after: str) -> None:
    assert allowed(before, after) is Verdict.ALLOWED
    assert allowed(after, before) is (Verdict.REOPENED if after == "completed" else Verdict.FOREIGN)


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        (None, "completed", Verdict.ALLOWED),
        ("received", "received", Verdict.SAME),
        ("received", "completed", Verdict.ALLOWED),  # information given at first contact
        ("completed", "in_triage", Verdict.REOPENED),
        ("completed", "received", Verdict.FOREIGN),
        ("accepted", "rejected", Verdict.FOREIGN),
        ("on_hold", "rejected", Verdict.ALLOWED),
        ("cancelled", "in_progress", Verdict.FOREIGN),
        ("completed", "entered_in_error", Verdict.ALLOWED),
        ("entered_in_error", "received", Verdict.FOREIGN),
        ("received", "sleeping", Verdict.UNKNOWN),
        ("sleeping", "received", Verdict.UNKNOWN),
        (None, "sleeping", Verdict.UNKNOWN),
    ],
)
def test_verdicts(before: str | None, after: str, verdict: Verdict) -> None:
    assert allowed(before, after) is verdict


def test_a_verdict_says_whether_to_remark() -> None:
    assert {verdict for verdict in Verdict if not verdict.expected} == {Verdict.FOREIGN, Verdict.UNKNOWN}


def test_only_completed_reopens() -> None:
    assert [status for status in Status if lifecycle.can_reopen(status)] == ["completed"]


def test_ended_referrals_only_reopen_or_turn_out_wrong() -> None:
    ended = {status for status in Status if lifecycle.terminal(status)}
    assert ended == {"rejected", "redirected", "cancelled", "completed", "entered_in_error"}
    for status in ended - {"completed"}:
        assert STAGES[status].next <= {"entered_in_error"}


def test_a_resident_never_hears_of_a_slip_or_of_a_state_that_is_not_ours() -> None:
    assert not lifecycle.notifiable("entered_in_error")
    assert not lifecycle.notifiable("sleeping")
    assert not lifecycle.terminal("sleeping")
    assert {status for status in Status if lifecycle.notice(status) is Notice.CAREFULLY} == {"rejected", "cancelled"}
    assert all(stage.notifiable is lifecycle.notifiable(status) for status, stage in STAGES.items())
