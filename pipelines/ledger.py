"""The ledger: the one place where the truth is written.

Opens the database (`pipelines.databases`), brings its tables up to date (`pipelines.upgrades`), and gives out
connections. `reading()` never writes and sees one moment, `looking()` is for single looks, `writing()` is one short
transaction. On SQLite it takes the write lock at its start, so that two writers wait for one another instead of failing
half-way (reliability: a deferred BEGIN failed 361 times in 400 under load, IMMEDIATE never); on PostgreSQL a deadlock
or a lost connection is an SQLAlchemyError, nothing of the transaction is there, and the caller does it again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.exc import DatabaseError, OperationalError, SQLAlchemyError

from pipelines import upgrades
from pipelines.databases import BROKEN_WORDS, DiskBroken, DiskFull, dialect_of, open_engine
from pipelines.databases import insert_new as insert_new
from pipelines.reserve import Reserve
from pipelines.tables import meta


class LedgerFault(RuntimeError):
    """The ledger cannot be used as it is. The message says what to do."""


class Ledger:
    """The ledger's database, opened. Safe to share between threads.

    Raises LedgerFault when the database does not answer, is not a ledger, is not durable, or was changed by a newer
    program so that this one must not use it.
    """

    def __init__(self, url: str) -> None:
        self.engine = open_engine(url, setting="ledger.url", fault=LedgerFault)
        self.embedded = self.engine.dialect.name == "sqlite"
        # SQLite has one writer at a time. Waiting for it on a lock of our own costs nothing; its busy handler sleeps.
        self._one_writer = threading.Lock() if self.embedded else None
        #: Set once the disk did not keep what it was given: nothing is read or written any more, the process must end.
        self.lost = threading.Event()
        self.reserve = Reserve(Path(str(self.engine.url.database)).parent if self.embedded else None)
        try:
            try:
                upgrades.bring_up_to_date(self.engine)
            except DiskFull:  # where nobody else has it open, even opening it takes a little room
                if not self.reserve.give_up():
                    raise
                upgrades.bring_up_to_date(self.engine)
            self.reserve.keep()
        except BaseException as fault:
            self.engine.dispose()
            words = _why_not(fault)
            if words is None:
                raise
            raise LedgerFault(words) from None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection for reading, which sees the ledger as it was at the first look. Nothing is committed."""
        self._refuse_if_lost()
        with self.engine.connect() as connection:
            if self.embedded:
                connection.exec_driver_sql("BEGIN")
            else:
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                # It holds no lock that anybody waits for, and may take its time between two looks.
                connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
            with self._noticing():
                yield connection
            connection.rollback()

    @contextmanager
    def looking(self) -> Iterator[Connection]:
        """Give a connection for looks that stand alone: each statement sees the ledger at its own moment.

        For those who look again and again whether there is something to do: without a transaction a look at a server
        is one round trip where `reading` takes four.
        """
        self._refuse_if_lost()
        with self.engine.connect() as connection:
            if not self.embedded:
                connection.execution_options(isolation_level="AUTOCOMMIT")
            with self._noticing():
                yield connection

    @contextmanager
    def writing(self, *, making_room: bool = False) -> Iterator[Connection]:
        """Give a connection inside one write transaction; commits at the end, rolls back on any error.

        Raises DiskFull, from when the disk was full until there is room again, without trying. `making_room`: what is
        written frees more than it takes, or ends what has begun; it may use the reserve that was kept for it.
        """
        self._refuse_if_lost()
        self.reserve.ask(making_room=making_room)
        with self._noticing():
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

    def still_fits(self) -> None:
        """Raise LedgerFault if a newer program has changed the tables so that this one must not use them any more."""
        with self.reading() as connection:
            try:
                upgrades.still_fits(connection)
            except upgrades.Unfit as fault:
                raise LedgerFault(str(fault)) from None

    def close(self) -> None:
        """Let go of the database. Idempotent."""
        self.engine.dispose()

    @contextmanager
    def _noticing(self) -> Iterator[None]:
        """Remember what an error means for everybody who comes after; the key store's errors pass here too."""
        try:
            yield
        except DiskFull:
            self.reserve.full()
            raise
        except DiskBroken:
            self.lost.set()
            raise

    def _refuse_if_lost(self) -> None:
        if self.lost.is_set():
            raise LedgerFault(BROKEN_WORDS)


def _why_not(fault: BaseException) -> str | None:
    """Why the ledger cannot be opened, in words; None: not for a reason that is known here."""
    if isinstance(fault, upgrades.Unfit | DiskFull | DiskBroken):
        return str(fault)
    if isinstance(fault, OperationalError):
        return "the ledger's database does not answer; look whether it runs, and whether ledger.url leads to it"
    if isinstance(fault, DatabaseError):
        return "the file or database that ledger.url names cannot be read as a ledger; look whether it is the right one"
    return "the ledger cannot be opened" if isinstance(fault, SQLAlchemyError) else None


def insert_or_change(
    connection: Connection, table: Any, rows: list[dict[str, Any]], change: Callable[[Any], Mapping[str, Any]]
) -> None:
    """Insert the rows, or change those whose primary key is there already. `change(new)` names the new values of
    columns; `new` has the columns of the row that was to be inserted."""
    if not rows:
        return
    dialect = dialect_of(connection.dialect.name)
    statement = dialect.insert(table)
    keys = [*table.primary_key.columns]
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=change(statement.excluded)), rows)


def get_meta(connection: Connection, name: str) -> str | None:
    """Return a named value of the ledger itself, None if it was never set."""
    return connection.execute(select(meta.c.value).where(meta.c.name == name)).scalar()


def set_meta(connection: Connection, name: str, value: str) -> None:
    """Set a named value of the ledger itself."""
    dialect = dialect_of(connection.dialect.name)
    row = dialect.insert(meta).values(name=name, value=value)
    connection.execute(row.on_conflict_do_update(index_elements=[meta.c.name], set_={"value": row.excluded.value}))
