"""One page of what a source showed, being written: the rules of docs/data-model.md, record by record, in memory.

`pipelines.intake` reads records through their mapping before and hands them over; everything here happens within one
transaction, on rows that were fetched for the whole page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, update

from connectors.port import Item, UnreadableItem
from mappings.facts import Refused
from pipelines import causes, conflicts, matching, revisions, rows, versions
from pipelines import facts as fact_store
from pipelines.batch import Batch
from pipelines.causes import Cause, gap_cause
from pipelines.merge import merge
from pipelines.plant import Council, Kind, Plant, Wired
from pipelines.rows import Held
from pipelines.states import VersionState
from pipelines.tables import payload, version
from pipelines.versions import Place

if TYPE_CHECKING:
    from mappings.mapping import Gap, Reading


@dataclass(slots=True)
class Read:
    """One record, read through its mapping, ready to be written."""

    item: Item | UnreadableItem
    content: str
    modified: int | None
    reading: Reading | None  # None: unreadable
    version_id: int | None = None  # set when a version that we hold is taken again
    hashes: dict[str, str] = field(default_factory=dict)  # keyed hash of each field that it shows
    doubtful: frozenset[str] | Refused = frozenset()  # fields that identify nobody, for a record not seen before
    fault: str = ""  # what Dolen itself stumbled over

    @property
    def shown(self) -> Mapping[str, Any]:
        """The facts that it shows."""
        return self.reading.facts if self.reading is not None and not self.reading.stopped else {}

    @property
    def our_key(self) -> str:
        """Our key, where the system keeps it."""
        return str(getattr(self.item, "our_key", ""))


class Page:
    """Some records of one page, being written in one transaction."""

    def __init__(
        self,
        plant: Plant,
        council: Council,
        connection: Connection,
        wired: Wired,
        kind: Kind,
        reads: Sequence[Read],
        purpose: str,
        *,
        waits: bool,
    ) -> None:
        self._council, self._wired, self._kind, self._purpose = council, wired, kind, purpose
        self._batch = Batch(connection, plant.vault, council, plant.clock.now())
        self._place = Place(council.code, wired.name, kind.name)
        self._batch.fetch_records(wired.name, kind.name, (read.item.id for read in reads))
        about = [(self._batch.record(wired.name, kind.name, read.item.id), read.our_key, read.shown) for read in reads]
        matching.fetch(self._batch, wired, kind, about)
        known = {held.external_id for held, _, _ in about if held is not None}
        self._stopped = versions.Stopped(self._batch, self._place, known)
        again = {read.version_id for read in reads if read.version_id is not None}
        self._again = {row.id: row for row in rows.read(connection, version, "id", again)}
        for row in self._again.values():
            self._stopped.add(row)
        self._waits = waits and matching.create_in_doubt(connection, council.code, wired.name)

    def write(self) -> None:
        """Write everything."""
        self._batch.flush()
        self._stopped.write(self._batch)

    def one(self, read: Read) -> VersionState | None:
        """Decide about one version and all that follows from it; None for a repeat of one that we hold."""
        batch, item = self._batch, read.item
        held = versions.record_of(batch, self._place, item.id)
        token = str(getattr(item, "version", ""))
        if read.version_id is None:
            if held is not None and held.content == read.content:
                return None
            if held is None and versions.seen_without_id(batch, self._place, read.content):
                return None
            row = self._enter(read, held, token)
            if held is not None and versions.is_older(held, read.modified, token):
                self._seal(row, read, self._person_of(held))
                return versions.end(row, VersionState.OLDER, referral_id=held.referral_id)
        else:
            row = self._again[read.version_id]
            if versions.overtaken(batch, self._place, item.id, row.id):
                return versions.end(row, VersionState.REPLACED)
        if item.id:
            self._stopped.replace(item.id, row)
        newer = _newer(held, read)
        if held is not None:
            held.set(content=read.content, version=token, modified=read.modified)
        if read.fault:
            words = f"Dolen stumbled over this record ({read.fault})"
            return self._stop(row, read, Cause(self._wired.name, "read", read.fault, words))
        if isinstance(item, UnreadableItem) or held is None:
            reason = item.reason if isinstance(item, UnreadableItem) else "the record has no id"
            return self._stop(row, read, Cause(self._wired.name, "feed", "unreadable", reason))
        assert read.reading is not None
        if read.reading.stopped:
            return self._stop(row, read, gap_cause(self._wired.name, "read", read.reading.stopped[0]))
        return self._merge(row, read, held, newer=newer)

    def _merge(self, row: Held, read: Read, held: Held, *, newer: bool) -> VersionState:
        assert read.reading is not None
        batch, wired, shown = self._batch, self._wired, read.shown
        try:
            referral = batch.referral(held.referral_id) if held.referral_id else None
            if referral is None:
                referral = matching.referral_for(
                    batch, wired, self._kind, record=held, our_key=read.our_key, shown=shown
                )
            if referral is None and self._waits:
                self._seal(row, read, None)
                self._stopped.add(row)
                return versions.end(row, VersionState.WAITING)
            if referral is None:
                if isinstance(read.doubtful, Refused):
                    raise read.doubtful
                person = matching.person_for(batch, shown, read.doubtful)
        except matching.Several as several:
            return self._stop(row, read, Cause(wired.name, "match", "several candidates", several.words, several.field))
        except Refused as refused:
            path, expected = refused.problems[0]
            return self._stop(row, read, Cause(wired.name, "read", "refused", f"{path}: {expected}", path))
        row.set(gaps=self._note_gaps(read.reading.left_out), mapping=self._kind.mapping.digest)
        if referral is None:
            referral = revisions.begin(batch, person=person, born_in=wired.name, number=held.external_id, shown=shown)
            self._seal(row, read, referral.person_id)
            held.set(base={name: [mark, None] for name, mark in read.hashes.items()})
            batch.link_record(held, referral.id)
            matching.expect(batch, wired, self._kind, shown, referral.id)
            changed, lost = set(batch.facts(referral)), False
            corrections: list[str] = []
        else:
            self._seal(row, read, referral.person_id)
            batch.link_record(held, referral.id)
            changed, corrections, lost = self._change(row, read, held, referral, newer=newer)
        row.set(referral_id=referral.id)
        state = VersionState.MERGED if changed or lost else VersionState.NO_CHANGE
        if changed:
            not_taken = revisions.pass_on(batch, referral, changed=changed, by=wired.name, version=row)
            row.set(revision=referral.revision, not_taken=not_taken or None)
        if corrections:
            revisions.correct(batch, referral, target=wired.name, version=row)
        # Taken in and lost against another system is not the same as nothing new.
        return versions.end(row, state)

    def _change(
        self, row: Held, read: Read, held: Held, referral: Held, *, newer: bool
    ) -> tuple[set[str], list[str], bool]:
        """Merge a version into the referral that is there. Returns what changed, what must be corrected in the system
        that showed it, and whether something lost against another system."""
        batch, wired, shown = self._batch, self._wired, read.shown
        facts = batch.facts(referral)
        marks, code = read.hashes, self._council.code

        def hash_of(name: str, value: Any) -> str:
            return marks[name] if name in shown and shown[name] is value else batch.vault.hash_value(code, name, value)

        merged = merge(
            facts,
            held.base,
            shown,
            by=wired.name,
            owners=self._council.owners,
            hash_of=hash_of,
            newer_than_write=newer,
        )
        changes = merged.changes
        if facts.get(fact_store.target_field(wired.name)) is None:
            changes = {**changes, fact_store.target_field(wired.name): held.external_id}
        held.set(base=merged.base)
        if changes:
            revisions.revise(batch, referral, changes, by=wired.name)
        matching.expect(batch, wired, self._kind, shown, referral.id)
        corrections = conflicts.keep(batch, referral, merged.lost, merged.corrections, version=row)
        return set(changes), corrections, bool(merged.lost)

    def _enter(self, read: Read, held: Held | None, token: str) -> Held:
        return self._batch.new_version(
            connection=self._wired.name,
            kind=self._kind.name,
            external_id=read.item.id,
            record_id=held,
            raw="",  # sealed when it is known whom it is about, within this transaction
            content=read.content,
            version=token,
            our_key=read.our_key,
            modified=read.modified,
            mapping=self._kind.mapping.digest,
            purpose=self._purpose,
            state=VersionState.NO_CHANGE,  # until `versions.end` says better, within this transaction
        )

    def _seal(self, row: Held, read: Read, person: str | None) -> None:
        if row.fresh:
            row.set(raw=self._batch.seal("raw", read.item.raw, person))
        elif person is not None:
            self._batch.connection.execute(update(payload).where(payload.c.id == row.raw).values(person_id=person))

    def _person_of(self, held: Held) -> str | None:
        referral = self._batch.referral(held.referral_id) if held.referral_id else None
        return referral.person_id if referral is not None else None

    def _stop(self, row: Held, read: Read, why: Cause) -> VersionState:
        self._seal(row, read, None)
        self._stopped.add(row)
        cause_id = causes.note(self._batch.connection, self._council.code, why, self._batch.now)
        return versions.end(row, VersionState.ATTENTION, cause_id=cause_id)

    def _note_gaps(self, gaps: Sequence[Gap]) -> list[list[Any]] | None:
        connection, code, now = self._batch.connection, self._council.code, self._batch.now
        return [
            [gap.field, gap.code_list, causes.note(connection, code, gap_cause(self._wired.name, "read", gap), now)]
            for gap in gaps
        ] or None


def _newer(held: Held | None, read: Read) -> bool:
    """Whether the system's stamp says that this version is newer than the newest one known, which may be our write."""
    if held is None or held.modified is None or read.modified is None:
        return False
    return bool(read.modified > held.modified)
