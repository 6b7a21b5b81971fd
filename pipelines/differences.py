"""Differences: what two mappings make of one record, field by field, and two records that would be sent. Pure.

A difference names a path and says how; it holds the values for who may see them, and never shows them in `repr`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from mappings.mapping import Gap, Reading, Writing

CHANGED = "changed"
LEFT_OUT = "newly left out"
STOPPED = "newly stopped"
CARRIED = "newly carried"
GONE = "no longer carried"
HOWS = (STOPPED, LEFT_OUT, GONE, CHANGED, CARRIED)

#: What stands for a value that is not there, beside None, which is known emptiness.
NOTHING = object()


@dataclass(frozen=True, slots=True)
class Difference:
    """One place that comes out otherwise. `repr` shows no value."""

    path: str  # in the referral where something was read, in the system's record where it was written
    how: str
    before: Any = field(default=NOTHING, repr=False)
    after: Any = field(default=NOTHING, repr=False)


def reading_changes(before: Reading, after: Reading) -> list[Difference]:
    """What reads otherwise, by our paths."""
    paths = dict.fromkeys([*before.facts, *_paths(before), *after.facts, *_paths(after)])
    one, other = _gaps(before.left_out, before.stopped), _gaps(after.left_out, after.stopped)
    return [
        found
        for path in paths
        if (
            found := _difference(
                path, before.facts.get(path, NOTHING), after.facts.get(path, NOTHING), one.get(path), other.get(path)
            )
        )
    ]


def written_changes(before: Writing, after: Writing) -> list[Difference]:
    """What would be written otherwise, by their paths."""
    one = _gaps(before.left_out, before.stopped, theirs=True)
    other = _gaps(after.left_out, after.stopped, theirs=True)
    had, has = dict(flat(before.record)), dict(flat(after.record))
    return [
        found
        for path in dict.fromkeys([*had, *one, *has, *other])
        if (
            found := _difference(
                path, had.get(path, NOTHING), has.get(path, NOTHING), one.get(path), other.get(path)
            )
        )
    ]


def writing_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """What differs between two records that go to a system, by their paths."""
    had, has = dict(flat(before)), dict(flat(after))
    return [
        found
        for path in dict.fromkeys([*had, *has])
        if (found := _difference(path, had.get(path, NOTHING), has.get(path, NOTHING), None, None))
    ]


def flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf of a record with its path; a list of plain values is one leaf."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from flat(inner, f"{path}/{name}" if path else name)
    elif isinstance(value, list) and any(isinstance(inner, dict) for inner in value):
        for at, inner in enumerate(value):
            yield from flat(inner, f"{path}[{at}]")
    else:
        yield path, orjson.dumps(value).decode() if isinstance(value, list) else value


def _difference(path: str, before: Any, after: Any, gap: str | None, new_gap: str | None) -> Difference | None:
    if new_gap and new_gap != gap:
        return Difference(path, new_gap, before, after)
    if new_gap:
        return None  # stopped or left out by both
    if after is NOTHING:
        return Difference(path, GONE, before, after) if before is not NOTHING else None
    if before is NOTHING:
        return Difference(path, CARRIED, before, after)
    return Difference(path, CHANGED, before, after) if before != after else None


def _gaps(left_out: Sequence[Gap], stopped: Sequence[Gap], *, theirs: bool = False) -> dict[str, str]:
    return {
        gap.theirs if theirs else gap.field: how
        for gaps, how in ((left_out, LEFT_OUT), (stopped, STOPPED))
        for gap in gaps
    }


def _paths(reading: Reading) -> list[str]:
    return [gap.field for gap in (*reading.left_out, *reading.stopped)]
