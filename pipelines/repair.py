"""Repair: what a comparison found wrong, mended by replay. Nothing here writes in any system.

What a source holds and its feed never showed is taken in as if the feed had shown it; so is an edit in the target that
its feed never showed, and the rules of merging decide. What the target still lacks after that becomes a delivery, and
goes out as every delivery does. What is in a target too often, or was taken away there, is for a person to decide.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.port import Item
from pipelines import audit, deliveries
from pipelines import facts as fact_store
from pipelines.batch import Batch, one_referral
from pipelines.courtesy import Courtesy
from pipelines.crosswalk import Crosswalk, Linked
from pipelines.intake import Intake
from pipelines.looking import NotPossible
from pipelines.plant import Council, Kind, Plant, Wired
from pipelines.report import Line, Report
from pipelines.routing import Route
from pipelines.states import OPEN
from pipelines.writing import Draft, draft_create, draft_update

#: What a version is marked with that a comparison found: it does not go before live work.
PURPOSE = "reconcile"
_MENDABLE = ("missing", "different", "stale")


@dataclass(frozen=True, slots=True)
class Step:
    """How one line of a comparison would be mended."""

    found: str  # missing, different, stale
    kind: str  # the source's kind of record
    source: str
    target: str
    take_in: tuple[str, ...]  # connections whose record is read anew first
    effect: str  # create, update, nothing, or "" where a person must decide
    fields: tuple[str, ...] = ()  # what the target would be sent
    words: str = ""

    @property
    def possible(self) -> bool:
        """Whether there is anything to be done by replay."""
        return bool(self.take_in) or self.effect in ("create", "update")


@dataclass(slots=True)
class Mended:
    """What a repair did."""

    taken_in: int = 0
    deliveries: list[str] = field(default_factory=list)  # d12, ...
    not_done: list[tuple[str, str]] = field(default_factory=list)  # (number in the source, why)


def taker(plant: Plant, council: Council, wired: Wired) -> Callable[[Kind, Item], bool]:
    """Return what takes a record of this connection in as if its feed had shown it."""
    intake = Intake(plant, council)

    def take_in(kind: Kind, item: Item) -> bool:
        return intake.take(wired, kind, [item], purpose=PURPOSE).news > 0

    return take_in


def plan(plant: Plant, council: Council, report: Report) -> list[Step]:
    """Say how what was found would be mended. Both systems are read; nothing is written anywhere."""
    route = council.route(report.route)
    if route is None:
        raise NotPossible(f"the site no longer has the route {report.route}")
    repair = _Repair(plant, council, route)
    return [repair.step(found, line) for found in _MENDABLE for line in getattr(report, found)]


def carry_out(plant: Plant, council: Council, route_name: str, steps: Sequence[Step], *, who: str, why: str) -> Mended:
    """Do it: take in, and make deliveries. Each is written to the audit with who and why."""
    route = council.route(route_name)
    if route is None:
        raise NotPossible(f"the site no longer has the route {route_name}")
    repair = _Repair(plant, council, route)
    mended = Mended()
    for step in steps:
        if not step.possible:
            mended.not_done.append((step.source, step.words))
            continue
        try:
            mended.taken_in += repair.take_in(step)
            mended.deliveries += repair.send(step, who=who, why=why)
        except NotPossible as fault:
            mended.not_done.append((step.source, str(fault)))
    plant.nudge.set()
    return mended


class _Repair:
    """One route of one council, being mended."""

    def __init__(self, plant: Plant, council: Council, route: Route) -> None:
        self._plant, self._council, self._route = plant, council, route
        self._source, self._target = council.wired[route.source], council.wired[route.target]
        self._kind = self._target.kinds[route.kind]
        self._crosswalk = Crosswalk(plant, council, route)
        self._courtesy = Courtesy(plant)

    def step(self, found: str, line: Line) -> Step:
        """How one line would be mended."""
        item = self._fetch(self._source, line.kind, line.source)
        linked = self._crosswalk.of(line.kind, line.source)

        def made(effect: str, words: str = "", fields: Sequence[str] = (), take_in: Sequence[str] = ()) -> Step:
            number = linked.target or line.target
            return Step(found, line.kind, line.source, number, tuple(take_in), effect, tuple(fields), words)

        if item is None:
            return made("", f"{self._source.name} no longer has it")
        late = self._crosswalk.never_shown(item, linked)
        if not linked.referral and not late:
            return made("", "it was read, and closed without making a referral of it")
        reading = self._source.kinds[line.kind].mapping.read(item.record)
        take_in = [self._source.name] if late else []
        if late and reading.stopped:
            return made("", f"it would need attention: {reading.stopped[0]}", take_in=take_in)
        facts = {**self._crosswalk.merged(linked), **(reading.facts if late else {})}
        current = self._current(linked, line)
        if linked.target and current is None:
            words = f"{self._target.name} no longer has {linked.target}; whether it is made again, a person decides"
            return made("", words)
        if current is not None and self._edited(current):
            take_in.append(self._target.name)
        draft = self._draft(facts, current, linked, edited=self._target.name in take_in)
        if draft.stopped:
            return made("", str(draft.stopped[0]), take_in=take_in)
        if draft.record is None:
            words = f"its own edits count first: {', '.join(draft.held_back)}" if draft.held_back else ""
            return made("nothing", words, take_in=take_in)
        return made("update" if current else "create", "", sorted(draft.expected), take_in)

    def take_in(self, step: Step) -> int:
        """Read anew what the step names, and take it in. Returns how many versions were news."""
        news = 0
        intake = Intake(self._plant, self._council)
        for name in step.take_in:
            wired = self._council.wired[name]
            kind, number = (
                (wired.kinds[step.kind], step.source)
                if name == self._source.name
                else (wired.kinds[self._route.kind], step.target)
            )
            item = self._fetch(wired, kind.name, number)
            if item is not None:
                news += intake.take(wired, kind, [item], purpose=PURPOSE).news
        return news

    def send(self, step: Step, *, who: str, why: str) -> list[str]:
        """Make a delivery of what the target still lacks, unless one is on its way. Raises NotPossible."""
        linked = self._crosswalk.of(step.kind, step.source)
        if not linked.referral:
            raise NotPossible(linked.on_its_way or "no referral could be made of it")
        with self._plant.ledger.writing() as connection:
            batch = Batch(connection, self._plant.vault, self._council, self._plant.clock.now())
            row = one_referral(batch, linked.referral)
            if row is None:
                raise NotPossible("its referral is gone")
            known = fact_store.plain(batch.facts(row))
            missed = self._route.misses(known)
            if missed:
                raise NotPossible(f"the route is not for it: {missed}")
            here = [
                one
                for one in batch.deliveries_of(row.id)
                if one.connection == self._target.name and one.carries == "state" and one.state in OPEN
            ]
            if not here:
                self._forgot(batch, step)
                here = [deliveries.make(batch, self._route, row, plain=known, version=None)]
                batch.flush()
            for one in here:
                self._tell(
                    batch, f"d{one.id}", who=who, why=why, detail={"found": step.found, "route": self._route.name}
                )
            return [f"d{one.id}" for one in here]

    def _forgot(self, batch: Batch, step: Step) -> None:
        """A target that shows again what it showed before our write has forgotten it, and nobody's edit is lost by
        writing it once more: we have taken in all that it shows."""
        current = self._fetch(self._target, self._route.kind, step.target)
        if current is None or self._edited(current):
            return
        batch.fetch_records(self._target.name, self._route.kind, [current.id])
        held = batch.record(self._target.name, self._route.kind, current.id)
        if held is not None:
            # What it shows at this moment may be written over; an edit made after it may not.
            shown, code = self._kind.mapping.read(current.record).facts, self._council.code
            marks = {name: self._plant.vault.hash_value(code, name, value) for name, value in shown.items()}
            held.set(base={**held.base, **{name: [mark, None] for name, mark in marks.items()}}, rewrite=True)

    def _tell(self, batch: Batch, subject: str, *, who: str, why: str, detail: dict[str, Any]) -> None:
        audit.write(
            batch.connection,
            self._plant.vault,
            council=self._council.code,
            who=who,
            action="repair",
            subject=subject,
            why=why,
            now=batch.now,
            detail=detail,
        )

    def _fetch(self, wired: Wired, kind: str, number: str) -> Item | None:
        if not number or "fetch" not in wired.offers(kind):
            return None
        return self._courtesy.call(wired, lambda: wired.connector.fetch(kind, number))

    def _current(self, linked: Linked, line: Line) -> Item | None:
        return self._fetch(self._target, self._route.kind, linked.target or line.target)

    def _edited(self, current: Item) -> bool:
        """Whether the target shows a version that its feed, if it has one, has not brought us yet."""
        if "changes" not in self._target.offers(self._route.kind):
            return False
        return self._crosswalk.target_never_shown(current)

    def _draft(self, facts: dict[str, Any], current: Item | None, linked: Linked, *, edited: bool) -> Draft:
        if current is None:
            return draft_create(self._kind.mapping, facts)
        return draft_update(
            self._kind.mapping,
            facts,
            current,
            linked.base,
            shows_changes=self._target.polls and edited,
            whole=self._target.connector.reads_first(self._kind.name),
            hash_of=lambda name, value: self._plant.vault.hash_value(self._council.code, name, value),
        )
