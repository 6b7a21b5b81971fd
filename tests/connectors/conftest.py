"""What the connectors' tests share: the pretend systems as a process of their own, and small servers with vices.

Every test gets a council of its own in the one sandbox, so that no test sees another's records or faults.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
COUNCILS = [f"cyngor-{number}" for number in range(400)]


@dataclass
class Council:
    """One council's pretend systems, and the desk from which faults are switched on."""

    name: str
    url: str  # of the whole sandbox
    secrets: dict[str, dict[str, str]]

    def system(self, name: str) -> str:
        """The address of one of its systems: casework, contact or notify."""
        return f"{self.url}/{self.name}/{name}"

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Call the control desk and return what it says."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/control/{path}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def faults(self, system: str, **faults: dict[str, Any]) -> None:
        """Switch faults on, each with its settings."""
        self.control("POST", "faults", {"tenant": self.name, "system": system, "faults": faults})

    def well(self, system: str) -> None:
        """Switch all faults of a system off."""
        self.control("DELETE", f"faults?tenant={self.name}&system={system}")

    def type_in(self, system: str, record: dict[str, Any], *, unchecked: bool = False) -> dict[str, Any]:
        """Put a record into a system as its staff do, or past all checks; return it as it is kept."""
        path = f"{self.name}/{system}/records{'?unchecked=1' if unchecked else ''}"
        made: dict[str, Any] = self.control("POST", path, record)
        return made

    def records(self, system: str) -> list[dict[str, Any]]:
        """Everything that a system holds."""
        found: list[dict[str, Any]] = []
        after = ""
        while True:
            page = self.control("GET", f"{self.name}/{system}/records?limit=500&after={after}")
            found += page["records"]
            if page["next"] is None:
                return found
            after = page["next"]

    def calls(self, system: str, operation: str) -> int:
        """How often an operation was called, whatever became of it."""
        counted = self.control("GET", "calls")["calls"]
        return sum(
            line["calls"]
            for line in counted
            if line["tenant"] == self.name and line["system"] == system and line["operation"] == operation
        )


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, Any]]]:
    """The sandbox as a process: its address and its logins by council and system."""
    folder = tmp_path_factory.mktemp("sandbox")
    command = [sys.executable, "-m", "sandbox", "serve", "--dir", str(folder), "--until-stdin-closes"]
    process = subprocess.Popen(
        [*command, "--tenants", ",".join(COUNCILS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        url = json.loads(process.stdout.readline())["url"]
        secrets = json.loads((folder / "secrets.json").read_text(encoding="utf-8"))
        yield url, secrets
    finally:
        process.stdin.close()
        process.terminate()
        process.wait(timeout=20)
        process.stdout.close()


@pytest.fixture(scope="session")
def _councils() -> Iterator[str]:
    return iter(COUNCILS)


@pytest.fixture
def council(sandbox: tuple[str, dict[str, Any]], _councils: Iterator[str]) -> Council:
    """A council that no other test has."""
    name = next(_councils)
    url, secrets = sandbox
    return Council(name, url, secrets[name])


@dataclass
class Call:
    """One request that a small server got."""

    method: str
    path: str  # with the query
    headers: dict[str, str]  # names in lower case
    body: bytes


@dataclass
class Answer:
    """What a small server answers: `raw` replaces everything else, `pause` waits between the bytes of the body."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    length: int | None = None  # a Content-Length that is not true
    pause: float = 0.0
    raw: bytes | None = None


class Small:
    """A small web server on loopback that answers as it is told and remembers what it was asked."""

    def __init__(self, answer: Callable[[Call], Answer]) -> None:
        self.calls: list[Call] = []
        self.answer = answer
        outer = self

        class Conversation(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 30
            disable_nagle_algorithm = True  # head and body are two writes, and the second would wait 40 ms

            def _any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                call = Call(self.command, self.path, headers, body)
                outer.calls.append(call)
                with suppress(OSError):
                    self._say(outer.answer(call))

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any

            def _say(self, answer: Answer) -> None:
                if answer.raw is not None:
                    self.wfile.write(answer.raw)
                    self.close_connection = True
                    return
                self.send_response_only(answer.status)
                if "Date" not in answer.headers:
                    self.send_header("Date", self.date_time_string())
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                length = len(answer.body) if answer.length is None else answer.length
                self.send_header("Content-Length", str(length))
                self.end_headers()
                if answer.pause:
                    for place in range(len(answer.body)):
                        self.wfile.write(answer.body[place : place + 1])
                        if outer.closing.wait(answer.pause):
                            return
                else:
                    self.wfile.write(answer.body)
                if answer.length is not None:
                    self.close_connection = True

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A caller that hangs up is what these tests are about."""

        self.closing = threading.Event()
        self._server = Quiet(("127.0.0.1", 0), Conversation)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop, and let go of the port."""
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def small() -> Iterator[Callable[[Callable[[Call], Answer]], Small]]:
    """Makes small servers; `small(answer)` starts one, where `answer` turns a Call into an Answer."""
    made: list[Small] = []

    def start(answer: Callable[[Call], Answer]) -> Small:
        made.append(Small(answer))
        return made[-1]

    yield start
    for server in made:
        server.close()


@pytest.fixture
def answer() -> type[Answer]:
    """The class of what a small server answers."""
    return Answer


@pytest.fixture(scope="session")
def shipped() -> Callable[[str], Any]:
    """Reads a shipped profile: `shipped("contact")`."""
    yaml = YAML(typ="safe", pure=True)

    def read(name: str) -> Any:
        return yaml.load((ROOT / "connectors" / "profiles" / f"{name}.yaml").read_text(encoding="utf-8"))

    return read


@pytest.fixture(scope="session")
def interfaces() -> Callable[[str], bytes]:
    """Gives the bytes of a shipped pinned interface by its name in a profile."""
    return lambda name: (ROOT / "connectors" / name).read_bytes()


@pytest.fixture(scope="session")
def clock() -> Callable[[], datetime]:
    """This machine's clock, in UTC."""
    return lambda: datetime.now(UTC)
