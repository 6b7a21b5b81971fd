"""The support desk: see what needs attention by cause, send again, settle, close.

Everything here writes rows and an audit line in one transaction; a running `dolen run` notices. Each action asks who
and why. Two officers doing the same thing at once have one effect: the second is told that it was done.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, select, update

from connectors.errors import NotThere
from pipelines import audit, deciding, deliveries, hops, lanes, outcomes, recovery, regressed, rows
from pipelines import facts as fact_store
from pipelines.batch import Batch, one_referral
from pipelines.ids import number_of
from pipelines.intake import Intake
from pipelines.looking import NotPossible, council_of, delivery_of, find_referral, preview, version_of
from pipelines.outcomes import Taken
from pipelines.plant import Plant
from pipelines.rows import Held
from pipelines.states import DeliveryState, IllegalMove, VersionState
from pipelines.tables import cause, conflict, delivery, referral, version
from pipelines.worklist import waits_for_a_person

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


@dataclass(frozen=True, slots=True)
class Group:
    """One cause and what waits because of it."""

    fingerprint: str
    council: str
    connection: str
    step: str
    error: str
    field: str
    code_list: str
    words: str
    since: int
    versions: tuple[int, ...]
    deliveries: tuple[int, ...]
    people: int
    urgent: int
    left_out: int = 0  # records that went on without this field

    @property
    def count(self) -> int:
        """How many versions and deliveries need attention."""
        return len(self.versions) + len(self.deliveries)

    @property
    def remedy(self) -> str:
        """What an officer can do about it, in a sentence."""
        return _remedy(self)


@dataclass(slots=True)
class Done:
    """What an action did: ids as people are shown them, and what was not possible."""

    done: list[str] = field(default_factory=list)
    not_done: list[tuple[str, str]] = field(default_factory=list)


def attention(plant: Plant, councils: Sequence[str] = ()) -> list[Group]:
    """Everything that needs attention, by cause, the most urgent and oldest first."""
    wanted = set(councils) or set(plant.councils)
    with plant.ledger.reading() as connection:
        rows = connection.execute(select(cause).where(cause.c.council.in_(wanted)).order_by(cause.c.first_seen)).all()
        groups = []
        for row in rows:
            versions = connection.execute(
                select(version.c.id, version.c.referral_id, version.c.external_id, version.c.at)
                .where(version.c.cause_id == row.id, version.c.state == VersionState.ATTENTION)
                .order_by(version.c.id)
            ).all()
            stopped = connection.execute(
                select(delivery.c.id, delivery.c.referral_id, delivery.c.urgent, delivery.c.changed_at)
                .where(delivery.c.cause_id == row.id, waits_for_a_person())
                .order_by(delivery.c.id)
            ).all()
            if not versions and not stopped:
                continue
            people = {v.referral_id or v.external_id or f"v{v.id}" for v in versions} | {d.referral_id for d in stopped}
            since = min([v.at for v in versions] + [d.changed_at for d in stopped])
            groups.append(
                Group(
                    row.fingerprint,
                    row.council,
                    row.connection,
                    row.step,
                    row.error,
                    row.field,
                    row.code_list,
                    row.words,
                    since,
                    tuple(v.id for v in versions),
                    tuple(d.id for d in stopped),
                    len(people),
                    sum(1 for d in stopped if d.urgent),
                )
            )
    return sorted(groups, key=lambda group: (-group.urgent, group.since))


def open_conflicts(plant: Plant, councils: Sequence[str] = ()) -> list[Row[Any]]:
    """Conflicts that a person must look at and nobody has: on safeguarding fields, and those that go on for ever."""
    wanted = set(councils) or set(plant.councils)
    with plant.ledger.reading() as connection:
        return list(
            connection.execute(
                select(conflict)
                .where(conflict.c.open.is_(True), conflict.c.council.in_(wanted))
                .order_by(conflict.c.at)
            ).all()
        )


def replay(
    plant: Plant, ids: Sequence[str], *, who: str, why: str, fingerprint: str = "", route: str = "", council: str = ""
) -> Done:
    """Send again: some by id (d12, v7), all of a cause, or all of a route that need attention. The oldest go first.

    Raises NotPossible if nothing is named or nothing fits.
    """
    chosen = list(ids)
    if fingerprint:
        group = next((g for g in attention(plant, [council] if council else ()) if g.fingerprint == fingerprint), None)
        if group is None:
            raise NotPossible(f"nothing needs attention because of {fingerprint}; see `dolen attention`")
        chosen += [f"v{n}" for n in group.versions] + [f"d{n}" for n in group.deliveries]
    if route:
        with plant.ledger.reading() as connection:
            where = [delivery.c.route == route, delivery.c.state == DeliveryState.ATTENTION]
            if council:
                where.append(delivery.c.council == council)
            chosen += [f"d{n}" for n in connection.execute(select(delivery.c.id).where(*where)).scalars()]
    if not chosen:
        raise NotPossible("nothing was named; give ids such as d12 or v7, --cause or --route (see `dolen attention`)")
    done = Done()
    for id in sorted(set(chosen), key=lambda one: (one[0] != "v", number_of(one, one[0]) or 0)):
        try:
            _replay_one(plant, id, who=who, why=why)
            done.done.append(id)
        except (NotPossible, IllegalMove) as fault:
            done.not_done.append((id, str(fault)))
            _tell_in_vain(plant, id, who=who, why=why)
    return done


def _tell_in_vain(plant: Plant, id: str, *, who: str, why: str) -> None:
    """Write in the audit that somebody asked to send again what need not or cannot be sent: a second click, or an
    officer who came after another. An id that is not there leaves no trace."""
    try:
        code = (version_of if id.startswith("v") else delivery_of)(plant, id).council
    except NotPossible:
        return
    with plant.ledger.writing() as connection:
        audit.write(
            connection,
            plant.vault,
            council=code,
            who=who,
            action="send again: nothing to do",
            subject=id,
            why=why,
            now=plant.clock.now(),
        )


def _replay_one(plant: Plant, id: str, *, who: str, why: str) -> None:
    if id.startswith("v"):
        row = version_of(plant, id)
        council = council_of(plant, row.council)
        if row.state != VersionState.ATTENTION:
            raise NotPossible(f"{id} is {row.state}: there is nothing to take again")
        if not row.external_id:
            raise NotPossible(
                f"{id} could not be read at all: it has to be mended in {row.connection}, and comes back by itself"
            )
        match deciding.error_of(plant, row.cause_id):
            case regressed.ERROR:
                deciding.send_newest(plant, id, who=who, why=why)
                return
            case deciding.ANOTHER_PERSON:
                raise NotPossible(f"say whose {id} is: `dolen settle {id} --same` or `dolen settle {id} --new`")
        with plant.ledger.writing() as connection:
            audit.write(
                connection,
                plant.vault,
                council=row.council,
                who=who,
                action="send again",
                subject=id,
                why=why,
                now=plant.clock.now(),
            )
        Intake(plant, council).again([row.id])
        return
    found = delivery_of(plant, id)
    if deciding.error_of(plant, found.cause_id) == regressed.ERROR:
        if found.state == DeliveryState.REPLACED:
            return  # what was just done for its record sends a newer one
        if newest := deciding.regressed_version(plant, found):
            deciding.send_newest(plant, newest, who=who, why=why)
            return
    with _at(plant, id) as (batch, held):
        if held.state == DeliveryState.NOT_SURE and held.due is None:
            raise NotPossible(f"{id} may have been sent: look it up in {held.connection}, then settle it")
        if held.state != DeliveryState.ATTENTION:
            raise NotPossible(f"{id} is {held.state}: only what needs attention can be sent again")
        deliveries.move(batch, held, DeliveryState.WAITING, reason="sent again by a person", due=batch.now, look_ups=0)
        _tell(plant, batch, held, who=who, action="send again", why=why)


@contextmanager
def _at(plant: Plant, id: str, number: str = "") -> Iterator[tuple[Batch, Held]]:
    """One delivery and its referral, held for one action of a person. `number`: what the target may hold it under."""
    found = delivery_of(plant, id)
    council = council_of(plant, found.council)
    with plant.ledger.writing(making_room=True) as connection:
        batch = Batch(connection, plant.vault, council, plant.clock.now())
        if number:
            batch.fetch_records(found.connection, found.kind, [number])
        batch.fetch_numbers(found.connection, found.kind, [found.referral_id])
        one_referral(batch, found.referral_id)
        (row,) = rows.read(connection, delivery, "id", [found.id])
        row = batch.keep_delivery(row)
        yield batch, row
        batch.flush()
        lanes.refresh(connection, [row.lane])
    plant.nudge.set()


def _tell(
    plant: Plant, batch: Batch, row: Held, *, who: str, action: str, why: str, detail: dict[str, Any] | None = None
) -> None:
    audit.write(
        batch.connection,
        plant.vault,
        council=row.council,
        who=who,
        action=action,
        subject=f"d{row.id}",
        why=why,
        now=batch.now,
        detail=detail,
    )


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
    with _at(plant, id, number) as (batch, row):
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
                outcomes.link(batch, referral, target=row.connection, kind=row.kind, number=number)
            except Taken as taken:
                raise NotPossible(f"{taken}; look at the number again") from None
            _complete(batch, row, referral)
            words = f"{id} is settled: {row.connection} holds it under {number}"
        _tell(plant, batch, row, who=who, action=f"settle: {how}", why=why, detail={"number": number})
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
    with _at(plant, id) as (batch, held):
        if held.state not in (DeliveryState.ATTENTION, DeliveryState.WAITING, DeliveryState.NOT_SURE):
            raise NotPossible(f"{id} is {held.state}: there is nothing to close")
        deliveries.move(batch, held, DeliveryState.CLOSED, reason="closed without sending")
        _tell(plant, batch, held, who=who, action="close", why=why)
    return f"{id} is closed without sending; the next change of the referral is sent as usual"


def settle_conflict(plant: Plant, id: int, *, who: str, why: str) -> None:
    """Note that a person has looked at a conflict; the field may change hands by itself again. Raises NotPossible."""
    with plant.ledger.writing(making_room=True) as connection:
        row = connection.execute(select(conflict).where(conflict.c.id == id, conflict.c.open.is_(True))).first()
        if row is None or row.council not in plant.councils:
            raise NotPossible(f"there is no open conflict c{id}")
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


def _remedy(group: Group) -> str:
    """The likely remedy, by what kind of thing it is."""
    match group.error:
        case regressed.ERROR:
            return f"ask whoever looks after {group.connection} whether it was restored, then send again"
        case deciding.ANOTHER_PERSON:
            return "ask there whose record it is, then: dolen settle ID --same, or --new if its number was used again"
        case "deleted":
            return f"agree with whoever looks after {group.connection} what is to happen, do it there, then close it"
        case "NotThere":
            return f"ask in {group.connection} why it was deleted; then close it, or: dolen settle ID --not-arrived"
    if group.code_list:
        return f"the owner of codes/{group.code_list}.csv decides what the code means: see dolen codes unmapped"
    match group.step:
        case "feed":
            return f"have the record mended in {group.connection}; it comes back by itself"
        case "read":
            return (
                f"have {group.field or 'the record'} mended in {group.connection}, or mend the mapping, then send again"
            )
        case "match":
            return "decide which referral or person it is, have the number mended at its source, then send again"
        case "by hand":
            return "type it in, then: dolen settle ID --by-hand NUMBER"
        case "look up":
            return f"look it up in {group.connection}, then: dolen settle ID --arrived NUMBER, or --not-arrived"
        case "write":
            return f"have {group.field or 'the field'} mended at its source, or mend the mapping, then send again"
        case _:
            what = group.field or "what was refused"
            return f"mend {what} at its source, or ask whoever looks after {group.connection}, then send again"
