"""The peers, as the bench sees them: a process that it starts, and the control address at which it sets the pace and
asks for the truth. Nothing of the sandbox is imported."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import requests

_SECONDS = 120.0  # a witness with a hundred thousand records takes its time to tell them


class PeersGone(RuntimeError):
    """The peers do not answer, or did not start. Without them nothing can be said."""


class Peers:
    """The pretend systems of one run. Use it as a context."""

    def __init__(self, *, seed: int, referrals: int, faults: float, latest: float) -> None:
        self._command = [
            sys.executable, "-m", "sandbox", "peers", "--until-stdin-closes", "--seed", str(seed),
            "--referrals", str(referrals), "--faults", str(faults), "--latest", str(latest),
        ]  # fmt: skip

    def __enter__(self) -> Peers:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(self._command, stdin=pipe, stdout=pipe, text=True)  # noqa: S603 - our own
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            raise PeersGone("the peers did not start: see what stands above")
        self.url = str(json.loads(line)["url"])
        self.port = int(urlsplit(self.url).port or 0)
        self._own = threading.local()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def go(self, until: float, over: float) -> None:
        """Let staff type everything up to that share of the story, over so many seconds."""
        self._ask("POST", "go", {"until": until, "over": over})

    def calm(self) -> None:
        """No more faults from now on."""
        self._ask("POST", "calm", {})

    def state(self) -> dict[str, Any]:
        """What is going on there."""
        return dict(self._ask("GET", "state").json())

    def token(self, at: str, number: str) -> str:
        """Which request the record of that number is about."""
        return str(self._ask("GET", "token", at=at, id=number).json()["token"])

    def seek(self, at: str, token: str) -> list[str]:
        """The numbers under which a system holds that request."""
        return list(self._ask("GET", "seek", at=at, token=token).json()["numbers"])

    def truth(self) -> list[dict[str, Any]]:
        """Everything that was typed, in order."""
        return [json.loads(line) for line in self._ask("GET", "truth").content.splitlines()]

    def records(self) -> list[dict[str, Any]]:
        """Every record of every system, with what came over the wire for it."""
        return [json.loads(line) for line in self._ask("GET", "records").content.splitlines()]

    def creates(self) -> list[dict[str, Any]]:
        """Every create that a tier C system got."""
        return list(self._ask("GET", "creates").json())

    def _session(self) -> requests.Session:
        """A session of this thread's own: they are not made to be shared."""
        if not hasattr(self._own, "session"):
            self._own.session = requests.Session()
            self._own.session.trust_env = False  # a proxy for the web has no business with loopback
        return self._own.session  # type: ignore[no-any-return]

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None, **query: str) -> requests.Response:
        try:
            answer = self._session().request(
                method, f"{self.url}/control/{path}", json=body, params=query, timeout=_SECONDS
            )
            answer.raise_for_status()
        except requests.RequestException as fault:
            raise PeersGone(f"the peers do not answer {method} {path} ({type(fault).__name__})") from None
        return answer
