"""A site with a MESH mailbox: read by processes that are killed, sent to, and told of what never arrived."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from sandbox.exchange import Response
from sandbox.faults import Faults
from sandbox.mesh import Mesh
from sandbox.tally import Tally
from sandbox.web import Server
from tests.pipelines.emptying import Kill, begin, case, lay_out
from tests.pipelines.test_emptied_feeds import STEPS, System, taken_in
from tests.rig.site import OPENAPI

pytestmark = [pytest.mark.slow, pytest.mark.embedded, pytest.mark.timeout(400)]

ROOT = Path(__file__).parents[2]
OURS, THEIRS = "X26OT001", "X26OT002"
PROFILE = """\
system: peer
protocol: mesh
clock: UTC
records:
  Case:
    item: {id: id, version: version, modified: changed_at}
    schema: interfaces/case.schema.json
    changes: {feed: mailbox, workflows: [CASES], format: json}
    create: {workflow: CASES, format: json, content_type: application/json}
    update: {as: another-message}
    find: {by: local-id}
"""
CONNECTION = """\
  letters:
    profile: letters
    owner: {{name: The rig, phone: "01632 960101"}}
    supplier: Nobody
    connect:
      url: {url}
      to: X26OT002
      timeout_seconds: 2
      login: {{mesh: {{mailbox: X26OT001, password: "file:{secret}", shared_key: "file:{secret}"}}}}
    records:
      Case: {{mapping: peer/desk}}
    owns: [status]
    schedule: {{every: PT1S}}
    settle_seconds: 1
routes:
  - {{name: in, from: inbox, to: letters, record: Case, carries: state}}
"""


def now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def town(folder: Path) -> Iterator[tuple[Mesh, System, Path]]:
    """An exchange, a source, and a site between them."""
    mesh, source = Mesh("gwenynen", {OURS: "gwenynen", THEIRS: "arall"}, now), System()
    server = Server({OURS: mesh, THEIRS: mesh}, lambda _: Response(404), Faults(), Tally(), now)
    server.start()
    site = lay_out(folder, source.url)
    (folder / "secret").write_text("gwenynen", encoding="utf-8")
    schema: dict[str, Any] = YAML(typ="safe", pure=True).load(OPENAPI)["components"]["schemas"]["Case"]
    schema["required"] = [name for name in schema["required"] if name not in ("id", "version", "changed_at")]
    (site / "interfaces" / "case.schema.json").write_text(json.dumps(schema), encoding="utf-8")
    (site / "profiles" / "letters.yaml").write_text(PROFILE, encoding="utf-8")
    council = site / "config" / "councils" / "cedar.yaml"
    text = council.read_text(encoding="utf-8").replace(
        "owns: [priority]",
        "owns: [priority, person, reason, received_at, safeguarding_flag, restricted_record]\n"
        "    schedule: {every: PT1S}",
    )
    connection = CONNECTION.format(url=server.url, secret=folder / "secret")
    council.write_text(text.replace("routes: []\n", connection), encoding="utf-8")
    try:
        yield mesh, source, site
    finally:
        server.stop()
        source.close()


def read_and_killed(folder: Path, kill: Kill) -> tuple[list[str], int]:
    """What the ledger has of three messages, read by a process that is killed and by the one after it."""
    with town(folder) as (mesh, _, site):
        for id in ("c1", "c2", "c3"):
            mesh.put(THEIRS, OURS, "CASES", json.dumps(case(id)).encode())
        first = begin(site, "letters", kill)
        first.join(100)
        assert first.exitcode == -signal.SIGKILL
        second = begin(site, "letters")
        second.join(100)
        assert second.exitcode == 0
        assert mesh.boxes[OURS].inbox == []
        return taken_in(folder, "letters")


def test_a_mailbox_is_read_by_a_process_that_is_killed_at_each_step(tmp_path: Path) -> None:
    with ThreadPoolExecutor(5) as pool:
        each = {kill: pool.submit(read_and_killed, tmp_path / "-".join(map(str, kill)), kill) for kill in STEPS}
    assert {kill: done.result() for kill, done in each.items()} == dict.fromkeys(each, (["c1", "c2", "c3"], 0))


def wait(until: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 120
    while not until():
        assert time.monotonic() < end, what
        time.sleep(0.1)


def test_a_case_is_sent_sent_again_when_it_changes_and_told_when_it_never_arrived(tmp_path: Path) -> None:
    with town(tmp_path) as (mesh, source, site):
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "console", "run", "--site", str(site)]
        with (tmp_path / "log").open("wb") as log:
            running = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            source.inbox = {"c1": case("c1")}
            wait(lambda: len(mesh.boxes[THEIRS].inbox) == 1, "nothing was sent")
            source.inbox = {"c1": {**case("c1"), "reason": "second", "changed_at": "2026-03-02T10:00:00Z"}}
            wait(lambda: len(mesh.boxes[THEIRS].inbox) == 2, "what changed was not sent")
            mesh.expire(mesh.boxes[THEIRS].inbox[0])
            wait(lambda: not mesh.boxes[OURS].inbox, "the report was not taken in")
        finally:
            running.terminate()
            running.wait(30)
        told = subprocess.run(
            [sys.executable, "-m", "console", "trace", "c1", "--site", str(site)],
            cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60,
        ).stdout  # fmt: skip
    assert "it was not collected in time (code 14)" in told, "the report stands at the referral that it is about"
    assert told.count("arrived (") == 2
