"""What residents are told: one file a text, with words in Welsh and English for each business status.

The words that residents get are those of the GOV.UK Notify template whose id stands here; `wording` is the same words,
for previews and for checking. Neither language can be given without the other, and both hold the same placeholders.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from config.declared import REFERENCE, ClockTime, Declared, matching, refusal
from config.findings import Problem, did_you_mean, one_of, shown

# What is filled in when a text is sent. Never a person's name, never a supplier's free text.
PLACEHOLDERS = ("reference",)
_PLACEHOLDER = re.compile(r"\(\(([^()]*)\)\)")

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
Wording = Annotated[str, Field(min_length=1, max_length=918)]  # six parts, beyond which networks refuse a text


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

    cy: Wording = Field(description="In Welsh.", examples=["Mae eich cais ((reference)) wedi'i dderbyn."])
    en: Wording = Field(description="In English.", examples=["Your request ((reference)) has been accepted."])


class StatusText(Declared):
    """What is said when a referral reaches one business status."""

    template: Templates = Field(description="The templates.", examples=[{"cy": "ef4d82a0-a0c0-513c-a476-b8b9ee97963a"}])
    wording: Pair = Field(
        description="The words of the templates, for previews and checks; ((reference)) and the like are filled in.",
        examples=[{"cy": "Mae eich cais ((reference)) ...", "en": "Your request ((reference)) ..."}],
    )


class Quiet(Declared):
    """When nothing is sent."""

    begins: ClockTime = Field(
        default="20:00", description="From this time of day texts wait, in the council's time.", examples=["20:00"]
    )
    ends: ClockTime = Field(default="08:00", description="Until this time of day.", examples=["08:00"])

    @model_validator(mode="after")
    def _leaves_time(self) -> Self:
        if self.begins == self.ends:
            raise refusal("quiet hours that never end", "two times", "correct one, or leave `quiet` out")
        return self


class Text(Declared):
    """A file under `texts/`."""

    channel: Literal["text", "email"] = Field(default="text", description="How it is sent.", examples=["text"])
    statuses: dict[Status, StatusText] = Field(
        min_length=1,
        description="What is said for which business status; nothing is said for those not listed.",
        examples=[{"accepted": {"template": {}, "wording": {}}}],
    )
    quiet: Quiet | None = Field(
        default=None,
        description="Quiet hours. Without this key texts go at any hour.",
        examples=[{"begins": "20:00", "ends": "08:00"}],
    )
    safeguarding: bool = Field(
        default=False,
        description="Whether texts go out also where safeguarding is marked. Leave it false: a person rings instead.",
        examples=[False],
    )


def placeholders(words: str) -> tuple[str, ...]:
    """List the placeholders of a text in order, each once."""
    return tuple(dict.fromkeys(name.strip() for name in _PLACEHOLDER.findall(words)))


def unequal_languages(text: Text) -> list[Problem]:
    """Find placeholders that one language has and the other lacks, and those that nobody fills in."""
    problems = []
    for status, said in text.statuses.items():
        held = {"cy": set(placeholders(said.wording.cy)), "en": set(placeholders(said.wording.en))}
        for language, other in (("cy", "en"), ("en", "cy")):
            path = ("statuses", status, "wording", language)
            for name in sorted(held[other] - held[language]):
                problems.append(
                    Problem(
                        path,
                        f"no (({_safe(name)}))",
                        f"the same placeholders as in `{other}`",
                        f"add (({_safe(name)})) here, or take it out of `{other}`",
                    )
                )
            for name in sorted(held[language] - set(PLACEHOLDERS)):
                near = did_you_mean(name, PLACEHOLDERS)
                remedy = near or "use one of these, or write the words out"
                problems.append(Problem(path, f"the placeholder {shown(name)}", one_of(PLACEHOLDERS), remedy))
    return problems


def _safe(name: str) -> str:
    return shown(name).strip("'")
