"""A family: where the parts of one protocol are, whether they are shipped here or installed as a package of their own.

A package names its family as an entry point of the group `dolen.connectors`: the entry point's name is the protocol
that profiles write, and what it leads to is a `Family`. It runs with all that Dolen may do, so whoever installs it
answers for it as for Dolen itself; it cannot take the name of a family that is shipped. docs/add-a-connector.md goes
through one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points

from connectors.errors import Misconfigured

GROUP = "dolen.connectors"


@dataclass(frozen=True, slots=True)
class Family:
    """Where the parts of one protocol family are, each as module:name."""

    profile: str
    settings: str
    connector: str  # called with (profile, settings, interfaces, clock=..., agree=...)
    neutral: str  # called with (profile, interfaces): the neutral form of each kind, as plain data
    fits: str = ""  # called with (profile, interfaces): raises Misconfigured where the interface lacks what is named
    rereads: bool = False  # the connector takes `known`, for the feed known-ids
    sound: str = ""  # called with (profile, settings): raises Misconfigured for what cannot be opened
    spools: bool = False  # the connector takes a place on disk as well (spool=...)
    lacks: str = ""  # called with (profile, settings, agree=...): what the live system says that it cannot do, as words


@cache
def installed() -> dict[str, str]:
    """Protocol -> the distribution that brings it, of every package that is installed here."""
    return {point.name: point.dist.name if point.dist else "?" for point in entry_points(group=GROUP)}


@cache
def load(protocol: str) -> Family | None:
    """The family that an installed package brings under this name, None if none does. Raises Misconfigured where the
    package cannot be loaded or brings something else."""
    points = list(entry_points(group=GROUP, name=protocol))
    if not points:
        return None
    if len(points) > 1:
        names = ", ".join(sorted(point.dist.name if point.dist else "?" for point in points))
        raise Misconfigured(f"the protocol {protocol} is brought by {names}: uninstall all but one")
    (point,) = points
    try:
        found = point.load()
    except Exception as fault:  # whatever a stranger's module does when it is imported
        brought = point.dist.name if point.dist else point.value
        raise Misconfigured(
            f"the package {brought} that brings the protocol {protocol} cannot be loaded ({type(fault).__name__}); "
            "install a version of it that fits this Dolen"
        ) from fault
    if not isinstance(found, Family):
        raise Misconfigured(f"{point.value} is no connectors.family.Family: ask whoever wrote that package")
    return found
