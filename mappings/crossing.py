"""What a route carries: which fields one mapping reads and another writes, which stop, and how sensitive they are.

The sensitivity is that of the field's own declaration, and extensions count as special category. What is written comes
from the referral, in which other systems may have their part: such fields are told apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mappings import fieldpaths
from mappings.coverage import fields_of
from mappings.mapping import Mapping
from mappings.meta import STRICTNESS, Sensitivity

#: Numbers that a referral or a person has in each system: Dolen learns them by itself and hands them on.
_NUMBERS = ("source_identifiers", "target_identifiers")


@dataclass(frozen=True, slots=True)
class Carried:
    """One field of ours, where it stands at the source and at the target ("" where it does not), and how it counts."""

    ours: str
    from_: str
    to: str
    sensitivity: Sensitivity


@dataclass(frozen=True, slots=True)
class Crossing:
    """A route's fields. `codes_lost`: codes that are read on one side and have no code on the other: (field, code)."""

    arrives: tuple[Carried, ...]
    stops: tuple[Carried, ...]  # known to us, and written nowhere there
    elsewhere: tuple[Carried, ...]  # written there, and never read here: what other systems said
    numbers: tuple[Carried, ...]  # written there, and known to Dolen itself
    codes_lost: tuple[tuple[str, str], ...]

    @property
    def strictest(self) -> Sensitivity:
        """The strictest sensitivity of what arrives."""
        return strictest(self.arrives)


def crossing(source: Mapping, target: Mapping) -> Crossing:
    """What a route from one to the other carries."""
    here = {ours: theirs for ours, theirs, row in fields_of(source.terms) if row.reads}
    there = {ours: theirs for ours, theirs, row in fields_of(target.terms) if row.writes}
    others = [carried(ours, "", path) for ours, path in there.items() if ours not in here]
    return Crossing(
        tuple(carried(ours, path, there[ours]) for ours, path in here.items() if ours in there),
        tuple(carried(ours, path, "") for ours, path in here.items() if ours not in there),
        tuple(one for one in others if not one.ours.startswith(_NUMBERS)),
        tuple(one for one in others if one.ours.startswith(_NUMBERS)),
        tuple(_codes_lost(source, target)),
    )


def carried(ours: str, from_: str, to: str) -> Carried:
    """One field, with its sensitivity looked up."""
    return Carried(ours, from_, to, fieldpaths.sensitivity(ours))


def strictest(fields: Iterable[Carried]) -> Sensitivity:
    """The strictest sensitivity of several fields."""
    return max((one.sensitivity for one in fields), key=STRICTNESS.__getitem__, default=Sensitivity.NONE)


def _codes_lost(source: Mapping, target: Mapping) -> Iterable[tuple[str, str]]:
    written = {ours: row.codes for ours, _, row in fields_of(target.terms) if row.writes}
    for ours, _, row in fields_of(source.terms):
        into = written.get(ours)
        if row.reads and row.codes is not None and into is not None:
            known = into.writes()
            yield from ((ours, code) for code in sorted(set(row.codes.reads().values())) if code not in known)
