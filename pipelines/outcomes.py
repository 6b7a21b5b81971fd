"""Outcomes: leasing deliveries and writing down what became of each try.

Both sides of the lease are here, so that the rule "the lease is the committed intent" can be read in one place. A
batch is leased, and a batch of results is written, in one transaction each. A worker whose lease has been taken over
writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection

from connectors.port import PROVISIONAL
from pipelines import answering, causes, deliveries, documents, gaps, lanes, pauses, recovery, revisions, rows, versions
from pipelines import facts as fact_store
from pipelines.batch import Batch
from pipelines.causes import Cause
from pipelines.clock import SECOND
from pipelines.decision import Decision, Do
from pipelines.jobs import CASEWORKER, NO_RECORD, Job
from pipelines.lanes import Lease
from pipelines.merge import written_base
from pipelines.plant import Council, Plant, Wired
from pipelines.rows import Held
from pipelines.sending import Result
from pipelines.states import DeliveryState
from pipelines.tables import delivery

#: A lease outlives the longest call by this much, so that it never ends under a worker that is alive.
LEASE_MARGIN = 30


#: Lanes in which nothing can be done after all are given back and others taken, so often in one transaction.
_FRUITLESS = 20


def lease_seconds(wired: Wired | None) -> float:
    """How long a lease is: a read, a write and a look-up, each at its deadline, and a margin."""
    return (wired.timeout_seconds * 3 if wired else 60) + LEASE_MARGIN


def lease(
    connection: Connection,
    plant: Plant,
    council: Council,
    target: str,
    owner: str,
    *,
    most: int = 1,
    only: str | None = None,
) -> list[Job]:
    """Lease the next batch of a connection: at most so many lanes, and in each the next delivery that is due.

    `only`: from this lane or none. The transaction's commit is the intention to send all that is returned.
    """
    now = plant.clock.now()
    until = now + int(lease_seconds(council.wired.get(target)) * SECOND)
    for _ in range(_FRUITLESS):
        taken = lanes.take(connection, council.code, target, owner, now=now, until=until, most=most, only=only)
        jobs = _begin(connection, plant, council, taken) if taken else []
        if jobs or not taken:
            return jobs
    return []


def _begin(connection: Connection, plant: Plant, council: Council, taken: Sequence[Lease]) -> list[Job]:
    now = plant.clock.now()
    inside = lanes.open_in(connection, [lease.lane for lease in taken])
    batch = Batch(connection, plant.vault, council, now)
    left = [row for found in inside.values() for row in found if row.state == DeliveryState.SENDING]
    if left:  # by a worker that died: this lease could not be had otherwise
        recovery.recover(batch, council, left)
        batch.flush()
        inside = lanes.open_in(connection, [lease.lane for lease in taken])
    picked = {lease: row for lease in taken if (row := lanes.pick(inside[lease.lane], now)) is not None}
    free = lanes.lock(connection, [row.id for row in picked.values()])
    jobs = []
    for lease, row in picked.items():
        if row.id not in free:
            continue  # somebody is just replacing it; the lane is given back and taken again
        row = batch.keep_delivery(row)
        look_up, before = row.state == DeliveryState.NOT_SURE, row.sent_at
        deliveries.move(
            batch,
            row,
            DeliveryState.SENDING,
            reason="looking it up" if look_up else "",
            due=lease.until,
            sent_at=before if look_up else now,
            tries=row.tries + (0 if look_up else 1),
        )
        row.set(looking=look_up)
        jobs.append(Job(lease, row, now, look_up, before))
    batch.flush()
    leased = {job.lease for job in jobs}
    idle = [lease for lease in taken if lease not in leased]
    lanes.let_go(connection, idle, {lease.lane: lanes.next_due(inside[lease.lane]) for lease in idle})
    return jobs


def write(
    connection: Connection, plant: Plant, council: Council, results: Sequence[Result], unsent: Sequence[Job] = ()
) -> list[Result]:
    """Write down a batch of results, give its lanes back, and let those that were never sent wait again.

    Returns the results that were not written because their lease is no longer ours.
    """
    jobs = [*(result.job for result in results), *unsent]
    if not jobs:
        return []
    batch = Batch(connection, plant.vault, council, plant.clock.now())
    _fetch(batch, jobs, results)
    standing = lanes.standing(connection, (job.lease for job in jobs))
    lost = []
    for result in results:
        row = batch.delivery(result.job.row.id)
        if result.job.lease.lane not in standing or row is None or row.state != DeliveryState.SENDING:
            lost.append(result)
        else:
            _write_one(batch, council, result, row)
    for job in unsent:
        row = batch.delivery(job.row.id)
        if job.lease.lane in standing and row is not None and row.state == DeliveryState.SENDING:
            back = DeliveryState.NOT_SURE if job.look_up else DeliveryState.WAITING
            tries = row.tries - (0 if job.look_up else 1)
            deliveries.move(batch, row, back, due=batch.now, tries=tries, sent_at=job.sent_before)
    batch.flush()
    plant.kept.keep(connection, {d: one for result in results for d, one in result.artifacts.items()}, batch.now)
    held = [job.lease for job in jobs if job.lease.lane in standing]
    inside = lanes.open_in(connection, [lease.lane for lease in held])
    lanes.let_go(connection, held, {lane: lanes.next_due(found) for lane, found in inside.items()})
    return lost


def _fetch(batch: Batch, jobs: Iterable[Job], results: Iterable[Result]) -> None:
    """Read what the results are about, in the order in which everybody locks."""
    about = {job.row.referral_id for job in jobs}
    batch.remember({known.facts[0]: known.facts[1] for result in results if (known := result.known) is not None})
    for target, kind in sorted({(job.row.connection, job.row.kind) for job in jobs} - {("", "")}):
        if kind not in NO_RECORD:
            batch.fetch_numbers(target, kind, about)
            batch.fetch_records(target, kind, {result.external_id for result in results})
    batch.fetch_referrals(about)
    batch.fetch_deliveries(about | {row.id for id in about if (row := batch.referral(id)) is not None})
    # Whatever is being sent is in hand. One that is not has been moved by somebody who took our lease over.
    gone = {job.row.id for job in jobs if batch.delivery(job.row.id) is None}
    for row in rows.read(batch.connection, delivery, "id", gone):
        batch.keep_delivery(row)


def _write_one(batch: Batch, council: Council, result: Result, row: Held) -> None:
    referral = batch.referral(row.referral_id)
    assert referral is not None
    if result.arrived:
        try:
            _arrived(batch, result, row, referral)
        except Taken as taken:
            result.how, result.error, result.words = "", "Taken", str(taken)
            words = "the target answered with a number that belongs to another referral"
            result.cause = Cause(row.connection, "match", "number taken", words)
            result.decision = Decision(Do.ATTENTION)
            _not_arrived(batch, council, result, row)
    elif result.rule:
        deliveries.move(batch, row, DeliveryState.NOT_SENT, reason=result.rule)
    else:
        _not_arrived(batch, council, result, row)
    _note_attempt(batch, result, referral.person_id)
    answering.after(batch, row, referral, result)


def _note_attempt(batch: Batch, result: Result, person: str) -> None:
    outcome = (
        "arrived"
        if result.arrived
        else "not sent, by rule"
        if result.rule
        else str(result.decision and result.decision.do.value)
    )
    job = result.job
    batch.note(
        "attempt",
        delivery_id=job.row.id,
        fence=job.lease.fence,
        what="look up" if job.look_up else "send",
        boot=job.lease.owner.partition("/")[0],
        begun=job.begun,
        ended=batch.now,
        outcome=outcome,
        error=result.error,
        words=_words(result),
        revision=result.revision or None,
        mapping=result.mapping,
        profile=result.profile,
        request=batch.seal("request", result.request, person) if result.request else None,
        reply=batch.seal("reply", result.reply, person) if result.reply else None,
    )


def _words(result: Result) -> str:
    """What the try is told as, with the fields that it left out: G6 says that they are listed, never dropped unseen."""
    words = result.words or result.rule or result.how
    left = [f"{gap.field} ({gap.kind})" for gap in result.left_out]
    return f"{words}; left out: {', '.join(left)}" if left else words


def _arrived(batch: Batch, result: Result, row: Held, referral: Held) -> None:
    record = None
    if row.kind not in NO_RECORD and row.recipient != CASEWORKER:
        record = link(
            batch,
            referral,
            target=row.connection,
            kind=row.kind,
            number=result.external_id,
            version=result.version,
            modified=result.modified,
            expected=result.expected,
        )
        if not result.job.look_up:  # who only looked knows nothing of what was left out when it was sent
            batch.gaps.none_of(record, "write")
            gaps.note(batch, row.connection, row.kind, "write", record, result.left_out, delivery_id=row)
    batch.note(
        "proof",
        delivery_id=row.id,
        record_id=record,
        external_id=result.external_id,
        version=result.version,
        revision=result.revision,
        how=result.how,
        at=batch.now,
    )
    if result.news is not None:
        batch.note("news", delivery_id=row.id, council=row.council, referral_id=referral.id, at=batch.now, report="",
                   **result.news)  # fmt: skip
    deliveries.move(batch, row, DeliveryState.ARRIVED, reason=result.how, cause_id=None)
    if (route := batch.council.route(row.route)) is not None and route.documents is not None:
        documents.plan(batch, route, row, referral)


class Taken(RuntimeError):
    """The number already belongs to another referral. Nothing was changed."""


def link(
    batch: Batch,
    referral: Held,
    *,
    target: str,
    kind: str,
    number: str,
    version: str = "",
    modified: int | None = None,
    expected: Any = None,
) -> Held:
    """Enter a number into the crosswalk: the target holds this referral under it. Returns the record.

    A number that is new to the referral is a fact, and routes from the target carry it on. The record of that number
    must have been fetched, and the deliveries in hand of the referral. Raises Taken.
    """
    held = batch.record(target, kind, number)
    if held is not None and held.referral_id not in (None, referral.id):
        raise Taken(f"{target} number {number} belongs to another referral already")
    if held is None:
        held = batch.new_record(target, kind, number)
    # Its feed was quicker than our answer, and has shown what somebody typed on top of what we wrote. What was written
    # says nothing of what stands there now: believed, it would make that edit look like one that is still to come.
    typed_since = not held.rewrite and versions.order(held, modified, version) is versions.Order.OLDER
    if expected and not typed_since:
        held.set(base=written_base(held.base, batch.vault.hash_values(batch.council.code, expected)))
    if held.rewrite:  # what was known of it before it was put back holds no longer
        held.set(rewrite=False, modified=modified, version=version)
    elif modified is not None and not typed_since and (held.modified is None or modified >= held.modified):
        held.set(modified=modified, version=version)
    batch.link_record(held, referral.id)
    if number.startswith(PROVISIONAL):
        return held  # nobody is told of it as a number: it is none
    name = fact_store.target_field(target)
    known = batch.facts(referral).get(name)
    if known is None or known[0] != number:
        revisions.revise(batch, referral, {name: number}, by=revisions.OURSELVES)
        revisions.pass_on(batch, referral, changed={name}, by=target, version=None)
    return held


def _not_arrived(batch: Batch, council: Council, result: Result, row: Held) -> None:
    decision = result.decision
    assert decision is not None
    now, look_up = batch.now, result.job.look_up
    due = now + int(decision.after * SECOND)
    match decision.do:
        case Do.AGAIN:
            unsettled = due if result.error == "Unknown" else row.unsettled
            deliveries.move(
                batch, row, DeliveryState.WAITING, reason=result.words, due=due, look_ups=0, unsettled=unsettled
            )
        case Do.NOT_SURE:
            look_ups = row.look_ups + (1 if look_up and not result.error else 0)
            if not look_up:
                due = max(due, recovery.settled_at(council.wired.get(row.connection), row))
            deliveries.move(batch, row, DeliveryState.NOT_SURE, reason=result.words, due=due, look_ups=look_ups)
        case Do.PAUSE:
            # A limit says for how long; a login does not.
            paused_by = pauses.BY_LIMIT if result.error == "Throttled" else pauses.BY_LOGIN
            pauses.trip(
                batch.connection, council.code, row.connection,
                why=paused_by, words=result.words, now=now, asked_seconds=decision.after,
            )  # fmt: skip
            back = DeliveryState.NOT_SURE if look_up else DeliveryState.WAITING
            tries = row.tries - (0 if look_up else 1)
            deliveries.move(batch, row, back, reason=result.words, due=now, tries=tries)
        case Do.ASK:
            why = result.cause or Cause(row.connection, "look up", "Unknown", result.words)
            cause_id = causes.note(batch.connection, council.code, why, now)
            deliveries.move(batch, row, DeliveryState.NOT_SURE, reason=result.words, cause_id=cause_id)
        case _:
            why = result.cause or Cause(row.connection, "send", "?", result.words)
            cause_id = causes.note(batch.connection, council.code, why, now)
            mark = gaps.mark_of(batch.vault, council.code, result.stopped, why.code_list)
            deliveries.move(batch, row, DeliveryState.ATTENTION, reason=result.words, cause_id=cause_id, code=mark)
