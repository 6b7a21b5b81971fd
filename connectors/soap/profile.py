"""What a SOAP system's profile may say: operations of its WSDL and paths into their messages, never a condition.

A path leads through elements by their local names; an attribute begins with "@". Paths into a request or a reply
start below the operation's own element.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from connectors.known import KnownIdsFeed
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
    beginning: str = Field(
        default="1900-01-01T00:00:00",
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$",
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


class SoapFetch(Closed):
    """Read one record by its id."""

    operation: Name = Field(description="Operation of the WSDL.", examples=["GetReferral"])
    id: PathText = Field(description="Where the id goes in the request.", examples=["ReferralId"])
    item: PathText = Field(description="The record in the reply; absent if it is not there.", examples=["Referral"])


class ReplyPaths(Closed):
    """Where, in the reply to a write, the record's id, version and stamp stand."""

    id: PathText | None = Field(default=None, description="The record's id.", examples=["ReferralId"])
    version: PathText | None = Field(default=None, description="The new version token.", examples=["Version"])
    modified: PathText | None = Field(default=None, description="The new stamp.", examples=["LastChanged"])

    @property
    def paths(self) -> list[str]:
        """Those that are given."""
        return [path for path in (self.id, self.version, self.modified) if path]


class SoapCreate(Closed):
    """Create a record under our key."""

    operation: Name = Field(description="Operation of the WSDL.", examples=["CreateReferral"])
    record: PathText = Field(description="Where the record goes in the request.", examples=["Referral"])
    our_key: PathText | None = Field(
        default=None, description="Where, in the record, our key goes.", examples=["ClientReference"]
    )
    keeps_key: bool = Field(
        default=False,
        description="The same key never makes a second record: the system answers with the first or refuses by it.",
        examples=[False],
    )
    reply: ReplyPaths = Field(description="What the reply tells.", examples=[{"id": "ReferralId"}])

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.keeps_key and self.our_key is None:
            raise ValueError("keeps_key needs our_key: name the element of the record that takes our key")
        if self.reply.id is None:
            raise ValueError("reply.id is missing: without the new record's id it could never be updated")
        return self


class SoapUpdate(Closed):
    """Change a record, checked against its version where the system can."""

    operation: Name = Field(description="Operation of the WSDL.", examples=["UpdateReferral"])
    record: PathText = Field(description="Where the record goes in the request.", examples=["Referral"])
    mode: Literal["replace", "merge"] = Field(
        description="replace: the whole record is sent, so it is read first. merge: only what is sent changes.",
        examples=["replace"],
    )
    id: PathText = Field(description="Where, in the record, its id goes.", examples=["ReferralId"])
    version: PathText | None = Field(
        default=None,
        description="Where, in the record, the version goes that the change was made from.",
        examples=["Version"],
    )
    reply: ReplyPaths = Field(
        default=ReplyPaths(), description="What the reply tells.", examples=[{"version": "Version"}]
    )


class SoapFind(Closed):
    """Find the records that the system holds under our key."""

    operation: Name = Field(description="Operation of the WSDL.", examples=["FindByClientReference"])
    by: PathText = Field(description="Where our key goes in the request.", examples=["ClientReference"])
    items: ListPath = Field(description="The records in the reply.", examples=["Referral[]"])


class SoapLookup(LookupRows):
    """Ask which codes the system takes at a path of the record."""

    operation: Name = Field(description="Operation of the WSDL.", examples=["GetCodeList"])
    send: dict[PathText, str] = Field(
        default={}, description="What the request says, element by element.", examples=[{"List": "Priority"}]
    )
    items: ListPath = Field(description="The rows in the reply.", examples=["Entry[]"])


class SoapRecord(Errors):
    """Everything that can be done with one kind of record.

    A fault is looked up in `errors` as `name:code`, as its name (the element in its detail), as its code in the detail
    and as its faultcode. What is not there: a login fault is unauthorised, a Client or Sender fault is rejected, and
    anything else is unknown, which on a create means "not sure".
    """

    item: ItemPaths = Field(description="Where id, version, stamp and our key stand.", examples=[{"id": "ReferralId"}])
    changes: Annotated[ModifiedSinceFeed | KnownIdsFeed, Field(discriminator="feed")] | None = Field(
        default=None, description="List changes.", examples=[{"feed": "modified-since"}]
    )
    fetch: SoapFetch | None = Field(default=None, description="Read one.", examples=[{"operation": "GetReferral"}])
    create: SoapCreate | None = Field(default=None, description="Create.", examples=[{"operation": "CreateReferral"}])
    update: SoapUpdate | None = Field(default=None, description="Change.", examples=[{"operation": "UpdateReferral"}])
    find: SoapFind | None = Field(
        default=None, description="Find by our key.", examples=[{"operation": "FindByClientReference"}]
    )

    lookups: dict[PathText, SoapLookup] = Field(
        default={},
        description="By path in the record: how the system is asked which codes stand there.",
        examples=[{"Priority": {"operation": "GetCodeList"}}],
    )

    @model_validator(mode="after")
    def _sections_agree(self) -> Self:
        if isinstance(self.changes, KnownIdsFeed) and self.fetch is None:
            raise ValueError("a known-ids feed needs fetch: each record is read again by its id")
        if isinstance(self.changes, ModifiedSinceFeed) and self.item.modified is None:
            raise ValueError("a modified-since feed needs item.modified: name the element with the last change")
        if self.update is not None and self.update.mode == "replace" and self.fetch is None:
            raise ValueError("update.mode replace needs fetch: the record is read before it is replaced")
        if self.find is not None and self.create is not None and self.create.our_key is None:
            raise ValueError("find needs create.our_key: what was made without our key cannot be found by it")
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


class SoapProfile(Closed):
    """How a SOAP system is spoken to."""

    system: Name = Field(description="The system's name.", examples=["casework"])
    protocol: Literal["soap"] = Field(description="Kind of interface.", examples=["soap"])
    interface: PinnedFile = Field(description="The pinned WSDL.", examples=["interfaces/casework.wsdl"])
    interface_url: LivePlace | None = Field(
        default=None,
        description="Where the system shows its interface today, behind the connection's url. Left out: `?wsdl`.",
        examples=["?singleWsdl"],
    )
    port: Name | None = Field(
        default=None,
        description="Port of the WSDL, where it has several (SOAP 1.1 and 1.2). Leave out for the first.",
        examples=["Soap12"],
    )
    clock: Zone = Field(description="Zone of the system's times that carry no offset.", examples=["Europe/London"])
    records: dict[Name, SoapRecord] = Field(
        min_length=1, description="One section for each kind of record.", examples=[{"Referral": {}}]
    )
