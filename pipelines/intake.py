"""Intake: one page of what a source showed becomes rows of the ledger.

Reading through the mapping happens before, outside any transaction; then one short transaction writes versions,
records, referrals, deliveries and the walk's place, all or nothing. A database error redoes the page row by row. A
record that cannot be read or mapped needs attention and holds up nobody else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from connectors.port import Item, Tier, UnreadableItem
from mappings.facts import Refused, assemble
from pipelines import causes, conflicts, matching, revisions, versions
from pipelines import facts as fact_store
from pipelines.causes import Cause, gap_cause
from pipelines.clock import to_time
from pipelines.ledger import keep_artifacts
from pipelines.logs import log
from pipelines.merge import merge
from pipelines.plant import Council, Kind, Plant, Wired
from pipelines.states import VersionState
from pipelines.tables import payload, record, version
from pipelines.versions import Place

if TYPE_CHECKING:
    from mappings.mapping import Gap, Reading

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

    @property
    def news(self) -> int:
        """Versions that were not there before."""
        return sum(self.states.values())


@dataclass(slots=True)
class _Read:
    """One record, read through its mapping, ready to be written."""

    item: Item | UnreadableItem
    content: str
    modified: int | None
    reading: Reading | None  # None: unreadable
    version_id: int | None = None  # set when a version that we hold is taken again


class Intake:
    """Takes pages of one council's connections into the ledger."""

    def __init__(self, plant: Plant, council: Council) -> None:
        self._plant = plant
        self._council = council
        self._kept: set[str] = set()

    def take(
        self,
        wired: Wired,
        kind: Kind,
        items: Sequence[Item | UnreadableItem],
        *,
        purpose: str = "live",
        place: Callable[[Connection], None] | None = None,
    ) -> Taken:
        """Take records as a source showed them. `place` moves the walk, in the same transaction as the last of them."""
        taken = Taken()
        fresh = self._news(wired, kind, items, taken)
        reads = [self._read(kind, item, content) for item, content in fresh]
        chunks = [reads[at : at + ROWS_A_TRANSACTION] for at in range(0, len(reads), ROWS_A_TRANSACTION)] or [[]]
        for chunk in chunks:
            last = chunk is chunks[-1]
            try:
                self._write(wired, kind, chunk, purpose, taken, place if last else None)
            except SQLAlchemyError as fault:
                log("page_redone", council=self._council.code, connection=wired.name, error=type(fault).__name__)
                for one in chunk:
                    self._write(wired, kind, [one], purpose, taken, None)
                if last and place is not None:
                    self._write(wired, kind, [], purpose, taken, place)
        if taken.news:
            self._plant.vault.hand_over(self._plant.ledger)
        return taken

    def again(self, version_ids: Sequence[int]) -> Taken:
        """Take versions that we hold once more, with the mapping as it is now: after a mend, or when a doubt is
        settled."""
        taken = Taken()
        for id in version_ids:
            with self._plant.ledger.reading() as connection:
                row = connection.execute(
                    select(version).where(version.c.id == id, version.c.council == self._council.code)
                ).first()
                if row is None or row.state not in (VersionState.ATTENTION, VersionState.WAITING, VersionState.MERGED):
                    continue
                raw = self._plant.vault.get(connection, self._council.code, row.raw)
            wired = self._council.wired.get(row.connection)
            kind = wired.kinds.get(row.kind) if wired else None
            if wired is None or kind is None or not row.external_id:
                continue
            read = self._read_again(wired, kind, row, raw)
            with self._plant.ledger.writing() as connection:
                taken.add(self._one(connection, wired, kind, read, row.purpose))
                self._keep(connection, kind)
        if taken.news:
            self._plant.vault.hand_over(self._plant.ledger)
        return taken

    def _news(
        self, wired: Wired, kind: Kind, items: Sequence[Item | UnreadableItem], taken: Taken
    ) -> list[tuple[Item | UnreadableItem, str]]:
        """Drop, before anything is mapped, what is byte for byte the newest version that we hold."""
        hashed = [(item, self._plant.vault.hash(self._council.code, item.raw)) for item in items]
        with self._plant.ledger.reading() as connection:
            held = {
                row.external_id: row.content
                for row in connection.execute(
                    select(record.c.external_id, record.c.content).where(
                        record.c.council == self._council.code,
                        record.c.connection == wired.name,
                        record.c.kind == kind.name,
                        record.c.external_id.in_([item.id for item, _ in hashed]),
                    )
                )
            }
        fresh = []
        for item, content in hashed:
            if item.id and held.get(item.id) == content:
                taken.add(None)
            else:
                fresh.append((item, content))
        return fresh

    def _read(self, kind: Kind, item: Item | UnreadableItem, content: str) -> _Read:
        modified = to_time(item.modified) if item.modified else None
        reading = kind.mapping.read(item.record) if isinstance(item, Item) else None
        return _Read(item, content, modified, reading)

    def _read_again(self, wired: Wired, kind: Kind, row: Row[Any], raw: bytes) -> _Read:
        item = wired.connector.parse(row.kind, raw, id=row.external_id)
        if isinstance(item, Item):
            item = Item(row.external_id, item.record, raw, row.version, item.modified, row.our_key)
        reading = kind.mapping.read(item.record) if isinstance(item, Item) else None
        return _Read(item, row.content, row.modified, reading, row.id)

    def _write(
        self,
        wired: Wired,
        kind: Kind,
        reads: Sequence[_Read],
        purpose: str,
        taken: Taken,
        place: Callable[[Connection], None] | None,
    ) -> None:
        states: list[VersionState | None] = []
        with self._plant.ledger.writing() as connection:
            states.extend(self._one(connection, wired, kind, read, purpose) for read in reads)
            if reads:
                self._keep(connection, kind)
            if place is not None:
                place(connection)
        for state in states:
            taken.add(state)

    def _keep(self, connection: Connection, kind: Kind) -> None:
        if kind.mapping.digest not in self._kept:
            keep_artifacts(connection, kind.mapping.artifacts, self._plant.clock.now())
            self._kept.add(kind.mapping.digest)

    def _one(self, connection: Connection, wired: Wired, kind: Kind, read: _Read, purpose: str) -> VersionState | None:
        """Write one version and all that follows from it."""
        now = self._plant.clock.now()
        place = Place(self._council.code, wired.name, kind.name)
        held = versions.record_of(connection, place, read.item.id, now)
        if read.version_id is None:
            if held is not None and held.content == read.content:
                return None
            if held is None and versions.seen_without_id(connection, place, read.content):
                return None
            id = self._version_row(connection, kind, place, read, held, purpose, now)
            if held is not None and versions.is_older(held, read.modified, getattr(read.item, "version", "")):
                return versions.end(connection, id, VersionState.OLDER, referral_id=held.referral_id)
        else:
            id = read.version_id
            if versions.overtaken(connection, place, read.item.id, id):
                return versions.end(connection, id, VersionState.REPLACED)
        versions.replace_stopped(connection, place, read.item.id, id)
        if held is not None:
            connection.execute(
                update(record)
                .where(record.c.id == held.id)
                .values(content=read.content, version=getattr(read.item, "version", ""), modified=read.modified)
            )
        if isinstance(read.item, UnreadableItem) or held is None:
            reason = read.item.reason if isinstance(read.item, UnreadableItem) else "the record has no id"
            return self._stop(connection, id, Cause(wired.name, "feed", "unreadable", reason), now)
        assert read.reading is not None
        if read.reading.stopped:
            return self._stop(connection, id, gap_cause(wired.name, "read", read.reading.stopped[0]), now)
        return self._merge(connection, wired, kind, read, held, id, now)

    def _merge(
        self, connection: Connection, wired: Wired, kind: Kind, read: _Read, held: Row[Any], id: int, now: int
    ) -> VersionState:
        assert read.reading is not None
        assert isinstance(read.item, Item)
        vault, council = self._plant.vault, self._council
        shown = dict(read.reading.facts)
        gaps = self._note_gaps(connection, wired, read.reading.left_out, now)
        try:
            referral_id = held.referral_id or matching.referral_for(
                connection, council, wired, kind, external_id=held.external_id, our_key=read.item.our_key, shown=shown
            )
            if referral_id is None and self._must_wait(connection, wired, kind):
                return versions.end(connection, id, VersionState.WAITING)
            row = revisions.get(connection, council.code, referral_id) if referral_id else None
            if row is None:
                doubtful = self._doubtful(wired, held.external_id, shown)
                person = matching.person_for(connection, vault, council, shown, doubtful, now)
        except matching.Several as several:
            why = Cause(wired.name, "match", "several candidates", several.words, several.field)
            return self._stop(connection, id, why, now)
        except Refused as refused:
            path, expected = refused.problems[0]
            return self._stop(connection, id, Cause(wired.name, "read", "refused", f"{path}: {expected}", path), now)
        hash_of = self._hash_of
        if row is None:
            row, facts = revisions.begin(
                connection,
                vault,
                council,
                person=person,
                born_in=wired.name,
                number=held.external_id,
                shown=shown,
                now=now,
            )
            base = {name: [hash_of(name, value), None] for name, value in shown.items()}
            changed, corrections, lost = set(facts), [], False
        else:
            facts = fact_store.load(connection, vault, council.code, row.facts)
            merged = merge(
                facts,
                held.base,
                shown,
                by=wired.name,
                owners=council.owners,
                hash_of=hash_of,
                # `modified` of the record is the stamp of our own write until something newer is shown.
                newer_than_write=held.modified is not None
                and read.modified is not None
                and read.modified > held.modified,
            )
            changes = merged.changes
            if facts.get(fact_store.target_field(wired.name)) is None:
                changes = {**changes, fact_store.target_field(wired.name): held.external_id}
            base, corrections, lost = merged.base, merged.corrections, bool(merged.lost)
            changed = set(changes)
            if changes:
                row, facts = revisions.revise(connection, vault, row, facts, changes, by=wired.name, now=now)
            corrections = conflicts.keep(connection, row, merged.lost, corrections, version=id, now=now)
        connection.execute(update(record).where(record.c.id == held.id).values(referral_id=row.id, base=base))
        matching.expect(connection, council, wired, kind, shown, row.id, now)
        self._hold_by_person(connection, id, row.person_id)
        if not changed:
            if corrections:
                revisions.correct(connection, council, row, facts, target=wired.name, version=id, now=now)
            # Taken in and lost against another system is not the same as nothing new.
            state = VersionState.MERGED if lost else VersionState.NO_CHANGE
            return versions.end(connection, id, state, referral_id=row.id, gaps=gaps, mapping=kind.mapping.digest)
        not_taken = revisions.pass_on(
            connection, council, row, facts, changed=changed, by=wired.name, version=id, now=now
        )
        if corrections:
            revisions.correct(connection, council, row, facts, target=wired.name, version=id, now=now)
        return versions.end(
            connection,
            id,
            VersionState.MERGED,
            referral_id=row.id,
            revision=row.revision,
            gaps=gaps,
            not_taken=not_taken or None,
            mapping=kind.mapping.digest,
        )

    def _hash_of(self, name: str, value: Any) -> str:
        return self._plant.vault.hash_value(self._council.code, name, value)

    def _doubtful(self, wired: Wired, number: str, shown: Mapping[str, Any]) -> frozenset[str]:
        """The fields that their own rules refute: a wrong check digit must not join two people. Raises Refused."""
        given = {
            "referral_id": "new",
            "council": self._council.gss,
            "source_identifiers": [{"system": wired.name, "value": number}],
        }
        return frozenset(remark.path for remark in assemble(shown, given).remarks)

    def _must_wait(self, connection: Connection, wired: Wired, kind: Kind) -> bool:
        offers = wired.offers(kind.name)
        if "create" not in offers or "find" in offers:
            return False  # the profile says enough: no connector is opened while the ledger waits
        return wired.connector.tier(kind.name) is Tier.NEITHER and matching.create_in_doubt(
            connection, self._council.code, wired.name
        )

    def _version_row(
        self,
        connection: Connection,
        kind: Kind,
        place: Place,
        read: _Read,
        held: Row[Any] | None,
        purpose: str,
        now: int,
    ) -> int:
        made: int = connection.execute(
            insert(version)
            .values(
                **place.key,
                external_id=read.item.id,
                record_id=held.id if held else None,
                raw=self._plant.vault.put(connection, place.council, "raw", read.item.raw, now),
                content=read.content,
                version=getattr(read.item, "version", ""),
                our_key=getattr(read.item, "our_key", ""),
                modified=read.modified,
                mapping=kind.mapping.digest,
                purpose=purpose,
                at=now,
                state=VersionState.NO_CHANGE,  # until `versions.end` says better, within this transaction
            )
            .returning(version.c.id)
        ).scalar_one()
        return made

    def _stop(self, connection: Connection, id: int, why: Cause, now: int) -> VersionState:
        cause_id = causes.note(connection, self._council.code, why, now)
        return versions.end(connection, id, VersionState.ATTENTION, cause_id=cause_id)

    def _note_gaps(self, connection: Connection, wired: Wired, gaps: Sequence[Gap], now: int) -> list[list[Any]] | None:
        return [
            [
                gap.field,
                gap.code_list,
                causes.note(connection, self._council.code, gap_cause(wired.name, "read", gap), now),
            ]
            for gap in gaps
        ] or None

    def _hold_by_person(self, connection: Connection, id: int, person: str) -> None:
        raw = select(version.c.raw).where(version.c.id == id).scalar_subquery()
        connection.execute(update(payload).where(payload.c.id == raw).values(person_id=person))
