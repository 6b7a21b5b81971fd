"""Records and their versions: finding, ordering and replacing them, within the caller's transaction.

A record is locked when it is found, so that two pages holding it are taken one after the other. The order of versions
is rule R1 of docs/data-model.md: the system's own stamps, then its version numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select, update

from pipelines.ledger import insert_new
from pipelines.states import VersionState
from pipelines.tables import record, version


@dataclass(frozen=True, slots=True)
class Place:
    """Where records of one kind come from."""

    council: str
    connection: str
    kind: str

    @property
    def key(self) -> dict[str, str]:
        """The columns that name it."""
        return {"council": self.council, "connection": self.connection, "kind": self.kind}


def record_of(connection: Connection, place: Place, external_id: str, now: int) -> Row[Any] | None:
    """The record's row, locked; made if this is the first that we see of it. None for a record without an id."""
    if not external_id:
        return None
    wanted = select(record).filter_by(**place.key, external_id=external_id).with_for_update()
    found = connection.execute(wanted).first()
    if found is None:
        fresh: dict[str, Any] = {
            "external_id": external_id,
            "base": {},
            "content": None,
            "version": "",
            "modified": None,
            "at": now,
        }
        insert_new(connection, record, [{**place.key, **fresh}])
        found = connection.execute(wanted).one()
    return found


def is_older(held: Row[Any], modified: int | None, token: str) -> bool:
    """Say whether a version with this stamp and version token is older than the newest one known of its record."""
    if held.modified is None or modified is None:
        return False
    if modified != held.modified:
        return bool(modified < held.modified)
    return held.version.isdecimal() and token.isdecimal() and int(token) < int(held.version)


def seen_without_id(connection: Connection, place: Place, content: str) -> bool:
    """A hole without an id is known by its bytes alone."""
    wanted = select(version.c.id).filter_by(**place.key, external_id="", content=content)
    return connection.execute(wanted.limit(1)).first() is not None


def overtaken(connection: Connection, place: Place, external_id: str, id: int) -> bool:
    """Say whether a newer version of the record has been taken in since version `id`."""
    states = [VersionState.MERGED, VersionState.NO_CHANGE, VersionState.ATTENTION, VersionState.WAITING]
    wanted = (
        select(version.c.id)
        .filter_by(**place.key, external_id=external_id)
        .where(version.c.id > id, version.c.state.in_(states))
    )
    return connection.execute(wanted.limit(1)).first() is not None


def replace_stopped(connection: Connection, place: Place, external_id: str, id: int) -> None:
    """A newer version of the record, `id`, ends what an older one was waiting for."""
    if external_id:
        connection.execute(
            update(version)
            .filter_by(**place.key, external_id=external_id)
            .where(version.c.id != id, version.c.state.in_([VersionState.ATTENTION, VersionState.WAITING]))
            .values(state=VersionState.REPLACED)
        )


def end(connection: Connection, id: int, state: VersionState, **values: Any) -> VersionState:
    """Write what came of a version; return its state."""
    if state is not VersionState.ATTENTION:
        values.setdefault("cause_id", None)
    connection.execute(update(version).where(version.c.id == id).values(state=state, **values))
    return state
