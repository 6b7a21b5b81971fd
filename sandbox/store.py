"""The state of every pretend system on disk: one SQLite file holding small JSON documents.

Each (tenant, system, kind) is a `Collection`; a document has an id, a version, a change stamp and one optional key to
search by. Pages are read through an index, so memory stays flat however many documents there are. SQLite's write-ahead
log makes a committed document survive SIGKILL of the process; what was not committed was never there.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]

_TABLES = """
CREATE TABLE IF NOT EXISTS document (
    tenant TEXT NOT NULL, system TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL,
    version INTEGER NOT NULL, changed TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (tenant, system, kind, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS document_changed ON document (tenant, system, kind, changed, id);
CREATE INDEX IF NOT EXISTS document_key ON document (tenant, system, kind, key) WHERE key <> '';
CREATE TABLE IF NOT EXISTS number (
    tenant TEXT NOT NULL, name TEXT NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (tenant, name)
) WITHOUT ROWID;
"""
_COLUMNS = "id, version, changed, key, body"
_OF = "tenant = ? AND system = ? AND kind = ?"


@dataclass(frozen=True, slots=True)
class Document:
    """One stored record. `changed` sorts as text: an ISO 8601 stamp in UTC, of one width in a collection."""

    id: str
    version: int
    changed: str
    key: str
    body: Json


class Store:
    """The file. One connection behind one lock: every call is short, and callers may be on any thread."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        # NORMAL: a killed process loses nothing; only a power cut may cost the last moments, which a sandbox can bear.
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_TABLES)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, while nobody else reads or writes. Inner transactions join the outer one."""
        with self._lock:
            if self._depth == 0:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._connection.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                self._connection.execute("COMMIT")

    def execute(self, statement: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Run one statement and return all its rows; for `Collection` and for bounded questions only."""
        with self._lock:
            return self._connection.execute(statement, values).fetchall()

    def collection(self, tenant: str, system: str, kind: str = "records") -> Collection:
        """The documents of one kind in one tenant's system. `kind` "records" is what the control pages show."""
        return Collection(self, tenant, system, kind)

    def next_number(self, tenant: str, name: str) -> int:
        """Count up from 1, for record numbers. Call it inside the transaction that uses the number."""
        rows = self.execute(
            "INSERT INTO number VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET last = last + 1 RETURNING last",
            (tenant, name),
        )
        return int(rows[0][0])

    def systems(self) -> list[tuple[str, str, int]]:
        """Every (tenant, system) that holds records, and how many."""
        return [
            (str(tenant), str(system), int(count))
            for tenant, system, count in self.execute(
                "SELECT tenant, system, count(*) FROM document WHERE kind = 'records' GROUP BY tenant, system"
            )
        ]

    def close(self) -> None:
        """Fold the log into the file and let go of it."""
        with self._lock:
            self._connection.close()


class Collection:
    """Documents of one (tenant, system, kind)."""

    def __init__(self, store: Store, tenant: str, system: str, kind: str) -> None:
        self._store = store
        self._of = (tenant, system, kind)

    def put(self, id: str, body: Json, *, version: int, changed: str, key: str = "") -> Document:
        """Write the document whole, whether it was there or not."""
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        self._store.execute(
            "INSERT OR REPLACE INTO document VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (*self._of, id, version, changed, key, text),
        )
        return Document(id, version, changed, key, body)

    def get(self, id: str) -> Document | None:
        """The document with that id, or None."""
        found = self._select("AND id = ?", (id,))
        return found[0] if found else None

    def by_key(self, key: str, limit: int = 100) -> list[Document]:
        """All documents with that key, by id. A key need not be unique."""
        return self._select("AND key = ? AND key <> '' ORDER BY id LIMIT ?", (key, limit))

    def delete(self, id: str) -> bool:
        """Remove the document; False if it was not there."""
        with self._store.transaction():
            there = self.get(id) is not None
            self._store.execute(f"DELETE FROM document WHERE {_OF} AND id = ?", (*self._of, id))  # noqa: S608 - constants of this file only
        return there

    def changed_since(
        self, since: str, *, limit: int, offset: int = 0, after: tuple[str, str] | None = None
    ) -> list[Document]:
        """One page in the order (changed, id), none older than `since`, behind `after` or skipping `offset`."""
        if after is None and offset:
            # Skipping in the narrow index first: SQLite would otherwise fetch every skipped record whole.
            rows = self._store.execute(
                f"SELECT changed, id FROM document WHERE {_OF} AND changed >= ? ORDER BY changed, id LIMIT 1 OFFSET ?",  # noqa: S608 - constants of this file only
                (*self._of, since, offset - 1),
            )
            if not rows:
                return []
            after = (str(rows[0][0]), str(rows[0][1]))
        if after is None:
            return self._select("AND changed >= ? ORDER BY changed, id LIMIT ?", (since, limit))
        return self._select(
            "AND changed >= ? AND (changed, id) > (?, ?) ORDER BY changed, id LIMIT ?",
            (max(since, after[0]), *after, limit),
        )

    def page(self, *, after: str = "", limit: int = 100) -> list[Document]:
        """One page in the order of ids, behind the id `after`."""
        return self._select("AND id > ? ORDER BY id LIMIT ?", (after, limit))

    def each(self) -> Iterator[Document]:
        """Every document in the order of ids, a page at a time; what is added meanwhile may or may not be seen."""
        after = ""
        while page := self.page(after=after, limit=500):
            yield from page
            after = page[-1].id

    def count(self) -> int:
        """How many there are."""
        return int(self._store.execute(f"SELECT count(*) FROM document WHERE {_OF}", self._of)[0][0])  # noqa: S608 - constants of this file only

    def _select(self, rest: str, values: tuple[Any, ...]) -> list[Document]:
        # The only text put into the statement is our own; everything from outside travels as a bound value.
        rows = self._store.execute(f"SELECT {_COLUMNS} FROM document WHERE {_OF} {rest}", (*self._of, *values))  # noqa: S608 - constants of this file only
        return [Document(id, version, changed, key, json.loads(body)) for id, version, changed, key, body in rows]
