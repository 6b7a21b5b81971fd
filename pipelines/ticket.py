"""A ticket for whoever looks after a system: what finds our calls in their own log, and nothing about people.

It names the installation, what was done when, how often it failed and how it read, and our own delivery ids and keys.
No number of a record is in it: those lead to a person, and a ticket travels by email.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from pipelines import menders
from pipelines.looking import NotPossible, sees_version
from pipelines.menders import Mender
from pipelines.plant import Plant
from pipelines.states import VersionState
from pipelines.tables import attempt, cause, delivery, version
from pipelines.worklist import waits_for_a_person

#: Tries that are named one by one: enough to be found in a log.
MOST = 10


@dataclass(frozen=True, slots=True)
class Called:
    """One try, as the supplier's log may show it."""

    id: str  # d12
    key: str  # our own, which the call carried
    what: str  # send, look up
    at: int
    ended: int | None
    outcome: str


@dataclass(frozen=True, slots=True)
class Ticket:
    """What to tell a supplier about one cause."""

    fingerprint: str
    council: str
    connection: str
    system: str
    protocol: str
    step: str
    error: str
    field: str
    words: str
    first: int
    last: int
    count: int
    urgent: int
    supplier: str
    owner: Mender | None
    calls: tuple[Called, ...] = ()


def of_cause(plant: Plant, fingerprint: str) -> Ticket:
    """Write a ticket about one cause. Raises NotPossible."""
    with plant.ledger.reading() as connection:
        why: Any = connection.execute(
            select(cause).where(cause.c.fingerprint == fingerprint, cause.c.council.in_(list(plant.councils)))
        ).first()
        if why is None:
            raise NotPossible(f"there is no cause {fingerprint}; see `dolen attention`")
        stopped = connection.execute(
            select(delivery.c.id, delivery.c.key, delivery.c.urgent).where(
                delivery.c.cause_id == why.id, waits_for_a_person(), plant.sight.of(delivery.c.referral_id)
            )
        ).all()
        unread = connection.execute(
            select(func.count())
            .select_from(version)
            .where(version.c.cause_id == why.id, version.c.state == VersionState.ATTENTION, sees_version(plant))
        ).scalar_one()
        keys = {row.id: row.key for row in stopped[:MOST]}
        tries = connection.execute(
            select(attempt).where(attempt.c.delivery_id.in_(keys)).order_by(attempt.c.begun.desc()).limit(MOST)
        ).all()
    council = plant.councils[why.council]
    wired = council.wired.get(why.connection)
    settings = wired.settings if wired is not None else {}
    return Ticket(
        fingerprint, why.council, why.connection, str(settings.get("system") or ""),
        str(settings.get("protocol") or ""), why.step, why.error, why.field, why.words, why.first_seen, why.last_seen,
        len(stopped) + int(unread), sum(bool(row.urgent) for row in stopped), str(settings.get("supplier") or ""),
        menders.of_connection(council, why.connection),
        tuple(
            Called(f"d{row.delivery_id}", keys[row.delivery_id], row.what, row.begun, row.ended, row.outcome)
            for row in tries
        ),
    )  # fmt: skip
