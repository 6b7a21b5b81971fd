"""What is known of the interfaces of connections: what the newest look at each found.

Who looks is `pipelines.drift_watch`. Screens that only show what was found load this alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from pipelines.plant import Plant
from pipelines.tables import interface_look

#: What may come of a look.
SAME, DRIFTED, NOT_OFFERED, NOT_SEEN = "the same", "changed", "not offered", "not seen"

#: The names under which a look's counts are kept, the worst first: those of `mappings.drift.Harm`.
HARMS = ("breaks", "may break", "harmless")


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of one connection's interface."""

    council: str
    connection: str
    at: int | None  # when it was last looked at; None: never
    state: str
    since: int | None
    words: str
    breaks: int
    may_break: int
    harmless: int

    @property
    def attention(self) -> bool:
        """Whether a person should look: something breaks, or may."""
        return self.state == DRIFTED and bool(self.breaks or self.may_break)


def of_connections(connection: Connection, plant: Plant) -> list[Seen]:
    """What is known of each connection whose interface was ever looked at."""
    rows = connection.execute(
        select(interface_look)
        .where(interface_look.c.at.is_not(None))
        .order_by(interface_look.c.council, interface_look.c.connection)
    ).all()
    return [
        Seen(
            row.council, row.connection, row.at, row.state, row.since, row.words,
            *(int(row.counts.get(harm, 0)) for harm in HARMS),
        )
        for row in rows
        if row.council in plant.councils and row.connection in plant.councils[row.council].wired
    ]  # fmt: skip
