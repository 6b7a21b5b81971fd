"""What a target holds, while it is compared: a temporary table of numbers and keyed hashes, on disk and without a
person."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import orjson

from pipelines.comparing import Shown


@dataclass(frozen=True, slots=True)
class Held:
    """One record of the target."""

    id: str
    our_key: str
    source_number: str  # keyed hash of the source's number in it, "" if it shows none
    shown: Shown


class Holdings:
    """Keeps what a walk through a target found. SQLite deletes it when it is closed, or when the process ends."""

    def __init__(self) -> None:
        self._table = sqlite3.connect("", isolation_level=None)
        self._table.execute("CREATE TABLE held (id TEXT PRIMARY KEY, our_key TEXT, number TEXT, shown BLOB)")
        self._table.execute("CREATE INDEX by_key ON held (our_key)")
        self._table.execute("CREATE INDEX by_number ON held (number)")

    def __enter__(self) -> Self:
        self._table.execute("BEGIN")
        return self

    def __exit__(self, *_: object) -> None:
        self._table.close()

    def keep(self, held: Held) -> None:
        """Keep a record; a page that comes again counts once."""
        row = (held.id, held.our_key, held.source_number, orjson.dumps(held.shown))
        self._table.execute("INSERT OR REPLACE INTO held VALUES (?, ?, ?, ?)", row)

    def of(self, number: str, key: str) -> Held | None:
        """The record of this number; without one, the record that carries our key."""
        where, value = ("id", number) if number else ("our_key", key)
        if not value:
            return None
        found = self._table.execute(f"SELECT * FROM held WHERE {where} = ?", (value,)).fetchone()  # noqa: S608 - ours
        return Held(found[0], found[1], found[2], orjson.loads(found[3])) if found else None

    def shows(self, number: str) -> bool:
        """Whether the target showed a record of this number."""
        return self._table.execute("SELECT 1 FROM held WHERE id = ?", (number,)).fetchone() is not None

    def doubles(self) -> Iterator[tuple[str, str]]:
        """Records that say they are the same request as an earlier one: (number, words)."""
        for column, words in (("our_key", "our key"), ("number", "the source's number")):
            yield from self._table.execute(
                f"SELECT h.id, ? || ' is also in ' || f.earliest FROM held h JOIN "  # noqa: S608 - ours
                f"(SELECT {column} AS same, min(id) AS earliest FROM held WHERE {column} <> '' "
                f"GROUP BY {column} HAVING count(*) > 1) f ON h.{column} = f.same AND h.id <> f.earliest",
                (words,),
            ).fetchall()

    def keyed(self) -> Iterator[tuple[str, str]]:
        """Every record that carries a key of ours: (number, key)."""
        yield from self._table.execute("SELECT id, our_key FROM held WHERE our_key <> '' ORDER BY id")
