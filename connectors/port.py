"""The port: what a connector must be able to do, whatever system stands behind it.

A connector takes its own settings and system-shaped records. It never sees a referral, a queue or the ledger.
A system-shaped record is plain data: dicts, lists, strings, numbers, booleans and None. Records read from XML
hold strings only: an element with children is a dict, a repeated element is a list, one occurrence is not,
attributes are keys that begin with "@", the text of an element that also has attributes is the key ".",
xsi:nil is None, an empty element is "", namespaces are dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

Record = dict[str, Any]


class Tier(StrEnum):
    """How a target lets us make a create happen once."""

    KEEPS_KEY = "A"  # keeps our key and upserts by it, or refuses a second create with the same key
    SEARCHABLE = "B"  # can be searched by our key
    NEITHER = "C"  # neither: an unclear create waits for a person


@dataclass(frozen=True, slots=True)
class About:
    """Another record of the same system of which a record tells what became of it, under any of these numbers."""

    kind: str
    numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One record as a system holds it. `repr` shows no content."""

    id: str  # the system's own id, never empty
    record: Record = field(repr=False)
    raw: bytes = field(repr=False)  # the record's own bytes as received (its slice of the page)
    version: str = ""  # version token (ETag, version number) to send back on update, "" if the system has none
    modified: datetime | None = None  # the system's own stamp, aware, UTC; None if it gives none
    our_key: str = ""  # our key where the system keeps it, else ""
    deleted: bool = False  # the system says that it deleted the record, or hides it as deleted
    about: About | None = None  # an answer: it belongs to what we sent, and never begins anything itself


@dataclass(frozen=True, slots=True)
class UnreadableItem:
    """One record of a page that could not be parsed or is not valid against the pinned interface."""

    raw: bytes = field(repr=False)
    reason: str  # a sentence of ours naming path and expectation, never a value
    id: str = ""  # the system's id when it could still be read
    modified: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a walk through a source's changes."""

    items: Sequence[Item | UnreadableItem]
    cursor: str  # opaque place of the next page, good in a later process too; "" when the walk is complete
    watermark: str  # opaque; where the *next* walk starts. Only to be used once the walk is complete. Made from the
    # source's own stamps, never from our clock
    note: str = ""  # what whoever watches the walk must be told, in a sentence of ours; "" if there is nothing


@dataclass(frozen=True, slots=True)
class Code:
    """One code of a list that a system itself tells, and how it shows it; "" for a language that it does not have."""

    code: str
    cy: str = ""
    en: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the target said to a write that it did."""

    id: str  # the target's id of the record
    effect: str  # "created", "updated" or "nothing"
    version: str = ""
    modified: datetime | None = None
    reply: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `dolen doctor`: a thing that was looked at, whether it is well, and who mends it if not."""

    subject: str  # name, route, TLS, clock, login, permission, interface, page
    well: bool
    words: str
    remedy: str = ""


class Source(Protocol):
    """A system whose changes can be read. Everything here is a read and safe to repeat.

    Raises any of `connectors.errors`; a call never takes longer than the connection's `timeout_seconds` in all.
    """

    def changes(self, kind: str, *, watermark: str, cursor: str = "", limit: int | None = None) -> Page:
        """Read one page of `kind` changed since `watermark` ("" = from the beginning), at `cursor` ("" = first page).

        With `limit` the page holds at most so many records and starts at the same place; raises PageUnreadable with
        the bytes when the page as a whole cannot be read. A record that cannot be read alone is an UnreadableItem.
        """

    def skip(self, kind: str, *, watermark: str, cursor: str) -> str | None:
        """Return the cursor just behind the one unreadable record at `cursor`; None if the feed cannot step over it."""

    def fetch(self, kind: str, id: str) -> Item | None:
        """Read one record by the system's id; None if it is not there."""

    def parse(self, kind: str, raw: bytes, *, id: str) -> Item | UnreadableItem:
        """Read one record's own bytes again, as `Item.raw` or `UnreadableItem.raw` once gave them. Nothing is sent.

        `id` is the system's id as it was known then. The pinned interface is the one of today, so what could not be
        read may be readable now. Raises Misconfigured where nothing can be read from the system at all.
        """


class Target(Protocol):
    """A system that takes records."""

    def tier(self, kind: str) -> Tier:
        """Say how a create of this kind can be made to happen once."""

    def reads_first(self, kind: str) -> bool:
        """Say whether an update replaces the whole record, so that it must be read and written onto."""

    def deliver(self, kind: str, record: Record, *, key: str, id: str = "", version: str = "") -> Receipt:
        """Create the record under our stable `key` (`id` empty) or update record `id`, checked against `version`.

        Repeating a create with the same key is safe on tier A only. Raises `connectors.errors`: Unreachable,
        Throttled, Unauthorised, Rejected, Outdated, NotThere and ForAPerson all mean "not done"; Duplicate means it
        is there; Unknown means that nobody knows.
        """

    def find(self, kind: str, key: str) -> list[Item]:
        """Find what the target holds under our key: none, one, or (a fault of the past) several.

        Tier C: NotImplementedError.
        """

    def fetch(self, kind: str, id: str) -> Item | None:
        """Read one record by the system's id; None if it is not there."""


#: How the id of a record begins that has not got its number yet: the target took it and gave a token for it.
PROVISIONAL = "token:"


@runtime_checkable
class Numbering(Protocol):
    """A target that may take a record and number it later.

    Its receipt then bears a provisional id. An update of such a record raises Throttled until it has its number.
    """

    def number_of(self, kind: str, provisional: str) -> str | None:
        """Ask for the id that a provisional one has become; None while there is none. Raises `connectors.errors`."""


class Connector(Source, Target, Protocol):
    """One council's installation of a system. Safe to use from several threads at once.

    What a system does not offer raises Misconfigured, and `offers` says so beforehand.
    """

    def offers(self, kind: str) -> frozenset[str]:
        """Of "changes", "fetch", "create", "update", "find": what the profile declares for this kind."""

    def kinds(self) -> tuple[str, ...]:
        """The kinds of record that the profile has a section for."""

    def lookups(self, kind: str) -> tuple[str, ...]:
        """The paths in a record of this kind whose codes the system itself lists, as the profile says."""

    def codes(self, kind: str, path: str) -> list[Code]:
        """Ask the system which codes stand at that path. A read, safe to repeat. Raises any of `connectors.errors`."""

    def doctor(self) -> list[Finding]:
        """Look at the live connection without changing anything: name, TLS, clock, login, permission, one page."""

    def close(self) -> None:
        """Let go of connections. Idempotent."""
