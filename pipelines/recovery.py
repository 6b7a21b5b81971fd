"""Recovery: what becomes of the work of a worker that died.

A delivery that was being sent and whose worker is gone obeys rule R9 of docs/data-model.md. What its journal shows was
never begun waits again at once. What may have been sent waits until the call can no longer take effect, and is then
sent again where asking twice does no harm, looked up where the target can be searched, or handed to a person.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import select, update

from connectors.errors import ConnectorError
from connectors.port import Tier
from pipelines import causes, deliveries, journal, lanes
from pipelines.batch import Batch
from pipelines.causes import Cause
from pipelines.clock import SECOND
from pipelines.jobs import NO_RECORD, TEXT_KIND
from pipelines.plant import Council, Plant, Wired
from pipelines.ready import in_parts
from pipelines.rows import Held
from pipelines.states import DeliveryState
from pipelines.tables import lane, seat

_WORDS = "its worker ended"
#: Lanes put right in one transaction.
_AT_ONCE = 200


def void(plant: Plant, boots: Collection[str] | None = None) -> int:
    """Take back what dead processes had leased, all of them where `boots` is None; return how many lanes.

    Only to be called for processes that are gone, or that have been told so and no longer write: their fences fall.
    """
    folder = plant.journals
    with plant.ledger.reading() as connection:
        owned = connection.execute(
            select(lane.c.id, lane.c.council, lane.c.owner).where(lane.c.owner.is_not(None))
        ).all()
    mine = [row for row in owned if boots is None or _boot(row.owner) in boots]
    begun = {boot: journal.begun(folder, boot) for boot in {_boot(row.owner) for row in mine}}
    for code in sorted({row.council for row in mine}):
        council = plant.councils.get(code)
        ids = sorted(row.id for row in mine if row.council == code)
        for some in in_parts(ids):
            for at in range(0, len(some), _AT_ONCE):
                _take_back(plant, council, some[at : at + _AT_ONCE], boots, begun)
    with plant.ledger.writing() as connection:
        sat = connection.execute(select(seat.c.owner).where(seat.c.owner.is_not(None)).distinct()).scalars().all()
        gone = [owner for owner in sat if boots is None or _boot(owner) in boots]
        connection.execute(update(seat).where(seat.c.owner.in_(gone)).values(owner=None, until=None))
    if boots is None:
        journal.forget_all(folder)
    else:
        journal.forget(folder, boots)
    return len(mine)


def _boot(owner: str) -> str:
    return owner.partition("/")[0]


def _take_back(
    plant: Plant,
    council: Council | None,
    ids: Sequence[str],
    boots: Collection[str] | None,
    begun: dict[str, frozenset[tuple[int, int]] | None],
) -> None:
    with plant.ledger.writing() as connection:
        held = {row.id: row for row in lanes.locked(connection, ids)}
        fallen = [row for row in held.values() if row.owner and (boots is None or _boot(row.owner) in boots)]
        if not fallen:
            return
        ids = [row.id for row in fallen]
        if council is not None:
            batch = Batch(connection, plant.vault, council, plant.clock.now())
            left = [
                row
                for inside in lanes.open_in(connection, ids).values()
                for row in inside
                if row.state == DeliveryState.SENDING
            ]
            never = {
                row.id
                for row in left
                if (known := begun.get(_boot(held[row.lane].owner))) is not None
                and (row.id, held[row.lane].fence) not in known
            }
            recover(batch, council, left, never=never)
            batch.flush()
        connection.execute(
            update(lane).where(lane.c.id.in_(ids)).values(owner=None, until=None, fence=lane.c.fence + 1)
        )
        lanes.refresh(connection, ids)


def recover(batch: Batch, council: Council, left: Iterable[Held], *, never: Collection[int] = ()) -> None:
    """Judge deliveries that were being sent by a worker that is gone. `never`: those that it had not begun to send."""
    left = [batch.keep_delivery(row) for row in left]
    about = {row.referral_id for row in left}
    batch.fetch_deliveries(about)
    for target, kind in sorted({(row.connection, row.kind) for row in left}):
        batch.fetch_numbers(target, kind, about)
    for row in left:
        _judge(batch, council, row, begun=row.id not in never)


def _judge(batch: Batch, council: Council, row: Held, *, begun: bool) -> None:
    now, looked, wired = batch.now, row.looking, council.wired.get(row.connection)
    if not begun or looked:
        back = DeliveryState.NOT_SURE if looked else DeliveryState.WAITING
        tries = row.tries - (0 if looked else 1)
        deliveries.move(batch, row, back, reason=_WORDS, due=now, tries=tries)
        return
    batch.note(
        "attempt",
        delivery_id=row.id,
        fence=0,
        what="send",
        boot="",
        begun=row.sent_at or now,
        ended=now,
        outcome="died",
        error="",
        words="the worker ended in mid-call",
        revision=None,
        mapping="",
        request=None,
        reply=None,
    )
    settle = max(now, settled_at(wired, row))
    known = bool(batch.records_of(row.referral_id, row.connection, row.kind))
    nothing_sent = wired is None or wired.settings.get("protocol") == "by-hand"
    if row.kind not in NO_RECORD and (known or nothing_sent):
        # Checked against a version, or typed by a person: it can be done again.
        deliveries.move(batch, row, DeliveryState.WAITING, reason=_WORDS, due=now)
    elif wired is not None and row.kind != TEXT_KIND and _keeps_key(wired, row.kind):
        # Safe to repeat, once the first call can no longer land behind ours with older words.
        deliveries.move(batch, row, DeliveryState.WAITING, reason=_WORDS, due=settle, unsettled=settle)
    elif wired is not None and _can_look(wired, row.kind):
        deliveries.move(batch, row, DeliveryState.NOT_SURE, reason=_WORDS, due=settle)
    else:
        words = "its worker ended in mid-call, and the target cannot be searched"
        cause_id = causes.note(
            batch.connection, batch.council.code, Cause(row.connection, "look up", "Unknown", words), now
        )
        # Still in doubt: it blocks its lane, and no newer version may take its place, until a person has looked.
        deliveries.move(batch, row, DeliveryState.NOT_SURE, reason=words, cause_id=cause_id)


def _keeps_key(wired: Wired, kind: str) -> bool:
    try:
        return wired.connector.tier(kind) is Tier.KEEPS_KEY
    except ConnectorError:
        return False  # a connection that cannot be opened must not keep the others from starting


def _can_look(wired: Wired, kind: str) -> bool:
    try:
        return "find" in wired.connector.offers(kind)
    except ConnectorError:
        return True  # whoever comes to look will be told what is wrong with the connection


def settled_at(wired: Wired | None, row: Held) -> int:
    """When a call begun at `sent_at` can no longer take effect: behind its deadline and the settling time."""
    if wired is None or row.sent_at is None:
        return 0
    return int(row.sent_at + (wired.timeout_seconds + wired.settle_seconds) * SECOND)


def unsettled_for(batch: Batch, row: Held) -> int:
    """In how many seconds a call without an answer can no longer take effect; 0 or less when it cannot any more."""
    until = settled_at(batch.council.wired.get(row.connection), row)
    return -((batch.now - until) // SECOND)
