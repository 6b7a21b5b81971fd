"""The connections of the connectors' bench: the shipped profiles, and more feeds over the same records."""

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

#: Every feed that a back-fill is measured through, with the kind of record that it shows.
FEEDS = {
    "modified-since": "Referral",
    "cursor": "Request",
    "id-list": "Request",
    "newest-first": "Request",
    "file-drop csv": "Referral",
    "file-drop json-lines": "Referral",
    "file-drop xml": "Referral",
}
_TOKEN = {"next": "next", "is": "token", "cursor": "cursor", "size": "limit", "of": 100, "at_most": 1_000_000}
_CHANGES: dict[str, dict[str, Any]] = {
    "id-list": {
        "feed": "id-list", "path": "/changed", "since": "changed_since", "page": _TOKEN, "items": "changed[]",
        "id": "id", "modified": "at", "of": 100,
    },
    "newest-first": {
        "feed": "newest-first", "path": "/newest", "items": "requests[]",
        "page": {"by": "number", "parameter": "page", "size": "per_page", "of": 100, "at_most": 1_000_000},
    },
}  # fmt: skip
_FORMATS: dict[str, dict[str, Any]] = {
    "csv": {"names": "referrals_*.csv", "format": "csv"},
    "json-lines": {"names": "referrals_*.jsonl", "format": "json-lines"},
    "xml": {"names": "referrals_*.xml", "format": "xml", "items": "referral"},
}


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
    return _opened(told, {"url": f"{url}/soap", "login": login, "timeout_seconds": 60})


def rest(url: str, feed: str = "cursor") -> Connector:
    """The contact centre's system, by one of its feeds."""
    login = {"api_key": {"header": "X-Key", "key": "env:X"}}
    told = profile("contact")
    record = told["records"]["Request"]
    record["changes"]["page"]["at_most"] = 1_000_000
    record["changes"] = _CHANGES.get(feed, record["changes"])
    return _opened(told, {"url": f"{url}/api", "login": login, "timeout_seconds": 60})


def files(folder: Path, form: str) -> Connector:
    """A folder of extracts."""
    drop = {"feed": "file-drop", "quiet_seconds": 0, **_FORMATS[form]}
    record = {"item": {"id": "id", "modified": "changed"}, "required": ["surname"], "changes": drop}
    told = {"system": "extract", "protocol": "files", "clock": "Europe/London", "records": {"Referral": record}}
    return _opened(told, {"folder": str(folder)})


def _opened(told: dict[str, Any], connect: dict[str, Any]) -> Connector:
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)  # noqa: E731 - as open_connector wants it
    return open_connector(told, connect, interfaces=interface, clock=clock, secret=lambda _: SECRET)
