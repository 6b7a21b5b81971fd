"""A source that gives as many requests as it is asked for, and a sink that counts: the two ends of a throughput bench.

It does next to nothing for each call, so that what a bench measures is whoever calls it. Pages are made before they are
asked for, and shown once: whoever asks for changes again is told that there are none. One request by its number is
shown as often as it is asked for. `python -m sandbox flood` starts it; it says one JSON line with its `url`, and ends
when its input closes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.peers.wire import Answer, Call, as_json, serve

PAGE = 100
STAMP = "2026-03-02T09:00:00Z"
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--slow", type=float, default=0.0, help="seconds that the sink takes for each write")
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: a free one)")


def run(given: argparse.Namespace) -> int:
    """Serve until standard input closes, SIGTERM or Ctrl-C."""
    asyncio.run(serve(Flood(given.slow).answer, given.port))
    return 0


class Flood:
    """What is served, and what was seen."""

    def __init__(self, slow: float) -> None:
        self._slow = slow
        self._requests: dict[str, bytes] = {}  # by the digits of their numbers
        self._pages: list[bytes] = []
        self._shown = False  # the last page was read: nothing has changed since
        self._keys: set[str] = set()
        self._writes = 0
        self._first_read = self._last_write = 0.0

    def answer(self, call: Call) -> Answer:
        """Answer one call."""
        if call.method in ("PUT", "POST") and call.path.startswith("/sink/"):
            return self._take(call.path.rsplit("/", 1)[1])
        if call.path == "/source/requests":
            return self._page(call.query.get("cursor", ""))
        if call.path.startswith("/source/requests/"):
            return self._one(call.path.rsplit("-", 1)[1])
        if call.path == "/control" and call.method == "POST":
            return self._release(call.json())
        if call.path == "/control":
            return as_json(
                200,
                {
                    "writes": self._writes,
                    "keys": len(self._keys),
                    "first_read": self._first_read,
                    "last_write": self._last_write,
                    "now": time.monotonic(),
                },
            )
        return as_json(404, {"error": {"code": "not_found"}})

    def _take(self, key: str) -> Answer:
        self._writes += 1
        self._keys.add(key)
        self._last_write = time.monotonic()
        answer = as_json(201, {"id": f"S-{self._writes:07d}", "version": 1, "changed_at": STAMP})
        answer.after = self._slow
        return answer

    def _one(self, digits: str) -> Answer:
        found = self._requests.get(digits)
        return as_json(404, {"error": {"code": "not_found"}}) if found is None else Answer(200, found)

    def _page(self, cursor: str) -> Answer:
        if not self._pages or (self._shown and not cursor):
            return as_json(200, {"requests": [], "next": None})
        if not self._first_read:
            self._first_read = time.monotonic()
        number = int(cursor or 0)
        self._shown = self._shown or number == len(self._pages) - 1
        return Answer(200, self._pages[number])

    def _release(self, order: dict[str, Any]) -> Answer:
        """Begin anew with so many requests, made of a sample; 0 withdraws them.

        `after`: they are numbered from there on. `spread`: each was changed a second after the one before.
        """
        self._keys.clear()
        self._shown = False
        self._writes = 0
        self._first_read = self._last_write = 0.0
        count, after, sample = int(order["records"]), int(order.get("after", 0)), order.get("sample", {})
        spread = bool(order.get("spread"))
        numbers = range(after + 1, after + count + 1)
        self._requests = {f"{n:07d}": json.dumps(self._request(sample, n, spread)).encode() for n in numbers}
        made = list(self._requests.values())
        self._pages = []
        for at in range(0, count, PAGE):
            following = b'"%d"' % (at // PAGE + 1) if at + PAGE < count else b"null"
            self._pages.append(b'{"requests": [%b], "next": %b}' % (b", ".join(made[at : at + PAGE]), following))
        return as_json(200, {"records": count})

    def _request(self, sample: dict[str, Any], number: int, spread: bool) -> dict[str, Any]:
        """One request: what is somebody's own differs from one to the next; codes and marks are the sample's."""
        person = sample["customer"]
        customer = {
            **person,
            "first_names": [f"Tomos-{number % 997}"],
            "last_name": f"Llwyd-{number}",
            "known_as": f"Twm-{number % 499}",
            "date_of_birth": f"{1920 + number % 80}-{1 + number % 12:02}-{1 + number % 28:02}",
            "nhs_number": None,
            "address": {
                **person["address"],
                "uprn": str(10_000_000_000 + number),
                "lines": [f"{number} Stryd Fawr"],
                "postcode": f"NP{1 + number % 8} {number % 10}A{'ABDEFGHJ'[number // 80 % 8]}",
            },
            "contacts": [
                {**one, "value": {"email": f"c{number}@example.org"}.get(one["type"], f"+447700900{number % 1000:03}")}
                for one in person["contacts"]
            ],
        }
        moment = f"2026-01-{1 + number % 28:02}T{number % 24:02}:{number % 60:02}:00Z"
        own = {
            "id": f"C-{number:07d}",
            "version": 1,
            "changed_at": (_BEGAN + timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%SZ") if spread else STAMP,
            "external_reference": None,
            "received_at": moment,
            "status_changed_at": moment,
            "reason": {**sample["reason"], "text": f"Mae'r gofalwr yn flinedig ({number})."},
        }
        return {**sample, **own, "customer": customer, "public_reference": None, "case_number": None}
