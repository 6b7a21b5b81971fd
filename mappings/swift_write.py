"""Writing what is new, the swift way: the rows of a group as one function in which what is plain is done on the spot.

A new record or list item holds nothing yet, so all that the exact closures (`write.py`) ask of the target is known
beforehand. A value that is not plain is given to the exact closure of its row; a new kind of row needs nothing here.
Where values come from is the business of `swift_fetch.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mappings.converters import WrongType
from mappings.meta import Json
from mappings.read import Notes
from mappings.rows import ABSENT, DROP, KEEP, NEW, Mark, ReadyRow
from mappings.source import DEEPEST, Source
from mappings.swift_fetch import Fetch, FromFacts, FromMember, FromReferral, simple

if TYPE_CHECKING:
    from mappings.meta import Part as Piece
    from mappings.referral import Referral
    from mappings.write import Group, Part

UNCONVERTIBLE = (WrongType, ValueError, TypeError, AttributeError, KeyError, OverflowError)

Make = Callable[[Mapping[str, Json], Notes], Json]  # (facts, notes) -> what is new, DROP or KEEP
MakeOf = Callable[["Referral", Notes], Json]


def swift(group: Group, there: Mark) -> Make:
    """Make the function that makes a new group of facts, exactly as its closure would with nothing `there`."""
    return source_of(group, there, FromFacts()).made()


def swift_of(group: Group) -> MakeOf:
    """Make the function that makes a new record of a referral."""
    return source_of(group, NEW, FromReferral()).made()


def source_of(group: Group, there: Mark, fetch: Fetch) -> Source:
    """Write the function down. `there`: NEW or ABSENT, what stands in the target instead of the group."""
    source = Source(fetch.argument, "notes")
    fetch.begin(source, _rows(group))
    writer = _Writer(source, fetch)
    made, said = writer.inside(group, there, 1)
    for depth, template in writer.closed(group, there, made, said, 1):
        source.line(depth, f"return {template}", **writer.names(group, made))
    source.line(1, "return {keep}", keep=source.hold(KEEP))
    return source


def _rows(group: Group) -> Iterator[ReadyRow]:
    for part in group.parts:
        if part.row is not None:
            yield part.row
        for inner in (part.group, *(picked for _, picked in part.picks)):
            if inner is not None:
                yield from _rows(inner)


class _Writer:
    """Writes groups and rows into one source."""

    def __init__(self, source: Source, fetch: Fetch) -> None:
        self.source = source
        self.fetch = fetch

    def names(self, group: Group, made: str) -> dict[str, str]:
        """The names that the templates of `closed` take."""
        return {"made": made, "nothing": self.source.hold(group.nothing)}

    def inside(self, group: Group, there: Mark, depth: int) -> tuple[str, str]:
        """Write the rows of a group. Returns the names of what is made, and of whether something plain is said there.

        The second is "" where nobody asks.
        """
        source = self.source
        made = source.local("m")
        source.line(depth, "{made} = {{}}", made=made)
        said = source.local("s") if group.nothing is not KEEP and len(group.leads) < 2 else ""
        if said:
            source.line(depth, "{said} = False", said=said)
        there = missing(group, there)
        for part in group.parts:
            if part.row is not None:
                tells = part.key not in group.given and (not group.leads or part.key in group.leads)
                self._row(part, part.row, made, said if tells else "", there, depth)
            elif part.group is not None:
                self._group(part, part.group, made, there, depth)
            else:
                self._picks(part, made, depth)
        return made, said

    def closed(self, group: Group, there: Mark, made: str, said: str, depth: int) -> Iterator[tuple[int, str]]:
        """Write the end of a group. Yields, with its depth, each value that it then has, for the caller to place."""
        source = self.source
        names = {"made": made, "given": source.hold(group.given), "leads": source.hold(group.leads)}
        alone = "if True:" if group.constants else "if False:"  # a group of constants is always there
        source.line(depth, "if {made}:" if group.parts else alone, **names)
        depth += 1
        if group.nothing is not KEEP:
            asked = "if not {said} and " if said else "if "
            source.line(depth, asked + "{left}({made}, {given}, {leads}):", **names, left=source.hold(nothing_left),
                        said=said or made)  # fmt: skip
            yield depth + 1, "{nothing}"
            source.line(depth, "else:")
            depth += 1
        if group.defaults and missing(group, there) is ABSENT:
            source.line(depth, "{made} = {with_defaults}({defaults}, {made})", **names,
                        with_defaults=source.hold(with_defaults), defaults=source.hold(group.defaults))  # fmt: skip
        if group.constants:
            source.line(depth, "{made}.update({constants})", **names, constants=source.hold(group.constants))
        if group.has_text and not group.picked:
            source.line(depth, "{made} = {collapsed}({made})", **names, collapsed=source.hold(collapsed))
        yield depth, "{made}"

    def _group(self, part: Part, group: Group, made: str, there: Mark, depth: int) -> None:
        source, key = self.source, self.source.hold(part.key)
        if depth >= DEEPEST:
            make = source_of(group, there, type(self.fetch)()).made()
            names = {"w": "w", "make": source.hold(make), "argument": self.fetch.argument}
            source.line(depth, "{w} = {make}({argument}, notes)", **names)
            self._place("w", key, made, depth)
            return
        inner, said = self.inside(group, there, depth)
        names = self.names(group, inner)
        for at, template in self.closed(group, there, inner, said, depth):
            if template == "{nothing}" and group.nothing is DROP:
                source.line(at, "pass")
            else:
                source.line(at, "{outer}[{key}] = " + template, **names, outer=made, key=key)

    def _picks(self, part: Part, outer: str, depth: int) -> None:
        """The items that are picked from a list, which holds none of them yet."""
        source = self.source
        items, touched, key = source.local("l"), source.local("t"), source.hold(part.key)
        source.line(depth, "{items} = []", items=items)
        source.line(depth, "{touched} = False", touched=touched)
        for where, group in part.picks:
            inner, said = self.inside(group, ABSENT, depth)
            names = {"items": items, "made": inner, "where": source.hold(dict(where)), "touched": touched}
            for at, template in self.closed(group, ABSENT, inner, said, depth):
                source.line(at, "{touched} = True", **names)
                if template != "{nothing}":
                    source.line(at, "{items}.append({where} | {made})", **names)
        source.line(depth, "if {items}:", items=items)
        source.line(depth + 1, "{outer}[{key}] = {items}", outer=outer, key=key, items=items)
        if part.none_picked is not DROP:
            source.line(depth, "elif {touched}:", touched=touched)
            source.line(depth + 1, "{outer}[{key}] = {none}", outer=outer, key=key, none=source.hold(part.none_picked))

    def _row(self, part: Part, row: ReadyRow, made: str, said: str, there: Mark, depth: int) -> None:
        source = self.source
        value = source.local("v")
        self.fetch.value(source, row, value, depth)
        names = {"v": value, "w": "w", "made": made, "key": source.hold(part.key), "ours": source.hold(row.ours)}
        plain = self._listed(part, row, names, depth) if part.items else self._plain(row, names, said, depth)
        if not row.needed and not (there is NEW and row.unwritten is not ABSENT):
            source.line(depth, ("elif " if plain else "if ") + self.fetch.known() + ":", **names)
        else:
            source.line(depth, "else:" if plain else "if True:")
        self.fetch.alone(source, row, value, depth + 1)
        source.line(depth + 1, "{w} = {put}({there}, facts, notes)", **names, put=source.hold(part.put),
                    there=source.hold(there))  # fmt: skip
        self._place("w", names["key"], made, depth + 1)

    def _place(self, name: str, key: str, made: str, depth: int) -> None:
        names = {"w": name, "made": made, "key": key, "keep": self.source.hold(KEEP), "drop": self.source.hold(DROP)}
        self.source.line(depth, "if {w} is not {keep} and {w} is not {drop}:", **names)
        self.source.line(depth + 1, "{made}[{key}] = {w}", **names)

    def _listed(self, part: Part, row: ReadyRow, names: dict[str, str], depth: int) -> bool:
        """Write the plain case of a list, where members can be written without making facts of them."""
        if part.items is None or not (isinstance(self.fetch, FromReferral) and simple(row)):
            return False
        self.source.line(depth, "{w} = {items}({v})", **names, items=self.source.hold(items_of(row, part.items)))
        self.source.line(depth, "if {w} is not None:", **names)
        self.source.line(depth + 1, "{made}[{key}] = {w}", **names)
        return True

    def _plain(self, row: ReadyRow, names: dict[str, str], said: str, depth: int) -> bool:
        """Write the plain case of a row as an `if` that its odd case can follow; False if it has none."""
        source = self.source
        found = "{v}"
        if row.write_keeps is str:
            short = " and len({v}) <= {longest}" if row.longest else ""
            source.line(depth, "if type({v}) is str and {v}" + short + ":", **names, longest=source.hold(row.longest))
        elif row.write_keeps is bool:
            source.line(depth, "if {v} is True or {v} is False:", **names)
        elif row.write_keeps is list:
            found = "{w}"
            source.line(depth, "{w} = {texts}({v}, {longest}, {most})", **names, texts=source.hold(texts),
                        longest=source.hold(row.longest), most=source.hold(row.most))  # fmt: skip
            source.line(depth, "if {w} is not None:", **names)
        elif row.write_swift is not None:
            found = "{w}"
            source.line(depth, "{w} = {swift}({v})", **names, swift=source.hold(row.write_swift))
            source.line(depth, "if {w} is not None:", **names)
        elif row.write_codes is not None:
            found = "{w}"
            source.line(depth, "{w} = {codes}.get({v}) if type({v}) is str else None", **names,
                        codes=source.hold(row.write_codes))  # fmt: skip
            source.line(depth, "if {w} is not None:", **names)
        else:
            self._converted(row, names, depth)
            return True
        source.line(depth + 1, "{made}[{key}] = " + found, **names)
        if said:
            source.line(depth + 1, "{said} = True", said=said)
        return True

    def _converted(self, row: ReadyRow, names: dict[str, str], depth: int) -> None:
        """A value that its converter takes. It is converted again where it was not as plain as that."""
        source = self.source
        names = {**names, "odd": source.hold(ABSENT), "write": source.hold(row.write),
                 "unconvertible": source.hold(UNCONVERTIBLE)}  # fmt: skip
        source.line(depth, "{w} = {odd}", **names)
        source.line(depth, "if {v}:", **names)
        source.line(depth + 1, "try:", **names)
        source.line(depth + 2, "{w} = {write}({v})", **names)
        source.line(depth + 1, "except {unconvertible}:", **names)
        source.line(depth + 2, "pass", **names)
        source.line(depth, "if {w} is not {odd}:", **names)
        source.line(depth + 1, "{made}[{key}] = {w}", **names)


def items_of(row: ReadyRow, items: Group) -> Callable[[tuple[Piece, ...]], list[Json] | None]:
    """Make the function that writes the members of a referral's list as new items; None if anything about it is odd."""
    make = source_of(items, ABSENT, FromMember(row.ours)).made()
    most, fixed = row.most, row.where

    def listed(members: tuple[Piece, ...]) -> list[Json] | None:
        if not members or (most and len(members) > most):
            return None
        notes = Notes([], [], [])
        made = []
        for member in members:
            values = member.__dict__
            if not any(values.values()):  # one that says nothing is left out
                return None
            new = make(values, notes)
            if new is not KEEP and new is not DROP:
                made.append(fixed | new if fixed and isinstance(new, dict) else new)
        return None if notes.left_out or notes.stopped else made

    return listed


def texts(value: Json, longest: int, most: int) -> list[str] | None:
    """A list of texts as a new list, None if something about it is odd: empty, too long, too many, or no text."""
    if not value or (type(value) is not tuple and type(value) is not list) or (most and len(value) > most):
        return None
    for one in value:
        if type(one) is not str or not one or (longest and len(one) > longest):
            return None
    return list(value)


def missing(group: Group, there: Mark) -> Mark:
    """What stands in the target for a key of a new group."""
    return NEW if there is NEW and group.nothing is KEEP else ABSENT


def with_defaults(defaults: Mapping[str, Json], made: dict[str, Json]) -> dict[str, Json]:
    """What is declared for a new group, below what is known."""
    return {key: value for key, value in defaults.items() if key not in made} | made


def collapsed(made: dict[str, Json]) -> Json:
    """An element that has nothing but its text is that text."""
    return made["."] if len(made) == 1 and "." in made else made


def blank(value: Json) -> bool:
    """Whether nothing is said there."""
    if isinstance(value, dict):
        return all(blank(inner) for inner in value.values())
    if isinstance(value, list):
        return all(blank(inner) for inner in value)
    return value is None or value == ""


def nothing_left(made: dict[str, Any], given: frozenset[str], leads: tuple[str, ...]) -> bool:
    """Whether a group says nothing: a value that leads it is not there, or none that we do not always give."""
    for key in leads:
        if blank(made.get(key)):
            return True
    return all(blank(value) for key, value in made.items() if key not in given)
