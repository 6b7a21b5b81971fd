"""Opening a database so that what it says it has written is written, and so that its errors can be shown.

The ledger and the key store are opened here alike: SQLite in a file, or PostgreSQL. What durability needs is set where
it belongs to the session and asserted where it belongs to the server, on each new connection. Errors lose the values
that drivers put into their words, and the two that change what a process may do next, a full disk and a disk that did
not keep what it was given, have kinds of their own. Tables and transactions are the business of those who open.
"""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

#: How long a writer waits for another one, in seconds. A page of 200 rows takes well under one.
BUSY_SECONDS = 60

#: What our sessions call themselves on PostgreSQL.
PROGRAM = "dolen"
#: Whoever is frozen or cut off within a transaction holds locks that everybody else waits for: for so long they do.
PATIENCE_MILLISECONDS = 8_000
#: PostgreSQL, for each session, in milliseconds where it is a time. The server ends a transaction that stands still;
#: one that stands still within a statement is ended by others, see `pipelines.frozen`.
_SESSION = {
    "statement_timeout": 60_000,
    "lock_timeout": 20_000,
    "idle_in_transaction_session_timeout": PATIENCE_MILLISECONDS,
    "client_min_messages": "error",
    "TimeZone": "UTC",
    "tcp_keepalives_idle": 5,
    "tcp_keepalives_interval": 2,
    "tcp_keepalives_count": 3,
}
#: What must be so on PostgreSQL: setting, what it may be, what to do.
_DURABLE = (
    ("fsync", ("on",), "set fsync = on in postgresql.conf and restart PostgreSQL"),
    ("full_page_writes", ("on",), "set full_page_writes = on in postgresql.conf and reload PostgreSQL"),
    (
        "synchronous_commit",
        ("on", "local", "remote_write", "remote_apply"),
        "set synchronous_commit = on, in postgresql.conf or for Dolen's own user (ALTER ROLE ... SET)",
    ),
    ("server_encoding", ("UTF8",), "make the database anew with ENCODING 'UTF8'"),
    ("transaction_read_only", ("off",), "name the server that takes writes, not one that follows it"),
)
_CONNECT = {
    "connect_timeout": 10,
    "application_name": PROGRAM,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,  # milliseconds until a server that swallows what it is sent counts as gone
}


#: How the statement begins that takes rows in as a stream, on PostgreSQL.
COPY = "COPY "


class DiskFull(SQLAlchemyError):
    """The database has no room. Nothing was written; what is there is safe. It goes on when there is room again."""


class DiskBroken(SQLAlchemyError):
    """The disk did not keep what it was given. Nobody can tell what of it is there: the process must end.

    After a failed fsync the system may have dropped the pages, and a second fsync would say that all is well.
    """


class Told(SQLAlchemyError):
    """An error of PostgreSQL, told without the values that its own words may hold."""


def open_engine(url: str, *, setting: str, fault: type[RuntimeError]) -> Engine:
    """Open a database. `setting` is its key in dolen.yaml, for the words of `fault`.

    Raises `fault` for a URL of another kind; each new connection raises it where the database is not durable.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise fault(f"{setting} is no URL of a database; write sqlite:///NAME.db or postgresql://HOST/NAME") from None
    if parsed.drivername in ("postgres", "postgresql"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername == "sqlite":
        engine = _sqlite(parsed, setting, fault)
    elif parsed.drivername == "postgresql+psycopg":
        engine = _postgresql(parsed, setting, fault)
    else:
        raise fault(f"{setting} names a database that Dolen cannot keep; write sqlite:///NAME.db or postgresql://...")
    event.listen(engine, "handle_error", _say_what_it_is)
    return engine


def dialect_of(name: str) -> Any:
    """What SQLAlchemy knows of one kind of database; that of the other is not loaded."""
    if name == "sqlite":
        from sqlalchemy.dialects import sqlite

        return sqlite
    from sqlalchemy.dialects import postgresql

    return postgresql


def insert_new(connection: Connection, table: Any, rows: list[dict[str, Any]]) -> None:
    """Insert the rows whose primary key or unique key is not there yet; leave the others as they are."""
    if not rows:
        return
    statement = dialect_of(connection.dialect.name).insert(table).on_conflict_do_nothing()
    connection.execute(statement, rows)


def _sqlite(url: Any, setting: str, fault: type[RuntimeError]) -> Engine:
    if not url.database or url.database == ":memory:":
        raise fault(f"{setting} must be a file; write sqlite:///NAME.db")
    Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, pool_size=20, max_overflow=40, **_ALIKE)

    @event.listens_for(engine, "connect")
    def durable(raw: Any, _record: Any) -> None:
        # These are per connection: SQLite forgets them with each new one.
        raw.isolation_level = None  # we begin transactions ourselves
        cursor = raw.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
        if not cursor.execute("PRAGMA page_count").fetchone()[0]:  # later it would only take the write lock
            cursor.execute("PRAGMA auto_vacuum=INCREMENTAL")  # so that the file can give space back
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
            raise fault(
                f"the disk of {setting} does not keep what durability needs (journal wal, synchronous full, foreign "
                "keys on); put it on a local disk, not on a network share"
            )

    return engine


def in_clear(url: URL) -> str:
    """What of a PostgreSQL URL would let people's data travel in clear or to a stranger; "" where nothing would.

    A socket and this machine itself need no TLS. Without `sslmode` it is verified, see `open_engine`.
    """
    asked = str(url.query.get("sslmode", "verify-full"))
    return "" if _is_here(url) or asked in ("verify-full", "verify-ca") else f"sslmode={asked}"


def _is_here(url: URL) -> bool:
    host = str(url.query.get("host") or url.host or "")
    return not host or host.startswith("/") or host in ("localhost", "127.0.0.1", "::1")


def _verified(url: URL) -> URL:
    """Where the server is another machine: its certificate is checked, by name, unless the URL says otherwise."""
    if _is_here(url):
        return url
    if "sslmode" not in url.query:
        url = url.update_query_dict({"sslmode": "verify-full"})
    if str(url.query["sslmode"]).startswith("verify") and "sslrootcert" not in url.query:
        url = url.update_query_dict({"sslrootcert": "system"})
    return url


def _postgresql(url: URL, setting: str, fault: type[RuntimeError]) -> Engine:
    engine = create_engine(
        _verified(url),
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        pool_size=10,
        max_overflow=20,
        connect_args=_CONNECT,
        **_ALIKE,
    )

    @event.listens_for(engine, "connect")
    def durable(raw: Any, _record: Any) -> None:
        with raw.cursor() as cursor:
            ours = [part for name, value in _SESSION.items() for part in (name, str(value))]
            cursor.execute("SELECT " + ", ".join(["set_config(%s, %s, false)"] * len(_SESSION)), ours)
            names = [name for name, _, _ in _DURABLE]
            cursor.execute("SELECT " + ", ".join(["current_setting(%s)"] * len(names)), names)
            found = cursor.fetchone()
        raw.commit()
        for (name, good, remedy), value in zip(_DURABLE, found, strict=True):
            if value not in good:
                raise fault(f"PostgreSQL does not keep what {setting} needs: {name} is {value}; {remedy}")

    event.listen(engine, "do_executemany", _copied)
    return engine


def _copied(cursor: Any, statement: str, rows: Any, _context: Any) -> bool:
    """Give a COPY its rows, which the driver would not do by itself; False: it is another statement. What goes wrong
    on the way is SQLAlchemy's to tell, as of any statement."""
    if not statement.startswith(COPY):
        return False
    with cursor.copy(statement) as taking:
        for row in rows:
            taking.write_row(row)
    return True


_ALIKE: dict[str, Any] = {
    "hide_parameters": True,
    "pool_timeout": BUSY_SECONDS,
    "json_serializer": lambda value: orjson.dumps(value).decode(),
    "json_deserializer": orjson.loads,
}

#: SQLite's extended codes for a disk that did not keep what it was given: SQLITE_IOERR with write, fsync, directory
#: fsync, truncate, and the two of a whole block. A failed read says nothing of what was written.
_NOT_KEPT = {sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC,
             sqlite3.SQLITE_IOERR_TRUNCATE, sqlite3.SQLITE_IOERR_COMMIT_ATOMIC}  # fmt: skip
#: PostgreSQL's: disk full; io error, data corrupted, index corrupted. The server ends itself after a failed fsync.
_FULL_STATE, _BROKEN_STATES = "53100", {"58030", "XX001", "XX002"}


def _say_what_it_is(context: Any) -> BaseException | None:
    """Give an error the kind and the words that it should have; None: it may stay as it is."""
    found = context.original_exception
    if isinstance(found, sqlite3.Error):
        code = getattr(found, "sqlite_errorcode", None)
        if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE):
            return DiskFull(FULL_WORDS)
        if code in _NOT_KEPT:
            return DiskBroken(BROKEN_WORDS)
        return None
    if isinstance(found, UnicodeEncodeError):
        return Told("a text holds half a character, which no database keeps")
    state = getattr(found, "sqlstate", None)
    if state == _FULL_STATE:
        return DiskFull(FULL_WORDS)
    if state in _BROKEN_STATES:
        return DiskBroken(BROKEN_WORDS)
    if context.dialect.name == "postgresql" and context.sqlalchemy_exception is not None:
        _without_values(found, context.sqlalchemy_exception)
    return None


FULL_WORDS = f"the database's disk is full ({errno.errorcode[errno.ENOSPC]}): nothing is taken in until there is room"
BROKEN_WORDS = (
    f"the database's disk did not keep what it was given ({errno.errorcode[errno.EIO]}): the process ends, because "
    "going on could lose data; look at the disk, then start again"
)


def _without_values(found: BaseException, shown: BaseException) -> None:
    """Leave of a driver's words its class, its code and which table, column and constraint it is about."""
    about = getattr(found, "diag", None)
    named = [getattr(about, name, None) for name in ("table_name", "column_name", "constraint_name")]
    state = getattr(found, "sqlstate", None)
    words = " ".join([type(found).__name__, *(str(part) for part in (state, *named) if part)])
    found.args = (words,)
    shown.args = (f"({type(found).__module__.split('.')[0]}.{type(found).__name__}) {words}",)
