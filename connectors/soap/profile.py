"""What a SOAP system's profile may say: operations of its WSDL and paths into their messages, never a condition.

A path leads through elements by their local names, `Subject/Surname`; an attribute begins with "@". Paths into a
request or a reply start below the operation's own element.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from connectors.port import Tier
from connectors.profile import FieldPath, Meaning, Name, Zone
from connectors.settings import Closed


class Pages(Closed):
    """Pages that are asked for by number and size."""

    number: Name = Field(description="Element for the number of the page.", examples=["Page"])
    size: Name = Field(description="Element for the size of the page.", examples=["PageSize"])
    of: int = Field(ge=1, le=10_000, description="How many records we ask for.", examples=[100])
    more: FieldPath = Field(description="True or false in the reply: is there another page?", examples=["MorePages"])
    first: Literal[0, 1] = Field(default=1, description="Number of the first page.", examples=[1])


class ModifiedSinceFeed(Closed):
    """Changes since a moment, page after page, oldest first."""

    feed: Literal["modified-since"] = Field(description="Kind of feed.", examples=["modified-since"])
    operation: Name = Field(description="Operation of the WSDL.", examples=["FindReferrals"])
    since: Name = Field(description="Element for the moment since when, inclusive.", examples=["ChangedFrom"])
    from_the_beginning: Name = Field(
        default="1900-01-01T00:00:00",
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$",
        description="What is sent as that moment when everything is wanted.",
        examples=["1900-01-01T00:00:00"],
    )
    page: Pages = Field(description="How pages are asked for.", examples=[{"number": "Page", "size": "PageSize"}])
    items: FieldPath = Field(description="Path of the records in the reply.", examples=["Referral"])
    overlap: timedelta = Field(
        default=timedelta(minutes=5),
        ge=timedelta(0),
        le=timedelta(days=7),
        description="How far a new walk reaches behind the newest stamp seen, for records that appear late.",
        examples=["PT5M"],
    )
    most_pages: int = Field(
        default=100_000, ge=1, description="A walk longer than this is taken for endless.", examples=[10_000]
    )


class Fetch(Closed):
    """Reads one record by its id."""

    operation: Name = Field(description="Operation of the WSDL.", examples=["GetReferral"])
    id: FieldPath = Field(description="Where the id goes in the request.", examples=["ReferralId"])
    item: FieldPath = Field(description="The record in the reply; absent if it is not there.", examples=["Referral"])


class Written(Closed):
    """What the reply to a write tells, and where."""

    id: FieldPath | None = Field(default=None, description="Path of the record's id.", examples=["ReferralId"])
    version: FieldPath | None = Field(default=None, description="Path of its new version.", examples=["Version"])
    modified: FieldPath | None = Field(default=None, description="Path of its new stamp.", examples=["LastChanged"])


class Create(Closed):
    """Makes a record under our key."""

    operation: Name = Field(description="Operation of the WSDL.", examples=["CreateReferral"])
    record: FieldPath = Field(description="Where the record goes in the request.", examples=["Referral"])
    our_key: FieldPath | None = Field(
        default=None, description="Where, in the record, our key is written.", examples=["ClientReference"]
    )
    refuses_second: bool = Field(
        default=False, description="The same key never makes a second record: the system says that it has it already."
    )
    reply: Written = Field(description="What the reply tells.", examples=[{"id": "ReferralId", "version": "Version"}])

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.refuses_second and self.our_key is None:
            raise ValueError("our_key is missing: name the element of the record that takes our key")
        if self.reply.id is None:
            raise ValueError("reply.id is missing: without the new record's id it could never be updated")
        return self


class Update(Closed):
    """Changes a record by its id."""

    operation: Name = Field(description="Operation of the WSDL.", examples=["UpdateReferral"])
    record: FieldPath = Field(description="Where the record goes in the request.", examples=["Referral"])
    mode: Literal["replace", "merge"] = Field(
        description="replace: the whole record is sent, so it is read first. merge: what is not sent stays.",
        examples=["replace"],
    )
    id: FieldPath = Field(description="Where, in the record, its id goes.", examples=["ReferralId"])
    version: FieldPath | None = Field(
        default=None,
        description="Where, in the record, the version goes that the change was made from.",
        examples=["Version"],
    )
    reply: Written = Field(default=Written(), description="What the reply tells.", examples=[{"version": "Version"}])


class Find(Closed):
    """Looks a record up by our key."""

    operation: Name = Field(description="Operation of the WSDL.", examples=["FindByClientReference"])
    by: FieldPath = Field(description="Where our key goes in the request.", examples=["ClientReference"])
    items: FieldPath = Field(description="Path of the records in the reply.", examples=["Referral"])


class Errors(Closed):
    """How the system's own faults read.

    A fault is looked up as `<name>:<code>`, as its name (the element in the detail), as its code in the detail and
    as its faultcode. What no table names: a login fault is unauthorised, a Client or Sender fault is rejected, and
    anything else on a write is "not sure".
    """

    code: FieldPath | None = Field(
        default=None, description="Path of the error code in the fault's detail.", examples=["Code"]
    )
    field: FieldPath | None = Field(
        default=None, description="Path of the name of the field that was wrong.", examples=["Field"]
    )
    existing: FieldPath | None = Field(
        default=None, description="Path of the id of a record that is there already.", examples=["ReferralId"]
    )
    faults: dict[Name, Meaning] = Field(
        default_factory=dict,
        description="Fault and what it means.",
        examples=[{"ValidationFault": "rejected", "VersionConflict": "outdated"}],
    )


class SoapRecord(Closed):
    """One kind of record."""

    id: FieldPath = Field(description="Path of the system's id.", examples=["ReferralId"])
    version: FieldPath | None = Field(default=None, description="Path of the version.", examples=["Version"])
    modified: FieldPath | None = Field(
        default=None, description="Path of the stamp of the last change.", examples=["LastChanged"]
    )
    our_key: FieldPath | None = Field(
        default=None, description="Path where the system keeps our key.", examples=["ClientReference"]
    )
    changes: ModifiedSinceFeed | None = Field(
        default=None, description="How changes are listed.", examples=[{"operation": "FindReferrals"}]
    )
    fetch: Fetch | None = Field(
        default=None, description="How one record is read.", examples=[{"operation": "GetReferral"}]
    )
    create: Create | None = Field(
        default=None, description="How a record is made.", examples=[{"operation": "CreateReferral"}]
    )
    update: Update | None = Field(
        default=None, description="How a record is changed.", examples=[{"operation": "UpdateReferral"}]
    )
    find: Find | None = Field(
        default=None,
        description="How a record is found by our key.",
        examples=[{"operation": "FindByClientReference"}],
    )
    errors: Errors = Field(
        default_factory=Errors, description="How its faults read.", examples=[{"faults": {"NotFound": "not_there"}}]
    )

    @model_validator(mode="after")
    def _sections_agree(self) -> Self:
        if self.changes is not None and self.modified is None:
            raise ValueError("modified is missing: without the records' own stamps a walk has no place to start from")
        if self.update is not None and self.update.mode == "replace" and self.fetch is None:
            raise ValueError("fetch is missing: an update with mode replace reads the record first")
        if self.find is not None and self.create is not None and self.create.our_key is None:
            raise ValueError("create.our_key is missing: what was made without our key cannot be found by it")
        return self

    @property
    def tier(self) -> Tier:
        """How a create of this kind can be made to happen once."""
        if self.create is not None and self.create.refuses_second:
            return Tier.KEEPS_KEY
        return Tier.SEARCHABLE if self.find is not None else Tier.NEITHER

    @property
    def offers(self) -> frozenset[str]:
        """What is declared, in the words of the port."""
        names = ("changes", "fetch", "create", "update", "find")
        return frozenset(name for name in names if getattr(self, name) is not None)


class SoapProfile(Closed):
    """How one SOAP system is spoken to."""

    system: str = Field(pattern=r"^[a-z0-9-]+$", description="Name of the system.", examples=["casework"])
    protocol: Literal["soap"] = Field(description="Protocol family.", examples=["soap"])
    interface: str = Field(description="Pinned WSDL.", examples=["interfaces/casework.wsdl"])
    port: Name | None = Field(
        default=None,
        description="Port of the WSDL, where it has several (SOAP 1.1 and 1.2). Leave out for the first.",
        examples=["CaseworkSoap12"],
    )
    clock: Zone = Field(description="Zone of its times without offset.", examples=["Europe/London"])
    records: dict[Name, SoapRecord] = Field(min_length=1, description="Kinds of record.", examples=[{"Referral": {}}])

    @field_validator("interface")
    @classmethod
    def _stays_inside(cls, value: str) -> str:
        if ".." in value.split("/") or value.startswith("/") or "\\" in value or ":" in value:
            raise ValueError("name a pinned file below interfaces/, such as interfaces/casework.wsdl")
        return value
