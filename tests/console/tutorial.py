"""Following a page of the docs to the letter: its commands in their order, and what it asks a person to edit."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Runs commands as typed one after another in one process, and prints [exit code, output] of each.
RUNNER = """
import json, sys
from typer.testing import CliRunner
from console.main import app
done = []
for words, typed in json.load(sys.stdin):
    found = CliRunner().invoke(app, words, input=typed)
    done.append([found.exit_code, found.output])
print(json.dumps(done))
"""


@dataclass(frozen=True)
class Tutorial:
    """One page in docs/ whose sections are numbered."""

    page: str

    @property
    def text(self) -> str:
        """The page."""
        return (ROOT / "docs" / self.page).read_text(encoding="utf-8")

    def section(self, number: int) -> str:
        """The text of one numbered section."""
        found = re.search(rf"^## {number}\. .*?(?=^## |\Z)", self.text, re.MULTILINE | re.DOTALL)
        assert found is not None
        return found[0]

    def shown(self, number: int) -> list[str]:
        """The `dolen` commands of a section, with what is typed into them."""
        blocks = re.findall(r"^```bash\n(.*?)^```", self.section(number), re.MULTILINE | re.DOTALL)
        lines = [line for block in blocks for line in block.splitlines()]
        return [line for line in lines if "dolen" in line and "pretend_" not in line]

    def blocks(self, number: int, language: str) -> list[str]:
        """What a section shows of a language, from its left edge."""
        found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", self.section(number), re.MULTILINE | re.DOTALL)
        assert found
        return [text for _, text in found]


def follow(folder: Path, *lines: str, **environment: str) -> list[tuple[int, str]]:
    """Run commands as a page shows them; exit code and output of each."""
    asked = []
    for line in lines:
        typed, _, command = line.rpartition(" | ")
        asked.append((shlex.split(command)[1:], " ".join(shlex.split(typed)[1:])))
    found = subprocess.run(
        [sys.executable, "-c", RUNNER], input=json.dumps(asked), cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "DOLEN_USER": "reader", **environment},
        capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    return [(code, text) for code, text in json.loads(found.stdout)]


def edit(path: Path, pattern: str, replacement: str) -> None:
    """Change a file as a person would; it must change."""
    text = path.read_text(encoding="utf-8")
    edited = re.sub(pattern, replacement, text, flags=re.MULTILINE)
    assert edited != text, pattern
    path.write_text(edited, encoding="utf-8")
