"""Having what was deleted leave the disk, and the database's files become smaller, while others go on working.

SQLite overwrites what is deleted (`secure_delete`, set on every connection), but its log holds older pages until it is
written back and cut. PostgreSQL keeps dead rows until they are vacuumed; what its archives and backups hold is closed
by the destruction of keys alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

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
        try:
            free = connection.exec_driver_sql("PRAGMA freelist_count").scalar_one()
            for _ in range(0, free, PAGES_AT_ONCE):
                connection.exec_driver_sql(f"PRAGMA incremental_vacuum({PAGES_AT_ONCE})").all()
            busy, _, _ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
        except OperationalError:  # somebody reads or writes for long: the next time will do
            return False
        return not busy
