"""The change feeds that a SOAP profile may declare: one closed schema each, told apart by `feed`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field

from connectors.known import KnownIdsFeed
from connectors.profile import ListPath, Name, Overlap, PathText
from connectors.references import Closed

WallClock = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$")]


def _window(value: timedelta) -> timedelta:
    if not timedelta(minutes=1) <= value <= timedelta(days=3660):
        raise ValueError("write a duration from PT1M to P3660D, such as P7D")
    return value


class NumberedPages(Closed):
    """Pages that are asked for by number and size."""

    number: PathText = Field(description="Element for the page's number.", examples=["Page"])
    size: PathText = Field(description="Element for the page's size.", examples=["PageSize"])
    of: int = Field(ge=1, le=10_000, description="Records a page.", examples=[100])
    more: PathText = Field(description="True or false in the reply: is there another page?", examples=["MorePages"])
    first: Literal[0, 1] = Field(default=1, description="Number of the first page.", examples=[1])
    at_most: int = Field(
        default=10_000, ge=1, description="A walk longer than so many pages is taken for endless.", examples=[10_000]
    )


class ModifiedSinceFeed(Closed):
    """List what changed since a moment, oldest first, page by page."""

    feed: Literal["modified-since"] = Field(description="Kind of feed.", examples=["modified-since"])
    operation: Name = Field(description="Operation of the WSDL.", examples=["FindReferrals"])
    since: PathText = Field(
        description="Element for the moment; records changed at that moment count.", examples=["ChangedFrom"]
    )
    beginning: WallClock = Field(
        default="1900-01-01T00:00:00",
        description="The moment that is sent when everything is wanted.",
        examples=["1900-01-01T00:00:00"],
    )
    page: NumberedPages = Field(description="How pages are asked for.", examples=[{"number": "Page"}])
    items: ListPath = Field(description="The records in the reply.", examples=["Referral[]"])
    overlap: Overlap = Field(
        default=timedelta(minutes=5),
        description="How far behind the newest stamp the next walk starts, for late commits and skewed clocks.",
        examples=["PT5M"],
    )


class ModifiedBetweenFeed(Closed):
    """List what changed between two moments, all in one reply: for systems that know no pages.

    A walk goes from window to window until tomorrow; windows meet at one moment, and what changed at it is read twice.
    """

    feed: Literal["modified-between"] = Field(description="Kind of feed.", examples=["modified-between"])
    operation: Name = Field(description="Operation of the WSDL.", examples=["SearchCases"])
    since: PathText = Field(description="Element for the earlier moment.", examples=["ModifiedFrom"])
    until: PathText = Field(description="Element for the later moment.", examples=["ModifiedTo"])
    send: dict[PathText, str] = Field(
        default={}, description="What else the request says, element by element.", examples=[{"User": "dolen"}]
    )
    window: Annotated[timedelta, AfterValidator(_window)] = Field(
        default=timedelta(days=7),
        description="How much time one reply covers; smaller where a reply cannot be read.",
        examples=["P7D"],
    )
    beginning: WallClock = Field(
        description="Where a walk through everything begins: no record in the system is older.",
        examples=["2012-04-01T00:00:00"],
    )
    items: ListPath = Field(description="The records in the reply.", examples=["Case[]"])
    overlap: Overlap = Field(
        default=timedelta(minutes=5),
        description="How far behind the newest stamp the next walk starts, for late commits and skewed clocks.",
        examples=["PT5M"],
    )


Asked: TypeAlias = ModifiedSinceFeed | ModifiedBetweenFeed
AnyFeed: TypeAlias = Asked | KnownIdsFeed
SoapFeed: TypeAlias = Annotated[AnyFeed, Field(discriminator="feed")]
