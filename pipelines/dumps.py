"""Copies of a database that is in use, and back: SQLite's own online backup, and pg_dump and pg_restore for PostgreSQL.

A copy shows one moment, whoever writes meanwhile. A password never stands among a process's arguments: PostgreSQL's
tools are given it in their environment.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import subprocess
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

#: Where Debian and others keep the tools that are on nobody's path.
_ELSEWHERE = Path("/usr/lib/postgresql")
_SECONDS = 6 * 3600
_PIECE = 1 << 20


class CannotCopy(RuntimeError):
    """A database could not be copied or put back. The message says why and what to do."""


def name_for(url: str, stem: str) -> str:
    """What the copy of a database is called."""
    return f"{stem}.db" if _url(url).drivername == "sqlite" else f"{stem}.dump"


def copy(url: str, to: Path) -> None:
    """Copy a database into a file that is not there yet. Raises CannotCopy."""
    parsed = _url(url)
    if to.exists():
        raise CannotCopy(f"{to} is there already; name another folder")
    to.touch(mode=0o600)
    if parsed.drivername == "sqlite":
        _sqlite(Path(str(parsed.database)), to)
    else:
        _run(["pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={to}"], parsed)
        with to.open("rb") as written:
            os.fsync(written.fileno())


def put_back(copied: Path, url: str) -> None:
    """Put a copy where a database is to be, and nothing is yet. Raises CannotCopy."""
    parsed = _url(url)
    if not is_empty(url):
        raise CannotCopy(
            "there is a database already where the copy is to go; nothing was touched. Move it away, or name an "
            "empty one in config/dolen.yaml, if the copy is to take its place"
        )
    if parsed.drivername == "sqlite":
        to = Path(str(parsed.database))
        to.parent.mkdir(parents=True, exist_ok=True)
        _sqlite(copied, to)
    else:
        _run(
            ["pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction",
             f"--dbname={parsed.database}", str(copied)],
            parsed,
        )  # fmt: skip


def is_empty(url: str) -> bool:
    """Whether there is nothing yet where a database is to be."""
    parsed = _url(url)
    if parsed.drivername == "sqlite":
        path = Path(str(parsed.database))
        return not any(path.with_name(path.name + end).exists() for end in ("", "-wal", "-shm"))
    import psycopg

    try:
        with psycopg.connect(_plain(parsed), connect_timeout=10) as connection:
            found = connection.execute(
                "SELECT 1 FROM information_schema.tables WHERE table_schema = 'public' LIMIT 1"
            ).fetchone()
    except psycopg.OperationalError:
        raise CannotCopy("the database does not answer; does it run, and does the URL lead to it?") from None
    return found is None


def digest_of(path: Path) -> str:
    """The SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _url(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise CannotCopy("that is no URL of a database") from None
    if parsed.drivername in ("postgres", "postgresql", "postgresql+psycopg"):
        return parsed.set(drivername="postgresql")
    if parsed.drivername == "sqlite" and parsed.database:
        return parsed
    raise CannotCopy("only databases of SQLite and PostgreSQL can be copied")


def _plain(parsed: URL) -> str:
    return parsed.render_as_string(hide_password=False)


def _sqlite(source: Path, to: Path) -> None:
    """SQLite's online backup, which takes up what is written meanwhile. The copy ends whole and on the disk."""
    if not source.is_file():
        raise CannotCopy(f"there is no database {source.name}")
    reading = sqlite3.connect(f"{source.resolve().as_uri()}?mode=rw", uri=True, timeout=30)
    writing = sqlite3.connect(to, timeout=30)
    try:
        reading.backup(writing, pages=4096, sleep=0.01)
        writing.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
        broken = writing.execute("PRAGMA quick_check").fetchone()[0]
        if broken != "ok":
            raise CannotCopy(f"{source.name} is damaged; the copy is of no use")
    except sqlite3.Error as fault:
        raise CannotCopy(f"{source.name} could not be copied ({type(fault).__name__})") from None
    finally:
        writing.close()
        reading.close()
    to.chmod(0o600)
    with to.open("rb") as written:
        os.fsync(written.fileno())


def _run(command: list[str], parsed: URL) -> None:
    tool = _tool(command[0])
    given = {
        "PGHOST": parsed.host, "PGPORT": str(parsed.port or 5432), "PGUSER": parsed.username,
        "PGPASSWORD": str(parsed.password) if parsed.password is not None else None, "PGDATABASE": parsed.database,
    }  # fmt: skip
    asked = {f"PG{name.upper()}": str(value) for name, value in parsed.query.items() if name.startswith("ssl")}
    environment = {**os.environ, **{name: value for name, value in given.items() if value}, **asked}
    try:
        done = subprocess.run(  # noqa: S603 - a tool of PostgreSQL's, with arguments of ours
            [tool, *command[1:]], env=environment, capture_output=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise CannotCopy(f"{command[0]} did not end within six hours") from None
    if done.returncode != 0:
        # What it says may name rows and values.
        raise CannotCopy(f"{command[0]} ended with {done.returncode}; run it by hand to see why")


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None and _ELSEWHERE.is_dir():
        there = sorted(_ELSEWHERE.glob(f"*/bin/{name}"), key=lambda path: path.parts[-3].zfill(4))
        found = str(there[-1]) if there else None
    if found is None:
        raise CannotCopy(f"{name} is not on this machine: install PostgreSQL's client programs of the server's version")
    return found
