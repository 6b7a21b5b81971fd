"""The loss report: what a mapping does not carry, makes one of several, or fills in, and what it says it loses.

Counted from the declarations alone, so that the same report comes out whichever records flow. Nothing is ever cut: what
is longer than a system holds is left out whole, and said. What one mapping reads and another writes is a crossing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from mappings import fieldpaths
from mappings.declaration import declared
from mappings.interface import Interface, Schema
from mappings.mapping import KeyPath
from mappings.mapping import Mapping as FieldMapping
from mappings.meta import Json, Kind, Sensitivity
from mappings.paths import spell
from mappings.rows import ABSENT
from mappings.terms import Terms, each_of, merged

Way = Literal["reading", "writing", "there and back"]
Sort = Literal["dropped", "in part", "merged", "defaulted", "left out", "lossy"]
Keys = tuple[str, ...]

WAYS: tuple[Way, ...] = ("reading", "writing", "there and back")
SORTS: tuple[Sort, ...] = ("dropped", "in part", "merged", "defaulted", "left out", "lossy")

#: What the ledger and the connectors fill in, or what only a site can name: no mapping loses it by not having it.
GIVEN = frozenset({
    "schema_version", "referral_id", "request_id", "correlation_id", "source_identifiers", "target_identifiers",
    "council", "provenance", "remarks", "extensions",
})  # fmt: skip

#: What a field may hold that a converter of whole days cannot write.
_NO_WHOLE_DAY = {
    Kind.PARTIAL_DATE: "a month or a year alone cannot be written",
    Kind.WHEN: "the time of day cannot be written, and a moment is left out",
}


@dataclass(frozen=True, slots=True)
class Loss:
    """One thing that is not carried as it was. `ours` is empty where no field of ours is meant, and so is `theirs`."""

    way: Way
    sort: Sort
    ours: str
    theirs: str
    what: str
    sensitivity: Sensitivity
    place: tuple[str, KeyPath] | None = field(default=None, compare=False)

    @property
    def key(self) -> str:
        """The loss in one line, the same as long as nothing changes: for lists that may only shrink."""
        between = " <-> ".join(side for side in (self.ours, self.theirs) if side)
        return ": ".join(part for part in (self.way, self.sort, between, self.what) if part)


def losses(mapping: FieldMapping, interface: Interface | None) -> tuple[Loss, ...]:
    """Everything that the mapping loses, in the order of the report. Without an interface theirs is not counted."""
    found = [*_our_fields(mapping)]
    if interface is not None and interface.read is not None and any(row.reads for row in mapping.terms):
        found += [*_their_fields(mapping, interface, interface.read), *_their_codes(mapping, interface.read)]
    for ours, theirs, row in fields_of(mapping.terms):
        found += _of_row(ours, theirs, row)
    for row in mapping.terms:
        if row.constant is not ABSENT:
            what = f"always {row.constant!r}"
            found.append(Loss("writing", "defaulted", "", spelled(row), what, Sensitivity.NONE, row.place))
        if row.items:
            found += _of_list(row)
    return tuple(sorted(found, key=lambda one: (WAYS.index(one.way), SORTS.index(one.sort))))


def counts(found: Iterable[Loss]) -> dict[str, int]:
    """How many of each sort, by way: "reading: dropped"."""
    counted: dict[str, int] = {}
    for one in found:
        counted[f"{one.way}: {one.sort}"] = counted.get(f"{one.way}: {one.sort}", 0) + 1
    return counted


def fields_of(terms: Iterable[Terms]) -> Iterator[tuple[str, str, Terms]]:
    """Each field of ours with its path there and its row; a list by the fields of its items."""
    for row in terms:
        for ours in row.ours if not row.items else ():
            yield ours, spelled(row), row
        for item in row.items:
            for ours in item.ours:
                yield f"{row.ours[0]}[].{ours}", f"{spelled(row)}/{spelled(item)}", item


def spelled(row: Terms) -> str:
    """Their side of a row, as its file has it."""
    return " + ".join(spell(path) for path in row.theirs)


def _of_row(ours: str, theirs: str, row: Terms) -> Iterator[Loss]:
    """What one row admits, or its code list and its converter say."""
    sensitivity = fieldpaths.sensitivity(ours)

    def loss(way: Way, sort: Sort, what: str) -> Loss:
        return Loss(way, sort, ours, theirs, what, sensitivity, row.place)

    yield from (loss(way, sort, what) for way, sort, what in (*_said(row), *_filled_in(row)))
    if row.codes is not None:
        for becomes, several in merged(row.codes, reading=True).items() if row.reads else ():
            yield loss("reading", "merged", f"{', '.join(several)} become {becomes}")
        for becomes, several in merged(row.codes, reading=False).items() if row.writes else ():
            yield loss("writing", "merged", f"{', '.join(several)} become {becomes}")
    if row.writes:
        yield from (loss("writing", "left out", what) for what in _unwritable(ours, row))
    if row.reads and any(step.where for path in row.theirs for step in path) and not row.items:
        yield loss("reading", "in part", "of several such items only the first is read")


def _said(row: Terms) -> Iterator[tuple[Way, Sort, str]]:
    one_way: Way = "reading" if row.reads else "writing"
    if row.lossy:
        yield "there and back" if row.direction == "both" else one_way, "lossy", row.lossy
    elif row.several is not None and row.several.loses:
        yield one_way, "lossy", row.several.loses
    elif row.converter is not None and row.codes is None and not row.converter.exact:
        yield one_way, "lossy", row.converter.law


def _filled_in(row: Terms) -> Iterator[tuple[Way, Sort, str]]:
    if row.reads and row.unread is not ABSENT:
        said = "known to be empty" if row.unread is None else _words(row.unread)
        yield "reading", "defaulted", f"a record without it reads as {said}"
    if row.writes and row.unwritten is not ABSENT:
        said = "empty" if row.unwritten is None else _words(row.unwritten)
        yield "writing", "defaulted", f"a new record gets {said} where nobody knows"
    if row.writes and row.emptied_as_default:
        yield "writing", "defaulted", f"a field known to be empty is written as {_words(row.unwritten)}"


def _of_list(row: Terms) -> Iterator[Loss]:
    """What a list row loses as a whole: how many of its items are held, and what it says itself."""
    ours = row.ours[0]
    sensitivity = fieldpaths.sensitivity(ours)
    for way, sort, what in _said(row):
        yield Loss(way, sort, ours, spelled(row), what, sensitivity, row.place)
    if row.writes and row.most:
        what = f"a list of more than {row.most} is left out whole"
        yield Loss("writing", "left out", ours, spelled(row), what, sensitivity, row.place)


def _unwritable(ours: str, row: Terms) -> Iterator[str]:
    """What our field may hold, and the row does not write."""
    path, within = (ours.partition("[].")[2], row.within) if row.within else (ours, "")
    declared_type = fieldpaths.type_of(path, within)
    if row.longest:
        yield f"a text of more than {row.longest} characters is left out whole"
    if row.most:
        yield f"a list of more than {row.most} is left out whole"
    if row.codes is not None:
        without = sorted(set(declared_type.codes) - set(row.codes.writes()))
        if without:
            yield f"no code there for {', '.join(without)}" + (": stops the record" if row.stops else "")
    elif row.converter is not None and row.converter.name == "date" and declared_type.kind in _NO_WHOLE_DAY:
        yield _NO_WHOLE_DAY[declared_type.kind] + (": stops the record" if row.stops else "")
    if row.lead:
        yield "without it what stands beside it there goes too"


def _our_fields(mapping: FieldMapping) -> Iterator[Loss]:
    """Fields of the referral that no row writes, and lists of which only picked members are written."""
    if not any(row.writes for row in mapping.terms):
        return
    written: dict[str, list[str]] = {}
    for ours, _, row in fields_of(mapping.terms):
        if row.writes:
            generic, picked = _generic(ours)
            written.setdefault(generic, []).append(picked)
    for path, known in declared().items():
        if known.part is not None or path.split(".")[0].removesuffix("[]") in GIVEN or _is_filter(path, written):
            continue
        picks = written.get(path)
        if picks is None:
            yield Loss("writing", "dropped", path, "", "", known.strictest)
        elif all(picks):
            what = f"only of {', '.join(sorted(picks))}"
            yield Loss("writing", "in part", path, "", what, known.strictest)


def _generic(ours: str) -> tuple[str, str]:
    """The declared path behind a row's, and which members of its lists are picked, "" for all."""
    steps = fieldpaths.parse(ours)
    names = [step.name if step.where is None else f"{step.name}[]" for step in steps]
    picks = [f"{step.name}[{','.join(f'{key}={value}' for key, value in step.where)}]" for step in steps if step.where]
    return ".".join(names), " ".join(picks)


def _is_filter(path: str, written: Mapping[str, list[str]]) -> bool:
    """Whether a field is the key by which rows pick members of its list: then it is carried with them."""
    around, _, name = path.rpartition(".")
    return around.endswith("[]") and any(
        generic.startswith(f"{around}.") and any(f"{name}=" in pick for pick in picks)
        for generic, picks in written.items()
    )


def _their_fields(mapping: FieldMapping, interface: Interface, schema: Schema) -> Iterator[Loss]:
    """Fields of theirs that no row reads. What they mean nobody has declared, so they count as special category."""
    read: set[Keys] = set()
    for row in mapping.terms:
        for path in row.theirs if row.reads else ():
            keys = tuple(step.key for step in path)
            read |= {(*keys, *(step.key for step in inner)) for item in row.items for inner in item.theirs}
            read |= {keys} if not row.items else set()
            for place, step in enumerate(path):
                read |= {(*keys[: place + 1], key) for key, _ in step.where}
    ours = {tuple(path.split("/")) for path in interface.ours}
    for keys in leaves(schema):
        known = any(keys[: len(one)] == one or keys == one[: len(keys)] for one in (*read, *ours))
        if not known:
            yield Loss("reading", "dropped", "", "/".join(keys), "", Sensitivity.SPECIAL)


def _their_codes(mapping: FieldMapping, schema: Schema) -> Iterator[Loss]:
    """Codes that the interface lists and that no row of a code list reads."""
    for ours, theirs, row in fields_of(mapping.terms):
        if row.codes is None or not row.reads:
            continue
        listed = _listed(schema, [step.partition("[")[0] for step in theirs.split("/")])
        unknown = sorted(code for code in listed if code not in row.codes.reads())
        if unknown:
            what = f"not in the code list: {', '.join(unknown)}" + (": stops the record" if row.stops else "")
            yield Loss("reading", "left out", ours, theirs, what, fieldpaths.sensitivity(ours), row.place)


def _listed(schema: Schema, keys: list[str]) -> list[str]:
    here: list[Schema] = [schema]
    for key in keys:
        here = [one["properties"][key] for one in _shapes(here) if key in one.get("properties", {})]
    return [code for one in _shapes(here) for code in one.get("enum", ()) if isinstance(code, str)]


def leaves(schema: Schema, at: Keys = ()) -> Iterator[Keys]:
    """The keys that lead to each value of a record, a list's items without their number."""
    shapes = list(_shapes([schema]))
    inner = {name: below for one in shapes for name, below in one.get("properties", {}).items()}
    if not inner:
        yield at
    for name, below in inner.items():
        yield from leaves(below, (*at, name))


def _shapes(schemas: Iterable[Schema]) -> Iterator[Schema]:
    """The shapes of which one holds, and what one item of a list is."""
    for one in schemas:
        yield one
        yield from _shapes(one.get("anyOf", ()))
        if "items" in one:
            yield from _shapes([one["items"]])


def _words(value: Json) -> str:
    return "nothing" if value is None or value is ABSENT else f"`{value}`"


def needed_of(mapping: FieldMapping) -> tuple[str, ...]:
    """The fields without which, or with an unknown code in which, a record is stopped."""
    return tuple(dict.fromkeys(ours for row in each_of(mapping.terms) if row.stops for ours in row.ours))
