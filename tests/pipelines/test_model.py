"""The model first: a state machine that does in any order what can happen to Dolen, and judges by the systems alone.

Staff type and edit at both ends; workers lease, call and write down step by step; calls end in every way; workers die,
sleep through their leases and wake late; processes start again; officers settle. The ledger is real and so is the wire.
At every step the sums agree and nothing is doubled or goes backwards; at rest nothing is lost, stale or wiped. Rows 1,
10, 12, 15, 16, 21, 27, 28 and 29 of docs/catalogue.md; `tests/mutants` shows that it bites.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
import structlog
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pipelines import overview
from tests.conftest import PROFILE
from tests.rig.hands import KIND, Rig
from tests.rig.systems import ANSWERS, System

TIERS = {"alder": "A", "cedar": "B", "elder": "C"}
STATUSES = ("triage", "accepted", "in-progress", "on-hold")
#: Cases of one council at the most: few, so that much happens to each.
MOST = 3

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200 if PROFILE == "long" else 600)]

councils = st.sampled_from(sorted(TIERS))
sides = st.sampled_from(["desk", "care"])
workers = st.sampled_from([1, 2])


def folder() -> Path:
    """A new folder, in memory where the machine has such: what a disk does to a ledger is proved elsewhere."""
    memory = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix="dolen-model-", dir=memory if os.access(memory, os.W_OK) else None))


@cache
def empty_ledger() -> Path:
    """A data folder in which everything is made and nothing has happened: each history begins from a copy of it."""
    made = folder()
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    Rig(made, TIERS).close()
    return made


class Histories(RuleBasedStateMachine):
    """Anything that can happen, in any order."""

    @initialize()
    def begin(self) -> None:
        self.folder = folder()
        self.rig = Rig(self.folder, TIERS, empty=empty_ledger())
        self.words = 0
        self.pages: dict[tuple[str, str], list[Any]] = {}

    def system(self, council: str, side: str) -> System:
        return self.rig.web.systems[f"{council}/{side}"]

    # --- what people do -----------------------------------------------------------------------------------------------

    @rule(council=councils, hidden=st.booleans())
    def somebody_asks_for_help(self, council: str, hidden: bool) -> None:
        desk = self.system(council, "desk")
        if len(desk.cases) < MOST:
            desk.type_in(f"{council}-{len(desk.cases)}", hidden=hidden)

    @rule(council=councils, which=st.integers(0, MOST - 1), urgent=st.booleans())
    def desk_staff_edit(self, council: str, which: int, urgent: bool) -> None:
        desk = self.system(council, "desk")
        if which < len(desk.cases):
            self.words += 1
            desk.change(
                list(desk.cases)[which], reason=f"words {self.words}", priority="urgent" if urgent else "routine"
            )

    @rule(council=councils, which=st.integers(0, MOST - 1), status=st.sampled_from(STATUSES))
    def care_staff_edit(self, council: str, which: int, status: str) -> None:
        care = self.system(council, "care")
        if which < len(care.cases):
            self.words += 1
            care.change(list(care.cases)[which], status=status, notes=f"note {self.words}")

    @rule(council=councils)
    def what_was_late_shows_up(self, council: str) -> None:
        desk = self.system(council, "desk")
        for case in desk.cases.values():
            desk.show(case)

    @rule()
    def an_officer_answers(self) -> None:
        self.rig.answer()

    # --- what Dolen does ----------------------------------------------------------------------------------------------

    @rule(council=councils, side=sides)
    def a_source_is_read(self, council: str, side: str) -> None:
        wired = self.rig.wired(council, side)
        page = wired.connector.changes(KIND, watermark="")
        self.pages.setdefault((council, side), []).append(page.items)
        self.rig.read(council, side)

    @rule(council=councils, side=sides, which=st.integers(0, 3))
    def an_old_page_comes_again(self, council: str, side: str, which: int) -> None:
        from pipelines.intake import Intake

        pages = self.pages.get((council, side), [])
        if which < len(pages):
            wired = self.rig.wired(council, side)
            Intake(self.rig.plant, self.rig.council(council)).take(wired, wired.kinds[KIND], pages[which])

    @rule()
    def what_waited_is_taken(self) -> None:
        self.rig.take_waiting()

    @rule(worker=workers, council=councils, side=sides, most=st.sampled_from([1, 4]))
    def a_worker_leases(self, worker: int, council: str, side: str, most: int) -> None:
        self.rig.lease(worker, council, side, most)

    @rule(worker=workers, answer=st.sampled_from(ANSWERS))
    def a_worker_calls(self, worker: int, answer: str) -> None:
        hand = self.rig.hands.get(worker)
        if hand is None or not hand.jobs:
            return
        lease = hand.jobs[0][0].lease
        system = self.system(lease.council, lease.connection)
        system.answers.clear()
        system.answers.append(answer)
        self.rig.send(worker)
        system.answers.clear()

    @rule(worker=workers)
    def a_worker_writes_down(self, worker: int) -> None:
        if worker in self.rig.hands:
            self.rig.write(worker)

    # --- what goes wrong ----------------------------------------------------------------------------------------------

    @rule(worker=workers)
    def a_worker_dies(self, worker: int) -> None:
        self.rig.kill(worker)

    @rule()
    def everything_dies(self) -> None:
        self.rig.kill_all()

    @rule(seconds=st.sampled_from([1, 3, 40, 400]))
    def time_passes(self, seconds: int) -> None:
        self.rig.push(seconds)

    # --- what must hold -----------------------------------------------------------------------------------------------

    @precondition(lambda self: hasattr(self, "rig"))
    @invariant()
    def nothing_is_doubled_and_nothing_goes_backwards(self) -> None:
        assert self.rig.never() == []

    @precondition(lambda self: hasattr(self, "rig"))
    @invariant()
    def the_sums_agree(self) -> None:
        assert overview.look(self.rig.plant).sums_agree

    def teardown(self) -> None:
        if not hasattr(self, "rig"):
            return
        try:
            self.rig.rest()
            verdict = self.rig.verdict()
            assert verdict.well, verdict
            assert self.rig.never() == []
            look = overview.look(self.rig.plant)
            assert look.sums_agree
            assert look.open == 0, look.deliveries
        finally:
            self.rig.close()
            shutil.rmtree(self.folder)


LENGTH = {"ci": (20, 30), "desk": (20, 30), "long": (2_000, 50)}[PROFILE]

TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=LENGTH[0], stateful_step_count=LENGTH[1], suppress_health_check=list(HealthCheck)
)


@pytest.fixture(autouse=True, scope="module")
def silence() -> Iterator[None]:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    yield
    structlog.reset_defaults()
