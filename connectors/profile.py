"""What profiles of every protocol family are written with: paths, zones, and what an error means.

A profile is data that says how a supplier's system is spoken to. It has one section for each kind of record and, in
it, one closed schema for each kind of feed, told apart by `feed`. It holds values and look-ups, never conditions:
the day it needs an `if`, it is Python. The families' own schemas stand beside their code: `soap/profile.py`,
`rest/profile.py`, `notify.py`, `by_hand.py`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field


class Meaning(StrEnum):
    """What a system's own error means for the caller; each is an error of `connectors.errors`."""

    REJECTED = "rejected"
    DUPLICATE = "duplicate"
    NOT_THERE = "not_there"
    OUTDATED = "outdated"
    THROTTLED = "throttled"
    UNAUTHORISED = "unauthorised"
    UNKNOWN = "unknown"


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("write a zone of the IANA list, such as Europe/London or UTC") from None
    return name


Zone = Annotated[str, AfterValidator(_known_zone)]
FieldPath = Annotated[str, Field(pattern=r"^[^/\s]+(/[^/\s]+)*$")]
Name = Annotated[str, Field(min_length=1, max_length=200)]
