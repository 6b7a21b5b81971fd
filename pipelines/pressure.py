"""Pressure: a source is read no faster than what it brings can be sent on.

What waits at the targets of a connection's routes is counted before each page. Above the connection's `most_waiting`
its walks stand still until it drains; back-fills stand still at half of that, so that live work has the rest. What
stands still holds its place and loses nothing.
"""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from pipelines.places import BACK_FILL
from pipelines.plant import Council
from pipelines.tables import lane

MOST_WAITING = 20_000


def waiting(connection: Connection, council: Council, name: str, most: int) -> int:
    """How many lanes wait at the targets of a connection's routes; counted no further than `most` + 1."""
    targets = {route.target for route in council.routes_from(name)}
    if not targets:
        return 0
    some = (
        select(lane.c.id)
        .where(lane.c.council == council.code, lane.c.connection.in_(sorted(targets)), lane.c.due.is_not(None))
        .limit(most + 1)
    )
    return int(connection.execute(select(func.count()).select_from(some.subquery())).scalar_one())


def most_for(settings: object, purpose: str) -> int:
    """How many may wait before a walk of this purpose stands still."""
    given = settings.get("most_waiting") if isinstance(settings, dict) else None
    most = MOST_WAITING if given is None else int(given)
    return most // 2 if purpose == BACK_FILL else most
