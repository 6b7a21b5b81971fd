"""Where the swift way of writing has its values from: facts, a referral, or one member of a referral's list.

Only the lines that fetch a value differ between them. From a referral it is fetched without making facts of it first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from mappings import fieldpaths
from mappings.assembly import Hop, hops_of, member_of, nothing_of, only, reader_for
from mappings.rows import ABSENT, ReadyRow
from mappings.source import Source


class Fetch(Protocol):
    """Where values come from. `argument`: what the function is given."""

    argument: str

    def begin(self, source: Source, rows: Iterator[ReadyRow], /) -> None:
        """Write what comes before the rows."""

    def value(self, source: Source, row: ReadyRow, name: str, depth: int) -> None:
        """Write the line after which `name` is the value, None where nobody knows it."""

    def known(self) -> str:
        """Return the template of the question whether the value is known."""

    def alone(self, source: Source, row: ReadyRow, name: str, depth: int) -> None:
        """Write the line after which `facts` holds the value, for the exact closure of the row."""


class FromFacts:
    """Values from facts."""

    argument = "facts"

    def begin(self, source: Source, _: Iterator[ReadyRow]) -> None:
        """Remember how to look up."""
        source.line(1, "get = facts.get")

    def value(self, source: Source, row: ReadyRow, name: str, depth: int) -> None:
        """Look up the row's path."""
        source.line(depth, "{v} = get({ours})", v=name, ours=source.hold(row.ours))

    def known(self) -> str:
        """Whether it is there: None is known to be empty."""
        return "{ours} in facts"

    def alone(self, source: Source, row: ReadyRow, name: str, depth: int) -> None:
        """Write nothing: facts are there already."""


class FromReferral:
    """Values from a referral. What it does not say is not known."""

    argument = "referral"

    def __init__(self) -> None:
        self._pieces: dict[tuple[Hop, ...], str] = {}

    def begin(self, source: Source, rows: Iterator[ReadyRow]) -> None:
        """Find the pieces of the referral that rows look into, each once; one that is not there says nothing."""
        self._pieces = {(): source.local("d")}
        source.line(1, "{d} = referral.__dict__", d=self._pieces[()])
        for row in rows:
            hops = hops_of(row.ours)
            for length in range(1, len(hops)):
                self._piece(source, hops[:length])

    def _piece(self, source: Source, hops: tuple[Hop, ...]) -> None:
        if hops in self._pieces:
            return
        *outer, last = hops
        piece = self._pieces[hops] = source.local("d")
        names = {"d": piece, "outer": self._pieces[tuple(outer)], "attribute": source.hold(last.attribute),
                 "nothing": source.hold(nothing_of(last.part))}  # fmt: skip
        if last.where:
            source.line(1, "{d} = {member}({outer}[{attribute}], {where}, {nothing})", **names,
                        member=source.hold(member_of), where=source.hold(last.where))  # fmt: skip
        else:
            source.line(1, "{d} = {outer}[{attribute}]", **names)
            source.line(1, "{d} = {nothing} if {d} is None else {d}.__dict__", **names)

    def value(self, source: Source, row: ReadyRow, name: str, depth: int) -> None:
        """Look into the piece; what is no plain value has a reader of its own."""
        hops = hops_of(row.ours)
        whole = not hops or (hops[-1].many and row.write_keeps is not list and not simple(row))
        if whole:
            source.line(depth, "{v} = {read}(referral)", v=name, read=source.hold(reader_for(row.ours)))
            return
        piece, attribute = self._pieces[hops[:-1]], source.hold(hops[-1].attribute)
        source.line(depth, "{v} = {d}[{attribute}]", v=name, d=piece, attribute=attribute)
        if hops[-1].coded:
            source.line(depth, "{v} = None if {v} is None else {v}._value_", v=name)

    def known(self) -> str:
        """Whether it is said."""
        return "{v} is not None"

    def alone(self, source: Source, row: ReadyRow, name: str, depth: int) -> None:
        """Make facts of this one value."""
        source.line(depth, "facts = {only}({ours}, {v})", only=source.hold(only), ours=source.hold(row.ours), v=name)


class FromMember:
    """Values from one member of a referral's list. What it does not say is known to be empty: lists are whole."""

    argument = "member"

    def __init__(self, within: str) -> None:
        self._within = within

    def begin(self, source: Source, _: Iterator[ReadyRow]) -> None:
        """Write nothing: a member is in one piece."""

    def value(self, source: Source, row: ReadyRow, name: str, depth: int) -> None:
        """Look into the member."""
        attribute = source.hold(hops_of(f"{self._within}[].{row.ours}")[-1].attribute)
        source.line(depth, "{v} = member[{attribute}]", v=name, attribute=attribute)

    def known(self) -> str:
        """Whether it is known, which it always is."""
        return "True"

    def alone(self, source: Source, row: ReadyRow, name: str, depth: int) -> None:
        """Make facts of this one value."""
        source.line(depth, "facts = {{{ours}: {v}}}", ours=source.hold(row.ours), v=name)


def simple(row: ReadyRow) -> bool:
    """Whether the members of a list can be written as they are: each row of them looks at one plain value."""
    written = [item for item in row.each if item.writes and item.constant is ABSENT]
    if any(fieldpaths.check(item.ours, row.ours) is not None for item in written):
        return False
    last = [hops_of(f"{row.ours}[].{item.ours}") for item in written]
    outer = len(hops_of(row.ours)) + 1
    return bool(written) and all(
        len(hops) == outer and not (hops[-1].many or hops[-1].part or hops[-1].coded) for hops in last
    )
