"""Having what was deleted leave the disk, and the database's files become smaller, while others go on working.

SQLite overwrites what is deleted (`secure_delete`, set on every connection), but its log holds older pages until it is
written back and cut. PostgreSQL keeps dead rows until they are vacuumed; what its archives and backups hold is closed
by the destruction of keys alone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine

#: Pages given back to the system at a time, so that a writer waits a moment at most.
PAGES_AT_ONCE = 500


def forget_freed(engine: Engine, tables: Sequence[str] = ()) -> bool:
    """Let go of what was deleted; return whether all of it has left the disk (a reader may hold back SQLite's log).

    `tables`: on PostgreSQL those from which much was deleted; without any, all that have dead rows.
    """
    if engine.dialect.name == "sqlite":
        return _sqlite(engine)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("SET statement_timeout = 0")
        connection.exec_driver_sql(f"VACUUM {', '.join(tables)}")
        connection.exec_driver_sql("RESET statement_timeout")
    return True


def _sqlite(engine: Engine) -> bool:
    with engine.connect() as connection:
        raw: Any = connection.connection.driver_connection
        try:
            free = raw.execute("PRAGMA freelist_count").fetchone()[0]
            for _ in range(0, free, PAGES_AT_ONCE):
                raw.executescript(f"PRAGMA incremental_vacuum({PAGES_AT_ONCE})")  # `execute` would free one page
            busy, _, _ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.OperationalError:  # somebody reads or writes for long: the next time will do
            return False
        return not busy
