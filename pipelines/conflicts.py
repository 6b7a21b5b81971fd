"""Conflicts: what lost when two systems changed one field, kept so that nothing disappears unseen.

A system that shows the same lost value once more is not sent ours again: two systems that rewrite each other's
postcode would otherwise go on for ever. The conflict counts how often, and is shown to people.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from pipelines.merge import Lost
from pipelines.tables import conflict


def keep(
    connection: Connection, row: Row[Any], lost: Sequence[Lost], corrections: Sequence[str], *, version: int, now: int
) -> list[str]:
    """Write down what lost on referral `row`; return the corrections that are still worth sending."""
    stubborn = set()
    for one in lost:
        key = (
            conflict.c.referral_id == row.id,
            conflict.c.field == one.field,
            conflict.c.loser == one.loser,
            conflict.c.lost == one.hash,
        )
        if connection.execute(select(conflict.c.id).where(*key)).first():
            connection.execute(update(conflict).where(*key).values(times=conflict.c.times + 1, at=now))
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
                    version_id=version,
                    revision=row.revision,
                    open=one.safeguarding,
                    at=now,
                )
            )
    return [name for name in corrections if name not in stubborn]
