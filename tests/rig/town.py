"""The town: the systems of the rig, its site, and a real `dolen run` on it that a test kills where it likes.

Everything that Dolen does is done by that process. The test plays the staff of both systems, and the officer who
answers, from what the systems really hold, what Dolen cannot know.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pipelines import composition, desk, overview, revisions
from pipelines import facts as fact_store
from pipelines.plant import Plant
from tests.rig.judge import Verdict, judge
from tests.rig.site import lay_out
from tests.rig.systems import System, Web

ROOT = Path(__file__).parents[2]
TIERS = {"alder": "A", "cedar": "B", "elder": "C"}


class Town:
    """`tiers`: a council for each, and its care system's tier. `clock`: that of every desk."""

    def __init__(self, folder: Path, tiers: dict[str, str] = TIERS, *, clock: Callable[[], float] = time.time) -> None:
        self.folder, self.tiers = folder, tiers
        self.web = Web()
        for council, tier in tiers.items():
            self.web.add(council, "desk", "A", clock)
            self.web.add(council, "care", tier)
        self.site = lay_out(folder, tiers, self.web.url, every=0.5)
        self.log = folder / "run.log"
        self._process: subprocess.Popen[bytes] | None = None

    def desk(self, council: str) -> System:
        """Where cases of a council are typed."""
        return self.web.systems[f"{council}/desk"]

    def care(self, council: str) -> System:
        """Where they are dealt with."""
        return self.web.systems[f"{council}/care"]

    def type_in(self, *names: str, **more: object) -> None:
        """Each council's desk types cases about people of these names."""
        for council in self.tiers:
            for name in names:
                self.desk(council).type_in(name, **more)

    # --- Dolen --------------------------------------------------------------------------------------------------------

    def start(self, crash_at: str = "") -> None:
        """Start `dolen run`, which ends itself at the given crash point."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        environment.pop("DOLEN_CRASH_AT", None)
        if crash_at:
            environment["DOLEN_CRASH_AT"] = crash_at
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "console", "run", "--site", str(self.site)],
                cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def wait_killed(self, seconds: float = 60) -> bool:
        """Wait for the process to end itself; whether it was by SIGKILL, at its point, and in time."""
        assert self._process is not None
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        self._process = None
        return code == -signal.SIGKILL

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> int:
        """End it in order; return its exit code."""
        assert self._process is not None
        self._process.terminate()
        code = self._process.wait(30)
        self._process = None
        return code

    def close(self) -> None:
        """End everything. Idempotent."""
        self.kill()
        self.web.close()

    # --- Looking ------------------------------------------------------------------------------------------------------

    def verdict(self) -> Verdict:
        """What is wrong, over all councils."""
        found = Verdict()
        for council in self.tiers:
            found.include(judge(council, self.desk(council), self.care(council)))
        return found

    def settle(self, seconds: float = 60, *, officer: bool = True) -> Verdict:
        """Wait until all is well and nothing is on its way, or the time is over; return the verdict.

        What needs a person is answered meanwhile by the `officer`, from what care really holds.
        """
        plant = composition.build(composition.load(self.site))
        end = time.monotonic() + seconds
        try:
            while True:
                if officer:
                    self._answer(plant)
                found = self.verdict()
                # Twice, with a reading of each source in between: a late double would show up by then.
                if found.well and self._quiet(plant):
                    time.sleep(1.2)
                    found = self.verdict()
                    if found.well and self._quiet(plant):
                        return found
                if time.monotonic() > end:
                    return found
                time.sleep(0.1)
        finally:
            plant.close()

    def sums(self) -> overview.Overview:
        """What the ledger says of itself."""
        plant = composition.build(composition.load(self.site))
        try:
            return overview.look(plant)
        finally:
            plant.close()

    def last_words(self, lines: int = 20) -> str:
        """The end of what `dolen run` wrote, and what needs attention."""
        told = self.log.read_text(encoding="utf-8", errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(told[-lines:])

    def _quiet(self, plant: Plant) -> bool:
        return overview.is_quiet(plant) and overview.look(plant).attention == 0

    def _answer(self, plant: Plant) -> None:
        for group in desk.attention(plant):
            if group.step != "look up":
                continue
            for id in group.deliveries:
                self._answer_one(plant, group.council, f"d{id}")

    def _answer_one(self, plant: Plant, council: str, id: str) -> None:
        """The officer looks the case up by the person's name, as she would."""
        from pipelines import looking

        with plant.ledger.reading() as connection:
            row = looking.delivery_of(plant, id)
            facts = revisions.get(connection, council, row.referral_id)
            name = fact_store.plain(fact_store.load(connection, plant.vault, council, facts.facts))[
                "person.name.family"
            ]
        held = self.care(council).of(name)
        try:
            if held:
                desk.settle(plant, id, how="arrived", number=held[0].id, who="officer", why="looked it up")
            else:
                desk.settle(plant, id, how="not-arrived", number="", who="officer", why="looked it up")
        except looking.NotPossible:
            pass  # it has just moved by itself
