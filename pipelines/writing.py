"""Writing: what a target is sent, laid onto what it holds. Pure, rule R8 of docs/data-model.md.

A field is written only if ours differs from what the target shows, and only if what it shows is what we know: an edit
that we have not taken in is never written over. It comes to us by the feed, where merging decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipelines.merge import OURS, Base, group_of, last_known

if TYPE_CHECKING:
    from connectors.port import Item
    from mappings.mapping import Gap
    from mappings.mapping import Mapping as FieldMapping


@dataclass(frozen=True, slots=True)
class Draft:
    """What would be sent. `record` is None when the target holds all of it already."""

    record: dict[str, Any] | None = field(repr=False)
    expected: Mapping[str, Any] = field(repr=False)  # what the target will show of what we wrote, and agrees on already
    left_out: Sequence[Gap] = ()
    stopped: Sequence[Gap] = ()
    held_back: Sequence[str] = ()  # fields with an edit in the target that we have not taken in


def draft_create(mapping: FieldMapping, facts: Mapping[str, Any]) -> Draft:
    """Write a whole new record."""
    known = {name: value for name, value in facts.items() if value is not None}
    writing = mapping.write(known, None)
    expected = mapping.expected(writing.record) if not writing.stopped else {}
    return Draft(writing.record, expected, writing.left_out, writing.stopped)


def draft_update(
    mapping: FieldMapping,
    facts: Mapping[str, Any],
    current: Item,
    base: Base,
    *,
    shows_changes: bool,
    whole: bool,
    hash_of: Callable[[str, Any], str],
) -> Draft:
    """Write onto what the target holds.

    `shows_changes`: the target is a source too, so an edit made there will reach us. `whole`: everything is sent back,
    with what we do not map; otherwise what changes alone.
    """
    reading = mapping.read(current.record)
    shown = reading.facts
    # What it holds and we cannot read, such as a code that nobody has mapped, is somebody's word and no empty field.
    unread = {gap.field for gap in (*reading.left_out, *reading.stopped)}
    write: dict[str, Any] = {}
    # What it shows just as we would write it, though we did not know: a call that died after it was carried out, say.
    # If its feed never says so (a version that needs attention is not taken in), it would look like an edit for ever.
    agreed: dict[str, Any] = {}
    held_back: list[str] = []
    for name in mapping.fields:
        if name not in facts:
            continue  # unknown is never written
        if name in unread:
            held_back.append(name)
            continue
        present = shown.get(name)
        known = last_known(base, name)
        if facts[name] == present or hash_of(name, facts[name]) == hash_of(name, present):
            if present is not None and known != hash_of(name, present):
                agreed[name] = present
            continue
        moved = name in shown and known is not None and hash_of(name, present) != known
        # Never seen there: whatever stands there was typed by somebody. Its feed brings it, and R3 decides and tells.
        unknown_edit = known is None and present is not None
        if group_of(name) not in OURS and shows_changes and (moved or unknown_edit):
            held_back.append(name)
            continue
        write[name] = facts[name]
    if not write:
        return Draft(None, agreed, held_back=held_back)
    # Always written onto what is there: onto nothing it would be a create, with defaults and everything needed.
    writing = mapping.write(write, current.record)
    if writing.stopped:
        return Draft(writing.record, {}, writing.left_out, writing.stopped, held_back)
    after = mapping.expected(writing.record)
    # A target that lays what it gets over what it has is sent only what differs, so that it is asked to change no more.
    changed = {name: v for name, v in writing.record.items() if name not in current.record or current.record[name] != v}
    if not changed and writing.record.keys() >= current.record.keys():
        return Draft(None, agreed, writing.left_out, (), held_back)  # all of it was left out
    record = writing.record if whole else changed
    shows = agreed | {name: after[name] for name in write if name in after}
    return Draft(record, shows, writing.left_out, (), held_back)
