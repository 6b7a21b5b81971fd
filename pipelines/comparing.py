"""Comparing what two systems show of one request: pure, and by keyed hashes on the target's side.

What counts is what the target would show if it held what the source shows: the source's facts go through the target's
mapping and back. So a field that one side does not carry, or carries with a declared loss, is no difference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pipelines.merge import OURS, Base, group_of, last_known

if TYPE_CHECKING:
    from mappings.mapping import Mapping as FieldMapping

#: What stands for a field that the target shows in a way that cannot be read: it is neither equal nor different.
UNREADABLE = "?"
#: Field -> keyed hash, None for known to be empty, UNREADABLE. A field that is not there is not shown.
Shown = Mapping[str, str | None]
HashOf = Callable[[str, Any], str]


def hashed(mapping: FieldMapping, record: dict[str, Any], hash_of: HashOf) -> dict[str, str | None]:
    """What a record shows, as hashes: nobody's data, so it may lie in a temporary table."""
    reading = mapping.read(record)
    shown = {name: None if value is None else hash_of(name, value) for name, value in reading.facts.items()}
    return shown | {gap.field: UNREADABLE for gap in (*reading.left_out, *reading.stopped)}


def differing(
    facts: Mapping[str, Any],
    shown: Shown,
    *,
    target: str,
    source: str,
    mapping: FieldMapping,
    owners: Mapping[str, str],
    hash_of: HashOf,
) -> list[str]:
    """The fields in which a target does not show what it should, given the facts that the source shows.

    A field that the target owns is its own say. Emptiness counts only where the source owns the field: nobody else may
    clear it.
    """
    writing = mapping.write({name: value for name, value in facts.items() if value is not None}, None)
    gaps = {gap.field for gap in (*writing.left_out, *writing.stopped)}
    expected = mapping.expected(writing.record)
    found = []
    for name in mapping.fields:
        owner = owners.get(group_of(name))
        if name not in facts or name in gaps or owner == target or shown.get(name) == UNREADABLE:
            continue
        if facts[name] is None:
            if owner == source and group_of(name) not in OURS and shown.get(name) is not None:
                found.append(name)
        elif expected.get(name) is not None and hash_of(name, expected[name]) != shown.get(name):
            found.append(name)
    return found


def is_stale(fields: list[str], shown: Shown, base: Base) -> bool:
    """Say whether the target shows just what we last knew of it: then it is behind, and nobody else wrote there."""
    return bool(fields) and all(shown.get(name) == last_known(base, name) for name in fields)
