"""A ledger of every released version is brought up to date, and keeps all its rows.

CHANGELOG.md says what was released. A release without a stored ledger is an error here: it would be found out only when
a council's own ledger does not open any more.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect

from pipelines import upgrades
from pipelines.databases import open_engine
from pipelines.ledger import LedgerFault
from tests.ledgers import keep

CHANGELOG = Path(__file__).parents[2] / "CHANGELOG.md"
STEP = """
from alembic import op
import sqlalchemy as sa

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
oldest = "0001"


def upgrade():
    op.add_column("proof", sa.Column("seal", sa.String, server_default="", nullable=False))
    {more}
"""


def released(changelog: str) -> set[str]:
    return set(re.findall(r"(?m)^## \[?v?([0-9]+\.[0-9]+\.[0-9]+[^\]\s]*)", changelog))


def without_ledger(changelog: str, folder: Path) -> set[str]:
    return released(changelog) - {file.stem for file in folder.glob("*.sql")}


def upgraded(file: Path, **newer: Any) -> dict[str, set[str]]:
    """Bring a ledger up to date, or make one; its tables with their columns and indexes."""
    engine = open_engine(f"sqlite:///{file}", setting="ledger.url", fault=LedgerFault)
    try:
        upgrades.bring_up_to_date(engine, **newer)
        found = inspect(engine)
        return {
            name: {str(one["name"]) for one in [*found.get_columns(name), *found.get_indexes(name)]}
            for name in found.get_table_names()
        }
    finally:
        engine.dispose()


def wrong_after_upgrade(kept: Path, folder: Path, **newer: Any) -> list[str]:
    """What a stored ledger lacks once it was brought up to date: rows that it had, or what a new ledger has."""
    before = keep.restore(kept, folder / "old.db")
    there, wanted = upgraded(folder / "old.db", **newer), upgraded(folder / "new.db", **newer)
    with closing(sqlite3.connect(folder / "old.db")) as connection:
        after = keep.rows(connection)
    assert before["proof"], "a stored ledger holds something"
    fewer = [f"rows of {name}" for name, number in before.items() if after.get(name) != number]
    return fewer + sorted(name for name in wanted if there.get(name) != wanted[name])


def test_every_release_has_its_ledger() -> None:
    missing = without_ledger(CHANGELOG.read_text(encoding="utf-8"), keep.FOLDER)
    assert not missing, f"with the code of each: python -m tests.ledgers.keep VERSION, for {sorted(missing)}"


def test_every_stored_ledger_is_brought_up_to_date(tmp_path: Path) -> None:
    for kept in sorted(keep.FOLDER.glob("*.sql")):
        (tmp_path / kept.stem).mkdir()
        assert not wrong_after_upgrade(kept, tmp_path / kept.stem), kept.name


def test_a_release_without_a_ledger_is_found_out(tmp_path: Path) -> None:
    told = "# Changelog\n\n## [Unreleased]\n\n## [0.2.0-rc1] - 2027-02-01\n\n## [0.1.0] - 2027-01-01\n\n### Added\n"
    (tmp_path / "0.1.0.sql").touch()
    assert without_ledger(told, tmp_path) == {"0.2.0-rc1"}


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        ("", []),
        ('op.execute("DELETE FROM attempt")', ["rows of attempt"]),
    ],
)
def test_a_step_that_loses_rows_is_found_out(tmp_path: Path, more: str, wrong: list[str]) -> None:
    steps = Path(shutil.copytree(upgrades.STEPS, tmp_path / "steps"))
    (steps / "versions" / "0002_later.py").write_text(STEP.format(more=more), encoding="utf-8")
    keep.dump(tmp_path / "today.sql")
    assert wrong_after_upgrade(tmp_path / "today.sql", tmp_path, head="0002", steps=steps) == wrong


def test_a_table_that_only_new_ledgers_get_is_found_out(tmp_path: Path) -> None:
    keep.dump(tmp_path / "today.sql")
    text = (tmp_path / "today.sql").read_text(encoding="utf-8")
    (tmp_path / "today.sql").write_text(f"{text}DROP TABLE seat;\n", encoding="utf-8")
    assert wrong_after_upgrade(tmp_path / "today.sql", tmp_path) == ["seat"]
