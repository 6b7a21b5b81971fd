"""What a REST system's profile may say: paths, names and look-ups, and never a condition.

A path of the URL may hold `{id}` and `{our_key}` and nothing else, so that no profile can put a person into a URL.
Paths into a record are those of every profile: `customer/last_name`, and a list is marked: `requests[]`.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, Field, model_validator

from connectors.port import Tier
from connectors.profile import (
    Errors,
    ItemPaths,
    ListPath,
    LivePlace,
    LookupRows,
    Name,
    Overlap,
    PathText,
    PinnedFile,
    Zone,
)
from connectors.references import Closed

OFFERS = ("changes", "fetch", "create", "update", "find")
_PLACE = re.compile(r"\{([^{}]*)\}")


def _url_path(path: str, allowed: frozenset[str]) -> str:
    if not path.startswith("/") or path.startswith("//") or any(sign in path for sign in "?#\\ %"):
        raise ValueError("write a path below the connection's url, such as /requests/{id}")
    if {".", ".."} & set(path.split("/")):
        raise ValueError("a path cannot hold . or .. as a step")
    if unknown := set(_PLACE.findall(path)) - allowed:
        may = " and ".join("{" + name + "}" for name in sorted(allowed)) or "no placeholder"
        raise ValueError(f"{{{min(unknown)}}} cannot stand in this path; it may hold {may}")
    return path


def _plain(path: str) -> str:
    return _url_path(path, frozenset())


def _with_id(path: str) -> str:
    if "{id}" not in _url_path(path, frozenset({"id"})):
        raise ValueError("write {id} where the record's id stands, such as /requests/{id}")
    return path


def _with_key(path: str) -> str:
    return _url_path(path, frozenset({"our_key"}))


PlainPath = Annotated[str, AfterValidator(_plain)]
IdPath = Annotated[str, AfterValidator(_with_id)]
KeyPath = Annotated[str, AfterValidator(_with_key)]
ItemsPath: TypeAlias = ListPath | Literal["[]"]
ParameterName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.$\[\]-]+$")]
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")]
ContentType = Annotated[str, Field(pattern=r"^application/([a-z0-9.-]+\+)?json$")]


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


class RestFetch(Closed):
    """Read one record by its id."""

    path: IdPath = Field(description="Path below the connection's url.", examples=["/requests/{id}"])


class RestCreate(Closed):
    """Create a record under our key."""

    method: Literal["POST", "PUT"] = Field(description="HTTP method.", examples=["PUT"])
    path: KeyPath = Field(description="Path below the connection's url.", examples=["/requests/by-external/{our_key}"])
    content_type: ContentType = Field(
        default="application/json", description="Content type.", examples=["application/json"]
    )
    our_key: PathText | None = Field(
        default=None, description="Where, in the record, our key goes.", examples=["external_reference"]
    )
    key_header: HeaderName | None = Field(
        default=None, description="Header that carries our key.", examples=["Idempotency-Key"]
    )
    keeps_key: bool = Field(
        default=False,
        description="The same key never makes a second record: the system changes, answers with or refuses by it.",
        examples=[True],
    )

    @model_validator(mode="after")
    def _key_has_a_place(self) -> Self:
        if self.keeps_key and not ("{our_key}" in self.path or self.our_key or self.key_header):
            raise ValueError("keeps_key needs a place for our key: {our_key} in path, our_key or key_header")
        return self


class VersionCheck(Closed):
    """How an update says which version it was made from."""

    header: HeaderName = Field(default="If-Match", description="Header.", examples=["If-Match"])
    value: str = Field(
        default="{version}",
        pattern=r"^[\x21-\x7e]*\{version\}[\x21-\x7e]*$",
        description="Its value; {version} is the record's version.",
        examples=['"{version}"'],
    )


class RestUpdate(Closed):
    """Change a record, checked against its version where the system can."""

    method: Literal["PATCH", "PUT", "POST"] = Field(description="HTTP method.", examples=["PATCH"])
    path: IdPath = Field(description="Path below the connection's url.", examples=["/requests/{id}"])
    content_type: ContentType = Field(
        default="application/json", description="Content type.", examples=["application/merge-patch+json"]
    )
    mode: Literal["replace", "merge"] = Field(
        description="replace: the whole record is sent, so it is read first. merge: only what is sent changes.",
        examples=["merge"],
    )
    reads_first: bool = Field(
        default=True,
        description="Read the record and write onto it. A merge wants it too where lists are replaced as a whole.",
        examples=[True],
    )
    check: VersionCheck | None = Field(
        default=None, description="Version check. Leave out if there is none.", examples=[{"header": "If-Match"}]
    )

    @model_validator(mode="after")
    def _replace_reads(self) -> Self:
        if self.mode == "replace" and not self.reads_first:
            raise ValueError("mode replace needs reads_first: what we do not map would be wiped")
        return self


class RestFind(Closed):
    """Find the records that the system holds under our key."""

    path: KeyPath = Field(description="Path below the connection's url.", examples=["/requests/by-external/{our_key}"])
    by: ParameterName | None = Field(
        default=None, description="Query parameter for our key, if it is not in the path.", examples=["reference"]
    )
    items: ItemsPath | None = Field(
        default=None,
        description="The records in the reply. Leave out if the reply is the one record, or 404.",
        examples=["requests[]"],
    )

    @model_validator(mode="after")
    def _asks_by_key(self) -> Self:
        if ("{our_key}" in self.path) == (self.by is not None):
            raise ValueError("our key stands either in path as {our_key} or in the parameter that `by` names")
        return self


class RestLookup(LookupRows):
    """Ask which codes the system takes at a path of the record."""

    path: PlainPath = Field(description="Path below the connection's url.", examples=["/codes/priority"])
    query: dict[ParameterName, Name] = Field(
        default={}, description="Parameters that are always sent.", examples=[{"list": "priority"}]
    )
    items: ItemsPath = Field(description="The rows in the reply.", examples=["codes[]"])


class RestRecord(Errors):
    """Everything that can be done with one kind of record.

    An error is looked up in `errors` by its code in the body, then by its HTTP status in quotes; what is not there is
    judged by its status.
    """

    component: Name = Field(description="Name of its schema in the interface.", examples=["Request"])
    item: ItemPaths = Field(
        description="Where id, version, stamp and our key stand. Without version the ETag is taken.",
        examples=[{"id": "id"}],
    )
    leave_out: list[PathText] = Field(
        default=[], description="What the system sets itself and we never send.", examples=[["id", "version"]]
    )
    changes: CursorFeed | None = Field(default=None, description="List changes.", examples=[{"feed": "cursor"}])
    fetch: RestFetch | None = Field(default=None, description="Read one.", examples=[{"path": "/requests/{id}"}])
    create: RestCreate | None = Field(default=None, description="Create.", examples=[{"method": "PUT"}])
    update: RestUpdate | None = Field(default=None, description="Change.", examples=[{"method": "PATCH"}])
    find: RestFind | None = Field(default=None, description="Find by our key.", examples=[{"by": "reference"}])

    lookups: dict[PathText, RestLookup] = Field(
        default={},
        description="By path in the record: how the system is asked which codes stand there.",
        examples=[{"priority": {"path": "/codes/priority"}}],
    )

    @model_validator(mode="after")
    def _sections_agree(self) -> Self:
        if self.changes is not None and self.item.modified is None:
            raise ValueError("a cursor feed needs item.modified: name the field with the last change")
        if self.update is not None and self.update.reads_first and self.fetch is None:
            raise ValueError("update.reads_first needs fetch: the record is read before it is written onto")
        return self

    @property
    def tier(self) -> Tier:
        """How a create of this kind is made to happen once."""
        if self.create is not None and self.create.keeps_key:
            return Tier.KEEPS_KEY
        return Tier.SEARCHABLE if self.find is not None else Tier.NEITHER

    @property
    def offers(self) -> frozenset[str]:
        """What is declared, in the words of the port."""
        return frozenset(name for name in OFFERS if getattr(self, name) is not None)


class RestProfile(Closed):
    """How a REST system is spoken to."""

    system: Name = Field(description="The system's name.", examples=["contact"])
    protocol: Literal["rest"] = Field(description="Kind of interface.", examples=["rest"])
    interface: PinnedFile = Field(description="The pinned OpenAPI file.", examples=["interfaces/contact.openapi.yaml"])
    interface_url: LivePlace | None = Field(
        default=None,
        description="Where the system shows its interface today, behind the connection's url. Left out: it shows none.",
        examples=["/openapi.yaml"],
    )
    clock: Zone = Field(description="Zone of the system's times that carry no offset.", examples=["Europe/London"])
    records: dict[Name, RestRecord] = Field(
        min_length=1, description="One section for each kind of record.", examples=[{"Request": {}}]
    )
