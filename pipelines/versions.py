"""Records and their versions: finding, ordering and replacing them, within the caller's unit of work.

Records are locked when they are fetched, so that two pages holding one are taken one after the other. The order of
versions is rule R1 of docs/data-model.md: the system's own stamps, then its version numbers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from pipelines import rows
from pipelines.batch import Batch
from pipelines.rows import Held
from pipelines.states import VersionState
from pipelines.tables import version

#: A version in one of these may be ended by a newer one of its record.
_STOPPED = (VersionState.ATTENTION, VersionState.WAITING)
#: A version in one of these has had its say about the record.
_TAKEN = (VersionState.MERGED, VersionState.NO_CHANGE, VersionState.ATTENTION, VersionState.WAITING)


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


class Stopped:
    """The versions of some records that wait or need attention, read for a whole page at once."""

    def __init__(self, batch: Batch, place: Place, numbers: Iterable[str]) -> None:
        self._place = place
        self._by_number: dict[str, list[Held]] = defaultdict(list)
        self._all: list[Held] = []
        table = version.c
        where = [table[name] == value for name, value in place.key.items()]
        for row in rows.read(batch.connection, version, "external_id", set(numbers) - {""}, *where, _is(_STOPPED)):
            self.add(row)

    def add(self, row: Held) -> None:
        """Remember a version of this page that waits or needs attention."""
        self._by_number[row.external_id].append(row)
        self._all.append(row)

    def replace(self, number: str, newer: Held) -> None:
        """A newer version of the record ends what older ones were waiting for."""
        for row in self._by_number.get(number, ()):
            if row is not newer and row.state in _STOPPED:
                row.set(state=VersionState.REPLACED)

    def write(self, batch: Batch) -> None:
        """Write what was replaced."""
        rows.change(batch.connection, version, [row for row in self._all if not row.fresh])


def _is(states: Iterable[VersionState]) -> Any:
    return version.c.state.in_(tuple(states))


def record_of(batch: Batch, place: Place, external_id: str) -> Held | None:
    """The record's row; made if this is the first that we see of it. None for a record without an id."""
    if not external_id:
        return None
    found = batch.record(place.connection, place.kind, external_id)
    return found if found is not None else batch.new_record(place.connection, place.kind, external_id)


def is_older(held: Held, modified: int | None, token: str) -> bool:
    """Say whether a version with this stamp and version token is older than the newest one known of its record."""
    if held.modified is None or modified is None:
        return False
    if modified != held.modified:
        return bool(modified < held.modified)
    return held.version.isdecimal() and token.isdecimal() and int(token) < int(held.version)


def seen_without_id(batch: Batch, place: Place, content: str) -> bool:
    """A hole without an id is known by its bytes alone."""
    wanted = select(version.c.id).filter_by(**place.key, external_id="", content=content)
    return batch.connection.execute(wanted.limit(1)).first() is not None


def overtaken(batch: Batch, place: Place, external_id: str, id: int) -> bool:
    """Say whether a newer version of the record has been taken in since version `id`."""
    wanted = select(version.c.id).filter_by(**place.key, external_id=external_id)
    newer = wanted.where(version.c.id > id, _is(_TAKEN)).limit(1)
    return batch.connection.execute(newer).first() is not None


def end(row: Held, state: VersionState, **values: Any) -> VersionState:
    """Say what came of a version; return its state."""
    if state is not VersionState.ATTENTION:
        values.setdefault("cause_id", None)
    row.set(state=state, **values)
    return state
