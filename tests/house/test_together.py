"""Whether tests that share what is dear to make do run in one process: without that CI would take half as long again,
and a test that needs what the one before it did would fail by the luck of the draw."""

import subprocess
import sys
from pathlib import Path

TESTS = """
import os, pytest

@pytest.mark.parametrize("number", range(12))
@pytest.mark.xdist_group("together")
def test_a_share(number):
    with open("seen", "a") as seen:
        seen.write(f"{os.getpid()}\\n")

@pytest.mark.parametrize("number", range(12))
def test_others(number):
    with open("others", "a") as seen:
        seen.write(f"{os.getpid()}\\n")
"""


def test_what_belongs_together_runs_in_one_process(tmp_path: Path) -> None:
    """The pytest and the pytest-xdist of our lock must understand each other, which some pairs of them do not."""
    (tmp_path / "test_many.py").write_text(TESTS, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-n",
        "3",
        "--dist",
        "loadgroup",
        "-p",
        "no:schemathesis",
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    seen, others = ((tmp_path / name).read_text(encoding="utf-8").split() for name in ("seen", "others"))
    assert (len(seen), len(others)) == (12, 12)
    assert len(set(seen)) == 1, "tests of one xdist_group ran in several processes"
    assert len(set(others)) > 1, "this test proves nothing where everything runs in one process"
