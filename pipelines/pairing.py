"""`dolen match`: pairs the cases that two systems hold before Dolen's first day, so that none is sent to be made twice.

Both systems are read to the end and nothing is written in either. A pair is what names each other exactly, by a case
number or by a person's number where that person has one open case on either side, or what a person's list of numbers
says; never what is alike. Two records that name different people are not a pair, whatever their numbers say. Writing
the pairs into the ledger is `pipelines.first_day`.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from connectors.port import UnreadableItem
from mappings import fieldpaths
from mappings.lifecycle import terminal
from pipelines import identifiers, ready
from pipelines.courtesy import Courtesy
from pipelines.feeds import Progress, pages
from pipelines.identity import is_somebody_else
from pipelines.looking import NotPossible
from pipelines.merge import EXCLUSIVE, OURS, SAFEGUARDING, group_of
from pipelines.pairs import CASE, PERSON, Kept, Pairs
from pipelines.plant import Council, Kind, Plant, Wired
from pipelines.tables import record
from pipelines.writing import draft_update

#: Lines of each kind that are kept. All are counted.
MOST_LINES = 5_000


@dataclass(frozen=True, slots=True)
class Pair:
    """Two records that are one case. Numbers and field names, never a value."""

    one: str
    other: str
    to_one: tuple[str, ...] = ()  # fields that the first system will be sent, because it shows something else
    to_other: tuple[str, ...] = ()
    safeguarding: tuple[str, ...] = ()  # fields of these that a person must look at
    made: str = ""  # "" a new referral; else the referral that the ledger has of one of the two


@dataclass(frozen=True, slots=True)
class Alone:
    """A record that has no partner. `why` says why a person must look, "" if nothing was found for it."""

    system: str
    number: str
    open: bool
    why: str = ""


@dataclass(slots=True)
class Matched:
    """What was found."""

    council: str
    one: str
    other: str
    by: tuple[str, ...] = ()  # fields; empty where a list was given
    totals: Counter[str] = field(default_factory=Counter)
    pairs: list[Pair] = field(default_factory=list)
    undecided: list[Alone] = field(default_factory=list)
    alone: list[Alone] = field(default_factory=list)
    unreadable: list[Alone] = field(default_factory=list)
    unknown: list[Alone] = field(default_factory=list)  # numbers of the list that a system does not show

    def add(self, what: str, line: Any) -> None:
        """Count a line, and keep it if there are not too many."""
        self.totals[what] += 1
        kept: list[Any] = getattr(self, what)
        if len(kept) < MOST_LINES:
            kept.append(line)

    @property
    def clear(self) -> bool:
        """Whether nothing is left for a person to decide."""
        return not (self.totals["undecided"] or self.totals["unreadable"] or self.totals["unknown"])


def usable(council: Council, one: Wired, other: Wired, by: Sequence[str]) -> tuple[str, ...]:
    """The fields to match by: those named, else those that the two connections declare. Raises NotPossible."""
    declared = [path for wired in (one, other) for kind in wired.kinds.values() for path in kind.match]
    numbers = (one.name, other.name)
    named = [_normal(path) for path in by] or declared
    chosen = [
        path
        for path in dict.fromkeys(named)
        if identifiers.system_of(council, path) in numbers or path in council.person_identifiers
    ]
    left_out = [path for path in named if path not in chosen]
    if by and left_out:
        known = sorted({*declared, *council.person_identifiers} & {*chosen, *declared, *council.person_identifiers})
        raise NotPossible(
            f"{left_out[0]} is no exact identifier of a case in {one.name} and {other.name}; take a number of theirs, "
            f"such as source_identifiers[system={one.name}].value, or {', '.join(known)}"
        )
    if not chosen:
        raise NotPossible(
            f"neither {one.name} nor {other.name} declares how its records are matched; name a field with --by, or "
            "give a list of number pairs with --csv"
        )
    return tuple(chosen)


def read_list(text: str, one: str, other: str) -> list[tuple[str, str]]:
    """Read a person's list of number pairs: CSV with two columns, those of connection `one` and of `other`.

    A first line that names the two connections says which column is whose. Raises NotPossible, naming the line.
    """
    lines = text.removeprefix("\ufeff").splitlines()
    mark = ";" if lines and ";" in lines[0] else ","
    found: list[tuple[str, str]] = []
    turned = False
    for number, cells in enumerate(csv.reader(lines, delimiter=mark), 1):
        row = [cell.strip() for cell in cells]
        if not any(row):
            continue
        if number == 1 and set(row) == {one, other}:
            turned = row[0] == other
            continue
        if len(row) != 2 or not all(row):
            raise NotPossible(f"line {number} of the list does not hold two numbers, one of {one} and one of {other}")
        found.append((row[1], row[0]) if turned else (row[0], row[1]))
    return found


class Pairing:
    """Reads two connections of one council, and pairs. Used within `with`, which lets go of what was read."""

    def __init__(
        self, plant: Plant, council: Council, one: Wired, other: Wired, *, progress: Progress | None = None
    ) -> None:
        if one.name == other.name:
            raise NotPossible("name two different connections")
        self.plant, self.council, self.sides = plant, council, (one, other)
        self._progress = progress or (lambda _what, _number: None)
        self._courtesy = Courtesy(plant)
        self.kept = Pairs()

    def __enter__(self) -> Pairing:
        self.kept.__enter__()
        return self

    def __exit__(self, *left: object) -> None:
        self.kept.__exit__(*left)

    def match(self, by: Sequence[str] = (), listed: Sequence[tuple[str, str]] | None = None) -> Matched:
        """Read both and pair: by fields, or as a list of (number, number) says. Raises what reading raises."""
        for wired in self.sides:
            if not wired.kinds or not all("changes" in wired.offers(kind) for kind in wired.kinds):
                raise NotPossible(f"{wired.name} cannot be walked through, so nobody can say what it holds")
        fields = () if listed is not None else usable(self.council, *self.sides, by)
        found = Matched(self.council.code, self.sides[0].name, self.sides[1].name, fields)
        for side in (0, 1):
            self._read(side, fields, found)
        self.kept.join_known()
        if listed is not None:
            self.kept.join_rows(self._named(listed, found))
        else:
            for level in (CASE, PERSON):
                self.kept.join(level)
        self._weigh(found)
        self._count_rest(found)
        return found

    def pairs(self) -> Iterator[tuple[Kept, Kept]]:
        """The pairs that the ledger has not got yet."""
        yield from self.kept.paired(known=False)

    # --- Reading ------------------------------------------------------------------------------------------------------

    def _read(self, side: int, by: Sequence[str], found: Matched) -> None:
        wired = self.sides[side]
        for kind in wired.kinds.values():
            for page in pages(wired, kind, self._courtesy, self._progress):
                known = self._known(wired, kind, [item.id for item in page if item.id])
                for item in page:
                    found.totals[f"in_{'one' if side == 0 else 'other'}"] += 1
                    if isinstance(item, UnreadableItem):
                        found.add("unreadable", Alone(wired.name, item.id, True, item.reason))
                        continue
                    reading = kind.mapping.read(item.record)
                    if reading.stopped:
                        found.add("unreadable", Alone(wired.name, item.id, True, str(reading.stopped[0])))
                        continue
                    status = reading.facts.get("status")
                    is_open = not (isinstance(status, str) and terminal(status))
                    keys = self._keys(wired, item.id, reading.facts, by, is_open=is_open)
                    self.kept.keep(side, kind.name, item, open=is_open, referral=known.get(item.id, ""), keys=keys)

    def _known(self, wired: Wired, kind: Kind, ids: Sequence[str]) -> dict[str, str]:
        """Which of these the ledger knows already, and as part of which referral."""
        known: dict[str, str] = {}
        with self.plant.ledger.reading() as connection:
            for some in ready.in_parts(ids):
                wanted = select(record.c.external_id, record.c.referral_id).filter_by(
                    council=self.council.code, connection=wired.name, kind=kind.name
                )
                for row in connection.execute(wanted.where(record.c.external_id.in_(some))):
                    known[row.external_id] = row.referral_id or ""
        return known

    def _keys(
        self, wired: Wired, number: str, facts: Mapping[str, Any], by: Sequence[str], *, is_open: bool
    ) -> Iterable[tuple[int, str, str]]:
        """The identifiers of one record. A person's number counts for an open case alone: the closed ones of a person
        are many, and none of them is meant."""
        council = self.council
        refuted = identifiers.doubtful(council, wired.name, number, facts) if is_open else frozenset()
        for path in by:
            system = identifiers.system_of(council, path)
            if system == wired.name:
                yield CASE, f"number in {system}", self._hash(f"number in {system}", number)
            elif system and facts.get(path):
                yield CASE, f"number in {system}", self._hash(f"number in {system}", str(facts[path]))
            elif not system and is_open and isinstance(refuted, frozenset) and facts.get(path) and path not in refuted:
                yield PERSON, path, self._hash(path, str(facts[path]))

    def _named(self, listed: Sequence[tuple[str, str]], found: Matched) -> Iterator[tuple[int, int]]:
        for numbers in listed:
            there = [self.kept.numbered(side, number) for side, number in enumerate(numbers)]
            for side, rows_of_it in enumerate(there):
                if len(rows_of_it) != 1:
                    why = "several records have this number" if rows_of_it else "no record of this number is shown"
                    found.add("unknown", Alone(self.sides[side].name, numbers[side], True, why))
            if all(len(rows_of_it) == 1 for rows_of_it in there):
                yield there[0][0], there[1][0]

    # --- Weighing -----------------------------------------------------------------------------------------------------

    def _weigh(self, found: Matched) -> None:
        apart: list[tuple[int, str]] = []
        for one, other in self.kept.paired(known=False):
            if one.referral and other.referral:
                apart.append((one.row, "the ledger has made two referrals of them: join those first"))
                continue
            weighed = Weighed(self, one, other)
            if weighed.two_people:
                apart.append((one.row, "the two records name different people"))
                continue
            found.add("pairs", weighed.pair())
        for row, why in apart:
            self.kept.part(row, why)
        found.totals["known"] = sum(1 for _ in self.kept.paired(known=True))

    def _count_rest(self, found: Matched) -> None:
        for side, wired in enumerate(self.sides):
            for _kind, number, is_open, why in self.kept.unpaired(side):
                what = "undecided" if why else "alone"
                found.add(what, Alone(wired.name, number, bool(is_open), why))
                if not why:
                    found.totals[f"alone_in_{'one' if side == 0 else 'other'}"] += 1

    def _hash(self, name: str, value: Any) -> str:
        return self.plant.vault.hash_value(self.council.code, name, value)


class Weighed:
    """Two records side by side: what each shows, what becomes of it, and what each will be sent."""

    def __init__(self, pairing: Pairing, one: Kept, other: Kept) -> None:
        self._council, self._vault = pairing.council, pairing.plant.vault
        self.wired, self.kept = pairing.sides, (one, other)
        self.kinds = tuple(wired.kinds[kept.kind] for wired, kept in zip(pairing.sides, self.kept, strict=True))
        self.shown: list[Mapping[str, Any]] = [
            kind.mapping.read(kept.item.record).facts for kind, kept in zip(self.kinds, self.kept, strict=True)
        ]
        self.marks = [{name: self.hash_of(name, value) for name, value in shown.items()} for shown in self.shown]

    def hash_of(self, name: str, value: Any) -> str:
        """The council's keyed hash of a field's value."""
        return self._vault.hash_value(self._council.code, name, value)

    @property
    def two_people(self) -> bool:
        """Whether everything that tells who it is about is different."""
        base = {name: [mark, None] for name, mark in self.marks[0].items()}
        return is_somebody_else(self.marks[1], base, {}, self.hash_of)

    def facts(self) -> dict[str, tuple[Any, str]]:
        """Field -> (value, the connection that gave it): the owner's where it shows one, else the first system's."""
        taken: dict[str, tuple[Any, str]] = {}
        for wired, shown in zip(self.wired, self.shown, strict=True):
            for name, value in shown.items():
                owns = self._council.owners.get(group_of(name)) == wired.name
                if value is not None and group_of(name) not in OURS and (name not in taken or owns):
                    taken[name] = (value, wired.name)
        status_by = taken.get("status", (None, ""))[1]
        # A reason without its own status would be another status's reason.
        return {name: known for name, known in taken.items() if name not in EXCLUSIVE or known[1] == status_by}

    def to_send(self, side: int) -> tuple[str, ...]:
        """The fields in which a side shows something else than the case will hold; it is sent those if a route leads
        there. What the ledger itself gives - numbers, the resident's reference - goes along later and makes no send."""
        wired, kind, kept = self.wired[side], self.kinds[side], self.kept[side]
        if not any(
            route.target == wired.name and route.kind == kind.name and route.carries == "state"
            for route in self._council.routes
        ):
            return ()
        draft = draft_update(
            kind.mapping,
            {name: value for name, (value, _) in self.facts().items()},
            kept.item,
            {name: [mark, None] for name, mark in self.marks[side].items()},
            shows_changes=False,
            whole=wired.connector.reads_first(kind.name),
            hash_of=self.hash_of,
        )
        return tuple(sorted(name for name in draft.expected if group_of(name) not in OURS))

    def pair(self) -> Pair:
        """The pair, as a person is shown it."""
        to_one, to_other = self.to_send(0), self.to_send(1)
        unsafe = tuple(sorted({name for name in (*to_one, *to_other) if group_of(name) in SAFEGUARDING}))
        one, other = self.kept
        return Pair(one.id, other.id, to_one, to_other, unsafe, one.referral or other.referral)


def _normal(path: str) -> str:
    wrong = fieldpaths.check(path)
    if wrong is not None:
        raise NotPossible(f"--by takes a field; expected {wrong}")
    return fieldpaths.normalise(path)
