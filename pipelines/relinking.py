"""Replacing a system: the case numbers that its supplier moved are entered beside the old ones, before any route moves.

A list says which number of the old connection is which of the new one. Each line is judged by what the ledger holds;
what is ambiguous is refused, and what the list forgets is told. Nothing is sent, no record is changed in any system,
and the old numbers stay, so that the way back stays open. A record that is linked so is merged at its first reading as
any record in the crosswalk.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256

from sqlalchemy import Connection, select

from mappings.lifecycle import terminal
from pipelines import audit, matching, outcomes, revisions
from pipelines.batch import Batch
from pipelines.courtesy import Courtesy
from pipelines.first_day import enter_pair
from pipelines.identity import is_somebody_else
from pipelines.looking import NotPossible
from pipelines.plant import Council, Plant, Wired
from pipelines.rows import Held
from pipelines.tables import record, referral
from pipelines.vault import PayloadGone

#: Lines of each kind that are kept. All are counted.
MOST_LINES = 5_000
_AT_ONCE = 200
_LONGEST = 200  # characters of a number
_HEADS = ("old", "new", "kind", "new_kind")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the list."""

    number: int
    kind: str
    old: str
    new_kind: str
    new: str


@dataclass(frozen=True, slots=True)
class Told:
    """What is said of one line: why it was not taken."""

    line: int
    old: str
    new: str
    why: str


@dataclass(slots=True)
class Relinked:
    """What became of a list, or would."""

    council: str
    old: str
    new: str
    digest: str = ""
    written: bool = False
    totals: Counter[str] = field(default_factory=Counter)  # lines, linked, known, unknown, refused, left
    unknown: list[Told] = field(default_factory=list)  # the ledger has no link to the old number
    refused: list[Told] = field(default_factory=list)
    left: list[tuple[str, str]] = field(default_factory=list)  # (reference, old number): open, and not in the list

    @property
    def complete(self) -> bool:
        """Whether every open case of the old system has a number in the new one."""
        return not (self.totals["refused"] or self.totals["left"])


def read_list(text: str, old: Wired, new: Wired) -> list[Line]:
    """Read the list: CSV with the columns `old` and `new`, and `kind` and `new_kind` where a connection has several.

    Without a line of names there are two columns, old and new. Raises NotPossible, naming the line.
    """
    rows = text.removeprefix("\ufeff").splitlines()
    mark = ";" if rows and ";" in rows[0] else ","
    heads: Sequence[str] = ("old", "new")
    found: list[Line] = []
    for number, cells in enumerate(csv.reader(rows, delimiter=mark), 1):
        row = [cell.strip() for cell in cells]
        if not any(row):
            continue
        if number == 1 and set(row) <= {*_HEADS} and {"old", "new"} <= set(row):
            heads = row
            continue
        if len(row) != len(heads):
            raise NotPossible(f"line {number} of the list has {len(row)} columns; expected {', '.join(heads)}")
        told = dict(zip(heads, row, strict=True))
        kind = _kind(old, told.get("kind", ""), number)
        new_kind = _kind(new, told.get("new_kind", "") or (kind if kind in new.kinds else ""), number)
        for column in ("old", "new"):
            if not told[column] or len(told[column]) > _LONGEST or not told[column].isprintable():
                raise NotPossible(f"line {number} of the list has no number in column {column}")
        found.append(Line(number, kind, told["old"], new_kind, told["new"]))
    if not found:
        raise NotPossible("the list is empty: write a line with old number and new number for each case")
    return found


def _kind(wired: Wired, told: str, number: int) -> str:
    if told in wired.kinds:
        return told
    if not told and len(wired.kinds) == 1:
        return next(iter(wired.kinds))
    column = "kind" if told else "kind or new_kind"
    raise NotPossible(f"line {number} of the list: {column} must be one of {wired.name}'s, {', '.join(wired.kinds)}")


class Relinking:
    """One list, judged against the ledger, and written if somebody says so."""

    def __init__(self, plant: Plant, old: Wired, new: Wired, text: str) -> None:
        """Raises NotPossible for two councils, and for a list that cannot be read."""
        if old.council != new.council:
            raise NotPossible("both connections must be of one council: nothing is ever linked across councils")
        self._plant, self._old, self._new = plant, old, new
        self._council: Council = plant.councils[old.council]
        self._renumbers = old.name == new.name
        self._lines = read_list(text, old, new)
        self._digest = sha256(text.encode()).hexdigest()
        self._courtesy = Courtesy(plant)
        self._given: dict[str, Line] = {}  # referral -> the line that gives it its new number
        self._refused: set[int] = set()  # numbers of lines

    def run(
        self, *, write: bool = False, who: str = "", why: str = "", look: bool = False,
        progress: Callable[[str, int], None] = lambda _what, _number: None,
    ) -> Relinked:  # fmt: skip
        """Judge every line; with `write` enter what can be entered. Run again, it does nothing that was done.

        `look`: each new record is read too, and must be there and name the same person. Raises NotPossible.
        """
        if look:
            blind = [kind for kind in {line.new_kind for line in self._lines} if "fetch" not in self._new.offers(kind)]
            if blind:
                raise NotPossible(f"{self._new.name} offers no way to read one {blind[0]}: leave out --look")
        found = Relinked(self._council.code, self._old.name, self._new.name, self._digest, write)
        found.totals["lines"] = len(self._lines)
        self._given, self._refused = {}, set()
        lines = list(self._unambiguous(found))
        for at in range(0, len(lines), _AT_ONCE):
            some = lines[at : at + _AT_ONCE]
            wrong = self._look(some) if look else {}
            if write:
                with self._plant.ledger.writing() as connection:
                    batch = Batch(connection, self._plant.vault, self._council, self._plant.clock.now())
                    self._judge(batch, some, wrong, found, write=True)
                    batch.flush()
                self._plant.vault.hand_over(self._plant.ledger)
            else:
                with self._plant.ledger.reading() as connection:
                    batch = Batch(connection, self._plant.vault, self._council, self._plant.clock.now(), locking=False)
                    self._judge(batch, some, wrong, found, write=False)
            progress(f"{found.council}/{found.new}", at + len(some))
        self._count_left(found)
        if write:
            self._end(found, who=who, why=why)
        return found

    # --- Judging ------------------------------------------------------------------------------------------------------

    def _unambiguous(self, found: Relinked) -> Iterator[Line]:
        """The lines that neither say two things of one number nor one thing of two; the others are refused."""
        by_old: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
        by_new: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
        for line in self._lines:
            by_old[line.kind, line.old].add((line.new_kind, line.new))
            by_new[line.new_kind, line.new].add((line.kind, line.old))
        seen: set[Line] = set()
        for line in self._lines:
            same = Line(0, line.kind, line.old, line.new_kind, line.new)
            if len(by_old[line.kind, line.old]) > 1:
                self._refuse(found, line, "the list gives the old number more than one new number")
            elif len(by_new[line.new_kind, line.new]) > 1:
                self._refuse(found, line, "the list gives the new number to more than one old number")
            elif same in seen:
                found.totals["repeated"] += 1
            else:
                seen.add(same)
                yield line

    def _judge(
        self, batch: Batch, lines: Sequence[Line], wrong: dict[int, str], found: Relinked, *, write: bool
    ) -> None:
        held = self._old_records(batch, lines)
        for kind in {line.new_kind for line in lines}:
            batch.fetch_records(self._new.name, kind, [line.new for line in lines if line.new_kind == kind])
        about = {row.referral_id for row in held if row is not None and row.referral_id}
        about |= {row.id for id in about if (row := batch.referral(id)) is not None}
        batch.fetch_deliveries(about)
        for kind in {line.new_kind for line in lines}:
            batch.fetch_numbers(self._new.name, kind, about)
        for line, row in zip(lines, held, strict=True):
            self._one(batch, line, row, wrong.get(line.number, ""), found, write=write)

    def _old_records(self, batch: Batch, lines: Sequence[Line]) -> list[Held | None]:
        """The records of the old numbers, with their referrals."""
        for kind in {line.kind for line in lines}:
            batch.fetch_records(self._old.name, kind, [line.old for line in lines if line.kind == kind])
        held = [batch.record(self._old.name, line.kind, line.old) for line in lines]
        batch.fetch_referrals({row.referral_id for row in held if row is not None and row.referral_id})
        return held

    def _one(self, batch: Batch, line: Line, old: Held | None, wrong: str, found: Relinked, *, write: bool) -> None:
        new = batch.record(self._new.name, line.new_kind, line.new)
        if self._renumbers and old is not None and old.referral_id is None and new is not None and new.referral_id:
            found.totals["known"] += 1  # the old number was let go of when the new one was entered
            return
        if old is None or old.referral_id is None:
            found.totals["unknown"] += 1
            if len(found.unknown) < MOST_LINES:
                why = f"no request is linked to this number of {self._old.name}"
                found.unknown.append(Told(line.number, line.old, line.new, why))
            return
        whole = batch.referral(old.referral_id)
        assert whole is not None, "a record names a referral of its own council"
        if old.aside:
            self._refuse(found, line, "a person said that this record is a double of another one")
        elif new is not None and new.referral_id == whole.id:
            found.totals["known"] += 1
        elif new is not None and new.referral_id is not None:
            self._refuse(found, line, f"{self._new.name} holds another request under the new number")
        elif not self._renumbers and batch.records_of(whole.id, self._new.name, line.new_kind):
            self._refuse(found, line, f"{self._new.name} holds this request under another number already")
        elif self._given.setdefault(whole.id, line) is not line:
            self._refuse(found, line, f"line {self._given[whole.id].number} gives the same request another number")
        elif wrong or self._is_gone(batch, whole):
            self._refuse(found, line, wrong or "what was kept of this request has expired or was erased")
        else:
            found.totals["linked"] += 1
            if write:
                self._link(batch, line, old, whole)

    def _link(self, batch: Batch, line: Line, old: Held, whole: Held) -> None:
        if not self._renumbers:
            outcomes.link(batch, whole, target=self._new.name, kind=line.new_kind, number=line.new)
            return
        # The same record under another number: what is known of it goes with it.
        row = batch.record(self._new.name, line.new_kind, line.new)
        row = row or batch.new_record(self._new.name, line.new_kind, line.new)
        row.set(base=old.base)
        changes = matching.renumber(batch, row, whole)
        batch.link_record(row, whole.id)
        revisions.revise(batch, whole, changes, by=revisions.OURSELVES)
        revisions.pass_on(batch, whole, changed=changes.keys(), by=self._new.name, version=None)

    @staticmethod
    def _is_gone(batch: Batch, whole: Held) -> bool:
        try:
            batch.facts(whole)
        except PayloadGone:
            return True
        return False

    def _refuse(self, found: Relinked, line: Line, why: str) -> None:
        found.totals["refused"] += 1
        self._refused.add(line.number)
        if len(found.refused) < MOST_LINES:
            found.refused.append(Told(line.number, line.old, line.new, why))

    # --- Looking ------------------------------------------------------------------------------------------------------

    def _look(self, lines: Sequence[Line]) -> dict[int, str]:
        """What is wrong with the new records of these lines: not there, or about somebody else."""
        code, vault = self._council.code, self._plant.vault
        with self._plant.ledger.reading() as connection:
            batch = Batch(connection, vault, self._council, self._plant.clock.now(), locking=False)
            held = self._old_records(batch, lines)
            whole = [batch.referral(row.referral_id) if row is not None and row.referral_id else None for row in held]
            facts = [None if row is None or self._is_gone(batch, row) else batch.facts(row) for row in whole]
        wrong: dict[int, str] = {}
        for line, known in zip(lines, facts, strict=True):
            if known is None:
                continue
            item = self._courtesy.call(self._new, partial(self._new.connector.fetch, line.new_kind, line.new))
            if item is None:
                wrong[line.number] = f"{self._new.name} has no record of the new number"
                continue
            reading = self._new.kinds[line.new_kind].mapping.read(item.record)
            shown = vault.hash_values(code, reading.facts)
            if is_somebody_else(shown, {}, known, partial(vault.hash_value, code)):
                wrong[line.number] = f"the record in {self._new.name} names another person"
        return wrong

    # --- What is left -------------------------------------------------------------------------------------------------

    def _count_left(self, found: Relinked) -> None:
        """Open requests that the old system holds, and that the new one would not after this list."""
        if self._renumbers:
            return
        taken = {(line.kind, line.old) for line in self._lines if line.number not in self._refused}
        with self._plant.ledger.reading() as connection:
            for reference, kind, number in unlinked(connection, self._council.code, self._old.name, self._new.name):
                if (kind, number) in taken:
                    continue
                found.totals["left"] += 1
                if len(found.left) < MOST_LINES:
                    found.left.append((reference, number))

    def _end(self, found: Relinked, *, who: str, why: str) -> None:
        plant, now = self._plant, self._plant.clock.now()
        with plant.ledger.writing() as connection:
            audit.write(
                connection,
                plant.vault,
                council=found.council,
                who=who,
                action="links import",
                subject=f"{found.old} {found.new}",
                why=why,
                now=now,
                detail={"list": found.digest, **dict(sorted(found.totals.items()))},
            )
            if found.complete and not self._renumbers:
                for route in self._council.routes:
                    if found.old in (route.source, route.target) and not route.text:
                        partner = route.target if route.source == found.old else route.source
                        if partner != found.new:
                            enter_pair(connection, found.council, partner, found.new, now=now, who=who)
        plant.nudge.set()


def unlinked(connection: Connection, council: str, old: str, new: str) -> Iterator[tuple[str, str, str]]:
    """Open requests that one connection holds and another does not: (reference, kind, number in the first)."""
    other = record.alias()
    there = select(other.c.id).where(
        other.c.council == council, other.c.connection == new, other.c.referral_id == referral.c.id
    )
    wanted = (
        select(referral.c.citizen_reference, referral.c.status, record.c.kind, record.c.external_id)
        .join(record, record.c.referral_id == referral.c.id)
        .where(
            record.c.council == council,
            record.c.connection == old,
            record.c.aside.is_(False),
            referral.c.merged_into.is_(None),
            ~there.exists(),
        )
        .order_by(record.c.external_id)
    )
    for row in connection.execution_options(yield_per=500).execute(wanted):
        if not (row.status and terminal(row.status)):
            yield row.citizen_reference, row.kind, row.external_id
