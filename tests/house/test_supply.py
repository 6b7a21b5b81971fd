"""What Dolen is made of: a list of it for machines, licences that a council may take, and nothing left to chance.

Licences are read from the installed packages' own declarations by pip-licenses; the list for machines is CycloneDX's,
made from the lock that a council installs. When a package was last released cannot be known without asking its
registry, so the packages that are known to be old are named in docs/security.md and held here from growing.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from console.supply.packages import locked

#: Licences that ask nothing of a council which runs and changes Dolen, by the words that packages say them in. The
#: weak copylefts (MPL, LGPL) are taken as they are published, imported and never changed.
ALLOWED = (
    "MIT",
    "MIT-0",
    "MIT License",
    "BSD",
    "BSD License",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "0BSD",
    "ISC",
    "ISC License (ISCL)",
    "Apache-2.0",
    "Apache Software License",
    "Apache License 2.0",
    "PSF-2.0",
    "Python Software Foundation License",
    "Python-2.0",
    "MPL-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)",
    "LGPL-2.1",
    "LGPL-3.0-only",
    "GNU Lesser General Public License v2 or later (LGPLv2+)",
    "The Unlicense (Unlicense)",
    "Unlicense",
    "CC0-1.0",
    "Zlib",
)
#: Not released for years: see docs/security.md. The list may only shrink.
OLD = {"docopt"}


def parts(words: str) -> list[str]:
    """The licences of one declaration: `A OR B`, `A AND (B OR C)`, `A; B`."""
    for between in (" AND ", " OR ", ";"):
        words = words.replace(between, "\n")
    return [one.strip(" ()") if one.strip(" ()") in ALLOWED else one.strip() for one in words.split("\n")]


@pytest.fixture(scope="module")
def licences() -> dict[str, str]:
    """What each installed package says of itself."""
    command = [sys.executable, "-m", "piplicenses", "--from=mixed", "--format=json", "--with-system"]
    told = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)
    return {canonicalize_name(one["Name"]): one["License"] for one in told}


def test_every_licence_is_one_that_a_council_may_take(licences: dict[str, str], root: Path) -> None:
    wrong = {
        one.name: licences[one.name]
        for one in locked(root / "requirements.lock")
        if one.name in licences and not all(part in ALLOWED for part in parts(licences[one.name]))
    }
    assert wrong == {}


def test_every_package_that_a_council_installs_has_its_line_in_the_list(licences: dict[str, str], root: Path) -> None:
    page = (root / "docs" / "reference" / "licences.md").read_text(encoding="utf-8")
    missing = [
        str(one)
        for one in locked(root / "requirements.lock")
        if f"| {one.name} | {one.version} | {licences.get(one.name, '')}" not in page
    ]
    assert missing == [], "write them into docs/reference/licences.md"


@pytest.mark.parametrize(("words", "good"), [("AGPL-3.0", False), ("MIT OR GPL-3.0", False), ("MIT AND PSF-2.0", True)])
def test_a_licence_that_asks_more_would_be_noticed(words: str, good: bool) -> None:
    assert all(part in ALLOWED for part in parts(words)) is good


def test_the_list_for_machines_holds_every_package_with_its_hashes(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "dolen.cdx.json"
    command = [
        sys.executable, "-W", "ignore", "-m", "cyclonedx_py", "requirements", str(root / "requirements.lock"),
        "--pyproject", str(root / "pyproject.toml"), "--output-reproducible", "--output-file", str(file),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    made = json.loads(file.read_bytes())
    assert (made["bomFormat"], made["metadata"]["component"]["name"]) == ("CycloneDX", "dolen")
    held = {(canonicalize_name(one["name"]), one["version"]) for one in made["components"]}
    assert held == {(one.name, one.version) for one in locked(root / "requirements.lock")}
    for one in made["components"]:
        assert any(reference.get("hashes") for reference in one["externalReferences"]), one["name"]


def test_what_is_known_to_be_old_is_named_and_used_by_nothing_of_ours(texts: dict[str, str], root: Path) -> None:
    page = texts["docs/security.md"]
    pinned = {one.name for one in locked(root / "requirements.lock")}
    for name in OLD:
        assert name in pinned, f"{name} has gone: take it out of this list and of docs/security.md"
        assert f"`{name}`" in page
        assert not [file for file, text in texts.items() if file.endswith(".py") and f"import {name}" in text]
