"""What the profile of a MESH mailbox may say: which workflows, how records stand in a message, how one is sent.

Which mailbox is ours and to which we send are settings of the connection.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from connectors.files.profile import Control, Csv, Encoding, RowRecord
from connectors.profile import STEP, Name, PathText, Zone
from connectors.references import Closed

OFFERS = ("changes", "create", "update", "find")
#: Mex-WorkflowID and Mex-Subject travel as headers.
Workflow = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$", max_length=300)]
HeaderText = Annotated[str, Field(pattern=r"^[\x20-\x7e]+$", max_length=500)]
ElementName = Annotated[str, Field(pattern=rf"^{STEP}$")]


class Mailbox(Closed):
    """Read what waits in our inbox, and acknowledge it when it is written down."""

    feed: Literal["mailbox"] = Field(description="Kind of feed.", examples=["mailbox"])
    workflows: list[Workflow] = Field(
        min_length=1,
        description="Workflow ids whose messages hold this kind. Others stay in the inbox for whoever takes them.",
        examples=[["ADULT_SOCIAL_CARE_REFERRAL"]],
    )
    format: Literal["json", "json-lines", "csv", "xml"] = Field(
        description="How records stand in a message. json: the message is one record, such as a FHIR resource.",
        examples=["json"],
    )
    encoding: Encoding = Field(
        default="utf-8", description="How letters are written (not for XML, which says so itself).", examples=["utf-8"]
    )
    csv: Csv = Field(default=Csv(), description="For CSV alone.", examples=[{"delimiter": "|"}])
    items: ElementName | None = Field(
        default=None, description="For XML alone: the name of the element that is one record.", examples=["Referral"]
    )
    control: Control | None = Field(
        default=None,
        description="A trailer with the number of records. CSV alone.",
        examples=[{"trailer": {"first": "TRL", "count": 2}}],
    )
    of: int = Field(default=200, ge=1, le=10_000, description="Records that are taken in together.", examples=[200])

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        if (self.format == "xml") != (self.items is not None):
            raise ValueError("items goes with format xml, and format xml needs it: name the element of one record")
        if self.format != "csv" and ("csv" in self.model_fields_set or self.control is not None):
            raise ValueError("csv and control go with format csv")
        if self.control is not None and self.control.trailer is None:
            raise ValueError("a message has no second file beside it: write control.trailer")
        return self


class Send(Closed):
    """Send one record as one message."""

    workflow: Workflow = Field(description="Workflow id.", examples=["ADULT_SOCIAL_CARE_REFERRAL"])
    format: Literal["json", "csv", "xml"] = Field(description="How the record is written.", examples=["json"])
    content_type: Annotated[str, Field(pattern=r"^[a-z]+/[a-z0-9.+-]+$")] = Field(
        default="application/octet-stream",
        description="Content type of the message.",
        examples=["application/fhir+json"],
    )
    items: ElementName | None = Field(
        default=None, description="For XML alone: the name of the element.", examples=["Referral"]
    )
    subject: HeaderText | None = Field(
        default=None, description="A subject that says nothing of a person.", examples=["Referral"]
    )
    number: PathText | None = Field(
        default=None,
        description="Where the number goes, in the record, by which both sides know it: our reference in what we "
        "begin, theirs in what they began. Left out, a record that we sent is known by the number of its message, and "
        "no message of theirs can belong to it.",
        examples=["id"],
    )
    compress: bool = Field(default=True, description="Send it packed with gzip.", examples=[True])

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        if (self.format == "xml") != (self.items is not None):
            raise ValueError("items goes with format xml, and format xml needs it: name the element of one record")
        return self


class Resend(Closed):
    """What changed since is sent as another message, whole."""

    as_: Literal["another-message"] = Field(alias="as", description="How.", examples=["another-message"])


class Track(Closed):
    """Whether a message was sent is found by the reference that it carries (Mex-LocalID)."""

    by: Literal["local-id"] = Field(description="How.", examples=["local-id"])


class MeshRecord(RowRecord):
    """One kind of record."""

    changes: Mailbox | None = Field(default=None, description="Receive.", examples=[{"feed": "mailbox"}])
    create: Send | None = Field(default=None, description="Send.", examples=[{"workflow": "REFERRAL"}])
    update: Resend | None = Field(default=None, description="Send again.", examples=[{"as": "another-message"}])
    find: Track | None = Field(default=None, description="Find.", examples=[{"by": "local-id"}])

    @model_validator(mode="after")
    def _sections_agree(self) -> Self:
        if self.create is not None and self.find is None:
            raise ValueError("create needs `find: {by: local-id}`: a message that may have been sent is looked for")
        if self.update is not None and self.create is None:
            raise ValueError("update needs create: it says how a message is written")
        if self.changes is None and self.create is None:
            raise ValueError("write changes, create, or both")
        if self.create is not None and self.create.number not in (None, self.item.id):
            raise ValueError("create.number must be item.id: by what we write there their answer is known")
        return self

    @property
    def offers(self) -> frozenset[str]:
        """What is declared, in the words of the port."""
        return frozenset(name for name in OFFERS if getattr(self, name) is not None)


class MeshProfile(Closed):
    """A MESH mailbox."""

    system: Name = Field(description="The system's name.", examples=["mesh"])
    protocol: Literal["mesh"] = Field(description="Kind of interface.", examples=["mesh"])
    clock: Zone = Field(description="Zone of the records' times that carry no offset.", examples=["Europe/London"])
    records: dict[Name, MeshRecord] = Field(
        min_length=1, description="One section for each kind of record.", examples=[{"Referral": {}}]
    )
