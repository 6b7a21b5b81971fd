"""The connections of the connectors' bench, by the shipped profiles. Those of further feeds: `wire_feeds`."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from config.documents import read_yaml
from connectors.port import Connector
from connectors.registry import open_connector
from pipelines.library import shipped_folders

SECRET = "bench-secret"  # noqa: S105 - nobody's: the server does not look at it

def interface(name: str) -> bytes:
    """The bytes of a shipped pinned interface."""
    return interface_file(name).read_bytes()


def interface_file(name: str) -> Path:
    """Where a shipped pinned interface lies."""
    return shipped_folders()["interfaces"] / name.removeprefix("interfaces/")


def profile(name: str) -> dict[str, Any]:
    """A shipped profile."""
    found: dict[str, Any] = copy.deepcopy(read_yaml(shipped_folders()["profiles"] / f"{name}.yaml").data)
    return found


def soap(url: str) -> Connector:
    """The case system."""
    login = {"ws_security": {"username": "dolen", "password": "env:X"}}
    told = profile("casework")
    told["records"]["Referral"]["changes"]["page"]["at_most"] = 1_000_000
    return opened(told, {"url": f"{url}/soap", "login": login, "timeout_seconds": 60})


def rest(url: str, changes: dict[str, Any] | None = None, **handed: Any) -> Connector:
    """The contact centre's system, by its own feed or by another; `handed`: what that feed needs beside."""
    login = {"api_key": {"header": "X-Key", "key": "env:X"}}
    told = profile("contact")
    record = told["records"]["Request"]
    record["changes"]["page"]["at_most"] = 1_000_000
    record["changes"] = changes or record["changes"]
    return opened(told, {"url": f"{url}/api", "login": login, "timeout_seconds": 60}, **handed)


def opened(told: dict[str, Any], connect: dict[str, Any], **handed: Any) -> Connector:
    """A connector by a profile and the settings of a connection; every secret is the bench's."""
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)  # noqa: E731 - as open_connector wants it
    return open_connector(told, connect, interfaces=interface, clock=clock, secret=lambda _: SECRET, **handed)
