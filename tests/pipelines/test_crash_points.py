"""Every named crash point is gone through: `dolen run` is killed there, started again, and everything is well.

Each test first sees that the point was really hit. Meanwhile the world goes on: staff type and change cases, a
commit that began before shows up late, and a source forgets how far it was read. Then the systems alone are asked.
Rows 1 and 12 of docs/catalogue.md, and R3 and R4 of its targets: `tests/mutants` shows that these tests bite.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.crash import POINTS
from tests.rig.town import Town

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

#: Two hours slow, which is no excuse for losing anything.
SLOW = 7200


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path, clock=lambda: time.time() - SLOW)
    for council in made.tiers:
        made.desk(council).page_size = 2
        made.desk(council).newest_first = True
    yield made
    made.close()


def while_nothing_runs(town: Town, late: dict[str, str]) -> None:
    """What people do meanwhile."""
    for council in town.tiers:
        desk, care = town.desk(council), town.care(council)
        desk.show(desk.cases[late[council]])
        desk.forgets = True
        desk.change(desk.of("Ann")[0].id, reason="second")
        desk.type_in("Eve")
        for case in care.of("Bob"):
            care.change(case.id, status="triage", notes="rang her")


@pytest.mark.parametrize("point", POINTS)
def test_row_1_r3_killed_at(town: Town, point: str) -> None:
    for name in ("Ann", "Bob", "Cai"):
        for council in town.tiers:
            town.desk(council).type_in(name)
    late = {council: town.desk(council).type_in("Dai", hidden=True).id for council in town.tiers}
    town.start(point)
    assert town.wait_killed(), f"the process was not killed at {point!r}:\n{town.last_words()}"
    while_nothing_runs(town, late)
    town.start()
    verdict = town.settle()
    assert verdict.well, f"{verdict}\n{town.last_words()}"
    sums = town.sums()
    assert sums.sums_agree
    assert sums.open == 0
    assert town.stop() == 0
