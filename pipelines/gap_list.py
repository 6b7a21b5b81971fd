"""The list of gaps within one unit of work: what is taken off it and what is put on it, in a few statements."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from pipelines import ready
from pipelines.rows import Held
from pipelines.tables import gap


class GapList:
    """Changes of the list. Belongs to one transaction."""

    def __init__(self) -> None:
        self._whole: set[tuple[int, str]] = set()  # (record, side) whose gaps are listed anew
        self._new: list[dict[str, Any]] = []

    def none_of(self, held: Held, side: str) -> None:
        """Take what was left out of a record so far off the list; what is still left out is added anew."""
        if not held.fresh:
            self._whole.add((held.id, side))
        self._new = [row for row in self._new if (row["record_id"], row["side"]) != (held, side)]

    def add(self, **values: Any) -> None:
        """List one gap. Record, version and delivery may be rows that have no number yet."""
        self._new.append(values)

    def write(self, connection: Connection) -> None:
        """Write what changed, once every row has its number."""
        for side in sorted({side for _, side in self._whole}):
            for some in ready.in_parts(sorted(id for id, one in self._whole if one == side)):
                connection.execute(gap.delete().where(gap.c.side == side, gap.c.record_id.in_(some)))
        if self._new:
            numbered = [
                {name: value.id if isinstance(value, Held) else value for name, value in row.items()}
                for row in self._new
            ]
            connection.execute(gap.insert(), numbered)
        self._whole.clear()
        self._new.clear()
