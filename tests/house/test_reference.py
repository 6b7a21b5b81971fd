"""The pages that are made from declarations: commands and the referral's fields are as the code says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from console import reference as of_commands
from mappings import reference as of_referral

PAGES: dict[str, tuple[Callable[[], str], Callable[[list[str]], int]]] = {
    "docs/reference/commands.md": (of_commands.commands_page, of_commands.main),
    "docs/reference/referral.md": (of_referral.referral_page, of_referral.main),
}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_fresh(root: Path, page: str) -> None:
    module = {"commands": "console.reference", "referral": "mappings.reference"}[Path(page).stem]
    written = (root / page).read_text(encoding="utf-8")
    assert written == PAGES[page][0](), f"run: python -m {module} {page}"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_written_by_a_command(tmp_path: Path, page: str) -> None:
    made, main = PAGES[page]
    assert main([str(tmp_path / "deep" / "page.md")]) == 0
    assert (tmp_path / "deep" / "page.md").read_bytes() == made().encode()
    assert main([]) == 2


def test_every_command_has_its_section(root: Path) -> None:
    page = (root / "docs/reference/commands.md").read_text(encoding="utf-8")
    for command in ("dolen run", "dolen codes map", "dolen routes live", "dolen bench pipeline"):
        assert f"\n## `{command}`\n" in page
