"""Waking lanes: when something in them can be done, and how urgent it is, as one transaction's deliveries say.

A lane that is not there is made. One that is there keeps the earlier moment and the more urgent rank. Who leases lanes
and gives them back is `pipelines.lanes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, bindparam, case, or_

from pipelines import together
from pipelines.databases import dialect_of
from pipelines.tables import lane

#: What `_statement` says, for many lanes at once.
_MANY = (
    "INSERT INTO lane (id, council, connection, due, rank, fence) SELECT * FROM unnest("
    "%s::varchar[], %s::varchar[], %s::varchar[], %s::bigint[], %s::integer[], %s::bigint[]) "
    "ON CONFLICT (id) DO UPDATE SET "
    "due = CASE WHEN lane.due IS NULL OR lane.due > excluded.due THEN excluded.due ELSE lane.due END, "
    "rank = CASE WHEN lane.due IS NULL OR lane.rank > excluded.rank THEN excluded.rank ELSE lane.rank END"
)


def write(connection: Connection, council: str, wakes: Mapping[str, tuple[str, int, int]]) -> None:
    """Write the wakes of one council. `wakes`: lane -> connection, due, rank."""
    # One statement: a lane that is swept away between a look and a change would leave its delivery unseen.
    together.many(
        connection,
        _statement(connection.dialect.name),
        [
            {"id": id, "council": council, "connection": target, "due": due, "rank": rank, "fence": 0}
            for id, (target, due, rank) in sorted(wakes.items())
        ],
        lists=_MANY,
    )


@lru_cache(maxsize=2)
def _statement(dialect: str) -> Any:
    kind = dialect_of(dialect)
    columns = ("id", "council", "connection", "due", "rank", "fence")
    wake = kind.insert(lane).values({name: bindparam(name, type_=lane.c[name].type) for name in columns})
    due, rank = lane.c.due, lane.c.rank
    return wake.on_conflict_do_update(
        index_elements=[lane.c.id],
        set_={
            "due": case((or_(due.is_(None), due > wake.excluded.due), wake.excluded.due), else_=due),
            "rank": case((or_(due.is_(None), rank > wake.excluded.rank), wake.excluded.rank), else_=rank),
        },
    )
