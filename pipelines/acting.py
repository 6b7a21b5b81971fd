"""One delivery in the hand of a person: held with its referral for one action, which the audit tells."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pipelines import audit, lanes, rows
from pipelines.batch import Batch, one_referral
from pipelines.looking import council_of, delivery_of
from pipelines.plant import Plant
from pipelines.rights import Right
from pipelines.rows import Held
from pipelines.tables import delivery


@contextmanager
def at(plant: Plant, id: str, number: str = "") -> Iterator[tuple[Batch, Held]]:
    """One delivery and its referral, held for one action of a person. `number`: what the target may hold it under."""
    found = delivery_of(plant, id)
    council = council_of(plant, found.council)
    plant.sight.need(Right.SEND, council.code)
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


def tell(
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
