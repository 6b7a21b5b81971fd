"""One trial of one kind of record: what the checks work with, and what became of each.

A check asks the system through its connector alone. What it says of the answer are counts, places and names of fields:
no value and no number of a record, so that the report can be sent to the supplier as it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from connectors.errors import ConnectorError, ForAPerson, Unauthorised, Unreachable
from connectors.port import Connector, Item, Page, Record, UnreadableItem


class Verdict(StrEnum):
    """What became of a check."""

    HELD = "held"
    BROKEN = "broken"
    NOT_TRIED = "not tried"


class Departs(Exception):
    """The system does otherwise than the contract wants. The text says what came, without any value."""


class NotTried(Exception):
    """The check says nothing about this system; the text says why."""


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one check, as the report shows it."""

    check: str
    asked: str
    wanted: str
    came: str
    verdict: Verdict
    seconds: float


@dataclass(frozen=True, slots=True)
class Made:
    """An invented record that a check left in the system."""

    kind: str
    id: str
    key: str


@dataclass(frozen=True, slots=True)
class Walked:
    """A walk through the changes, or as much of it as was wanted."""

    pages: Sequence[Page]
    whole: bool

    @property
    def items(self) -> list[Item]:
        """The records that could be read."""
        return [one for page in self.pages for one in page.items if isinstance(one, Item)]

    @property
    def unreadable(self) -> list[UnreadableItem]:
        """The records that could not."""
        return [one for page in self.pages for one in page.items if isinstance(one, UnreadableItem)]


@dataclass
class Trial:
    """One kind of record of one connection. `made` grows as checks write."""

    kind: str
    connector: Connector
    again: Callable[[], Connector]  # opens the same connection anew, as a later process does
    key: str  # begins every key of ours, so that what was made is known by it
    takes_away: bool = False  # reading changes takes them out of the system: then they are not read here
    overlap: bool = False  # the feed asks again from its watermark, so what bears that stamp must come again
    versioned: bool = False  # the profile says where a record's version stands
    invented: Callable[[str], Record] | None = None  # an invented record whose free text is the given one
    moving: frozenset[str] = frozenset()  # the fields, at the top of a record, that the system sets itself
    stranger: Callable[[], Connector] | None = None  # opens the connection with a wrong secret
    most_pages: int = 20
    made: list[Made] = field(default_factory=list)
    _keys: int = 0

    @cached_property
    def first(self) -> Walked:
        """The walk from the beginning, made once. Raises ConnectorError."""
        return self.walk(self.connector)

    def walk(self, connector: Connector, *, watermark: str = "", limit: int | None = None) -> Walked:
        """Walk until the end or `most_pages`. Raises ConnectorError."""
        pages: list[Page] = []
        cursor = ""
        while len(pages) < self.most_pages:
            page = connector.changes(self.kind, watermark=watermark, cursor=cursor, limit=limit)
            pages.append(page)
            cursor = page.cursor
            if not cursor:
                return Walked(pages, whole=True)
        return Walked(pages, whole=False)

    def some(self) -> list[Item]:
        """A few records that the walk showed. Raises NotTried if there is none, ConnectorError."""
        found = list({item.id: item for item in self.first.items if not item.deleted}.values())[:3]
        if not found:
            raise NotTried("the system shows no record that could be read; put some invented ones in")
        return found

    def new_key(self) -> str:
        """A key that was never used."""
        self._keys += 1
        return f"{self.key}-{self._keys}"

    def create(self, text: str, *, key: str = "") -> tuple[str, str]:
        """Make an invented record and remember it: its id and its key. Raises NotTried, ConnectorError."""
        key = key or self.new_key()
        return self.write(self.record(text), key), key

    def write(self, record: Record, key: str) -> str:
        """Make that record and remember it; returns its id. Raises ConnectorError."""
        receipt = self.connector.deliver(self.kind, record, key=key)
        if not any(one.id == receipt.id for one in self.made):
            self.made.append(Made(self.kind, receipt.id, key))
        return receipt.id

    def record(self, text: str) -> Record:
        """An invented record. Raises NotTried."""
        if self.invented is None:
            raise NotTried("nobody gave an invented record to write")
        return self.invented(text)

    def held(self, id: str) -> Item:
        """The record as the system holds it. Raises Departs if it is not there, NotTried if it cannot be read."""
        if "fetch" not in self.connector.offers(self.kind):
            raise NotTried("the profile has no way to read one record")
        item = self.connector.fetch(self.kind, id)
        if item is None:
            raise Departs("a record that the system had just named is not there")
        return item


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that the contract wants. `run` returns what came where that is as wanted."""

    name: str
    asked: str
    wanted: str
    needs: frozenset[str]  # what the profile must offer
    run: Callable[[Trial], str] = field(repr=False)
    writes: bool = False
    risky: bool = False  # may lock an account, so it is done when asked for alone


def perform(trial: Trial, checks: Iterable[Check]) -> list[Told]:
    """Do the checks in their order. A login that is refused ends the asking, so that no account is locked by it."""
    told: list[Told] = []
    offers = trial.connector.offers(trial.kind)
    ended = ""
    for check in checks:
        began = time.monotonic()
        verdict, came = Verdict.NOT_TRIED, ended
        if lacks := check.needs - offers:
            came = f"the profile offers no {' and no '.join(sorted(lacks))} for {trial.kind}"
        elif trial.takes_away and "changes" in check.needs:
            came = "this feed gives each change once: reading it here would take it from the connection"
        elif not ended:
            verdict, came, ended = _one(check, trial)
        seconds = round(time.monotonic() - began, 3)
        told.append(Told(check.name, check.asked, check.wanted, came, verdict, seconds))
    return told


_BY_PEOPLE = "people enter these records: they were troubled once, and no more was asked"


def _one(check: Check, trial: Trial) -> tuple[Verdict, str, str]:
    """The verdict, what came, and why no more can be asked ("" if it can)."""
    try:
        return Verdict.HELD, check.run(trial), ""
    except NotTried as why:
        return Verdict.NOT_TRIED, str(why), ""
    except Departs as came:
        return Verdict.BROKEN, str(came), ""
    except ForAPerson as error:
        return Verdict.NOT_TRIED, f"no machine can say what stands there: {error.reason}", _BY_PEOPLE
    except (Unauthorised, Unreachable) as error:
        return Verdict.BROKEN, words(error), f"the check before ended with {type(error).__name__}; no more was asked"
    except ConnectorError as error:
        return Verdict.BROKEN, words(error), ""


def count(number: int, one: str) -> str:
    """`1 record`, `2 records`."""
    return f"{number} {one}{'' if number == 1 else 's'}"


def words(error: ConnectorError) -> str:
    """An error for the report: its name and its own sentence, which holds no value."""
    return f"{type(error).__name__}: {error.reason}"
