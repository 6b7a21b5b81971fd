"""The documentation as pages: it builds without a warning, every page has its place, and nothing comes from afar."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    made = subprocess.run(
        command, cwd=root, capture_output=True, text=True, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, check=False
    )
    assert made.returncode == 0, made.stdout + made.stderr
    return folder


def test_every_page_is_built(built: Path, root: Path) -> None:
    """`--strict` fails where a page has no place in the menu, or a link leads nowhere."""
    for page in (root / "docs").rglob("*.md"):
        name = page.relative_to(root / "docs").with_suffix("")
        place = name.parent if name.name in ("index", "README") else name
        assert (built / place / "index.html").is_file(), f"{page.name} is not built"


def test_a_reader_fetches_nothing_from_elsewhere(built: Path) -> None:
    for page in built.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        scripts = re.findall(r"<(?:script|img|iframe)[^>]*src=[\"'](https?:[^\"']+)", text)
        sheets = re.findall(r"<link[^>]*stylesheet[^>]*(https?:[^\"' ]+)", text)
        fetched = scripts + sheets
        assert not fetched, f"{page.relative_to(built)} fetches {fetched[0]}"


def test_the_welsh_page_can_be_reached(built: Path) -> None:
    assert "cy/" in (built / "index.html").read_text(encoding="utf-8")
