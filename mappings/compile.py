"""From a mapping's name to a `Mapping`: load, lay over, make the rows ready, look for overlaps, hang up the closures.

Everything that is wrong is collected on the way and raised once. What comes out is versioned by its content: the
artifacts hold the resolved rows and the code lists, so that a record can be mapped again as it was then.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from collections.abc import Mapping as Dictionary
from hashlib import sha256
from itertools import combinations
from typing import Any

from mappings import fieldpaths, paths
from mappings.facts import facts_of
from mappings.mapping import MappedField, Mapping, MappingFaults, Writing, canonical
from mappings.meta import Json
from mappings.overlay import Load, Resolved, resolve
from mappings.read import reader
from mappings.referral import Referral
from mappings.rows import ABSENT, Codes, ReadyRow, RowMaker
from mappings.write import Shape, writer

FORMAT = 1  # of the artifact; raised when the same file would compile to something else


def compile_mapping(name: str, load: Load, codes: Codes, zone: str, *, written_as: int = FORMAT) -> Mapping:
    """Compile the mapping of that name.

    `load(name)` gives (plain data, origin) and `codes(name)` a CodeList; both raise LookupError for an unknown name.
    `zone` is the clock of the system's times without offset. `written_as`: the format of the artifact, for what
    `mappings.kept` compiles again. Raises MappingFaults with everything that is wrong.
    """
    resolved = resolve(name, load)
    maker = RowMaker(resolved, codes, zone)
    rows = [row for placed in resolved.rows if (row := maker.make(placed)) is not None]
    optional = _optional(resolved)
    _overlaps(rows, resolved)
    if resolved.faults:
        raise MappingFaults(resolved.faults)
    lists = {name: list_.digest for name, list_ in sorted(maker.used.items())}
    body = canonical(
        {
            "format": written_as,
            "name": name,
            "zone": zone,
            "head": resolved.head,
            "rows": [placed.plain() for placed in resolved.rows],
            "codes": lists,
        }
    )
    digest = sha256(body).hexdigest()
    artifacts = {digest: ("mapping", body)}
    artifacts |= {list_.digest: ("codes", list_.text.encode()) for list_ in maker.used.values()}
    return Mapping(
        name=name,
        system=resolved.head["system"],
        record=resolved.head["record"],
        digest=digest,
        artifacts=artifacts,
        rows=tuple(_mapped(row) for row in rows),
        _read=reader(rows),
        _write=_from_referrals(writer(rows, Shape(resolved.head.get("empty", "omit"), optional)), rows),
    )


def _from_referrals(
    write: Callable[[Dictionary[str, Json], dict[str, Any] | None], Writing], rows: list[ReadyRow]
) -> Callable[[Referral | Dictionary[str, Json], dict[str, Any] | None, Collection[str]], Writing]:
    """Let a referral be written too: what it does not say counts as not known, save where `empty` says otherwise."""
    wanted = tuple(dict.fromkeys(row.ours for row in rows if row.writes and row.ours))

    def written(what: Referral | Dictionary[str, Json], onto: dict[str, Any] | None, empty: Collection[str]) -> Writing:
        if isinstance(what, Referral):
            what = {path: value for path, value in facts_of(what, wanted).items() if value is not None or path in empty}
        return write(what, onto)

    return written


def _mapped(row: ReadyRow) -> MappedField:
    lossy = row.placed.keys.get("lossy", False)
    loses = lossy if isinstance(lossy, str) else "declared lossy" if lossy else ""
    return MappedField(row.ours, row.shown, row.direction, row.placed.whole.origin, loses)


def _optional(resolved: Resolved) -> dict[tuple[str, ...], str | None]:
    """The groups that may be empty as a whole, as keys, and how that is written."""
    groups = {}
    for text, style in resolved.head.get("optional", {}).items():
        place = resolved.places["optional"]
        place = place._replace(path=(*place.path, text))
        try:
            path = paths.parse(text)
        except paths.PathError as error:
            resolved.fault(place, error.found, error.expected, "Correct the path.")
            continue
        if not any(len(other) > len(path) and other[: len(path)] == path for other in _their_paths(resolved)):
            resolved.fault(place, repr(text), "a group with rows in it", "Correct the path, or take it out.")
        groups[tuple(step.key for step in path)] = style
    return groups


def _their_paths(resolved: Resolved) -> list[paths.Path]:
    found = []
    for placed in resolved.rows:
        try:
            found.append(paths.parse(str(placed.keys.get("theirs", ""))))
        except paths.PathError:
            continue  # named where the row is made ready
    return found


def _overlaps(rows: list[ReadyRow], resolved: Resolved, within: str = "") -> None:
    """Two rows that read into one field, or write to one path: whichever came last would win, unseen."""
    for one, other in combinations(rows, 2):
        if one.reads and other.reads and _ours_overlap(one.ours, other.ours):
            found = f"{_quoted(other.ours)} beside {_quoted(one.ours)}"
            remedy = "Give one of the two `direction: write`, or take it out."
            resolved.fault(other.placed.place("ours"), found, "one row that reads a field", remedy)
        meet = paths.contains(one.theirs, other.theirs) or paths.contains(other.theirs, one.theirs)
        if one.writes and other.writes and meet:
            found = f"{_quoted(other.shown)} beside {_quoted(one.shown)}"
            remedy = "Give one of the two `direction: read`, or take it out."
            resolved.fault(other.placed.place("theirs"), found, "one row that writes a path", remedy)
    for row in rows:
        if row.each:
            _overlaps(row.each, resolved, row.ours)
        if row.constant is ABSENT and not within and row.placed.keys.get("key"):
            place = row.placed.place("key")
            resolved.fault(place, "`key` outside `each`", "`key` in the rows of a list", "Take it out.")


def _ours_overlap(one: str, other: str) -> bool:
    """Say whether one field is the other, or lies inside it. Two picks by different keys are two fields."""
    mine, yours = fieldpaths.parse(one), fieldpaths.parse(other)
    for step, against in zip(mine, yours, strict=False):
        if step.name != against.name:
            return False
        if step.where != against.where and step.where and against.where:
            return not _differ(step.where, against.where) and mine[-1].name == yours[-1].name
    return True


def _differ(one: tuple[tuple[str, str], ...], other: tuple[tuple[str, str], ...]) -> bool:
    """Two filters that no item meets at once."""
    asked = dict(other)
    return any(key in asked and asked[key] != value for key, value in one)


def _quoted(text: str) -> str:
    return f"`{text}`"
