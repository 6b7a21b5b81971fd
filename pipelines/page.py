"""One page of what a source showed, being written: the rules of docs/data-model.md, record by record, in memory.

`pipelines.intake` reads records through their mapping before and hands them over; everything here happens within one
transaction, on rows that were fetched for the whole page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, update

from connectors.port import About, Item, UnreadableItem
from mappings.facts import Refused
from pipelines import (
    causes,
    conflicts,
    gaps,
    hops,
    identity,
    matching,
    people,
    regressed,
    revisions,
    rows,
    tombstones,
    versions,
)
from pipelines import facts as fact_store
from pipelines.batch import Batch
from pipelines.causes import Cause, gap_cause
from pipelines.matching import Several
from pipelines.merge import Merged, merge
from pipelines.plant import Council, Kind, Plant, Wired
from pipelines.rows import Held
from pipelines.states import VersionState
from pipelines.tables import payload, version
from pipelines.versions import Order, Place

if TYPE_CHECKING:
    from mappings.mapping import Reading


#: A version in one of these has had its say.
_SAID = (VersionState.MERGED, VersionState.NO_CHANGE)


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
    doubt: Callable[[Mapping[str, Any]], frozenset[str] | Refused] = lambda _facts: frozenset()  # the same, when asked
    fault: str = ""  # what Dolen itself stumbled over
    confirmed: bool = False  # an old version that the system still shows when it is asked for the record alone
    said: str = ""  # what a person said of it: same, new, put back
    chosen: str = ""  # the one of several candidates that a person chose, for whom it is the same
    gone: frozenset[str] = frozenset()  # numbers that the system holds no more
    about: About | None = None  # what of ours it answers, where it is an answer
    erased: bool = False  # what the record told before was erased, and this is newer

    def stops(self, connection: str) -> Cause | None:
        """Why it waits for a person, whatever it says; None: it does not."""
        if self.fault:
            return Cause(connection, "read", self.fault, f"Dolen stumbled over this record ({self.fault})")
        return tombstones.erased(connection) if self.erased and not self.said else None

    @property
    def shown(self) -> Mapping[str, Any]:
        """The facts that it shows."""
        if self.fault or self.reading is None or self.reading.stopped:
            return {}
        return self.reading.facts

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
        self._identifiers = frozenset(council.person_identifiers)
        self._mapped_with = {"mapping": kind.mapping.digest, "profile": wired.described[0]}
        self._batch = Batch(connection, plant.vault, council, plant.clock.now())
        self._place = Place(council.code, wired.name, kind.name)
        self._batch.fetch_records(wired.name, kind.name, (read.item.id for read in reads))
        about = [(self._batch.record(wired.name, kind.name, read.item.id), read.our_key, read.shown) for read in reads]
        matching.fetch(self._batch, wired, kind, about, [read.about for read in reads if read.about])
        known = {held.external_id for held, _, _ in about if held is not None}
        again = {read.version_id for read in reads if read.version_id is not None}
        self._again = {row.id: row for row in rows.read(connection, version, "id", again)}
        self._stopped = versions.Stopped(self._batch, self._place, known, self._again)
        self._older = versions.Older(
            self._batch,
            self._place,
            (
                (held.external_id, read.content)
                for read, (held, _, _) in zip(reads, about, strict=True)
                if held is not None and versions.is_older(held, read.modified, _token(read))
            ),
        )
        self._went_back = regressed.cause_id(connection, council.code, wired.name) if self._stopped else None
        self.doubted: list[str] = []  # records that show an old version for so long that they should be read anew
        self.renumbered: list[tuple[Held, str]] = []  # versions stopped by another record of the same referral
        self.moved = False  # a referral came to another person
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
        if read.version_id is None:
            if self._is_known(read, held):
                return None
            standing = Order.NEWER if held is None else self._standing(read, held)
            row = self._enter(read, held)
            if held is not None and standing is Order.OLDER:
                self._seal(row, read, self._person_of(held))
                self._older.add(item.id, read.content, batch.now)
                return versions.end(row, VersionState.OLDER, referral_id=held.referral_id)
            if standing is Order.PUT_BACK:
                self._stopped.replace(item.id, row)
                self.doubted.append(item.id)
                return self._stop(row, read, regressed.why(self._wired.name))
        else:
            row = self._again[read.version_id]
            if versions.overtaken(batch, self._place, item.id, row.id):
                if row.state in _SAID:
                    return VersionState(row.state)  # it has had its say; the newer one tells what is still left out
                return versions.end(row, VersionState.REPLACED)
        if item.id:
            self._stopped.replace(item.id, row)
        newer = held is not None and versions.is_newer(held, read.modified, _token(read))
        if held is not None:
            batch.gaps.none_of(held, "read")
            # Read again for a code, a version may be older than what we wrote there since.
            if row.state not in _SAID or not versions.is_older(held, read.modified, _token(read)):
                held.set(content=read.content, version=_token(read), modified=read.modified)
        if (why := read.stops(self._wired.name)) is not None:
            return self._stop(row, read, why)
        if isinstance(item, UnreadableItem) or held is None:
            reason = item.reason if isinstance(item, UnreadableItem) else "the record has no id"
            return self._stop(row, read, Cause(self._wired.name, "feed", "unreadable", reason))
        if held.aside:
            self._seal(row, read, None)
            row.set(remark="a double of another record, says a person")
            return versions.end(row, VersionState.CLOSED)
        if item.deleted:
            return self._deleted(row, read, held)
        assert read.reading is not None
        if read.reading.stopped:
            first = read.reading.stopped[0]
            mark = gaps.mark_of(batch.vault, batch.council.code, read.reading.stopped, first.code_list)
            return self._stop(row, read, gap_cause(self._wired.name, "read", first), code=mark)
        return self._merge(row, read, held, newer=newer)

    def _is_known(self, read: Read, held: Held | None) -> bool:
        """Whether we hold just this version of the record."""
        id, content = read.item.id, read.content
        if held is None:
            return versions.seen_without_id(self._batch, self._place, content)
        same = held.content == content or (read.confirmed and _token(read) == held.version != "")
        if same and read.confirmed and self._went_back is not None:
            self._stopped.end(id, self._went_back)  # it shows what we know: what seemed put back was an old page
        if same or self._stopped.has(id, content):
            return True
        since = self._older.since(id, content)
        if since is None or read.confirmed or self._standing(read, held) is not Order.OLDER:
            return False
        if since <= self._batch.now - regressed.PERSISTS and not held.rewrite:
            self.doubted.append(id)
        return True

    def _standing(self, read: Read, held: Held) -> Order:
        """How a version stands to what is known of its record; one that cannot be told is taken for newer."""
        order = versions.order(held, read.modified, _token(read))
        if held.rewrite:  # the newest is on its way there; what it showed before that is simply old
            return Order.NEWER if order is Order.NEWER else Order.OLDER
        if order is Order.OLDER and read.confirmed:
            return Order.PUT_BACK
        if self._went_back is not None and self._stopped.because_of(read.item.id, self._went_back):
            return Order.PUT_BACK  # it is edited while a person has not decided yet
        return order

    def _merge(self, row: Held, read: Read, held: Held, *, newer: bool) -> VersionState:
        assert read.reading is not None
        batch, wired, shown = self._batch, self._wired, read.shown
        try:
            referral = self._referral_of(read, held)
            if referral is None and self._waits and not read.said:
                self._seal(row, read, None)
                self._stopped.add(row)
                return versions.end(row, VersionState.WAITING)
            if referral is None:
                if isinstance(read.doubtful, Refused):
                    raise read.doubtful
                person = matching.person_for(batch, shown, read.doubtful)
            else:
                merged = self._weigh(read, held, referral, newer=newer)
        except Several as several:
            if several.other:
                self.renumbered.append((row, several.other))
            return self._stop(row, read, Cause(wired.name, "match", several.error, several.words, several.field))
        except Refused as refused:
            path, expected = refused.problems[0]
            return self._stop(row, read, Cause(wired.name, "read", "refused", f"{path}: {expected}", path))
        noted = gaps.note(batch, wired.name, self._kind.name, "read", held, read.reading.left_out, version_id=row)
        row.set(gaps=noted, **self._mapped_with)
        if referral is None:
            referral = revisions.begin(batch, person=person, born_in=wired.name, number=held.external_id, shown=shown)
            self._seal(row, read, referral.person_id)
            held.set(base={name: [mark, None] for name, mark in read.hashes.items()}, erased=None)
            batch.link_record(held, referral.id)
            matching.expect(batch, wired, self._kind, shown, referral.id)
            changed, lost = set(batch.facts(referral)), False
            corrections: list[str] = []
        else:
            self._seal(row, read, referral.person_id)
            row.set(referral_id=referral.id)
            changed, corrections, lost = self._change(row, read, held, referral, merged)
        row.set(referral_id=referral.id)
        # What changed the referral once did so, though nothing more comes of it when it is read again.
        changes = changed or lost or row.state == VersionState.MERGED
        if changed:
            not_taken = revisions.pass_on(batch, referral, changed=changed, by=wired.name, version=row)
            row.set(revision=referral.revision, not_taken=not_taken or None)
        if corrections:
            revisions.correct(batch, referral, target=wired.name, version=row)
        # Taken in and lost against another system is not the same as nothing new.
        return versions.end(row, VersionState.MERGED if changes else VersionState.NO_CHANGE)

    def _referral_of(self, read: Read, held: Held) -> Held | None:
        """The referral of a record, None for a new one. Raises Several."""
        if read.said == "new":
            return None
        referral = self._batch.referral(held.referral_id) if held.referral_id else None
        if referral is None and read.about is not None:
            return matching.answered(self._batch, self._wired, read.about, waits=self._waits, chosen=read.chosen)
        if referral is None:
            referral = matching.referral_for(
                self._batch, self._wired, self._kind, record=held, our_key=read.our_key, shown=read.shown,
                gone=None if read.said == "same" and not read.chosen else read.gone, chosen=read.chosen,
            )  # fmt: skip
        return referral

    def _weigh(self, read: Read, held: Held, referral: Held, *, newer: bool) -> Merged:
        """What a version does to the referral that is there; nothing is changed yet. Raises Several where it cannot be
        told whose it is, or seems to be somebody else's."""
        batch, wired, code = self._batch, self._wired, self._council.code
        marks, shown = read.hashes, read.shown
        if batch.forgotten(referral):  # retention has let go of them: all that this version shows is news
            facts, base = revisions.anew(batch, referral, wired.name, held.external_id), {}
        else:
            facts, base = batch.facts(referral), held.base
        for old in batch.records_of(referral.id, wired.name, self._kind.name):
            if old is not held and not base:
                base = old.base  # the same record under another number

        def hash_of(name: str, value: Any) -> str:
            return marks[name] if name in shown and shown[name] is value else batch.vault.hash_value(code, name, value)

        if read.said != "same" and identity.is_somebody_else(marks, base, facts, hash_of):
            words = "name, date of birth and number changed at once: the record seems to be somebody else's now"
            raise Several(words, identity.TELLING[-1], error="another person")
        merged = merge(
            facts,
            base,
            shown,
            by=wired.name,
            owners=self._council.owners,
            hash_of=hash_of,
            newer_than_write=newer,
            spent=lambda name, mark: hops.spent(referral.hops, name, mark, batch.now),
        )
        if self._names_people(merged):
            doubtful = read.doubt(shown)
            read.doubtful = self._identifiers if isinstance(doubtful, Refused) else doubtful
            people.named(batch, {**fact_store.plain(facts), **merged.changes}, read.doubtful)
        return merged

    def _names_people(self, merged: Merged) -> bool:
        """Whether a change concerns what names a person."""
        return not self._identifiers.isdisjoint(merged.changes)

    def _change(
        self, row: Held, read: Read, held: Held, referral: Held, merged: Merged
    ) -> tuple[set[str], list[str], bool]:
        """Apply what was weighed. Returns what changed, what must be corrected in the system that showed it, and
        whether something lost against another system."""
        batch, wired = self._batch, self._wired
        facts = batch.facts(referral)
        if self._names_people(merged) and not isinstance(read.doubtful, Refused):
            before = fact_store.plain(facts)
            after = {**before, **merged.changes}
            self.moved |= people.follow(batch, referral, before, after, read.doubtful)
        changes = {**merged.changes, **({} if read.about else matching.renumber(batch, held, referral))}
        batch.link_record(held, referral.id)
        held.set(base=merged.base)
        if changes:
            revisions.remark(row, facts, changes)
            counted = hops.after(
                referral.hops,
                facts,
                changes,
                read.hashes,
                by=wired.name,
                passing=self._council.wired.keys(),
                now=batch.now,
            )
            referral.set(**({"hops": counted} if counted != referral.hops else {}))
            revisions.revise(batch, referral, changes, by=wired.name)
        matching.expect(batch, wired, self._kind, read.shown, referral.id)
        corrections = conflicts.keep(batch, referral, merged.lost, merged.corrections, version=row)
        return set(changes), corrections, bool(merged.lost)

    def _deleted(self, row: Held, read: Read, held: Held) -> VersionState:
        """The system says that it deleted the record. Nothing is deleted in another one because of that."""
        batch, wired = self._batch, self._wired
        referral = batch.referral(held.referral_id) if held.referral_id else None
        row.set(remark="deleted there")
        if referral is None:
            self._seal(row, read, None)
            return versions.end(row, VersionState.NO_CHANGE)
        row.set(referral_id=referral.id)
        if not tombstones.pass_on(batch, wired.name, referral, row):
            return self._stop(row, read, tombstones.why(wired.name))
        self._seal(row, read, referral.person_id)
        return versions.end(row, VersionState.MERGED)

    def _enter(self, read: Read, held: Held | None) -> Held:
        return self._batch.new_version(
            connection=self._wired.name,
            kind=self._kind.name,
            external_id=read.item.id,
            record_id=held,
            raw="",  # sealed when it is known whom it is about, within this transaction
            content=read.content,
            version=_token(read),
            our_key=read.our_key,
            modified=read.modified,
            **self._mapped_with,
            purpose=self._purpose,
            state=VersionState.WAITING,  # until `versions.end` says better, within this transaction
        )

    def _seal(self, row: Held, read: Read, person: str | None) -> None:
        if row.fresh:
            row.set(raw=self._batch.seal("raw", read.item.raw, person))
        elif person is not None:
            self._batch.connection.execute(update(payload).where(payload.c.id == row.raw).values(person_id=person))

    def _person_of(self, held: Held) -> str | None:
        referral = self._batch.referral(held.referral_id) if held.referral_id else None
        return referral.person_id if referral is not None else None

    def _stop(self, row: Held, read: Read, why: Cause, *, code: str = "") -> VersionState:
        self._seal(row, read, None)
        self._stopped.add(row)
        cause_id = causes.note(self._batch.connection, self._council.code, why, self._batch.now)
        if why.error == regressed.ERROR:
            self._went_back = cause_id
        return versions.end(row, VersionState.ATTENTION, cause_id=cause_id, code=code)


def _token(read: Read) -> str:
    """The version token that a record shows, "" if it shows none."""
    return str(getattr(read.item, "version", ""))
