"""Roles for whoever runs the tests, written into a site's own file as an IT team would write them."""

from __future__ import annotations

from pathlib import Path

from pipelines.roles import account


def give(site: Path, *roles: str) -> None:
    """Give these roles, and those that the owner of a fresh site has anyway, to the account that runs the tests."""
    file = site / "config" / "dolen.yaml"
    text = file.read_text(encoding="utf-8")
    assert "\naccess:" not in text
    held = [f"    - {{role: {role}, councils: [all], accounts: [{account()}]}}" for role in dict.fromkeys(
        ("operator", "administrator", *roles)
    )]  # fmt: skip
    file.write_text("\n".join([text.rstrip(), "access:", "  roles:", *held, ""]), encoding="utf-8")
