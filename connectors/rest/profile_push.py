"""What a profile may say of the calls that a REST system makes to us."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from connectors.profile import PathText
from connectors.references import Closed
from connectors.rest.profile_paths import ItemsPath


class RestPush(Closed):
    """The system calls us when a record changes. What it called about while we were down, `changes` finds."""

    carries: Literal["record", "id"] = Field(
        description="record: the whole record as the interface says. id: only its id; the record is then fetched.",
        examples=["id"],
    )
    items: ItemsPath | None = Field(
        default=None,
        description="The records or ids in the body. Leave out if the body is one.",
        examples=["events[]"],
    )
    record: PathText | None = Field(
        default=None, description="Where, in each, the record stands, if not at its top.", examples=["data"]
    )
    id: PathText | None = Field(
        default=None, description="carries id: where, in each, the id stands.", examples=["data/id"]
    )
    answer: Literal[200, 201, 202, 204] = Field(
        default=204, description="HTTP status that says to the system: taken.", examples=[200]
    )
