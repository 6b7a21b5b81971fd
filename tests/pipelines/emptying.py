"""A site that empties an inbox and a queue, and a process of it that is killed where a test says."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.rig.site import CODES, MAPPING, OPENAPI

PROFILE = """\
system: peer
protocol: rest
interface: interfaces/rig.openapi.yaml
clock: UTC
records:
  Case:
    component: Case
    item: {{id: id, version: version, modified: changed_at}}
    changes: {changes}
    fault: {{code: code}}
"""
FEEDS = {
    "inbox": "{feed: inbox, path: /inbox, items: 'messages[]', message: '/inbox/{id}', of: 2, "
    "acknowledge: {path: '/inbox/{id}/acknowledged'}}",
    "queue": "{feed: queue, path: /events, items: 'events[]', of: 2}",
}
CONNECTION = """\
  {name}:
    profile: {name}
    owner: {{name: The rig, phone: "01632 960101"}}
    supplier: Nobody
    connect: {{url: "{url}", timeout_seconds: 0.5}}
    records:
      Case: {{mapping: peer/desk}}
    owns: {owns}
"""

Kill = tuple[str, str, int]  # where: keep, drop or crash; before or after, or the crash point's name; the how-manieth


def lay_out(folder: Path, url: str) -> Path:
    """Write the site and return its folder."""
    site = folder / "site"
    council = (
        "council:\n  code: cedar\n  gss: W06999901\n  name: {cy: Cedar, en: Cedar}\n  phone: '01632 960100'\n"
        "connections:\n"
    )
    for name, owns in (("queue", "[type]"), ("inbox", "[priority]")):
        council += CONNECTION.format(name=name, url=url, owns=owns)
    files = {
        "interfaces/rig.openapi.yaml": OPENAPI,
        "mappings/peer/desk.yaml": MAPPING,
        "config/dolen.yaml": (
            f"schema_version: 2\nstage: test\ndata: {folder / 'data'}\nkeys: {{main: 'file:{folder / 'main.key'}'}}\n"
        ),
        "config/councils/cedar.yaml": council + "routes: []\n",
        **{f"profiles/{name}.yaml": PROFILE.format(changes=feed) for name, feed in FEEDS.items()},
        **{f"codes/{name}.csv": rows for name, rows in CODES.items()},
    }
    for name, body in files.items():
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body, encoding="utf-8")
    return site


def case(id: str) -> dict[str, Any]:
    """A case as the rig's systems show it."""
    return {
        "id": id,
        "version": 1,
        "changed_at": "2026-03-02T09:00:00Z",
        "status": "new",
        "kind": "referral",
        "priority": "routine",
        "received_at": "2026-03-02T08:00:00Z",
        "reason": "first",
        "safeguarding": False,
        "restricted": False,
        "person": {"last_name": f"Ap {id}", "mobile": None},
    }


def begin(site: Path, connection: str, kill: Kill | None = None) -> multiprocessing.Process:
    """Begin a process that reads one connection twice, as `dolen sync` does, and kills itself where it is told."""
    begun = _context().Process(target=_read, args=(str(site), connection, kill))
    begun.start()
    return begun


def _context() -> Any:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pipelines.composition", "pipelines.control", "connectors.rest.connector"])
    return context


def _read(site: str, connection: str, kill: Kill | None) -> None:
    from pipelines import composition, control, crash
    from pipelines.spool import FolderSpool

    if kill is not None and kill[0] == "crash":
        crash._AT = (kill[1], kill[2])
    elif kill is not None:
        setattr(FolderSpool, kill[0], _deadly(getattr(FolderSpool, kill[0]), kill))
    plant = composition.build(composition.load(Path(site)))
    for _ in range(2):
        for done in control.sync(plant, [plant.councils["cedar"].wired[connection]]):
            if not done.complete:
                raise SystemExit(done.words)
    plant.close()


def _deadly(step: Callable[..., None], kill: Kill) -> Callable[..., None]:
    passed = 0

    def walked(self: Any, *given: Any) -> None:
        nonlocal passed
        passed += 1
        if (passed, kill[1]) == (kill[2], "before"):
            os.kill(os.getpid(), signal.SIGKILL)
        step(self, *given)
        if (passed, kill[1]) == (kill[2], "after"):
            os.kill(os.getpid(), signal.SIGKILL)

    return walked
