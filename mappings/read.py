"""Reading: the rows of a mapping hung into the shape of the system's record, as closures that only look up and call.

One closure stands for each group of the record and one for each row; none of them parses a path. What is odd (a
list of one where one value is meant, a text beside attributes) is only looked at when the plain way has failed.
This is the exact way, which decides about everything; `swift_read.py` spares it whatever is plain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from mappings.converters import TooLong, WrongType
from mappings.mapping import Gap, GapKind, Reading, Remark
from mappings.meta import Json
from mappings.paths import Step
from mappings.rows import ABSENT, ReadyRow, UnknownCode, spelled
from mappings.swift_read import UNREADABLE, swift

Where = tuple[tuple[str, str], ...]


class Notes(NamedTuple):
    """What is gathered while one record is read or written."""

    left_out: list[Gap]
    stopped: list[Gap]
    remarks: list[Remark]


Take = Callable[[Json, dict[str, Json], Notes], None]  # (their value, facts, notes)
Without = Callable[[dict[str, Json], Notes], None]  # what happens where the value is missing or empty


@dataclass(slots=True)
class Branch:
    """A group of the record while the closures are made: what hangs directly below it, by key."""

    rows: list[tuple[str, ReadyRow]] = field(default_factory=list)
    groups: dict[str, Branch] = field(default_factory=dict)
    picks: dict[str, dict[Where, Branch]] = field(default_factory=dict)

    def add(self, path: tuple[Step, ...], row: ReadyRow) -> None:
        """Hang a row in below this group."""
        first, *rest = path
        if not rest:
            self.rows.append((first.key, row))
        elif first.where:
            self.picks.setdefault(first.key, {}).setdefault(first.where, Branch()).add(tuple(rest), row)
        else:
            self.groups.setdefault(first.key, Branch()).add(tuple(rest), row)

    def all_rows(self) -> list[ReadyRow]:
        """Every row in and below this group."""
        below = [branch.all_rows() for branch in self.groups.values()]
        below += [branch.all_rows() for picked in self.picks.values() for branch in picked.values()]
        return [row for _, row in self.rows] + [row for rows in below for row in rows]

    def has_text(self) -> bool:
        """Whether this group's own text or attributes are mapped, so that a plain text counts as the group."""
        return any(key == "." or key.startswith("@") for key, _ in self.rows)


class Part(NamedTuple):
    """What hangs in a group under one key: a row, a group, or neither (the picks from a list)."""

    key: str
    take: Take
    row: ReadyRow | None
    group: Group | None


class Group(NamedTuple):
    """A group of the record, as closures. `take` is the exact way; the parts are what the swift way is made of."""

    take: Take
    absent: Without  # nothing there: not known, save where a row says otherwise
    empty: Without  # there, and empty
    parts: tuple[Part, ...] = ()
    withouts: tuple[tuple[str, Without], ...] = ()  # what a missing key does, where it does anything


def reader(rows: Iterable[ReadyRow]) -> Callable[[dict[str, Any]], Reading]:
    """Make the function that reads a record."""
    take = swift(group_of(rows))

    def read(record: dict[str, Any]) -> Reading:
        facts: dict[str, Json] = {}
        notes = Notes([], [], [])
        take(record, facts, notes)
        return Reading(facts, notes.left_out, notes.stopped, notes.remarks)

    return read


def group_of(rows: Iterable[ReadyRow]) -> Group:
    """The rows that read, as one group."""
    tree = Branch()
    for row in rows:
        if row.reads:
            tree.add(row.theirs, row)
    return _group(tree)


def _group(branch: Branch) -> Group:
    parts = [Part(key, _row(row), row, None) for key, row in branch.rows]
    withouts: list[tuple[str, Without]] = [
        (key, without) for key, row in branch.rows if (without := _unread(row)) is not None
    ]
    absents = [without for _, without in withouts]
    empties: list[Without] = [_empty(row) for _, row in branch.rows]
    below = [(key, _group(group), True) for key, group in branch.groups.items()]
    below += [(key, _picks(picks), False) for key, picks in branch.picks.items()]
    for key, group, plain in below:
        parts.append(Part(key, group.take, None, group if plain else None))
        absents.append(group.absent)
        empties.append(group.empty)
        if any(_unread(row) is not None for row in _rows_below(branch, key)):
            withouts.append((key, group.absent))
    take = _taker(tuple((part.key, part.take) for part in parts), tuple(withouts), _all(empties), branch)
    return Group(take, _all(absents), _all(empties), tuple(parts), tuple(withouts))


def _rows_below(branch: Branch, key: str) -> list[ReadyRow]:
    groups = [branch.groups[key]] if key in branch.groups else []
    groups += branch.picks.get(key, {}).values()
    return [row for group in groups for row in group.all_rows()]


def _taker(
    takes: tuple[tuple[str, Take], ...], withouts: tuple[tuple[str, Without], ...], empty: Without, branch: Branch
) -> Take:
    has_text, rows = branch.has_text(), branch.all_rows()

    def take(value: Json, facts: dict[str, Json], notes: Notes) -> None:
        if type(value) is not dict:
            if isinstance(value, list) and len(value) == 1:
                take(value[0], facts, notes)
            elif value is None or value == "" or value == []:
                empty(facts, notes)
            elif has_text and isinstance(value, str):
                take({".": value}, facts, notes)
            else:
                for row in rows:
                    _note(notes, row, "wrong type", "keys, and not a value or several")
            return
        get = value.get
        for key, run in takes:
            found = get(key, ABSENT)
            if found is not ABSENT:
                run(found, facts, notes)
        for key, without in withouts:
            if key not in value:
                without(facts, notes)

    return take


def _picks(picks: dict[Where, Branch]) -> Group:
    """The items that are picked from one list by fixed keys. A known list without the item: known to be empty."""
    groups = [(where, (group := _group(branch)), swift(group)) for where, branch in picks.items()]
    rows = [row for branch in picks.values() for row in branch.all_rows()]
    absent, empty = _all(group.absent for _, group, _ in groups), _all(group.empty for _, group, _ in groups)
    first_by = _first_by([where for where, _, _ in groups])

    def take(value: Json, facts: dict[str, Json], notes: Notes) -> None:
        if (found := first_by(value)) is not None:
            for where, group, take_item in groups:
                if (item := found.get(where[0][1])) is not None:
                    take_item(item, facts, notes)
                else:
                    group.empty(facts, notes)
            return
        items = as_items(value)
        if items is None:
            for row in rows:
                _note(notes, row, "wrong type", "a list")
            return
        for where, group, take_item in groups:
            for item in items:
                if matches(item, where):
                    take_item(item, facts, notes)
                    break
            else:
                group.empty(facts, notes)

    return Group(take, absent, empty)


def _first_by(wheres: list[Where]) -> Callable[[Json], dict[str, Json] | None]:
    """From a list to its items by the one key that all filters ask for, the first of each value.

    None where the list is not as plain as that: an item is no dict, or what it holds there is no text.
    """
    keys = {key for where in wheres for key, _ in where}
    if len(keys) > 1 or any(len(where) > 1 for where in wheres):
        return lambda _: None
    (key,) = keys

    def first_by(value: Json) -> dict[str, Json] | None:
        if type(value) is not list:
            return None
        found: dict[str, Json] = {}
        for item in value:
            if type(item) is not dict or type(held := item.get(key)) is not str:
                return None
            if held not in found:
                found[held] = item
        return found

    return first_by


def _row(row: ReadyRow) -> Take:
    """The closure of one row."""
    if row.each:
        return _list(row)
    ours, convert, needed, note = row.ours, row.read, row.needed, row.note

    def plain(value: Json, facts: dict[str, Json], notes: Notes) -> None:
        try:
            facts[ours] = convert(value)
        except UNREADABLE as error:
            unwrapped = unwrap(value)
            if unwrapped is not value:
                careful(unwrapped, facts, notes)
            else:
                _refused(notes, row, error, value)

    def careful(value: Json, facts: dict[str, Json], notes: Notes) -> None:
        plain(value, facts, notes)
        if needed and facts.get(ours, ABSENT) is None:
            del facts[ours]
            _note(notes, row, "missing", "a value")
        if note is not None and ours in facts and (remark := note(unwrap(value))) is not None:
            notes.remarks.append(Remark(ours, remark))

    return careful if needed or note is not None else plain


def _list(row: ReadyRow) -> Take:
    """The closure of an `each` row. An unreadable item leaves the whole field out: half a list would wipe."""
    ours, needed = row.ours, row.needed
    take_item = swift(group_of(row.each))
    where = row.theirs[-1].where
    deep = any("." in item.ours for item in row.each)

    def take(value: Json, facts: dict[str, Json], notes: Notes) -> None:
        items = as_items(value)
        if items is None:
            _note(notes, row, "wrong type", "a list")
            return
        read: list[Json] = []
        inner = Notes([], [], [])
        for item in items:
            if where and not matches(item, where):
                continue
            found: dict[str, Json] = {}
            take_item(item, found, inner)
            if None in found.values():
                found = {key: value for key, value in found.items() if value is not None}
            if found:
                read.append(nested(found) if deep else found)
        gaps = inner.left_out + inner.stopped
        if gaps:
            _note_items(notes, row, gaps)
        elif read or not needed:
            facts[ours] = read or None
        else:
            _note(notes, row, "missing", "a list that is not empty")

    return take


def _unread(row: ReadyRow) -> Without | None:
    """What a missing path does; None if it does nothing."""
    if row.unread is ABSENT and not row.needed:
        return None

    def without(facts: dict[str, Json], notes: Notes) -> None:
        if row.unread is not ABSENT and not (row.needed and row.unread is None):
            facts[row.ours] = row.unread
        else:
            _note(notes, row, "missing", "a value")

    return without


def _empty(row: ReadyRow) -> Without:
    def without(facts: dict[str, Json], notes: Notes) -> None:
        if row.needed:
            _note(notes, row, "missing", "a value")
        else:
            facts[row.ours] = None

    return without


def _all(withouts: Iterable[Without]) -> Without:
    several = tuple(withouts)

    def without(facts: dict[str, Json], notes: Notes) -> None:
        for one in several:
            one(facts, notes)

    return without


def as_items(value: Json) -> list[Json] | None:
    """A list as it is, one item as a list of one, nothing as an empty list; None for what is no list of items."""
    if isinstance(value, list):
        return value
    if value is None or value == "":
        return []
    return [value] if isinstance(value, dict | str) else None


def matches(item: Json, where: Where) -> bool:
    """Whether the item's fixed keys hold these values."""
    if not isinstance(item, dict):
        return False
    for key, value in where:
        held = item.get(key)
        if (held if type(held) is str else spelled(held)) != value:
            return False
    return True


def unwrap(value: Json) -> Json:
    """The one value in a list of one, or an element's own text beside attributes that nobody mapped."""
    if isinstance(value, list) and len(value) == 1:
        return unwrap(value[0])
    if isinstance(value, list) and not value:
        return None
    if isinstance(value, dict) and value and all(key == "." or key.startswith("@") for key in value):
        return value.get(".")
    return value


def nested(flat: dict[str, Json]) -> dict[str, Json]:
    """Give dotted names of a list item their depth."""
    deep: dict[str, Json] = {}
    for name, value in flat.items():
        *parents, last = name.split(".")
        at = deep
        for parent in parents:
            at = at.setdefault(parent, {})
        at[last] = value
    return deep


def refusal(row: ReadyRow, error: Exception, value: Json) -> Gap:
    """What a converter's refusal means for the field."""
    kind: GapKind = (
        "unknown code" if isinstance(error, UnknownCode) else "too long" if isinstance(error, TooLong) else "wrong type"
    )
    reason = error.expected if isinstance(error, WrongType) and kind != "unknown code" else ""
    return Gap(row.ours, row.shown, kind, row.code_list if kind == "unknown code" else "", spelled(value), reason)


def _refused(notes: Notes, row: ReadyRow, error: Exception, value: Json) -> None:
    (notes.stopped if row.stops else notes.left_out).append(refusal(row, error, value))


def _note(notes: Notes, row: ReadyRow, kind: GapKind, reason: str) -> None:
    (notes.stopped if row.stops else notes.left_out).append(Gap(row.ours, row.shown, kind, reason=reason))


def _note_items(notes: Notes, row: ReadyRow, gaps: list[Gap]) -> None:
    stops = row.stops or any(item.stops and item.ours == gap.field for item in row.each for gap in gaps)
    into = notes.stopped if stops else notes.left_out
    for gap in gaps:
        path = f"{row.shown}/{gap.theirs}"
        into.append(Gap(row.ours, path, gap.kind, gap.code_list, gap.value, gap.reason))
