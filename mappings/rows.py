"""One row, made ready: its paths parsed, its converter or code list chosen, what is wrong with it named.

A `ReadyRow` holds plain functions for both directions; `read.py` and `write.py` hang them into the shape of the
system's record. Nothing here looks at a record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final

from mappings import converters, fieldpaths, paths
from mappings.codes import CodeList
from mappings.converters import BadOption, Converter, TooLong, WrongType
from mappings.file import Direction
from mappings.meta import Json, Kind
from mappings.overlay import PlacedRow, Resolved

Codes = Callable[[str], CodeList]  # raises LookupError if there is no list of that name


class Mark:
    """A value that no record can hold."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


NEW: Final = Mark("NEW")  # not there, and neither is the record or group around it
ABSENT: Final = Mark("ABSENT")  # the path is not there, or nothing is declared for it
DROP: Final = Mark("DROP")  # take the key out
KEEP: Final = Mark("KEEP")  # leave what is there


# How known emptiness is written. `default` is filled in where the row's default has been converted.
NOTHING: Final[dict[str | None, Json]] = {
    "omit": DROP,
    "null": None,
    None: None,
    "text": "",
    "list": [],
    "default": ABSENT,
}


class UnknownCode(WrongType):
    """The code list has no row for the value."""


@dataclass(slots=True)
class ReadyRow:
    """A row that can be run. `read` and `write` raise WrongType (TooLong, UnknownCode); both take None for empty."""

    ours: str
    theirs: paths.Path
    direction: Direction
    placed: PlacedRow = field(repr=False)
    read: Callable[[Json], Json] = lambda raw: raw
    write: Callable[[Json], Json] = lambda value: value
    note: Callable[[Json], str | None] | None = None
    converter: Converter | None = None
    code_list: str = ""
    stops: bool = False  # G6: an unknown code or a wrong type here stops the record
    needed: bool = False  # and so does having no value
    unread: Json = ABSENT  # what a record without this path reads as
    emptied: Json = DROP  # how known emptiness is written
    unwritten: Json = ABSENT  # what is written when nobody knows
    constant: Json = ABSENT
    key: bool = False
    lead: bool = False  # without it the group around it goes
    each: list[ReadyRow] = field(default_factory=list)
    where: dict[str, Json] = field(default_factory=dict)  # fixed keys of new items of `each`
    most: int = 0  # items that the system holds, 0 for no limit

    @property
    def shown(self) -> str:
        """The path in the system's record, for gaps and faults."""
        return paths.spell(self.theirs)

    @property
    def reads(self) -> bool:
        """Whether the row is used when a record is read."""
        return self.direction != "write"

    @property
    def writes(self) -> bool:
        """Whether the row is used when a record is written."""
        return self.direction != "read"


class RowMaker:
    """Makes rows ready, collecting faults and the code lists that were used."""

    def __init__(self, resolved: Resolved, codes: Codes, zone: str) -> None:
        self.resolved = resolved
        self.zone = zone
        self.used: dict[str, CodeList] = {}
        self._codes = codes
        self._empty = resolved.head.get("empty", "omit")

    def make(self, placed: PlacedRow, within: str = "") -> ReadyRow | None:
        """The row made ready; None if its faults (noted) leave nothing to run. `within`: the list of an `each` row."""
        keys = placed.keys
        theirs = self._theirs(placed)
        if "constant" in keys:
            return self._constant(placed, theirs)
        ours = self._ours(placed, within)
        if theirs is None or ours is None:
            return None
        row = ReadyRow(ours, theirs, keys.get("direction", "both"), placed)
        row.needed = keys.get("needed", False)
        row.stops = row.needed or fieldpaths.needed(f"{within}[].{ours}" if within else ours)
        row.key, row.lead = keys.get("key", False), keys.get("lead", False)
        row.most = keys.get("max_items", 0)
        many = bool(placed.each) or fieldpaths.type_of(ours, within).many
        row.emptied = self._emptied(keys, many=many)
        if keys.get("missing") == "empty":
            row.unread = None
        if placed.each:
            self._each(row, within)
        else:
            if "where" in keys:
                self._fault(placed, "where", "`where` without `each`", "`where` beside `each` only",
                            "Pick the item in the path instead: contacts[type=mobile]/value.")  # fmt: skip
            self._scalar(row, within)
        self._defaults(row)
        return row

    def _theirs(self, placed: PlacedRow) -> paths.Path | None:
        text = placed.keys.get("theirs")
        if text is None:
            self._fault(placed, "", "no `theirs`", "a path in the system's record", "Add `theirs`.")
            return None
        try:
            path = paths.parse(text)
        except paths.PathError as error:
            self._fault(placed, "theirs", error.found, error.expected, "Correct the path.")
            return None
        if path[-1].where and not placed.each:
            path = (*path, paths.Step("."))  # an item picked for its own text
        return path

    def _ours(self, placed: PlacedRow, within: str) -> str | None:
        text = placed.keys.get("ours")
        if text is None:
            self._fault(placed, "", "no `ours`", "a path in the referral (only a `constant` has none)", "Add `ours`.")
            return None
        wrong = fieldpaths.check(text, within)
        if wrong is not None:
            self._fault(placed, "ours", repr(text), wrong, "Correct the path.")
            return None
        return fieldpaths.normalise(text)

    def _constant(self, placed: PlacedRow, theirs: paths.Path | None) -> ReadyRow | None:
        for key in ("ours", "as", "codes", "default", "each", "absent", "needed"):
            if key in placed.keys:
                self._fault(placed, key, f"`{key}` beside `constant`", "a constant that is only ever written",
                            f"Take `{key}` or `constant` out.")  # fmt: skip
        if placed.keys.get("direction", "write") != "write":
            self._fault(placed, "direction", "a constant that is read", "direction: write", "Take `direction` out.")
        if theirs is None:
            return None
        return ReadyRow("", theirs, "write", placed, constant=placed.keys["constant"])

    def _each(self, row: ReadyRow, within: str) -> None:
        placed = row.placed
        declared = fieldpaths.type_of(row.ours, within)
        if not declared.many or not declared.members:
            self._fault(placed, "each", f"`each` on {row.ours!r}", "a field that is a list of objects",
                        "Map the field itself.")  # fmt: skip
        for key in ("as", "codes", "max_length", "absent", "options"):
            if key in placed.keys:
                self._fault(
                    placed, key, f"`{key}` beside `each`", f"`{key}` in the rows of the items", "Move it there."
                )
        row.where = dict(placed.keys.get("where", {}))
        *parents, last = row.theirs
        if row.where:
            fixed = tuple(sorted((key, spelled(value)) for key, value in row.where.items()))
            row.theirs = (*parents, paths.Step(last.key, tuple(sorted({*last.where, *fixed}))))
        row.where = {**dict(last.where), **row.where}
        made = [self.make(item, row.ours) for item in placed.each]
        row.each = [item for item in made if item is not None]
        if sum(item.key for item in row.each) > 1:
            self._fault(
                placed, "each", "several rows with `key`", "one row that tells the items apart", "Keep one `key`."
            )

    def _scalar(self, row: ReadyRow, within: str) -> None:
        keys = row.placed.keys
        declared = fieldpaths.type_of(row.ours, within)
        converter = self._converter(row, declared)
        if converter is None:
            return
        row.converter, row.note = converter, converter.note
        row.read, row.write = converter.read, converter.write
        if "codes" in keys:
            self._coded(row, converter, declared, keys["codes"])
        if (length := keys.get("max_length")) is not None:
            row.write = at_most(row.write, length)
        if declared.many and not converter.many:
            row.read, row.write = itemwise(row.read, dropping_none=True), itemwise(row.write)
        if row.most:
            row.write = at_most_items(row.write, row.most)

    def _converter(self, row: ReadyRow, declared: fieldpaths.FieldType) -> Converter | None:
        keys, placed = row.placed.keys, row.placed
        name = keys.get("as")
        if name is None:
            name = "text" if "codes" in keys else converters.default_for(declared.kind, declared.many)
        elif name not in converters.NAMES:
            close = get_close_matches(name, converters.NAMES, n=1)
            remedy = f"Did you mean {close[0]}?" if close else f"The converters are: {', '.join(converters.NAMES)}."
            self._fault(placed, "as", f"the converter {name!r}", "the name of a converter", remedy)
            return None
        options = dict(keys.get("options", {}))
        if "absent" in keys:
            options["absent"] = keys["absent"]
        try:
            converter = converters.make(name, options, zone=keys.get("zone", self.zone))
        except BadOption as error:
            key = error.option if error.option in keys else "options" if "options" in keys else "as"
            self._fault(placed, key, f"{error.option} of the converter {name}", str(error), "Correct the option.")
            return None
        if "codes" not in keys and declared.kind not in (Kind.ANY, *converter.kinds):
            wanted = " or ".join(str(kind) for kind in converter.kinds)
            self._fault(placed, "as" if "as" in keys else "ours", f"{row.ours!r}, which is a {declared.kind}",
                        f"a field that is {wanted} for the converter {name}", "Choose another converter.")  # fmt: skip
            return None
        if converter.many and not declared.many:
            self._fault(
                placed, "as", f"the converter {name} on {row.ours!r}", "a field that is a list", "Choose another."
            )
            return None
        return converter

    def _coded(self, row: ReadyRow, converter: Converter, declared: fieldpaths.FieldType, name: str) -> None:
        try:
            codes = self.used[name] = self._codes(name)
        except LookupError:
            expected = "the name of a CSV file beside the mappings"
            found = f"no code list named {name!r}"
            self._fault(row.placed, "codes", found, expected, "Correct the name, or add the file.")
            return
        row.code_list = name
        reads, writes = codes.reads(), codes.writes()
        if declared.codes:
            for ours in sorted({*reads.values(), *writes} - set(declared.codes)):
                close = get_close_matches(ours, declared.codes, n=1)
                remedy = f"Did you mean {close[0]}?" if close else "Correct the code list."
                self._fault(row.placed, "codes", f"the code {ours!r} in the list {name}",
                            f"for {row.ours}: {', '.join(declared.codes)}", remedy)  # fmt: skip
        row.read = through(converter.read, reads)
        row.write = through_back(converter.write, writes)

    def _emptied(self, keys: dict[str, Any], *, many: bool) -> Json:
        if "empty" in keys:
            return NOTHING[keys["empty"]]
        if "absent" in keys:
            return keys["absent"][0]
        return [] if many and NOTHING[self._empty] is not DROP else NOTHING[self._empty]

    def _defaults(self, row: ReadyRow) -> None:
        default = row.placed.keys.get("default")
        if row.emptied is ABSENT and (default is None or default.get("write") is None):
            self._fault(row.placed, "empty", "`empty: default` without a default to write", "`default: {write: ...}`",
                        "Add it, or write emptiness in another way.")  # fmt: skip
        if default is None:
            return
        if row.each:
            self._fault(row.placed, "default", "`default` beside `each`", "no default for a list", "Take it out.")
            return
        if "read" in default:
            row.unread = default["read"]
        if "write" in default:
            try:
                row.unwritten = row.emptied if default["write"] is None else row.write(default["write"])
            except WrongType as error:
                found = f"a default that cannot be written: {default['write']!r}"
                self._fault(row.placed, "default", found, str(error), "Give a value in our words.")
        if row.emptied is ABSENT:
            row.emptied = row.unwritten

    def _fault(self, placed: PlacedRow, key: str, found: str, expected: str, remedy: str) -> None:
        self.resolved.fault(placed.place(key), found, expected, remedy)


def spelled(value: Json) -> str:
    """The text by which a filter compares a value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def through(convert: Callable[[Json], Json], table: Mapping[str, str]) -> Callable[[Json], Json]:
    """Read a code: what the converter gives is looked up. A number or boolean is looked up as it is spelled."""

    def read(raw: Json) -> Json:
        if type(raw) is str and raw in table:
            return table[raw]
        value = convert(raw if isinstance(raw, str | dict | list) or raw is None else spelled(raw))
        if value is None:
            return None
        found = table.get(spelled(value))
        if found is None:
            raise UnknownCode("a code of the list")
        return found

    return read


def through_back(convert: Callable[[Json], Json], table: Mapping[str, str]) -> Callable[[Json], Json]:
    """Write a code."""

    def write(value: Json) -> Json:
        found = table.get(spelled(value))
        if found is None:
            raise UnknownCode("a code of the list")
        return convert(found)

    return write


def itemwise(convert: Callable[[Json], Json], *, dropping_none: bool = False) -> Callable[[Json], Json]:
    """Convert each item; a single value counts as a list of one, nothing at all as an empty list."""

    def items(raw: Json) -> Json:
        if raw is None or raw == "":
            return None
        converted = [convert(item) for item in (raw if isinstance(raw, list) else [raw])]
        if dropping_none:
            return [item for item in converted if item is not None] or None
        return converted

    return items


def at_most(convert: Callable[[Json], Json], length: int) -> Callable[[Json], Json]:
    """Refuse a text (or a text of a list) that is longer than the system holds."""

    def write(value: Json) -> Json:
        written = convert(value)
        if isinstance(written, str):
            fits = len(written) <= length
        else:
            fits = not isinstance(written, list) or all(
                len(text) <= length for text in written if isinstance(text, str)
            )
        if not fits:
            raise TooLong(f"at most {length} characters")
        return written

    return write


def at_most_items(convert: Callable[[Json], Json], most: int) -> Callable[[Json], Json]:
    """Refuse a list that is longer than the system holds."""

    def write(value: Json) -> Json:
        written = convert(value)
        if isinstance(written, list) and len(written) > most:
            raise TooLong(f"at most {most} items")
        return written

    return write
