"""What a profile may say of an Open311 endpoint, and the settings of a connection to one.

The standard (https://wiki.open311.org/GeoReport_v2/) fixes paths, parameters and fields; what differs between endpoints
is which extensions they have, and that is what stands here.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from connectors.port import Tier
from connectors.profile import Errors, Name, Overlap, PathText, PinnedFile
from connectors.references import Closed, Secret, Text
from connectors.rest.profile_paths import ParameterName
from connectors.settings import HttpSettings

OFFERS = ("changes", "fetch", "create", "update")


def _a_window(value: timedelta) -> timedelta:
    # The standard lets an endpoint answer with 90 days at the most.
    if not timedelta(hours=1) <= value <= timedelta(days=90):
        raise ValueError("write a duration from PT1H to P90D, such as P7D")
    return value


def _back(value: timedelta) -> timedelta:
    if not timedelta(0) <= value <= timedelta(days=365):
        raise ValueError("write a duration from PT0S to P365D, such as P30D")
    return value


class WindowFeed(Closed):
    """List what changed, window by window of time, as Open311 can be asked."""

    feed: Literal["window"] = Field(description="Kind of feed.", examples=["window"])
    by: Literal["requested", "updated", "updates"] = Field(
        description="requested: the standard's start_date and end_date, which tell when a request was made; those of "
        "the last `look_back` are read again each time, for their status. updated: an endpoint that takes a window of "
        "updated_datetime too. updates: the updates extension names what changed, and new requests are listed.",
        examples=["updates"],
    )
    start: ParameterName = Field(
        default="start_date", description="by updated: parameter for the window's start.", examples=["updated_after"]
    )
    end: ParameterName = Field(
        default="end_date", description="by updated: parameter for its end.", examples=["updated_before"]
    )
    window: Annotated[timedelta, AfterValidator(_a_window)] = Field(
        default=timedelta(days=7), description="How much time is asked for at once.", examples=["P7D"]
    )
    look_back: Annotated[timedelta, AfterValidator(_back)] = Field(
        default=timedelta(days=30),
        description="by requested: how far back the status of known requests is read again.",
        examples=["P30D"],
    )
    most: int = Field(
        default=1000,
        ge=2,
        le=100_000,
        description="As many as the endpoint lists at once; a window that holds so many is halved, as the rest of it "
        "may have been cut off.",
        examples=[1000],
    )
    beginning: str = Field(
        default="2020-01-01T00:00:00+00:00",
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$",
        description="Where the first walk begins.",
        examples=["2024-01-01T00:00:00+00:00"],
    )
    overlap: Overlap = Field(
        default=timedelta(minutes=5),
        description="How far behind the newest stamp the next walk starts, for late commits and skewed clocks.",
        examples=["PT5M"],
    )

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.by == "updated" and self.start == "start_date":
            raise ValueError("by updated needs start and end: name the endpoint's parameters, such as updated_after")
        return self


class Open311Create(Closed):
    """Make a request. The answer is its number, a token for it, or (a blackbox service) neither."""

    our_key: PathText | None = Field(
        default=None,
        description="Where, in the record, our key goes, if the endpoint has an attribute for it.",
        examples=["attribute/external_id"],
    )


class Open311Update(Closed):
    """Tell of a new status through the updates extension. Nothing else of a request can be changed."""

    status: PathText = Field(default="status", description="Where the record holds it.", examples=["status"])
    text: PathText = Field(
        default="status_notes", description="Where the record holds what is said of it.", examples=["status_notes"]
    )


class Open311Record(Errors):
    """What can be done with requests. An error is looked up in `errors` by its code, then judged by its status."""

    changes: WindowFeed | None = Field(default=None, description="List changes.", examples=[{"feed": "window"}])
    fetch: Literal[True] | None = Field(default=None, description="Read one by its number.", examples=[True])
    create: Open311Create | None = Field(default=None, description="Create.", examples=[{}])
    update: Open311Update | None = Field(default=None, description="Change the status.", examples=[{}])
    lookups: dict[Literal["service_code"], Literal["services"]] = Field(
        default={}, description="The endpoint lists its services.", examples=[{"service_code": "services"}]
    )

    @model_validator(mode="after")
    def _sections_agree(self) -> Self:
        if (self.update or self.changes) and not self.fetch:
            raise ValueError("changes and update need fetch: a request is read by its number")
        return self

    @property
    def tier(self) -> Tier:
        """Open311 neither keeps a key of ours nor can be searched by one."""
        return Tier.NEITHER

    @property
    def offers(self) -> frozenset[str]:
        """What is declared, in the words of the port."""
        return frozenset(name for name in OFFERS if getattr(self, name) is not None)


class Open311Profile(Closed):
    """How an Open311 endpoint is spoken to."""

    system: Name = Field(description="The system's name.", examples=["open311"])
    protocol: Literal["open311"] = Field(description="Kind of interface.", examples=["open311"])
    interface: PinnedFile = Field(
        default="interfaces/open311.schema.json",
        description="JSON Schema of a request as it is read and as it is sent.",
        examples=["interfaces/open311.schema.json"],
    )
    format: Literal["xml", "json"] = Field(
        default="xml", description="XML is what every endpoint has; JSON if it says so.", examples=["json"]
    )
    records: dict[Name, Open311Record] = Field(
        min_length=1, description="One section for each kind of record.", examples=[{"Request": {}}]
    )


class Open311Settings(HttpSettings):
    """A connection to an Open311 endpoint: `url` is that which ends in the version, such as `.../v2`."""

    jurisdiction_id: Text | None = Field(
        default=None,
        description="Which council, where the endpoint serves several.",
        examples=["torfaen.example.org"],
    )
    api_key: Secret | None = Field(
        default=None,
        description="Its key, as a reference. It goes in the body of what we send and never into an address.",
        examples=["env:TORFAEN_OPEN311_KEY"],
    )
