"""What a SOAP profile may say of changes that have operations of their own: closing, reopening, notes, events.

Look-ups and no conditions: which operation a change of status is made by follows from the two codes alone, and an item
is added if the system does not show it yet.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from connectors.profile import ListPath, Name, PathText
from connectors.references import Closed

Code = str


class Turn(Closed):
    """One operation that changes the element from some of its codes to others."""

    operation: Name = Field(description="Operation of the WSDL.", examples=["CloseCase"])
    to: list[Code] = Field(min_length=1, description="The codes that it leads to.", examples=[["CLOSED"]])
    from_: list[Code] = Field(
        alias="from", min_length=1, description="The codes that it starts from.", examples=[["OPEN", "WAITING"]]
    )
    when: Literal["before", "after"] = Field(
        description="before: what is not open must be opened before it can be changed. after: what is closed is closed "
        "once everything else was written.",
        examples=["after"],
    )
    id: PathText = Field(description="Where the record's id goes in the request.", examples=["CaseReference"])
    code: PathText | None = Field(
        default=None, description="Where the code that is wanted goes in the request.", examples=["ClosureCode"]
    )
    take: dict[PathText, PathText] = Field(
        default={},
        description="By element of the request: the path in the record whose text goes there.",
        examples=[{"Reason": "StatusReason"}],
    )
    send: dict[PathText, str] = Field(
        default={}, description="What else the request says, element by element.", examples=[{"User": "dolen"}]
    )


class Turns(Closed):
    """Changes of one element that the update itself does not make."""

    at: PathText = Field(description="The element in the record.", examples=["Status"])
    begin: Code | None = Field(
        default=None,
        description="The code with which a record is created that is closed right after it. Left out: the element is "
        "not sent, and the system begins as it does.",
        examples=["NEW"],
    )
    by: list[Turn] = Field(min_length=1, description="The operations.", examples=[[{"operation": "CloseCase"}]])


class Adds(Closed):
    """Items of a list that are added one by one; what the system holds is never changed or taken away."""

    at: ListPath = Field(description="The list in the record.", examples=["Notes/Note[]"])
    known_by: list[PathText | Literal["."]] = Field(
        min_length=1,
        description="What tells an item apart: one with the same texts there is held. `.` is its own text.",
        examples=[["Text"]],
    )
    operation: Name = Field(description="Operation of the WSDL.", examples=["CreateNote"])
    id: PathText = Field(description="Where the record's id goes in the request.", examples=["CaseReference"])
    record: PathText = Field(description="Where the item goes in the request.", examples=["Note"])
    leave_out: list[PathText] = Field(
        default=[], description="What of an item the system sets itself.", examples=[["CreatedOn"]]
    )
    send: dict[PathText, str] = Field(
        default={}, description="What else the request says, element by element.", examples=[{"User": "dolen"}]
    )
