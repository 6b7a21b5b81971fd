"""One row, made ready: its paths parsed, its converter or code list chosen, what is wrong with it named.

A `ReadyRow` holds plain functions for both directions; `read.py` and `write.py` hang them into the shape of the
system's record. Nothing here looks at a record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from mappings import converters, fieldpaths, paths
from mappings.around import UnknownCode, at_most, at_most_items, itemwise, spelled, through, through_back
from mappings.codes import CodeList
from mappings.converters import BadOption, Converter, WrongType
from mappings.converters.port import Declared
from mappings.file import Direction
from mappings.meta import Json, Kind
from mappings.overlay import PlacedRow, Resolved

__all__ = [
    "ABSENT", "DROP", "KEEP", "NEW", "NOTHING", "UNKNOWN_CONVERTER", "Codes", "Mark", "ReadyRow", "RowMaker",
    "UnknownCode", "spelled",
]  # fmt: skip

if TYPE_CHECKING:
    from mappings.several import SeveralRow

Codes = Callable[[str], CodeList]  # raises LookupError if there is no list of that name


UNKNOWN_CONVERTER: Final = "the name of a converter"  # what is expected where `as` names none


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
    read_keeps: type | None = None  # a value of this type, not empty, is read as it is
    read_swift: Callable[[Json], Json] | None = None  # see `Converter.swift_read`
    read_codes: Mapping[str, str] | None = None  # a text that is here is read so
    write_swift: Callable[[Json], Json] | None = None  # see `Converter.swift_write`
    write_keeps: type | None = None  # a value of this type, not empty and not too long, is written as it is
    write_codes: Mapping[str, str] | None = None  # a text that is here is written so
    longest: int = 0  # characters of a text that the system holds, 0 for no limit
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
    several: list[SeveralRow] = field(default_factory=list)  # rows of `each` with several paths on one side

    @property
    def hidden(self) -> bool:
        """Whether it only walks for a row with several paths, under a name that no field has."""
        return self.ours.startswith("#")

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

    def __init__(
        self,
        resolved: Resolved,
        codes: Codes,
        zone: str,
        make_several: Callable[[RowMaker, PlacedRow, str], SeveralRow | None],
        own: Mapping[str, Declared],
    ) -> None:
        self.resolved = resolved
        self.zone = zone
        self.used: dict[str, CodeList] = {}
        self.used_own: set[str] = set()  # the site's own converters that a row names
        self._codes = codes
        self._empty = resolved.head.get("empty", "omit")
        self._make_several = make_several
        self._own = own
        self._named = 0

    def make_all(self, placed: Iterable[PlacedRow], within: str = "") -> tuple[list[ReadyRow], list[SeveralRow]]:
        """All rows made ready: the plain ones (with those that walk for a row with several paths), and the others."""
        plain: list[ReadyRow] = []
        several: list[SeveralRow] = []
        for one in placed:
            if isinstance(one.keys.get("ours"), list) or isinstance(one.keys.get("theirs"), list):
                if (joint := self._make_several(self, one, within)) is not None:
                    several.append(joint)
                    plain += joint.parts
            elif (row := self.make(one, within)) is not None:
                plain.append(row)
        return plain, several

    def unique_name(self) -> str:
        """A name that no field has."""
        self._named += 1
        return f"#{self._named}"

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
        row.emptied = self.emptied(keys, many=many)
        if keys.get("missing") == "empty":
            row.unread = None
        if placed.each:
            self._each(row, within)
        else:
            if "where" in keys:
                self.fault(placed, "where", "`where` without `each`", "`where` beside `each` only",
                            "Pick the item in the path instead: contacts[type=mobile]/value.")  # fmt: skip
            self._scalar(row, within)
        self._defaults(row)
        return row

    def _theirs(self, placed: PlacedRow) -> paths.Path | None:
        text = placed.keys.get("theirs")
        if text is None:
            self.fault(placed, "", "no `theirs`", "a path in the system's record", "Add `theirs`.")
            return None
        return self.their_path(placed, text)

    def their_path(self, placed: PlacedRow, text: str) -> paths.Path | None:
        """A path of theirs, read; None if it cannot be (noted)."""
        try:
            path = paths.parse(text)
        except paths.PathError as error:
            self.fault(placed, "theirs", error.found, error.expected, "Correct the path.")
            return None
        if path[-1].where and not placed.each:
            path = (*path, paths.Step("."))  # an item picked for its own text
        return path

    def _ours(self, placed: PlacedRow, within: str) -> str | None:
        text = placed.keys.get("ours")
        if text is None:
            self.fault(placed, "", "no `ours`", "a path in the referral (only a `constant` has none)", "Add `ours`.")
            return None
        return self.our_path(placed, text, within)

    def our_path(self, placed: PlacedRow, text: str, within: str) -> str | None:
        """A path of ours in its one spelling; None if there is no such field (noted)."""
        wrong = fieldpaths.check(text, within)
        if wrong is not None:
            words, _, remedy = wrong.partition("; ")
            expected = "a field of the referral" if remedy else words
            remedy = remedy[:1].upper() + remedy[1:] if remedy else "Correct the path."
            self.fault(placed, "ours", repr(text), expected, remedy)
            return None
        return fieldpaths.normalise(text)

    def _constant(self, placed: PlacedRow, theirs: paths.Path | None) -> ReadyRow | None:
        for key in ("ours", "as", "codes", "default", "each", "absent", "needed"):
            if key in placed.keys:
                self.fault(placed, key, f"`{key}` beside `constant`", "a constant that is only ever written",
                            f"Take `{key}` or `constant` out.")  # fmt: skip
        if placed.keys.get("direction", "write") != "write":
            self.fault(placed, "direction", "a constant that is read", "direction: write", "Take `direction` out.")
        if theirs is None:
            return None
        return ReadyRow("", theirs, "write", placed, constant=placed.keys["constant"])

    def _each(self, row: ReadyRow, within: str) -> None:
        placed = row.placed
        declared = fieldpaths.type_of(row.ours, within)
        if not declared.many or not declared.members:
            self.fault(placed, "each", f"`each` on {row.ours!r}", "a field that is a list of objects",
                        "Map the field itself.")  # fmt: skip
        for key in ("as", "codes", "max_length", "absent", "options"):
            if key in placed.keys:
                self.fault(
                    placed, key, f"`{key}` beside `each`", f"`{key}` in the rows of the items", "Move it there."
                )
        row.where = dict(placed.keys.get("where", {}))
        *parents, last = row.theirs
        if row.where:
            fixed = tuple(sorted((key, spelled(value)) for key, value in row.where.items()))
            row.theirs = (*parents, paths.Step(last.key, tuple(sorted({*last.where, *fixed}))))
        row.where = {**dict(last.where), **row.where}
        row.each, row.several = self.make_all(placed.each, row.ours)
        if sum(item.key for item in row.each) > 1:
            self.fault(
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
        row.read_keeps, row.write_keeps = converter.read_keeps, converter.write_keeps
        row.read_swift, row.write_swift = converter.swift_read, converter.swift_write
        if "codes" in keys:
            self._coded(row, converter, declared, keys["codes"])
        if (length := keys.get("max_length")) is not None:
            row.longest, row.write, row.write_swift = length, at_most(row.write, length), None
        if declared.many and not converter.many:
            row.read, row.write = itemwise(row.read, dropping_none=True), itemwise(row.write)
            row.read_keeps = row.read_swift = row.read_codes = None
            row.write_keeps = row.write_swift = row.write_codes = None
        if row.most:
            row.write = at_most_items(row.write, row.most)

    def _converter(self, row: ReadyRow, declared: fieldpaths.FieldType) -> Converter | None:
        keys, placed = row.placed.keys, row.placed
        name = keys.get("as")
        if name is None:
            name = "text" if "codes" in keys else converters.default_for(declared.kind, declared.many)
        elif name not in (known := (*converters.NAMES, *self._own)):
            close = get_close_matches(name, known, n=1)
            remedy = f"Did you mean {close[0]}?" if close else f"The converters are: {', '.join(known)}."
            if name in converters.SEVERAL_NAMES:
                remedy = "It goes with several paths on one side; write a list of paths there."
            self.fault(placed, "as", f"the converter {name!r}", UNKNOWN_CONVERTER, remedy)
            return None
        if name in self._own:
            self.used_own.add(name)
        options = dict(keys.get("options", {}))
        if "absent" in keys:
            options["absent"] = keys["absent"]
        try:
            converter = converters.make(name, options, zone=keys.get("zone", self.zone), own=self._own)
        except BadOption as error:
            key = error.option if error.option in keys else "options" if "options" in keys else "as"
            self.fault(placed, key, f"{error.option} of the converter {name}", str(error), "Correct the option.")
            return None
        if "codes" not in keys and declared.kind not in (Kind.ANY, *converter.kinds):
            wanted = " or ".join(str(kind) for kind in converter.kinds)
            self.fault(placed, "as" if "as" in keys else "ours", f"{row.ours!r}, which is a {declared.kind}",
                        f"a field that is {wanted} for the converter {name}", "Choose another converter.")  # fmt: skip
            return None
        if converter.many and not declared.many:
            self.fault(
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
            self.fault(row.placed, "codes", found, expected, "Correct the name, or add the file.")
            return
        row.code_list = name
        reads, writes = codes.reads(), codes.writes()
        if declared.codes:
            for ours in sorted({*reads.values(), *writes} - set(declared.codes)):
                close = get_close_matches(ours, declared.codes, n=1)
                remedy = f"Did you mean {close[0]}?" if close else f"Correct codes/{name}.csv."
                self.fault(row.placed, "codes", f"the code {ours!r} in the list {name}",
                            f"for {row.ours}: {', '.join(declared.codes)}", remedy)  # fmt: skip
        row.read = through(converter.read, reads)
        row.write = through_back(converter.write, writes)
        row.read_codes = dict(reads)
        row.write_codes = dict(writes) if converter.write_keeps is str else None
        row.read_keeps = row.read_swift = row.write_keeps = row.write_swift = None

    def emptied(self, keys: dict[str, Any], *, many: bool) -> Json:
        """How known emptiness is written."""
        if "empty" in keys:
            return NOTHING[keys["empty"]]
        if "absent" in keys:
            return keys["absent"][0]
        return [] if many and NOTHING[self._empty] is not DROP else NOTHING[self._empty]

    def _defaults(self, row: ReadyRow) -> None:
        default = row.placed.keys.get("default")
        if row.emptied is ABSENT and (default is None or default.get("write") is None):
            self.fault(row.placed, "empty", "`empty: default` without a default to write", "`default: {write: ...}`",
                        "Add it, or write emptiness in another way.")  # fmt: skip
        if default is None:
            return
        if row.each:
            self.fault(row.placed, "default", "`default` beside `each`", "no default for a list", "Take it out.")
            return
        if "read" in default:
            row.unread = default["read"]
        if "write" in default:
            try:
                row.unwritten = row.emptied if default["write"] is None else row.write(default["write"])
            except WrongType as error:
                found = f"a default that cannot be written: {default['write']!r}"
                self.fault(row.placed, "default", found, str(error), "Give a value in our words.")
        if row.emptied is ABSENT:
            row.emptied = row.unwritten

    def fault(self, placed: PlacedRow, key: str, found: str, expected: str, remedy: str) -> None:
        """Note what is wrong with a key of a row."""
        self.resolved.fault(placed.place(key), found, expected, remedy)
