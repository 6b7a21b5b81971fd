"""What the console's tests share: the command as a process, a site copied from the example, and the pretend systems.

The command runs as people run it, in a process of its own, so that exit codes, streams and the guard are the real ones.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipelines.states import OPEN

ROOT = Path(__file__).parents[2]
EXAMPLE_URL = "http://127.0.0.1:8765"
SECRETS = {"CONTACT_SECRET": "contact", "CASEWORK_PASSWORD": "casework", "NOTIFY_KEY": "notify"}
KEYS = {"contact": "client_secret", "casework": "password", "notify": "api_key"}
REQUEST: dict[str, Any] = {
    "status": "new",
    "category": "referral",
    "priority": "routine",
    "received_at": "2026-03-02T09:15:00+00:00",
    "channel": "phone",
    "team": "adults",
    "reason": {"code": None, "text": "Mae angen help ar Siân wrth ymolchi"},
    "customer": {
        "first_names": ["Siân"],
        "last_name": "O'Neill",
        "date_of_birth": "1941-05-06",
        "gender": "F",
        "contacts": [{"type": "mobile", "value": "07700 900123", "ok_to_text": True}],
    },
    "language": {"letters": "cy"},
    "needs": [{"code": "bathing", "note": None}],
    "flags": {"safeguarding": False, "restricted": False},
}


@dataclass
class Site:
    """A site's folder and the command that works on it."""

    folder: Path
    environment: dict[str, str]
    url: str = ""

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `dolen ... --site FOLDER` and leave it running."""
        return subprocess.Popen(
            [sys.executable, "-m", "console", *arguments, "--site", str(self.folder)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.PIPE, text=True, cwd=ROOT,
            env=self.environment, encoding="utf-8",
        )  # fmt: skip

    def dolen(self, *arguments: str, said: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command to its end, with `said` on standard input. A traceback is never an answer."""
        process = self.start(*arguments)
        out, err = process.communicate(said, timeout=90)
        assert "Traceback" not in out + err, out + err
        assert "fault of Dolen itself" not in err, err
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def json(self, *arguments: str, code: int = 0, said: str = "") -> Any:
        """Run a command with --json and return what it printed."""
        done = self.dolen(*arguments, "--json", said=said)
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[str]]:
        """`dolen run` for as long as the block lasts; it must end in order, and its log must name nobody."""
        process = self.start("run")
        assert process.stdout is not None
        try:
            first = process.stdout.readline()
            assert "Dolen runs" in first, first
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert "Stopped" in out
        assert not any(word in out + err for word in ("O'Neill", "Siân", "07700", "ymolchi")), err

    def until_arrived(self, number: int, seconds: float = 40) -> None:
        """Wait until so many deliveries have arrived and nothing is open."""
        end = time.monotonic() + seconds
        while True:
            seen = self.deliveries()
            if seen["arrived"] >= number and not any(seen[state] for state in OPEN):
                return
            assert time.monotonic() < end, self.json("status")
            time.sleep(0.05)

    def deliveries(self) -> Counter[str]:
        """How many deliveries are in which state, as the ledger itself has it: a command for each look would take more
        of the machine than all that is waited for."""
        with closing(sqlite3.connect(f"{(self.folder / 'var/ledger.db').as_uri()}?mode=ro", uri=True)) as ledger:
            return Counter(dict(ledger.execute("SELECT state, count(*) FROM delivery GROUP BY state")))

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Call the pretend systems' control desk."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/control/{path}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)


def environment() -> dict[str, str]:
    """This process's environment without what belongs to a site, and with a name for the officer."""
    kept = {name: value for name, value in os.environ.items() if not name.endswith(tuple(SECRETS))}
    kept.pop("DOLEN_SITE", None)
    return {**kept, "DOLEN_USER": "A. Swyddog", "PYTHONUTF8": "1", "COLUMNS": "200"}


def torfaen_in(folder: Path) -> Site:
    """A copy of the example site with one council and every secret set."""
    shutil.copytree(ROOT / "config" / "example", folder)
    for other in ("blaenau-gwent", "neath-port-talbot"):
        (folder / "config" / "councils" / f"{other}.yaml").unlink()
    without_pages(folder)
    return Site(folder, environment() | {f"TORFAEN_{name}": "dolen-secret" for name in SECRETS})


def without_pages(folder: Path) -> None:
    """Have `dolen run` serve no pages: what these tests are about needs none, and each would take their one port."""
    file = folder / "config" / "dolen.yaml"
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(line for line in lines if not line.startswith("console:")), encoding="utf-8")


@pytest.fixture
def bare(tmp_path: Path) -> Site:
    """A copy of the example site whose systems nobody serves and whose secrets nobody set."""
    shutil.copytree(ROOT / "config" / "example", tmp_path / "site")
    return Site(tmp_path / "site", environment())


@pytest.fixture
def torfaen(tmp_path: Path) -> Site:
    """One council with every secret set, but with systems that nobody serves."""
    return torfaen_in(tmp_path / "site")


@contextmanager
def serving(site: Site, systems: Path) -> Iterator[Site]:
    """Serve a site's systems from a sandbox of its own for as long as the block lasts."""
    command = [sys.executable, "-m", "sandbox", "serve", "--dir", str(systems), "--until-stdin-closes"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        before, site.url = site.url or EXAMPLE_URL, json.loads(process.stdout.readline())["url"]
        logins = json.loads((systems / "secrets.json").read_text(encoding="utf-8"))["torfaen"]
        site.environment |= {f"TORFAEN_{name}": logins[of][KEYS[of]] for name, of in SECRETS.items()}
        rewrite(site.folder, before, site.url)
        yield site
    finally:
        process.stdin.close()
        process.terminate()
        process.wait(timeout=20)
        process.stdout.close()


@pytest.fixture
def live(torfaen: Site, tmp_path: Path) -> Iterator[Site]:
    """The same, with its systems served by a sandbox of its own."""
    with serving(torfaen, tmp_path / "systems") as site:
        yield site


@pytest.fixture(scope="session")
def in_step(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with a site and its systems that hold three requests and are in step; and the address they had."""
    folder = tmp_path_factory.mktemp("in-step")
    site = torfaen_in(folder / "site")
    with serving(site, folder / "systems"):
        for letter in "ABC":
            one = json.loads(json.dumps(REQUEST))
            one["customer"]["last_name"] = f"O'Neill-{letter}"
            site.control("POST", "torfaen/contact/records", one)
        with site.running():
            site.until_arrived(6)
            site.json("sync")
            site.until_arrived(6)
    return folder, site.url


@pytest.fixture
def synced(in_step: tuple[Path, str], tmp_path: Path) -> Iterator[Site]:
    """A copy of that site, its systems served again, for a test to plant its fault in."""
    folder, address = in_step
    shutil.copytree(folder, tmp_path / "copy")
    site = Site(tmp_path / "copy" / "site", environment(), address)
    with serving(site, tmp_path / "copy" / "systems"):
        yield site


def rewrite(folder: Path, old: str, new: str) -> None:
    """Replace a text in the council's file."""
    file = folder / "config" / "councils" / "torfaen.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


@pytest.fixture
def replaced() -> Callable[[Path, str, str], None]:
    """Replaces a text in Torfaen's file: `replaced(folder, old, new)`."""
    return rewrite


@pytest.fixture
def request_record() -> dict[str, Any]:
    """A request for help as the contact centre's staff write it."""
    copy: dict[str, Any] = json.loads(json.dumps(REQUEST))
    return copy
