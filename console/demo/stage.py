"""The stage of a demo: a folder, a sandbox process, a copy of the example site, and a real `dolen run` process.

Both processes end with the demo, however it ends: stopped in order, or killed when they do not listen.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import IO

import config
from console.demo.sandbox_desk import SandboxDesk

#: The address that the example site is written for.
EXAMPLE_URL = "http://127.0.0.1:8765"
#: How the example site names the logins, by what the sandbox calls them.
_NAMES = (
    ("contact", "client_secret", "CONTACT_SECRET"),
    ("casework", "password", "CASEWORK_PASSWORD"),
    ("notify", "api_key", "NOTIFY_KEY"),
    ("health", "api_key", "HEALTH_KEY"),
)
_STOP_SECONDS = 30.0
#: How long a start may take before it is killed all the same.
START_SECONDS = 20.0


class StageFault(RuntimeError):
    """The demo cannot go on. The message says what happened and where to look."""


class Stage:
    """Use it as a context: it builds the stage on entering and clears it on leaving.

    `folder`: where everything goes and stays; None for a temporary folder that is removed. Raises StageFault.
    """

    def __init__(self, folder: Path | None) -> None:
        self._keep = folder
        self._sandbox: subprocess.Popen[str] | None = None
        self._run: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self.starts = 0

    def __enter__(self) -> Stage:
        if self._keep is not None and self._keep.exists() and any(self._keep.iterdir()):
            raise StageFault(f"{self._keep} is not empty: name a folder that is new")
        self.folder = self._keep or Path(tempfile.mkdtemp(prefix="dolen-demo-"))
        self.folder.mkdir(parents=True, exist_ok=True)
        self.site, self.log_file = self.folder / "site", self.folder / "dolen-run.log"
        try:
            self.desk = SandboxDesk(self._start_sandbox())
            self._copy_site(self.desk.url)
            os.environ.update(self._logins())
            self._log = self.log_file.open("ab")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start_run(self) -> None:
        """Start `dolen run`, as anybody would."""
        self.starts += 1
        command = [sys.executable, "-m", "console", "run", "--site", str(self.site)]
        self._run = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)  # noqa: S603 - a command of our own making

    def stop_run(self) -> None:
        """Ask `dolen run` to end, and wait until it has."""
        if self._run is not None:
            _end(self._run)
            self._run = None

    def kill_run(self) -> None:
        """End `dolen run` at once, in the middle of whatever it does, and start it again.

        One that is still starting is waited for: it does nothing yet in which it could be killed.
        """
        until = time.monotonic() + START_SECONDS
        while self.log_file.read_bytes().count(b'"event":"running"') < self.starts and time.monotonic() < until:
            time.sleep(0.05)
        if self._run is not None:
            self._run.kill()
            self._run.wait()
        self.start_run()

    def check(self) -> None:
        """Raise StageFault if one of the two ended by itself."""
        for process, name, log in (
            (self._sandbox, "the sandbox", "sandbox.log"),
            (self._run, "`dolen run`", self.log_file.name),
        ):
            if process is not None and process.poll() is not None:
                raise StageFault(
                    f"{name} ended by itself with exit code {process.returncode}:\n{self._last_words(log)}"
                )

    def close(self) -> None:
        """End both processes and clear the folder. Idempotent."""
        self.stop_run()
        if hasattr(self, "desk"):
            self.desk.close()
        if self._sandbox is not None:
            _end(self._sandbox)
            for pipe in (self._sandbox.stdin, self._sandbox.stdout):
                if pipe is not None:
                    pipe.close()
            self._sandbox = None
        if self._log is not None:
            self._log.close()
            self._log = None
        if self._keep is None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _start_sandbox(self) -> str:
        # It stops by itself when its standard input closes, so that a demo that is killed leaves nothing behind.
        state, pipe = str(self.folder / "systems"), subprocess.PIPE
        command = [sys.executable, "-m", "sandbox", "serve", "--dir", state, "--until-stdin-closes"]
        with (self.folder / "sandbox.log").open("ab") as log:
            self._sandbox = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=log, text=True)  # noqa: S603 - a command of our own making
        assert self._sandbox.stdout is not None
        line = self._sandbox.stdout.readline()
        if not line:
            self._sandbox.wait()
            raise StageFault(f"the sandbox did not start:\n{self._last_words('sandbox.log')}")
        return str(json.loads(line)["url"])

    def _copy_site(self, url: str) -> None:
        shutil.copytree(
            Path(config.__file__).parent / "example", self.site, ignore=shutil.ignore_patterns("var", "__pycache__")
        )
        for file in self.site.rglob("*.yaml"):
            text = file.read_text(encoding="utf-8")
            if EXAMPLE_URL in text:
                file.write_text(text.replace(EXAMPLE_URL, url), encoding="utf-8")

    def _logins(self) -> dict[str, str]:
        told = json.loads((self.folder / "systems" / "secrets.json").read_text(encoding="utf-8"))
        return {
            f"{council.replace('-', '_').upper()}_{name}": logins[system][key]
            for council, logins in told.items()
            for system, key, name in _NAMES
        }

    def _last_words(self, log: str) -> str:
        lines = (self.folder / log).read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(f"    {line}" for line in lines[-12:]) or "    (it said nothing)"


def _end(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
