"""When each system that calls us last did so: what a silent webhook is seen by.

Calls that were taken in are remembered for `pipelines.pushes.REMEMBERED`. A call that was refused is not kept at all,
so that none is known of here: the log has it as `push_refused`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from pipelines.plant import Plant
from pipelines.tables import pushed


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls of one connection's system."""

    council: str
    connection: str
    last: int | None  # when the newest was kept; None: none is remembered
    waiting: int  # kept, and not taken in yet


def of_connections(connection: Connection, plant: Plant) -> Iterator[Calls]:
    """The calls of each connection at which a system may call us."""
    for council in plant.councils.values():
        for wired in council.wired.values():
            if not wired.settings.get("pushed"):
                continue
            own = (pushed.c.council == council.code, pushed.c.connection == wired.name)
            last = connection.execute(select(func.max(pushed.c.at)).where(*own)).scalar()
            open_ = select(func.count()).select_from(pushed).where(*own, pushed.c.taken.is_(None))
            yield Calls(council.code, wired.name, last, connection.execute(open_).scalar_one())
