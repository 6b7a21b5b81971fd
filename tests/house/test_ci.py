"""CI skips nothing: what a test needs is there, or the run is red. Tried on a small folder of tests of its own."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLE = """
import pytest

def test_passes(): pass

def test_misses_a_server(): pytest.skip("no broker here")

@pytest.mark.skipif(True, reason="not on this system")
def test_is_for_elsewhere(): pass

@pytest.mark.xfail(reason="a known fault")
def test_is_known_to_fail(): raise AssertionError
"""


@pytest.fixture
def folder(tmp_path: Path, root: Path) -> Path:
    shutil.copy(root / "tests" / "conftest.py", tmp_path / "conftest.py")
    (tmp_path / "test_sample.py").write_text(SAMPLE, encoding="utf-8")
    return tmp_path


def run(folder: Path, ci: str, **more: str) -> subprocess.CompletedProcess[str]:
    surroundings = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "DOLEN_TEST"))}
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-c",
            os.devnull,
            "--rootdir",
            str(folder),
            "-p",
            "no:cacheprovider",
            "-p",
            "no:schemathesis",
            str(folder),
        ],
        env={**surroundings, "CI": ci, **more},
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_a_skipped_test_fails_in_ci_and_says_why(folder: Path) -> None:
    told = run(folder, "true")
    assert told.returncode == 1
    assert "1 failed, 1 passed, 1 xfailed, 1 error" in told.stdout  # an error is a failure before the test began
    assert "no broker here" in told.stdout
    assert "not on this system" in told.stdout


def test_a_file_that_skips_itself_fails_in_ci_as_well(folder: Path) -> None:
    (folder / "test_whole.py").write_text("import pytest\npytest.importorskip('no_such_client')\n", encoding="utf-8")
    told = run(folder, "true")
    assert told.returncode != 0
    assert "no_such_client" in told.stdout


def test_at_a_desk_a_skipped_test_is_only_skipped(folder: Path) -> None:
    told = run(folder, "")
    assert told.returncode == 0
    assert "1 passed, 2 skipped, 1 xfailed" in told.stdout


def test_the_run_says_what_its_chance_was_made_from(folder: Path) -> None:
    assert "DOLEN_TEST_SEED=4711 HYPOTHESIS_PROFILE=desk" in run(folder, "", DOLEN_TEST_SEED="4711").stdout
    first, again = (re.search(r"DOLEN_TEST_SEED=\d+", run(folder, "true").stdout) for _ in range(2))
    assert first is not None
    assert again is not None
    assert first[0] == again[0]
