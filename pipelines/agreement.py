"""What two systems were found to agree on, by the stamps that both showed then.

A record whose stamp and version are the same on both sides as when it was last read whole, and agreed, need not be read
whole again. What the stamps mean hangs on the mappings and on who owns what; with any of them changed, nothing is known
any more. A change that its system did not stamp is found by the next comparison that reads everything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from sqlalchemy import Row, delete, insert, select

from connectors.port import Item
from pipelines import ready
from pipelines.clock import to_time
from pipelines.plant import Council, Plant
from pipelines.routing import Route
from pipelines.tables import agreed

#: Rows written in one transaction.
_AT_ONCE = 500


class Agreement:
    """Remembers it for one route, in the ledger."""

    def __init__(self, plant: Plant, council: Council, route: Route) -> None:
        self._plant = plant
        self._key = {"council": council.code, "route": route.name}
        self._meaning = _meaning(council, route)
        self._new: dict[tuple[str, str], dict[str, Any]] = {}

    def mark(self, item: Item) -> str:
        """A record's stamp and version under the mappings as they are; "" if its system gives neither."""
        if not item.version and item.modified is None:
            return ""
        return f"{self._meaning}|{item.version}|{to_time(item.modified) if item.modified else ''}"

    def by_source(self, kind: str, ids: Iterable[str]) -> Mapping[str, Row[Any]]:
        """What is known of these records of the source, by their number there."""
        return {row.source: row for row in self._read(agreed.c.source, ids, agreed.c.kind == kind)}

    def by_target(self, ids: Iterable[str]) -> Mapping[str, Row[Any]]:
        """What is known of these records of the target, by their number there."""
        return {row.target: row for row in self._read(agreed.c.target, ids)}

    def note(self, kind: str, source: str, source_mark: str, target: str, target_mark: str, number: str) -> None:
        """Remember that two records were read whole and agree. Nothing is remembered of what has no stamp."""
        if source_mark and target_mark:
            marks = {"source_mark": source_mark, "target_mark": target_mark}
            self._new[kind, source] = {
                **self._key, "kind": kind, "source": source, "target": target, **marks, "number": number,
            }  # fmt: skip
        if len(self._new) >= _AT_ONCE:
            self.write()

    def write(self) -> None:
        """Write what was noted."""
        if not self._new:
            return
        with self._plant.ledger.writing() as connection:
            for kind in {kind for kind, _ in self._new}:
                some = sorted(source for of, source in self._new if of == kind)
                connection.execute(delete(agreed).filter_by(**self._key, kind=kind).where(agreed.c.source.in_(some)))
            connection.execute(insert(agreed), list(self._new.values()))
        self._new.clear()

    def forget(self) -> None:
        """Begin anew: everything is to be read whole."""
        self._new.clear()
        with self._plant.ledger.writing() as connection:
            connection.execute(delete(agreed).filter_by(**self._key))

    def _read(self, column: Any, ids: Iterable[str], *where: Any) -> list[Row[Any]]:
        found: list[Row[Any]] = []
        with self._plant.ledger.reading() as connection:
            for some in ready.in_parts(sorted(set(ids))):
                found += connection.execute(select(agreed).filter_by(**self._key).where(column.in_(some), *where)).all()
        return found


def _meaning(council: Council, route: Route) -> str:
    source, target = council.wired[route.source], council.wired[route.target]
    parts = [
        sorted((name, kind.mapping.digest) for name, kind in source.kinds.items()),
        target.kinds[route.kind].mapping.digest,
        sorted(council.owners.items()),
    ]
    return hashlib.sha256(orjson.dumps(parts)).hexdigest()[:16]
