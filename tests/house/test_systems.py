"""The systems that are shipped: each is in the one suite, and told of in the README or on a page that it leads to."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from config.documents import read_yaml
from connectors.registry import FAMILIES
from tests.connectors.test_conformance import PEERS
from tests.connectors.test_conformance_pushed import CALLERS

#: Families that ship no profile, as what they read is the council's own: the suite writes one.
WITHOUT = {"files", "sql"}


@pytest.fixture(scope="module")
def profiles(root: Path) -> dict[str, Any]:
    """The shipped profiles by name."""
    return {file.stem: read_yaml(file).data for file in sorted((root / "connectors/profiles").glob("*.yaml"))}


def test_every_shipped_profile_is_in_the_one_suite(profiles: dict[str, Any]) -> None:
    assert set(profiles) == PEERS.keys() - WITHOUT


def test_every_family_is_in_the_one_suite(profiles: dict[str, Any]) -> None:
    assert {profile["protocol"] for profile in profiles.values()} | WITHOUT == set(FAMILIES)


def test_whoever_only_calls_us_is_in_its_pushed_half(profiles: dict[str, Any]) -> None:
    for name, profile in profiles.items():
        pushed = any(record and "push" in record for record in profile["records"].values())
        if pushed or profile["protocol"] == "web-form":
            assert name in CALLERS, f"{name} pushes: let it be held in test_conformance_pushed.py"


def test_every_shipped_profile_is_told_of(root: Path, profiles: dict[str, Any]) -> None:
    readme = (root / "README.md").read_text(encoding="utf-8")
    pages = {root / link for link in re.findall(r"\]\((docs/[a-z/0-9-]+\.md)\)", readme)}
    told = readme + "".join(page.read_text(encoding="utf-8") for page in pages if page.exists())
    missing = [name for name in profiles if not re.search(rf"`{name}`|profile: {name}\b", told)]
    assert missing == [], "say in the README, or on a page it leads to, what it was tried against"


def test_every_row_leads_to_a_page_or_names_a_profile(root: Path, profiles: dict[str, Any]) -> None:
    readme = (root / "README.md").read_text(encoding="utf-8")
    table = readme[readme.index("| system | how it is spoken to |") :].split("\n\n")[0].splitlines()[2:]
    assert len(table) > 10
    for row in table:
        first, *_, tried = (cell.strip() for cell in row.strip("|").split("|"))
        links = re.findall(r"\]\((docs/[^)]+)\)", first)
        named = [name for name in profiles if f"`{name}`" in first]
        assert links or named, f"{first}: nobody can find out more"
        assert all((root / link).exists() for link in links), first
        assert len(tried) > 15, f"{first}: tried against what?"
