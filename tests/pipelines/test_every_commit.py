"""R2 of docs/catalogue.md: every commit to disk is a crash point.

`strace` kills `dolen run` as one of its threads asks the disk for the K-th time to make its writes durable, and a
second process goes on. CI takes a sample of K; HYPOTHESIS_PROFILE=long takes every one.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PROFILE
from tests.rig.town import ROOT, Town

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

#: A run of this size comes to rest well before this.
LONG = 60
KS = range(1, LONG) if PROFILE == "long" else [1, 3, 7, 15]


def killed_at(town: Town, count: int, seconds: float) -> bool:
    """Run Dolen until its `count`-th fdatasync kills it; False if it came to rest before."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    inject = f"inject=fdatasync:signal=SIGKILL:when={count}"
    command = [strace, "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", inject]
    with town.log.open("ab") as log:
        process = subprocess.Popen(
            [*command, sys.executable, "-m", "console", "run", "--site", str(town.site)],
            cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
    try:
        return process.wait(seconds) == -signal.SIGKILL or process.returncode == 128 + signal.SIGKILL
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return False


@pytest.mark.parametrize("count", KS)
def test_r2_killed_as_it_commits(tmp_path: Path, count: int) -> None:
    town = Town(tmp_path, {"cedar": "B"})
    try:
        desk = town.desk("cedar")
        for name in ("Ann", "Bob", "Cai"):
            desk.type_in(name)
        assert killed_at(town, count, 60), "it came to rest before it was killed: take smaller numbers"
        desk.change(desk.of("Ann")[0].id, reason="second")
        town.start()
        verdict = town.settle()
        assert verdict.well, f"{verdict}\n{town.last_words()}"
        sums = town.sums()
        assert sums.sums_agree
        assert sums.open == 0
        assert town.stop() == 0
    finally:
        town.close()
