"""Jobs: leased deliveries, and what the ledger knows of them at the moment of sending, read for a batch at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from connectors import messages
from connectors.documents import DOCUMENT
from pipelines import facts as fact_store
from pipelines.batch import Batch
from pipelines.lanes import Lease
from pipelines.ready import Ask
from pipelines.rows import Held
from pipelines.tables import delivery
from pipelines.vault import PayloadGone

if TYPE_CHECKING:
    from pipelines.plant import Council, Plant

#: Messages to people, how each went, and what somebody sent back: one name each for every service that carries them.
TEXT_KIND, REPORT_KIND, REPLY_KIND = messages.TEXT, messages.REPORT, messages.RECEIVED
#: For whom a reply is: its delivery makes no record of the referral's either.
CASEWORKER = "caseworker"
#: Kinds of delivery that make no record of the referral's in the target.
NO_RECORD = frozenset({TEXT_KIND, DOCUMENT})


@dataclass(slots=True, eq=False)
class Job:
    """One leased delivery."""

    lease: Lease
    row: Held  # as it was leased: being sent
    begun: int  # when it was leased
    look_up: bool  # it is not sure: look, do not send
    sent_before: int | None = None  # start of the newest try before this one
    called: bool = False  # a call that may change the target was begun


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger knows of a referral at the moment of sending."""

    revision: int
    now: Mapping[str, Any] = field(repr=False)  # its facts
    event: Mapping[str, Any] = field(repr=False)  # the facts that an event is bound to; the same as `now` for a state
    held: Held | None  # the record that the target is known to hold of it
    facts: tuple[str, fact_store.Facts] = field(repr=False)  # the payload of `now`, and it with who gave what
    stopped: bool = False  # a person said that nothing of it may be sent
    asked_before: bool = False  # a create of it may have reached the target before, and we do not know its number

_TRIED = Ask(
    lambda among: select(delivery.c.id, delivery.c.referral_id, delivery.c.connection, delivery.c.kind).where(
        among(delivery.c.referral_id), delivery.c.sent_at.is_not(None)
    )
)


def prepare(plant: Plant, council: Council, jobs: Sequence[Job]) -> list[Known | None]:
    """Read what is needed to send these, all at once; None for a referral whose facts are gone."""
    with plant.ledger.reading() as connection:
        batch = Batch(connection, plant.vault, council, plant.clock.now(), locking=False)
        batch.fetch_referrals(job.row.referral_id for job in jobs)
        for target, kind in {(job.row.connection, job.row.kind) for job in jobs}:
            batch.fetch_numbers(
                target,
                kind,
                {
                    row.id
                    for job in jobs
                    if (job.row.connection, job.row.kind) == (target, kind)
                    and (row := batch.referral(job.row.referral_id)) is not None
                },
            )
        bound = batch.open_facts({job.row.facts for job in jobs if job.row.carries == "event" and job.row.facts})
        before = _asked_before(connection, batch, jobs)
    return [_known(batch, job, bound, before) for job in jobs]


def _asked_before(connection: Connection, batch: Batch, jobs: Sequence[Job]) -> set[tuple[str, str, str]]:
    """Of those that the target is not known to hold: referral, connection and kind of which a try was made."""
    unknown = {
        row.id
        for job in jobs
        if job.row.kind not in NO_RECORD
        and (row := batch.referral(job.row.referral_id)) is not None
        and not batch.records_of(row.id, job.row.connection, job.row.kind)
    }
    own = {job.row.id: job.sent_before for job in jobs}
    if not unknown:
        return set()
    return {
        (row["referral_id"], row["connection"], row["kind"])
        for row in _TRIED.rows(connection, unknown)
        if (own[row["id"]] is not None if row["id"] in own else True)
    }


def _known(
    batch: Batch,
    job: Job,
    bound: Mapping[str, fact_store.Facts],
    before: Collection[tuple[str, str, str]],
) -> Known | None:
    row = batch.referral(job.row.referral_id)
    try:
        facts = batch.facts(row) if row is not None else None
    except PayloadGone:
        facts = None
    if row is None or facts is None:
        return None
    now = fact_store.plain(facts)
    event = now
    if job.row.carries == "event" and job.row.facts:
        if job.row.facts not in bound:
            return None
        event = fact_store.plain(bound[job.row.facts])
    there = batch.records_of(row.id, job.row.connection, job.row.kind)
    asked_before = (row.id, job.row.connection, job.row.kind) in before
    stopped = row.stopped is not None
    return Known(row.revision, now, event, there[0] if there else None, (row.facts, facts), stopped, asked_before)
