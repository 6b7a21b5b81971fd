"""What may be sent to the interface: every body and every part of an address, closed and bounded."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import Path, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _kept(value: str) -> str:
    """A text that can be kept: a null, which PostgreSQL does not take, becomes the sign for what is no letter."""
    return value.replace("\x00", "\ufffd")


class Form(BaseModel):
    """A body: what it does not know is refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, hide_input_in_errors=True)


_SAID = r"\S"  # something, and not blanks alone
Why = Annotated[
    str,
    AfterValidator(_kept),
    Field(min_length=1, max_length=2000, description="The reason, for the audit, which seals it.",
          examples=["the priority was mended"], pattern=_SAID),
]  # fmt: skip
Word = Annotated[str, AfterValidator(_kept), Field(min_length=1, max_length=100, pattern=_SAID)]
Text = Annotated[str, AfterValidator(_kept), Field(max_length=300)]
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,60}$", description="A council's code.", examples=["torfaen"])]

_ITEM = r"^[dv][0-9]{1,18}$"
Item = Annotated[str, Field(pattern=_ITEM, examples=["d12"])]
ItemId = Annotated[str, Path(pattern=_ITEM, description="A delivery (d12) or a version (v7).", examples=["d12"])]
OurId = Annotated[
    str, Path(pattern=r"^[0-9a-f-]{36}$", description="Our own id of a referral.",
              examples=["0198c0de-0000-7000-8000-000000000000"]),
]  # fmt: skip
CouncilCode = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]{0,60}$", description="A council's code.")]
ConnectionName = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]{0,60}$", description="A connection of that council.")]
RouteName = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]{0,60}$", description="A route of that council.")]
ListName = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9_-]{0,80}$", description="A code list.")]
Fingerprint = Annotated[str, Path(pattern=r"^[0-9a-z-]{1,64}$", description="A cause, as the list of them names it.")]
OfCouncil = Annotated[str, Query(pattern=r"^([a-z][a-z0-9-]{0,60})?$", description="Of this council only.")]
Limit = Annotated[int, Query(ge=1, le=200, description="At most so many.")]
After = Annotated[str, Query(max_length=100, pattern=r"^[0-9A-Za-z_.:/-]*$", description="`next` of the page before.")]


class Find(Form):
    """What a referral is looked for by. In a body, since a number may be a person's."""

    reference: Word = Field(description="Our id, the resident's reference, or its number in any system.")


class When(Form):
    """What a referral is looked for by where nobody knows a reference."""

    council: Code
    connection: str = Field(pattern=r"^[a-z][a-z0-9-]{0,60}$", description="The source that showed it.")
    day: date = Field(ge=date(2000, 1, 1), le=date(2199, 12, 31), description="In the council's own zone.")
    hour: int = Field(ge=0, le=23)
    team: Text = Field(default="", description="Of this team only.")


class Some(Form):
    """Which of a cause; all of it where none is named."""

    ids: list[Item] = Field(default_factory=list, max_length=200, description="Deliveries and versions of the cause.")


class Reason(Form):
    """Only why."""

    why: Why


class Sheet(Reason):
    """Why, and in which language."""

    language: Literal["cy", "en"] = "en"


_OfCouncil = Annotated[str, Field(pattern=r"^([a-z][a-z0-9-]{0,60})?$", description="Of this council only.")]
_With = Annotated[Literal["current", "original"], Field(description="Today's mapping, or what it was mapped with.")]


class AgainById(Form):
    """Some are to be sent again."""

    ids: list[Item] = Field(min_length=1, max_length=10_000, description="Deliveries and versions.")
    mapping: _With = "current"
    why: Why


class AgainByCause(Form):
    """All that wait because of one cause are to be sent again."""

    cause: str = Field(pattern=r"^[0-9a-z-]{1,64}$", description="A cause, as the list of them names it.")
    council: _OfCouncil = ""
    mapping: _With = "current"
    why: Why


class AgainByRoute(Form):
    """All of one route that need attention are to be sent again."""

    route: str = Field(pattern=r"^[a-z][a-z0-9-]{0,60}$", description="A route.")
    council: _OfCouncil = ""
    mapping: _With = "current"
    why: Why


class There(Form):
    """It is in the target: found there, or entered by hand."""

    how: Literal["arrived", "by-hand"]
    number: Annotated[
        str, AfterValidator(_kept),
        Field(min_length=1, max_length=100, pattern=_SAID, description="Its number there.", examples=["R0000777"]),
    ]  # fmt: skip
    why: Why


class NotThere(Form):
    """It is not in the target: send it."""

    how: Literal["not-arrived"]
    why: Why


Again = AgainById | AgainByCause | AgainByRoute
Settle = Annotated[There | NotThere, Field(discriminator="how")]


class SameOrNew(Form):
    """Whose a version is: the same request and person as before, or a new one."""

    whose: Literal["same", "new"]
    why: Why


class Chosen(Form):
    """Of which of several candidates a version is."""

    whose: Literal["of"]
    referral: str = Field(pattern=r"^[0-9a-f-]{36}$", description="A referral, of those that `candidates` names.")
    why: Why


Decide = Annotated[SameOrNew | Chosen, Field(discriminator="whose")]


class Bulk(Form):
    """All of one cause, to be done by the running site."""

    cause: str = Field(pattern=r"^[0-9a-z-]{1,64}$", description="A cause, as the list of them names it.")
    council: _OfCouncil = ""
    action: Literal["send again", "close"]
    why: Why


class BulkOfSome(Form):
    """Some, of one council, to be done by the running site."""

    ids: list[Item] = Field(min_length=1, max_length=1000, description="Deliveries and versions.")
    action: Literal["send again", "close"]
    why: Why


class Move(Form):
    """What is to become of a task."""

    step: Literal["pause", "go on", "cancel"]


class Join(Form):
    """Which referral goes into this one."""

    goes: Word = Field(description="Any reference of the referral that goes.")
    why: Why


class Answer(Form):
    """What another officer says."""

    answer: Literal["confirm", "refuse"]
    why: Why


class Row(Form):
    """What a code means."""

    theirs: Word
    ours: Word
    direction: Literal["both", "read", "write"] = "both"
    cy: Text = Field(default="", description="How it is shown in Welsh.")
    en: Text = Field(default="", description="How it is shown in English.")
    owner: Text = Field(default="", description="Who decides about this row.")
    why: Why


class Give(Form):
    """Sight of one restricted referral, for one officer."""

    reference: Word
    whom: Word = Field(description="The name that they sign in with.", examples=["a.evans@example.org"])
    days: int = Field(default=7, ge=1, le=90)
    why: Why


class Take(Form):
    """Break-glass: a restricted referral, opened now."""

    reference: Word
    why: Why


class NewToken(Form):
    """A token for a program."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$", description="What it is for.", examples=["nightly"])
    councils: list[Code] = Field(min_length=1, max_length=50)
    roles: list[Literal["viewer", "operator", "code-list-owner"]] = Field(min_length=1, max_length=3)
    days: int = Field(default=90, ge=1, le=366)
    why: Why
