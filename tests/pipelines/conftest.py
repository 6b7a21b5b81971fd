"""A town of three councils: the sandbox as a process, the example site pointed at it, and a plant driven by hand.

Nothing is mocked but the clock, which a test may push forward; the movement's own parts are called one after the
other in place of their threads, so that a test decides what happens when.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import structlog

from pipelines import composition, overview
from pipelines.clock import SECOND, SystemClock
from pipelines.plant import Plant
from pipelines.walks import Walker
from pipelines.worker import Worker
from tests.found import as_asked

ROOT = Path(__file__).parents[2]


class HandClock(SystemClock):
    """The machine's clock, which a test may push forward."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead = 0

    def now(self) -> int:
        return super().now() + self.ahead

    def push(self, seconds: float) -> None:
        self.ahead += int(seconds * SECOND)

    def wait(self, event: threading.Event, seconds: float) -> bool:
        return event.wait(min(seconds, 0.01))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL (DOLEN_TEST_LEDGER), run what has a ledger by `as_asked`; the others would only be repeated."""
    if os.environ.get("DOLEN_TEST_LEDGER", "sqlite") == "sqlite":
        return
    other = [item for item in items if item.path.parent == Path(__file__).parent and not _has_asked_ledger(item)]
    config.hook.pytest_deselected(items=other)
    items[:] = [item for item in items if item not in other]


def _has_asked_ledger(item: Any) -> bool:
    """Whether a test's ledger is one by `as_asked`, and the test is not about a ledger in a file alone."""
    known = getattr(item, "_fixtureinfo", None)
    makers = known.name2fixturedefs if known is not None else {}
    ours = "site_folder" in makers or any(made.func is town for made in makers.get("town", ())[-1:])
    return ours and item.get_closest_marker("embedded") is None


@dataclass
class Town:
    """The sandbox, the site, and the plant."""

    url: str
    site: Path
    plant: Plant
    clock: HandClock
    environment: dict[str, str] = field(repr=False)

    def control(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/control/{path}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def ask(self, council: str = "torfaen", **changes: Any) -> dict[str, Any]:
        """Somebody asks for help: contact staff write a request down. Returns it as it is kept."""
        record = json.loads((ROOT / "mappings/shipped/contact/golden/request.create.json").read_bytes())["write"][
            "record"
        ]
        record = {name: value for name, value in record.items() if name not in ("public_reference", "case_number")}
        record |= {
            "status": "new",
            "status_reason": None,
            "status_changed_at": None,
            "outcome": None,
            "visit_on": None,
            "worker": None,
        }
        record |= {"internal_notes": "Wedi ffonio'n ôl", "flags": {"safeguarding": False, "restricted": False}}
        made: dict[str, Any] = self.control("POST", f"{council}/contact/records", {**record, **changes})
        return made

    def change(self, council: str, system: str, id: str, **changes: Any) -> dict[str, Any]:
        """Staff change a record."""
        made: dict[str, Any] = self.control("PATCH", f"{council}/{system}/records/{id}", changes)
        return made

    def records(self, council: str, system: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.control("GET", f"{council}/{system}/records?limit=500")["records"]
        return found

    def faults(self, council: str, system: str, **faults: dict[str, Any]) -> None:
        self.control("POST", "faults", {"tenant": council, "system": system, "faults": faults})

    def well(self, council: str, system: str) -> None:
        self.control("DELETE", f"faults?tenant={council}&system={system}")

    def push(self, seconds: float) -> None:
        """Time passes for the ledger; the wire keeps the systems' time."""
        self.clock.push(seconds)

    def read(self, *councils: str) -> int:
        """Every source is read once; returns how many versions were news."""
        news = 0
        for council in self.plant.councils.values():
            for wired in council.wired.values():
                if wired.polls and (not councils or council.code in councils):
                    for kind in wired.kinds.values():
                        news += Walker(self.plant, council).walk(wired, kind).taken.news
        return news

    def deliver(self, most: int = 500) -> int:
        """Everything that is due is tried; returns how many tries."""
        worker = Worker(self.plant, "test")
        tries = 0
        for _ in range(most):
            made = sum(
                worker.drain(council, name, probe=True)
                for council in self.plant.councils.values()
                for name in council.wired
            )
            tries += made
            if not made:
                return tries
        raise AssertionError("deliveries go on for ever")

    def rest(self, turns: int = 12) -> None:
        """Read and deliver until nothing is on its way, pushing the clock over waits."""
        calm = 0
        for _ in range(turns * 4):
            tries = self.deliver()
            news = self.read()
            calm = calm + 1 if not news and not tries and overview.is_quiet(self.plant) else 0
            if calm > 1:
                return
            if not news and not tries:
                self.push(15)
        look = overview.look(self.plant)
        raise AssertionError(f"it does not come to rest: {look.versions} {look.deliveries} {look.links}")


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    """A sandbox of three councils and the example site, driven by hand."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    command = [sys.executable, "-m", "sandbox", "serve", "--dir", str(tmp_path / "sandbox"), "--until-stdin-closes"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    assert process.stdin is not None
    around = ExitStack()
    try:
        url = json.loads(process.stdout.readline())["url"]
        site = tmp_path / "site"
        shutil.copytree(ROOT / "config/example", site)
        for file in site.rglob("*.yaml"):
            text = file.read_text(encoding="utf-8").replace("http://127.0.0.1:8765", url)
            file.write_text(text, encoding="utf-8")
        environment = {}
        for tenant, logins in json.loads((tmp_path / "sandbox/secrets.json").read_bytes()).items():
            prefix = tenant.upper().replace("-", "_")
            environment[f"{prefix}_CONTACT_SECRET"] = logins["contact"]["client_secret"]
            environment[f"{prefix}_CASEWORK_PASSWORD"] = logins["casework"]["password"]
            environment[f"{prefix}_NOTIFY_KEY"] = logins["notify"]["api_key"]
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        around.enter_context(as_asked(site))
        clock = HandClock()
        plant = composition.build(composition.load(site), clock=clock)
        made = Town(url, site, plant, clock, {**os.environ, **environment})
        yield made
        made.plant.close()  # which may be another one by now
        plant.close()
    finally:
        around.close()
        process.stdin.close()
        process.stdout.close()
        process.wait(timeout=20)
        structlog.reset_defaults()


@pytest.fixture
def rebuild(town: Town) -> Callable[[], None]:
    """Close the plant as a dying process would leave it, and build it anew from the same files."""

    def again() -> None:
        town.plant.close()
        town.plant = composition.build(composition.load(town.site), clock=town.clock)

    return again
