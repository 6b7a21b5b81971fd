"""Writing: the same rows the other way, laid over what the target holds.

Only the groups that a field of ours changes are copied; everything else of the target's record is taken over as it
is. A field that is not known is left alone, one that is known to be empty is emptied as its row says. A group or a
list item in which nothing is left goes as a whole, where the interface allows it.
This is the exact way, which decides about everything; `swift_write.py` spares it what is new and plain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from mappings import fieldpaths
from mappings.converters import TooLong, WrongType
from mappings.mapping import Gap, GapKind, Writing
from mappings.meta import Json
from mappings.read import Branch, Notes, Where, as_items, matches, refusal, unwrap
from mappings.referral import Referral
from mappings.rows import ABSENT, DROP, KEEP, NEW, NOTHING, Mark, ReadyRow, spelled
from mappings.swift_write import UNCONVERTIBLE, collapsed, nothing_left, swift, swift_of, with_defaults

Put = Callable[[Json, Mapping[str, Json], Notes], Json]  # (what is there, facts, notes) -> new value, DROP or KEEP

_INSIDE_AN_ITEM = ("[]",)  # a place that no file can name as optional
_TWO_OR_MORE = "one of it in the target, and not several"


class Shape:
    """What the file says of groups: how emptiness is written, and which groups may be empty as a whole."""

    def __init__(self, empty: str | None, optional: Mapping[tuple[str, ...], str | None]) -> None:
        self.nothing_listed: Json = DROP if empty == "omit" else []
        self.optional = {keys: NOTHING[style] for keys, style in optional.items()}


class Part(NamedTuple):
    """What hangs in a group under one key: a row, a group, or the items that are picked from one list."""

    key: str
    put: Put
    row: ReadyRow | None = None
    group: Group | None = None
    items: Group | None = None  # of a row that is a list: what one item is
    picks: tuple[tuple[Where, Group], ...] = ()
    none_picked: Json = DROP  # what stands there if all of them go


class Group(NamedTuple):
    """A group of the target's record: what both ways, the exact and the swift, are made of."""

    rows: list[ReadyRow]  # every row in and below it
    parts: tuple[Part, ...]
    constants: dict[str, Json]
    defaults: dict[str, Json]  # for what is new, where nobody knows
    leads: tuple[str, ...]
    given: frozenset[str]  # keys that say nothing, because we always give them
    nothing: Json  # what is left of it when it says nothing; KEEP if it must be there all the same
    has_text: bool  # a plain text counts as the group
    picked: bool  # an item of a list, which stays a group when it has nothing but its text


class Writer(NamedTuple):
    """The functions that write."""

    facts: Callable[[Mapping[str, Json], dict[str, Any] | None], Writing]  # (facts, onto)
    referral: Callable[[Referral], Writing] | None  # a new record; None if a row is about no field of a referral


def writer(rows: Sequence[ReadyRow], shape: Shape) -> Writer:
    """Make the functions that write facts onto a record, or a referral as a new one."""
    group = group_of(rows, (), shape)
    put, new = putter(group), swift(group, NEW)

    def facts_onto(facts: Mapping[str, Json], onto: dict[str, Any] | None) -> Writing:
        notes = Notes([], [], [])
        record = put(onto, facts, notes) if onto else new(facts, notes)
        if not isinstance(record, dict):  # nothing was known, or nothing is left
            record = dict(onto or {}) if record is KEEP else {}
        return Writing(record, notes.left_out, notes.stopped)

    hidden = any(one.hidden for row in rows for one in (row, *row.each))
    if hidden or not all(fieldpaths.check(row.ours) is None for row in rows if row.writes and row.ours):
        return Writer(facts_onto, None)
    new_of = swift_of(group)

    def referral_new(referral: Referral) -> Writing:
        notes = Notes([], [], [])
        record = new_of(referral, notes)
        return Writing(record if isinstance(record, dict) else {}, notes.left_out, notes.stopped)

    return Writer(facts_onto, referral_new)


def group_of(rows: Iterable[ReadyRow], at: tuple[str, ...], shape: Shape) -> Group:
    """The rows that write, as one group."""
    tree = Branch()
    for row in rows:
        if row.writes:
            tree.add(row.theirs, row)
    return _group(tree, at, shape)


def _group(branch: Branch, at: tuple[str, ...], shape: Shape, fixed: Where = ()) -> Group:
    """One group. `fixed`: the keys by which a list item was picked."""
    parts = [_row_part(key, row, shape) for key, row in branch.rows if row.constant is ABSENT]
    for key, inner in branch.groups.items():
        group = _group(inner, (*at, key), shape)
        parts.append(Part(key, putter(group), group=group))
    for key, picks in branch.picks.items():
        picked = tuple((where, _group(inner, (*at, key), shape, where)) for where, inner in picks.items())
        put = _picks(picked, shape)
        parts.append(Part(key, put, picks=picked, none_picked=shape.nothing_listed))
    constants = {key: row.constant for key, row in branch.rows if row.constant is not ABSENT}
    defaults = {
        key: row.unwritten for key, row in branch.rows if row.unwritten is not ABSENT and row.unwritten is not DROP
    }
    return Group(
        rows=branch.all_rows(),
        parts=tuple(parts),
        constants=constants,
        defaults=defaults,
        leads=tuple(key for key, row in branch.rows if row.lead),
        given=frozenset({key for key, _ in fixed} | set(constants)),
        nothing=DROP if fixed else shape.optional.get(at, KEEP),
        has_text=branch.has_text(),
        picked=bool(fixed),
    )


def putter(group: Group) -> Put:
    """The closure of one group. What is declared as default is only for what is new.

    It alone makes no group that may be missing, and none in a record that the target has held without it.
    """
    puts = tuple((part.key, part.put) for part in group.parts)
    nothing, always = group.nothing, bool(group.constants) and not puts

    def put(there: Json, facts: Mapping[str, Json], notes: Notes) -> Json:
        held: dict[str, Json]
        if type(there) is dict:
            held = there
        elif isinstance(there, Mark) or there is None or there == "" or there == []:
            held = {}
        elif isinstance(there, list) and len(there) == 1 and isinstance(there[0], dict):
            held = there[0]
        elif group.has_text and isinstance(there, str):
            held = {".": there}
        else:
            for row in group.rows:
                if row.ours in facts:
                    _note(notes, row, "wrong type", _TWO_OR_MORE)
            return KEEP
        missing = NEW if there is NEW and nothing is KEEP else ABSENT
        made: dict[str, Json] | None = None
        for key, run in puts:
            new = run(held.get(key, missing), facts, notes)
            if new is KEEP or (new is DROP and key not in held):
                continue
            if made is None:
                made = dict(held)
            if new is DROP:
                del made[key]
            else:
                made[key] = new
        if made is None and not always:
            return KEEP
        made = dict(held) if made is None else made
        if nothing is not KEEP and nothing_left(made, group.given, group.leads):
            return nothing
        if not held and missing is ABSENT:
            made = with_defaults(group.defaults, made)
        made.update(group.constants)
        return collapsed(made) if group.has_text and not group.picked else made

    return put


def _picks(picks: tuple[tuple[Where, Group], ...], shape: Shape) -> Put:
    """The items that are picked from one list by fixed keys; the list's other items stay."""
    groups = [(where, putter(group)) for where, group in picks]
    rows = [row for _, group in picks for row in group.rows]

    def put(there: Json, facts: Mapping[str, Json], notes: Notes) -> Json:
        held = as_items(None if isinstance(there, Mark) else there)
        if held is None:
            for row in rows:
                if row.ours in facts:
                    _note(notes, row, "wrong type", "a list in the target")
            return KEEP
        items, touched = list(held), False
        for where, run in groups:
            place = next((place for place, item in enumerate(items) if matches(item, where)), None)
            new = run(ABSENT if place is None else items[place], facts, notes)
            if new is KEEP:
                continue
            touched = True
            if new is DROP:
                if place is not None:
                    del items[place]
            elif place is None:
                items.append(dict(where) | new)
            else:
                items[place] = new
        if not touched:
            return KEEP
        return items or shape.nothing_listed

    return put


def _row_part(key: str, row: ReadyRow, shape: Shape) -> Part:
    if row.each:
        items = group_of(row.each, _INSIDE_AN_ITEM, shape)
        return Part(key, _list(row, items), row, items=items)
    return Part(key, _row(row), row)


def _row(row: ReadyRow) -> Put:
    """The closure of one row."""
    ours, convert, emptied, unwritten, needed = row.ours, row.write, row.emptied, row.unwritten, row.needed

    def put(there: Json, facts: Mapping[str, Json], notes: Notes) -> Json:
        value = facts.get(ours, ABSENT)
        if value is ABSENT:
            if there is NEW and unwritten is not ABSENT:
                return unwritten
            if needed and (there is NEW or there is ABSENT):
                _note(notes, row, "missing", "a value")
            return KEEP
        if value is None or value == "" or value == []:
            if needed:
                _note(notes, row, "missing", "a value")
                return KEEP
            return emptied
        try:
            return convert(value)
        except UNCONVERTIBLE as error:
            (notes.stopped if row.stops else notes.left_out).append(refusal(row, error, value))
            return KEEP

    return put


def _list(row: ReadyRow, items: Group) -> Put:
    """The closure of an `each` row: their list becomes ours, item by item."""
    ours, emptied, most, needed = row.ours, row.emptied, row.most, row.needed
    where, fixed = row.theirs[-1].where, row.where
    put_item, new_item = putter(items), swift(items, ABSENT)
    names = {item.ours: tuple(item.ours.split(".")) for item in row.each if item.writes and item.ours}
    key = next((item_row for item_row in row.each if item_row.key and len(item_row.theirs) == 1), None)

    def put(there: Json, facts: Mapping[str, Json], notes: Notes) -> Json:
        value = facts.get(ours, ABSENT)
        if value is ABSENT:
            if needed and isinstance(there, Mark):
                _note(notes, row, "missing", "a list")
            return KEEP
        held = as_items(None if isinstance(there, Mark) else there) or []
        others = [item for item in held if where and not matches(item, where)]
        if not value:
            if needed:
                _note(notes, row, "missing", "a list that is not empty")
                return KEEP
            return others or emptied
        inner = Notes([], [], [])
        if not isinstance(value, list) or (most and len(value) > most):
            kind = TooLong(f"at most {most} items") if isinstance(value, list) else WrongType("a list")
            (notes.stopped if row.stops else notes.left_out).append(refusal(row, kind, None))
            return KEEP
        mine = _by_key(key, [item for item in held if not where or matches(item, where)])
        made = []
        for item in value:
            known = _flat(item, names)
            found = _match(key, known, mine) if mine else ABSENT
            new = new_item(known, inner) if found is ABSENT else put_item(found, known, inner)
            if new is not KEEP and new is not DROP:
                made.append(dict(fixed) | new if fixed and isinstance(new, dict) else new)
        if inner.left_out or inner.stopped:
            stops = row.stops or bool(inner.stopped)
            for gap in inner.left_out + inner.stopped:
                whole = Gap(ours, f"{row.shown}/{gap.theirs}", gap.kind, gap.code_list, gap.value, gap.reason)
                (notes.stopped if stops else notes.left_out).append(whole)
            return KEEP
        return [*others, *made]

    return put


def _by_key(key: ReadyRow | None, items: list[Json]) -> dict[str, Json]:
    """Their items by the value that tells them apart, the first one of each."""
    found: dict[str, Json] = {}
    if key is not None:
        for item in items:
            held = item.get(key.theirs[0].key) if isinstance(item, dict) else item
            found.setdefault(spelled(unwrap(held)), item)
    return found


def _match(key: ReadyRow | None, known: dict[str, Json], mine: dict[str, Json]) -> Json:
    if key is None or known.get(key.ours) is None:
        return ABSENT
    try:
        return mine.pop(spelled(key.write(known[key.ours])), ABSENT)
    except UNCONVERTIBLE:
        return ABSENT  # writing the item will say why


def _flat(item: Json, names: dict[str, tuple[str, ...]]) -> dict[str, Json]:
    """The item's values by the names of its rows. What an item does not say is known to be empty: lists are whole."""
    flat: dict[str, Json] = {}
    for name, parts in names.items():
        value = item
        for part in parts:
            value = value.get(part) if isinstance(value, dict) else None
        flat[name] = value
    return flat


def _note(notes: Notes, row: ReadyRow, kind: GapKind, reason: str) -> None:
    (notes.stopped if row.stops else notes.left_out).append(Gap(row.ours, row.shown, kind, reason=reason))
