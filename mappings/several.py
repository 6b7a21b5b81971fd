"""Rows with several paths on one side: several of theirs that are one field of ours, or one of theirs that is several.

The record is walked by plain rows, one for each of their paths, under names that no field has (`#1`); around reading
and writing what stands under those names is put together or taken apart (`spanning.py`). So reading and writing know
nothing of this, and a mapping without such rows pays nothing for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from mappings import converters, fieldpaths, paths
from mappings.around import at_most
from mappings.converters import BadOption, Several, SeveralRequest, WrongType
from mappings.converters.port import Converter, with_absent
from mappings.file import Direction
from mappings.meta import Json, Kind
from mappings.overlay import PlacedRow
from mappings.rows import ABSENT, ReadyRow, RowMaker

_REFUSED_KEYS = ("codes", "each", "where", "choices", "key", "max_items", "constant")
_ONLY_FOR_ONE = ("absent", "max_length")  # mean something for one value of theirs, and nothing for several


@dataclass(slots=True)
class SeveralRow:
    """A row between one value and several, made ready. `parts`: the plain rows by which the record is walked."""

    ours: tuple[str, ...]
    theirs: tuple[paths.Path, ...]
    direction: Direction
    placed: PlacedRow = field(repr=False)
    convert: Several = field(repr=False)
    parts: list[ReadyRow] = field(repr=False)
    stops: bool = False
    needed: bool = False
    unread: Json = ABSENT

    @property
    def names(self) -> tuple[str, ...]:
        """The names under which the plain rows read and write."""
        return tuple(part.ours for part in self.parts)

    @property
    def shown(self) -> str:
        """Their paths, for gaps."""
        return " + ".join(paths.spell(path) for path in self.theirs)

    @property
    def reads(self) -> bool:
        """Whether the row is used when a record is read."""
        return self.direction != "write"

    @property
    def writes(self) -> bool:
        """Whether the row is used when a record is written."""
        return self.direction != "read"

    def read(self, take: Callable[[str], Json]) -> Sequence[Json] | None:
        """The fields of ours, in order; None where nothing is known. Raises WrongType. `take`: a plain row's value."""
        raw = [take(name) for name in self.names]
        if all(value is ABSENT for value in raw):
            return None if self.unread is ABSENT else [self.unread for _ in self.ours]
        if all(value is ABSENT or value is None for value in raw):
            return [None for _ in self.ours]
        if len(self.ours) > 1:
            return self.convert.apart(raw[0])
        return [self.convert.together([None if value is ABSENT else value for value in raw])]

    def write(self, values: Sequence[Json]) -> Sequence[Json]:
        """What the plain rows write for the fields of ours, None for what is known to be empty. Raises WrongType."""
        if all(value is None or value == "" or value == [] for value in values):
            return [None for _ in self.parts]
        if len(self.ours) > 1:
            return [self.convert.together([None if value == "" or value == [] else value for value in values])]
        return self.convert.apart(values[0])

    def note(self, take: Callable[[str], Json]) -> str | None:
        """What has to be remarked about a value that was read."""
        if self.convert.note is None:
            return None
        raw = [take(name) for name in self.names]
        return self.convert.note([None if value is ABSENT else value for value in raw])


def spans_several(placed: PlacedRow) -> bool:
    """Whether a row names several paths on a side."""
    return isinstance(placed.keys.get("ours"), list) or isinstance(placed.keys.get("theirs"), list)


def make_several(maker: RowMaker, placed: PlacedRow, within: str) -> SeveralRow | None:
    """The row made ready; None if its faults (noted) leave nothing to run."""
    keys = placed.keys
    refused = [key for key in _REFUSED_KEYS if keys.get(key)]
    refused += ["default"] if "default" in keys and isinstance(keys.get("ours"), list) else []
    refused += ["empty"] if keys.get("empty") == "default" else []
    refused += [key for key in _ONLY_FOR_ONE if key in keys and isinstance(keys["theirs"], list)]
    for key in refused:
        maker.fault(placed, key, f"`{key}` beside several paths", "a row with one path on each side for that",
                    f"Take `{key}` out.")  # fmt: skip
    ours = _our_paths(maker, placed, within)
    theirs = _their_paths(maker, placed)
    if ours is None or theirs is None or refused:
        return None
    convert = _converter(maker, placed, ours, theirs, within)
    if convert is None:
        return None
    direction: Direction = keys.get("direction", "both")
    if convert.loses and direction == "both" and not keys.get("lossy"):
        maker.fault(placed, "as", f"the converter {convert.name} on a row that is not declared lossy",
                    f"`lossy: {convert.loses}`, or `lossy: true`", "Add `lossy`, or a `direction`.")  # fmt: skip
    row = SeveralRow(ours, theirs, direction, placed, convert, [])
    row.needed = keys.get("needed", False)
    row.stops = row.needed or any(fieldpaths.needed(f"{within}[].{one}" if within else one) for one in ours)
    row.unread = keys.get("default", {}).get("read", None if keys.get("missing") == "empty" else ABSENT)
    row.parts = [_part(maker, row, path) for path in theirs]
    row.parts[0].lead = keys.get("lead", False)
    if "write" in keys.get("default", {}):
        _default(maker, row, keys["default"]["write"])
    return row


def _default(maker: RowMaker, row: SeveralRow, value: Json) -> None:
    try:
        written = row.write([value])
    except WrongType as error:
        found = f"a default that cannot be written: {value!r}"
        maker.fault(row.placed, "default", found, error.expected, "Give a value in our words.")
        return
    for part, one in zip(row.parts, written, strict=True):
        part.unwritten = part.emptied if one is None else one


def _part(maker: RowMaker, row: SeveralRow, path: paths.Path) -> ReadyRow:
    """The plain row that walks to one of their paths, with a name of its own."""
    keys = row.placed.keys
    part = ReadyRow(maker.unique_name(), path, row.direction, row.placed)
    part.stops = row.stops
    part.emptied = maker.emptied(keys, many=False)
    plain = Converter(row.convert.name, _one_value, _one_value, "", (), ())
    absent = with_absent(plain, keys.get("absent", []))
    part.read, part.write = absent.read, absent.write
    if "max_length" in keys:
        part.write = at_most(part.write, keys["max_length"])
    return part


def _one_value(value: Json) -> Json:
    if isinstance(value, dict | list):
        raise WrongType("one value")
    return value


def _our_paths(maker: RowMaker, placed: PlacedRow, within: str) -> tuple[str, ...] | None:
    written = placed.keys.get("ours")
    if written is None:
        maker.fault(placed, "", "no `ours`", "one path in the referral, or several", "Add `ours`.")
        return None
    found = [maker.our_path(placed, one, within) for one in (written if isinstance(written, list) else [written])]
    return None if None in found else tuple(str(one) for one in found)


def _their_paths(maker: RowMaker, placed: PlacedRow) -> tuple[paths.Path, ...] | None:
    written = placed.keys.get("theirs")
    if written is None:
        maker.fault(placed, "", "no `theirs`", "one path in the system's record, or several", "Add `theirs`.")
        return None
    found = [maker.their_path(placed, one) for one in (written if isinstance(written, list) else [written])]
    kept = tuple(path for path in found if path is not None)
    if isinstance(placed.keys.get("ours"), list) and isinstance(written, list):
        maker.fault(placed, "theirs", "several paths on both sides", "several on one side, one on the other",
                    "Write a row for each, or one path here.")  # fmt: skip
        return None
    return kept if len(kept) == len(found) else None


def _converter(
    maker: RowMaker, placed: PlacedRow, ours: tuple[str, ...], theirs: tuple[paths.Path, ...], within: str
) -> Several | None:
    keys = placed.keys
    name, known = keys.get("as"), converters.SEVERAL_NAMES
    if name not in known:
        close = get_close_matches(str(name), known, n=1)
        remedy = f"Did you mean {close[0]}?" if close else f"Those between one and several are: {', '.join(known)}."
        found = f"the converter {name!r}" if name else "no `as`"
        maker.fault(placed, "as", found, "a converter between one value and several", remedy)
        return None
    fields = tuple((declared.kind, declared.many) for declared in (fieldpaths.type_of(one, within) for one in ours))
    fields = tuple((Kind.TEXT, False) if kind is Kind.ANY else (kind, many) for kind, many in fields)
    zone = keys.get("zone", maker.zone)
    try:
        return converters.make_several(SeveralRequest(name, keys.get("options", {}), zone, fields, len(theirs)))
    except BadOption as error:
        side = error.option in ("ours", "theirs", "zone")
        key = error.option if side else "options" if "options" in keys else "as"
        found = f"`{error.option}` of the converter {name}"
        maker.fault(placed, key, found, error.expected, "Correct it, or choose another converter.")
        return None


def said(known: Mapping[str, Any], name: str) -> Json:
    """A dotted name of a list item, ABSENT where the item does not say."""
    value: Json = known
    for part in name.split("."):
        if not isinstance(value, dict) or part not in value:
            return ABSENT
        value = value[part]
    return value
