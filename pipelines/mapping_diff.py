"""What changes for real records when one mapping takes the place of another: the newest kept ones, read and written by
both. Nothing is sent, nothing is written, and no system is asked.

A side is `current`, `original` (what each was mapped with then), `current~1` (the one in use before today's), the
digest of a kept mapping, or a file that is not live yet.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, func, select

from connectors.port import UnreadableItem
from mappings.kept import CannotRun
from pipelines import artifacts, audit, composition
from pipelines import facts as fact_store
from pipelines.batch import Batch
from pipelines.choosing import CURRENT, ORIGINAL, candidate
from pipelines.differences import HOWS, Difference, reading_changes, written_changes
from pipelines.library import Library
from pipelines.looking import NotPossible, sees_version
from pipelines.masking import masked, shown
from pipelines.tables import attempt, delivery, version
from pipelines.vault import PayloadGone

if TYPE_CHECKING:
    from mappings.mapping import Mapping as FieldMapping
    from pipelines.plant import Council, Kind, Plant, Wired

#: Records of one kind that are looked at, newest first, and ids that are told of one difference.
MOST, EXAMPLES = 500, 5
_EARLIER = re.compile(r"current~([1-9]\d?)")
_DIGEST = re.compile(r"[0-9a-f]{6,64}")

#: What gives the mapping of one side for one record, by the digest that it was mapped with. Raises CannotRun.
Side = Callable[[str], "FieldMapping"]
Progress = Callable[[str, int], None]


@dataclass(slots=True)
class Field:
    """One path that comes out otherwise in one way. `repr` shows no value."""

    path: str
    how: str
    count: int = 0
    examples: list[str] = field(default_factory=list)  # v12, d12
    before: list[str] = field(default_factory=list, repr=False)  # of the examples, masked unless revealed
    after: list[str] = field(default_factory=list, repr=False)


@dataclass(slots=True)
class Compared:
    """One kind of record of one connection, read or written by both."""

    council: str
    connection: str
    kind: str
    direction: str  # read, write
    before: str  # name and digest of each side
    after: str
    looked: int = 0
    differ: int = 0
    gone: int = 0  # expired or erased: nobody can say
    unreadable: int = 0
    cannot_run: int = 0  # mapped then with what this program cannot run any more
    fields: list[Field] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Scope:
    """Which records: of these councils, this connection and kind ("" is all), and how many of each kind."""

    councils: Sequence[str]
    connection: str = ""
    kind: str = ""
    most: int = MOST
    reveal: bool = False


def compare(
    plant: Plant, before: str, after: str, scope: Scope, *, progress: Progress = lambda _w, _n: None
) -> list[Compared]:
    """Compare two sides over real records. Raises NotPossible where no connection uses what is named, SiteFaults for
    what is wrong with a file."""
    sides = Sides(plant)
    found: list[Compared] = []
    for council, wired, kind in _kinds(plant, scope):
        pair = sides.of(before, wired, kind), sides.of(after, wired, kind)
        if pair[0] is None or pair[1] is None:
            continue
        offers = wired.offers(kind.name)
        both = (pair[0], pair[1])
        if offers & {"changes", "fetch"}:
            found.append(_read(plant, council, wired, kind, both, scope, progress))
        if offers & {"create", "update"}:
            found.append(_written(plant, council, wired, kind, both, scope, progress))
    if not found:
        raise NotPossible(
            f"no connection that was asked for uses both {before} and {after}: a file must be about its system and "
            "kind of record, a digest must be kept (`dolen show v12` prints it)"
        )
    return found


def note_revealed(plant: Plant, found: Iterable[Compared], *, who: str, why: str) -> None:
    """Write in the audit that somebody was shown values."""
    for council in sorted({one.council for one in found}):
        with plant.ledger.writing() as connection:
            audit.write(
                connection,
                plant.vault,
                council=council,
                who=who,
                action="mappings compared, values shown",
                subject=", ".join(sorted({one.connection for one in found if one.council == council})),
                why=why,
                now=plant.clock.now(),
            )


@dataclass(frozen=True, slots=True)
class _Side:
    """One side for one kind of record."""

    words: str
    mapping: Side


@dataclass(slots=True)
class Sides:
    """What the words of a side mean for each kind of record."""

    plant: Plant
    _library: Library | None = None

    def of(self, words: str, wired: Wired, kind: Kind) -> _Side | None:
        """A side, None where it is not about this kind of record. Raises NotPossible, SiteFaults."""
        live = kind.mapping
        if words == CURRENT:
            return _named(live)
        if words == ORIGINAL:
            return _Side("as each was mapped then", self._then)
        try:
            if earlier := _EARLIER.fullmatch(words):
                return self._earlier(int(earlier[1]), wired, kind)
            if _DIGEST.fullmatch(words) and not Path(words).is_file():
                kept = self.plant.kept.mapping(self.plant.ledger, artifacts.digest_like(self.plant.ledger, words))
                return _named(kept) if _alike(kept, live) else None
        except CannotRun as gone:
            raise NotPossible(f"{words}: {gone}") from None
        return self._file(words, live)

    def _then(self, digest: str) -> FieldMapping:
        return self.plant.kept.mapping(self.plant.ledger, digest)

    def _earlier(self, number: int, wired: Wired, kind: Kind) -> _Side | None:
        with self.plant.ledger.reading() as connection:
            used = artifacts.used_before(connection, wired.council, wired.name, kind.name)
        others = [digest for digest in used if digest != kind.mapping.digest]
        return _named(self._then(others[number - 1])) if number <= len(others) else None

    def _file(self, words: str, live: FieldMapping) -> _Side | None:
        file = Path(words)
        if not file.is_file():
            raise NotPossible(
                f"there is no file {words}: name a mapping file or code list, or write current, original, current~1 or "
                "a digest"
            )
        if self._library is None:
            self._library = Library(composition.load(self.plant.root).layers)
        try:
            found = candidate(self._library, file, live)
        except NotPossible:
            return None  # about another system, or a code list that this one does not use
        return _Side(f"{file.name} {found.digest[:12]}", lambda _digest: found)


def _named(mapping: FieldMapping) -> _Side:
    return _Side(f"{mapping.name} {mapping.digest[:12]}", lambda _digest: mapping)


def _alike(one: FieldMapping, other: FieldMapping) -> bool:
    return (one.system, one.record) == (other.system, other.record)


def _kinds(plant: Plant, scope: Scope) -> Iterable[tuple[Council, Wired, Kind]]:
    for code in scope.councils:
        council = plant.councils[code]
        for wired in council.wired.values():
            for kind in wired.kinds.values():
                if scope.connection in ("", wired.name) and scope.kind in ("", kind.name):
                    yield council, wired, kind


def _read(
    plant: Plant, council: Council, wired: Wired, kind: Kind, sides: tuple[_Side, _Side], scope: Scope,
    progress: Progress,
) -> Compared:  # fmt: skip
    result = Compared(council.code, wired.name, kind.name, "read", sides[0].words, sides[1].words)
    tally = _Tally(result, scope.reveal)
    with plant.ledger.reading() as connection:
        rows = connection.execute(
            select(version.c.id, version.c.raw, version.c.mapping, version.c.external_id)
            .filter_by(council=council.code, connection=wired.name, kind=kind.name)
            .where(version.c.external_id != "", sees_version(plant))
            .order_by(version.c.id.desc())
            .limit(scope.most)
        ).all()
        for row in rows:
            tally.looked(progress)
            try:
                item = wired.connector.parse(kind.name, plant.vault.get(connection, council.code, row.raw),
                                             id=row.external_id)  # fmt: skip
                one, other = (side.mapping(row.mapping) for side in sides)
            except PayloadGone:
                result.gone += 1
            except CannotRun:
                result.cannot_run += 1
            else:
                if isinstance(item, UnreadableItem):
                    result.unreadable += 1
                elif one is not other:
                    tally.add(f"v{row.id}", reading_changes(one.read(item.record), other.read(item.record)))
    return tally.done()


def _written(
    plant: Plant, council: Council, wired: Wired, kind: Kind, sides: tuple[_Side, _Side], scope: Scope,
    progress: Progress,
) -> Compared:  # fmt: skip
    result = Compared(council.code, wired.name, kind.name, "write", sides[0].words, sides[1].words)
    tally = _Tally(result, scope.reveal)
    with plant.ledger.reading() as connection:
        batch = Batch(connection, plant.vault, council, plant.clock.now(), locking=False)
        newest = _newest_deliveries(
            connection, council.code, wired.name, kind.name, scope.most, plant.sight.of(delivery.c.referral_id)
        )
        batch.fetch_referrals(referral for referral, _, _ in newest)
        for referral, id, digest in newest:
            tally.looked(progress)
            try:
                facts = fact_store.plain(batch.facts(batch.referral(referral) or batch.referral_itself(referral)))
                one, other = (side.mapping(digest) for side in sides)
            except PayloadGone:
                result.gone += 1
            except CannotRun:
                result.cannot_run += 1
            else:
                if one is not other:
                    known = {name: value for name, value in facts.items() if value is not None}
                    tally.add(f"d{id}", written_changes(one.write(known), other.write(known)))
    return tally.done()


def _newest_deliveries(
    connection: Connection, council: str, name: str, kind: str, most: int, seen: ColumnElement[bool]
) -> list[tuple[str, int, str]]:
    """Referral, newest delivery, and the mapping that the newest try of it was written with, "" where none was made."""
    newest = connection.execute(
        select(delivery.c.referral_id, func.max(delivery.c.id).label("id"))
        .filter_by(council=council, connection=name, kind=kind)
        .where(seen)
        .group_by(delivery.c.referral_id)
        .order_by(func.max(delivery.c.id).desc())
        .limit(most)
    ).all()
    tried: dict[int, str] = {}
    for row in connection.execute(
        select(attempt.c.delivery_id, attempt.c.mapping)
        .where(attempt.c.delivery_id.in_([row.id for row in newest]), attempt.c.mapping != "")
        .order_by(attempt.c.id)
    ):
        tried[row.delivery_id] = row.mapping
    return [(row.referral_id, row.id, tried.get(row.id, "")) for row in newest]


class _Tally:
    """Counts the differences of one kind of record."""

    def __init__(self, result: Compared, reveal: bool) -> None:
        self._result, self._reveal = result, reveal
        self._fields: dict[tuple[str, str], Field] = {}

    def looked(self, progress: Progress) -> None:
        """One record more."""
        self._result.looked += 1
        progress(f"{self._result.council}/{self._result.connection}", self._result.looked)

    def add(self, id: str, differences: Sequence[Difference]) -> None:
        """What differs in one record. Items of a list count under one path."""
        if differences:
            self._result.differ += 1
        seen = set()
        for one in differences:
            key = (re.sub(r"\[\d+\]", "[]", one.path), one.how)
            if key in seen:
                continue
            seen.add(key)
            told = self._fields.setdefault(key, Field(*key))
            told.count += 1
            if len(told.examples) < EXAMPLES:
                told.examples.append(id)
                told.before.append(self._value(one, one.before))
                told.after.append(self._value(one, one.after))

    def done(self) -> Compared:
        """The result, what is worst first."""
        self._result.fields = sorted(self._fields.values(), key=lambda one: (HOWS.index(one.how), -one.count, one.path))
        return self._result

    def _value(self, one: Difference, value: Any) -> str:
        if self._result.direction == "read":
            return shown(one.path, value, reveal=self._reveal)
        return masked(value, reveal=self._reveal)
