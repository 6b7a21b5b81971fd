"""The change feeds that are emptied as they are read: an inbox by an acknowledgement, a queue by the reading itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from connectors.profile import Name, Overlap, PathText
from connectors.references import Closed
from connectors.rest.profile_paths import IdPath, ItemsPath, ParameterName, PlainPath


class Acknowledge(Closed):
    """Tell the system that a message was taken in, so that it takes it out of the inbox."""

    method: Literal["PUT", "POST", "DELETE"] = Field(default="PUT", description="HTTP method.", examples=["PUT"])
    path: IdPath = Field(description="Path below the connection's url.", examples=["/inbox/{id}/acknowledged"])


class InboxFeed(Closed):
    """List what waits in an inbox, read each message, and acknowledge it when it is written down."""

    feed: Literal["inbox"] = Field(description="Kind of feed.", examples=["inbox"])
    path: PlainPath = Field(description="Path below the connection's url.", examples=["/inbox"])
    query: dict[ParameterName, Name] = Field(
        default={}, description="Parameters that are always sent.", examples=[{"max_results": "500"}]
    )
    items: ItemsPath = Field(description="The entries of the list in the reply.", examples=["messages[]"])
    id: PathText | None = Field(
        default=None,
        description="Where, in an entry, the message's id stands. Left out: the entry is the id.",
        examples=["messageId"],
    )
    message: IdPath | None = Field(
        default=None,
        description="Path of one message. Leave out if the list's entries are the records themselves.",
        examples=["/inbox/{id}"],
    )
    same_id: bool = Field(
        default=True,
        description="A record's own id is its message's. false where a message carries a record with an id of its own.",
        examples=[False],
    )
    acknowledge: Acknowledge = Field(
        description="How a message is acknowledged.", examples=[{"path": "/inbox/{id}/acknowledged"}]
    )
    of: int = Field(default=20, ge=1, le=1_000, description="Messages read for a page.", examples=[20])

    @model_validator(mode="after")
    def _records_name_themselves(self) -> Self:
        if self.message is None and self.id is None:
            raise ValueError("write id, where in an entry the message's id stands, or message, the path it is read by")
        return self


class EmptyAnswer(Closed):
    """How a queue says in words that nothing waits, where it shows no empty list."""

    at: PathText = Field(description="Where in the reply.", examples=["message"])
    says: Name = Field(description="What stands there then.", examples=["No Events Found"])


class LookAgain(Closed):
    """A list that removes nothing, to be read where an answer of the queue may have been lost on its way."""

    path: PlainPath = Field(description="Path below the connection's url.", examples=["/requests"])
    query: dict[ParameterName, Name] = Field(
        default={}, description="Parameters that are always sent.", examples=[{"limit": "1000"}]
    )
    since: ParameterName | None = Field(
        default=None,
        description="Parameter for the moment of the last answer that did come. Leave out if the list is always whole.",
        examples=["changed_since"],
    )
    items: ItemsPath = Field(
        description="The entries in the reply, of the same kind as those of the queue.", examples=["requests[]"]
    )
    id: PathText | None = Field(
        default=None, description="Where, in an entry, the id stands. As in the queue.", examples=["id"]
    )
    overlap: Overlap = Field(
        default=timedelta(minutes=5), description="How far before that moment is asked from.", examples=["PT5M"]
    )


class QueueFeed(Closed):
    """Take events off a queue: what was read once is gone there, so it is kept on our disk before it is believed."""

    feed: Literal["queue"] = Field(description="Kind of feed.", examples=["queue"])
    method: Literal["GET", "POST", "DELETE"] = Field(default="GET", description="HTTP method.", examples=["GET"])
    path: PlainPath = Field(description="Path below the connection's url.", examples=["/events"])
    query: dict[ParameterName, Name] = Field(
        default={}, description="Parameters that are always sent.", examples=[{"limit": "100"}]
    )
    items: ItemsPath = Field(description="The entries in the reply.", examples=["events[]"])
    id: PathText | None = Field(
        default=None,
        description="Where, in an entry, the id of the record stands that it is about; the record is then read through "
        "`fetch`. Leave out if the entries are the records.",
        examples=["requestId"],
    )
    empty: EmptyAnswer | None = Field(
        default=None,
        description="How an empty queue says so. Leave out if it shows an empty list, or HTTP 204.",
        examples=[{"at": "message", "says": "No Events Found"}],
    )
    lost: LookAgain | None = Field(
        default=None,
        description="What to read after an answer that never came. Leave out if there is nothing: a person is told.",
        examples=[{"path": "/requests", "since": "changed_since", "items": "requests[]"}],
    )
    probe: PlainPath | None = Field(
        default=None,
        description="A path that may be asked without removing anything, for `dolen doctor`.",
        examples=["/status"],
    )
    about_ours: bool = Field(
        default=False,
        description="The entries are news of records that we made, each with our key, and no records of people. One "
        "that belongs to none of ours needs attention.",
        examples=[True],
    )
    of: int = Field(default=50, ge=1, le=1_000, description="Records handed on in a page.", examples=[50])
    most_megabytes: int = Field(
        default=50,
        ge=1,
        le=200,
        description="A longer answer, unpacked, is taken in so far and no further: this part is kept for a person. "
        "Reading it takes several times as much memory.",
        examples=[50],
    )

    @model_validator(mode="after")
    def _entries_are_of_one_kind(self) -> Self:
        if self.lost is not None and (self.lost.id is None) != (self.id is None):
            raise ValueError("lost.id and id go together: both lists name records, or both hold them")
        return self
