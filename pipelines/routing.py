"""Routes: which deliveries a new revision makes. Pure.

A condition is equality and in-lists on coded fields, all of which must hold; it is judged when the revision is made
and again at the moment of sending.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class DocumentRules:
    """Which documents of a referral go with it."""

    most_megabytes: int
    types: tuple[str, ...]  # media types
    scan: bool


@dataclass(frozen=True, slots=True)
class Hears:
    """One row of the table of who is told by a text."""

    who: str  # person, family, professional, referrer
    texts: tuple[str, ...]  # names of texts files, in the order in which they are tried
    when: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Route:
    """From a connection, to a connection, under a condition."""

    name: str
    source: str
    target: str
    kind: str  # kind of record in the target
    carries: str  # "state" or "event"
    when: Mapping[str, tuple[Any, ...]]  # field -> allowed values
    text: str = ""  # name of the texts file, for routes to residents
    recipients: tuple[Hears, ...] = ()
    tells_each: bool = False  # each of them, and not the first who may hear
    creates_persons: bool = False  # the target makes persons: deliveries about one person keep order
    arrive_within: timedelta | None = None
    replies_to: tuple[str, ...] = ()  # tells the caseworkers of its target what became of what these carried
    when_deleted: str = ""  # status with which the news goes on that the source deleted a record; "": a person decides
    reconcile: str = ""  # cron line of its comparisons, "" for never
    nothing_to_match: bool = False  # its council says that one of its ends began empty
    retention: timedelta | None = None  # what was sent and answered goes so long after closure, if not before
    documents: DocumentRules | None = None  # None: documents stay where they are
    shadow: bool = False  # everything is done but the sending

    @property
    def audiences(self) -> tuple[str, ...]:
        """For whom a delivery each is made: "" is whoever of the recipients may hear first, and all but a text."""
        return tuple(dict.fromkeys(row.who for row in self.recipients)) if self.tells_each else ("",)

    def misses(self, facts: Mapping[str, Any]) -> str:
        """Return the first field whose condition does not hold, "" if all hold."""
        for name, allowed in self.when.items():
            if facts.get(name) not in allowed:
                return name
        return ""

    def triggered(self, changed: Collection[str]) -> bool:
        """State follows every change, a text a change of status; a reply what became of a delivery, and no change."""
        if self.replies_to:
            return False
        if self.text:
            return "status" in changed
        return self.carries == "state"

    def lane(self, council: str, person: str, referral: str) -> str:
        """The unit of order: target and person where the target creates persons, else target and referral."""
        return f"{council}/{self.target}/{person if self.creates_persons else referral}"


def is_urgent(facts: Mapping[str, Any]) -> bool:
    """Urgent and safeguarding referrals go first."""
    return facts.get("priority") in {"urgent", "emergency"} or bool(facts.get("safeguarding_flag"))
