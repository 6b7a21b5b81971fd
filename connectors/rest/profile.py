"""What a REST system's profile may say: paths, names and look-ups, and never a condition.

A path of the URL may hold `{id}` and `{our_key}` and nothing else, so that no profile can put a person into a URL.
Paths into a record are those of every profile: `customer/last_name`, and a list is marked: `requests[]`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from connectors.known import KnownIdsFeed
from connectors.port import Tier
from connectors.profile import (
    ErrorName,
    Errors,
    ItemPaths,
    LivePlace,
    LookupRows,
    Name,
    PathText,
    PinnedFile,
    Zone,
)
from connectors.references import Closed
from connectors.rest.profile_documents import RestDocuments
from connectors.rest.profile_emptied import QueueFeed
from connectors.rest.profile_feeds import CursorFeed, Feed, IdListFeed, IdWindowFeed, NewestFirstFeed
from connectors.rest.profile_paths import (
    ContentType,
    HeaderName,
    Headers,
    IdPath,
    ItemsPath,
    KeyPath,
    KeyText,
    ParameterName,
    PlainPath,
    QueryText,
)
from connectors.rest.profile_push import RestPush

OFFERS = ("changes", "fetch", "create", "update", "find")


class RestCall(Closed):
    """What any call may carry beside its path."""

    headers: Headers = Field(
        default={}, description="Headers of this call.", examples=[{"Prefer": "return=representation"}]
    )
    query: dict[ParameterName, QueryText] = Field(
        default={}, description="Parameters that are always sent.", examples=[{"$select": "id,status"}]
    )


class RestWrite(RestCall):
    """What any call that changes something may say."""

    errors: dict[Name, ErrorName] = Field(
        default={},
        description="Error code, or HTTP status in quotes: what it means for this call. Goes before the record's own.",
        examples=[{"412": "duplicate"}],
    )


class RestFetch(RestCall):
    """Read one record by its id."""

    path: IdPath = Field(description="Path below the connection's url.", examples=["/requests/{id}"])


class RestCommit(Closed):
    """The second step of a create: submit what the first one made, or put our key beside it. Safe to repeat."""

    method: Literal["PUT", "POST", "PATCH"] = Field(default="PUT", description="HTTP method.", examples=["PUT"])
    path: IdPath = Field(
        description="Path below the connection's url; {id} is what the first step made.",
        examples=["/requests/{id}/submit"],
    )
    query: dict[ParameterName, KeyText] = Field(
        default={}, description="Parameters; {our_key} is our key.", examples=[{"reference": "{our_key}"}]
    )
    draft: bool = Field(
        default=False,
        description="What the first step makes counts for nothing until this one, so that it may be made again. Ask "
        "the supplier before writing true.",
        examples=[True],
    )


class RestCreate(RestWrite):
    """Create a record under our key."""

    method: Literal["POST", "PUT", "PATCH"] = Field(description="HTTP method.", examples=["PUT"])
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
    id: PathText | None = Field(
        default=None,
        description="Where the answer names the new record, if not where `item.id` says.",
        examples=["createdId"],
    )
    done: PathText | None = Field(
        default=None,
        description="Where an answer says whether it was done, true or 1; anything else there is a refusal.",
        examples=["result"],
    )
    commit: RestCommit | None = Field(
        default=None, description="The second step, if there are two.", examples=[{"path": "/requests/{id}/submit"}]
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
        if self.keeps_key and self.commit is not None:
            raise ValueError("keeps_key and commit do not go together: of two steps the first may be made twice")
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
    as_: Literal["text", "http-date"] = Field(
        default="text",
        alias="as",
        description="http-date: the version is a moment and is written as HTTP writes dates, to the second.",
        examples=["http-date"],
    )


class RestUpdate(RestWrite):
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


class RestDryWrite(Closed):
    """A call by which the system judges a record and keeps nothing of it. For `dolen doctor`."""

    method: Literal["POST", "PUT"] = Field(default="POST", description="HTTP method.", examples=["POST"])
    path: PlainPath = Field(description="Path below the connection's url.", examples=["/requests/validate"])


class RestFind(RestCall):
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
    query: dict[ParameterName, QueryText] = Field(
        default={},
        description="Parameters of every call that reads whole records: a list of changes, fetch and find.",
        examples=[{"$select": "id,status"}],
    )
    waits: dict[Name, timedelta] = Field(
        default={},
        description="Error code that means throttled: how long to wait where the system does not say.",
        examples=[{"REQUEST_LIMIT_EXCEEDED": "PT15M"}],
    )
    joined: dict[PathText, Annotated[str, Field(min_length=1, max_length=3)]] = Field(
        default={},
        description="Texts that hold several values, each with what stands between them. Mappings, and the pinned "
        "interface, see a list.",
        examples=[{"needs": ";"}],
    )
    leave_out: list[PathText] = Field(
        default=[], description="What the system sets itself and we never send.", examples=[["id", "version"]]
    )
    changes: Feed | None = Field(default=None, description="List changes.", examples=[{"feed": "cursor"}])
    fetch: RestFetch | None = Field(default=None, description="Read one.", examples=[{"path": "/requests/{id}"}])
    create: RestCreate | None = Field(default=None, description="Create.", examples=[{"method": "PUT"}])
    update: RestUpdate | None = Field(default=None, description="Change.", examples=[{"method": "PATCH"}])
    find: RestFind | None = Field(default=None, description="Find by our key.", examples=[{"by": "reference"}])

    dry_write: RestDryWrite | None = Field(
        default=None,
        description="How `dolen doctor` may ask whether a record would be taken. Leave out if that cannot be asked.",
        examples=[{"path": "/requests/validate"}],
    )
    documents: RestDocuments | None = Field(
        default=None,
        description="Documents that belong to a record: how one is fetched, added, and looked for.",
        examples=[{"fetch": {"path": "/requests/{id}/documents/{ref}"}}],
    )

    push: RestPush | None = Field(
        default=None, description="The system calls us.", examples=[{"carries": "id"}]
    )
    lookups: dict[PathText, RestLookup] = Field(
        default={},
        description="By path in the record: how the system is asked which codes stand there.",
        examples=[{"priority": {"path": "/codes/priority"}}],
    )

    @model_validator(mode="after")
    def _sections_agree(self) -> Self:
        if isinstance(self.changes, IdListFeed | IdWindowFeed) and self.fetch is None:
            feed = self.changes.feed
            raise ValueError(f"an {feed} feed needs fetch: the list holds ids, and each record is read by its id")
        if isinstance(self.changes, KnownIdsFeed) and self.fetch is None:
            raise ValueError("a known-ids feed needs fetch: each record is read again by its id")
        if isinstance(self.changes, IdWindowFeed) and self.fault.code is None:
            raise ValueError("an id-window feed needs fault.code: a record that is gone must be told from a wrong path")
        if isinstance(self.changes, QueueFeed) and self.changes.id is not None and self.fetch is None:
            raise ValueError("a queue whose entries name records needs fetch: each record is read by its id")
        if isinstance(self.changes, CursorFeed | NewestFirstFeed) and self.item.modified is None:
            raise ValueError(f"a {self.changes.feed} feed needs item.modified: name the field with the last change")
        if self.update is not None and self.update.reads_first and self.fetch is None:
            raise ValueError("update.reads_first needs fetch: the record is read before it is written onto")
        if self.push is not None and self.push.carries == "record" and self.item.modified is None:
            raise ValueError("push.carries record needs item.modified: pushes overtake one another; else carry the id")
        if self.push is not None and self.push.carries == "id" and (self.push.id is None or self.fetch is None):
            raise ValueError("push.carries id needs push.id, where the id stands, and fetch, by which it is read")
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
    headers: Headers = Field(default={}, description="Headers of every call.", examples=[{"OData-Version": "4.0"}])
    clock: Zone = Field(description="Zone of the system's times that carry no offset.", examples=["Europe/London"])
    records: dict[Name, RestRecord] = Field(
        min_length=1, description="One section for each kind of record.", examples=[{"Request": {}}]
    )
