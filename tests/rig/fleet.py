"""The fleet: one site of the rig on PostgreSQL and RabbitMQ, and as many processes of each role as a test wants.

Processes are started as anybody would start them. A test kills and freezes them by their names here.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, select

from pipelines import tables
from tests.rig.judge import Verdict, judge
from tests.rig.site import lay_out
from tests.rig.systems import System, Web

ROOT = Path(__file__).parents[2]


class Fleet:
    """One council on one site. Without addresses the site is embedded, and one `dolen run` may have it."""

    def __init__(
        self, folder: Path, ledger: str = "", broker: str = "", *, tier: str = "A", every: float = 1, timeout: float = 3
    ) -> None:
        self.folder = folder
        self.web = Web()
        self.desk: System = self.web.add("alder", "desk", "A")
        self.care: System = self.web.add("alder", "care", tier)
        self.site = lay_out(folder, {"alder": tier}, self.web.url, every=every, timeout=timeout)
        self.ledger_url = ledger or f"sqlite:///{(folder / 'data' / 'ledger.db').as_posix()}"
        self.environment: dict[str, str] = {}
        if ledger:
            settings = self.site / "config" / "dolen.yaml"
            settings.write_text(
                settings.read_text(encoding="utf-8")
                + "ledger: {url: 'env:RIG_LEDGER'}\nbroker: {url: 'env:RIG_BROKER'}\n",
                encoding="utf-8",
            )
            self.environment = {"RIG_LEDGER": ledger, "RIG_BROKER": broker}
        self.all: dict[str, subprocess.Popen[str]] = {}

    def change(self, file: str, old: str, new: str) -> None:
        """Change words in one of the site's files."""
        path = self.site / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def start(self, name: str, role: str, **environment: str) -> None:
        """Start a process of this role, or another command."""
        ours = {"PYTHONPATH": str(ROOT), "PYTHONFAULTHANDLER": "1"}
        command = [sys.executable, "-m", "console", *role.split(), "--site", str(self.site)]
        with (self.folder / f"{name}.log").open("a", encoding="utf-8") as log:
            self.all[name] = subprocess.Popen(
                command, text=True, cwd=ROOT,
                env={**os.environ, **self.environment, **environment, **ours},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def dolen(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "console", *arguments, "--site", str(self.site)], text=True, cwd=ROOT,
            env={**os.environ, **self.environment}, capture_output=True, timeout=60, check=False,
        )  # fmt: skip

    def status(self) -> dict[str, Any]:
        """What `dolen status --json` says."""
        done = self.dolen("status", "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def freeze(self, name: str) -> None:
        """It holds whatever it holds, and does nothing."""
        self.all[name].send_signal(signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """It goes on as if nothing had been."""
        self.all[name].send_signal(signal.SIGCONT)

    def kill(self, name: str) -> None:
        """End it at once."""
        self.all[name].kill()
        self.all.pop(name).wait()

    def stop(self, name: str, seconds: float = 30) -> float:
        """End it in order; return the seconds it took."""
        began = time.monotonic()
        process = self.all.pop(name)
        process.terminate()
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        assert code == 0, self.said(name)
        return time.monotonic() - began

    def said(self, name: str) -> str:
        """What a process wrote."""
        return (self.folder / f"{name}.log").read_text(encoding="utf-8")

    def events(self, name: str) -> list[str]:
        """The events that a process logged, in order."""
        return re.findall(r'"event":"(\w+)"', self.said(name))

    def rows(self, table: str) -> list[Mapping[str, Any]]:
        """All rows of a table of the ledger."""
        engine = create_engine(self.ledger_url.replace("postgresql://", "postgresql+psycopg://"))
        try:
            with engine.connect() as connection:
                return [dict(row) for row in connection.execute(select(getattr(tables, table))).mappings()]
        finally:
            engine.dispose()

    def until(self, true: Callable[[], bool], seconds: float = 40) -> float:
        """Wait until something holds; return the seconds it took."""
        began = time.monotonic()
        while not true():
            dead = {name: one.returncode for name, one in self.all.items() if one.poll() is not None}
            assert not dead, (dead, {name: self.said(name)[-2000:] for name in dead})
            assert time.monotonic() - began < seconds, {name: self.said(name)[-1500:] for name in self.all}
            time.sleep(0.05)
        return time.monotonic() - began

    def all_there(self, number: int) -> bool:
        """Whether care holds so many cases, and each as the desk has it."""
        return len(self.care.cases) >= number and self.verdict().well

    def verdict(self) -> Verdict:
        """What is wrong."""
        return judge("alder", self.desk, self.care)

    def close(self) -> None:
        """End everything."""
        for process in self.all.values():
            process.kill()
            process.wait()
        self.all.clear()
        self.web.close()
