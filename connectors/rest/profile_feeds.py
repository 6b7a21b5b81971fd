"""The change feeds that a REST profile may declare: one closed schema each, told apart by `feed`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from connectors.known import KnownIdsFeed
from connectors.profile import Name, Overlap, PathText
from connectors.references import Closed
from connectors.rest.profile_emptied import InboxFeed, QueueFeed
from connectors.rest.profile_paths import Headers, HerePath, ItemsPath, ParameterName, PlainPath, QueryText


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


class Removed(Closed):
    """How a delta tells that a record is gone: by a mark on an entry, or in a list of its own."""

    mark: PathText | None = Field(
        default=None,
        description="Where, in an entry among the others, it says so. Anything but null and false says it.",
        examples=["@removed"],
    )
    ends: Name | None = Field(
        default=None, description="What the text at `mark` ends with, where others stand there too.",
        examples=["$deletedEntity"],
    )  # fmt: skip
    items: ItemsPath | None = Field(
        default=None, description="Instead of a mark: the list that holds what is gone.", examples=["deleted[]"]
    )
    id: HerePath = Field(default="id", description="Where, in such an entry, the id stands.", examples=["id"])
    reason: PathText | None = Field(
        default=None,
        description="Where it says why. Any other reason than those of `deleted` needs a person: the record may only "
        "be out of our sight.",
        examples=["@removed/reason"],
    )
    deleted: list[Name] = Field(
        default=["deleted"], description="The reasons that mean deleted.", examples=[["deleted"]]
    )

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.mark is None) == (self.items is None):
            raise ValueError("write either mark or items")
        if self.ends is not None and self.mark is None:
            raise ValueError("ends goes with mark")
        return self


class DeltaFeed(Closed):
    """List everything once, then what changed since the place that the system itself gave us."""

    feed: Literal["delta"] = Field(description="Kind of feed.", examples=["delta"])
    path: PlainPath = Field(description="Path below the connection's url.", examples=["/requests"])
    query: dict[ParameterName, QueryText] = Field(
        default={},
        description="Parameters of the first call; a link holds its own.",
        examples=[{"$select": "id,status"}],
    )
    headers: Headers = Field(
        default={},
        description="Headers of every call; {size} is the number of records wanted in a page.",
        examples=[{"Prefer": "odata.maxpagesize={size}"}],
    )
    begin_headers: Headers = Field(
        default={},
        description="Headers of the calls that read everything, in place of those of the same name.",
        examples=[{"Prefer": "odata.track-changes, odata.maxpagesize={size}"}],
    )
    is_: Literal["link", "token"] = Field(
        alias="is",
        description="link: addresses; one that leaves the connection's url is refused. token: texts to send back.",
        examples=["link"],
    )
    next: PathText = Field(
        default="@odata.nextLink", description="Where the reply names the next page.", examples=["nextPageToken"]
    )
    delta: PathText = Field(
        default="@odata.deltaLink",
        description="Where the last page names the place from which to ask the next time.",
        examples=["nextSyncToken"],
    )
    cursor: ParameterName | None = Field(
        default=None, description="Parameter that takes the token of the next page.", examples=["pageToken"]
    )
    since: ParameterName | None = Field(
        default=None, description="Parameter that takes the token of the last time.", examples=["syncToken"]
    )
    size: ParameterName | None = Field(default=None, description="Parameter for the page's size.", examples=["limit"])
    of: int = Field(default=100, ge=1, le=10_000, description="Records a page.", examples=[100])
    at_most: int = Field(
        default=10_000, ge=1, description="A walk longer than so many pages is taken for endless.", examples=[10_000]
    )
    items: ItemsPath = Field(description="The entries in the reply.", examples=["value[]"])
    removed: Removed | None = Field(
        default=None,
        description="How it tells what is gone. Leave out if it never does.",
        examples=[{"mark": "@removed"}],
    )
    expired: list[Name] = Field(
        default=["410"],
        min_length=1,
        description="Error codes, or HTTP statuses in quotes, that say that the place is forgotten: all is read anew.",
        examples=[["410", "SyncStateNotFound"]],
    )

    @model_validator(mode="after")
    def _tokens_have_parameters(self) -> Self:
        if self.is_ == "token" and (self.cursor is None or self.since is None):
            raise ValueError("name the parameters that take tokens: cursor for the next page, since for the next time")
        if self.is_ == "link" and (self.cursor is not None or self.since is not None):
            raise ValueError("a link is called as it is: leave out cursor and since, or write `is: token`")
        return self

    @property
    def sized(self) -> bool:
        """Whether a page can be asked for by its size."""
        told = (*self.headers.values(), *self.begin_headers.values())
        return self.size is not None or any("{size}" in text for text in told)


class DeletedWindow(Closed):
    """What was deleted in a window."""

    path: PlainPath = Field(description="Path below the connection's url.", examples=["/requests/deleted"])
    items: ItemsPath = Field(description="The entries in the reply.", examples=["deletedRecords[]"])
    id: HerePath = Field(default="id", description="Where, in an entry, the id stands.", examples=["id"])
    earliest: PathText | None = Field(
        default=None,
        description="Where the reply says from when on the system remembers deletions.",
        examples=["earliestDateAvailable"],
    )


class AllIds(Closed):
    """All ids there are, in pages of which each names the next by a link."""

    path: PlainPath = Field(description="Path below the connection's url.", examples=["/query"])
    query: dict[ParameterName, QueryText] = Field(
        default={}, description="Parameters of the first page.", examples=[{"q": "SELECT Id FROM Case ORDER BY Id"}]
    )
    items: ItemsPath = Field(description="The entries in the reply.", examples=["records[]"])
    id: HerePath = Field(default="id", description="Where, in an entry, the id stands.", examples=["Id"])
    next: PathText = Field(description="Where the reply names the next page; left out on the last.", examples=["next"])
    at_most: int = Field(
        default=10_000, ge=1, description="A list longer than so many pages is taken for endless.", examples=[10_000]
    )


class IdWindowFeed(Closed):
    """List the ids of what changed between two moments, then read each record through `fetch`."""

    feed: Literal["id-window"] = Field(description="Kind of feed.", examples=["id-window"])
    path: PlainPath = Field(description="Path below the connection's url.", examples=["/requests/updated"])
    begins: ParameterName = Field(description="Parameter for the window's beginning.", examples=["start"])
    ends: ParameterName = Field(description="Parameter for its end.", examples=["end"])
    items: ItemsPath = Field(description="The ids in the reply.", examples=["ids[]"])
    covered: PathText = Field(
        description="Where the reply says up to when it is complete.", examples=["latestDateCovered"]
    )
    deleted: DeletedWindow | None = Field(
        default=None,
        description="How deletions are listed. Leave out if they are not.",
        examples=[{"path": "/requests/deleted"}],
    )
    all: AllIds = Field(
        description="How all ids are listed: at first, and after longer than `reach`.", examples=[{"path": "/requests"}]
    )
    now: PlainPath = Field(
        default="/", description="A path with a small answer, whose Date tells the system's time.", examples=["/"]
    )
    of: int = Field(default=50, ge=1, le=1_000, description="Records fetched for a page.", examples=[50])
    reach: Annotated[timedelta, Field(ge=timedelta(hours=1), le=timedelta(days=400))] = Field(
        description="How far back the system remembers.", examples=["P14D"]
    )
    shortest: Overlap = Field(
        default=timedelta(minutes=2),
        description="The shortest window that may be asked for: some systems ignore seconds.",
        examples=["PT2M"],
    )
    overlap: Overlap = Field(
        default=timedelta(minutes=1),
        description="How far before the end of the last window the next one begins.",
        examples=["PT1M"],
    )
    expired: list[Name] = Field(
        default=[],
        description="Error codes that say that a window cannot be told any more: all is read anew.",
        examples=[["INVALID_REPLICATION_DATE"]],
    )


Feed: TypeAlias = Annotated[
    CursorFeed | IdListFeed | NewestFirstFeed | DeltaFeed | IdWindowFeed | KnownIdsFeed | InboxFeed | QueueFeed,
    Field(discriminator="feed")
]
