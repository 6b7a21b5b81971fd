"""Drift: two states of one interface compared by what they mean, in the neutral form of `mappings.interface`. Pure.

A change names a path as mappings spell it and says what it means for records. How bad it is depends on who uses the
path: `weigh` says so for one row of a mapping, by what the row does and by which way it goes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, Literal

from mappings.interface import Interface, Schema, is_list, item_of, kinds, nullable, shapes

Use = Literal["read", "create", "update"]
USES: tuple[Use, ...] = ("read", "create", "update")
_DEEPEST = 12  # no record is deeper


class What(StrEnum):
    """What changed about a path, in the words that are shown."""

    GONE = "gone"
    RENAMED = "gone, and something of a like name is new"
    MOVED = "gone, and something of the same name stands elsewhere now"
    NEW = "new"
    TYPE = "another type"
    REQUIRED = "required now"
    OPTIONAL = "not required any more"
    SHORTER = "shorter"
    LONGER = "longer"
    CODES_GONE = "codes gone"
    CODES_NEW = "codes new"
    ONE_OR_MANY = "another number of them"
    NOT_NULL = "may not be empty any more"
    NULL = "may be empty now"
    ORDER = "another order"
    CHOICE = "another choice"
    RULE = "another rule"  # pattern, smallest and largest value, zone


class Harm(StrEnum):
    """What a change does to what we have."""

    BREAKS = "breaks"
    MAY = "may break"
    NONE = "harmless"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that an interface means otherwise than it did."""

    path: str  # "" is the record itself
    what: What
    uses: tuple[Use, ...]
    was: str = ""
    now: str = ""
    near: str = ""  # where it may have gone

    def __str__(self) -> str:
        between = f": {self.was} -> {self.now}" if self.was or self.now else ""
        near = f"; did it become {self.near}?" if self.near else ""
        return f"{self.path or 'the record'} ({', '.join(self.uses)}) {self.what.value}{between}{near}"

    def touches(self, path: str) -> bool:
        """Whether what stands at a path is concerned."""
        if self.what in (What.GONE, What.RENAMED, What.MOVED, What.ONE_OR_MANY, What.TYPE):
            return path == self.path or path.startswith(f"{self.path}/")
        if self.what in (What.ORDER, What.CHOICE):
            return not self.path or path.startswith(f"{self.path}/")
        return path == self.path

    def meets(self, used: Used) -> bool:
        """Whether a row goes a way that is concerned."""
        return (used.reads and "read" in self.uses) or (used.writes and bool({"create", "update"} & set(self.uses)))


@dataclass(frozen=True, slots=True)
class Used:
    """How one row uses a path."""

    path: str
    reads: bool
    writes: bool
    sure: bool = False  # a record is never written without it: needed, or a constant or a default
    longest: int | None = None  # characters that it writes at the most
    codes_read: frozenset[str] | None = None  # theirs that it understands; None: it has no code list
    codes_written: frozenset[str] | None = None
    empties: bool = False  # it may write an empty value


def compare(before: Interface, after: Interface) -> list[Change]:
    """Everything that the two mean differently, each once with the uses that it concerns."""
    found: dict[tuple[str, What, str, str, str], list[Use]] = {}
    for use in USES:
        one, other = before.of(use), after.of(use)
        if one is None or other is None:
            if one is not None:
                found.setdefault(("", What.GONE, "", "", ""), []).append(use)
            continue
        for path, what, was, now, near in _changes(one, other):
            found.setdefault((path, what, was, now, near), []).append(use)
    return [Change(path, what, tuple(uses), was, now, near) for (path, what, was, now, near), uses in found.items()]


def weigh(change: Change, row: Used) -> Harm:
    """What a change does to one row that uses what it is about."""
    reads = row.reads and "read" in change.uses
    writes = row.writes and bool({"create", "update"} & set(change.uses))
    if not reads and not writes:
        return Harm.NONE
    match change.what:
        case What.GONE | What.RENAMED | What.MOVED | What.TYPE:
            return Harm.BREAKS
        case What.ONE_OR_MANY | What.RULE | What.CHOICE:
            return Harm.MAY
        case What.ORDER:
            return Harm.BREAKS if writes else Harm.MAY
        case What.REQUIRED:
            return Harm.MAY if writes and not row.sure else Harm.NONE
        case What.SHORTER:
            fits = row.longest is not None and row.longest <= int(change.now)
            return Harm.MAY if writes and not fits else Harm.NONE
        case What.CODES_GONE:
            gone = frozenset(change.was.split(", "))
            if not writes:
                return Harm.NONE
            if row.codes_written is None:
                return Harm.MAY
            return Harm.BREAKS if gone & row.codes_written else Harm.NONE
        case What.CODES_NEW:
            new = frozenset(change.now.split(", "))
            return Harm.MAY if reads and row.codes_read is not None and new - row.codes_read else Harm.NONE
        case What.NOT_NULL:
            return Harm.MAY if writes and row.empties else Harm.NONE
        case _:
            return Harm.NONE


def unused(change: Change) -> Harm:
    """What a change does where no row and no key of a profile uses what it is about."""
    if change.what is What.REQUIRED and {"create", "update"} & set(change.uses):
        return Harm.BREAKS if "/" not in change.path else Harm.MAY  # nobody writes it; inside a group, nor the group
    if change.what is What.GONE and not change.path:
        return Harm.BREAKS
    return Harm.NONE


@dataclass(frozen=True, slots=True)
class _Node:
    schema: Schema
    required: bool
    many: bool


Told = tuple[str, What, str, str, str]


def _changes(before: Schema, after: Schema) -> Iterator[Told]:
    one, other = dict(_nodes(before)), dict(_nodes(after))
    new = [path for path in other if path not in one]
    fresh = [path for path in new if path.rpartition("/")[0] not in new]  # the highest alone
    taken: set[str] = set()
    for path, node in one.items():
        if path in other:
            yield from _alike(path, node, other[path])
        elif path.rpartition("/")[0] not in one or path.rpartition("/")[0] in other:
            what, near = _where(path, fresh, new, one, other)
            taken.add(near)
            yield path, what, "", "", near
    for path in fresh:
        if path not in taken:
            yield path, What.REQUIRED if other[path].required else What.NEW, "", "", ""


def _where(
    path: str, fresh: list[str], new: list[str], one: Mapping[str, _Node], other: Mapping[str, _Node]
) -> tuple[What, str]:
    """Where something that is gone may have gone: under a like name beside it, or under its own name elsewhere."""
    above, _, name = path.rpartition("/")
    beside = {there.rpartition("/")[2]: there for there in fresh if there.rpartition("/")[0] == above}
    folded = {_folded(key): there for key, there in beside.items()}
    if there := folded.get(_folded(name)):
        return What.RENAMED, there
    if moved := next((there for there in new if there.rpartition("/")[2] == name), ""):
        return What.MOVED, moved
    if close := get_close_matches(name, beside, n=1, cutoff=0.6):
        return What.RENAMED, beside[close[0]]
    same = [there for there in beside.values() if _same_shape(one[path], other[there])]
    return (What.RENAMED, same[0]) if len(same) == 1 and len(beside) == 1 else (What.GONE, "")


def _folded(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _same_shape(one: _Node, other: _Node) -> bool:
    return _type(one.schema) == _type(other.schema) and one.schema.get("properties", {}).keys() == other.schema.get(
        "properties", {}
    ).keys()


def _alike(path: str, one: _Node, other: _Node) -> Iterator[Told]:
    """What differs about something that both have."""
    was, now = item_of(one.schema), item_of(other.schema)
    if one.many != other.many:
        yield path, What.ONE_OR_MANY, _number(one.many), _number(other.many), ""
    if _type(was) != _type(now):
        yield path, What.TYPE, _type(was), _type(now), ""
    if one.required != other.required:
        yield path, What.REQUIRED if other.required else What.OPTIONAL, "", "", ""
    if nullable(one.schema) != nullable(other.schema) and kinds(one.schema) and kinds(other.schema):
        yield path, What.NULL if nullable(other.schema) else What.NOT_NULL, "", "", ""
    yield from _lengths(path, was, now)
    yield from _codes(path, was, now)
    rules = [(key, was.get(key), now.get(key)) for key in ("pattern", "minimum", "maximum", "minLength", "x-zone")]
    for key, old, new in rules:
        if old != new and _type(was) == _type(now):
            yield path, What.RULE, f"{key} {old}" if old is not None else f"no {key}", f"{new}", ""
    if _order(was, now) and _order(was, now) != _order(now, was):
        yield path, What.ORDER, "", "", ""
    if _choices(was) != _choices(now):
        yield path, What.CHOICE, "", "", ""


def _lengths(path: str, was: Schema, now: Schema) -> Iterator[Told]:
    old, new = was.get("maxLength"), now.get("maxLength")
    if old != new:
        shorter = new is not None and (old is None or new < old)
        yield path, What.SHORTER if shorter else What.LONGER, _or_any(old), _or_any(new), ""


def _codes(path: str, was: Schema, now: Schema) -> Iterator[Told]:
    old, new = _enumeration(was), _enumeration(now)
    if old is None and new is None:
        return
    if old is None or new is None:
        yield path, What.RULE, _listed(old), _listed(new), ""
        return
    if gone := old - new:
        yield path, What.CODES_GONE, ", ".join(sorted(gone)), "", ""
    if added := new - old:
        yield path, What.CODES_NEW, "", ", ".join(sorted(added)), ""


def _listed(codes: frozenset[str] | None) -> str:
    return "any value" if codes is None else "listed codes"


def _enumeration(schema: Schema) -> frozenset[str] | None:
    codes: list[Any] = []
    for one in shapes(schema):
        codes += one.get("enum", [one["const"]] if "const" in one else [])
    return frozenset(str(code) for code in codes if code is not None) if codes else None


def _order(schema: Schema, other: Schema) -> list[str]:
    """The declared order of what both have."""
    return [name for name in schema.get("x-order", ()) if name in other.get("x-order", ())]


def _choices(schema: Schema) -> list[Any]:
    told = [[one.get("min", 0), sorted(map(sorted, one.get("of", ())))] for one in schema.get("x-choices", ())]
    return sorted(told, key=str)


def _type(schema: Schema) -> str:
    """What kind of value it is, in words that differ where the meaning does."""
    told = "/".join(sorted(kinds(schema) - {"null"})) or "anything"
    words = [schema[key] for key in ("x-lexical", "format") if isinstance(schema.get(key), str)]
    words += [one["format"] for one in shapes(schema) if one is not schema and isinstance(one.get("format"), str)]
    return " ".join([told, *dict.fromkeys(words)])


def _number(many: bool) -> str:
    return "several" if many else "one"


def _or_any(number: int | None) -> str:
    return "any" if number is None else str(number)


def _nodes(schema: Schema, path: str = "", depth: int = 0) -> Iterator[tuple[str, _Node]]:
    """Everything below a record by its path; items of lists stand under the list's own."""
    if not path:
        yield "", _Node(schema, required=True, many=False)
    if depth >= _DEEPEST:
        return
    for one in shapes(item_of(schema)):
        required = one.get("required", ())
        for name, inner in one.get("properties", {}).items():
            below = f"{path}/{name}" if path else name
            yield below, _Node(inner, name in required, is_list(inner))
            yield from _nodes(inner, below, depth + 1)
