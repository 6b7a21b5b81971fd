"""What profiles of every protocol family are written with: paths, zones, and what an error means.

A profile is data that says how a supplier's system is spoken to. It has one section for each kind of record and, in
it, one closed schema for each kind of feed, told apart by `feed`. It holds values and look-ups, never conditions:
the day it needs an `if`, it is Python. Paths lead through a system-shaped record, `Subject/Surname`, and a list is
marked by `[]` at its end: `Referral[]`. The families' own schemas stand beside their code.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field

from connectors.references import Closed

STEP = r"[@A-Za-z_][A-Za-z0-9_.-]*"
PathText = Annotated[str, Field(pattern=rf"^{STEP}(/{STEP})*$")]
ListPath = Annotated[str, Field(pattern=rf"^{STEP}(/{STEP})*\[\]$")]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class ErrorName(StrEnum):
    """What a system's own error means for the caller; each is an error of `connectors.errors`."""

    REJECTED = "rejected"
    OUTDATED = "outdated"
    NOT_THERE = "not_there"
    UNAUTHORISED = "unauthorised"
    THROTTLED = "throttled"
    LOCKED = "locked"  # somebody else is writing this record: it waits, and nothing else does
    DUPLICATE = "duplicate"
    MISCONFIGURED = "misconfigured"


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("no such time zone: write a name such as Europe/London") from None
    return name


def _bounded(value: timedelta) -> timedelta:
    if not timedelta(0) <= value <= timedelta(days=31):
        raise ValueError("write a duration from PT0S to P31D, such as PT5M")
    return value


def _pinned(name: str) -> str:
    if ".." in name.split("/") or name.startswith("/") or "\\" in name or ":" in name:
        raise ValueError("name a pinned file, such as interfaces/casework.wsdl")
    return name


Zone = Annotated[str, AfterValidator(_known_zone)]
Overlap = Annotated[timedelta, AfterValidator(_bounded)]
LivePlace = Annotated[str, Field(pattern=r"^[/?][A-Za-z0-9_.~/?=&-]*$", max_length=200)]
PinnedFile = Annotated[Name, AfterValidator(_pinned)]


class ItemPaths(Closed):
    """Where, in one record, the things stand that every record has."""

    id: PathText = Field(description="The system's own id.", examples=["ReferralId"])
    version: PathText | None = Field(
        default=None, description="Version token that an update sends back.", examples=["Version"]
    )
    modified: PathText | None = Field(
        default=None, description="When the system last changed the record.", examples=["LastChanged"]
    )
    our_key: PathText | None = Field(
        default=None, description="Where the system keeps our key.", examples=["ClientReference"]
    )
    deleted: PathText | None = Field(
        default=None,
        description="Where the system says that it deleted the record: true, or when. Leave out if it never says.",
        examples=["DeletedOn"],
    )


def says_deleted(value: object) -> bool:
    """Whether what stands at `deleted` says that the record was deleted: anything but nothing, false and 0."""
    return value not in (None, "", False, 0) and str(value).strip().lower() not in ("", "false", "0")


class LookupRows(Closed):
    """Where the codes stand in the answer of a look-up."""

    code: PathText = Field(description="The code, within a row.", examples=["Code"])
    cy: PathText | None = Field(default=None, description="How it is shown in Welsh.", examples=["Welsh"])
    en: PathText | None = Field(default=None, description="How it is shown in English.", examples=["English"])


class FaultPaths(Closed):
    """Where, in the body or detail of an error, the system says what it is about."""

    code: PathText | None = Field(default=None, description="The system's error code.", examples=["Code"])
    field: PathText | None = Field(default=None, description="The field it complains of.", examples=["Field"])
    existing: PathText | None = Field(
        default=None, description="The id of the record that is there already.", examples=["ReferralId"]
    )


class Errors(Closed):
    """The system's own errors, by name or code, and where they say what they are about."""

    errors: dict[Name, ErrorName] = Field(
        default={},
        description="Error name or code of the system: what it means. `Name:code` wins over `Name`.",
        examples=[{"ValidationFault": "rejected", "VersionConflict": "outdated"}],
    )
    fault: FaultPaths = Field(
        default=FaultPaths(), description="What an error tells, and where.", examples=[{"field": "Field"}]
    )
