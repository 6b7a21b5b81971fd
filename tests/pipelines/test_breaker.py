"""The breaker: several tries fail at once when a supplier goes down, and that is one failure and not several."""

from __future__ import annotations

from typing import Any, cast

from pipelines import pauses
from pipelines.sending import Job, Result
from pipelines.worker import Worker

pytest_plugins = ("tests.pipelines.pieces",)


def test_tries_that_were_under_way_when_it_opened_do_not_double_the_pause(bench: Any) -> None:
    worker = Worker(bench.plant, "boot")
    failed = Result(cast("Job", None), error="Unreachable", words="refused")
    rules = pauses.rules_of(bench.plant.councils["torfaen"].wired["casework"].settings)
    with bench.plant.ledger.writing() as connection:
        for _ in range(rules.after_failures + 3):
            worker._breaker(connection, "torfaen", "casework", failed)
        held = pauses.of(connection, "torfaen", "casework")
    assert held is not None
    assert held.failures == 1
    assert held.until is not None
    assert held.until <= bench.plant.clock.now() + int(rules.try_again * 1_000_000)
