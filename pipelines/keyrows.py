"""Rows of the key store, entered in the driver's own words: there are five for each record that is carried.

On SQLite many go in one statement. Its driver lets go of the interpreter at each, and whoever lets go while others work
waits for a turn: a page's keys row by row could wait longer for those than for the disk. What the rows mean is known in
`pipelines.keystore` and `pipelines.keyholders`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Table

from pipelines.databases import COPY
from pipelines.together import AS_ONE, in_groups

_UNLESS_THERE = " ON CONFLICT DO NOTHING"


def enter(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]], *, new_only: bool = False) -> int:
    """Enter whole rows, in the order of the table's columns; return how many were entered.

    `new_only`: those whose key is there already stay as they are, which makes the answer less than there are rows.
    """
    if connection.dialect.name != "sqlite":
        if len(rows) >= AS_ONE and not new_only:
            connection.exec_driver_sql(f"{COPY}{table.name} FROM STDIN", list(rows))
            return len(rows)
        words = _words(table, mark="%s") + (_UNLESS_THERE if new_only else "")
        # psycopg sends all of them before it waits for an answer.
        return connection.exec_driver_sql(words, list(rows)).rowcount if rows else 0
    words = _words(table, mark="?")
    return in_groups(connection, words, rows, unless=_UNLESS_THERE if new_only else "")


@lru_cache(maxsize=16)
def _words(table: Table, *, mark: str) -> str:
    return f"INSERT INTO {table.name} VALUES ({', '.join([mark] * len(table.columns))})"  # noqa: S608 - ours
