"""The fault bench as anybody starts it, small: real processes, a few kills, and the result that scripts read."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from console.bench.verdict import CLASSES, FAULTS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def bench(*arguments: str) -> tuple[int, dict[str, Any], str]:
    command = [sys.executable, "-m", "console", "bench", "faults", "--json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=380, check=False)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout), done.stderr


def test_a_few_kills_lose_double_age_wipe_and_stop_nothing(seed: int) -> None:
    code, result, words = bench("--kills", "6", "--referrals", "60", "--seed", str(seed))
    assert {fault: result[fault] for fault in FAULTS} == dict.fromkeys(FAULTS, 0), words
    assert result["versions"] == sum(result[each] for each in CLASSES), words
    assert result["kills"] == 6
    assert result["seed"] == seed
    assert set(result["by_tier"]) == {"A", "B", "C"}
    assert result["unexplained"] == 0
    assert code == 0


def test_it_refuses_to_write_into_a_folder_that_is_in_use(tmp_path: Any) -> None:
    (tmp_path / "somebody's").write_text("work", encoding="utf-8")
    command = [sys.executable, "-m", "console", "bench", "faults", "--keep", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "is not empty" in done.stderr
