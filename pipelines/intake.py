"""Intake: one page of what a source showed becomes rows of the ledger.

Reading through the mapping happens before, outside any transaction; then one short transaction writes versions,
records, referrals, deliveries and the walk's place, all or nothing. A database error redoes the page row by row. A
record that cannot be read or mapped needs attention and holds up nobody else.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, select
from sqlalchemy.exc import SQLAlchemyError

from connectors.errors import ConnectorError
from connectors.port import Item, Tier, UnreadableItem
from mappings.facts import Refused, assemble
from pipelines import crash, regressed, rows, versions
from pipelines.batch import Batch
from pipelines.clock import to_time
from pipelines.ledger import LedgerFault
from pipelines.logs import log, warn
from pipelines.page import Page, Read
from pipelines.plant import Council, Kind, Plant, Wired
from pipelines.rows import Held
from pipelines.states import VersionState
from pipelines.tables import record, version

if TYPE_CHECKING:
    from mappings.mapping import Mapping as FieldMapping

#: Rows written in one transaction at the most, so that nobody waits long for the write lock.
ROWS_A_TRANSACTION = 200


@dataclass(slots=True)
class Taken:
    """What came of a page: how many versions ended in which state, and how many were no news at all."""

    states: dict[VersionState, int] = field(default_factory=dict)
    repeats: int = 0

    def add(self, state: VersionState | None) -> None:
        """Count one record; None is a repeat of a version that we hold."""
        if state is None:
            self.repeats += 1
        else:
            self.states[state] = self.states.get(state, 0) + 1

    def include(self, other: Taken) -> None:
        """Count what came of other records too."""
        for state, count in other.states.items():
            self.states[state] = self.states.get(state, 0) + count
        self.repeats += other.repeats

    @property
    def news(self) -> int:
        """Versions that were not there before."""
        return sum(self.states.values())


#: The ledger or the key store is full, locked or gone: nothing is wrong with a record.
_STORES = (SQLAlchemyError, LedgerFault, sqlite3.Error)


#: What can be read again: what has not had its say, and what had it with fields left out.
_AGAIN = (VersionState.ATTENTION, VersionState.WAITING, VersionState.MERGED, VersionState.NO_CHANGE)


class _Stumbled(Exception):
    """A fault of ours while deciding about records: the class of the error, and nothing of a record."""


@dataclass(slots=True)
class _Ask:
    """What a page left open that only a look into the source can answer, and what is to be done after its commit."""

    doubted: list[str] = field(default_factory=list)
    renumbered: list[tuple[int, str]] = field(default_factory=list)
    moved: bool = False


class Intake:
    """Takes pages of one council's connections into the ledger."""

    def __init__(self, plant: Plant, council: Council) -> None:
        self._plant = plant
        self._council = council

    def take(
        self,
        wired: Wired,
        kind: Kind,
        items: Sequence[Item | UnreadableItem],
        *,
        purpose: str = "live",
        place: Callable[[Connection], None] | None = None,
        confirmed: bool = False,
    ) -> Taken:
        """Take records as a source showed them. `place` moves the walk, in the same transaction as the last of them.

        `confirmed`: each was read just now for itself, so what is old in it is no old page's fault.
        """
        taken = Taken()
        self._plant.refresh()
        kind = replace(wired.kinds.get(kind.name, kind))  # one mapping for the whole page, whatever comes meanwhile
        fresh, known = self._news(wired, kind, items, taken, confirmed=confirmed)
        reads = [self._read(wired, kind, item, content, first=item.id not in known) for item, content in fresh]
        for read in reads:
            read.confirmed = confirmed
            read.erased = read.item.id in known and known[read.item.id].erased is not None
        ask = _Ask()
        chunks = [reads[at : at + ROWS_A_TRANSACTION] for at in range(0, len(reads), ROWS_A_TRANSACTION)] or [[]]
        for chunk in chunks:
            last = place if chunk is chunks[-1] else None
            try:
                self._write(wired, kind, chunk, purpose, taken, last, ask)
            except (SQLAlchemyError, _Stumbled) as fault:
                log("page_redone", council=self._council.code, connection=wired.name, error=type(fault).__name__)
                self._one_by_one(wired, kind, chunk, purpose, taken, last, ask)
        if not confirmed:
            self._ask(wired, kind, ask, purpose, taken)
        if taken.news:
            self._plant.nudge.set()
        return taken

    def _ask(self, wired: Wired, kind: Kind, ask: _Ask, purpose: str, taken: Taken) -> None:
        """Look into the source, outside any transaction, where a page alone cannot tell what happened there."""
        if ask.moved:
            self._plant.vault.hand_over(self._plant.ledger)
        if not (ask.doubted or ask.renumbered) or "fetch" not in wired.offers(kind.name):
            return
        try:
            for number in ask.doubted[: regressed.READ_AGAIN]:
                current = wired.connector.fetch(kind.name, number)
                if current is not None:
                    more = self.take(wired, kind, [current], purpose=purpose, confirmed=True)
                    taken.include(more)
            for id, other in ask.renumbered:
                if wired.connector.fetch(kind.name, other) is None:
                    self.again([id], gone=frozenset({other}))
        except ConnectorError as fault:
            # It is asked when the source shows the record again; until then nothing of it is taken in.
            log("not_asked", council=self._council.code, connection=wired.name, error=type(fault).__name__)

    def _one_by_one(
        self,
        wired: Wired,
        kind: Kind,
        reads: Sequence[Read],
        purpose: str,
        taken: Taken,
        place: Callable[[Connection], None] | None,
        ask: _Ask | None,
        first: Callable[[Connection], None] | None = None,
    ) -> None:
        """What cannot be written together is written record by record; one that Dolen stumbles over needs attention,
        so that the walk goes on behind it. A database that is away stops the walk, at this page."""
        for one in reads:
            try:
                self._write(wired, kind, [one], purpose, taken, None, ask, first)
            except _Stumbled as stumbled:
                one.fault = str(stumbled)
                warn("intake_fault", council=self._council.code, connection=wired.name, error=one.fault)
                self._write(wired, kind, [one], purpose, taken, None, first=first)
        if place is not None:
            self._write(wired, kind, [], purpose, taken, place)

    def again(
        self,
        version_ids: Sequence[int],
        *,
        said: str = "",
        chosen: str = "",
        gone: frozenset[str] = frozenset(),
        mapping: FieldMapping | None = None,
        first: Callable[[Connection], None] | None = None,
    ) -> Taken:
        """Take versions that we hold once more, with the mapping as it is now: after a mend, or when a doubt is
        settled. `mapping`: with this one instead.

        `first`: a person decided so, and this is done before it, in one transaction. Of two who decide at once the
        second finds that the version needs attention no more: then nothing is done, and nothing was taken.
        `said`: what a person said of them: "same" (the same request and person as before), "new" (a new request).
        `chosen`: of several referrals that may be the same, the one that a person chose.
        `gone`: numbers that the system holds no more.
        """
        taken = Taken()
        self._plant.refresh()
        for id in version_ids:
            held = self._held(id)
            if held is None:
                continue
            wired, kind, row, raw = held
            kind = replace(kind, mapping=mapping or kind.mapping)  # one mapping, whatever comes meanwhile
            read = self._read_again(wired, kind, row, raw)
            read.said, read.chosen, read.gone = said, chosen, gone
            try:
                self._write(wired, kind, [read], row.purpose, taken, None, first=first)
            except (SQLAlchemyError, _Stumbled) as fault:  # a page may just have shown a record of the same person
                log("page_redone", council=self._council.code, connection=wired.name, error=type(fault).__name__)
                self._one_by_one(wired, kind, [read], row.purpose, taken, None, None, first=first)
        if taken.news:
            self._plant.vault.hand_over(self._plant.ledger)
            self._plant.nudge.set()
        return taken

    def read_again(self, id: int) -> tuple[Wired, Kind, Read] | None:
        """What a version that we hold shows with the mapping as it is now, and nothing is written; None if it cannot be
        taken again."""
        held = self._held(id)
        if held is None:
            return None
        wired, kind, row, raw = held
        return wired, kind, self._read_again(wired, kind, row, raw)

    def _held(self, id: int) -> tuple[Wired, Kind, Row[Any], bytes] | None:
        with self._plant.ledger.reading() as connection:
            row = connection.execute(
                select(version).where(version.c.id == id, version.c.council == self._council.code)
            ).first()
            if row is None or row.state not in _AGAIN:
                return None
            raw = self._plant.vault.get(connection, self._council.code, row.raw)
        wired = self._council.wired.get(row.connection)
        kind = wired.kinds.get(row.kind) if wired else None
        if wired is None or kind is None or not row.external_id:
            return None
        return wired, kind, row, raw

    def _news(
        self, wired: Wired, kind: Kind, items: Sequence[Item | UnreadableItem], taken: Taken, *, confirmed: bool
    ) -> tuple[list[tuple[Item | UnreadableItem, str]], Mapping[str, Any]]:
        """Drop, before anything is mapped, what is byte for byte the newest version that we hold.

        Nor is anything kept of a version that was erased. Returns the rest with the hash of its bytes, and the rows of
        those whose record the ledger has.
        """
        hashed = [(item, self._plant.vault.hash(self._council.code, item.raw)) for item in items]
        with self._plant.ledger.reading() as connection:
            held: dict[str, Any] = {
                row.external_id: row
                for row in connection.execute(
                    select(
                        record.c.external_id, record.c.content, record.c.erased, record.c.version, record.c.modified
                    ).where(
                        record.c.council == self._council.code,
                        record.c.connection == wired.name,
                        record.c.kind == kind.name,
                        record.c.external_id.in_([item.id for item, _ in hashed]),
                    )
                )
            }
        fresh = []
        for item, content in hashed:
            known = held.get(item.id) if item.id else None
            if known is not None and (_erased(known, item) or (known.content == content and not confirmed)):
                taken.add(None)
            else:
                fresh.append((item, content))
        return fresh, held

    def _read(
        self, wired: Wired, kind: Kind, item: Item | UnreadableItem, content: str, *, first: bool, id: int | None = None
    ) -> Read:
        modified = to_time(item.modified) if item.modified else None
        read = Read(item, content, modified, None, id, about=getattr(item, "about", None))
        read.doubt = lambda shown: self._doubtful(wired, item.id, shown)
        try:
            read.reading = kind.mapping.read(item.record) if isinstance(item, Item) else None
            read.hashes = self._plant.vault.hash_values(self._council.code, read.shown)
            if first and read.shown:
                read.doubtful = self._doubtful(wired, item.id, read.shown)
        except Exception as fault:  # of ours, or of a converter that somebody wrote: this record's, and nobody else's
            read.fault = type(fault).__name__
            warn("intake_fault", council=self._council.code, connection=wired.name, error=read.fault)
        return read

    def _read_again(self, wired: Wired, kind: Kind, row: Row[Any], raw: bytes) -> Read:
        item = wired.connector.parse(row.kind, raw, id=row.external_id)
        if isinstance(item, Item):
            item = replace(item, id=row.external_id, raw=raw, version=row.version, our_key=row.our_key)
        read = self._read(wired, kind, item, row.content, first=True, id=row.id)
        read.modified = row.modified
        return read

    def _write(
        self,
        wired: Wired,
        kind: Kind,
        reads: Sequence[Read],
        purpose: str,
        taken: Taken,
        place: Callable[[Connection], None] | None,
        ask: _Ask | None = None,
        first: Callable[[Connection], None] | None = None,
    ) -> None:
        states: list[VersionState | None] = []
        # Asked before the transaction: a connector is not opened, nor the ledger searched twice, while others wait.
        waits = any(read.about for read in reads) or (bool(reads) and self._must_wait(wired, kind))
        artifacts = {**kind.mapping.artifacts, **wired.described[1]}
        with self._plant.ledger.writing() as connection:
            if first is not None:
                if not self._still_stopped(connection, wired, kind, reads):
                    return
                first(connection)
            if reads:
                try:
                    page = Page(self._plant, self._council, connection, wired, kind, reads, purpose, waits=waits)
                    states.extend(page.one(read) for read in reads)
                    page.write()
                except _STORES:
                    raise
                except Exception as fault:
                    raise _Stumbled(type(fault).__name__) from fault
                self._plant.kept.keep(connection, artifacts, self._plant.clock.now())
            if place is not None:
                place(connection)
            crash.here("before page commit")
        crash.here("after page commit")
        if reads and ask is not None:
            ask.doubted += page.doubted
            ask.renumbered += [(row.id, other) for row, other in page.renumbered]
            ask.moved |= page.moved
        for state in states:
            taken.add(state)

    def _still_stopped(self, connection: Connection, wired: Wired, kind: Kind, reads: Sequence[Read]) -> bool:
        """Lock versions that are taken again, after their records as whoever takes a page does; whether all of them
        still need attention."""
        batch = Batch(connection, self._plant.vault, self._council, self._plant.clock.now())
        batch.fetch_records(wired.name, kind.name, (read.item.id for read in reads))
        held = rows.read(connection, version, "id", {read.version_id for read in reads})
        return all(row.state == VersionState.ATTENTION for row in held)

    def _doubtful(self, wired: Wired, number: str, shown: Mapping[str, Any]) -> frozenset[str] | Refused:
        """The fields that their own rules refute: a wrong check digit must not join two people."""
        given = {
            "referral_id": "new",
            "council": self._council.gss,
            "source_identifiers": [{"system": wired.name, "value": number}],
        }
        try:
            referral = assemble(shown, given)
            if not any(shown.get(path) for path in self._council.person_identifiers):
                return frozenset()  # nothing in it could join two people
            return frozenset(remark.path for remark in referral.remarks)
        except Refused as refused:
            return refused

    def _must_wait(self, wired: Wired, kind: Kind) -> bool:
        """Whether records that nobody knows must wait: one of them may be the create that we have no answer to."""
        offers = wired.offers(kind.name)
        if "create" not in offers or "find" in offers:
            return False  # the profile says enough
        return wired.connector.tier(kind.name) is Tier.NEITHER


def _erased(row: Row[Any], item: Item | UnreadableItem) -> bool:
    """Whether what an item shows was erased with its person: it is not newer than what the record's tombstone says."""
    if row.erased is None:
        return False
    known = Held({"version": row.version, "modified": row.modified})
    modified = to_time(item.modified) if item.modified else None
    return versions.order(known, modified, getattr(item, "version", "")) is not versions.Order.NEWER
