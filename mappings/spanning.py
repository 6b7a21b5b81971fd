"""Around reading and writing: what rows with several paths on one side put together and take apart.

After reading, what plain rows left under names of their own becomes fields; before writing, fields become what those
rows write. An update that knows one half of a value reads the other half from what the target holds, so that it is not
wiped; where the target's value cannot be taken apart, the row is left out, and the gap says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mappings.converters import TooLong, WrongType
from mappings.mapping import Gap, Reading, Remark, Writing
from mappings.meta import Json
from mappings.read import nested
from mappings.rows import ABSENT, ReadyRow
from mappings.several import SeveralRow, said

Read = Callable[[dict[str, Any]], Reading]
Write = Callable[[Mapping[str, Json], dict[str, Any] | None], Writing]

_HALF = "both halves, or a value in the target that can be taken apart"


class Spans(NamedTuple):
    """The rows with several paths of one mapping: those of the file, and the lists that have such rows for items."""

    top: tuple[SeveralRow, ...]
    lists: tuple[ReadyRow, ...]

    def by_name(self) -> dict[str, SeveralRow]:
        """The rows of the file by the names of the plain rows that walk for them."""
        return {name: row for row in self.top for name in row.names}


def reading(read: Read, spans: Spans) -> Read:
    """Lay the rows with several paths around a function that reads."""
    owners = spans.by_name()

    def whole(record: dict[str, Any]) -> Reading:
        found = read(record)
        facts = dict(found.facts)
        left_out, refused = _renamed(found.left_out, owners)
        stopped, more = _renamed(found.stopped, owners)
        seen = Reading(facts, left_out, stopped, list(found.remarks))
        for row in spans.top:
            if row.reads:
                _gather(row, facts, seen, skip=id(row) in refused | more)
        for listed in spans.lists:
            if listed.reads and isinstance(items := facts.get(listed.ours), list):
                _gather_items(listed, items, facts, seen)
        return seen

    return whole


def _gather(row: SeveralRow, facts: dict[str, Json], seen: Reading, *, skip: bool) -> None:
    taken = {name: facts.pop(name, ABSENT) for name in row.names}
    if skip:
        return
    try:
        values = row.read(taken.__getitem__)
    except WrongType as error:
        _gaps(row, error, seen.stopped if row.stops else seen.left_out)
        return
    if row.needed and (values is None or all(value is None for value in values)):
        (seen.stopped if row.stops else seen.left_out).extend(
            Gap(ours, row.shown, "missing", reason="a value") for ours in row.ours
        )
        return
    if values is None:
        return
    facts.update(zip(row.ours, values, strict=True))
    remark = row.note(taken.__getitem__)
    if remark is not None:
        seen.remarks.append(Remark(row.ours[0], remark))


def _gather_items(row: ReadyRow, items: list[Json], facts: dict[str, Json], seen: Reading) -> None:
    """The same in each item of a list; an item that cannot be read leaves the whole field out, as ever."""
    made: list[Json] = []
    for item in items:
        flat = dict(item)
        for several in row.several:
            taken = {name: flat.pop(name, ABSENT) for name in several.names}
            try:
                values = several.read(taken.__getitem__)
            except WrongType as error:
                del facts[row.ours]
                into = seen.stopped if row.stops or several.stops else seen.left_out
                into.append(_gap(row.ours, f"{row.shown}/{several.shown}", error))
                return
            known = zip(several.ours, values or (), strict=False)
            _merge(flat, nested({name: value for name, value in known if value is not None}))
        if flat:
            made.append(flat)
    facts[row.ours] = made or None


def _merge(into: dict[str, Any], more: dict[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


def writing(write: Write, held: Read, spans: Spans) -> Write:
    """Lay the rows with several paths around a function that writes. `held`: reads the plain rows from the target."""
    owners = spans.by_name()

    def whole(facts: Mapping[str, Json], onto: dict[str, Any] | None) -> Writing:
        given = dict(facts)
        before = Writing({}, [], [])
        there = held(onto).facts if onto else {}
        for row in spans.top:
            if row.writes:
                _scatter(row, given, there, before)
        for listed in spans.lists:
            if listed.writes and isinstance(items := given.get(listed.ours), list):
                _scatter_items(listed, items, given, before)
        written = write(given, onto)
        left_out, refused = _renamed(written.left_out, owners)
        stopped, more = _renamed(written.stopped, owners)
        if refused or more:  # half of a value must not be written when the other half cannot be
            for name, row in owners.items():
                if id(row) in refused | more:
                    given.pop(name, None)
            again = write(given, onto)
            written = Writing(again.record, left_out, stopped)
        return Writing(written.record, before.left_out + left_out, before.stopped + stopped)

    return whole


def _scatter(row: SeveralRow, given: dict[str, Json], there: Mapping[str, Json], seen: Writing) -> None:
    values = [given.get(ours, ABSENT) for ours in row.ours]
    into = seen.stopped if row.stops else seen.left_out
    known = [ours for ours, value in zip(row.ours, values, strict=True) if value is not ABSENT]
    if not known:
        if row.needed and all(there.get(name) is None for name in row.names):
            into.extend(Gap(ours, row.shown, "missing", reason="a value") for ours in row.ours)
        return
    if len(known) < len(row.ours):
        try:
            present = row.read(lambda name: there.get(name, ABSENT)) or [None] * len(row.ours)
        except WrongType:
            into.extend(Gap(ours, row.shown, "wrong type", reason=_HALF) for ours in known)
            return
        values = [mine if mine is not ABSENT else held for mine, held in zip(values, present, strict=True)]
    if row.needed and all(value is None or value == "" or value == [] for value in values):
        into.extend(Gap(ours, row.shown, "missing", reason="a value") for ours in row.ours)
        return
    try:
        given.update(zip(row.names, row.write(values), strict=True))
    except WrongType as error:
        _gaps(row, error, into)


def _scatter_items(row: ReadyRow, items: list[Json], given: dict[str, Json], seen: Writing) -> None:
    made: list[Json] = []
    for item in items:
        flat: dict[str, Json] = dict(item) if isinstance(item, dict) else {}
        for several in row.several:
            values = [None if (value := said(flat, ours)) is ABSENT else value for ours in several.ours]
            try:
                flat.update(zip(several.names, several.write(values), strict=True))
            except WrongType as error:
                del given[row.ours]
                into = seen.stopped if row.stops or several.stops else seen.left_out
                into.append(_gap(row.ours, f"{row.shown}/{several.shown}", error))
                return
        made.append(flat)
    given[row.ours] = made


def _renamed(gaps: list[Gap], owners: Mapping[str, SeveralRow]) -> tuple[list[Gap], set[int]]:
    """The gaps by the names of fields, each once, and the rows that are refused for them."""
    kept: list[Gap] = []
    refused: set[int] = set()
    for gap in gaps:
        row = owners.get(gap.field)
        if row is None:
            kept.append(gap)
        elif id(row) not in refused:
            refused.add(id(row))
            kept += [Gap(ours, gap.theirs, gap.kind, value=gap.value, reason=gap.reason) for ours in row.ours]
    return kept, refused


def _gaps(row: SeveralRow, error: WrongType, into: list[Gap]) -> None:
    into.extend(_gap(ours, row.shown, error) for ours in row.ours)


def _gap(ours: str, theirs: str, error: WrongType) -> Gap:
    return Gap(ours, theirs, "too long" if isinstance(error, TooLong) else "wrong type", reason=error.expected)
