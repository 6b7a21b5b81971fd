"""The laws, tried on every mapping of a site: what breaks, the row with its file and line, and the smallest example."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.findings import Finding
from mappings.laws.search import Found, search
from mappings.rows import ABSENT
from pipelines import composition
from pipelines.library import Library
from pipelines.mapped import Mapped, mapped

EXAMPLES = 200  # of records and of referrals a mapping: a second or two


@dataclass(frozen=True, slots=True)
class Broken:
    """One law that one row breaks. Everything shown was invented: no record of anybody is read for this."""

    law: str
    row: str  # ours <-> theirs; "" where something changed that no row maps
    where: str  # file:line of the row
    path: str
    expected: Any
    got: Any
    why: str
    side: str  # "record" or "referral"
    smallest: Any


@dataclass(frozen=True, slots=True)
class Held:
    """One mapping, and whether the laws hold. `records` is 0 where `unknown` says why no record could be invented."""

    mapping: str
    file: str
    records: int = 0
    referrals: int = 0
    unknown: str = ""
    broken: tuple[Broken, ...] = ()
    findings: tuple[Finding, ...] = ()  # the mapping cannot be used at all

    @property
    def well(self) -> bool:
        """No law was seen to be broken."""
        return not self.broken and not self.findings


def hold(root: Path, name: str = "", *, examples: int = EXAMPLES, seed: int = 0) -> Iterator[Held]:
    """Try the laws on a site's mappings, one after another. Raises SiteFaults if `dolen.yaml` cannot be used."""
    site = composition.load(root)
    library = Library(site.layers)
    for one in mapped(site, library, name):
        yield _held(library, one, examples, seed)


def _held(library: Library, one: Mapped, examples: int, seed: int) -> Held:
    if one.mapping is None:
        return Held(one.name, one.file, findings=one.findings)
    searched = search(one.mapping, one.interface, examples=examples, start=seed)
    broken = tuple(_broken(library, found) for found in searched.found)
    return Held(one.name, one.file, searched.records, searched.referrals, one.unknown, broken)


def _broken(library: Library, found: Found) -> Broken:
    breach, row = found.breach, found.breach.row
    where = ""
    if row is not None:
        placed = library.locate(*row.place, "", "", "")
        where = f"{placed.file}:{placed.line}" if placed.line else placed.file
    expected, got = ("nothing" if value is ABSENT else value for value in (breach.expected, breach.got))
    return Broken(
        breach.law, row.shown if row is not None else "", where, breach.at, expected, got, breach.why,
        found.side, found.smallest,
    )  # fmt: skip
