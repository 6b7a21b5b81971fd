"""What was left out: fields that records went on without, by cause. It stops nobody and is listed until it arrives."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from pipelines.desk import Group
from pipelines.plant import Plant
from pipelines.tables import cause, gap, record


def left_out(plant: Plant, councils: Sequence[str] = ()) -> list[Group]:
    """Everything that newest records lack, the oldest first."""
    wanted = set(plant.councils).intersection(councils) if councils else set(plant.councils)
    counted = (
        select(gap.c.cause_id, func.count(gap.c.record_id.distinct()).label("records"), func.min(gap.c.at).label("at"))
        .join(record, record.c.id == gap.c.record_id)
        .where(gap.c.council.in_(wanted), plant.sight.of(record.c.referral_id))
        .group_by(gap.c.cause_id)
        .subquery()
    )
    with plant.ledger.reading() as connection:
        rows = connection.execute(
            select(cause, counted.c.records, counted.c.at.label("since"))
            .join(counted, counted.c.cause_id == cause.c.id)
            .order_by(counted.c.at, cause.c.id)
        ).all()
    return [
        Group(
            row.fingerprint,
            row.council,
            row.connection,
            row.step,
            row.error,
            row.field,
            row.code_list,
            row.words,
            row.since,
            (),
            (),
            row.records,
            0,
            row.records,
        )
        for row in rows
    ]
