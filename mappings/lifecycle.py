"""The business life-cycle of a referral: its states, the moves between them, and what the resident is told of each.

Systems skip states and go back, and what they say is carried all the same: `allowed` gives a verdict and never
raises. Delivery status is another thing and lives with the pipelines.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from mappings.vocabulary import Status

_MAIN_PATH = (Status.RECEIVED, Status.IN_TRIAGE, Status.ACCEPTED, Status.IN_PROGRESS, Status.COMPLETED)


class Notice(StrEnum):
    """What the resident may be told when a referral comes into a state. A council's texts may say less, never more."""

    TELL = "tell"
    CAREFULLY = "carefully"  # bad or private news: careful wording, often a phone call first; off unless switched on
    NEVER = "never"


class Verdict(StrEnum):
    """What a move from one state to another is."""

    SAME = "same"  # no move
    ALLOWED = "allowed"  # a move of the life-cycle
    REOPENED = "reopened"  # a completed referral is worked on again
    FOREIGN = "foreign"  # not a move of ours: recorded, remarked and carried, since the source is the truth
    UNKNOWN = "unknown"  # one of the two is not a state of ours

    @property
    def expected(self) -> bool:
        """Whether nothing about the move needs remarking."""
        return self in (Verdict.SAME, Verdict.ALLOWED, Verdict.REOPENED)


@dataclass(frozen=True, slots=True)
class Stage:
    """One state: where it may move to, whether it ends the referral, and what the resident is told."""

    status: Status
    next: frozenset[str]
    terminal: bool
    notice: Notice

    @property
    def notifiable(self) -> bool:
        """Whether a resident may ever be told that the referral came into this state."""
        return self.notice is not Notice.NEVER


def _stage(status: Status, *following: Status, terminal: bool = False, notice: Notice = Notice.TELL) -> Stage:
    wrong = set() if status is Status.ENTERED_IN_ERROR else {Status.ENTERED_IN_ERROR}  # any state can be a mistake
    return Stage(status, frozenset(following) | wrong, terminal, notice)


_AFTER = {state: _MAIN_PATH[place + 1 :] for place, state in enumerate(_MAIN_PATH)}  # systems skip states
_EXITS = (Status.ON_HOLD, Status.REDIRECTED, Status.CANCELLED)
_REOPENS = (Status.IN_TRIAGE, Status.ACCEPTED, Status.IN_PROGRESS)

# After acceptance a referral is cancelled or redirected and no longer rejected.
STAGES: Mapping[str, Stage] = {
    stage.status: stage
    for stage in (
        _stage(Status.RECEIVED, *_AFTER[Status.RECEIVED], *_EXITS, Status.REJECTED),
        _stage(Status.IN_TRIAGE, *_AFTER[Status.IN_TRIAGE], *_EXITS, Status.REJECTED),
        _stage(Status.ACCEPTED, *_AFTER[Status.ACCEPTED], *_EXITS),
        _stage(Status.IN_PROGRESS, *_AFTER[Status.IN_PROGRESS], *_EXITS),
        _stage(Status.ON_HOLD, *_REOPENS, Status.COMPLETED, Status.REJECTED, Status.REDIRECTED, Status.CANCELLED),
        _stage(Status.REJECTED, terminal=True, notice=Notice.CAREFULLY),
        _stage(Status.REDIRECTED, terminal=True),
        _stage(Status.CANCELLED, terminal=True, notice=Notice.CAREFULLY),
        _stage(Status.COMPLETED, *_REOPENS, terminal=True),
        _stage(Status.ENTERED_IN_ERROR, terminal=True, notice=Notice.NEVER),
    )
}


def allowed(before: str | None, after: str) -> Verdict:
    """What the move is. `before` is None at first sight, and a referral may first be seen in any state of ours."""
    if after not in STAGES or (before is not None and before not in STAGES):
        return Verdict.UNKNOWN
    if before == after:
        return Verdict.SAME
    if before is None:
        return Verdict.ALLOWED
    if after not in STAGES[before].next:
        return Verdict.FOREIGN
    if before == Status.COMPLETED and after in _REOPENS:
        return Verdict.REOPENED
    return Verdict.ALLOWED


def terminal(status: str) -> bool:
    """Whether the referral has come to its end; False for a state that is not ours."""
    return status in STAGES and STAGES[status].terminal


def can_reopen(status: str) -> bool:
    """Whether a referral that ended so may be worked on again."""
    return status == Status.COMPLETED


def notice(status: str) -> Notice:
    """What the resident may be told; never, of a state that is not ours."""
    return STAGES[status].notice if status in STAGES else Notice.NEVER


def notifiable(status: str) -> bool:
    """Whether a resident may ever be told of this state."""
    return notice(status) is not Notice.NEVER
