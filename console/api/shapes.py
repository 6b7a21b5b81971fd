"""What the interface answers: every body, without a value of anybody's record but in `Unmasked`."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from pydantic import BaseModel, Field

Item = TypeVar("Item")


class Page(BaseModel, Generic[Item]):
    """One page of a list. `next`, if it is there, is the `after` of the next page."""

    items: list[Item]
    next: str | None = Field(default=None, description="Ask for the next page with `after`; null at the end.")


def page(rows: list[Item], keys: list[str], *, after: str, limit: int) -> Page[Item]:
    """Cut a list: what comes behind the row with the key `after`; where that is gone by now, the list begins anew."""
    begins = keys.index(after) + 1 if after in keys else 0
    more = begins + limit < len(rows)
    return Page(items=rows[begins : begins + limit], next=keys[begins + limit - 1] if more else None)


class Said(BaseModel):
    """What became of it, in a sentence."""

    done: str


class CouncilShape(BaseModel):
    """One council, and what the caller is for it."""

    code: str
    cy: str
    en: str
    roles: list[str]
    rights: list[str]


class Me(BaseModel):
    """Who calls."""

    who: str
    identity: str
    councils: list[CouncilShape]


class Cause(BaseModel):
    """One cause and what waits because of it."""

    fingerprint: str
    council: str
    connection: str
    step: str
    error: str
    field: str
    code_list: str
    words: str
    remedy: str
    since: str
    count: int
    people: int | None = Field(description="Null where there are too many to count persons.")
    urgent: int
    left_out: int


class Waiting(BaseModel):
    """One version or delivery that waits."""

    id: str


class ConflictShape(BaseModel):
    """Two systems that changed one field."""

    id: str
    council: str
    referral: str
    field: str
    winner: str
    loser: str
    why: str
    since: str


class Try(BaseModel):
    """One try of a delivery."""

    at: str
    what: str
    outcome: str
    words: str
    mapping: str


class Shown(BaseModel):
    """One version or delivery."""

    id: str
    council: str
    connection: str
    kind: str
    number: str
    route: str
    referral: str
    revision: int | None
    state: str
    reason: str
    cause: str
    words: str
    remedy: str
    at: str
    due: str | None
    left_out: list[str]
    tries: list[Try]
    mapping: str
    chosen: bool


class Differs(BaseModel):
    """One path that is not as it was."""

    path: str
    how: str


class PreviewShape(BaseModel):
    """What sending now would do: paths, no values."""

    effect: str
    words: str
    fields: list[str]
    held_back: list[str]
    against: str
    differs: list[Differs]


class Line(BaseModel):
    """One thing that happened."""

    at: str
    what: str
    id: str
    words: str


class StoryShape(BaseModel):
    """The whole story of one referral."""

    council: str
    referral: str
    citizen_reference: str
    status: str
    revision: int
    numbers: dict[str, str]
    lines: list[Line]


class LastRead(BaseModel):
    """When a source was last read to its end."""

    council: str
    connection: str
    kind: str
    completed: str | None


class Found(BaseModel):
    """What was found; where nothing was, when each source was last read."""

    referrals: list[StoryShape]
    last_read: list[LastRead]


class NotDone(BaseModel):
    """What was not done, or waits for another officer, and why."""

    id: str
    why: str


class DoneShape(BaseModel):
    """What sending again did."""

    done: list[str]
    not_done: list[NotDone]
    asked: list[NotDone] = Field(description="Restricted: written down for another officer to confirm.")


class Connection(BaseModel):
    """One connection."""

    council: str
    connection: str
    paused: str
    paused_until: str | None
    last_read: str | None
    last_words: str
    waiting: int
    not_sure: int
    attention: int
    oldest: str | None
    told: str


class Status(BaseModel):
    """The state of the caller's councils, at a glance."""

    stage: str
    running: bool
    referrals: int
    versions: dict[str, int]
    deliveries: dict[str, int]
    open: int
    attention: int
    late: int
    sums_agree: bool


class Proof(BaseModel):
    """The newest comparison of one route. Its numbers are those of the whole route."""

    council: str
    route: str
    at: str | None
    agrees: bool | None
    differ: int
    open: int
    compared: int
    doubt: str
    words: str


class ProofLine(BaseModel):
    """One request that is not as it should be."""

    kind: str
    source: str
    target: str
    referral: str
    fields: list[str]
    words: str


class Asked(BaseModel):
    """What is read now."""

    feeds: int


class Unmapped(BaseModel):
    """One code that nobody has mapped."""

    council: str
    code_list: str
    side: str
    connection: str
    field: str
    theirs: str
    code: str
    words: str
    stopped: int
    left_out: int
    since: str
    near: list[str]
    ids: list[str]


class Released(BaseModel):
    """What was asked for. `file`: which file of the site says so now."""

    file: str = ""
    tasks: list[str] = Field(description="One for each council for which something waited; watch them at /tasks.")


class Unmasked(BaseModel):
    """The values of one referral."""

    council: str
    referral: str
    revision: int
    facts: dict[str, Any]


class AskedFor(BaseModel):
    """What waits for another officer."""

    id: str
    council: str
    referral: str
    subject: str
    asked_by: str
    at: str
    until: str
    mine: bool


class AskedWhy(BaseModel):
    """Why it was asked for, or a grant taken."""

    why: str


class GrantShape(BaseModel):
    """One person's sight of one restricted referral."""

    id: str
    council: str
    referral: str
    whom: str
    how: str
    by: str
    at: str
    until: str
    ended: str | None
    reviewed: str | None
    reviewed_by: str


class Made(BaseModel):
    """The id of what was made."""

    id: str


class TokenShape(BaseModel):
    """One token, without what it is."""

    id: str
    name: str
    roles: dict[str, list[str]]
    made_by: str
    at: str
    until: str
    last_used: str | None
    revoked: str | None


class TokenMade(BaseModel):
    """A new token. It is shown this once."""

    token: str
