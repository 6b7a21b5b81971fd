"""Records and their versions: finding, ordering and replacing them, within the caller's unit of work.

Records are locked when they are fetched, so that two pages holding one are taken one after the other. The order of
versions is rule R1 of docs/data-model.md: the system's own stamps, then its version numbers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Any

from sqlalchemy import select

from pipelines import ready, rows
from pipelines.batch import Batch
from pipelines.clock import SECOND
from pipelines.rows import Held
from pipelines.states import VersionState
from pipelines.tables import version

#: A version in one of these may be ended by a newer one of its record.
_STOPPED = (VersionState.ATTENTION, VersionState.WAITING)
_PLACE = tuple(version.c[name] == ready.given(name, version.c[name]) for name in ("council", "connection", "kind"))
_HELD_UP = (*_PLACE, version.c.state.in_(_STOPPED))
_OLDER = (*_PLACE, version.c.state == VersionState.OLDER)
#: A version in one of these has had its say about the record.
_TAKEN = (VersionState.MERGED, VersionState.NO_CHANGE, VersionState.ATTENTION, VersionState.WAITING)


#: Nobody changes one record ten million times.
_DIGITS = 7


class Order(Enum):
    """How a version stands to the newest one known of its record."""

    NEWER = "newer"  # or the same, or nobody can say
    OLDER = "older"
    PUT_BACK = "put back"  # stamped later and numbered lower: the system itself was restored from a backup


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

    def __init__(
        self, batch: Batch, place: Place, numbers: Iterable[str], again: Mapping[int, Held] = MappingProxyType({})
    ) -> None:
        """`again`: versions, by id, that are just taken once more."""
        self._place = place
        self._by_number: dict[str, list[Held]] = defaultdict(list)
        self._all: list[Held] = []
        for row in rows.read(batch.connection, version, "external_id", set(numbers) - {""}, _HELD_UP, **place.key):
            self.add(again.get(row.id, row))

    def __bool__(self) -> bool:
        return bool(self._all)

    def add(self, row: Held) -> None:
        """Remember a version of this page that waits or needs attention."""
        if not any(known is row for known in self._by_number[row.external_id]):
            self._by_number[row.external_id].append(row)
            self._all.append(row)

    def has(self, number: str, content: str) -> bool:
        """Whether just this version of a record waits or needs attention already."""
        return any(row.content == content and row.state in _STOPPED for row in self._by_number.get(number, ()))

    def because_of(self, number: str, cause_id: int) -> bool:
        """Whether a version of this record needs attention because of this."""
        return any(row.cause_id == cause_id and row.state in _STOPPED for row in self._by_number.get(number, ()))

    def end(self, number: str, cause_id: int) -> None:
        """What a version of this record needed attention for has proved to be nothing: it is simply old."""
        for row in self._by_number.get(number, ()):
            if row.cause_id == cause_id and row.state in _STOPPED:
                end(row, VersionState.OLDER)

    def replace(self, number: str, newer: Held) -> None:
        """A newer version of the record ends what older ones were waiting for."""
        for row in self._by_number.get(number, ()):
            if row is not newer and row.state in _STOPPED:
                row.set(state=VersionState.REPLACED)

    def write(self, batch: Batch) -> None:
        """Write what was replaced."""
        rows.change(batch.connection, version, [row for row in self._all if not row.fresh])


class Older:
    """The old versions that a page shows and that have been kept as older before, read for the whole page at once."""

    def __init__(self, batch: Batch, place: Place, shown: Iterable[tuple[str, str]]) -> None:
        """`shown`: (number, content) of each version of the page that is older than what is known of its record."""
        wanted = set(shown)
        found = rows.look(batch.connection, version, "external_id", {one for one, _ in wanted}, _OLDER, **place.key)
        self._since: dict[tuple[str, str], int] = {}
        for row in found:
            if (row.external_id, row.content) in wanted:
                self.add(row.external_id, row.content, row.at)

    def since(self, number: str, content: str) -> int | None:
        """When this old version was first shown again, None if it never was."""
        return self._since.get((number, content))

    def add(self, number: str, content: str, at: int) -> None:
        """Remember that it is kept as older."""
        known = self._since.get((number, content))
        self._since[number, content] = at if known is None else min(at, known)


def _is(states: Iterable[VersionState]) -> Any:
    return version.c.state.in_(tuple(states))


def record_of(batch: Batch, place: Place, external_id: str) -> Held | None:
    """The record's row; made if this is the first that we see of it. None for a record without an id."""
    if not external_id:
        return None
    found = batch.record(place.connection, place.kind, external_id)
    return found if found is not None else batch.new_record(place.connection, place.kind, external_id)


def order(held: Held, modified: int | None, token: str) -> Order:
    """Say how a version with this stamp and version token stands to the newest one known of its record.

    The stamps decide; where they contradict the version numbers, the numbers do: a counter goes on when a clock is put
    back, and a number that falls under a newer stamp can only be a system that was put back itself.
    """
    if token and token == held.version:
        return Order.NEWER  # the version that we know, whatever its stamp was rounded to
    counted = _counted(held.version, token)
    if held.modified is None or modified is None:
        return Order.OLDER if counted < 0 else Order.NEWER
    stamped = _stamped(held.modified, modified)
    if stamped > 0:
        return Order.PUT_BACK if counted < 0 and _counts(held.version, token) else Order.NEWER
    if stamped < 0:
        return Order.NEWER if counted > 0 and _counts(held.version, token) else Order.OLDER
    return Order.OLDER if counted < 0 else Order.NEWER


def is_older(held: Held, modified: int | None, token: str) -> bool:
    """Say whether a version with this stamp and version token is older than the newest one known of its record."""
    return order(held, modified, token) is not Order.NEWER


def is_newer(held: Held, modified: int | None, token: str) -> bool:
    """Say whether the system itself says that this version is newer than the newest one known, which may be our write.
    Where it cannot say, it is not."""
    if _counts(held.version, token) and (counted := _counted(held.version, token)):
        return counted > 0
    return held.modified is not None and modified is not None and modified > held.modified


def _stamped(known: int, modified: int) -> int:
    """Below 0 for an older stamp, above 0 for a newer one. One that was cut to its second is not older within it."""
    if modified % SECOND == 0 and modified == known - known % SECOND:
        return 0
    return (modified > known) - (modified < known)


def _counted(known: str, token: str) -> int:
    """Below 0 for a lower version number, above 0 for a higher one, 0 where they are no numbers."""
    if not (known.isdecimal() and token.isdecimal()):
        return 0
    return (int(token) > int(known)) - (int(token) < int(known))


def _counts(known: str, token: str) -> bool:
    """Whether these numbers count the versions of one record. A hash may be all digits, and is longer."""
    return len(known) <= _DIGITS and len(token) <= _DIGITS


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
