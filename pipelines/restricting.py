"""Restriction: from now on nothing about a person, or of one referral, is sent anywhere, until a person lifts it.

It is judged at the moment of sending, so that it holds for what already waits and for what comes later. What waits
stays waiting. A call that is under way at the moment cannot be taken back: it is named, and so is everybody who holds
something already, so that they can be told. Where a restricted referral may be seen is `referral.restricted`.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, update

from pipelines import audit, lanes
from pipelines.logs import warn
from pipelines.persons import Person
from pipelines.plant import Plant
from pipelines.states import OPEN, DeliveryState
from pipelines.tables import delivery, record, referral

#: Why a delivery of a restricted person waits, and how many seconds until that is looked at again.
REASON = "restricted"
LOOK_AGAIN = 3600.0


@dataclass(frozen=True, slots=True)
class Restricted:
    """What a restriction found: what waits, what was just being sent, and who holds something already."""

    referrals: int
    waiting: tuple[str, ...]
    under_way: tuple[str, ...]
    held_by: tuple[tuple[str, str], ...]  # (connection, who answers for it)


def restrict(plant: Plant, person: Person, *, who: str, why: str, only: str = "") -> Restricted:
    """Restrict a person, or one referral of theirs; return what people should know. Safe to repeat."""
    ids = [only] if only else list(person.referrals)
    now = plant.clock.now()
    with plant.ledger.writing(making_room=True) as connection:
        fresh = update(referral).where(referral.c.id.in_(ids), referral.c.stopped.is_(None))
        connection.execute(fresh.values(stopped=now, restricted=True))
        open_ones = connection.execute(
            select(delivery.c.id, delivery.c.state)
            .where(delivery.c.referral_id.in_(ids), delivery.c.state.in_(OPEN))
            .order_by(delivery.c.id)
        ).all()
        holds = select(record.c.connection).where(record.c.referral_id.in_(ids)).distinct()
        names = sorted(connection.execute(holds).scalars())
        for id in ids:
            audit.write(
                connection, plant.vault, council=person.council, who=who, action="restrict",
                subject=f"referral {id}", why=why, now=now,
            )  # fmt: skip
    for id in ids:  # told at once, wherever the log goes; alerts look at `referral.stopped`
        warn("restricted", council=person.council, referral=id)
    sending = (DeliveryState.SENDING, DeliveryState.NOT_SURE)
    return Restricted(
        len(ids),
        tuple(f"d{row.id}" for row in open_ones if row.state not in sending),
        tuple(f"d{row.id}" for row in open_ones if row.state in sending),
        tuple((name, _owner(plant, person.council, name)) for name in names),
    )


def unrestrict(plant: Plant, person: Person, *, who: str, why: str, only: str = "") -> int:
    """Lift it; what waited is sent. Returns how many deliveries that is."""
    ids = [only] if only else list(person.referrals)
    now = plant.clock.now()
    with plant.ledger.writing(making_room=True) as connection:
        lifted = update(referral).where(referral.c.id.in_(ids), referral.c.stopped.is_not(None))
        connection.execute(lifted.values(stopped=None, restricted=False))
        waits = update(delivery).where(delivery.c.referral_id.in_(ids), delivery.c.state == DeliveryState.WAITING)
        freed = connection.execute(waits.values(due=now, reason="")).rowcount
        touched = connection.execute(select(delivery.c.lane).where(delivery.c.referral_id.in_(ids)).distinct())
        lanes.refresh(connection, list(touched.scalars()))
        for id in ids:
            audit.write(
                connection, plant.vault, council=person.council, who=who, action="unrestrict",
                subject=f"referral {id}", why=why, now=now,
            )  # fmt: skip
    plant.nudge.set()
    return freed


def _owner(plant: Plant, council: str, name: str) -> str:
    wired = plant.councils[council].wired.get(name)
    owner = (wired.settings.get("owner") or {}) if wired is not None else {}
    return ", ".join(str(value) for value in owner.values() if value)
