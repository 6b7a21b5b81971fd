"""Looking for what breaks a law: invented records and referrals, the smallest that breaks it, and the row to blame.

One search after another: a row that has been found is passed over from then on, so that one run names several. The
same seed looks at the same things in the same order.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Set
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings

from mappings.interface import Interface, Schema
from mappings.laws.facts import facts
from mappings.laws.records import Keys, hints_of, records, required, thinned
from mappings.laws.trips import Breach, back_and_there, there_and_back
from mappings.laws.values import MOST_USUAL, Values
from mappings.mapping import Mapping
from mappings.meta import Json

MOST_FOUND = 8  # rows a mapping; whoever has mended so many asks again
Law = Callable[[Mapping, Any], list[Breach]]


@dataclass(frozen=True, slots=True)
class Found:
    """A breach, and the smallest record or referral that shows it. All of it is invented, so it may be shown."""

    breach: Breach
    side: str  # "record" or "referral"
    smallest: Json = field(repr=False)


@dataclass(frozen=True, slots=True)
class Searched:
    """What a search looked at, and what it found. `records` is 0 where no interface says what a record is."""

    records: int
    referrals: int
    found: tuple[Found, ...]


class _Broken(Exception):
    def __init__(self, breach: Breach, shown: Json) -> None:
        super().__init__(breach.law)
        self.breach, self.shown = breach, shown


def search(mapping: Mapping, interface: Interface | None, *, examples: int, start: int) -> Searched:
    """Try the laws on `examples` records and as many referrals. `start`: the seed."""
    schema = read_schema(interface)
    found: list[Found] = []
    tried = [0, 0]
    if schema is not None and any(row.reads for row in mapping.terms):
        made = records(schema, hints_of(mapping.terms))
        tried[0] = _all_of(mapping, there_and_back, made, required(schema), "record", examples, start, found)
    if any(row.writes for row in mapping.terms):
        sent = None if interface is None else interface.create

        def law(mapping: Mapping, shown: Any) -> list[Breach]:
            return back_and_there(mapping, shown, sent)

        must = {(ours,) for row in mapping.terms if row.needed for ours in row.ours}
        tried[1] = _all_of(mapping, law, facts(mapping.terms), must, "referral", examples, start, found)
    return Searched(tried[0], tried[1], tuple(found))


def read_schema(interface: Interface | None) -> Schema | None:
    """What a record looks like that is read; where nothing is read, what is created."""
    return None if interface is None else interface.read or interface.create or interface.update


def invented(made: Values, examples: int, start: int) -> list[Any]:
    """Some values of a strategy, the same for the same seed: for trying many mappings on the same records."""
    kept: list[Any] = []
    _run(made, kept.append, examples, start)
    return kept[:examples]


def _all_of(
    mapping: Mapping, law: Law, made: Values, must: Set[Keys], side: str, examples: int, start: int, found: list[Found]
) -> int:
    passed_over = {one.breach.key for one in found}
    while True:
        one, tried = _first(mapping, law, made, passed_over, examples, start)
        if one is None or len(found) >= MOST_FOUND:
            return tried
        found.append(_smallest(mapping, law, must, side, one))
        passed_over.add(one.breach.key)


def _smallest(mapping: Mapping, law: Law, must: Set[Keys], side: str, broken: _Broken) -> Found:
    """What hypothesis made small, without the fields that play no part in it."""
    key = broken.breach.key

    def still(tried: Any) -> bool:
        return any(breach.key == key for breach in law(mapping, tried))

    shown = thinned(broken.shown, must, still)
    if side == "referral":  # how short a text of a record may be, its interface says
        shown = _with_shorter_texts(shown, still)
    return Found(next(breach for breach in law(mapping, shown) if breach.key == key), side, shown)


def _with_shorter_texts(facts: dict[str, Json], still: Callable[[Any], bool]) -> dict[str, Json]:
    """The facts with each free text cut to where it still breaks the law. Codes, days and numbers are no longer."""
    for path, value in facts.items():
        if isinstance(value, str) and len(value) > MOST_USUAL:
            length = bisect_left(range(1, len(value)), True, key=lambda cut: still({**facts, path: value[:cut]})) + 1
            if still(shorter := {**facts, path: value[:length]}):
                facts = shorter
    return facts


def _first(
    mapping: Mapping, law: Law, made: Values, passed_over: set[tuple[str, str]], examples: int, start: int
) -> tuple[_Broken | None, int]:
    tried = 0
    wanted: list[tuple[str, str]] = []  # the first row that broke: making it smaller must not slip to another one

    def look(shown: Json) -> None:
        nonlocal tried
        tried += 1
        for breach in law(mapping, shown):
            if breach.key not in passed_over and breach.key in (wanted or [breach.key]):
                wanted[:] = [breach.key]
                raise _Broken(breach, shown)

    try:
        _run(made, look, examples, start)
    except _Broken as broken:
        return broken, tried
    return None, tried


def _run(made: Values, look: Callable[[Any], None], examples: int, start: int) -> None:
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=False,
        print_blob=False,
        report_multiple_bugs=False,
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @seed(start)
    @given(made)
    def tried(shown: Any) -> None:
        look(shown)

    tried()
