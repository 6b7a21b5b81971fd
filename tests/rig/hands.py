"""Dolen driven by hand: a plant on the rig's site whose clock, workers and crashes are the test's to decide.

A worker here is the one of `pipelines.drain` taken apart: leasing, sending and writing down are called one by one, so
that anything may happen in between. The ledger is real, and so is the wire.
"""

from __future__ import annotations

import shutil
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from pipelines import composition, desk, looking, matching, outcomes, overview, recovery, revisions
from pipelines import facts as fact_store
from pipelines.breaker import Breaker
from pipelines.clock import SECOND, SystemClock, to_instant
from pipelines.drain import Shared, TooLate
from pipelines.intake import Intake
from pipelines.jobs import Job, Known
from pipelines.journal import Journal
from pipelines.plant import Council, Plant, Wired
from pipelines.sending import Result
from pipelines.states import VersionState
from pipelines.tables import version
from pipelines.walks import Walker
from tests.rig.judge import Verdict, judge
from tests.rig.site import lay_out
from tests.rig.systems import System, Web

KIND = "Case"


class HandClock(SystemClock):
    """A clock that stands still until it is pushed."""

    def __init__(self) -> None:
        self.at = time.time_ns() // 1000 // SECOND * SECOND

    def now(self) -> int:
        return self.at

    def instant(self) -> datetime:
        return to_instant(self.at)

    def seconds(self) -> float:
        """For the systems, whose clock is the same one."""
        return self.at / SECOND

    def wait(self, event: threading.Event, seconds: float) -> bool:
        return event.is_set()


class Mortal(Journal):
    """A journal whose process may die: the file stays as it is."""

    def abandon(self) -> None:
        """Let go of the file without a word, as a death does."""
        if self._noted is not None:
            self._noted.close()
            self._noted = None


@dataclass
class Hand:
    """One worker: its boot, what it has leased and not sent, and what it was told and has not written down."""

    boot: str
    shared: Shared
    journal: Mortal
    jobs: list[tuple[Job, Known | None]] = field(default_factory=list)  # each with what was known when it was leased
    results: list[Result] = field(default_factory=list)


class Rig:
    """`tiers`: a council for each and its care system's tier."""

    def __init__(
        self, folder: Path, tiers: dict[str, str], *, empty: Path | None = None, slow: float = 0, matched: bool = False
    ) -> None:
        """`empty`: a folder with an empty ledger, to begin from a copy of it. `slow`: by how many seconds the clocks of
        the desks are behind ours. `matched`: unknown cases in care are matched by the desk's number."""
        self.tiers = tiers
        self.clock = HandClock()
        self.web = Web()
        for council, tier in tiers.items():
            self.web.add(council, "desk", "A", lambda: self.clock.seconds() - slow)
            self.web.add(council, "care", tier, self.clock.seconds)
        self.site = lay_out(folder, tiers, self.web.url, matched=matched)
        if empty is not None:
            shutil.copytree(empty / "data", folder / "data")
            shutil.copy(empty / "main.key", folder / "main.key")
        self.boots = 0
        self.hands: dict[int, Hand] = {}
        self.begin()

    # --- processes ----------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Build the plant from its files."""
        self.plant: Plant = composition.build(composition.load(self.site), clock=self.clock)

    def hand(self, number: int) -> Hand:
        """A worker by number; a new one under a new boot if it is dead or was never there."""
        if number not in self.hands:
            self.boots += 1
            boot = f"boot{self.boots}"
            journal = Mortal(self.plant.journals, boot)
            shared = Shared(self.plant, Breaker(self.plant), journal, lambda: True, lambda *_: None)
            self.hands[number] = Hand(boot, shared, journal)
        return self.hands[number]

    def kill(self, number: int) -> None:
        """A worker dies with all that it knew; the others clean up after it."""
        hand = self.hands.pop(number, None)
        if hand is not None:
            hand.journal.abandon()
            recovery.void(self.plant, [hand.boot])

    def kill_all(self) -> None:
        """Everything dies, and one process begins anew on the same files."""
        for hand in self.hands.values():
            hand.journal.abandon()
        self.hands.clear()
        self.plant.close()
        self.begin()
        recovery.void(self.plant)

    def close(self) -> None:
        """End everything."""
        for hand in self.hands.values():
            hand.journal.abandon()
        self.hands.clear()
        self.plant.close()
        self.web.close()

    # --- what a process does, step by step ----------------------------------------------------------------------------

    def council(self, code: str) -> Council:
        return self.plant.councils[code]

    def wired(self, code: str, side: str) -> Wired:
        return self.council(code).wired[side]

    def read(self, code: str, side: str) -> int:
        """Read a source to the end of what is new; return how many versions were news."""
        wired = self.wired(code, side)
        return Walker(self.plant, self.council(code)).walk(wired, wired.kinds[KIND]).taken.news

    def lease(self, number: int, code: str, side: str, most: int) -> list[Job]:
        """A worker leases a batch."""
        hand = self.hand(number)
        with self.plant.ledger.writing() as connection:
            jobs = outcomes.lease(connection, self.plant, self.council(code), side, f"{hand.boot}/1", most=most)
        known = hand.shared.senders[code].prepare(jobs)
        hand.jobs += zip(jobs, known, strict=True)
        return jobs

    def send(self, number: int) -> Result | None:
        """A worker makes the next call of its batch. None if it has none, or knows that it is too late for it."""
        hand = self.hand(number)
        if not hand.jobs:
            return None
        job, known = hand.jobs[0]
        try:
            result = hand.shared.senders[job.lease.council].send(job, known)
        except TooLate:
            self.write(number)
            return None
        del hand.jobs[0]
        hand.results.append(result)
        return result

    def write(self, number: int) -> list[Result]:
        """A worker writes down what it was told and gives the rest back; return what it was no longer let write."""
        hand = self.hand(number)
        results, jobs = hand.results, hand.jobs
        hand.results, hand.jobs = [], []
        lost: list[Result] = []
        for code in self.plant.councils:
            mine = [result for result in results if result.job.lease.council == code]
            rest = [job for job, _ in jobs if job.lease.council == code]
            if mine or rest:
                with self.plant.ledger.writing() as connection:
                    lost += outcomes.write(connection, self.plant, self.council(code), mine, rest)
        return lost

    def answer(self) -> int:
        """An officer deals with all that needs attention, from what the systems really hold; return how much."""
        done = 0
        for group in desk.attention(self.plant):
            for id in (f"d{number}" for number in group.deliveries):
                with self.plant.ledger.reading() as connection:
                    row = looking.delivery_of(self.plant, id)
                    found = revisions.get(connection, group.council, row.referral_id)
                    sealed = fact_store.load(connection, self.plant.vault, group.council, found.facts)
                    name = fact_store.plain(sealed)["person.name.family"]
                settled = (row.sent_at or 0) + 2 * SECOND  # deadline and settling time of the rig's site
                if group.step == "look up" and self.clock.at < settled:
                    continue  # she knows that a look too early proves nothing
                if group.step == "look up":
                    held = self.web.systems[f"{group.council}/{row.connection}"].of(name)
                    how, number = ("arrived", held[0].id) if held else ("not-arrived", "")
                    desk.settle(self.plant, id, how=how, number=number, who="officer", why="looked it up")
                else:
                    desk.replay(self.plant, [id], who="officer", why="mended")
                done += 1
            for id in (f"v{number}" for number in group.versions):
                done += len(desk.replay(self.plant, [id], who="officer", why="mended").done)
        return done

    def take_waiting(self) -> int:
        """What waited for a create in doubt is taken once that is settled, as the scheduler does."""
        with self.plant.ledger.reading() as connection:
            rows = connection.execute(select(version).where(version.c.state == VersionState.WAITING)).all()
            free = [row for row in rows if not matching.create_in_doubt(connection, row.council, row.connection)]
        for row in free:
            Intake(self.plant, self.council(row.council)).again([row.id])
        return len(free)

    def push(self, seconds: float) -> None:
        """Time passes. What a system was still doing is done by then."""
        for system in self.web.systems.values():
            system.let_late_ones_in()
        self.clock.at += int(seconds * SECOND)

    # --- looking ------------------------------------------------------------------------------------------------------

    def verdict(self) -> Verdict:
        """What is wrong, by the systems alone. They must be at rest."""
        found = Verdict()
        for code in self.tiers:
            found.include(judge(code, self.web.systems[f"{code}/desk"], self.web.systems[f"{code}/care"]))
        return found

    def never(self) -> list[str]:
        """What may not be at any moment, at rest or not: doubles where the tier forbids them, and steps backwards."""
        found = []
        for code, tier in self.tiers.items():
            desk_, care = self.web.systems[f"{code}/desk"], self.web.systems[f"{code}/care"]
            for case in desk_.cases.values():
                name = case.body["person"]["last_name"]
                held = care.of(name)
                if len(held) > 1 and tier != "C":
                    found.append(f"{code} {name}: care holds it {len(held)} times")
                for other in held:
                    order = [case.texts.index(text) for text in other.texts if text in case.texts]
                    if order != sorted(order):
                        found.append(f"{code} {name}: care was told {other.texts} of {case.texts}")
            if len(desk_.cases) != len({case.body["person"]["last_name"] for case in desk_.cases.values()}):
                found.append(f"{code}: the desk was given a case that it had typed itself")
        return found

    def rest(self, turns: int = 40) -> None:
        """All workers die; then one process reads, sends and is answered until nothing is on its way."""
        self.kill_all()
        for system in self.web.systems.values():
            system.answers.clear()
            for case in system.cases.values():
                system.show(case)
        calm = 0
        for _ in range(turns):
            moved = 0
            for code in self.tiers:
                for side in ("desk", "care"):
                    moved += self.read(code, side)
                    while self.lease(9, code, side, 8):
                        while self.send(9):
                            moved += 1
                        self.write(9)
            moved += self.answer() + self.take_waiting()
            calm = 0 if moved or not overview.is_quiet(self.plant) else calm + 1
            if calm > 1:
                return
            if not moved:
                self.push(40)

        look = overview.look(self.plant)
        raise AssertionError(f"it does not come to rest: {look.versions} {look.deliveries}")


def system_of(rig: Rig, code: str, side: str) -> System:
    """One of the rig's systems."""
    return rig.web.systems[f"{code}/{side}"]
