"""Rows that meet: two that read into one field, or write to one path. Whichever came last would win, unseen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import NamedTuple

from mappings import fieldpaths, paths
from mappings.choices import Choice
from mappings.overlay import PlacedRow, Resolved
from mappings.rows import ABSENT, ReadyRow
from mappings.several import SeveralRow


class _Reach(NamedTuple):
    """What one row reads into and writes to, with all its paths."""

    ours: tuple[str, ...]
    theirs: tuple[paths.Path, ...]
    reads: bool
    writes: bool
    placed: PlacedRow


def overlaps(
    rows: Sequence[ReadyRow],
    several: Sequence[SeveralRow],
    resolved: Resolved,
    choices: Sequence[Choice] = (),
    within: str = "",
) -> None:
    """Note every two rows that meet, in the file and inside each list."""
    reaches = list(_reaches(rows, several))
    for reach in reaches:
        _with_itself(reach, resolved)
    for one, other in combinations(reaches, 2):
        if one.reads and other.reads and not _apart(one, other, choices):
            _meet_in_ours(one, other, resolved)
        if one.writes and other.writes:
            _meet_in_theirs(one, other, resolved)
    for row in rows:
        if row.each:
            overlaps(row.each, row.several, resolved, (), row.ours)
        if row.constant is ABSENT and not within and row.placed.keys.get("key"):
            place = row.placed.place("key")
            resolved.fault(place, "`key` outside `each`", "`key` in the rows of a list", "Take it out.")


def _reaches(rows: Sequence[ReadyRow], several: Sequence[SeveralRow]) -> Iterable[_Reach]:
    """Each row in the order of the file; a row with several paths stands where its first plain row does."""
    joint = {row.parts[0].ours: row for row in several}
    for row in rows:
        if row.ours in joint:
            whole = joint[row.ours]
            yield _Reach(whole.ours, whole.theirs, whole.reads, whole.writes, whole.placed)
        elif not row.hidden:
            yield _Reach((row.ours,), (row.theirs,), row.reads, row.writes, row.placed)


def _with_itself(reach: _Reach, resolved: Resolved) -> None:
    for side, named in (("ours", reach.ours), ("theirs", tuple(map(paths.spell, reach.theirs)))):
        if len(set(named)) < len(named):
            resolved.fault(reach.placed.place(side), f"one path twice in `{side}`", "each path once", "Correct a path.")


def _apart(one: _Reach, other: _Reach, choices: Sequence[Choice]) -> bool:
    """Whether no record holds both: they are in two members of one choice."""
    for choice in choices:
        mine = {choice.member_of(path) for path in one.theirs}
        yours = {choice.member_of(path) for path in other.theirs}
        if None not in mine | yours and not mine & yours:
            return True
    return False


def _meet_in_ours(one: _Reach, other: _Reach, resolved: Resolved) -> None:
    for mine in one.ours:
        for yours in other.ours:
            if _ours_overlap(mine, yours):
                found = f"{_quoted(yours)} beside {_quoted(mine)}"
                remedy = "Give one of the two `direction: write`, or take it out."
                resolved.fault(other.placed.place("ours"), found, "one row that reads a field", remedy)
                return


def _meet_in_theirs(one: _Reach, other: _Reach, resolved: Resolved) -> None:
    for mine in one.theirs:
        for yours in other.theirs:
            if paths.contains(mine, yours) or paths.contains(yours, mine):
                found = f"{_quoted(paths.spell(yours))} beside {_quoted(paths.spell(mine))}"
                remedy = "Give one of the two `direction: read`, or take it out."
                resolved.fault(other.placed.place("theirs"), found, "one row that writes a path", remedy)
                return


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
