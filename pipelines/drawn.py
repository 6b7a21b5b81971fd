"""What a bench asks the pages for, drawn from a ledger that `pipelines.past` has filled; and its bulk replay's rows.

A task, a comparison and a grant that is over are written as well, since a past has none. Nothing else is changed.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from sqlalchemy import func, insert, select

from pipelines import tasks
from pipelines.plant import Plant
from pipelines.tables import audit, cause, delivery, reconciliation, record, referral, sight_grant, version

#: Of each kind of thing, so many different ones.
OF_EACH = 4
_WHY = "asked for by the bench"


@dataclass(slots=True)
class Things:
    """Ids of what there is to ask for, drawn from the ledger."""

    causes: dict[str, int] = field(default_factory=dict)  # fingerprint -> id
    stopped: list[int] = field(default_factory=list)  # deliveries that need attention
    opened: list[int] = field(default_factory=list)  # of these, some whose payloads can be opened
    unread: list[int] = field(default_factory=list)  # versions that need attention
    referrals: list[str] = field(default_factory=list)
    references: list[str] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    middle: int = 0  # the moment in the middle of the past
    task: int = 0
    comparison: int = 0
    grant: int = 0


def draw(plant: Plant, council: str, opened: int, seed: int) -> Things:
    """Draw what is asked for; write a task and a comparison, so that there are some. `opened`: the first so many
    deliveries have payloads that can be opened."""
    chance, found = random.Random(seed), Things()  # noqa: S311 - a sample, not a secret
    with plant.ledger.reading() as connection:
        found.causes = {row.fingerprint: row.id for row in connection.execute(select(cause).order_by(cause.c.id))}
        last = {table: connection.execute(select(func.max(table.c.id))).scalar_one()
                for table in (delivery, version, record)}  # fmt: skip
        for ids, table in ((found.stopped, delivery), (found.unread, version)):
            for _ in range(OF_EACH):
                wanted = select(table.c.id).where(table.c.id >= chance.randint(opened + 1, last[table]))
                wanted = wanted.where(table.c.state == "needs attention", table.c.referral_id.in_(
                    select(referral.c.id).where(referral.c.id == table.c.referral_id, referral.c.restricted.is_(False))
                )).order_by(table.c.id).limit(1)  # fmt: skip
                ids += connection.execute(wanted).scalars()
        found.opened = chance.sample(range(1, opened + 1), min(OF_EACH, opened))
        for _ in range(OF_EACH):
            one = connection.execute(
                select(referral, record.c.external_id)
                .join(referral, referral.c.id == record.c.referral_id)
                .where(record.c.id >= chance.randint(1, last[record]), referral.c.restricted.is_(False))
                .order_by(record.c.id)
                .limit(1)
            ).one()
            found.referrals.append(one.id)
            found.references.append(one.citizen_reference)
            found.numbers.append(one.external_id)
        found.middle = connection.execute(select(delivery.c.at).where(delivery.c.id == found.stopped[0])).scalar_one()
    found.task = tasks.for_ids(
        plant, [f"d{id}" for id in found.stopped], action=tasks.SEND_AGAIN, who="bench", why=_WHY
    )  # fmt: skip
    tasks.cancel(plant, found.task, who="bench")
    with plant.ledger.writing() as connection:
        now = plant.clock.now()
        findings = {"differ": [{"source": n, "target": n, "field": "status"} for n in found.numbers], "doubt": ""}
        found.comparison = connection.execute(
            insert(reconciliation)
            .values(council=council, route="source-to-sink", at=now, begun=now, done=now, agrees=False,
                    counts={"compared": 1000, "differ": len(found.numbers)}, findings=findings)
            .returning(reconciliation.c.id)
        ).scalar_one()  # fmt: skip
        found.grant = connection.execute(
            insert(sight_grant)
            .values(council=council, referral_id=found.referrals[0], whom="nobody", how="given", by="bench", at=now,
                    until=now + 1, why=plant.vault.put(connection, council, "why", _WHY.encode(), now))
            .returning(sight_grant.c.id)
        ).scalar_one()  # fmt: skip
    return found


def causes_of_deliveries(plant: Plant) -> list[str]:
    """The fingerprints of the causes for which deliveries need attention, in the order in which they came."""
    with plant.ledger.reading() as connection:
        wanted = select(cause.c.fingerprint).where(cause.c.step != "read").order_by(cause.c.id)
        return list(connection.execute(wanted).scalars())


def first_stopped(plant: Plant, council: str) -> int:
    """The oldest delivery that needs attention."""
    with plant.ledger.reading() as connection:
        wanted = select(func.min(delivery.c.id)).filter_by(council=council, state="needs attention")
        return int(connection.execute(wanted).scalar_one())


def sent_again(plant: Plant) -> int:
    """How often the audit says that something was sent again."""
    with plant.ledger.reading() as connection:
        wanted = select(func.count()).select_from(audit).where(audit.c.action == tasks.SEND_AGAIN)
        return int(connection.execute(wanted).scalar_one())
