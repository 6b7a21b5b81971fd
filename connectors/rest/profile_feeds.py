"""The change feeds that a REST profile may declare: one closed schema each, told apart by `feed`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from connectors.known import KnownIdsFeed
from connectors.profile import Name, Overlap, PathText
from connectors.references import Closed
from connectors.rest.profile_paths import ItemsPath, ParameterName, PlainPath


class NamedPages(Closed):
    """Pages of which each names the next."""

    next: PathText | None = Field(default=None, description="Where the reply names the next page.", examples=["next"])
    next_header: Literal["Link"] | None = Field(
        default=None, description="The Link header (rel=next) instead.", examples=["Link"]
    )
    is_: Literal["token", "link"] = Field(
        default="token",
        alias="is",
        description="token: a text to send back. link: an address; one that leaves the connection's url is refused.",
        examples=["token"],
    )
    at_end: Literal["null", "absent"] = Field(
        default="null",
        description="The last page. null: next is null or empty, and its absence is a fault. absent: next is left out.",
        examples=["null"],
    )
    cursor: ParameterName | None = Field(
        default=None, description="Parameter that takes the token of the next page.", examples=["cursor"]
    )
    size: ParameterName | None = Field(default=None, description="Parameter for the page's size.", examples=["limit"])
    of: int = Field(default=100, ge=1, le=10_000, description="Records a page.", examples=[100])
    at_most: int = Field(
        default=10_000, ge=1, description="A walk longer than so many pages is taken for endless.", examples=[10_000]
    )

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        if (self.next is None) == (self.next_header is None):
            raise ValueError("write either next or next_header")
        if self.next_header is not None and self.is_ == "token":
            raise ValueError("a Link header holds a link: write `is: link`")
        if self.is_ == "token" and self.cursor is None:
            raise ValueError("cursor is missing: name the parameter that takes the token of the next page")
        return self


class CursorFeed(Closed):
    """List what changed since a moment, each page naming the next."""

    feed: Literal["cursor"] = Field(description="Kind of feed.", examples=["cursor"])
    path: PlainPath = Field(description="Path below the connection's url.", examples=["/requests"])
    query: dict[ParameterName, Name] = Field(
        default={}, description="Parameters that are always sent.", examples=[{"sort": "changed_at"}]
    )
    since: ParameterName = Field(
        description="Parameter for the moment; records changed at that moment count.", examples=["changed_since"]
    )
    page: NamedPages = Field(description="How pages are asked for.", examples=[{"next": "next", "cursor": "cursor"}])
    items: ItemsPath = Field(description="The records in the reply.", examples=["requests[]"])
    overlap: Overlap = Field(
        default=timedelta(minutes=5),
        description="How far behind the newest stamp the next walk starts, for late commits and skewed clocks.",
        examples=["PT5M"],
    )


class IdListFeed(Closed):
    """List the ids of what changed since a moment, then read each record through `fetch`."""

    feed: Literal["id-list"] = Field(description="Kind of feed.", examples=["id-list"])
    path: PlainPath = Field(description="Path below the connection's url.", examples=["/requests/changed"])
    query: dict[ParameterName, Name] = Field(
        default={}, description="Parameters that are always sent.", examples=[{"sort": "changed_at"}]
    )
    since: ParameterName = Field(
        description="Parameter for the moment; records changed at that moment count.", examples=["changed_since"]
    )
    page: NamedPages | None = Field(
        default=None,
        description="How pages of the list are asked for. Leave out if one reply holds the whole list.",
        examples=[{"next": "next", "cursor": "cursor"}],
    )
    items: ItemsPath = Field(description="The entries of the list in the reply.", examples=["changed[]"])
    id: PathText = Field(description="Where, in an entry, the record's id stands.", examples=["id"])
    modified: PathText = Field(description="Where, in an entry, the moment of the change stands.", examples=["at"])
    of: int = Field(default=50, ge=1, le=1_000, description="Records fetched for a page.", examples=[50])
    overlap: Overlap = Field(
        default=timedelta(minutes=5),
        description="How far behind the newest stamp the next walk starts, for late commits and skewed clocks.",
        examples=["PT5M"],
    )


class CountedPages(Closed):
    """Pages that are asked for by their number, or by how many records stand before them."""

    by: Literal["number", "offset"] = Field(description="What is counted: pages, or records.", examples=["number"])
    parameter: ParameterName = Field(description="Parameter for the number or the offset.", examples=["page"])
    first: int = Field(default=1, ge=0, le=1, description="Number of the first page.", examples=[1])
    size: ParameterName = Field(description="Parameter for the page's size.", examples=["per_page"])
    of: int = Field(
        default=100, ge=1, le=10_000, description="Records a page; no more than the system gives.", examples=[100]
    )
    at_most: int = Field(
        default=10_000, ge=1, description="A walk longer than so many pages is taken for endless.", examples=[10_000]
    )


class NewestFirstFeed(Closed):
    """List whole records, the newest change first, until what is shown is known."""

    feed: Literal["newest-first"] = Field(description="Kind of feed.", examples=["newest-first"])
    path: PlainPath = Field(description="Path below the connection's url.", examples=["/requests"])
    query: dict[ParameterName, Name] = Field(
        default={}, description="Parameters that are always sent.", examples=[{"sort": "-changed_at"}]
    )
    page: CountedPages = Field(
        description="How pages are asked for.", examples=[{"by": "number", "parameter": "page", "size": "per_page"}]
    )
    items: ItemsPath = Field(description="The records in the reply.", examples=["requests[]"])
    overlap: Overlap = Field(
        default=timedelta(minutes=5),
        description="How far behind the newest stamp a walk still reads, for late commits and skewed clocks.",
        examples=["PT5M"],
    )


Feed: TypeAlias = Annotated[CursorFeed | IdListFeed | NewestFirstFeed | KnownIdsFeed, Field(discriminator="feed")]
