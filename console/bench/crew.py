"""The processes under test: started as anybody would start them, and ended as nobody would wish.

Embedded it is one `dolen run`; on servers the roles apart, two of each. What they say goes to files in the bench's
folder.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

STOP_SECONDS = 60.0
EMBEDDED = {"run": ("run",)}
APART = {"work-1": ("work",), "work-2": ("work",), "schedule-1": ("schedule",), "schedule-2": ("schedule",)}


class CrewFault(RuntimeError):
    """A process of ours ended by itself. The message says which, how, and its last words."""


class Member:
    """One process of Dolen."""

    def __init__(self, name: str, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        self.name, self._command, self.log = name, command, log
        self._environment = environment
        self.started = 0.0
        self.starts = 0
        self.ended_by_itself: list[int] = []
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def alive(self) -> bool:
        """Whether it lives."""
        return self._process is not None and self._process.poll() is None

    def start(self, environment: Mapping[str, str] | None = None) -> None:
        """Start it. `environment` comes on top of ours."""
        self.starts += 1
        self.started = time.monotonic()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - a command of our own making
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self._environment, **(environment or {})},
            )

    def kill(self) -> bool:
        """SIGKILL. Returns whether there was anything to kill."""
        lived = self.alive
        if self._process is not None:
            if not lived and self._process.returncode not in (0, -signal.SIGKILL):
                self.ended_by_itself.append(self._process.returncode)
            self._process.kill()
            self._process.wait()
        return lived

    def freeze(self) -> None:
        """SIGSTOP: it holds whatever it holds and does nothing."""
        if self._process is not None and self.alive:
            self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT: it goes on as if nothing had been."""
        if self._process is not None and self.alive:
            self._process.send_signal(signal.SIGCONT)

    def stop(self) -> float:
        """SIGTERM, and wait. Returns the seconds it took. Raises CrewFault if it does not end in order."""
        if self._process is None:
            return 0.0
        began = time.monotonic()
        self._process.terminate()
        try:
            code = self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise CrewFault(f"{self.name} was asked to stop and had not after {STOP_SECONDS:.0f} seconds") from None
        if code != 0:
            raise CrewFault(f"{self.name} ended with exit code {code}:\n{self.last_words()}")
        return time.monotonic() - began

    def last_words(self) -> str:
        """The end of its log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(f"    {line}" for line in lines[-12:]) or "    (it said nothing)"


class Crew:
    """All of them."""

    def __init__(self, site: Path, logs: Path, *, apart: bool, environment: Mapping[str, str] | None = None) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self.revived: list[str] = []
        start = [sys.executable, "-m", "console"]
        self.members = [
            Member(name, [*start, *words, "--site", str(site)], logs / f"{name}.log", environment or {})
            for name, words in (APART if apart else EMBEDDED).items()
        ]

    def start(self) -> None:
        """Start every one that is not there."""
        for member in self.members:
            if not member.alive:
                member.start()

    def revive(self) -> None:
        """Start those that ended by themselves anew, as an init system would."""
        gone = [member for member in self.members if member.starts and not member.alive]
        for member in gone:
            member.kill()
            member.start()
            self.revived.append(member.name)

    def stop(self) -> float:
        """Ask all to stop; returns the longest time that one took. Raises CrewFault."""
        return max([member.stop() for member in self.members], default=0.0)

    def kill(self) -> None:
        """End all at once, whatever they do: the bench itself is over."""
        for member in self.members:
            member.kill()
