"""What a comparison found, as data: counts, and for each request that is not as it should be a line without a value."""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

#: What makes two systems differ; the other kinds of line are no difference.
FAULTS = ("missing", "extra", "different", "stale", "unreadable")
KINDS = (*FAULTS, "open", "gone")
#: Lines of one kind that are kept. All are counted.
MOST_LINES = 5_000


@dataclass(frozen=True, slots=True)
class Line:
    """One request that is not as it should be, or not yet. Numbers, field names and sentences, never a value."""

    source: str  # its number in the source, "" if there is none
    target: str
    referral: str
    fields: tuple[str, ...] = ()
    words: str = ""
    kind: str = ""  # the source's kind of record


@dataclass(slots=True)
class Report:
    """What a comparison found.

    `open` is legitimately on its way, or waits for a person; `gone` is in the ledger and no longer shown by the source.
    Neither is a difference: nothing is deleted because something else is gone.
    """

    council: str
    route: str
    source: str
    target: str
    in_source: int = 0
    in_target: int = 0
    compared: int = 0
    unchanged: int = 0  # of these: both stamps are those of the last time that they agreed
    not_meant: int = 0  # the route's condition does not hold
    not_read: int = 0  # there, but the target lets nobody read it
    taken_in: int = 0  # shown by the source, never by its feed: taken in now
    missing: list[Line] = field(default_factory=list)
    extra: list[Line] = field(default_factory=list)
    different: list[Line] = field(default_factory=list)
    stale: list[Line] = field(default_factory=list)
    unreadable: list[Line] = field(default_factory=list)
    open: list[Line] = field(default_factory=list)
    gone: list[Line] = field(default_factory=list)
    totals: Counter[str] = field(default_factory=Counter)  # of each kind of line, also of those that were not kept
    doubt: str = ""  # why a listing is not believed

    def add(self, kind: str, line: Line) -> None:
        """Count a line, and keep it if there are not too many."""
        self.totals[kind] += 1
        kept: list[Line] = getattr(self, kind)
        if len(kept) < MOST_LINES:
            kept.append(line)

    @property
    def differences(self) -> int:
        """How many requests are missing, extra, different, stale or unreadable."""
        return sum(self.totals[kind] for kind in FAULTS)

    @property
    def agrees(self) -> bool:
        """Nothing is missing, extra, different, stale or unreadable, and both listings can be believed."""
        return not self.differences and not self.doubt

    def counts(self) -> dict[str, int]:
        """All numbers, for the ledger and the overview."""
        names = ("in_source", "in_target", "compared", "unchanged", "not_meant", "not_read", "taken_in")
        return {name: getattr(self, name) for name in names} | {kind: self.totals[kind] for kind in KINDS}

    def findings(self, most: int) -> dict[str, list[dict[str, Any]]]:
        """At most so many lines of each kind, as data."""
        return {kind: [dataclasses.asdict(line) for line in getattr(self, kind)[:most]] for kind in KINDS}
