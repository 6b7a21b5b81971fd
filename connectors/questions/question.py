"""One question, and what is known when it is asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Topic(StrEnum):
    """The headings of a letter, in its order."""

    CHANGES = "Learning what changed"
    RECORDS = "Records and their stamps"
    WRITING = "Creating and changing records"
    ERRORS = "When something is refused"
    LOGIN = "Logging in"
    RUNNING = "Limits, maintenance and tests"


@dataclass(frozen=True, slots=True)
class Question:
    """Asked of a supplier. `place` is the key of our own files that the answer goes into, "" where it is a practice."""

    topic: Topic
    ask: str
    why: str
    without: str
    place: str = ""
    kind: str = ""  # of record; "" for the system as a whole


@dataclass(frozen=True, slots=True)
class Known:
    """What our files say. `connect` holds references as they are written and never a secret."""

    profile: Mapping[str, Any]
    connect: Mapping[str, Any] = field(default_factory=dict, repr=False)
    maintenance: bool = False  # whether windows are declared
    settle_seconds: float | None = None  # None if nobody set it

    @property
    def protocol(self) -> str:
        """soap, rest, files ..."""
        return str(self.profile.get("protocol", ""))

    @property
    def records(self) -> Mapping[str, Mapping[str, Any]]:
        """The sections of the profile, by kind."""
        found: Mapping[str, Mapping[str, Any]] = self.profile.get("records") or {}
        return found


def part(section: Mapping[str, Any], *path: str) -> Any:
    """What stands at a path of keys, None if nothing."""
    found: Any = section
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


_UNITS = (("D", "day"), ("H", "hour"), ("M", "minute"), ("S", "second"))


def in_words(duration: object) -> str:
    """An ISO 8601 duration as people say it; what is none stays as it is."""
    text = str(duration)
    match = re.fullmatch(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", text)
    parts = [
        f"{count} {name}{'' if count == '1' else 's'}"
        for count, (_, name) in zip(match.groups() if match else (), _UNITS, strict=False)
        if count
    ]
    return " and ".join(parts) or text
