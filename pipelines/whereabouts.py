"""Where is it? One sentence about one referral: where it is, or what keeps it, and who can mend that.

It reads ids, states and times alone. What no source has ever shown is told apart from what is on its way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, false, func, or_, select

from pipelines.ids import number_of
from pipelines.plant import Plant
from pipelines.states import DeliveryState, VersionState
from pipelines.tables import cause, delivery, proof, record, referral, version, walk
from pipelines.worklist import waits_for_a_person

#: Referrals that one reference may lead to: the same number may be known in several systems.
MOST = 20


class Stand(StrEnum):
    """What one can say of a referral and one target, or of a record that never became a referral."""

    ARRIVED = "arrived"
    PICKED_UP = "picked up"  # arrived, and somebody there has worked on it since
    WAITING = "waiting"
    SENDING = "being sent"
    NOT_SURE = "not sure"
    ATTENTION = "needs attention"
    STOPPED = "stopped"  # the record could not be taken in: it needs attention before anything is sent
    NOT_SENT = "not sent"
    CLOSED = "closed"
    NOWHERE = "nowhere"  # known, and no route leads anywhere


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """One referral (or one record that is none yet) and one target."""

    stand: Stand
    council: str
    referral: str  # "" where a record was never taken in
    source: str  # the connection that showed it first
    target: str = ""
    number: str = ""  # its number in the target
    at: int | None = None  # since when
    due: int | None = None  # when it is tried next
    rule: str = ""  # why it is not sent: the rule's own words
    route: str = ""
    cause: str = ""  # fingerprint
    id: str = ""  # of the delivery or version: d12, v7
    urgent: bool = False


def where_is(plant: Plant, reference: str, councils: Sequence[str]) -> list[Whereabouts]:
    """Look for any reference - ours, the resident's, a number in any system, d12, v7 - in these councils."""
    text = reference.strip()
    if not text:
        return []
    with plant.ledger.reading() as connection:
        found: list[Whereabouts] = []
        for id in _referrals(connection, plant, text, councils):
            found += of_referral(connection, id)
        return found or _never_taken_in(connection, plant, text, councils)


def of_referral(connection: Connection, id: str) -> list[Whereabouts]:
    """Where one referral is, for each target that it goes or went to; the one that is kept longest first."""
    row = connection.execute(select(referral).where(referral.c.id == id)).one()
    newest = (
        select(func.max(delivery.c.id))
        .where(delivery.c.referral_id == id, delivery.c.carries == "state")
        .group_by(delivery.c.connection, delivery.c.kind)
    )
    unsure = select(delivery.c.id).where(delivery.c.referral_id == id, waits_for_a_person())
    held = connection.execute(
        select(delivery, waits_for_a_person().label("by_a_person"), cause.c.fingerprint)
        .outerjoin(cause, cause.c.id == delivery.c.cause_id)
        .where(delivery.c.referral_id == id, delivery.c.id.in_(newest) | delivery.c.id.in_(unsure))
        .order_by(delivery.c.id)
        .limit(MOST)
    ).all()
    found = [_of_delivery(connection, row, one) for one in held]
    stopped = connection.execute(
        select(version.c.id, version.c.connection, version.c.at, cause.c.fingerprint)
        .outerjoin(cause, cause.c.id == version.c.cause_id)
        .where(version.c.referral_id == id, version.c.state == VersionState.ATTENTION)
        .order_by(version.c.id.desc())
        .limit(MOST)
    ).all()
    found += [
        Whereabouts(Stand.STOPPED, row.council, id, one.connection, at=one.at, cause=one.fingerprint or "",
                    id=f"v{one.id}")
        for one in stopped
    ]  # fmt: skip
    if not found:
        found = [_not_sent(connection, row)]
    order = list(Stand)
    return sorted(found, key=lambda one: (one.stand not in (Stand.ATTENTION, Stand.STOPPED), order.index(one.stand)))


def _of_delivery(connection: Connection, row: Any, one: Any) -> Whereabouts:
    said: dict[str, Any] = {
        "council": row.council, "referral": row.id, "source": row.born_in, "target": one.connection,
        "at": one.changed_at,
        "due": one.due, "rule": one.reason, "route": one.route, "cause": one.fingerprint or "", "id": f"d{one.id}",
        "urgent": one.urgent,
    }  # fmt: skip
    # By the referral alone: a planner without statistics would go through all records of the connection.
    numbers = connection.execute(
        select(record.c.connection, record.c.kind, record.c.external_id).where(record.c.referral_id == row.id)
    )
    said["number"] = next((r.external_id for r in numbers if (r.connection, r.kind) == (one.connection, one.kind)), "")
    if one.by_a_person:
        return Whereabouts(Stand.ATTENTION, **said)
    match DeliveryState(one.state):
        case DeliveryState.ARRIVED | DeliveryState.SETTLED:
            proved = connection.execute(
                select(proof.c.at, proof.c.external_id).where(proof.c.delivery_id == one.id)
            ).first()
            said["at"] = proved.at if proved else one.changed_at
            said["number"] = said["number"] or (proved.external_id if proved else "")
            picked = _picked_up(connection, row, one)
            return Whereabouts(Stand.PICKED_UP if picked else Stand.ARRIVED, **said)
        case DeliveryState.WAITING:
            return Whereabouts(Stand.WAITING, **said)
        case DeliveryState.SENDING:
            return Whereabouts(Stand.SENDING, **said)
        case DeliveryState.NOT_SURE:
            return Whereabouts(Stand.NOT_SURE, **said)
        case DeliveryState.NOT_SENT | DeliveryState.EXPIRED:
            return Whereabouts(Stand.NOT_SENT, **said)
        case _:
            return Whereabouts(Stand.CLOSED, **said)


def _picked_up(connection: Connection, row: Any, one: Any) -> bool:
    """Whether the target has shown a change of its own since the referral first arrived there."""
    first = connection.execute(
        select(func.min(proof.c.at))
        .join(delivery, delivery.c.id == proof.c.delivery_id)
        .where(delivery.c.referral_id == row.id, delivery.c.connection == one.connection)
    ).scalar()
    changed = connection.execute(
        select(version.c.id)
        .where(
            version.c.referral_id == row.id,
            version.c.connection == one.connection,
            version.c.state == VersionState.MERGED,
            version.c.at >= (first or 0),
        )
        .limit(1)
    ).first()
    return changed is not None


def _not_sent(connection: Connection, row: Any) -> Whereabouts:
    newest = connection.execute(
        select(version.c.not_taken, version.c.at).where(version.c.referral_id == row.id).order_by(version.c.id.desc())
    ).first()
    if newest is not None and newest.not_taken:
        return Whereabouts(Stand.NOT_SENT, row.council, row.id, row.born_in, at=newest.at, route=newest.not_taken[0])
    return Whereabouts(Stand.NOWHERE, row.council, row.id, row.born_in, at=row.changed_at)


def _numbered(plant: Plant, table: Any, text: str, councils: Sequence[str]) -> ColumnElement[bool]:
    """Rows under this number in any system of these councils; told by system, each by the index that begins so."""
    return or_(
        false(),
        *(
            and_(
                table.c.council == code,
                table.c.connection == wired.name,
                table.c.kind.in_(list(wired.kinds)),
                table.c.external_id == text,
            )
            for code in councils
            for wired in plant.councils[code].wired.values()
        ),
    )


def _referrals(connection: Connection, plant: Plant, text: str, councils: Sequence[str]) -> list[str]:
    """The ids of the referrals that a reference leads to; each look is by an index."""
    upper = text.upper()
    looks = [
        select(referral.c.id).where(referral.c.id == text.lower(), referral.c.council.in_(councils)),
        select(referral.c.id).where(referral.c.citizen_reference == upper, referral.c.council.in_(councils)),
        select(record.c.referral_id).where(
            _numbered(plant, record, text, councils), record.c.referral_id.is_not(None)
        ),
    ]
    for letter, table in (("d", delivery), ("v", version)):
        number = number_of(text, letter) if text[:1].lower() == letter else None
        if number is not None:
            looks.append(
                select(table.c.referral_id).where(
                    table.c.id == number, table.c.council.in_(councils), table.c.referral_id.is_not(None)
                )
            )
    for look in looks:
        found = connection.execute(look.distinct().limit(MOST)).scalars().all()
        if found:
            return list(found)
    return []


def _never_taken_in(
    connection: Connection, plant: Plant, text: str, councils: Sequence[str]
) -> list[Whereabouts]:
    """Records of this number that were shown and never became a referral: they need attention, or were closed."""
    rows = connection.execute(
        select(version, cause.c.fingerprint)
        .outerjoin(cause, cause.c.id == version.c.cause_id)
        .where(_numbered(plant, version, text, councils), version.c.referral_id.is_(None))
        .order_by(version.c.id.desc())
        .limit(1)
    ).all()
    stands = {VersionState.ATTENTION: Stand.STOPPED, VersionState.WAITING: Stand.WAITING}
    return [
        Whereabouts(stands.get(VersionState(row.state), Stand.CLOSED), row.council, "", row.connection, at=row.at,
                    cause=row.fingerprint or "", id=f"v{row.id}")
        for row in rows
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class LastRead:
    """When one source was last read to its end."""

    council: str
    connection: str
    at: int | None


def last_read(plant: Plant, councils: Sequence[str]) -> list[LastRead]:
    """When each source of these councils was last read: what to say of a referral that was never shown to us."""
    with plant.ledger.reading() as connection:
        rows = connection.execute(
            select(walk.c.council, walk.c.connection, func.max(walk.c.completed).label("at"))
            .where(walk.c.purpose == "live", walk.c.council.in_(councils))
            .group_by(walk.c.council, walk.c.connection)
        ).all()
    at = {(row.council, row.connection): row.at for row in rows}
    return [
        LastRead(code, wired.name, at.get((code, wired.name)))
        for code in councils
        for wired in plant.councils[code].wired.values()
        if wired.polls
    ]
