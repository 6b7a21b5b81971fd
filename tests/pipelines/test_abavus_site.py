"""A site that sends to Abavus, and its process killed between the two steps of a create: nothing lost, nothing doubled.

The system is a pretend one: behaviour seen elsewhere, not verified against the product.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sandbox.abavus import Abavus
from sandbox.exchange import Interrupted, Response
from sandbox.faults import Faults
from sandbox.tally import Tally
from sandbox.web import Server
from tests.pipelines.emptying import case, lay_out
from tests.pipelines.test_emptied_feeds import System

pytestmark = [pytest.mark.slow, pytest.mark.embedded, pytest.mark.timeout(400)]

ROOT = Path(__file__).parents[2]
CONNECTION = """\
  mcs:
    profile: {profile}
    owner: {{name: The rig, phone: "01632 960101"}}
    supplier: Nobody
    connect:
      url: {url}/cedar/abavus
      timeout_seconds: 1
      login: {{api_key: {{header: iPublicKey, key: env:MCS_KEY}}}}
    records:
      ServiceRequest: {{mapping: abavus/service-request}}
    owns: [status]
    schedule: {{every: PT1S}}
    settle_seconds: 1
routes:
  - {{name: in, from: inbox, to: mcs, record: ServiceRequest, carries: state}}
"""


class Deadly(Abavus):
    """It kills whoever asks it for the second step, once, before doing it."""

    victim: subprocess.Popen[bytes] | None = None

    def _refer(self, *given: Any) -> Response:
        victim, self.victim = self.victim, None
        if victim is not None:
            victim.send_signal(signal.SIGKILL)
            victim.wait(20)
            raise Interrupted("its caller is dead")
        return super()._refer(*given)


class Rig:
    """The site, its two systems, and the one process that runs it."""

    def __init__(self, folder: Path, *, draft: bool) -> None:
        self.source = System()
        self.abavus = Deadly("gwenynen")
        self.server = Server({"abavus": self.abavus}, lambda _: Response(404), Faults(), Tally(), _now)
        self.server.start()
        self.site = lay_out(folder, self.source.url)
        profile = (ROOT / "connectors" / "profiles" / "abavus.yaml").read_text(encoding="utf-8")
        (self.site / "profiles" / "mcs.yaml").write_text(
            profile.replace("draft: false", f"draft: {str(draft).lower()}"), encoding="utf-8"
        )
        council = self.site / "config" / "councils" / "cedar.yaml"
        text = council.read_text(encoding="utf-8").replace(
            "owns: [priority]",
            "owns: [priority, person, reason, received_at, safeguarding_flag, restricted_record]\n"
            "    schedule: {every: PT1S}",
        )
        connection = CONNECTION.format(profile="mcs", url=self.server.url)
        council.write_text(text.replace("routes: []\n", connection), encoding="utf-8")
        self.log = folder / "log"
        self.process: subprocess.Popen[bytes] | None = None

    def command(self, *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
        whole = [sys.executable, "-m", "console", *words, "--site", str(self.site)]
        return subprocess.run(whole, cwd=ROOT, env=_environment(), capture_output=True, text=True, timeout=60, **more)

    def steps(self) -> set[str]:
        """Of what a person has to look at: at which step of its way each came to a stop."""
        return {cause["step"] for cause in json.loads(self.command("attention", "--json").stdout)["causes"]}

    def start(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "console", "run", "--site", str(self.site)],
                cwd=ROOT, env=_environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        return self.process

    def wait(self, until: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + 120
        while not until():
            assert time.monotonic() < end, f"{what}:\n{self.log.read_text(encoding='utf-8')[-3000:]}"
            time.sleep(0.1)

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(20)
        self.server.stop()
        self.source.close()

    @property
    def references(self) -> list[str]:
        return [held.reference for held in self.abavus.office("cedar").requests.values()]


def _now() -> datetime:
    return datetime.now(UTC)


def _environment() -> dict[str, str]:
    return {**os.environ, "MCS_KEY": "gwenynen", "PYTHONPATH": str(ROOT)}


@pytest.fixture
def rig(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Rig]:
    made = Rig(tmp_path, draft=request.param)
    yield made
    made.close()


@pytest.mark.parametrize("rig", [True], indirect=True)
def test_where_the_first_step_makes_a_draft_it_goes_on_by_itself_and_hears_what_becomes_of_it(rig: Rig) -> None:
    rig.source.inbox = {"c1": case("c1")}
    first = rig.start()
    rig.abavus.victim = first
    rig.wait(lambda: first.poll() is not None, "it was not killed between the steps")
    assert rig.references == [""]
    rig.start()
    rig.wait(lambda: rig.references != [""], "the second step was not made")
    assert len(rig.references) == 1
    rig.abavus.staff_put("cedar", "1", {"status": "ACCEPTED_S"})
    ours = rig.abavus.office("cedar").events[-1]
    rig.abavus.office("cedar").events.append({**ours, "number": 7, "guid": "F" * 32, "otherSystemID": ""})
    rig.wait(lambda: "status accepted" in rig.command("trace", "c1").stdout, "the status did not come back")
    assert "read" in rig.steps(), "news of a request that we did not make is for a person"


@pytest.mark.parametrize("rig", [False], indirect=True)
def test_where_the_first_step_counts_a_person_decides_and_still_nothing_is_made_twice(rig: Rig) -> None:
    rig.source.inbox = {"c1": case("c1")}
    first = rig.start()
    rig.abavus.victim = first
    rig.wait(lambda: first.poll() is not None, "it was not killed between the steps")
    rig.start()
    rig.wait(lambda: "look up" in rig.steps(), "nobody was told")
    assert len(rig.references) == 1
    time.sleep(2.5)  # what was asked of it can no longer take effect
    settled = rig.command("settle", "d1", "--not-arrived", input="I did not find it\n")
    assert settled.returncode == 0, settled.stdout + settled.stderr
    rig.wait(lambda: rig.references != [""], "the second step was not made")
    assert len(rig.references) == 1, "the request that was made is gone on with, whatever anybody saw of it"
