"""What lists, tasks and choices of the interface answer, without a value of anybody's record."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from console.api.shapes import NotDone


class AuditLine(BaseModel):
    """One line of the audit."""

    seq: int
    at: str
    who: str
    council: str
    action: str
    subject: str
    reasoned: bool = Field(description="A reason was given, and is sealed.")


class Whole(BaseModel):
    """Whether the audit is whole, and what is wrong with it."""

    whole: bool
    words: str


class PlannedShape(BaseModel):
    """When one kind of record of a source is read."""

    council: str
    connection: str
    kind: str
    every: float | None = Field(description="Seconds.")
    cron: str
    next: str | None
    last: str | None
    told: str


class UrgentShape(BaseModel):
    """One urgent referral that has not arrived where it is to go."""

    id: str
    council: str
    target: str
    route: str
    state: str
    since: str
    due: str | None
    reference: str
    referral: str
    numbers: dict[str, str]
    words: str
    mender: str


class CandidateShape(BaseModel):
    """One referral that a record may belong to, by numbers alone."""

    referral: str
    born_in: str
    at: str
    numbers: list[tuple[str, str]]
    held: str


class CandidatesShape(BaseModel):
    """The referrals that a record may belong to; `hidden`: how many more there are that the caller may not see."""

    seen: list[CandidateShape]
    hidden: int


class SessionShape(BaseModel):
    """One signing-in that is open."""

    id: str
    who: str
    at: str
    seen: str
    until: str
    mine: bool
    this: bool = Field(description="The one that this call was made with.")


class AlertShape(BaseModel):
    """One thing that is amiss. `council` is empty where it concerns the site."""

    id: str
    kind: str
    council: str
    connection: str
    route: str
    cause: str
    urgent: bool
    count: int
    since: str
    opened: str
    answered: str | None
    answered_by: str
    en: str
    cy: str
    remedy_en: str
    remedy_cy: str


class Tried(BaseModel):
    """By each way of telling somebody: what went wrong, empty where nothing did."""

    ways: dict[str, str]


class TaskShape(BaseModel):
    """Something that is done to many."""

    id: str
    council: str
    action: str
    cause: str
    code_list: str = Field(description="What a release is about; empty for any other task.")
    total: int
    done: int
    not_done: int
    notes: list[NotDone]
    state: str
    who: str
    at: str
    changed_at: str


class BothShape(BaseModel):
    """Both values of a conflict. `gone`: what lost is kept no more."""

    field: str
    winner: str
    loser: str
    stands: Any
    lost: Any
    gone: bool
