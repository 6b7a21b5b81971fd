"""Work lists: deliveries that are open, with the numbers under which each referral is known in the systems.

What an officer needs who types records in by hand: which deliveries, and where to read what is to be typed. Ids and
numbers alone; nothing here opens a payload.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, or_, select

from pipelines.plant import Plant
from pipelines.states import DeliveryState
from pipelines.tables import delivery, record


@dataclass(frozen=True, slots=True)
class Open:
    """One delivery and where its referral stands."""

    id: str  # as people are shown it: d12
    council: str
    connection: str
    route: str
    state: DeliveryState
    tries: int
    numbers: Mapping[str, str]  # connection -> the referral's number there

    @property
    def creates(self) -> bool:
        """The target is not known to hold the referral yet."""
        return self.connection not in self.numbers


def waits_for_a_person() -> ColumnElement[bool]:
    """A delivery that waits for a person: it needs attention, or nobody else can tell whether it is there."""
    unsure = and_(delivery.c.state == DeliveryState.NOT_SURE, delivery.c.due.is_(None))
    return or_(delivery.c.state == DeliveryState.ATTENTION, unsure)


def open_deliveries(
    plant: Plant, council: str, connection: str, states: Collection[DeliveryState], *, limit: int = 500
) -> list[Open]:
    """List state-carrying deliveries to one connection that are in one of `states`, the oldest first."""
    with plant.ledger.reading() as reading:
        rows = reading.execute(
            select(delivery)
            .where(
                delivery.c.council == council,
                delivery.c.council.in_(list(plant.councils)),
                delivery.c.connection == connection,
                delivery.c.carries == "state",
                plant.sight.of(delivery.c.referral_id),
                delivery.c.state.in_(list(states)),
            )
            .order_by(delivery.c.id)
            .limit(limit)
        ).all()
        numbers: dict[str, dict[str, str]] = {row.referral_id: {} for row in rows}
        for held in reading.execute(
            select(record.c.referral_id, record.c.connection, record.c.external_id).where(
                record.c.council == council, record.c.referral_id.in_(list(numbers))
            )
        ):
            numbers[held.referral_id][held.connection] = held.external_id
    return [
        Open(
            f"d{row.id}",
            row.council,
            row.connection,
            row.route,
            DeliveryState(row.state),
            row.tries,
            numbers[row.referral_id],
        )
        for row in rows
    ]
