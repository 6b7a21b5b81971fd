"""Choices: groups of paths of which the interface takes one. Declared at the head of a file, without conditions.

Which member is there follows from which value is known. Reading one member says that the others are empty; writing one
takes the others out, also those that no row maps. Where values for two members are known, the one that is declared
first is written, and the fields of the other are gaps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mappings import paths
from mappings.mapping import Gap, Reading, Writing
from mappings.meta import Json
from mappings.overlay import Place, Resolved
from mappings.rows import ABSENT, DROP, ReadyRow
from mappings.several import SeveralRow, said
from mappings.swift_write import blank

Read = Callable[[dict[str, Any]], Reading]
Write = Callable[[Mapping[str, Json], dict[str, Any] | None], Writing]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of ours that a member carries."""

    ours: str
    shown: str
    reads: bool
    writes: bool
    stops: bool


@dataclass(frozen=True, slots=True)
class Member:
    """One member: the keys that stand for it, and the fields in them."""

    keys: tuple[str, ...]
    fields: tuple[Field, ...]

    @property
    def shown(self) -> str:
        """How findings and gaps call it."""
        return " and ".join(self.keys)


@dataclass(frozen=True, slots=True)
class Choice:
    """Members that stand beside one another in the group `at`, of which one may be there."""

    at: tuple[str, ...]
    members: tuple[Member, ...]

    def member_of(self, path: paths.Path) -> int | None:
        """The number of the member in which a path lies."""
        depth = len(self.at)
        if len(path) <= depth or tuple(step.key for step in path[:depth]) != self.at:
            return None
        key = path[depth].key
        return next((number for number, member in enumerate(self.members) if key in member.keys), None)

    def group(self, record: Any) -> dict[str, Any] | None:
        """The group in which the members stand, None if a record does not have it."""
        for key in self.at:
            record = record[0] if isinstance(record, list) and len(record) == 1 else record
            record = record.get(key) if isinstance(record, dict) else None
        record = record[0] if isinstance(record, list) and len(record) == 1 else record
        return record if isinstance(record, dict) else None


def choices_of(
    resolved: Resolved,
    rows: Sequence[ReadyRow],
    several: Sequence[SeveralRow],
    optional: dict[tuple[str, ...], str | None],
) -> tuple[Choice, ...]:
    """The file's choices made ready, what is wrong with them noted. A member's groups become optional."""
    if "choices" not in resolved.head:
        return ()
    found: list[Choice] = []
    place = resolved.places["choices"]
    for number, written in enumerate(resolved.head["choices"]):
        at = place._replace(path=(*place.path, number))
        choice = _choice(written, at, rows, several, resolved)
        if choice is None:
            continue
        if any(choice.at == other.at and _keys(choice) & _keys(other) for other in found):
            resolved.fault(at, "a path that stands in two choices", "each path in one choice", "Take it out of one.")
        found.append(choice)
        _fit(choice, at, rows, optional, resolved)
    return tuple(found)


def choices_in_lists(
    resolved: Resolved, rows: Sequence[ReadyRow], unique_name: Callable[[], str]
) -> tuple[tuple[ReadyRow, Choice], ...]:
    """The choices inside the items of lists. A member that no row maps gets a row that only ever takes it out."""
    found: list[tuple[ReadyRow, Choice]] = []
    for row in rows:
        place = row.placed.place("choices")
        written = row.placed.keys.get("choices", ())
        if written and not row.each:
            resolved.fault(place, "`choices` without `each`", "`choices` beside `each`, or at the head of the file",
                           "Move it there.")  # fmt: skip
            continue
        for number, one in enumerate(written):
            at = place._replace(path=(*place.path, number))
            choice = _choice(one, at, row.each, row.several, resolved)
            if choice is None:
                continue
            deeper = [item for item in row.each if len(item.theirs) > 1 and choice.member_of(item.theirs) is not None]
            if choice.at or deeper:
                resolved.fault(at, "paths that go on inside the item", "plain keys of the item", "Name its own keys.")
                continue
            _fit(choice, at, row.each, {}, resolved)
            mapped = {item.theirs[0].key for item in row.each}
            for key in sorted(_keys(choice) - mapped):
                gone = ReadyRow(unique_name(), (paths.Step(key),), "write", row.placed)
                row.each.append(gone)  # what an item does not say is known to be empty, and empty is left out
            found.append((row, choice))
    return tuple(found)


def _keys(choice: Choice) -> set[str]:
    return {key for member in choice.members for key in member.keys}


def _choice(
    written: list[Any], at: Place, rows: Sequence[ReadyRow], several: Sequence[SeveralRow], resolved: Resolved
) -> Choice | None:
    members: list[list[tuple[str, ...]]] = []
    for one in written:
        keys = []
        for text in one if isinstance(one, list) else [one]:
            try:
                path = paths.parse(text)
            except paths.PathError as error:
                resolved.fault(at, error.found, error.expected, "Correct the path.")
                return None
            if any(step.where for step in path):
                resolved.fault(at, repr(text), "a path without a filter", "Name the list itself, or take it out.")
                return None
            keys.append(tuple(step.key for step in path))
        members.append(keys)
    parents = {keys[:-1] for member in members for keys in member}
    if len(parents) > 1:
        resolved.fault(at, "paths in different groups", "members that stand beside one another", "Correct the paths.")
        return None
    parent = parents.pop()
    bare = Choice(parent, tuple(Member(tuple(keys[-1] for keys in member), ()) for member in members))
    if sum(len(member.keys) for member in bare.members) > len(_keys(bare)):
        resolved.fault(at, "one path twice", "each path once", "Take one of the two out.")
        return None
    fields: list[list[Field]] = [[] for _ in members]
    for number, field in _fields(bare, rows, several):
        fields[number].append(field)
    if not any(fields):
        resolved.fault(at, "a choice in which nothing is mapped", "a row for one member at least", "Take it out.")
        return None
    return Choice(parent, tuple(Member(one.keys, tuple(of)) for one, of in zip(bare.members, fields, strict=True)))


def _fields(
    choice: Choice, rows: Sequence[ReadyRow], several: Sequence[SeveralRow]
) -> Iterable[tuple[int, Field]]:
    joint = {name: row for row in several for name in row.names}
    for row in rows:
        number = choice.member_of(row.theirs)
        if number is None or row.constant is not ABSENT:
            continue
        whole = joint.get(row.ours)
        for ours in whole.ours if whole else (row.ours,):
            yield number, Field(ours, row.shown, row.reads, row.writes, row.stops)


def _fit(
    choice: Choice,
    at: Place,
    rows: Sequence[ReadyRow],
    optional: dict[tuple[str, ...], str | None],
    resolved: Resolved,
) -> None:
    """A member that is empty is left out, whatever the file says of emptiness elsewhere."""
    depth = len(choice.at) + 1
    for row in rows:
        if choice.member_of(row.theirs) is None:
            continue
        keys = row.placed.keys
        alone = len(row.theirs) == depth
        if row.constant is not ABSENT and alone:
            resolved.fault(row.placed.place("constant"), "a constant that is a member of a choice",
                           "members that depend on a value", "Take the row out.")  # fmt: skip
        for key in ("needed", "default"):
            if keys.get(key):
                resolved.fault(row.placed.place(key), f"`{key}` in a choice", "members that may all be missing",
                               f"Take `{key}` out: which member is there follows from the value.")  # fmt: skip
        if alone and keys.get("empty", "omit") != "omit":
            resolved.fault(row.placed.place("empty"), "an empty member of a choice that is written",
                           "`empty: omit`, or none", "Take `empty` out.")  # fmt: skip
        if alone and not row.theirs[-1].where:
            row.emptied = DROP
        else:
            group = tuple(step.key for step in row.theirs[:depth])
            if optional.setdefault(group, "omit") != "omit":
                resolved.fault(at, f"`{'/'.join(group)}`, which `optional` writes in another way", "omit",
                               "Write omit there.")  # fmt: skip


def reading(read: Read, choices: Sequence[Choice]) -> Read:
    """Where one member is there, the fields of the others are known to be empty."""

    def whole(record: dict[str, Any]) -> Reading:
        found = read(record)
        facts = dict(found.facts)
        for choice in choices:
            there = _there(choice, choice.group(record))
            if len(there) != 1:
                continue
            mine = {field.ours for field in choice.members[there[0]].fields if field.reads}
            for number, member in enumerate(choice.members):
                for field in member.fields if number != there[0] else ():
                    if field.reads and field.ours not in mine:
                        facts[field.ours] = None
        return Reading(facts, found.left_out, found.stopped, found.remarks)

    return whole


def writing(write: Write, choices: Sequence[Choice]) -> Write:
    """Where a value of one member is written, the others go."""

    def whole(facts: Mapping[str, Json], onto: dict[str, Any] | None) -> Writing:
        given = dict(facts)
        left_out: list[Gap] = []
        stopped: list[Gap] = []
        chosen = [_choose(choice, given, left_out, stopped) for choice in choices]
        written = write(given, onto)
        refused = {gap.field for gap in (*written.left_out, *written.stopped)}
        record = written.record
        for choice, member in zip(choices, chosen, strict=True):
            gone = _blank_ones(choice, given, choice.group(record) or {})
            if member is not None and any(_has(given, field) and field.ours not in refused for field in member.fields):
                gone |= _keys(choice) - set(member.keys)
            record = _without(record, choice.at, gone)
        return Writing(record, left_out + written.left_out, stopped + written.stopped)

    return whole


def writing_lists(write: Write, choices: Sequence[tuple[ReadyRow, Choice]]) -> Write:
    """An item with values for two members leaves its whole list out, as any item does that cannot be written."""

    def whole(facts: Mapping[str, Json], onto: dict[str, Any] | None) -> Writing:
        given = dict(facts)
        left_out: list[Gap] = []
        stopped: list[Gap] = []
        for row, choice in choices:
            items = given.get(row.ours) or ()
            for item in items if isinstance(items, list) else ():
                if sum(any(_in_item(item, field) for field in member.fields) for member in choice.members) > 1:
                    reason = f"one of {', '.join(member.shown for member in choice.members)} in an item"
                    (stopped if row.stops else left_out).append(Gap(row.ours, row.shown, "wrong type", reason=reason))
                    del given[row.ours]
                    break
        written = write(given, onto)
        return Writing(written.record, left_out + written.left_out, stopped + written.stopped)

    return whole


def _in_item(item: Json, field: Field) -> bool:
    return isinstance(item, dict) and field.writes and said(item, field.ours) not in (ABSENT, None, "", [])


def _choose(
    choice: Choice, given: dict[str, Json], left_out: list[Gap], stopped: list[Gap]
) -> Member | None:
    """The first member for which a value is known; what is known of later ones is taken out, as gaps."""
    first: Member | None = None
    for member in choice.members:
        known = [field for field in member.fields if field.writes and _has(given, field)]
        if known and first is None:
            first = member
        elif known and first is not None:
            reason = f"nothing beside {first.shown}: the interface takes one of them"
            for field in known:
                (stopped if field.stops else left_out).append(Gap(field.ours, field.shown, "wrong type", reason=reason))
                given.pop(field.ours, None)
    return first


def _has(given: Mapping[str, Json], field: Field) -> bool:
    return field.writes and given.get(field.ours) not in (None, "", [])


def _there(choice: Choice, group: dict[str, Any] | None) -> list[int]:
    held = {key for key in group or {} if not blank((group or {})[key])}
    return [number for number, member in enumerate(choice.members) if held & set(member.keys)]


def _blank_ones(choice: Choice, given: Mapping[str, Json], group: dict[str, Any]) -> set[str]:
    """Members that we have emptied and that are still there, as an empty list or text."""
    ours = [member for member in choice.members if any(field.ours in given for field in member.fields if field.writes)]
    return {key for member in ours for key in member.keys if key in group and blank(group[key])}


def _without(record: dict[str, Any], at: tuple[str, ...], gone: set[str]) -> dict[str, Any]:
    """The record without these keys of a group, copied only where it changes."""
    if not at:
        return {key: value for key, value in record.items() if key not in gone} if gone & set(record) else record
    inner = record.get(at[0])
    if isinstance(inner, list) and len(inner) == 1 and isinstance(inner[0], dict):
        made = _without(inner[0], at[1:], gone)
        return record if made is inner[0] else record | {at[0]: [made]}
    if not isinstance(inner, dict):
        return record
    made = _without(inner, at[1:], gone)
    return record if made is inner else record | {at[0]: made}

