"""The support desk: see what needs attention by cause, send again, settle, close.

Everything here writes rows and an audit line in one transaction; a running `dolen run` notices. Each action asks who
and why. Two officers doing the same thing at once have one effect: the second is told that it was done.
"""

from __future__ import annotations

from sqlalchemy import select, update

from connectors.errors import NotThere
from pipelines import audit, deciding, deliveries, hops, outcomes, recovery
from pipelines import facts as fact_store
from pipelines.acting import at, tell
from pipelines.attention import Group, attention, open_conflicts
from pipelines.batch import Batch
from pipelines.ids import number_of
from pipelines.jobs import NO_RECORD
from pipelines.looking import NotPossible, find_referral, version_of
from pipelines.outcomes import Taken
from pipelines.plant import Plant
from pipelines.previewing import preview
from pipelines.replaying import Done, replay
from pipelines.rights import Right
from pipelines.rows import Held
from pipelines.sight import NoSuch
from pipelines.states import DeliveryState, VersionState
from pipelines.tables import conflict, referral, version

__all__ = [
    "Done",
    "Group",
    "NotPossible",
    "attention",
    "close",
    "find_referral",
    "open_conflicts",
    "preview",
    "replay",
    "settle",
    "settle_conflict",
]


def settle(plant: Plant, id: str, *, how: str, number: str, who: str, why: str) -> str:
    """Settle a delivery by what a person found out; return what became of it in a sentence.

    `how`: "arrived" (it is there, under this number), "by-hand" (I entered it by hand, under this number),
    "not-arrived" (it is not
    there: send). The number enters the crosswalk, so that the next version updates and never creates. Raises
    NotPossible.
    """
    number = number.strip()
    if how != "not-arrived" and (not number or len(number) > 100):
        raise NotPossible("give the number that the target system shows for it")
    with at(plant, id, number) as (batch, row):
        if not DeliveryState(row.state).open or row.state == DeliveryState.SENDING:
            raise NotPossible(f"{id} is {row.state}: there is nothing to settle")
        if how == "not-arrived":
            if row.state not in (DeliveryState.NOT_SURE, DeliveryState.ATTENTION):
                raise NotPossible(f"{id} is {row.state}: it will be sent by itself")
            if row.state == DeliveryState.NOT_SURE and (wait := recovery.unsettled_for(batch, row)) > 0:
                raise NotPossible(f"{row.connection} may still do what {id} asked of it: look again in {wait} seconds")
            if deciding.error_of(plant, row.cause_id) == NotThere.__name__:
                for gone in list(batch.records_of(row.referral_id, row.connection, row.kind)):
                    batch.unlink_record(gone)  # deleted there: what is sent makes a new one
            deliveries.move(
                batch, row, DeliveryState.WAITING, reason="not there, says a person", due=batch.now, look_ups=0
            )
            words = f"{id} will be sent"
        else:
            referral = batch.referral(row.referral_id)
            assert referral is not None
            deliveries.move(batch, row, DeliveryState.SETTLED, reason=how)
            try:
                if row.kind not in NO_RECORD:
                    outcomes.link(batch, referral, target=row.connection, kind=row.kind, number=number)
            except Taken as taken:
                raise NotPossible(f"{taken}; look at the number again") from None
            _complete(batch, row, referral)
            words = f"{id} is settled: {row.connection} holds it under {number}"
        tell(plant, batch, row, who=who, action=f"settle: {how}", why=why, detail={"number": number})
    return words


def _complete(batch: Batch, row: Held, referral: Held) -> None:
    """Have what a person could not type, such as the resident's reference, written onto the record that she made."""
    wired, route = batch.council.wired.get(row.connection), batch.council.route(row.route)
    if wired is None or route is None or row.carries != "state" or "fetch" not in wired.offers(row.kind):
        return
    deliveries.make(batch, route, referral, plain=fact_store.plain(batch.facts(referral)), version=None)


def close(plant: Plant, id: str, *, who: str, why: str) -> str:
    """Close without sending: a delivery (d12), a version (v7), or a conflict that was seen (c3). Raises NotPossible."""
    now = plant.clock.now()
    if id.startswith("c"):
        settle_conflict(plant, number_of(id, "c") or 0, who=who, why=why)
        return f"{id} is closed: you have looked at it"
    if id.startswith("v"):
        row = version_of(plant, id)
        plant.sight.need(Right.SEND, row.council)
        with plant.ledger.writing(making_room=True) as connection:
            done = connection.execute(
                update(version)
                .where(version.c.id == row.id, version.c.state == VersionState.ATTENTION)
                .values(state=VersionState.CLOSED)
            ).rowcount
            if not done:
                raise NotPossible(f"{id} is {row.state}: there is nothing to close")
            audit.write(
                connection, plant.vault, council=row.council, who=who, action="close", subject=id, why=why, now=now
            )
        return f"{id} is closed; a newer version of the record will be taken as usual"
    with at(plant, id) as (batch, held):
        if held.state not in (DeliveryState.ATTENTION, DeliveryState.WAITING, DeliveryState.NOT_SURE):
            raise NotPossible(f"{id} is {held.state}: there is nothing to close")
        deliveries.move(batch, held, DeliveryState.CLOSED, reason="closed without sending")
        tell(plant, batch, held, who=who, action="close", why=why)
    return f"{id} is closed without sending; the next change of the referral is sent as usual"


def settle_conflict(plant: Plant, id: int, *, who: str, why: str) -> None:
    """Note that a person has looked at a conflict; the field may change hands by itself again. Raises NotPossible."""
    with plant.ledger.writing(making_room=True) as connection:
        wanted = conflict.c.id == id, conflict.c.open.is_(True), plant.sight.of(conflict.c.referral_id)
        row = connection.execute(select(conflict).where(*wanted)).first()
        if row is None or row.council not in plant.councils:
            raise NoSuch(f"there is no open conflict c{id}")
        plant.sight.need(Right.SEND, row.council)
        connection.execute(update(conflict).where(conflict.c.id == id).values(open=False))
        counted = connection.execute(select(referral.c.hops).where(referral.c.id == row.referral_id)).scalar()
        anew = update(referral).where(referral.c.id == row.referral_id)
        connection.execute(anew.values(hops=hops.forget(counted, row.field)))
        audit.write(
            connection,
            plant.vault,
            council=row.council,
            who=who,
            action="conflict seen",
            subject=f"c{id}",
            why=why,
            now=plant.clock.now(),
        )
