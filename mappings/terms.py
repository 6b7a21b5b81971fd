"""What each row of a compiled mapping declares, for whoever reports on it: the laws, the loss report, a comparison.

Rows that run (`ReadyRow`) are for reading and writing and hold closures; terms hold what was promised and what was
admitted. A row may have several fields of ours and several paths of theirs, so both are tuples.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, field, replace

from mappings.codes import CodeList
from mappings.converters import Converter, Several
from mappings.file import Direction
from mappings.mapping import KeyPath
from mappings.meta import Json
from mappings.paths import Path, spell
from mappings.rows import ABSENT, ReadyRow
from mappings.several import SeveralRow


@dataclass(frozen=True, slots=True)
class Terms:
    """One row. `place`: the file, and the path in its data, that the row or the newest change to it came from."""

    ours: tuple[str, ...]  # empty for a constant
    theirs: tuple[Path, ...]
    direction: Direction
    place: tuple[str, KeyPath]
    within: str = ""  # the list of ours that an item's row belongs to
    converter: Converter | None = field(default=None, repr=False)
    several: Several | None = field(default=None, repr=False)  # of a row with several paths on one side
    codes: CodeList | None = None
    lossy: str = ""  # what the file says is lost
    absent: tuple[Json, ...] = ()
    constant: Json = ABSENT
    unread: Json = ABSENT  # what is read where their record says nothing
    unwritten: Json = ABSENT  # what is written, in our words, where nobody knows
    emptied_as_default: bool = False
    longest: int = 0  # characters that their system holds, 0 for no limit
    most: int = 0  # items that it holds
    needed: bool = False
    stops: bool = False
    lead: bool = False
    key: bool = False
    items: tuple[Terms, ...] = ()

    @property
    def reads(self) -> bool:
        """Whether the row is used when a record is read."""
        return self.direction != "write"

    @property
    def writes(self) -> bool:
        """Whether the row is used when a record is written."""
        return self.direction != "read"

    @property
    def shown(self) -> str:
        """The row as a person finds it in the file: ours <-> theirs, with an arrow that says which way."""
        ours = " + ".join(self.ours) or f"constant {self.constant!r}"
        arrow = {"both": "<->", "read": "<-", "write": "->"}[self.direction]
        return f"{ours} {arrow} {' + '.join(spell(path) for path in self.theirs)}"

    @property
    def exact(self) -> bool:
        """Whether what was read is written again to the letter: nothing is declared lost, by the row or its parts."""
        if self.lossy:
            return False
        if self.items:
            return all(item.exact for item in self.items)
        if self.codes is not None:
            return not merged(self.codes, reading=True)
        return self.converter is not None and self.converter.exact

    @property
    def admits_loss(self) -> bool:
        """Whether the file says of the row, or of a row of its items, that something is lost."""
        return bool(self.lossy) or any(item.admits_loss for item in self.items)

    @property
    def assumes(self) -> bool:
        """Whether something may be written or read that nobody said: a declared default or a constant."""
        declared = any(value is not ABSENT for value in (self.constant, self.unread, self.unwritten))
        return declared or self.emptied_as_default or any(item.assumes for item in self.items)


def terms_of(row: ReadyRow, lists: Dictionary[str, CodeList], within: ReadyRow | None = None) -> Terms:
    """The terms of one row that was made ready. `within`: the list row above it, whose direction it has too."""
    keys = row.placed.keys
    one_way = within is not None and within.direction != "both"
    lossy, default = keys.get("lossy", False), keys.get("default") or {}
    return Terms(
        ours=(row.ours,) if row.ours else (),
        theirs=(row.theirs,),
        direction=within.direction if within is not None and one_way else row.direction,
        place=(row.placed.whole.origin, row.placed.whole.path),
        within=within.ours if within is not None else "",
        converter=row.converter,
        codes=lists.get(row.code_list),
        lossy=lossy if isinstance(lossy, str) else "not said what" if lossy else "",
        absent=tuple(keys.get("absent", ())),
        constant=row.constant,
        unread=row.unread,
        unwritten=default.get("write", ABSENT),
        emptied_as_default=keys.get("empty") == "default",
        longest=keys.get("max_length", 0),
        most=row.most,
        needed=row.needed,
        stops=row.stops,
        lead=row.lead,
        key=row.key,
        items=all_terms(row.each, row.several, lists, row),
    )


def all_terms(
    rows: Sequence[ReadyRow], several: Sequence[SeveralRow], lists: Dictionary[str, CodeList],
    within: ReadyRow | None = None,
) -> tuple[Terms, ...]:
    """The terms of all rows in the order of the file: of a row with several paths once, and not of its parts."""
    joint = {row.parts[0].ours: row for row in several}
    found = []
    for row in rows:
        if row.ours in joint:
            whole = joint[row.ours]
            found.append(replace(terms_of(row, lists, within), ours=whole.ours, theirs=whole.theirs,
                                 several=whole.convert, converter=None, needed=whole.needed, stops=whole.stops,
                                 unread=whole.unread))  # fmt: skip
        elif not row.hidden:
            found.append(terms_of(row, lists, within))
    return tuple(found)


def each_of(terms: Iterable[Terms]) -> Iterator[Terms]:
    """Every row, and after a list row those of its items."""
    for one in terms:
        yield one
        yield from each_of(one.items)


def merged(codes: CodeList, *, reading: bool) -> dict[str, tuple[str, ...]]:
    """The codes that become one: for each code on the other side of which there are several, those several."""
    table = codes.reads() if reading else codes.writes()
    found: dict[str, list[str]] = {}
    for code, becomes in table.items():
        found.setdefault(becomes, []).append(code)
    return {becomes: tuple(sorted(several)) for becomes, several in sorted(found.items()) if len(several) > 1}
