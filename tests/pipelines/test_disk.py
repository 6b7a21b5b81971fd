"""Rows 7 and 8 of docs/catalogue.md: a disk that is full, a disk that fails, and what a commit has been worth by then.

`strace` stands between `dolen run` and the disk and answers in its place. Afterwards the systems alone are asked.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.rig.town import ROOT, Town

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

COMMITS = 40
WRITER = """
import os, sys
from pipelines.ledger import Ledger, set_meta
ledger = Ledger("sqlite:///" + sys.argv[1])
os.write(1, b"begin\\n")
for number in range(int(sys.argv[2])):
    with ledger.writing() as connection:
        set_meta(connection, "number", str(number))
    os.write(1, b"%d\\n" % number)
ledger.close()
"""


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path, {"cedar": "B"})
    for name in ("Ann", "Bob", "Cai"):
        made.desk("cedar").type_in(name)
    yield made
    made.close()


def under_strace(*how: str, output: str = "/dev/null") -> list[str]:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    return [strace, "-f", "-qq", "-o", output, *(word for one in how for word in ("-e", one))]


def run_on(town: Town, *how: str) -> subprocess.Popen[bytes]:
    """`dolen run` on a disk that answers so."""
    command = [*under_strace(*how), sys.executable, "-m", "console", "run", "--site", str(town.site)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with town.log.open("ab") as log:
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def goes_on(town: Town) -> None:
    desk = town.desk("cedar")
    desk.change(desk.of("Ann")[0].id, reason="second")
    town.start()
    verdict = town.settle()
    assert verdict.well, f"{verdict}\n{town.last_words()}"
    assert town.sums().sums_agree


def test_row_8_a_commit_that_was_answered_for_has_been_made_durable(tmp_path: Path) -> None:
    traced = tmp_path / "traced.txt"
    command = [*under_strace("trace=fdatasync,fsync,write", output=str(traced)), sys.executable, "-c", WRITER]
    done = subprocess.run(
        [*command, str(tmp_path / "ledger.db"), str(COMMITS)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["begin", *map(str, range(COMMITS))]
    said: list[int] = []
    synced = 0
    for line in traced.read_text(encoding="utf-8").splitlines():
        if "sync(" in line and line.rstrip().endswith("= 0"):
            synced += 1
        elif "write(1," in line:
            said.append(synced)
            synced = 0
    assert len(said) == COMMITS + 1
    assert min(said[1:]) >= 1, "a commit was answered for before the disk had it"


@pytest.mark.parametrize("count", [4, 9])
def test_row_8_a_disk_that_fails_ends_the_process_and_loses_nothing(town: Town, count: int) -> None:
    process = run_on(town, "trace=fdatasync", f"inject=fdatasync:error=EIO:when={count}+")
    try:
        code = process.wait(60)
    finally:
        process.kill()
        process.wait()
    assert code not in (0, -9), town.last_words()
    assert "Traceback" not in town.last_words(200)
    goes_on(town)


@pytest.fixture
def small_disk(town: Town) -> Iterator[Path]:
    """The town's data on a file system of 32 MB of its own."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk to fill")
    data = town.folder / "data"
    data.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(data)], check=True)
    yield data
    town.kill()
    subprocess.run(["umount", "-l", str(data)], check=True)


def test_row_7_a_full_disk_stops_nothing_for_good_and_loses_nothing(town: Town, small_disk: Path) -> None:
    town.start()
    assert town.settle().well
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    desk = town.desk("cedar")
    for number in range(40):
        desk.type_in(f"P{number}")
    end = time.monotonic() + 40
    while "disk is full" not in town.last_words(1000) and time.monotonic() < end:
        with filler.open("ab", buffering=0) as file, suppress(OSError):
            file.write(b"x" * 65_536)  # whatever room was made is taken again
        time.sleep(0.1)
    assert "disk is full" in town.last_words(1000), town.last_words()
    filler.unlink()
    verdict = town.settle(40)
    assert verdict.well, f"{verdict}\n{town.last_words()}"
    assert town.sums().sums_agree
    assert town.stop() == 0, "it was there all the while"
