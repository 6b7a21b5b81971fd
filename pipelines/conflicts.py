"""Conflicts: what lost when two systems changed one field, kept so that nothing disappears unseen.

A system that shows the same lost value once more is not sent ours again: two systems that rewrite each other's
postcode would otherwise go on for ever. The conflict counts how often, and is shown to people.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert, select, update

from pipelines.batch import Batch
from pipelines.merge import WHY_ENDLESS, Lost
from pipelines.rows import Held
from pipelines.tables import conflict


def keep(
    batch: Batch, row: Held, lost: Sequence[Lost], corrections: Sequence[str], *, version: Held | None
) -> list[str]:
    """Write down what lost on referral `row`; return the corrections that are still worth sending."""
    if not lost:
        return list(corrections)
    batch.flush()  # a conflict names its version and its referral, which must have been written
    connection, stubborn = batch.connection, set()
    for one in lost:
        key = (
            conflict.c.referral_id == row.id,
            conflict.c.field == one.field,
            conflict.c.loser == one.loser,
            conflict.c.lost == one.hash,
        )
        if connection.execute(select(conflict.c.id).where(*key)).first():
            more: dict[str, Any] = {"times": conflict.c.times + 1, "at": batch.now}
            if one.why == WHY_ENDLESS:
                more |= {"why": one.why, "open": True}  # it was looked at as an ordinary conflict at the most
            connection.execute(update(conflict).where(*key).values(**more))
            stubborn.add(one.field)
        else:
            connection.execute(
                insert(conflict).values(
                    council=row.council,
                    referral_id=row.id,
                    field=one.field,
                    winner=one.winner,
                    loser=one.loser,
                    lost=one.hash,
                    version_id=version.id if version is not None else None,
                    revision=row.revision,
                    why=one.why,
                    open=bool(one.why),
                    at=batch.now,
                )
            )
    return [name for name in corrections if name not in stubborn]
