"""Bringing a ledger's tables up to date, with any number of processes starting at once and older ones at work.

Steps only go forward. Each says (`oldest`) which is the oldest version of the tables whose programs may go on using the
ledger after it: one that only adds says an old one, so that machines can be upgraded one after the other. A program
that meets tables newer than it knows goes by that word and leaves them as they are.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, column, inspect, select, table, text
from sqlalchemy.exc import OperationalError

from pipelines.tables import meta, metadata

#: The newest step that this program knows, so that a command on an up-to-date ledger need not load any of them.
HEAD = "0001"
STEPS = Path(__file__).parent / "migrations"

#: One number for all who bring a ledger up to date; PostgreSQL's advisory locks are per database.
_LOCK = 0x00D0_1E17
#: A change of a table waits this long for those who are just using it, then lets them pass and tries again.
_WAIT_MILLISECONDS, _TRIES, _PAUSE_SECONDS = 2_000, 60, 1.0
_OLDEST = "oldest program"
#: Where Alembic writes which step the tables stand at. Read here by hand, because it is asked at each start of each
#: command and Alembic, which brings a template engine with it, is only needed to take a step (10 MB, 70 ms).
_STANDS_AT = table("alembic_version", column("version_num"))


class Unfit(Exception):
    """Program and tables do not go together, or the database is no ledger. The message says what to do."""


def bring_up_to_date(engine: Engine, *, head: str = HEAD, steps: Path = STEPS) -> None:
    """Make the tables, or take the steps that are missing; does nothing where they are as they should be.

    Raises Unfit where a newer program has changed them so that this one must not use them, and where the database
    holds something else.
    """
    for tried in range(_TRIES):
        try:
            with engine.connect() as connection:
                if _in_order(connection, head):
                    return
                _step(connection, head, steps)
                return
        except OperationalError as fault:
            # 55P03: lock not available. Those who use a table at the moment come first.
            if getattr(fault.orig, "sqlstate", None) != "55P03" or tried == _TRIES - 1:
                raise
            time.sleep(_PAUSE_SECONDS)


def still_fits(connection: Connection, *, head: str = HEAD) -> None:
    """Raise Unfit if a newer program has changed the tables so that this one must not use them any more."""
    oldest = connection.execute(meta.select().where(meta.c.name == _OLDEST)).first()
    if oldest is not None and oldest.value > head:
        raise Unfit(
            f"a newer Dolen has changed the ledger's tables, and this one (tables {head}) may not use them any more "
            f"(tables {oldest.value} or newer): install the newer version here too"
        )


def _in_order(connection: Connection, head: str) -> bool:
    at = _stands_at(connection)
    if at is None or at < head:
        return False
    still_fits(connection, head=head)
    return True


def _stands_at(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_STANDS_AT.name):
        return None
    return connection.execute(select(_STANDS_AT.c.version_num)).scalar()


def _step(connection: Connection, head: str, steps: Path) -> None:
    connection.rollback()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
        connection.execute(text(f"SET LOCAL lock_timeout = {_WAIT_MILLISECONDS}"))
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
    if _in_order(connection, head):  # another process was quicker
        connection.rollback()
        return
    known = _stands_at(connection)
    if known is None and set(inspect(connection).get_table_names()) & set(metadata.tables):
        raise Unfit("the database has tables of Dolen's names and is no ledger; name an empty database")
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(steps))
    config.attributes["connection"] = connection
    command.upgrade(config, head)
    taken = ScriptDirectory.from_config(config).iterate_revisions(head, known or "base")
    oldest = max(str(getattr(step.module, "oldest", step.revision)) for step in taken)
    _set_oldest(connection, oldest)
    connection.commit()


def _set_oldest(connection: Connection, oldest: str) -> None:
    row: Any = connection.execute(meta.select().where(meta.c.name == _OLDEST)).first()
    if row is None:
        connection.execute(meta.insert().values(name=_OLDEST, value=oldest))
    elif row.value < oldest:
        connection.execute(meta.update().where(meta.c.name == _OLDEST).values(value=oldest))
