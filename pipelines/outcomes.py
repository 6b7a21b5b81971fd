"""Outcomes: leasing deliveries and writing down what became of each try.

Both sides of the lease are here, so that the rule "the lease is the committed intent" can be read in one place. A
worker whose lease has been taken over writes nothing.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from connectors.port import Tier
from pipelines import causes, deliveries, lanes, pauses, revisions
from pipelines import facts as fact_store
from pipelines.causes import Cause
from pipelines.clock import SECOND
from pipelines.decision import Do
from pipelines.lanes import Lease
from pipelines.ledger import insert_new
from pipelines.merge import written_base
from pipelines.plant import Council, Plant, Wired
from pipelines.sending import TEXT_KIND, Job, Result
from pipelines.states import DeliveryState
from pipelines.tables import attempt, delivery, proof, record

#: A lease outlives the longest call by this much, so that it never ends under a worker that is alive.
LEASE_MARGIN = 30


def lease(
    connection: Connection, plant: Plant, council: Council, lane: str, owner: str, boot: str
) -> Job | Lease | None:
    """Lease a lane and its next due delivery.

    Returns the Job; the Lease alone if nothing was due after all (give it back); None if somebody holds the lane.
    """
    now = plant.clock.now()
    target = lane.split("/")[1]
    wired = council.wired.get(target)
    seconds = (wired.timeout_seconds * 3 if wired else 60) + LEASE_MARGIN  # read, write, and a look-up
    taken = lanes.take(connection, lane, owner, now, now + int(seconds * SECOND))
    if taken is None:
        return None
    _recover(connection, council, lane, now)
    row = lanes.pick(connection, lane, now)
    if row is None:
        return taken
    return _begin(connection, taken, row, boot, now, now + int(seconds * SECOND))


def next_in(connection: Connection, plant: Plant, held: Lease, boot: str) -> Job | None:
    """Look for more in a lane that is held already; None when it can be let go."""
    now = plant.clock.now()
    row = lanes.pick(connection, held.lane, now)
    return None if row is None else _begin(connection, held, row, boot, now, now + 120 * SECOND)


def _begin(connection: Connection, held: Lease, row: Row[Any], boot: str, now: int, until: int) -> Job:
    look_up = row.state == DeliveryState.NOT_SURE
    sent_at = row.sent_at if look_up else now
    values: dict[str, Any] = {"tries": row.tries + (0 if look_up else 1)}
    deliveries.move(
        connection,
        row,
        DeliveryState.SENDING,
        now,
        reason="looking it up" if look_up else "",
        due=until,
        sent_at=sent_at,
        **values,
    )
    made: int = connection.execute(
        insert(attempt)
        .values(delivery_id=row.id, fence=held.fence, what="look up" if look_up else "send", boot=boot, begun=now)
        .returning(attempt.c.id)
    ).scalar_one()
    # The row as leased, but with the time of the try before: a text that was never tried need not be looked up.
    fresh = connection.execute(select(delivery).where(delivery.c.id == row.id)).one()
    leased = fresh._replace(sent_at=row.sent_at) if hasattr(fresh, "_replace") else fresh
    return Job(held, leased, made, look_up)


def _recover(connection: Connection, council: Council, lane: str, now: int) -> None:
    """A delivery that is being sent in a lane whose lease we have just taken was left by a worker that died."""
    for row in connection.execute(
        select(delivery).where(delivery.c.lane == lane, delivery.c.state == DeliveryState.SENDING)
    ).all():
        last = connection.execute(
            select(attempt).where(attempt.c.delivery_id == row.id).order_by(attempt.c.id.desc()).limit(1)
        ).first()
        if last is not None:
            connection.execute(
                update(attempt)
                .where(attempt.c.id == last.id)
                .values(ended=now, outcome="died", words="the worker ended in mid-call")
            )
        wired = council.wired.get(row.connection)
        settle = _settled_at(wired, row)
        known = connection.execute(
            select(record.c.id).where(
                record.c.council == row.council,
                record.c.connection == row.connection,
                record.c.kind == row.kind,
                record.c.referral_id == row.referral_id,
            )
        ).first()
        looked = last is not None and last.what == "look up"
        nothing_sent = wired is None or wired.settings.get("protocol") == "by-hand"
        if not looked and row.kind != TEXT_KIND and (known is not None or nothing_sent):
            deliveries.move(connection, row, DeliveryState.WAITING, now, reason="its worker ended", due=now)
        elif not looked and wired is not None and row.kind != TEXT_KIND and _upserts(wired, row.kind):
            # Safe to repeat, once the first call can no longer land behind ours with older words.
            deliveries.move(
                connection, row, DeliveryState.WAITING, now, reason="its worker ended", due=max(now, settle)
            )
        elif wired is not None and (row.kind == TEXT_KIND or "find" in wired.connector.offers(row.kind)):
            deliveries.move(
                connection, row, DeliveryState.NOT_SURE, now, reason="its worker ended", due=max(now, settle)
            )
        else:
            why = Cause(
                row.connection, "look up", "Unknown", "its worker ended in mid-call, and the target cannot be searched"
            )
            cause_id = causes.note(connection, row.council, why, now)
            deliveries.move(connection, row, DeliveryState.ATTENTION, now, reason=why.words, cause_id=cause_id)


def _upserts(wired: Wired, kind: str) -> bool:
    return wired.connector.tier(kind) is Tier.KEEPS_KEY


def _settled_at(wired: Wired | None, row: Row[Any]) -> int:
    """When a call begun at `sent_at` can no longer take effect: its deadline and the target's settling time are
    over."""
    if wired is None or row.sent_at is None:
        return 0
    return int(row.sent_at + (wired.timeout_seconds + wired.settle_seconds) * SECOND)


def write(connection: Connection, plant: Plant, council: Council, result: Result) -> bool:
    """Write down one result. Returns False, writing nothing, if the lease is no longer ours."""
    job, now = result.job, plant.clock.now()
    if not lanes.holds(connection, job.lease):
        return False
    row = connection.execute(select(delivery).where(delivery.c.id == job.row.id)).one()
    referral = revisions.get(connection, council.code, row.referral_id)
    assert referral is not None
    _end_attempt(connection, plant, council, result, referral.person_id, now)
    if result.arrived:
        _arrived(connection, plant, council, result, row, referral, now)
    elif result.rule:
        deliveries.move(connection, row, DeliveryState.NOT_SENT, now, reason=result.rule)
    else:
        _not_arrived(connection, council, result, row, now)
    return True


def _end_attempt(connection: Connection, plant: Plant, council: Council, result: Result, person: str, now: int) -> None:
    outcome = (
        "arrived"
        if result.arrived
        else "not sent, by rule"
        if result.rule
        else str(result.decision and result.decision.do.value)
    )
    vault = plant.vault
    connection.execute(
        update(attempt)
        .where(attempt.c.id == result.job.attempt)
        .values(
            ended=now,
            outcome=outcome,
            error=result.error,
            words=_words(result),
            revision=result.revision or None,
            mapping=result.mapping,
            request=vault.put(connection, council.code, "request", result.request, now, person)
            if result.request
            else None,
            reply=vault.put(connection, council.code, "reply", result.reply, now, person) if result.reply else None,
        )
    )


def _words(result: Result) -> str:
    """What the try is told as, with the fields that it left out: G6 says that they are listed, never dropped unseen."""
    words = result.words or result.rule or result.how
    return f"{words}; left out: {', '.join(result.left_out)}" if result.left_out else words


def _arrived(
    connection: Connection, plant: Plant, council: Council, result: Result, row: Row[Any], referral: Row[Any], now: int
) -> None:
    record_id = None
    if row.kind != TEXT_KIND:
        record_id = link(
            connection,
            plant,
            council,
            referral_id=referral.id,
            target=row.connection,
            kind=row.kind,
            number=result.external_id,
            version=result.version,
            modified=result.modified,
            expected=result.expected,
            now=now,
        )
    connection.execute(
        insert(proof).values(
            delivery_id=row.id,
            record_id=record_id,
            external_id=result.external_id,
            version=result.version,
            revision=result.revision,
            how=result.how,
            at=now,
        )
    )
    deliveries.move(connection, row, DeliveryState.ARRIVED, now, reason=result.how, cause_id=None)


class Taken(RuntimeError):
    """The number already belongs to another referral. Nothing was changed."""


def link(
    connection: Connection,
    plant: Plant,
    council: Council,
    *,
    referral_id: str,
    target: str,
    kind: str,
    number: str,
    version: str,
    modified: int | None,
    expected: Any,
    now: int,
) -> int:
    """Enter a number into the crosswalk: the target holds this referral under it. Returns the record's id.

    A number that is new to the referral is a fact, and routes from the target carry it on. Raises Taken.
    """
    key = (
        record.c.council == council.code,
        record.c.connection == target,
        record.c.kind == kind,
        record.c.external_id == number,
    )
    held = connection.execute(select(record).where(*key).with_for_update()).first()
    if held is not None and held.referral_id not in (None, referral_id):
        raise Taken(f"{target} number {number} belongs to another referral already")
    if held is None:
        insert_new(
            connection,
            record,
            [
                {
                    "council": council.code,
                    "connection": target,
                    "kind": kind,
                    "external_id": number,
                    "base": {},
                    "version": "",
                    "at": now,
                }
            ],
        )
        held = connection.execute(select(record).where(*key)).one()
    base = written_base(held.base, expected, lambda name, value: plant.vault.hash_value(council.code, name, value))
    values: dict[str, Any] = {"referral_id": referral_id, "base": base}
    if modified is not None and (held.modified is None or modified >= held.modified):
        values |= {"modified": modified, "version": version}
    connection.execute(update(record).where(record.c.id == held.id).values(**values))
    referral = revisions.get(connection, council.code, referral_id)
    assert referral is not None
    facts = fact_store.load(connection, plant.vault, council.code, referral.facts)
    name = fact_store.target_field(target)
    known = facts.get(name)
    if known is None or known[0] != number:
        referral, facts = revisions.revise(
            connection, plant.vault, referral, facts, {name: number}, by=revisions.OURSELVES, now=now
        )
        revisions.pass_on(connection, council, referral, facts, changed={name}, by=target, version=None, now=now)
    return int(held.id)


def _not_arrived(connection: Connection, council: Council, result: Result, row: Row[Any], now: int) -> None:
    decision = result.decision
    assert decision is not None
    due = now + int(decision.after * SECOND)
    match decision.do:
        case Do.AGAIN:
            deliveries.move(connection, row, DeliveryState.WAITING, now, reason=result.words, due=due, look_ups=0)
        case Do.NOT_SURE:
            look_ups = row.look_ups + (1 if result.job.look_up and not result.error else 0)
            wired = council.wired.get(row.connection)
            if not result.job.look_up:
                due = max(due, _settled_at(wired, row))
            deliveries.move(
                connection, row, DeliveryState.NOT_SURE, now, reason=result.words, due=due, look_ups=look_ups
            )
        case Do.PAUSE:
            pauses.trip(connection, council.code, row.connection, why=pauses.BY_LOGIN, words=result.words, now=now)
            back = DeliveryState.NOT_SURE if result.job.look_up else DeliveryState.WAITING
            tries = row.tries - (0 if result.job.look_up else 1)
            deliveries.move(connection, row, back, now, reason=result.words, due=now, tries=tries)
        case _:
            cause_id = causes.note(
                connection, council.code, result.cause or Cause(row.connection, "send", "?", result.words), now
            )
            deliveries.move(connection, row, DeliveryState.ATTENTION, now, reason=result.words, cause_id=cause_id)
