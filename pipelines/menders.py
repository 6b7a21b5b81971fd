"""Who can mend it: for each cause the people who look after what must change, with telephone and hours.

They stand in the site's files, one owner a connection; a field is mended where its owner's system is, a refusal where
it was made. Nothing here is about a resident.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.merge import group_of
from pipelines.plant import Council

#: Steps of a cause after which the field is mended at its source and not in the system that would not take it.
_AT_THE_SOURCE = frozenset({"write"})


@dataclass(frozen=True, slots=True)
class Mender:
    """Whom to ring, and about which system."""

    connection: str  # "" where nobody of a connection is meant
    name: str
    phone: str
    hours: str = ""
    email: str = ""
    supplier: str = ""  # how the supplier is reached, as the site's files say it
    code_list: str = ""  # the owner of this list decides; the people of the connection know who that is


def of_connection(council: Council, connection: str) -> Mender | None:
    """Who looks after a connection; None if the site no longer has it."""
    wired = council.wired.get(connection)
    owner = wired.settings.get("owner") if wired is not None else None
    if wired is None or not isinstance(owner, dict):
        return None
    return Mender(
        connection,
        str(owner.get("name") or ""),
        str(owner.get("phone") or ""),
        str(owner.get("hours") or ""),
        str(owner.get("email") or ""),
        str(wired.settings.get("supplier") or ""),
    )


def of_cause(council: Council, connection: str, *, step: str, field: str = "", code_list: str = "") -> Mender | None:
    """Who can mend a cause: the people of the connection in which something must change."""
    name = connection
    if field and (step in _AT_THE_SOURCE):
        name = council.owners.get(group_of(field), connection)
    found = of_connection(council, name) or of_connection(council, connection)
    if found is None or not code_list:
        return found
    return Mender(found.connection, found.name, found.phone, found.hours, found.email, found.supplier, code_list)
