"""The proofs bite: each rule of the movement is taken out in a copy of the tree, and a named test turns red.

A mutant is a piece of text and what stands there instead. One whose text is gone fails too: whoever changes the rule
has to say here how it would be broken now. The same tests are green on the tree itself in every full run, and the copy
is the tree, so what turns them red is the mutant.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
ROOMS = ("connectors", "mappings", "pipelines", "config", "console", "sandbox")
PROMISES, POINTS = "tests/pipelines/test_promises.py", "tests/pipelines/test_crash_points.py"


@dataclass(frozen=True)
class Mutant:
    """`file` with `text` replaced by `instead`; `caught`: the test that must be red, or one of them."""

    name: str
    file: str
    text: str
    instead: str
    caught: tuple[str, ...]


MUTANTS = [
    Mutant(
        "a wake-up is never published again",
        "pipelines/relay.py",
        "if 0 <= now - at < REPEAT_AFTER",
        "if at",
        (f"{PROMISES}::test_row_2_a_wake_up_that_was_lost_is_published_again",),
    ),
    Mutant(
        "done before the call",
        "pipelines/recovery.py",
        "        deliveries.move(batch, row, back, reason=_WORDS, due=now, tries=tries)\n",
        "        deliveries.move(batch, row, DeliveryState.ARRIVED, reason=_WORDS)\n",
        (f"{PROMISES}::test_row_1_a_worker_that_dies_before_it_calls_has_done_nothing",),
    ),
    Mutant(
        "no look-up",
        "pipelines/decision.py",
        "            return Decision(Do.NOT_SURE if can_look else Do.ASK, settle)",
        "            return Decision(Do.AGAIN, settle)",
        (f"{PROMISES}::test_row_16_what_is_done_and_not_said_is_looked_up_before_it_is_sent_again",),
    ),
    Mutant(
        "a repeated create is not looked for first",
        "pipelines/sending.py",
        '        if "find" not in wired.connector.offers(kind.name):\n            return None\n        found',
        "        return None\n        found",
        (f"{PROMISES}::test_row_16_a_create_that_is_repeated_does_not_write_over_what_staff_wrote_meanwhile",),
    ),
    Mutant(
        "the lane is not checked",
        "pipelines/lanes.py",
        "            lane.c.due <= now,\n            or_(lane.c.owner.is_(None), lane.c.until < now),\n            *(",
        "            *(",
        (f"{PROMISES}::test_g3_a_lane_that_somebody_holds_is_nobody_elses",),
    ),
    Mutant(
        "the fence is ignored",
        "pipelines/lanes.py",
        "if (row.owner, row.fence) == (wanted[row.id].owner, wanted[row.id].fence)",
        "if row.owner",
        (f"{PROMISES}::test_row_27_the_late_word_of_an_old_lease_is_not_written",),
    ),
    Mutant(
        "the watermark moves with each page",
        "pipelines/places.py",
        "    if not page.cursor:\n        values |= {",
        "    if page.watermark:\n        values |= {",
        (f"{PROMISES}::test_row_9_a_walk_that_ended_in_the_middle_begins_where_the_last_whole_one_ended",),
    ),
    Mutant(
        "no overlap",
        "connectors/rest/walk.py",
        "return _moment(watermark).astimezone(UTC) - overlap",
        "return _moment(watermark).astimezone(UTC) + (overlap - overlap)",
        (f"{PROMISES}::test_row_12_a_commit_that_began_earlier_and_shows_up_later_is_not_passed_over",),
    ),
    Mutant(
        "the watermark is made from our clock",
        "pipelines/places.py",
        'values |= {"watermark": page.watermark, "completed": now}',
        'values |= {"watermark": __import__("pipelines.clock").clock.to_instant(now).isoformat(), "completed": now}',
        (f"{PROMISES}::test_row_13_a_source_whose_clock_is_wrong_loses_nothing",),
    ),
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree once more, with what the proofs need of the tests."""
    made = tmp_path_factory.mktemp("copy")
    # With what is compiled already: whatever is changed here is newer than that, and compiled anew.
    without = shutil.ignore_patterns("var", "golden")
    for room in ROOMS:
        shutil.copytree(ROOT / room, made / room, ignore=without)
    shutil.copytree(ROOT / "tests" / "rig", made / "tests" / "rig", ignore=without)
    for file in ("pyproject.toml", "tests/conftest.py", PROMISES, POINTS):
        (made / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, made / file)
    return made


def outcome(copy: Path, tests: tuple[str, ...]) -> tuple[int, str]:
    """Run tests in the copy, up to the first that is red; return the exit code and the last words."""
    environment = {**os.environ, "PYTHONPATH": str(copy), "CI": "true", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--timeout=300", *tests]
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, timeout=550, check=False)
    return done.returncode, done.stdout[-1500:]


def test_r4_the_proofs_are_green_in_the_copy_as_it_is(copy: Path) -> None:
    tests = tuple(dict.fromkeys(test for mutant in MUTANTS for test in mutant.caught if "[" not in test))
    code, words = outcome(copy, tests)
    assert code == 0, words


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.name for mutant in MUTANTS])
def test_r4_a_rule_that_is_taken_out_is_missed(copy: Path, mutant: Mutant) -> None:
    file = copy / mutant.file
    whole = file.read_text(encoding="utf-8")
    assert whole.count(mutant.text) == 1, f"{mutant.file} has no longer what this mutant breaks: {mutant.text}"
    file.write_text(whole.replace(mutant.text, mutant.instead), encoding="utf-8")
    try:
        for test in mutant.caught:
            code, words = outcome(copy, (test,))
            assert code == 1, f"{test} did not notice: {mutant.name}\n{words}"
            assert "error" not in words.splitlines()[-1], words
    finally:
        file.write_text(whole, encoding="utf-8")
