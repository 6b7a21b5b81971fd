"""The sandbox's Open311 endpoint as a process of its own, and its control desk."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


class Endpoint:
    """What a test may do there as staff, and what it may look at."""

    def __init__(self, url: str, key: str) -> None:
        self.url, self.key = url, key

    def control(self, what: str, **given: Any) -> Any:
        request = urllib.request.Request(f"{self.url}/control/{what}", json.dumps(given).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def make(self, **given: Any) -> str:
        """A resident asks; the number of the request."""
        sent = {"service_code": "contact", "address_string": "Tŷ Gwyn", "first_name": "Ann", "last_name": "Rees"}
        return str(self.control("make", **{**sent, **given})["service_request_id"])

    @property
    def held(self) -> list[dict[str, Any]]:
        """Every request, as the endpoint holds it."""
        found: list[dict[str, Any]] = self.control("look")["requests"]
        return found


@contextmanager
def endpoint() -> Iterator[Endpoint]:
    """Start it, and end it."""
    command = [sys.executable, "-m", "sandbox", "open311", "--until-stdin-closes"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Endpoint(**json.loads(process.stdout.readline()))
    finally:
        process.stdin.close()
        process.wait(timeout=20)
        process.stdout.close()
