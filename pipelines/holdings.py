"""What two systems hold, while they are compared: temporary tables of numbers, stamps and keyed hashes, on disk and
without a person. However large the systems are, memory stays flat."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
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
    mark: str  # its stamp and version, "" if it has none
    shown: Shown | None  # None: its stamp is that of the last time that it agreed, so it was not looked at


class Holdings:
    """Keeps what walks through both systems found. SQLite deletes it when it is closed, or when the process ends."""

    def __init__(self) -> None:
        self._table = sqlite3.connect("", isolation_level=None)
        self._table.execute("CREATE TABLE held (id TEXT PRIMARY KEY, our_key TEXT, number TEXT, mark TEXT, shown BLOB)")
        self._table.execute("CREATE INDEX by_key ON held (our_key)")
        self._table.execute("CREATE INDEX by_number ON held (number)")
        self._table.execute("CREATE TABLE seen (kind TEXT, id TEXT, PRIMARY KEY (kind, id)) WITHOUT ROWID")
        self._table.execute("CREATE TABLE doubt (kind TEXT, id TEXT, PRIMARY KEY (kind, id)) WITHOUT ROWID")

    def __enter__(self) -> Self:
        self._table.execute("BEGIN")
        return self

    def __exit__(self, *_: object) -> None:
        self._table.close()

    # --- The target ---------------------------------------------------------------------------------------------------

    def keep(self, held: Held) -> None:
        """Keep a record; a page that comes again counts once."""
        shown = None if held.shown is None else orjson.dumps(held.shown)
        row = (held.id, held.our_key, held.source_number, held.mark, shown)
        self._table.execute("INSERT OR REPLACE INTO held VALUES (?, ?, ?, ?, ?)", row)

    def of(self, number: str, key: str) -> Held | None:
        """The record of this number; without one, the record that carries our key."""
        where, value = ("id", number) if number else ("our_key", key)
        if not value:
            return None
        row = self._table.execute(f"SELECT * FROM held WHERE {where} = ?", (value,)).fetchone()  # noqa: S608 - ours
        if row is None:
            return None
        id, our_key, source_number, mark, shown = row
        return Held(id, our_key, source_number, mark, None if shown is None else orjson.loads(shown))

    def unchanged(self, number: str) -> bool:
        """Whether the target shows this record with the stamp of the last time that it agreed."""
        row = self._table.execute("SELECT shown IS NULL FROM held WHERE id = ?", (number,)).fetchone()
        return bool(row and row[0])

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
            )

    def keyed(self, most: int = 500) -> Iterator[list[tuple[str, str]]]:
        """Every record that carries a key of ours, in parts: (number, key)."""
        rows = self._table.execute("SELECT id, our_key FROM held WHERE our_key <> '' ORDER BY id")
        while part := rows.fetchmany(most):
            yield part

    # --- The source ---------------------------------------------------------------------------------------------------

    def see(self, kind: str, ids: Iterable[str]) -> None:
        """Remember that the source showed these."""
        self._table.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?)", ((kind, id) for id in ids if id))

    def seen(self, kind: str) -> int:
        """How many different records of a kind the source showed."""
        return int(self._table.execute("SELECT count(*) FROM seen WHERE kind = ?", (kind,)).fetchone()[0])

    def unseen(self, kind: str, ids: Iterable[str]) -> list[str]:
        """Those of these that the source did not show."""
        find = "SELECT 1 FROM seen WHERE kind = ? AND id = ?"
        return [id for id in ids if self._table.execute(find, (kind, id)).fetchone() is None]

    def doubt(self, kind: str, id: str) -> None:
        """Remember a record that seems wrong and is to be read again."""
        self._table.execute("INSERT OR IGNORE INTO doubt VALUES (?, ?)", (kind, id))

    def doubts(self) -> Iterator[tuple[str, str]]:
        """What seemed wrong: (kind, number)."""
        yield from self._table.execute("SELECT kind, id FROM doubt ORDER BY kind, id")
