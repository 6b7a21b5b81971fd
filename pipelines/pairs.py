"""The records of two systems while their cases are paired: in a temporary table on disk, so that memory stays flat.

What a record says lies there sealed, under a key that exists in this process's memory alone; the identifiers by which
cases are paired are keyed hashes. Who belongs to whom is decided here, by exact equality and nothing else: a pair is
two records that name each other and nobody else.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Self

import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from connectors.port import Item

#: Which of an identifier's two kinds: the number of a record, or the number of a person.
CASE, PERSON = 1, 2

_TABLES = """
CREATE TABLE record (row INTEGER PRIMARY KEY, side INT, kind TEXT, id TEXT, open INT, referral TEXT, sealed BLOB,
                     partner INT, why TEXT NOT NULL DEFAULT '', UNIQUE (side, kind, id));
CREATE TABLE key (level INT, name TEXT, hash TEXT, row INT, side INT);
CREATE INDEX by_key ON key (level, name, hash, side);
CREATE TABLE edge (one INT, other INT, PRIMARY KEY (one, other)) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """One record as it was read. `referral`: the ledger knows it already, as part of this."""

    row: int
    kind: str
    id: str
    open: bool
    referral: str
    item: Item


class Pairs:
    """Keeps both sides' records (0 and 1) and finds the pairs."""

    def __init__(self) -> None:
        self._table = sqlite3.connect("", isolation_level=None)
        self._table.executescript(_TABLES)
        self._seal = AESGCM(AESGCM.generate_key(256))

    def __enter__(self) -> Self:
        self._table.execute("BEGIN")
        return self

    def __exit__(self, *_: object) -> None:
        self._table.close()

    def keep(
        self, side: int, kind: str, item: Item, *, open: bool, referral: str, keys: Iterable[tuple[int, str, str]]
    ) -> None:
        """Keep a record and its identifiers: (level, name, keyed hash). One that comes again on a later page is read
        once."""
        head = orjson.dumps(
            [item.record, item.version, item.modified.isoformat() if item.modified else "", item.our_key]
        )
        nonce = secrets.token_bytes(12)
        sealed = nonce + self._seal.encrypt(nonce, head + b"\n" + item.raw, None)
        made = self._table.execute(
            "INSERT OR IGNORE INTO record (side, kind, id, open, referral, sealed) VALUES (?, ?, ?, ?, ?, ?)",
            (side, kind, item.id, open, referral, sealed),
        )
        if made.rowcount == 1:
            row = made.lastrowid
            self._table.executemany("INSERT INTO key VALUES (?, ?, ?, ?, ?)", ((*key, row, side) for key in set(keys)))

    def numbered(self, side: int, number: str) -> list[int]:
        """The rows of one side that have this number there, whatever their kind."""
        return [
            row for (row,) in self._table.execute("SELECT row FROM record WHERE side = ? AND id = ?", (side, number))
        ]

    def join_known(self) -> None:
        """Pair what the ledger has paired already."""
        self._table.execute(
            "INSERT OR IGNORE INTO edge SELECT a.row, b.row FROM record a JOIN record b ON a.referral = b.referral "
            "WHERE a.side = 0 AND b.side = 1 AND a.referral <> ''"
        )
        self._decide("the ledger holds more than one record of this request")

    def join(self, level: int) -> None:
        """Pair by the identifiers of one kind, among what is not decided yet."""
        run = self._table.execute
        run(
            "CREATE TEMP TABLE same AS SELECT k.name, k.hash, sum(k.side = 0) AS ones, sum(k.side = 1) AS others "
            "FROM key k JOIN record r ON r.row = k.row WHERE k.level = ? AND r.partner IS NULL AND r.why = '' "
            "GROUP BY k.name, k.hash HAVING ones > 0 AND others > 0",
            (level,),
        )
        run(
            "UPDATE record SET why = 'several candidates have the same ' || found.name FROM ("
            "SELECT k.row, s.name FROM key k JOIN same s ON s.name = k.name AND s.hash = k.hash "
            "WHERE k.level = ? AND (s.ones > 1 OR s.others > 1)) AS found "
            "WHERE record.row = found.row AND record.partner IS NULL AND record.why = ''",
            (level,),
        )
        run(
            "INSERT OR IGNORE INTO edge SELECT a.row, b.row FROM same s "
            "JOIN key a ON a.level = ?1 AND a.name = s.name AND a.hash = s.hash AND a.side = 0 "
            "JOIN key b ON b.level = ?1 AND b.name = s.name AND b.hash = s.hash AND b.side = 1 "
            "WHERE s.ones = 1 AND s.others = 1",
            (level,),
        )
        run("DROP TABLE same")
        self._decide("its identifiers name more than one record there")

    def join_rows(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Pair rows that a person named."""
        self._table.executemany("INSERT OR IGNORE INTO edge VALUES (?, ?)", pairs)
        self._decide("the list pairs it more than once")

    def part(self, row: int, why: str) -> None:
        """Take a pair apart again: a person must look at both."""
        self._table.execute("UPDATE record SET why = ?, partner = NULL WHERE row = ? OR partner = ?", (why, row, row))

    def paired(self, *, known: bool) -> Iterator[tuple[Kept, Kept]]:
        """The pairs, in the order of the first side's numbers. `known`: those that the ledger has already."""
        rows = self._table.execute(
            "SELECT a.row, b.row FROM record a JOIN record b ON b.row = a.partner WHERE a.side = 0 "
            "AND (a.referral <> '' AND a.referral = b.referral) = ? ORDER BY a.id, a.kind",
            (known,),
        )
        while some := rows.fetchmany(200):
            for one, other in some:
                yield self._kept(one), self._kept(other)

    def unpaired(self, side: int) -> Iterator[tuple[str, str, bool, str]]:
        """What has no partner: (kind, number, whether it is open, why a person must look)."""
        yield from self._table.execute(
            "SELECT kind, id, open, why FROM record WHERE side = ? AND partner IS NULL ORDER BY id, kind", (side,)
        )

    def _decide(self, why: str) -> None:
        """Make pairs of the edges between records that have one each; the others need a person."""
        run = self._table.execute
        free = "SELECT row FROM record WHERE partner IS NULL AND why = ''"
        for here, there in (("one", "other"), ("other", "one")):
            # Whoever hangs on a record that a person must look at, or on two, must be looked at too.
            run(
                f"UPDATE record SET why = ? WHERE row IN ({free}) AND row IN (SELECT {here} FROM edge "  # noqa: S608 - ours
                f"JOIN record r ON r.row = {there} WHERE r.why <> '' UNION ALL "
                f"SELECT {here} FROM edge WHERE {there} IN ({free}) GROUP BY {here} HAVING count(*) > 1)",
                (why,),
            )
        for here, there in (("one", "other"), ("other", "one")):
            run(
                f"UPDATE record SET why = ? WHERE row IN ({free}) AND row IN (SELECT {here} FROM edge "  # noqa: S608 - ours
                f"JOIN record r ON r.row = {there} WHERE r.why = ?)",
                (why, why),
            )
        run(f"DELETE FROM edge WHERE one NOT IN ({free}) OR other NOT IN ({free})")  # noqa: S608 - ours
        for here, there in (("one", "other"), ("other", "one")):
            run(
                f"UPDATE record SET partner = (SELECT {there} FROM edge WHERE {here} = record.row) "  # noqa: S608 - ours
                f"WHERE row IN (SELECT {here} FROM edge)"
            )
        run("DELETE FROM edge")

    def _kept(self, row: int) -> Kept:
        kind, id, open, referral, sealed = self._table.execute(
            "SELECT kind, id, open, referral, sealed FROM record WHERE row = ?", (row,)
        ).fetchone()
        head, _, raw = self._seal.decrypt(sealed[:12], sealed[12:], None).partition(b"\n")
        record, version, modified, our_key = orjson.loads(head)
        moment = datetime.fromisoformat(modified) if modified else None
        return Kept(row, kind, id, bool(open), referral, Item(id, record, raw, version, moment, our_key))
