"""Rows of the key store, entered in the driver's own words: there are five for each record that is carried.

On SQLite many go in one statement. Its driver lets go of the interpreter at each, and whoever lets go while others work
waits for a turn: a page's keys row by row could wait longer for those than for the disk. What the rows mean is known in
`pipelines.keystore` and `pipelines.keyholders`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Table

from pipelines.databases import COPY
from pipelines.together import AS_ONE

#: Rows in one statement on SQLite, which takes 32,766 values.
_AT_ONCE = 64


def enter(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]], *, new_only: bool = False) -> int:
    """Enter whole rows, in the order of the table's columns; return how many were entered.

    `new_only`: those whose key is there already stay as they are, which makes the answer less than there are rows.
    """
    if connection.dialect.name != "sqlite":
        if len(rows) >= AS_ONE and not new_only:
            connection.exec_driver_sql(f"{COPY}{table.name} FROM STDIN", list(rows))
            return len(rows)
        words = _words(table, 1, mark="%s", new_only=new_only)
        # psycopg sends all of them before it waits for an answer.
        return connection.exec_driver_sql(words, list(rows)).rowcount if rows else 0
    entered = 0
    for at in range(0, len(rows), _AT_ONCE):
        some = rows[at : at + _AT_ONCE]
        words = _words(table, len(some), mark="?", new_only=new_only)
        entered += connection.exec_driver_sql(words, tuple(chain.from_iterable(some))).rowcount
    return entered


@lru_cache(maxsize=256)
def _words(table: Table, count: int, *, mark: str, new_only: bool) -> str:
    row = f"({', '.join([mark] * len(table.columns))})"
    unless = " ON CONFLICT DO NOTHING" if new_only else ""
    return f"INSERT INTO {table.name} VALUES {', '.join([row] * count)}{unless}"  # noqa: S608 - ours
