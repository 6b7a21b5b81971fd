"""Joining: two referrals that turn out to be one request are made one, and parted again. Rule R16 of the data model.

Only a person does either. The referral that goes keeps its row and its own facts and names the one that stays, so that
every number that ever led to it still leads somewhere, and so that parting them brings it back.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Row, select

from pipelines import audit, deliveries, lanes, people, revisions
from pipelines import conflicts as conflict_store
from pipelines import facts as fact_store
from pipelines.batch import Batch
from pipelines.looking import NotPossible, council_of, find_referral
from pipelines.matching import marks_of
from pipelines.merge import OURS, SAFEGUARDING, WHY_SAFEGUARDING, Lost, group_of
from pipelines.plant import Plant
from pipelines.rights import Right
from pipelines.rows import Held
from pipelines.states import DeliveryState
from pipelines.tables import audit as audit_table

_ON_ITS_WAY = (DeliveryState.SENDING, DeliveryState.NOT_SURE)
_WAITS = (DeliveryState.WAITING, DeliveryState.ATTENTION)


def join(plant: Plant, stays: str, goes: str, *, who: str, why: str) -> str:
    """Make two referrals one; return what became of them in a sentence. Raises NotPossible.

    `stays` and `goes`: any reference. Where one system holds a record of each, the one of the referral that goes is set
    aside as a double, for the people there to close. What only the one that goes knows is taken; where both know a
    thing, the one that stays is right, a conflict is kept, and a safeguarding flag that either has stays up.
    """
    kept, gone = _one(plant, stays), _one(plant, goes)
    if kept.id == gone.id or (kept.merged_into or kept.id) == (gone.merged_into or gone.id):
        raise NotPossible("these are one referral already")
    if kept.council != gone.council:
        raise NotPossible("referrals of two councils are never joined")
    council = council_of(plant, kept.council)
    plant.sight.need(Right.SEND, council.code)
    with plant.ledger.writing() as connection:
        batch = Batch(connection, plant.vault, council, plant.clock.now())
        into, other = _pair(batch, kept.id, gone.id)
        if other.merged_into or into.merged_into:
            raise NotPossible("one of them is joined with another referral; name the one that it went into")
        if any(row.state in _ON_ITS_WAY for row in batch.deliveries_of(other.id)):
            raise NotPossible("something of the one that goes is on its way, or nobody knows whether it arrived")
        _one_person(batch, into, other)
        moved, aside = _take_records(batch, into, other)
        taken, lost = _take_facts(batch, into, other)
        touched = set()
        for row in list(batch.deliveries_of(other.id)):
            if row.state in _WAITS:
                deliveries.move(batch, row, DeliveryState.CLOSED, reason="joined with another referral")
                touched.add(row.lane)
        other.set(merged_into=into.id)
        conflict_store.keep(batch, into, lost, [], version=None)
        for name in sorted({row.connection for row in _records(batch, into.id)}):
            revisions.correct(batch, into, target=name, version=None)
        detail = {"into": into.id, "revision": into.revision, "moved": moved, "aside": aside, "taken": taken}
        _tell(plant, batch, other, who=who, why=why, action="join", detail=detail)
        batch.flush()
        lanes.refresh(connection, touched)
    plant.vault.hand_over(plant.ledger)
    plant.nudge.set()
    doubles = f"; {len(aside)} of its records are doubles, for the people there to close" if aside else ""
    return f"{gone.citizen_reference} is one with {kept.citizen_reference} now{doubles}"


def part(plant: Plant, reference: str, *, who: str, why: str) -> str:
    """Undo a join: both referrals have their own records and facts again. Returns a sentence. Raises NotPossible."""
    gone = _one(plant, reference)
    if not gone.merged_into:
        raise NotPossible(f"{gone.citizen_reference} is joined with no other; name the one that went")
    council = council_of(plant, gone.council)
    plant.sight.need(Right.SEND, council.code)
    with plant.ledger.writing() as connection:
        found = connection.execute(
            select(audit_table.c.detail)
            .where(audit_table.c.subject == f"referral {gone.id}", audit_table.c.action == "join")
            .order_by(audit_table.c.seq.desc())
        ).first()
        assert found is not None, "nothing but a join sets merged_into"
        how = found.detail
        batch = Batch(connection, plant.vault, council, plant.clock.now())
        into, other = _pair(batch, gone.merged_into, gone.id)
        other.set(merged_into=None)
        for row in list(_records(batch, into.id)):
            if row.id in how["moved"]:
                batch.unlink_record(row)
                batch.link_record(row, other.id)
        for row in _records(batch, other.id):
            if row.id in how["aside"]:
                row.set(aside=False)
        facts = batch.facts(into)
        back = {name: None for name in how["taken"] if name in facts and facts[name][2] == how["revision"]}
        if back:
            revisions.revise(batch, into, back, by=revisions.OURSELVES)
        _two_persons(batch, into, other)
        for row in (into, other):
            for name in sorted({one.connection for one in _records(batch, row.id)}):
                revisions.correct(batch, row, target=name, version=None)
        _tell(plant, batch, other, who=who, why=why, action="part", detail={"from": into.id})
        batch.flush()
    plant.vault.hand_over(plant.ledger)
    plant.nudge.set()
    return f"{gone.citizen_reference} is a referral of its own again"


def _one(plant: Plant, reference: str) -> Row[Any]:
    found = find_referral(plant, reference)
    if len(found) != 1:
        much = "none" if not found else f"{len(found)} referrals"
        raise NotPossible(f"{much} of that reference; name each by the resident's reference, as `dolen trace` shows it")
    return found[0]


def _pair(batch: Batch, kept: str, gone: str) -> tuple[Held, Held]:
    batch.fetch_referrals([kept, gone])
    batch.fetch_deliveries([kept, gone])
    for name, wired in sorted(batch.council.wired.items()):
        for kind in sorted(wired.kinds):
            batch.fetch_numbers(name, kind, [kept, gone])
    return batch.referral_itself(kept), batch.referral_itself(gone)


def _records(batch: Batch, referral: str) -> Iterator[Held]:
    for name, wired in batch.council.wired.items():
        for kind in wired.kinds:
            yield from list(batch.records_of(referral, name, kind))


def _one_person(batch: Batch, into: Held, other: Held) -> None:
    """One request is about one person. Raises NotPossible where their identifiers say otherwise."""
    if into.person_id == other.person_id:
        return
    mine = marks_of(batch, fact_store.plain(batch.facts(into)), ())
    theirs = marks_of(batch, fact_store.plain(batch.facts(other)), ())
    if {path for path, _ in mine} & {path for path, _ in theirs}:
        raise NotPossible("they name two people by number; have that mended at its source first")
    if theirs and not mine:
        people.move(batch, into, other.person_id)
    else:
        people.move(batch, other, into.person_id)


def _two_persons(batch: Batch, into: Held, other: Held) -> None:
    """After parting, the referral that was joined is about whom its own facts name, or about nobody known."""
    if into.person_id != other.person_id:
        return
    facts = fact_store.plain(batch.facts(other))
    marks = marks_of(batch, facts, ())
    if people.named(batch, facts, ()) == other.person_id and marks:
        if not marks_of(batch, fact_store.plain(batch.facts(into)), ()):
            people.move(batch, into, batch.named.new_person())
        return
    people.move(batch, other, batch.named.new_person())


def _take_records(batch: Batch, into: Held, other: Held) -> tuple[list[int], list[int]]:
    """Give the records of one referral to the other; return the numbers of those that moved and of the doubles."""
    moved, aside = [], []
    for row in list(_records(batch, other.id)):
        if batch.records_of(into.id, row.connection, row.kind):
            row.set(aside=True)
            aside.append(row.id)
        else:
            batch.unlink_record(row)
            batch.link_record(row, into.id)
            moved.append(row.id)
    return moved, aside


def _take_facts(batch: Batch, into: Held, other: Held) -> tuple[list[str], list[Lost]]:
    """Take what only the referral that goes knows; return which fields, and what lost."""
    mine, theirs = batch.facts(into), batch.facts(other)
    taken: dict[str, tuple[Any, str]] = {}
    lost = []
    for name, (value, by, _) in theirs.items():
        ours = mine.get(name)
        if value is None or name == "citizen_reference" or (ours is not None and ours[0] == value):
            continue
        group = group_of(name)
        if ours is None or ours[0] is None or (group in SAFEGUARDING and not ours[0]):
            taken[name] = (value, by)
        elif group not in OURS:
            hash_ = batch.vault.hash_value(batch.council.code, name, value)
            lost.append(Lost(name, ours[1], by, hash_, WHY_SAFEGUARDING if group in SAFEGUARDING else ""))
    revisions.adopt(batch, into, taken)
    return sorted(taken), lost


def _tell(plant: Plant, batch: Batch, row: Held, *, who: str, why: str, action: str, detail: dict[str, Any]) -> None:
    audit.write(
        batch.connection,
        plant.vault,
        council=row.council,
        who=who,
        action=action,
        subject=f"referral {row.id}",
        why=why,
        now=batch.now,
        detail=detail,
    )
