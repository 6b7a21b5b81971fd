"""What a profile may say of the messages that a SOAP system sends to us."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from connectors.profile import ListPath, Name, PathText, PinnedFile
from connectors.references import Closed


class SoapPush(Closed):
    """The system calls an operation of ours when a record changes. What it called about while we were down, `changes`
    finds."""

    interface: PinnedFile | None = Field(
        default=None,
        description="The pinned WSDL of the operation that it calls. Leave out if it is the profile's.",
        examples=["interfaces/outbound.wsdl"],
    )
    operation: Name = Field(description="Operation that the system calls.", examples=["notifications"])
    carries: Literal["record", "id"] = Field(
        description="record: the whole record. id: only its id; the record is then fetched.", examples=["record"]
    )
    items: ListPath = Field(
        description="The records, or what names them, below the operation's element.",
        examples=["Notification/sObject[]"],
    )
    id: PathText | None = Field(default=None, description="carries id: where, in each, the id stands.", examples=["Id"])
    answer: dict[PathText, str] = Field(
        default={}, description="What the answer says, element by element.", examples=[{"Ack": "true"}]
    )
