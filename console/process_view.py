"""How the processes of a site look on the overview: who lives where, doing what, and how long it has been silent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from console.show import iso, table

_ROLES = {"work": "sends", "schedule": "reads", "sync": "a sync"}


def plain(present: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The processes as data, times as ISO 8601 in UTC."""
    return [one | {"began": iso(one["began"], "UTC"), "beat": iso(one["beat"], "UTC")} for one in present]


def show(present: Sequence[dict[str, Any]]) -> None:
    """The processes for people; one that does everything alone is told in the first line of the overview already."""
    if len(present) < 2:
        return
    rows = [
        (one["host"], one["pid"], ", ".join(_ROLES.get(role, role) for role in one["roles"]),
         f"{one['silent_seconds']:.0f} s ago", one["version"])
        for one in present
    ]  # fmt: skip
    table(["machine", "process", "does", "last seen", "version"], rows)
