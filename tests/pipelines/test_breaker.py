"""The breaker: several tries fail at once when a supplier goes down, and that is one failure and not several."""

from __future__ import annotations

from typing import Any, cast

from pipelines import pauses
from pipelines.breaker import Breaker
from pipelines.jobs import Job
from pipelines.sending import Result

pytest_plugins = ("tests.pipelines.pieces",)


def test_tries_that_were_under_way_when_it_opened_do_not_double_the_pause(bench: Any) -> None:
    breaker, council = Breaker(bench.plant), bench.plant.councils["torfaen"]
    failed = Result(cast("Job", None), error="Unreachable", words="refused")
    rules = pauses.rules_of(bench.plant.councils["torfaen"].wired["casework"].settings)
    with bench.plant.ledger.writing() as connection:
        for _ in range(rules.after_failures + 3):
            breaker.judge(connection, council, council.wired["casework"], [failed], probing=False)
        held = pauses.of(connection, "torfaen", "casework")
    assert held is not None
    assert held.failures == 1
    assert held.until is not None
    assert held.until <= bench.plant.clock.now() + int(rules.try_again * 1_000_000)
