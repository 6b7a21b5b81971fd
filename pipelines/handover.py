"""The hand-over: urgent referrals that have not arrived, for the duty team to deal with by hand if need be.

Ids, the numbers under which each is known, why it waits and whom to ring; never a value. What is to be typed in is on
the page of each delivery (`pipelines.sheets`), which shows a person and is asked for with a reason.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, text

from pipelines import menders
from pipelines.menders import Mender
from pipelines.plant import Plant
from pipelines.tables import URGENT_DELIVERY, cause, delivery, record, referral

#: Lines of one sheet; beyond it one knows that there are more.
MOST = 150


@dataclass(frozen=True, slots=True)
class Urgent:
    """One urgent referral that has not arrived where it is to go."""

    id: str  # d12
    council: str
    target: str
    route: str
    state: str
    since: int
    due: int | None
    reference: str  # the resident's
    referral: str
    numbers: tuple[tuple[str, str], ...]  # (connection, its number there): where to read what is to be typed
    words: str  # why, in an officer's words
    mender: Mender | None


def urgent(plant: Plant) -> list[Urgent]:
    """Urgent deliveries that are open, of these eyes' councils, the oldest first."""
    with plant.ledger.reading() as connection:
        rows = connection.execute(
            select(delivery, referral.c.citizen_reference, cause.c.words)
            .add_columns(cause.c.step, cause.c.field, cause.c.code_list)
            .join(referral, referral.c.id == delivery.c.referral_id)
            .outerjoin(cause, cause.c.id == delivery.c.cause_id)
            .where(delivery.c.council.in_(list(plant.councils)), text(URGENT_DELIVERY))
            .where(delivery.c.carries == "state", plant.sight.of(delivery.c.referral_id))
            .order_by(delivery.c.at)
            .limit(MOST + 1)
        ).all()
        numbers: dict[str, list[tuple[str, str]]] = {}
        for held in connection.execute(
            select(record.c.referral_id, record.c.connection, record.c.external_id).where(
                record.c.referral_id.in_({row.referral_id for row in rows}), record.c.aside.is_(False)
            )
        ):
            numbers.setdefault(held.referral_id, []).append((held.connection, held.external_id))
    found = []
    for row in rows:
        council = plant.councils[row.council]
        mender = menders.of_cause(
            council, row.connection, step=row.step or "", field=row.field or "", code_list=row.code_list or ""
        )
        found.append(
            Urgent(
                f"d{row.id}", row.council, row.connection, row.route, row.state, row.at, row.due,
                row.citizen_reference, row.referral_id, tuple(sorted(numbers.get(row.referral_id, ()))),
                row.words or row.reason, mender,
            )
        )  # fmt: skip
    return found
