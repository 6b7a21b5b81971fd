"""Folders to drop files into: one of this machine, and the same one behind a real OpenSSH server on a free port."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import PageUnreadable
from connectors.files.connector import FilesConnector
from connectors.port import Item, UnreadableItem
from connectors.registry import open_connector

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
CSV = {"feed": "file-drop", "names": "referrals_*.csv", "format": "csv", "quiet_seconds": 0}


HEAD = "id,surname,changed\n"


def row(number: int, surname: str = "Prydderch") -> str:
    return f"R{number},{surname},2026-03-01T09:{number % 60:02d}:00\n"


def put(folder: Path, name: str, *lines: str, at: float = 1_770_000_000, head: str = HEAD) -> Path:
    """Write a file, of a time long ago."""
    path = folder / name
    path.write_text(head + "".join(lines), encoding="utf-8")
    os.utime(path, (at, at))
    return path


def walk(connector: FilesConnector, watermark: str = "") -> tuple[list[Item | UnreadableItem], str]:
    """Walk to the end, as the movement does; a file that cannot be read is stepped over."""
    items: list[Item | UnreadableItem] = []
    cursor = ""
    while True:
        try:
            page = connector.changes("Referral", watermark=watermark, cursor=cursor)
        except PageUnreadable as fault:
            items.append(UnreadableItem(fault.reply, fault.reason))
            behind = connector.skip("Referral", watermark=watermark, cursor=cursor)
            assert behind is not None
            cursor = behind
            continue
        items += page.items
        cursor = page.cursor
        if not cursor:
            return items, page.watermark


def ids(items: list[Item | UnreadableItem]) -> list[str]:
    return [item.id for item in items]


def profile(**changes: Any) -> dict[str, Any]:
    """The profile of an invented extract."""
    record = {"item": {"id": "id", "modified": "changed"}, "required": ["surname"], "changes": {**CSV, **changes}}
    return {"system": "extract", "protocol": "files", "clock": "Europe/London", "records": {"Referral": record}}


_OPENED: list[FilesConnector] = []


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """Close every connector that a test opened."""
    yield
    while _OPENED:
        _OPENED.pop().close()


def opened(told: dict[str, Any], connect: dict[str, Any], files: dict[str, bytes] | None = None) -> FilesConnector:
    """The connector as a site opens it."""
    made = open_connector(
        told, connect, interfaces=(files or {}).__getitem__, clock=lambda: datetime.now(UTC), secret=_secret
    )
    assert isinstance(made, FilesConnector)
    _OPENED.append(made)
    return made


def _secret(reference: str) -> str:
    kind, _, name = reference.partition(":")
    return os.environ[name] if kind == "env" else Path(name).read_text(encoding="utf-8")


@dataclass
class Server:
    """An SFTP server and what a connection to it needs."""

    port: int
    host_key: str
    private_key: Path
    process: subprocess.Popen[bytes]

    def settings(self, folder: Path, **changes: Any) -> dict[str, Any]:
        """The settings of a connection to a folder behind it."""
        login = {"key": {"username": getpass.getuser(), "private_key": f"file:{self.private_key}"}}
        told = {"url": f"sftp://127.0.0.1:{self.port}{folder}", "login": login, "host_key": self.host_key}
        return {**told, "timeout_seconds": 20, **changes}


@pytest.fixture(scope="session")
def sftp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real sshd that gives out files by key; skips where there is none."""
    if SSHD is None:
        pytest.skip("no sshd is installed (Debian: openssh-server)")
    place = tmp_path_factory.mktemp("sshd")
    for name in ("host", "login"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", place / name], check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (place / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {place / 'host'}\nPidFile none\nStrictModes no\nUsePAM no\n"
        f"AuthorizedKeysFile {place / 'login.pub'}\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n"
        "Subsystem sftp internal-sftp\nMaxStartups 100\n",
        encoding="utf-8",
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd wants it when root starts it
    process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(place / "config")], stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with socket.socket() as line:
                if line.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        key = " ".join((place / "host.pub").read_text(encoding="utf-8").split()[:2])
        yield Server(port, key, place / "login", process)
    finally:
        process.kill()
        process.wait()


@pytest.fixture(params=["folder", "sftp"])
def connect(request: pytest.FixtureRequest, drop: Path) -> Callable[..., dict[str, Any]]:
    """The settings of a connection to `drop`: the test runs once for each way in."""
    if request.param == "sftp":
        server: Server = request.getfixturevalue("sftp")
        return lambda: server.settings(drop)
    return lambda: {"folder": str(drop)}


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    """The folder into which files are dropped."""
    made = tmp_path / "drop"
    made.mkdir()
    return made
