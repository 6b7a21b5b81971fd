"""What residents are told: one file a text, with words in Welsh and English for each business status.

The words that residents get are those of the GOV.UK Notify template whose id stands here; `wording` is the same words,
for previews, for checks, and for councils whose mail goes by SMTP. Neither language can be given without the other.
When nothing is sent, when a person rings instead, and how much is sent a day stand here too: whoever writes the words
decides that with them. What is looked for in the words themselves is `config.text_words`.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from config.declared import (
    ClockTime,
    DateText,
    Declared,
    FieldPath,
    Line,
    LongerThanNothing,
    matching,
    refusal,
)
from config.references import REFERENCE
from config.routes import Codes

Status = Literal[
    "received",
    "in_triage",
    "accepted",
    "in_progress",
    "on_hold",
    "rejected",
    "redirected",
    "cancelled",
    "completed",
    "entered_in_error",
]
TemplateId = Annotated[
    str,
    *matching(
        rf"(?:[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}|{REFERENCE})",
        "the id of a Notify template, such as ef4d82a0-a0c0-513c-a476-b8b9ee97963a",
        "copy it from the template's page in Notify",
    ),
]
Wording = Annotated[str, Field(min_length=1, max_length=5_000)]  # a letter's; of a text the parts are counted


class Templates(Declared):
    """The ids of the templates in GOV.UK Notify."""

    cy: TemplateId = Field(
        description="For those who asked for Welsh.", examples=["ef4d82a0-a0c0-513c-a476-b8b9ee97963a"]
    )
    en: TemplateId = Field(
        description="For those who asked for English.", examples=["d1708f94-2432-5cc8-b53c-a45f62662629"]
    )
    both: TemplateId = Field(
        description="For those who have not been asked, or want both: Welsh first.",
        examples=["3e0175ab-c607-56a7-8f31-d4f65f96aee5"],
    )


class Pair(Declared):
    """The same words in Welsh and in English."""

    cy: Wording = Field(
        description="In Welsh.", examples=["Mae eich cais ((reference)) wedi'i dderbyn. Ffoniwch ni: ((phone))."]
    )
    en: Wording = Field(
        description="In English.", examples=["Your request ((reference)) has been accepted. Ring us: ((phone))."]
    )


class StatusText(Declared):
    """What is said when a referral reaches one business status."""

    template: Templates | None = Field(
        default=None,
        description="The templates in GOV.UK Notify. Left out where the council has none and its mail goes by SMTP.",
        examples=[{"cy": "ef4d82a0-a0c0-513c-a476-b8b9ee97963a"}],
    )
    subject: Pair | None = Field(
        default=None,
        description="The subject of an email, for councils whose mail goes by SMTP; Notify has its own.",
        examples=[{"cy": "Eich cais ((reference))", "en": "Your request ((reference))"}],
    )
    wording: Pair = Field(
        description="The words of the templates; ((reference)), ((phone)) and the like are filled in.",
        examples=[{"cy": "Mae eich cais ((reference)) ...", "en": "Your request ((reference)) ..."}],
    )


Closed = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun", "bank-holiday"]


class Quiet(Declared):
    """When nothing is sent. What comes then waits, and is judged afresh when the time is over."""

    begins: ClockTime = Field(
        default="20:00", description="From this time of day texts wait, in the council's time.", examples=["20:00"]
    )
    ends: ClockTime = Field(default="08:00", description="Until this time of day.", examples=["08:00"])
    days: list[Closed] = Field(
        default_factory=list,
        description="Days on which nothing is sent at all; `bank-holiday` are those of the council's file.",
        examples=[["sun", "bank-holiday"]],
    )

    @model_validator(mode="after")
    def _leaves_time(self) -> Self:
        if self.begins == self.ends:
            raise refusal("quiet hours that never end", "two times", "correct one, or leave `quiet` out")
        if {"mon", "tue", "wed", "thu", "fri", "sat", "sun"} <= set(self.days):
            raise refusal("every day of the week", "a day on which something is sent", "take a day out")
        return self


class Ring(Declared):
    """When no text is sent and a person rings instead. It becomes a task that needs attention until it was done."""

    who: Line = Field(
        description="Who rings, as staff will read it; in both languages where both are spoken.",
        examples=["Desg ddyletswydd / Duty desk, 01632 960301"],
    )
    when: dict[FieldPath, Codes] = Field(
        default_factory=dict,
        description="Sensitive news: any of these fields with any of its codes is rung about.",
        examples=[{"status": ["rejected"], "outcome": ["nfa-support-declined"]}],
    )


class Caps(Declared):
    """How much is sent in a day of the council's time. What is more waits until the next day, and is judged afresh."""

    a_recipient: int = Field(default=5, ge=1, le=20, description="To one number or address.", examples=[5])
    a_council: int = Field(
        default=5_000, ge=1, le=250_000, description="By the council, over all its texts.", examples=[5_000]
    )


class Avoid(Declared):
    """What the council's content guide avoids, and what it writes instead: word -> word."""

    cy: dict[str, str] = Field(default_factory=dict, description="In Welsh.", examples=[{"ymholiad": "cais"}])
    en: dict[str, str] = Field(default_factory=dict, description="In English.", examples=[{"utilise": "use"}])


class Checked(Declared):
    """Who read the Welsh and when. Needed in live."""

    by: Line = Field(description="The Welsh checker, named.", examples=["A. Checker, Translation Unit"])
    on: DateText = Field(description="When the words were last read.", examples=["2026-11-30"])


class Text(Declared):
    """A file under `texts/`."""

    channel: Literal["text", "email", "letter"] = Field(
        default="text", description="How it is sent.", examples=["text"]
    )
    statuses: dict[Status, StatusText] = Field(
        min_length=1,
        description="What is said for which business status; nothing is said for those not listed.",
        examples=[{"accepted": {"template": {}, "wording": {}}}],
    )
    both: Literal["one", "two"] = Field(
        default="one",
        description="Who was never asked, or wants both, gets `one` message with the Welsh first, or `two`, the Welsh "
        "one first.",
        examples=["one"],
    )
    quiet: Quiet | None = Field(
        default=None,
        description="Quiet hours. Without this key texts go at any hour.",
        examples=[{"begins": "20:00", "ends": "08:00", "days": ["sun", "bank-holiday"]}],
    )
    digest: LongerThanNothing | None = Field(
        default=None,
        description="The first news goes at once; what comes within this time after it becomes one message at its end.",
        examples=["PT1H"],
    )
    caps: Caps = Field(default=Caps(), description="How much is sent in a day.", examples=[{"a_recipient": 5}])
    ring: Ring = Field(
        default=Ring(who="Customer services"),
        description="When a person rings instead.",
        examples=[{"who": "Duty desk, 01632 960301", "when": {"status": ["rejected"]}}],
    )
    safeguarding: bool = Field(
        default=False,
        description="Whether texts go out also where safeguarding is marked. Leave it false: a person rings instead.",
        examples=[False],
    )
    most_parts: int = Field(
        default=6, ge=1, le=6, description="Of how many billed parts a text may be.", examples=[4]
    )
    reading_grade: float = Field(
        default=8.0,
        ge=1,
        le=18,
        description="The highest Flesch-Kincaid grade of the English words; 8 is read with ease at 13.",
        examples=[8.0],
    )
    avoid: Avoid = Field(
        default=Avoid(),
        description="Words that the council's content guide avoids.",
        examples=[{"en": {"utilise": "use"}}],
    )
    welsh_checked: Checked | None = Field(
        default=None,
        description="Who read the Welsh. Needed in live.",
        examples=[{"by": "A. Checker, Translation Unit", "on": "2026-11-30"}],
    )
