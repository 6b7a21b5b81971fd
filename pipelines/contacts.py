"""Who can mend it: whom the site's files name for a connection, and how its supplier is reached."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.plant import Plant


@dataclass(frozen=True, slots=True)
class Mender:
    """Who answers for a connection, as its council's file says."""

    name: str
    phone: str
    hours: str  # "" where nobody wrote them down
    email: str
    supplier: str  # how its supplier is reached, in the file's own words


def mender(plant: Plant, council: str, connection: str) -> Mender | None:
    """Who can mend what is wrong at a connection; None where the site has it no more."""
    found = plant.councils.get(council)
    wired = found.wired.get(connection) if found else None
    owner = wired.settings.get("owner") if wired else None
    if wired is None or not owner:
        return None
    return Mender(
        str(owner["name"]),
        str(owner["phone"]),
        str(owner.get("hours") or ""),
        str(owner.get("email") or ""),
        str(wired.settings.get("supplier") or ""),
    )
