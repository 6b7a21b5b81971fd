"""What the interface answers to "where is it?", and what it tells of a look before sending. Paths, never a value."""

from __future__ import annotations

from pydantic import BaseModel, Field

from console.api.shapes import LastRead, PreviewShape


class PlaceShape(BaseModel):
    """How a referral stands at one target, or one version of it at the source that showed it."""

    stands: str
    id: str
    connection: str
    route: str
    number: str
    tray: str
    picked_up: bool | None = Field(description="Null where the target does not tell.")
    since: str
    due: str | None
    waits: str | None
    pause: str
    late: bool
    urgent: bool
    rule: str
    cause: str
    words: str
    remedy: str
    who: str = Field(description="Who can mend it, and how to reach them.")


class WhereShape(BaseModel):
    """One answer to "where is it?", as parts and as sentences in both languages."""

    known: str
    council: str
    referral: str
    reference: str
    status: str
    restricted: bool
    shown_by: str
    numbers: dict[str, str]
    places: list[PlaceShape]
    sources: list[LastRead] = Field(description="Of something never shown: when each source was last read.")
    en: list[str]
    cy: list[str]


class WhereFound(BaseModel):
    """Every answer. `more`: there are more of that hour than can be told."""

    found: list[WhereShape]
    more: bool = False


class TextedShape(BaseModel):
    """How many people would be texted. `looked_at` of the `asked` were looked at: at least so many where it is less."""

    people: int
    looked_at: int
    asked: int


class LookShape(PreviewShape):
    """What sending it now would do, and whom it would text."""

    texted: TextedShape


class OneLook(BaseModel):
    """One of several looks. `unknown`: why nothing can be said, where there is no preview."""

    id: str
    preview: PreviewShape | None
    unknown: str


class GroupLook(BaseModel):
    """What sending some or all of a cause would do: how many there are, whom it would text, and a look at the first."""

    count: int
    texted: TextedShape
    looks: list[OneLook]


class SheetShape(BaseModel):
    """The page from which somebody types a referral in by hand."""

    html: str
