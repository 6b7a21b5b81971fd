"""A whole country's councils for `dolen bench wales`: each a desk, a web form and a care system, and staff who type.

All three speak as the contact centre does. Staff type by a plan that is drawn from a seed before it begins: the shape
of a day laid over the length of the run, and bursts at one council in one instant. Every change is noted with when it
was typed and when a page first showed it, so that a bench can tell waiting for a poll from being carried. One change in
four is a new request; the rest move one on in care. `python -m sandbox country` starts it; it says one JSON line with
its `url`, and ends when its input closes.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox.peers.wire import Answer, Call, as_json, serve

#: How busy each hour of a working day is against the others. The published figures give days, and say no more than that
#: demand falls into office hours; the night is whoever is on call.
HOURS = (1, 1, 1, 1, 1, 1, 2, 6, 30, 60, 70, 66, 44, 52, 60, 56, 42, 16, 6, 4, 3, 2, 2, 1)
STEPS = ("triage", "accepted", "in-progress", "closed")
NEW = 0.25
PAGE = 100


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--councils", type=int, default=22, help="how many councils")
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: a free one)")


def run(given: argparse.Namespace) -> int:
    """Serve until standard input closes, SIGTERM or Ctrl-C."""
    asyncio.run(serve(Country(given.councils).answer, given.port))
    return 0


@dataclass(slots=True)
class System:
    """One system of one council: its requests in the order in which they last changed."""

    prefix: str
    held: dict[str, dict[str, Any]] = field(default_factory=dict)
    by_key: dict[str, str] = field(default_factory=dict)

    def put(self, number: str, body: dict[str, Any]) -> dict[str, Any]:
        """Hold a request as it is now, under the next version."""
        before = self.held.pop(number, None)
        version = 1 if before is None else before["version"] + 1
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        kept = {**body, "id": number, "version": version, "changed_at": now}
        self.held[number] = kept
        return kept

    def new_number(self) -> str:
        """The number of the next request."""
        return f"{self.prefix}-{len(self.held) + 1:06d}"


@dataclass(frozen=True, slots=True)
class Deed:
    """Somebody types at one council, so many seconds after the beginning."""

    at: float
    council: int
    new: bool
    form: bool


def plan(seconds: float, mean: float, burst: int, every: float, councils: int, seed: int) -> list[Deed]:
    """Draw what is typed: `mean` changes a second over the whole run, `burst` of them at once each `every` seconds."""
    chance = random.Random(seed)  # noqa: S311 - a story, not a secret
    bursts = [every * (number + 0.5) for number in range(int(seconds / every))] if burst else []
    singles = max(int(mean * seconds) - burst * len(bursts), 0)
    hours = chance.choices(range(24), HOURS, k=singles)
    moments = [((hour + chance.random()) / 24 * seconds, chance.randrange(councils)) for hour in hours]
    for at in bursts:
        moments += [(at, chance.randrange(councils))] * burst
    return [
        Deed(at, council, chance.random() < NEW, chance.random() < 0.2) for at, council in sorted(moments)
    ]


class Country:
    """All councils, and what was typed and shown."""

    def __init__(self, councils: int) -> None:
        self.systems = {
            (council, name): System(f"{name[0].upper()}{council:02d}")
            for council in range(councils)
            for name in ("desk", "form", "care")
        }
        self._councils = councils
        self._sample: dict[str, Any] = {}
        self._typed: dict[tuple[int, str, str, int], float] = {}  # council, system, number and version: when
        self._shown: dict[tuple[int, str, str, int], float] = {}
        self._moves: dict[tuple[int, str], int] = {}  # how far a request in care has been moved
        self._done = True
        self._chance = random.Random(1)  # noqa: S311 - a story, not a secret
        self._typing: asyncio.Task[None] | None = None

    def answer(self, call: Call) -> Answer:
        """Answer one call."""
        if call.path == "/control":
            return self._control(call)
        _, council, name, *rest = call.path.split("/")
        system = self.systems[int(council), name]
        if rest == ["requests"]:
            return self._page(system, int(council), name, call.query)
        if rest[1] == "by-external":
            return self._by_key(system, rest[2], call)
        kept = system.held.get(rest[1])
        if kept is None:
            return as_json(404, {"error": {"code": "not_found"}})
        if call.method == "GET":
            return as_json(200, kept)
        if call.headers.get("if-match") != f'"{kept["version"]}"':
            return as_json(412, {"error": {"code": "precondition_failed"}})
        return as_json(200, system.put(rest[1], _merged(kept, call.json())))

    def _by_key(self, system: System, key: str, call: Call) -> Answer:
        number = system.by_key.get(key)
        if call.method == "GET":
            return as_json(404, {"error": {"code": "not_found"}}) if number is None else as_json(
                200, system.held[number]
            )
        before = {} if number is None else system.held[number]
        number = number or system.new_number()
        system.by_key[key] = number
        return as_json(200 if before else 201, system.put(number, {**before, **call.json(), "external_reference": key}))

    def _page(self, system: System, council: int, name: str, query: Any) -> Answer:
        since, after = query.get("changed_since", ""), int(query.get("cursor") or 0)
        least = datetime.fromisoformat(since) if since else None
        found: list[dict[str, Any]] = []
        for one in reversed(system.held.values()):  # the newest first: what is older than asked for is not looked at
            if least is not None and datetime.fromisoformat(one["changed_at"]) < least:
                break
            found.append(one)
        found.reverse()
        page, now = found[after : after + PAGE], time.time()
        for one in page:
            self._shown.setdefault((council, name, one["id"], one["version"]), now)
        return as_json(200, {"requests": page, "next": str(after + PAGE) if after + PAGE < len(found) else None})

    # --- Staff --------------------------------------------------------------------------------------------------------

    def _control(self, call: Call) -> Answer:
        if call.method == "POST":
            told = call.json()
            self._sample = told["sample"]
            deeds = plan(
                told["seconds"], told["mean"], told["burst"], told["burst_every"], self._councils, told["seed"]
            )
            self._done = False
            self._typing = asyncio.get_running_loop().create_task(self._type(deeds))
            return as_json(200, {"deeds": len(deeds)})
        changes = [
            [*key, at, self._shown.get(key), self.systems[key[0], key[1]].held[key[2]]["version"] == key[3]]
            for key, at in self._typed.items()
        ]
        held = {name: sum(len(one.held) for (_, its), one in self.systems.items() if its == name)
                for name in ("desk", "form", "care")}  # fmt: skip
        return as_json(200, {"done": self._done, "changes": changes, "held": held, "astray": self._astray()})

    def _astray(self) -> int:
        """Requests that care or the desk does not hold, or that stand differently there."""
        astray = 0
        for council in range(self._councils):
            desk, form, care = (self._statuses(council, name) for name in ("desk", "form", "care"))
            astray += sum(care.get(one) != desk.get(one) or one not in care for one in {*desk, *form, *care})
        return astray

    def _statuses(self, council: int, name: str) -> dict[str, str]:
        """By what each request says."""
        return {one["reason"]["text"]: one["status"] for one in self.systems[council, name].held.values()}

    async def _type(self, deeds: list[Deed]) -> None:
        began = time.monotonic()
        for deed in deeds:
            wait = began + deed.at - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            if deed.new or not self._move(deed.council):
                self._ask(deed.council, "form" if deed.form else "desk")
        self._done = True

    def _ask(self, council: int, name: str) -> None:
        system = self.systems[council, name]
        number, token = system.new_number(), f"{name}-{council}-{len(system.held)}"
        now = datetime.now(UTC).isoformat(timespec="seconds")
        person = {**self._sample["customer"], "last_name": f"Llwyd-{token}", "nhs_number": None}
        own = {"external_reference": None, "received_at": now, "status_changed_at": now, "public_reference": None,
               "case_number": None, "status": "new", "reason": {**self._sample["reason"], "text": f"Cymorth {token}"},
               "customer": person}  # fmt: skip
        kept = system.put(number, {**self._sample, **own})
        self._typed[council, name, number, kept["version"]] = time.time()

    def _move(self, council: int) -> bool:
        """Move a request of a council on in care; False if there is none that can be."""
        system = self.systems[council, "care"]
        open_ones = [number for number in system.held if self._moves.get((council, number), 0) < len(STEPS)]
        if not open_ones:
            return False
        number = self._chance.choice(open_ones)
        step = self._moves.get((council, number), 0)
        self._moves[council, number] = step + 1
        now = datetime.now(UTC).isoformat(timespec="seconds")
        kept = system.put(number, {**system.held[number], "status": STEPS[step], "status_changed_at": now})
        self._typed[council, "care", number, kept["version"]] = time.time()
        return True


def _merged(kept: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """RFC 7396."""
    merged = dict(kept)
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, dict):
            merged[name] = _merged(merged[name] if isinstance(merged.get(name), dict) else {}, value)
        else:
            merged[name] = value
    return merged
