"""What a compiled mapping is, and what it answers: readings, writings, gaps and faults.

A *gap* is one field of one record that could not be carried; a *fault* is one thing that is wrong in a mapping
file. Both name fields, paths and code lists. A gap keeps the value for the officer who mends it and for nobody
else: it never shows in `repr`, and whoever logs a gap logs `str(gap)`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass
from dataclasses import field as member  # `Gap.field` is a name of its own
from typing import TYPE_CHECKING, Any, Literal

from mappings.facts import Facts
from mappings.referral import Referral

if TYPE_CHECKING:
    from mappings.terms import Terms

KeyPath = tuple[str | int, ...]
GapKind = Literal["unknown code", "wrong type", "missing", "too long"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in a mapping file, in words for the person who wrote it."""

    file: str  # the origin that the loader gave with the data
    path: KeyPath  # place in that data; pipelines turn it into line and column
    found: str
    expected: str
    remedy: str

    def __str__(self) -> str:
        where = "/".join(str(part) for part in self.path) or "(top)"
        return f"{self.file}: {where}: found {self.found}; expected {self.expected}. {self.remedy}"


class MappingFaults(Exception):
    """A mapping cannot be used. `faults` holds everything that is wrong with it, not the first thing alone."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Gap:
    """One field of one record that was not carried, and why."""

    field: str  # path in the referral
    theirs: str  # path in the system's record
    kind: GapKind
    code_list: str = ""  # name of the code list that has no row for the value
    value: str = member(default="", repr=False, compare=False)  # may be personal: for the desk, never for a log
    reason: str = ""  # what was expected, in our words, without the value

    def __str__(self) -> str:
        of = f" in code list {self.code_list}" if self.code_list else ""
        because = f" ({self.reason})" if self.reason else ""
        return f"{self.kind}{of}: {self.field} <-> {self.theirs}{because}"


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about a value that was read all the same: `ambiguous-time`, `no-such-time`."""

    field: str
    code: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A system's record in our words. A field that is not in `facts` is not known; None in it is known to be empty."""

    facts: Facts = member(repr=False)
    left_out: list[Gap]
    stopped: list[Gap]  # not empty: the record must not go on as it is
    remarks: list[Remark] = member(default_factory=list)


@dataclass(frozen=True, slots=True)
class Writing:
    """A referral as the system's record. `record` must not be sent when anything `stopped` it."""

    record: dict[str, Any] = member(repr=False)
    left_out: list[Gap]
    stopped: list[Gap]


@dataclass(frozen=True, slots=True)
class WrittenKey:
    """Where one key of a row was written last: by the file itself or by one that it extends."""

    key: str
    origin: str
    path: KeyPath


@dataclass(frozen=True, slots=True)
class MappedField:
    """One row as coverage lists and screens show it. A row with several paths is one entry a pair of paths."""

    ours: str  # "" for a constant
    theirs: str
    direction: Literal["read", "write", "both"]
    origin: str  # the file that the row (or the last change to it) came from
    lossy: str = ""  # what is lost, "" if nothing is
    at: KeyPath = ()  # place of the row in that file
    keys: tuple[WrittenKey, ...] = ()  # where each of its keys came from
    each: tuple[MappedField, ...] = ()  # the rows of its items


@dataclass(frozen=True, slots=True)
class Mapping:
    """One mapping, compiled: the words of one kind of record of one system, both ways. Safe to use from threads."""

    name: str
    system: str
    record: str
    digest: str  # of everything that it was made from
    artifacts: Dictionary[str, tuple[str, bytes]] = member(repr=False)  # digest -> (kind, body): "mapping", "codes"
    rows: tuple[MappedField, ...] = member(repr=False)
    terms: tuple[Terms, ...] = member(repr=False)  # what each row declares, for the laws and the loss report
    _read: Callable[[dict[str, Any]], Reading] = member(repr=False)
    _write: Callable[[Referral | Facts, dict[str, Any] | None, Collection[str]], Writing] = member(repr=False)

    @property
    def fields(self) -> tuple[str, ...]:
        """Every referral path that this mapping reads or writes, in the order of the file."""
        return tuple(dict.fromkeys(row.ours for row in self.rows if row.ours))

    def read(self, record: dict[str, Any]) -> Reading:
        """Turn a system's record into facts. Never raises for what a record holds."""
        return self._read(record)

    def write(
        self, what: Referral | Facts, onto: dict[str, Any] | None = None, *, empty: Collection[str] = ()
    ) -> Writing:
        """Lay what we know over `onto` (what the target holds; None for a create), which is not changed itself.

        Facts say it exactly: a path that is not there is not known and stays as it is in `onto`, None empties it. A
        referral cannot tell the two apart: what it does not say stays, unless its path is in `empty`.
        Never raises for what a referral or `onto` holds.
        """
        return self._write(what, onto, empty)

    def expected(self, record: dict[str, Any]) -> Facts:
        """Return the facts that the system will show once it holds `record`: what an echo of our write reads as."""
        return self._read(record).facts


def canonical(data: object) -> bytes:
    """Return the bytes that are hashed and kept for `data`: JSON with sorted keys and nothing optional."""
    return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
