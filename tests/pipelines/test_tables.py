"""The tables as either database is told to make them: an index that holds some rows alone holds the same ones."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import MetaData, create_mock_engine

from pipelines import keytables, tables


def made(metadata: MetaData, url: str) -> dict[str, str]:
    """The rows that each index holds, by its name, as the database would be told."""
    told: list[str] = []
    engine: Any = create_mock_engine(url, lambda what, *_, **__: told.append(str(what.compile(dialect=engine.dialect))))
    metadata.create_all(engine, checkfirst=False)
    indexes = [re.match(r"CREATE (?:UNIQUE )?INDEX (\S+) .*?(?: WHERE (.*))?$", one.strip(), re.S) for one in told]
    return {one[1]: (one[2] or "").replace('"', "") for one in indexes if one is not None}


@pytest.mark.parametrize("metadata", [tables.metadata, keytables.metadata], ids=["ledger", "keys"])
def test_an_index_holds_the_same_rows_on_both_databases(metadata: MetaData) -> None:
    sqlite, postgresql = made(metadata, "sqlite://"), made(metadata, "postgresql+psycopg://")
    assert sum(bool(rows) for rows in sqlite.values()) >= 4
    assert postgresql == sqlite
