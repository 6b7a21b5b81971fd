"""One council's installation of one system: which profile speaks to it, what it owns, when it is read.

`connect` is opaque here: its shape belongs to the protocol, and the connectors check it against their own model.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from croniter import croniter
from pydantic import AfterValidator, Field, JsonValue, model_validator

from config.declared import (
    ClockTime,
    DateText,
    Declared,
    Duration,
    FieldPath,
    FileName,
    Group,
    Kind,
    Line,
    LongerThanNothing,
    Phone,
    refusal,
)

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun", "bank-holiday"]
EVERY_DAY: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _a_cron_line(value: str) -> str:
    # Five fields only: a sixth would mean seconds to one reader and years to another.
    if len(value.split()) != 5 or not croniter.is_valid(value):
        expected = "five fields: minute, hour, day of month, month, day of week"
        raise refusal("a text that is no cron line", expected, "write for instance `0 6 * * *`, every day at 06:00")
    return value


CronLine = Annotated[str, AfterValidator(_a_cron_line)]


#: A planned run is put off by no more than this where nobody said by how much.
_SPREAD = timedelta(seconds=30)


class Schedule(Declared):
    """When a source is read. Times are the council's own; a run missed while Dolen was down is made up once."""

    every: LongerThanNothing | None = Field(
        default=None, description="How long to wait between two syncs.", examples=["PT1M"]
    )
    cron: CronLine | None = Field(
        default=None, description="Or fixed times, as a cron line of five fields.", examples=["*/10 7-19 * * mon-fri"]
    )
    jitter: Duration | None = Field(
        default=None,
        description="Each start is put off by up to this much, so that not all connections ask at once. By how much "
        "follows from the connection and the planned time alone. Left out: a tenth of `every`, 30 seconds at most; "
        "with `cron`, 30 seconds. `PT0S`: on the dot.",
        examples=["PT5S"],
    )
    bank_holidays: bool = Field(default=True, description="Whether it is read on bank holidays too.", examples=[False])

    @model_validator(mode="after")
    def _either_or(self) -> Self:
        if (self.every is None) == (self.cron is None):
            found = "neither `every` nor `cron`" if self.every is None else "both `every` and `cron`"
            raise refusal(found, "one of the two", "keep `every: PT1M` or `cron: ...`")
        return self

    @property
    def spread(self) -> timedelta:
        """By how much a start is put off at the most: what is written, or enough that runs which many connections plan
        for one instant do not begin in it."""
        if self.jitter is not None:
            return self.jitter
        return _SPREAD if self.every is None else min(self.every / 10, _SPREAD)


class Owner(Declared):
    """Who answers for a system or a route."""

    name: Line = Field(description="A team or a post.", examples=["Customer services systems team"])
    phone: Phone = Field(description="Their number.", examples=["01632 960001"])
    hours: Line | None = Field(default=None, description="When they answer.", examples=["Mon-Fri 8.30-17.00"])
    email: Line | None = Field(default=None, description="Their address.", examples=["systems@example.org"])


class Window(Declared):
    """A regular time in which the supplier works on the system: nothing is sent or read, and no attempt is burnt."""

    days: list[Day] = Field(
        default_factory=lambda: list(EVERY_DAY),
        min_length=1,
        description="On which days it begins; `bank-holiday` is any day of the council's `bank_holidays`.",
        examples=[["sun", "bank-holiday"]],
    )
    begins: ClockTime = Field(description="When it begins, in the council's time.", examples=["02:00"])
    ends: ClockTime = Field(
        description="When it ends; earlier than `begins` means the next morning.", examples=["04:30"]
    )

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.begins == self.ends:
            raise refusal("a window that begins and ends at once", "two times", "correct `begins` or `ends`")
        return self


class Pause(Declared):
    """When a connection that does not answer is left alone for a while."""

    after_failures: int = Field(
        default=5, ge=1, le=1000, description="So many failures in a row pause the connection.", examples=[5]
    )
    within: LongerThanNothing = Field(
        default=timedelta(minutes=10), description="... if they fall within this time.", examples=["PT10M"]
    )
    try_again: LongerThanNothing = Field(
        default=timedelta(seconds=30),
        description="How long to wait before one call is tried; it doubles each time, up to 15 minutes.",
        examples=["PT30S"],
    )


class RecordUse(Declared):
    """How one kind of record of this system is read and written."""

    mapping: FileName = Field(description="The mapping file, under `mappings/`.", examples=["contact/request"])
    match: list[FieldPath] = Field(
        default_factory=list,
        description="Exact identifiers by which a record that we have not seen before may belong to a referral that "
        "we know. Without any, only our own key and the case numbers already linked count.",
        examples=[["person.nhs_number"]],
    )


class Connection(Declared):
    """One council's installation of a system."""

    profile: FileName = Field(
        description="How this system is spoken to: a file under `profiles/`, the site's or a shipped one.",
        examples=["contact"],
    )
    owner: Owner = Field(
        description="Who answers for the system.", examples=[{"name": "Systems team", "phone": "01632 960001"}]
    )
    supplier: Line = Field(
        description="How the supplier is reached when it is down.", examples=["Service desk, 01632 960555, 24 hours"]
    )
    connect: dict[str, JsonValue] = Field(
        default_factory=dict,
        repr=False,
        description="Address, login, limits and time-outs. Its keys depend on the profile's protocol. "
        "Secrets are written as references: `env:NAME` or `file:PATH`.",
        examples=[{"url": "https://contact.example.org/api", "login": {"api_key": {"key": "env:CONTACT_KEY"}}}],
    )
    records: dict[Kind, RecordUse] = Field(
        default_factory=dict,
        description="Which kinds of record are carried, and the mapping of each.",
        examples=[{"Request": {"mapping": "contact/request"}}],
    )
    owns: list[Group] = Field(
        default_factory=list,
        description="The groups of fields for which this system is right when two differ. "
        "A group has one owner in a council; only the owner may clear a value.",
        examples=[["person", "language"]],
    )
    login_ends: DateText | None = Field(
        default=None,
        description="The day on which its password, key or token ends, as the supplier says; an alert comes before it.",
        examples=["2027-03-31"],
    )
    schedule: Schedule | None = Field(
        default=None,
        description="When its changes are read. Without one it is read only when it calls us or by `dolen sync`.",
        examples=[{"every": "PT1M"}],
    )
    most_waiting: int = Field(
        default=20_000,
        ge=1,
        le=10_000_000,
        description="It is not read on while more than so many referrals wait at the targets of its routes; "
        "back-fills stop at half of that.",
        examples=[20_000],
    )
    settle_seconds: float = Field(
        default=120,
        ge=0,
        le=86400,
        description="How late a call that got no answer may still be carried out there. "
        "Only after that is it looked up whether the record arrived.",
        examples=[120],
    )
    maintenance: list[Window] = Field(
        default_factory=list,
        description="Regular times in which the supplier works on it.",
        examples=[[{"days": ["sun"], "begins": "02:00", "ends": "04:30"}]],
    )
    pause: Pause = Field(
        default_factory=Pause, description="When it is left alone after failures.", examples=[{"after_failures": 5}]
    )
    paused: bool = Field(
        default=False, description="Paused by a person: nothing is read or sent until this is false.", examples=[False]
    )
    council_field: Line | None = Field(
        default=None,
        description="Where several councils share one installation: the path in its records that tells them apart.",
        examples=["Authority"],
    )
    council_values: list[Line] = Field(
        default_factory=list,
        description="... and the values there that mean this council. Any other value is none of its business.",
        examples=[["NPT"]],
    )

    @model_validator(mode="after")
    def _tells_apart(self) -> Self:
        if (self.council_field is None) != (not self.council_values):
            missing = "council_values" if self.council_field else "council_field"
            raise refusal(f"no {missing}", "`council_field` and `council_values` together", f"add `{missing}`")
        return self
