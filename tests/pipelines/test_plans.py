"""What a page or a batch costs does not grow with the ledger: SQLite finds each row by a key and goes through none."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import event

from pipelines.jobs import prepare
from pipelines.sending import Result

pytest_plugins = ("tests.pipelines.pieces",)

#: Tables that grow with every referral, for ever.
GROWING = ("payload", "person", "person_identifier", "referral", "record", "version", "delivery", "attempt", "proof")
#: Terms that leave all of a council, or all of one of its connections, to be gone through. What waits, is being sent or
#: needs attention is little; that a state is named is good enough.
_TOO_WIDE = re.compile(r"\(council=\?( AND connection=\?)?( AND kind=\?)?( AND external_id>\?)?\)")


def _went_through(connection: Any, statement: str, given: Any) -> list[str]:
    """The steps of a statement's plan that go through a growing table."""
    steps = [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)]
    return [
        step
        for step in steps
        if (step.startswith("SCAN") and step.split()[1] in GROWING)
        or (step.startswith("SEARCH") and step.split()[1] in GROWING and _TOO_WIDE.search(step))
    ]


@pytest.mark.embedded
def test_nothing_that_a_page_or_a_batch_asks_goes_through_the_ledger(bench: Any) -> None:
    asked: dict[str, Any] = {}

    def note(_connection: Any, _cursor: Any, statement: str, given: Any, _context: Any, many: bool) -> None:
        if statement.startswith(("SELECT", "UPDATE", "DELETE")):
            asked.setdefault(statement, given[0] if many else given)

    engine = bench.plant.ledger.engine
    event.listen(engine, "before_cursor_execute", note)
    people = ["9990000018", "9990000026", "9990000034"]
    page = [bench.request(f"C-{at}", customer__nhs_number=number) for at, number in enumerate(people)]
    assert bench.states(*page) == ["merged"] * 3
    assert bench.states(*(bench.request(one.id, minute=1, priority="urgent") for one in page)) == ["merged"] * 3
    event.remove(engine, "before_cursor_execute", note)
    waiting = bench.rows("delivery", connection="casework", state="waiting")
    event.listen(engine, "before_cursor_execute", note)
    for at, row in enumerate(waiting):
        job = bench.job(row.lane, f"boot-2/{at}")
        [known] = prepare(bench.plant, bench.council, [job])
        assert known is not None
        result = Result(job, how="created", external_id=f"88{at}", version="1", revision=known.revision, known=known)
        result.expected = {"person.name.family": "Llŷr"}
        assert bench.write(result)
    assert bench.states(bench.case("880", minute=50)) == ["merged"]
    event.remove(engine, "before_cursor_execute", note)
    assert len(asked) > 30
    with engine.connect() as connection:
        wide = {statement: _went_through(connection, statement, given) for statement, given in asked.items()}
    assert {statement: steps for statement, steps in wide.items() if steps} == {}
