"""What a profile declares of pushes, read without loading any connector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def pushed_kinds(profile: Mapping[str, Any], connect: Mapping[str, Any], *, carries: str = "") -> frozenset[str]:
    """The kinds of record that a system pushes to us, where its connection says how it proves that it is it."""
    records = profile.get("records")
    sections = records.items() if isinstance(records, dict) and connect.get("push") else ()
    pushes = {str(kind): section.get("push") for kind, section in sections if isinstance(section, dict)}
    return frozenset(
        kind for kind, push in pushes.items() if isinstance(push, dict) and carries in ("", push.get("carries"))
    )
