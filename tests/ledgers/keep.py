"""Keeps a ledger as a version of Dolen made it, for the day when a newer one must bring it up to date.

`python -m tests.ledgers.keep VERSION` writes `tests/ledgers/VERSION.sql`: run it with the code of that version, as a
part of its release, and commit the file. It is SQLite's own dump; the rows are invented and hold nobody.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from pipelines.ledger import Ledger
from pipelines.past import fill

FOLDER = Path(__file__).parent
DELIVERIES = 20


def dump(into: Path) -> None:
    """Write a ledger of this version, with a past, as SQL."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ledger.db"
        ledger = Ledger(f"sqlite:///{file}")
        try:
            fill(ledger, "torfaen", DELIVERIES)
        finally:
            ledger.close()
        with closing(sqlite3.connect(file)) as connection:
            into.write_text("\n".join(connection.iterdump()) + "\n", encoding="utf-8")


def restore(kept: Path, file: Path) -> dict[str, int]:
    """Make a ledger of the dump; returns how many rows each table has, that of its own version left out."""
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(kept.read_text(encoding="utf-8"))
        return rows(connection)


def rows(connection: sqlite3.Connection) -> dict[str, int]:
    """How many rows each table has."""
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    ours = [name for name in names if not name.startswith(("sqlite_", "alembic_")) and name != "meta"]
    return {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in ours}


if __name__ == "__main__":
    dump(FOLDER / f"{sys.argv[1]}.sql")
