"""All systems of the peers behind one address: which call means what, what goes wrong with it, and the witness.

`/{council}/{side}/cases...` is the interface; `/control/...` is for whoever runs the bench: it sets the pace, asks what
is going on, and reads truth and records at the end.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from time import time
from typing import Any

from sandbox.peers.faults import AMBIGUOUS, Fault, Weather
from sandbox.peers.staff import Staff, plain, sides
from sandbox.peers.story import Story
from sandbox.peers.system import Held, Refused, System
from sandbox.peers.wire import Answer, Call, as_json

TOKEN = re.compile(r"\[#([a-z]+-\d{6})\]")
MOST_A_PAGE = 200


@dataclass(slots=True)
class Create:
    """One create that came to a tier C system: the bench must know which of them may rightly be in doubt."""

    token: str
    begun: float
    ended: float | None = None  # when the answer had left; None: it never did
    fault: str = ""
    gone: bool = False  # whoever asked had hung up before the answer


class Town:
    """Every council's systems, their staff and their weather. `latest`: seconds by which all is committed."""

    def __init__(self, weather: Weather, referrals: int, *, latest: float = 3.0) -> None:
        self.weather, self.latest = weather, latest
        self.systems = {
            f"{council}/{side}": System(
                f"{council}/{side}", tier, prefix=f"{council[0].upper()}{side[0].upper()}-", now=time
            )
            for council, side, tier in sides()
        }
        self.staff = Staff(Story(weather, referrals), self.systems, time)
        self._tried: Counter[tuple[str, str, str]] = Counter()
        self._faults: Counter[str] = Counter()
        self._calls: Counter[str] = Counter()
        self._creates: list[Create] = []
        self._late = 0
        self._last_write = time()

    def answer(self, call: Call) -> Answer:
        """Answer one call."""
        try:
            if call.path.startswith("/control/"):
                return self._control(call)
            return self._interface(call)
        except Refused as refused:
            return as_json(refused.status, {"error": {"code": refused.code, "field": refused.field}})

    # --- the interface --------------------------------------------------------------------------------------------

    def _interface(self, call: Call) -> Answer:
        parts = call.path.split("/")
        system = self.systems.get("/".join(parts[1:3]))
        if system is None or parts[3:4] != ["cases"]:
            raise Refused(404, "no_such_path")
        rest = parts[4:]
        match call.method, rest:
            case "GET", []:
                return self._list(system, call)
            case "GET", ["search"]:
                return self._read(system, call.query.get("external_reference", ""), lambda key: _found(system, key))
            case "GET", ["by-key", key]:
                return self._read(system, key, lambda key: _one(next(iter(system.search(key)), None)))
            case "GET", [id]:
                return self._read(system, id, lambda id: _one(self._known(system.get(id))))
            case "PUT", ["by-key", key] if system.tier == "A":
                return self._create(system, call, key)
            case "POST", [] if system.tier != "A":
                given = _body(call)
                return self._create(system, call, str(given.get("external_reference") or ""))
            case "PATCH", [id]:
                return self._update(system, call, id)
        raise Refused(405, "method_not_allowed")

    def _list(self, system: System, call: Call) -> Answer:
        nth = self._count("list", system.at, "")
        since, cursor = _moment(call.query.get("changed_since", "")), call.query.get("cursor", "")
        fault = self._strikes("list", system.at, nth)
        limit = min(int(call.query.get("limit", "50")), MOST_A_PAGE)
        page, following = system.page(since, cursor, limit, self.weather.chance("walk", system.at, nth))
        if fault is Fault.PAGE_AGAIN and cursor and following is not None:
            following = cursor  # the same page is named as the next one
        answer = as_json(200, {"cases": [held.shown() for held in page], "next": following})
        return self._befall(fault, lambda: answer, ("list", system.at, nth))

    def _read(self, system: System, about: str, found: Callable[[str], Answer]) -> Answer:
        nth = self._count("read", system.at, about)
        fault = self._strikes("read", f"{system.at}/{about}", nth)
        return self._befall(fault, lambda: found(about), ("read", system.at, about, nth))

    def _create(self, system: System, call: Call, key: str) -> Answer:
        given = _body(call)
        token = token_in(given)
        nth = self._count("create", system.at, token)
        fault = self._strikes("create", f"{system.at}/{token}", nth)
        seen = Create(token, time(), fault=str(fault))
        if system.tier == "C":
            self._creates.append(seen)
            call.when_gone = lambda: setattr(seen, "gone", True)

        def commit() -> Answer:
            held = system.create(given, key=key, token=token)
            self._last_write = time()
            self.staff.arrived(token)
            return _one(held, 201)

        answer = self._befall(fault, commit, ("create", system.at, token, nth))
        if not answer.silent:
            seen.ended = time() + answer.after
        return answer

    def _update(self, system: System, call: Call, id: str) -> Answer:
        given, held = _body(call), system.get(id)
        self._known(held)
        nth = self._count("update", system.at, id)
        fault = self._strikes("update", f"{system.at}/{id}", nth)

        def commit() -> Answer:
            done = system.update(id, given, match=call.headers.get("if-match"))
            self._last_write = time()
            return _one(done)

        return self._befall(fault, commit, ("update", system.at, id, nth))

    def _known(self, held: Held) -> Held:
        held.known = held.known or held.listed
        return held

    # --- the weather ----------------------------------------------------------------------------------------------

    def _count(self, operation: str, at: str, about: str) -> int:
        self._calls[operation] += 1
        self._tried[operation, at, about] += 1
        return self._tried[operation, at, about]

    def _strikes(self, operation: str, about: str, nth: int) -> Fault:
        return self.weather.strikes(operation, about, nth)

    def _befall(self, fault: Fault, commit: Callable[[], Answer], about: tuple[object, ...]) -> Answer:
        """Do it, or not, or later, and answer, or not."""
        if fault is not Fault.NONE:
            self._faults[f"{about[0]}: {fault}"] += 1
        match fault:
            case Fault.ERROR_BEFORE:
                return as_json(503, {"error": {"code": "server_error"}})
            case Fault.THROTTLED:
                return as_json(429, {"error": {"code": "too_many_requests"}}, {"Retry-After": "1"})
            case Fault.LATE_COMMIT:
                after = self.weather.chance("late", *about).uniform(0.3, self.latest)
                self._late += 1
                asyncio.get_running_loop().call_later(after, self._commit_late, commit)
                return Answer(0, silent=True)
        answer = commit()
        match fault:
            case Fault.TIMED_OUT_AFTER:
                answer.silent = True
            case Fault.ERROR_AFTER:
                return as_json(500, {"error": {"code": "server_error"}})
            case Fault.CUT:
                answer.cut = True
            case Fault.SLOW:
                answer.after = self.weather.chance("slow", *about).uniform(0.05, 0.6)
        return answer

    def _commit_late(self, commit: Callable[[], Answer]) -> None:
        self._late -= 1
        try:
            commit()
        except Refused:
            return  # the record has moved on: the version check refuses it, and nobody is left to be told

    # --- the witness ----------------------------------------------------------------------------------------------

    def _control(self, call: Call) -> Answer:
        match call.method, call.path.removeprefix("/control/"):
            case "GET", "state":
                return as_json(200, self._state())
            case "POST", "go":
                given = call.json()
                self.staff.release(float(given["until"]), float(given.get("over", 0.0)))
                return as_json(200, {})
            case "POST", "calm":
                self.weather.share = 0.0
                self.staff.let_be()
                return as_json(200, {})
            case "GET", "seek":
                return as_json(200, self._seek(call.query.get("at", ""), call.query.get("token", "")))
            case "GET", "token":
                held = self.systems[call.query["at"]].get(call.query["id"])
                return as_json(200, {"token": token_in(held.body)})
            case "GET", "truth":
                return _lines([plain(typed) for typed in self.staff.truth])
            case "GET", "records":
                return _lines(
                    [_witnessed(system, held) for system in self.systems.values() for held in system.records.values()]
                )
            case "GET", "creates":
                return as_json(200, [_create_plain(each) for each in self._creates])
        raise Refused(404, "no_such_path")

    def _state(self) -> dict[str, Any]:
        return {
            "planned": self.staff.planned,
            "typed": len(self.staff.truth),
            "busy": self.staff.busy,
            "waiting_for_arrival": self.staff.waiting,
            "committing_late": self._late,
            "records": {name: len(system.records) for name, system in self.systems.items()},
            "walks": {name: system.walked for name, system in self.systems.items()},
            "calls": dict(self._calls),
            "faults": dict(self._faults),
            "quiet_for": time() - self._last_write,
        }

    def _seek(self, at: str, token: str) -> dict[str, Any]:
        """What an officer finds who looks in that system for that request."""
        system = self.systems[at]
        return {"numbers": system.by_token.get(token, []), "settling": self._late > 0}


def token_in(body: Any) -> str:
    """The mark of the request that a record is about, "" if it bears none."""
    found = TOKEN.search(str(body.get("reason") or "")) if isinstance(body, dict) else None
    return found[1] if found else ""


def _create_plain(one: Create) -> dict[str, Any]:
    return {"token": one.token, "begun": one.begun, "ended": one.ended, "gone": one.gone,
            "ambiguous": one.fault in {str(each) for each in AMBIGUOUS}}  # fmt: skip


def _witnessed(system: System, held: Held) -> dict[str, Any]:
    council, side = system.at.split("/")
    return {
        "council": council, "side": side, "tier": system.tier, "id": held.id, "token": token_in(held.body),
        "body": held.body, "key": held.key, "said": held.said, "writes": held.writes,
        "made_under_key": system.creates.get(held.key, 0) if held.key else 0,
    }  # fmt: skip


def _lines(values: list[dict[str, Any]]) -> Answer:
    return Answer(200, b"\n".join(json.dumps(value, separators=(",", ":")).encode() for value in values))


def _found(system: System, key: str) -> Answer:
    return as_json(200, {"cases": [held.shown() for held in system.search(key)], "next": None})


def _one(held: Held | None, status: int = 200) -> Answer:
    if held is None:
        raise Refused(404, "not_found")
    return as_json(status, held.shown(), {"ETag": f'"{held.version}"'})


def _body(call: Call) -> Any:
    try:
        given = call.json()
    except ValueError:
        raise Refused(400, "invalid_json") from None
    if not isinstance(given, dict):
        raise Refused(400, "invalid_json")
    return given


def _moment(text: str) -> int:
    if not text:
        return 0
    try:
        return int(datetime.fromisoformat(text.replace(" ", "+")).timestamp())
    except ValueError:
        raise Refused(400, "invalid", "changed_since") from None
