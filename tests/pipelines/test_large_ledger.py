"""What goes by a key goes by an index of it, also where the ledger holds a million: looked up in SQLite's own plans.

A plan without statistics is what a new site has and what a long-running one keeps; without the index that is meant,
each step of a purge and each search went through every referral of its council.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from pipelines import closure
from pipelines.past import fill

pytest_plugins = ("tests.pipelines.pieces",)


@pytest.fixture
def plans(bench: Any) -> Iterator[list[str]]:
    """Steps of the plans of everything that is asked from now on."""
    if not bench.plant.ledger.embedded:
        yield []
        return
    fill(bench.plant.ledger, "torfaen", 50)
    found: list[str] = []

    def explain(_line: Any, cursor: Any, statement: str, given: Any, _context: Any, _many: bool) -> None:
        if statement.lstrip().startswith("SELECT"):
            found.extend(row[3] for row in cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", given))

    event.listen(Engine, "before_cursor_execute", explain)
    yield found
    event.remove(Engine, "before_cursor_execute", explain)


@pytest.mark.embedded
def test_a_step_of_a_purge_reads_what_it_looks_at(bench: Any, plans: list[str]) -> None:
    with bench.reading() as connection:
        assert len(closure.walk(connection, "torfaen", "", 10)) == 10
    assert any("ix_referral_of_council (council=? AND id>?)" in step for step in plans), plans
    assert not any("TEMP B-TREE" in step for step in plans), plans
