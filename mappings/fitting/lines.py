"""A mapping's rows made ready to be held against an interface: what stands at each path, in each use of the record.

A row may have several paths on either side; each of theirs becomes a line. What a row does with values (converter, code
list) is looked at only where it has one path on each side: a converter of several has parts of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from mappings import converters, fieldpaths, paths
from mappings.codes import CodeList
from mappings.converters import BadOption, Converter
from mappings.declaration import Field
from mappings.interface import Found, Interface, Missing, Schema, Use, item_of, look
from mappings.overlay import Place, PlacedRow, Resolved

WRITES: tuple[Use, ...] = ("create", "update")
USES: tuple[Use, ...] = ("read", *WRITES)


@dataclass(frozen=True, slots=True)
class Misfit:
    """One thing that does not fit. `kind` names the check; `warn`: the mapping works, but not for every record.

    `path` leads into the data of `file`; with `code_list` it is a list's row that is meant, in its `line`.
    """

    kind: str
    file: str
    path: tuple[str | int, ...]
    found: str
    expected: str
    remedy: str
    warn: bool = False
    code_list: str = ""
    line: int = 0


@dataclass(slots=True)
class Line:
    """One path of theirs with its row. `spots`: what stands there in each use that the row takes part in."""

    placed: PlacedRow
    theirs: paths.Path
    ours: tuple[str, ...]  # in full: `needs[].code`; () for a constant
    within: str  # the list of ours that an item's row belongs to
    prefix: str  # and the path of theirs
    spots: dict[Use, Found | Missing] = field(default_factory=dict)
    declared: Field | None = None  # our field, where there is one alone
    converter: Converter | None = None
    codes: CodeList | None = None
    plain: bool = True  # one path on each side
    owner: Lines = field(repr=False, kw_only=True)

    @property
    def keys(self) -> dict[str, Any]:
        """The row's keys."""
        return self.placed.keys

    @property
    def reads(self) -> bool:
        """Whether the row is used when a record is read."""
        return "constant" not in self.keys and self.keys.get("direction", "both") != "write"

    @property
    def writes(self) -> bool:
        """Whether the row is used when a record is written."""
        return bool(self.keys.get("direction", "both") != "read")

    @property
    def stops(self) -> bool:
        """Whether what cannot be carried here stops the record."""
        needed: bool = self.keys.get("needed") is True
        return needed or any(map(fieldpaths.needed, self.ours))

    @property
    def each(self) -> bool:
        """Whether the row is of a list, item by item."""
        return bool(self.placed.each)

    @property
    def shown(self) -> str:
        """The path, whole."""
        text = paths.spell(self.theirs)
        return f"{self.prefix}/{text}" if self.prefix else text

    def found(self, *uses: Use) -> Iterator[tuple[Use, Schema]]:
        """What stands there in these uses, where the interface says anything about it."""
        for use in uses or USES:
            spot = self.spots.get(use)
            if isinstance(spot, Found) and not spot.open and spot.schema:
                yield use, spot.schema

    def misfit(self, kind: str, key: str, found: str, expected: str, remedy: str, *, warn: bool = False) -> Misfit:
        """Something wrong with this row, at the place that wrote `key`."""
        place = self.placed.place(key)
        return Misfit(kind, place.origin, place.path, found, expected, remedy, warn)


@dataclass(slots=True)
class Lines:
    """All lines of a mapping."""

    resolved: Resolved
    interface: Interface
    clock: str | None
    empty: str | None
    top: list[Line] = field(default_factory=list)
    items: list[Line] = field(default_factory=list)  # those of the rows below an `each`

    def every(self) -> list[Line]:
        """All of them."""
        return [*self.top, *self.items]

    def misfit(self, place: Place, kind: str, found: str, expected: str, remedy: str, *, warn: bool = False) -> Misfit:
        """Something wrong that no row is to blame for."""
        return Misfit(kind, place.origin, place.path, found, expected, remedy, warn)


def lines_of(resolved: Resolved, interface: Interface, codes: Callable[[str], CodeList], clock: str | None) -> Lines:
    """Look every path of the mapping up in every use of the interface."""
    lines = Lines(resolved, interface, clock, resolved.head.get("empty", "omit"))
    whole = {use: interface.of(use) for use in USES}
    for placed in resolved.rows:
        made = _lines(placed, whole, lines, codes)
        lines.top += made
        for line in made:
            below: dict[Use, Schema | None] = dict.fromkeys(USES)
            below |= {use: item_of(schema) for use, schema in line.found()}
            for item in placed.each:
                lines.items += _lines(
                    item, below, lines, codes, within=line.ours[0] if line.ours else "", above=line.shown
                )
    return lines


def _lines(
    placed: PlacedRow,
    schemas: dict[Use, Schema | None],
    lines: Lines,
    codes: Callable[[str], CodeList],
    *,
    within: str = "",
    above: str = "",
) -> list[Line]:
    ours = tuple(f"{within}[].{one}" if within else one for one in _texts(placed.keys.get("ours")))
    theirs = _texts(placed.keys.get("theirs"))
    made = []
    for text in theirs:
        path = _parsed(text, placed)
        line = Line(placed, path, ours, within, above, plain=len(ours) <= 1 and len(theirs) == 1, owner=lines)
        for use, schema in schemas.items():
            if schema is not None and (line.reads if use == "read" else line.writes):
                line.spots[use] = look(schema, path)
        if line.plain and ours:
            line.declared = fieldpaths.field_of(ours[0])
            if not placed.each:
                line.converter = _converter(line)
        if (name := placed.keys.get("codes")) is not None:
            line.codes = codes(name)
        made.append(line)
    return made


def _parsed(text: str, placed: PlacedRow) -> paths.Path:
    """The path, with what `where` fixes beside `each`; an item that is picked for its own text ends in it."""
    *parents, last = paths.parse(text)
    fixed = {key: _spelled(value) for key, value in (placed.keys.get("where") or {}).items()}
    if fixed:
        last = paths.Step(last.key, tuple(sorted((dict(last.where) | fixed).items())))
    if last.where and not placed.each:
        return (*parents, last, paths.Step("."))
    return (*parents, last)


def _spelled(value: object) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else "" if value is None else str(value)


def _converter(line: Line) -> Converter | None:
    keys, declared = line.keys, line.declared
    if declared is None:
        return None
    name = keys.get("as")
    if name is None:
        name = "text" if "codes" in keys else converters.default_for(declared.meta.kind, declared.many)
    if name not in converters.NAMES:
        return None  # the site's own: nothing is known of its values
    options = dict(keys.get("options", {})) | ({"absent": keys["absent"]} if "absent" in keys else {})
    try:
        return converters.make(name, options, zone=keys.get("zone") or line.owner.clock or "UTC")
    except (BadOption, LookupError):
        return None  # told where the row is made ready


def _texts(value: Any) -> tuple[str, ...]:
    """One path or several."""
    return () if value is None else tuple(value) if isinstance(value, list) else (value,)
