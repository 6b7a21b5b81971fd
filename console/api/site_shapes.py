"""What the interface answers about the site itself: connections, settings, mappings, runs, comparisons, outcomes."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field


class ConnectionShape(BaseModel):
    """One connection, with what its page shows besides: its limits and calendar, and who looks after it."""

    council: str
    connection: str
    system: str
    polls: bool
    paused: str
    paused_until: str | None
    paused_by: str
    window_until: str | None = Field(description="The end of the maintenance window in which it is closed now.")
    windows: list[dict[str, Any]]
    last_read: str | None
    next_run: str | None
    told: str
    waiting: int = Field(description="Counted up to `most`, as are the next two.")
    not_sure: int
    attention: int
    most: int
    oldest: str | None
    alerts: int
    at_once: int
    timeout_seconds: float
    settle_seconds: float
    polls_a_day: int | None
    most_waiting: int | None
    pause_after_failures: int | None
    who: str = Field(description="Who looks after it, and how to reach them.")


class FindingShape(BaseModel):
    """One thing that was looked at in a living system."""

    subject: str
    well: bool
    words: str
    remedy: str
    who: str = Field(description="Who has to mend it; empty where it is well.")


class Looked(BaseModel):
    """What the doctor found."""

    findings: list[FindingShape]


class FileShape(BaseModel):
    """One of the site's files."""

    name: str = Field(description="What it is asked for by.")
    path: str = Field(description="Where it is in the site's folder.")


class Files(BaseModel):
    """The site's files that the caller administers, and what is wrong with them."""

    files: list[FileShape]
    findings: list[str]


class LineShape(BaseModel):
    """One line of a file. Secrets stand in none: a setting names where one is kept."""

    line: int
    text: str


class KindShape(BaseModel):
    """One kind of record of a connection, and the mapping that carries it."""

    council: str
    connection: str
    kind: str
    mapping: str


class KeyShape(BaseModel):
    """One key of a row, and where it was written last."""

    key: str
    file: str
    line: int


class RowShape(BaseModel):
    """One row of a mapping, as all files together have it."""

    ours: str
    theirs: str
    direction: str
    lossy: str
    file: str
    line: int
    keys: list[KeyShape]
    each: list[RowShape] = Field(description="The rows within it, where it is a list.")


class LossShape(BaseModel):
    """One thing that a mapping does not carry as it was."""

    way: str
    sort: str
    ours: str
    theirs: str
    what: str
    sensitivity: str


class MappingShape(BaseModel):
    """One mapping. `losses`: how many there are; `lost` has the first of them."""

    name: str
    rows: list[RowShape]
    lost: list[LossShape]
    losses: int


class RunShape(BaseModel):
    """One run of the timetable, or one that a person asked for."""

    council: str
    connection: str
    kind: str
    purpose: str
    at: str
    begun: str | None
    done: str | None
    records: int
    words: str
    asked: bool = Field(description="By a person, and not by the timetable.")


class ComparisonShape(BaseModel):
    """One comparison of the two ends of a route."""

    id: str
    council: str
    route: str
    at: str
    done: str | None
    agrees: bool | None
    counts: dict[str, Any]
    words: str


class ComparedShape(ComparisonShape):
    """The same, with what it found: numbers, field names and sentences."""

    found: dict[str, Any]


class Assumed(BaseModel):
    """What the estimates among the outcomes guess."""

    patience_days: float
    ring_rate: float


class OutcomesShape(BaseModel):
    """One council's figures. Null stands for a figure too small to show, or of which there is nothing to say."""

    council: str
    name: dict[str, str]
    since: str
    until: str
    referrals: int | None
    by_state: dict[str, int | None]
    asked_for_news: int | None
    opt_in_rate: float | None
    told: int | None
    first_news: float | None = Field(description="Seconds, median.")
    first_news_90th: float | None
    told_before_ringing: float | None
    avoided_contacts: int | None
    messages: dict[str, int | None]
    lag: dict[str, float | None]
    lag_between: float | None
    not_later: bool | None
    not_sent: dict[str, int | None]
    reports: dict[str, int | None]
    parts: int | None
    assumed: Assumed
    en: str = Field(description="How the estimates were made.")
    cy: str


class FlowShape(BaseModel):
    """What went by one route today."""

    council: str
    route: str
    source: str
    target: str
    arrived: int
    waiting: int
    attention: int
    other: int


class Flows(BaseModel):
    """Today's flow. `since`: from when it was counted, where today's deliveries were too many to look through."""

    flows: list[FlowShape]
    since: str | None
