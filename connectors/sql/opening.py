"""A database opened so that nothing can be written through it, and so that no call outlasts its time.

PostgreSQL: each session is read-only by default and each transaction by its own beginning, with time limits of the
server's, and a line that is silent beyond the call's time is cut. SQLite: the file is opened for reading and the
engine refuses to write. Other databases cannot be told in one way: there the login's own rights must keep us out, as
docs/sql.md says.
"""

from __future__ import annotations

import os
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from math import ceil
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, QueuePool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from connectors.deadline import Deadline
from connectors.errors import Misconfigured
from connectors.sql.settings import FILES, SqlSettings, is_here, is_postgresql
from connectors.sql.told import as_error

_STEPS = 10_000  # instructions of SQLite's machine between two looks at the clock
_KEEP = 300  # seconds after which a session is opened anew


class Database:
    """A database that is read. Safe to use from several threads at once."""

    def __init__(self, settings: SqlSettings) -> None:
        """Nothing is dialled yet. Raises Misconfigured for a driver that is not installed."""
        self._timeout = settings.timeout_seconds
        self._engine = _engine(settings)

    def __repr__(self) -> str:
        return f"Database({self._engine.dialect.name})"

    @property
    def kind(self) -> str:
        """SQLAlchemy's name of the kind of database: postgresql, sqlite, mssql, oracle, mysql ..."""
        return self._engine.dialect.name

    @property
    def read_only(self) -> bool:
        """Whether the database itself was told that nothing is written."""
        return self.kind in ("postgresql", *FILES)

    @contextmanager
    def asked(self, deadline: Deadline) -> Iterator[Connection]:
        """A session for one call. What goes wrong within is raised as an error of `connectors.errors`."""
        try:
            with self._session(deadline) as connection, _cut_off(connection, deadline):
                yield connection
        except Exception as fault:
            told = as_error(fault, self.kind, self._timeout)
            if told is None:
                raise
            raise told from None

    def _session(self, deadline: Deadline) -> Connection:
        """A session that answers. One that lay unused may have ended meanwhile; then all are opened anew."""
        connection = self._engine.connect()
        try:
            with _cut_off(connection, deadline):
                # SQLAlchemy's hint allows that a closed session has none; this one was opened the line above.
                alive = self._engine.dialect.do_ping(connection.connection.dbapi_connection)  # type: ignore[arg-type]
        except Exception:
            alive = False
        if alive:
            return connection
        connection.invalidate()
        connection.close()
        if deadline.left() <= 0:
            raise TimeoutError
        self._engine.dispose()
        return self._engine.connect()

    def close(self) -> None:
        """Let go of all sessions. Idempotent."""
        self._engine.dispose()


def _engine(settings: SqlSettings) -> Engine:
    url = make_url(settings.url)
    more: dict[str, Any] = {
        "poolclass": QueuePool,
        "pool_size": settings.limits.at_once,
        "max_overflow": 0,
        "pool_timeout": settings.timeout_seconds,
        "pool_recycle": _KEEP,
        "hide_parameters": True,
    }
    if settings.login is not None:
        login = settings.login.password
        url = url.set(username=login.username, password=login.password.get_secret_value())
    if url.get_backend_name() in FILES:
        return create_engine(url, creator=_file(str(url.database), settings.timeout_seconds), **more)
    if is_postgresql(url):
        return _postgresql(url, settings, more)
    return _made(url, more)


def _made(url: URL, more: dict[str, Any]) -> Engine:
    try:
        return create_engine(url, **more)
    except (NoSuchModuleError, ModuleNotFoundError):
        raise Misconfigured(
            f"url: the driver of {url.drivername} is not installed: install it into Dolen's own environment"
        ) from None
    except (ArgumentError, TypeError, ValueError):
        raise Misconfigured("url: its driver does not take it: compare it with the driver's own description") from None


def _file(path: str, seconds: float) -> Callable[[], sqlite3.Connection]:
    def opened() -> sqlite3.Connection:
        raw = sqlite3.connect(
            f"{Path(path).as_uri()}?mode=ro", uri=True, check_same_thread=False, timeout=min(seconds, 5.0)
        )
        raw.text_factory = _letters
        raw.execute("PRAGMA query_only=ON")
        return raw

    return opened


def _letters(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")  # what is not UTF-8 is told of its one row


def _postgresql(url: URL, settings: SqlSettings, more: dict[str, Any]) -> Engine:
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername != "postgresql+psycopg":
        return _made(url, more)
    if not is_here(url) and "sslmode" not in url.query:
        url = url.update_query_dict({"sslmode": "verify-full"})
    if not is_here(url) and "sslrootcert" not in url.query:
        url = url.update_query_dict({"sslrootcert": str(settings.ca_bundle or "system")})
    milliseconds = str(ceil(settings.timeout_seconds * 1000))
    session = {
        "default_transaction_read_only": "on",
        "statement_timeout": milliseconds,
        "lock_timeout": milliseconds,
        "idle_in_transaction_session_timeout": milliseconds,
        "client_min_messages": "error",
        "TimeZone": "UTC",
    }
    engine = _made(
        url,
        more
        | {
            "isolation_level": "READ COMMITTED",
            "connect_args": {
                "connect_timeout": max(2, ceil(settings.timeout_seconds)),
                "application_name": "dolen",
                "tcp_user_timeout": int(milliseconds),
            },
        },
    ).execution_options(postgresql_readonly=True)

    @event.listens_for(engine, "connect")
    def ready(raw: Any, _record: Any) -> None:
        from connectors.sql.tolerant import tolerant  # psycopg is there only where such a database is read

        tolerant(raw)
        with raw.cursor() as cursor:
            parts = [part for name, value in session.items() for part in (name, value)]
            cursor.execute("SELECT " + ", ".join(["set_config(%s, %s, false)"] * len(session)), parts)
        raw.commit()

    return engine


@contextmanager
def _cut_off(connection: Connection, deadline: Deadline) -> Iterator[None]:
    """End what is under way when the call's time is over."""
    raw: Any = connection.connection.dbapi_connection
    if isinstance(raw, sqlite3.Connection):
        raw.set_progress_handler(lambda: deadline.left() <= 0, _STEPS)
        try:
            yield
        finally:
            raw.set_progress_handler(None, _STEPS)
        return
    fileno = getattr(raw, "fileno", None)
    if fileno is None:
        yield
        return
    line = os.dup(fileno())
    timer = threading.Timer(max(deadline.left(), 0.0) + 0.5, _hang_up, [line])  # the server's own limit comes first
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        with suppress(OSError):
            os.close(line)


def _hang_up(line: int) -> None:
    with suppress(OSError), socket.socket(fileno=os.dup(line)) as ours:
        ours.shutdown(socket.SHUT_RDWR)
