"""Deciding: what a person says about a version that nobody but a person may judge.

Whether a record still is the same person's, whether a second record is the first one renumbered, and whether a system
that was restored from a backup is sent the newest again. The joining of two referrals is in `pipelines.joining`. Each
decision asks who and why and is written in the audit in the transaction that carries it out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Row, select

from pipelines import audit, conflicts, deliveries, lanes, regressed, revisions, rows
from pipelines import facts as fact_store
from pipelines.batch import Batch
from pipelines.candidates import Candidate, candidates
from pipelines.intake import Intake
from pipelines.looking import NotPossible, council_of, version_of
from pipelines.merge import merge
from pipelines.plant import Council, Plant
from pipelines.rights import Right
from pipelines.states import DeliveryState, VersionState
from pipelines.tables import cause, version
from pipelines.vault import PayloadGone

#: The errors of the causes on which a person's word is needed.
ANOTHER_PERSON = "another person"
DECIDED = (ANOTHER_PERSON, "several candidates")
_TAKEN = {
    "new": "a new request", "same": "the same request as before", "put back": "the same request as before",
    "chosen": "of the referral that was chosen",
}  # fmt: skip
#: Versions of one record that are looked through for what a restored system shows again.
_LOOKED_THROUGH = 50


def error_of(plant: Plant, cause_id: int | None) -> str:
    """The error class of a cause, "" for none."""
    with plant.ledger.reading() as connection:
        found: str | None = connection.execute(select(cause.c.error).where(cause.c.id == cause_id)).scalar()
    return found or ""


def same(plant: Plant, id: str, *, who: str, why: str) -> str:
    """Take a version as what it says: the same request and person as before, corrected or under a new number. Returns
    what became of it in a sentence. Raises NotPossible."""
    row = _stopped(plant, id)
    return _again(plant, row, "same", lambda batch: _tell(plant, batch, row, who=who, why=why, action="same request"))


def choose(plant: Plant, id: str, referral: str, *, who: str, why: str) -> str:
    """Take a version as belonging to one of the several referrals that its identifiers name. Returns what became of it
    in a sentence. Raises NotPossible."""
    row = _stopped(plant, id)
    found = {one.referral: one for one in candidates(plant, id).seen}
    one = found.get(referral)
    if one is None:
        among = "; ".join(f"{each.referral} ({_numbers(each)})" for each in found.values()) or "none that you may see"
        raise NotPossible(f"{id} names no such referral now; it may belong to: {among}")
    if one.held:
        raise NotPossible(
            f"{row.connection} holds {one.held} of that referral already: choose another one, say that it is new, or "
            "have one of the two records closed there"
        )

    def told(batch: Batch) -> None:
        _tell(plant, batch, row, who=who, why=why, action="choose referral", detail={"referral": referral})

    return _again(plant, row, "same", told, chosen=referral)


def _numbers(one: Candidate) -> str:
    return ", ".join(f"{connection} {number}" for connection, number in one.numbers)


def new(plant: Plant, id: str, *, who: str, why: str) -> str:
    """Take a version as a new request under a number that was used before: the old referral keeps what it has, and
    loses the number. Returns what became of it in a sentence. Raises NotPossible."""
    row = _stopped(plant, id)

    def parted(batch: Batch) -> None:
        batch.fetch_records(row.connection, row.kind, [row.external_id])
        held = batch.record(row.connection, row.kind, row.external_id)
        if held is not None and held.referral_id is not None:
            batch.fetch_referrals([held.referral_id])
            old = batch.referral(held.referral_id)
            assert old is not None
            batch.fetch_deliveries([old.id])
            batch.unlink_record(held)
            held.set(base={})
            touched = set()
            for waiting in batch.deliveries_of(old.id):
                # It would make the old request anew there, beside the one that has its number now.
                if waiting.connection == row.connection and waiting.state == DeliveryState.WAITING:
                    deliveries.move(batch, waiting, DeliveryState.CLOSED, reason="its number there is somebody else's")
                    touched.add(waiting.lane)
            revisions.revise(batch, old, {fact_store.target_field(row.connection): None}, by=revisions.OURSELVES)
            batch.flush()
            lanes.refresh(batch.connection, touched)
        _tell(plant, batch, row, who=who, why=why, action="new request")
        batch.flush()

    return _again(plant, row, "new", parted)


def send_newest(plant: Plant, id: str, *, who: str, why: str) -> None:
    """Have a system that shows a record as it was before hold the newest again. Raises NotPossible.

    What it shows and never showed before was typed there since, and is merged as any edit. Where no route leads to
    that system, nothing can be sent: what it shows is taken as it is.
    """
    row = version_of(plant, id)
    council = council_of(plant, row.council)
    if row.state != VersionState.ATTENTION:
        raise NotPossible(f"{id} is {row.state}: there is nothing to send again")
    leads_there = any(route.target == row.connection and route.carries == "state" for route in council.routes)
    if not leads_there:
        said = "take as it is"
        _again(plant, row, "put back", lambda batch: _tell(plant, batch, row, who=who, why=why, action=said))
        return
    shown, marks = _read(plant, council, row)
    before = _shown_before(plant, council, row)
    with plant.ledger.writing() as connection:
        batch = Batch(connection, plant.vault, council, plant.clock.now())
        batch.fetch_records(row.connection, row.kind, [row.external_id])
        held = batch.record(row.connection, row.kind, row.external_id)
        assert held is not None
        batch.fetch_referrals([held.referral_id] if held.referral_id else [])
        referral = batch.referral(held.referral_id) if held.referral_id else None
        if referral is None:
            raise NotPossible(f"{id} belongs to no referral; close it, and have it mended at its source")
        batch.fetch_deliveries([referral.id])
        (mine,) = rows.read(connection, version, "id", [row.id])
        if mine.state != VersionState.ATTENTION:
            raise NotPossible(f"{id} is {mine.state}: somebody else has decided")
        since = {name: value for name, value in shown.items() if (name, marks[name]) not in before}
        merged = merge(
            batch.facts(referral),
            held.base,
            since,
            by=row.connection,
            owners=council.owners,
            newer_than_write=True,
            hash_of=_hashing(plant, council),
        )
        held.set(base={**held.base, **{name: [mark, None] for name, mark in marks.items()}}, rewrite=True)
        mine.set(state=VersionState.OLDER, cause_id=None, referral_id=referral.id, remark="the newest is sent again")
        if merged.changes:
            revisions.revise(batch, referral, merged.changes, by=row.connection)
            mine.set(state=VersionState.MERGED, revision=referral.revision)
            revisions.pass_on(batch, referral, changed=merged.changes.keys(), by=row.connection, version=mine)
        conflicts.keep(batch, referral, merged.lost, [], version=mine)
        revisions.correct(batch, referral, target=row.connection, version=mine)
        _tell(plant, batch, row, who=who, why=why, action="send the newest again")
        batch.flush()
        rows.change(connection, version, [mine])
    plant.nudge.set()


def regressed_version(plant: Plant, delivery: Row[Any]) -> str:
    """The version that a delivery stopped by a restored target waits for, "" if a person has closed it since."""
    wanted = (
        select(version.c.id)
        .join(cause, cause.c.id == version.c.cause_id)
        .where(
            version.c.council == delivery.council,
            version.c.connection == delivery.connection,
            version.c.state == VersionState.ATTENTION,
            cause.c.error == regressed.ERROR,
            version.c.referral_id == delivery.referral_id,
        )
    )
    with plant.ledger.reading() as connection:
        found = connection.execute(wanted.order_by(version.c.id.desc()).limit(1)).scalar()
    return f"v{found}" if found is not None else ""


def _stopped(plant: Plant, id: str) -> Row[Any]:
    row = version_of(plant, id)
    plant.sight.need(Right.SEND, row.council)
    if row.state != VersionState.ATTENTION or error_of(plant, row.cause_id) not in DECIDED:
        raise NotPossible(f"{id} does not wait for anybody to say whose it is")
    return row


def _again(plant: Plant, row: Row[Any], said: str, first: Callable[[Batch], None], *, chosen: str = "") -> str:
    """Take a version as a person says, and write `first` in the transaction that does. Raises NotPossible."""
    council = council_of(plant, row.council)

    def told(connection: Connection) -> None:
        first(Batch(connection, plant.vault, council, plant.clock.now()))

    taken = Intake(plant, council).again([row.id], said=said, chosen=chosen, first=told)
    if not taken.news:
        raise NotPossible(f"v{row.id} is {version_of(plant, f'v{row.id}').state}: somebody else has decided")
    if VersionState.ATTENTION in taken.states:
        raise NotPossible(f"v{row.id} needs attention still; see `dolen show v{row.id}` for what stops it now")
    return f"v{row.id} is taken: " + (_TAKEN["chosen" if chosen else said])


def _tell(
    plant: Plant, batch: Batch, row: Row[Any], *, who: str, why: str, action: str, detail: dict[str, Any] | None = None
) -> None:
    audit.write(
        batch.connection,
        plant.vault,
        council=row.council,
        who=who,
        action=action,
        subject=f"v{row.id}",
        why=why,
        now=batch.now,
        detail=detail,
    )


def _hashing(plant: Plant, council: Council) -> Callable[[str, Any], str]:
    return lambda name, value: plant.vault.hash_value(council.code, name, value)


def _read(plant: Plant, council: Council, row: Row[Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """What a version shows, with the mapping as it is now, and the keyed hash of each field."""
    wired = council.wired.get(row.connection)
    kind = wired.kinds.get(row.kind) if wired else None
    if wired is None or kind is None:
        raise NotPossible(f"the site no longer has {row.connection}")
    with plant.ledger.reading() as connection:
        raw = plant.vault.get(connection, council.code, row.raw)
    item = wired.connector.parse(row.kind, raw, id=row.external_id)
    reading = kind.mapping.read(item.record) if hasattr(item, "record") else None
    shown = dict(reading.facts) if reading is not None and not reading.stopped else {}
    return shown, plant.vault.hash_values(council.code, shown)


def _shown_before(plant: Plant, council: Council, row: Row[Any]) -> set[tuple[str, str]]:
    """(field, keyed hash) of all that the record showed in versions that had their say before this one."""
    where = (
        version.c.council == row.council,
        version.c.connection == row.connection,
        version.c.kind == row.kind,
        version.c.external_id == row.external_id,
        version.c.id < row.id,
        version.c.state.in_((VersionState.MERGED, VersionState.NO_CHANGE)),
    )
    with plant.ledger.reading() as connection:
        earlier = connection.execute(
            select(version).where(*where).order_by(version.c.id.desc()).limit(_LOOKED_THROUGH)
        ).all()
    known: set[tuple[str, str]] = set()
    for one in earlier:
        try:
            known |= set(_read(plant, council, one)[1].items())
        except PayloadGone:
            continue  # it has expired by rule; what it showed cannot be told from what was typed since
    return known
