"""Whether our packages are ours: their names are plain ones, and another distribution may have one of them."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

ROOMS = ("connectors", "mappings", "pipelines", "config", "console", "sandbox")


class StrangeRoom(RuntimeError):
    """A package of ours was loaded from another place than the others: something else installed one of its name."""


def check_rooms() -> None:
    """Make sure that each of our packages lies beside this one. Raises StrangeRoom, saying which does not."""
    here = Path(__file__).resolve().parent.parent
    for room in ROOMS:
        spec = find_spec(room)
        if spec is None or spec.origin is None:
            raise StrangeRoom(f"the package {room} is not beside the others in {here}: install Dolen again")
        found = Path(spec.origin).resolve().parent.parent
        if found != here:
            raise StrangeRoom(
                f"the package {room} comes from {found}, the others from {here}: another distribution has one of that "
                "name; install Dolen into an environment of its own"
            )
