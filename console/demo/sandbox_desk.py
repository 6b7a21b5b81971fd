"""The sandbox's control desk over HTTP: its staff, its faults, its verdict. It imports nothing of the sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests

#: The verdict reads everything that all systems hold.
_SECONDS = 600.0


class SandboxRefused(RuntimeError):
    """The control desk did not do what it was asked. The message holds its own words."""


class SandboxDesk:
    """The control desk of one running sandbox. `url` is what the sandbox printed when it was ready."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy for the web has no business with loopback

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """Read something under `/control`. Raises SandboxRefused."""
        return self._ask("GET", path, None, query)

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Have something done. Raises SandboxRefused."""
        return self._ask("POST", path, dict(body or {}), {})

    def switch_on(self, tenant: str, system: str, faults: Mapping[str, Mapping[str, Any]], *, seed: int) -> None:
        """Switch faults on in one council's system."""
        self.post("faults", {"tenant": tenant, "system": system, "faults": dict(faults), "seed": seed})

    def switch_all_off(self) -> None:
        """Switch every fault off."""
        self._ask("DELETE", "faults", None, {})

    def close(self) -> None:
        """Let go of the connection."""
        self._session.close()

    def _ask(self, method: str, path: str, body: object, query: Mapping[str, str]) -> dict[str, Any]:
        try:
            answer = self._session.request(
                method, f"{self.url}/control/{path}", json=body, params=dict(query), timeout=_SECONDS
            )
            read = answer.json()
        except (requests.RequestException, ValueError) as error:
            raise SandboxRefused(f"the sandbox does not answer {method} {path} ({type(error).__name__})") from error
        if answer.status_code >= 400 or not isinstance(read, dict):
            words = read.get("error", "") if isinstance(read, dict) else ""
            raise SandboxRefused(f"the sandbox refuses {method} {path}: {words or answer.status_code}")
        return read
