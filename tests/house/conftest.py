"""The tree as the house tests see it: the files that git would carry, and the words of one file with their lines.

New files count before they are committed, files that git ignores never do; outside a git checkout (a release archive)
the folders are walked instead.
"""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOT_OURS = {".git", ".venv", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", "dist"}


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder."""
    return ROOT


@pytest.fixture(scope="session")
def files() -> list[Path]:
    """Every file of the project, committed or about to be."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0 and listed.stdout:
        found = [ROOT / name.decode("utf-8") for name in listed.stdout.split(b"\0") if name]
    else:
        found = [path for path in ROOT.rglob("*") if not NOT_OURS & set(path.relative_to(ROOT).parts)]
    return sorted({path for path in found if path.is_file()})


@pytest.fixture(scope="session")
def texts(files: list[Path]) -> dict[str, str]:
    """The text of every file that is text, by its path from the root with forward slashes."""
    found = {}
    for path in files:
        body = path.read_bytes()
        if b"\0" in body:
            continue
        try:
            found[path.relative_to(ROOT).as_posix()] = body.decode("utf-8")
        except UnicodeDecodeError:
            continue  # a fixture that is wrong on purpose
    return found
