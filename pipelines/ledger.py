"""The ledger: the one place where the truth is written.

Opens the database, sets and asserts what durability needs, brings its tables up to date, and gives out connections.
Reading and writing are apart: `reading()` never writes, `writing()` is one short transaction that takes the write
lock at
its start, so that two writers wait for one another instead of failing half-way (reliability: SQLite's deferred BEGIN
failed 361 times in 400 under load, IMMEDIATE never).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, create_engine, event, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql import Executable

from pipelines.tables import artifact, meta

#: How long a writer waits for another one, in seconds. A page of 200 rows takes well under one.
_BUSY_SECONDS = 60


class LedgerFault(RuntimeError):
    """The ledger cannot be used as it is. The message says what to do."""


class Ledger:
    """The ledger's database, opened. Safe to share between threads.

    Raises LedgerFault when the file is not a ledger, is newer than this program, or is not durable.
    """

    def __init__(self, url: str, *, create: bool = True) -> None:
        self.engine = _engine(url)
        self.embedded = self.engine.dialect.name == "sqlite"
        # SQLite has one writer at a time. Waiting for it on a lock of our own costs nothing; its busy handler sleeps.
        self._one_writer = threading.Lock() if self.embedded else None
        if create:
            self._migrate(url)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection for reading, which sees the ledger as it is now. Nothing that it does is committed."""
        with self.engine.connect() as connection:
            if self.embedded:
                connection.exec_driver_sql("BEGIN")
            yield connection
            connection.rollback()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection inside one write transaction; commits at the end, rolls back on any error."""
        if self._one_writer is None:
            with self.engine.begin() as connection:
                yield connection
            return
        with self._one_writer, self.engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    def close(self) -> None:
        """Let go of the database. Idempotent."""
        self.engine.dispose()

    def _migrate(self, url: str) -> None:
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        config.attributes["ledger_url"] = url
        with self.engine.connect() as connection:
            if self.embedded:
                # Several commands may start at once on a new site; only one may make the tables.
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            config.attributes["connection"] = connection
            at = MigrationContext.configure(connection).get_current_revision()
            if at != _HEAD:
                command.upgrade(config, "head")
            connection.commit()


#: The newest migration, so that a command on an up-to-date ledger need not load any of them.
_HEAD = "0001"


def _engine(url: str) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=20,
        max_overflow=40,
        pool_timeout=_BUSY_SECONDS,
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
    )
    if engine.dialect.name != "sqlite":
        return engine
    file = engine.url.database
    if not file or file == ":memory:":
        raise LedgerFault("the ledger must be a file; write ledger.url as sqlite:///var/ledger.db")
    Path(file).parent.mkdir(parents=True, exist_ok=True)

    @event.listens_for(engine, "connect")
    def durable(raw: Any, _record: Any) -> None:
        # These are per connection: SQLite forgets them with each new one.
        raw.isolation_level = None  # we begin transactions ourselves
        cursor = raw.cursor()
        cursor.execute(f"PRAGMA busy_timeout={_BUSY_SECONDS * 1000}")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")  # NORMAL may roll back commits after power loss
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA secure_delete=ON")
        cursor.execute("PRAGMA cache_size=-2000")
        found = (
            cursor.execute("PRAGMA journal_mode").fetchone()[0],
            cursor.execute("PRAGMA synchronous").fetchone()[0],
            cursor.execute("PRAGMA foreign_keys").fetchone()[0],
        )
        cursor.close()
        if found != ("wal", 2, 1):
            raise LedgerFault(
                "the ledger's disk does not keep what durability needs (journal wal, synchronous full, foreign keys "
                "on); put ledger.url on a local disk, not on a network share"
            )

    return engine


def insert_new(connection: Connection, table: Any, rows: list[dict[str, Any]]) -> None:
    """Insert the rows whose primary key or unique key is not there yet; leave the others as they are."""
    if not rows:
        return
    dialect: Any = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement: Executable = dialect.insert(table).on_conflict_do_nothing()
    connection.execute(statement, rows)


def insert_or_change(
    connection: Connection, table: Any, rows: list[dict[str, Any]], change: Callable[[Any], Mapping[str, Any]]
) -> None:
    """Insert the rows, or change those whose primary key is there already. `change(new)` names the new values of
    columns; `new` has the columns of the row that was to be inserted."""
    if not rows:
        return
    dialect: Any = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(table)
    keys = [*table.primary_key.columns]
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=change(statement.excluded)), rows)


def keep_artifacts(connection: Connection, artifacts: Mapping[str, tuple[str, bytes]], now: int) -> None:
    """Keep the bodies that versions and attempts name by digest. `artifacts`: digest -> (kind, UTF-8 body)."""
    insert_new(
        connection,
        artifact,
        [{"digest": d, "kind": kind, "body": body.decode(), "at": now} for d, (kind, body) in artifacts.items()],
    )


def get_meta(connection: Connection, name: str) -> str | None:
    """Return a named value of the ledger itself, None if it was never set."""
    return connection.execute(select(meta.c.value).where(meta.c.name == name)).scalar()


def set_meta(connection: Connection, name: str, value: str) -> None:
    """Set a named value of the ledger itself."""
    if get_meta(connection, name) is None:
        connection.execute(insert(meta).values(name=name, value=value))
    else:
        connection.execute(meta.update().where(meta.c.name == name).values(value=value))
