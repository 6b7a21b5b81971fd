"""Writing: the same rows the other way, laid over what the target holds.

Only the groups that a field of ours changes are copied; everything else of the target's record is taken over as it
is. A field that is not known is left alone, one that is known to be empty is emptied as its row says. A group or a
list item in which nothing is left goes as a whole, where the interface allows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mappings.converters import TooLong, WrongType
from mappings.mapping import Gap, GapKind, Writing
from mappings.meta import Json
from mappings.read import Branch, Notes, Where, as_items, matches, refusal, unwrap
from mappings.rows import ABSENT, DROP, KEEP, NEW, NOTHING, Mark, ReadyRow, spelled

Put = Callable[[Json, Mapping[str, Json], Notes], Json]  # (what is there, facts, notes) -> new value, DROP or KEEP

_UNCONVERTIBLE = (WrongType, ValueError, TypeError, AttributeError, KeyError, OverflowError)
_INSIDE_AN_ITEM = ("[]",)  # a place that no file can name as optional
_TWO_OR_MORE = "one of it in the target, and not several"


class Shape:
    """What the file says of groups: how emptiness is written, and which groups may be empty as a whole."""

    def __init__(self, empty: str | None, optional: Mapping[tuple[str, ...], str | None]) -> None:
        self.nothing_listed: Json = DROP if empty == "omit" else []
        self.optional = {keys: NOTHING[style] for keys, style in optional.items()}


def writer(rows: Iterable[ReadyRow], shape: Shape) -> Callable[[Mapping[str, Json], dict[str, Any] | None], Writing]:
    """Make the function that writes facts onto a record."""
    tree = Branch()
    for row in rows:
        if row.writes:
            tree.add(row.theirs, row)
    put = _group(tree, (), shape)

    def write(facts: Mapping[str, Json], onto: dict[str, Any] | None) -> Writing:
        notes = Notes([], [], [])
        record = put(onto or NEW, facts, notes)
        if not isinstance(record, dict):  # nothing was known, or nothing is left
            record = dict(onto or {}) if record is KEEP else {}
        return Writing(record, notes.left_out, notes.stopped)

    return write


def _group(branch: Branch, at: tuple[str, ...], shape: Shape, fixed: Where = ()) -> Put:
    """The closure of one group. `fixed`: the keys by which a list item was picked."""
    puts: list[tuple[str, Put]] = [(key, _row(row, shape)) for key, row in branch.rows if row.constant is ABSENT]
    puts += [(key, _group(group, (*at, key), shape)) for key, group in branch.groups.items()]
    puts += [(key, _picks(picks, (*at, key), shape)) for key, picks in branch.picks.items()]
    constants = {key: row.constant for key, row in branch.rows if row.constant is not ABSENT}
    nothing = DROP if fixed else shape.optional.get(at, KEEP)
    return _putter(tuple(puts), constants, branch, {key for key, _ in fixed}, nothing)


def _putter(
    puts: tuple[tuple[str, Put], ...], constants: dict[str, Json], branch: Branch, fixed: set[str], nothing: Json
) -> Put:
    """`nothing`: what is left of a group in which nothing is said; KEEP if the group must be there all the same.

    What is declared as default is only for what is new. It alone makes no group that may be missing, and none in a
    record that the target has held without it.
    """
    has_text, rows, always = branch.has_text(), branch.all_rows(), bool(constants) and not puts
    given = fixed | set(constants)
    defaults = {
        key: row.unwritten for key, row in branch.rows if row.unwritten is not ABSENT and row.unwritten is not DROP
    }
    leads = tuple(key for key, row in branch.rows if row.lead)

    def put(there: Json, facts: Mapping[str, Json], notes: Notes) -> Json:
        held: dict[str, Json]
        if type(there) is dict:
            held = there
        elif isinstance(there, Mark) or there is None or there == "" or there == []:
            held = {}
        elif isinstance(there, list) and len(there) == 1 and isinstance(there[0], dict):
            held = there[0]
        elif has_text and isinstance(there, str):
            held = {".": there}
        else:
            for row in rows:
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
        if nothing is not KEEP and _nothing_left(made, given, leads):
            return nothing
        if not held and missing is ABSENT:
            made = {key: value for key, value in defaults.items() if key not in made} | made
        made.update(constants)
        return made["."] if has_text and not fixed and set(made) == {"."} else made

    return put


def _picks(picks: dict[Where, Branch], at: tuple[str, ...], shape: Shape) -> Put:
    """The items that are picked from one list by fixed keys; the list's other items stay."""
    groups = [(where, _group(branch, at, shape, fixed=where)) for where, branch in picks.items()]
    rows = [row for branch in picks.values() for row in branch.all_rows()]

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


def _row(row: ReadyRow, shape: Shape) -> Put:
    """The closure of one row."""
    if row.each:
        return _list(row, shape)
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
        except _UNCONVERTIBLE as error:
            (notes.stopped if row.stops else notes.left_out).append(refusal(row, error, value))
            return KEEP

    return put


def _list(row: ReadyRow, shape: Shape) -> Put:
    """The closure of an `each` row: their list becomes ours, item by item."""
    ours, emptied, most, needed = row.ours, row.emptied, row.most, row.needed
    where, fixed = row.theirs[-1].where, row.where
    tree = Branch()
    for item_row in row.each:
        if item_row.writes:
            tree.add(item_row.theirs, item_row)
    put_item = _group(tree, _INSIDE_AN_ITEM, shape)
    names = tuple(item_row.ours for item_row in row.each if item_row.writes and item_row.ours)
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
            new = put_item(_match(key, known, mine), known, inner)
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
    if key is None or not mine or known.get(key.ours) is None:
        return ABSENT
    try:
        return mine.pop(spelled(key.write(known[key.ours])), ABSENT)
    except _UNCONVERTIBLE:
        return ABSENT  # writing the item will say why


def _flat(item: Json, names: tuple[str, ...]) -> dict[str, Json]:
    """The item's values by the names of its rows. What an item does not say is known to be empty: lists are whole."""
    flat: dict[str, Json] = {}
    for name in names:
        value = item
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        flat[name] = value
    return flat


def blank(value: Json) -> bool:
    """Whether nothing is said there."""
    if isinstance(value, dict):
        return all(blank(inner) for inner in value.values())
    if isinstance(value, list):
        return all(blank(inner) for inner in value)
    return value is None or value == ""


def _nothing_left(made: dict[str, Json], given: set[str], leads: tuple[str, ...]) -> bool:
    """Whether a group says nothing: a value that leads it is not there, or none that we do not always give."""
    if any(blank(made.get(key)) for key in leads):
        return True
    return all(blank(value) for key, value in made.items() if key not in given)


def _note(notes: Notes, row: ReadyRow, kind: GapKind, reason: str) -> None:
    (notes.stopped if row.stops else notes.left_out).append(Gap(row.ours, row.shown, kind, reason=reason))
