"""The control desk of the sandbox as JSON: what a council's own staff do to records, and which faults are switched on.

    GET    /control/state                                tenants, systems, counts of records
    GET    /control/<tenant>/<system>/records?after=ID   a page in the order of ids; &key=K looks up by the caller's key
    POST   /control/<tenant>/<system>/records            a new record, typed in by staff
    GET PUT PATCH DELETE .../records/<id>                PATCH merges objects; ?unchecked=1 goes past all checks
    POST   /control/<tenant>/casework/type-in            a referral typed in by an officer: {"ReferralId": ...}; of
                                                         {"from_contact": ID} she types what that request says now
    GET POST DELETE /control/faults                      {"tenant", "system", "faults": {name: settings}, "seed"}
    PUT DELETE      /control/<tenant>/<system>/interface   {"replace": [[old, new], ...]} in the interface it shows
    GET DELETE      /control/calls                       calls counted by operation and outcome
    GET PUT         /control/clock                       {"now": an ISO 8601 time with offset}
    /control/life, /control/truth, /control/verdict      see story_desk.py

Errors are `{"error": words}`. It has no login: it listens on loopback only, and refuses pages of other origins.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from sandbox.casework import Casework
from sandbox.casework_words import as_referral
from sandbox.contact import Contact
from sandbox.control_pages import Pages
from sandbox.exchange import Breakable, Remembering, Request, Response, System
from sandbox.faults import KINDS, Faults, WrongFault
from sandbox.store import Collection, Json, Store
from sandbox.tally import Tally

_MOST_A_PAGE = 500
Stories = Callable[[Request, list[str]], Response | None]


class Clock(Protocol):
    """A clock that can be set."""

    def __call__(self) -> datetime: ...

    def set(self, now: datetime, /) -> None:
        """Make it `now`."""


class Refused(Exception):
    """A control call that cannot be done: the status to answer, and why."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status, self.words = status, words


class Control:
    """Answers everything under `/control`."""

    def __init__(
        self,
        store: Store,
        systems: Mapping[str, System],
        faults: Faults,
        tally: Tally,
        clock: Clock,
        tenants: tuple[str, ...],
        stories: Stories,
    ) -> None:
        self._store, self._systems, self._faults, self._tally, self._clock = store, systems, faults, tally, clock
        self._tenants = tenants
        self._stories = stories
        self._pages = Pages(self)

    def __call__(self, request: Request) -> Response:
        """Answer one call; the pages for people are `control_pages`."""
        steps = [step for step in request.path.split("/") if step]
        if steps[:1] != ["control"]:
            return _json(404, {"error": "Nothing is here: use /<tenant>/<system>/... or /control/."})
        origin = request.headers.get("origin")
        if request.method != "GET" and origin is not None and origin.partition("://")[2] != request.headers.get("host"):
            return _json(403, {"error": "Only the sandbox's own pages may change it."})
        try:
            if steps == ["control"] or steps[1] == "pages":
                return self._pages.answer(request, steps[2:])
            return self._answer(request, steps[1:])
        except Refused as refused:
            return _json(refused.status, {"error": refused.words})
        except WrongFault as wrong:
            return _json(400, {"error": str(wrong)})

    def state(self) -> list[dict[str, Any]]:
        """Every tenant's systems, with how many records each holds."""
        counts = {(tenant, system): count for tenant, system, count in self._store.systems()}
        for tenant in self._tenants:
            for system in self._systems:
                counts.setdefault((tenant, system), 0)
        return [
            {"tenant": tenant, "system": system, "records": count} for (tenant, system), count in sorted(counts.items())
        ]

    def records(self, tenant: str, name: str) -> Collection:
        """The records of one system. Raises Refused for a system that does not exist."""
        if name not in self._systems:
            raise Refused(404, f"There is no system {name!r}; there are {', '.join(self._systems)}.")
        return self._store.collection(tenant, name)

    def write(self, tenant: str, name: str, id: str, record: Json, *, unchecked: bool = False) -> Json:
        """Write a record as staff do, or past all checks. Raises Refused with the system's own words."""
        self.records(tenant, name)
        system = self._systems[name]
        try:
            if not unchecked:
                return system.staff_put(tenant, id, record)
            if isinstance(system, Breakable):
                return system.write_unchecked(tenant, id, record)
        except ValueError as error:
            raise Refused(422, str(error)) from error
        raise Refused(422, f"System {name!r} takes no unchecked records.")

    def faults_on(self) -> list[dict[str, Any]]:
        """What is switched on."""
        return self._faults.shown()

    def calls(self) -> list[dict[str, Any]]:
        """What was counted."""
        return [dict(line) for line in self._tally.shown()]

    def switch(self, wanted: Json) -> None:
        """Switch faults on. Raises Refused or WrongFault."""
        tenant, system, faults = wanted.get("tenant"), wanted.get("system"), wanted.get("faults")
        if not isinstance(tenant, str) or not tenant or system not in self._systems:
            raise Refused(400, f"Name a `tenant`, and a `system` of {', '.join(self._systems)}.")
        if not isinstance(faults, dict) or not all(isinstance(each, dict) for each in faults.values()):
            raise Refused(400, '`faults` must be an object such as {"error_before": {"rate": 0.2}}.')
        seed = wanted.get("seed", 0)
        if not isinstance(seed, int):
            raise Refused(400, "`seed` must be a whole number.")
        self._faults.set(tenant, str(system), faults, seed=seed)

    def switch_off(self, tenant: str = "", system: str = "", name: str = "") -> None:
        """Switch off what matches; an empty word matches everything."""
        self._faults.clear(tenant, system, name)

    def _answer(self, request: Request, steps: list[str]) -> Response:
        match request.method, steps:
            case "GET", ["state"]:
                return _json(200, {"systems": self.state(), "faults": self.faults_on(), "calls": self.calls()})
            case method, ["faults"]:
                return self._answer_faults(method, request)
            case "GET", ["calls"]:
                return _json(200, {"calls": self.calls()})
            case "DELETE", ["calls"]:
                self._tally.clear()
                return _json(200, {"calls": []})
            case method, ["clock"]:
                return self._answer_clock(method, request)
            case "POST", [tenant, "casework", "type-in"]:
                return self._type_in(tenant, _object(request))
            case method, [tenant, name, "interface"]:
                return self._answer_interface(method, request, tenant, name)
            case method, [tenant, name, "records"]:
                return self._answer_records(method, request, tenant, name)
            case method, [tenant, name, "records", id]:
                return self._answer_record(method, request, tenant, name, id)
        if told := self._stories(request, steps):
            return told
        raise Refused(404, "There is no such control; see sandbox/control.py for the list.")

    def _answer_faults(self, method: str, request: Request) -> Response:
        if method == "POST":
            self.switch(_object(request))
        elif method == "DELETE":
            self.switch_off(*(request.query.get(key, "") for key in ("tenant", "system", "fault")))
        kinds = {name: {"words": kind.words, "numbers": dict(kind.numbers)} for name, kind in KINDS.items()}
        return _json(200, {"faults": self.faults_on(), "kinds": kinds})

    def _answer_clock(self, method: str, request: Request) -> Response:
        if method == "PUT":
            try:
                now = datetime.fromisoformat(str(_object(request).get("now")))
            except ValueError as error:
                raise Refused(400, "`now` must be an ISO 8601 time.") from error
            if now.tzinfo is None:
                raise Refused(400, "`now` must have an offset, such as 2026-10-25T00:59:50+00:00.")
            self._clock.set(now)
        return _json(200, {"now": self._clock().isoformat()})

    def _answer_interface(self, method: str, request: Request, tenant: str, name: str) -> Response:
        system = self._systems.get(name)
        if not isinstance(system, Casework | Contact):
            raise Refused(404, f"System {name!r} shows no interface.")
        if method == "DELETE":
            system.shown.put_back(tenant)
        elif method == "PUT":
            pairs = _object(request).get("replace")
            if not isinstance(pairs, list) or not all(_is_pair(pair) for pair in pairs):
                raise Refused(400, '`replace` must be a list of pairs such as [["old", "new"]].')
            try:
                system.shown.change(tenant, [(old, new) for old, new in pairs])
            except ValueError as error:
                raise Refused(422, str(error)) from error
        else:
            raise Refused(405, "Use PUT to change what it shows, DELETE to put it back.")
        return _json(200, {})

    def _answer_records(self, method: str, request: Request, tenant: str, name: str) -> Response:
        records = self.records(tenant, name)
        if method == "POST":
            made = self.write(tenant, name, "", _object(request), unchecked="unchecked" in request.query)
            return _json(201, made)
        if method != "GET":
            raise Refused(405, "Use GET to list and POST to add.")
        if "key" in request.query:
            return _json(200, {"records": [each.body for each in records.by_key(request.query["key"])], "next": None})
        limit = request.query.get("limit", "100")
        if not limit.isdecimal() or not 1 <= int(limit) <= _MOST_A_PAGE:
            raise Refused(400, f"`limit` must be a whole number from 1 to {_MOST_A_PAGE}.")
        page = records.page(after=request.query.get("after", ""), limit=int(limit) + 1)
        shown = page[: int(limit)]
        following = shown[-1].id if len(page) > len(shown) else None
        return _json(200, {"records": [each.body for each in shown], "next": following, "count": records.count()})

    def _answer_record(self, method: str, request: Request, tenant: str, name: str, id: str) -> Response:
        records = self.records(tenant, name)
        unchecked = "unchecked" in request.query
        if method == "PUT":
            return _json(200, self.write(tenant, name, id, _object(request), unchecked=unchecked))
        with self._store.transaction():  # nobody writes between the read and the patched write
            found = records.get(id)
            if found is None:
                raise Refused(404, "There is no such record.")
            if method == "PATCH":
                patched = merge_patch(found.body, _object(request))
                return _json(200, self.write(tenant, name, id, patched, unchecked=unchecked))
            if method == "DELETE":
                system = self._systems[name]
                if isinstance(system, Remembering):
                    system.staff_delete(tenant, id)
                else:
                    records.delete(id)
                return _json(200, {})
        if method != "GET":
            raise Refused(405, "Use GET, PUT, PATCH or DELETE.")
        return _json(200, found.body)

    def _type_in(self, tenant: str, record: Json) -> Response:
        casework = self._systems["casework"]
        if not isinstance(casework, Casework):
            raise Refused(404, "There is no case system here.")
        try:
            if "from_contact" in record:
                record = self._as_typed(tenant, str(record["from_contact"]))
            made = casework.type_in(tenant, record)
        except ValueError as error:
            raise Refused(422, str(error)) from error
        return _json(201, {"ReferralId": made["ReferralId"]})

    def _as_typed(self, tenant: str, request: str) -> Json:
        """Write a contact-centre request as an officer types it into the case system, its number as the source's."""
        held = self.records(tenant, "contact").get(request)
        if held is None:
            raise Refused(404, "There is no such request in the contact centre.")
        return {**as_referral(tenant, held.body), "SourceReference": request}


def merge_patch(held: Any, patch: Any) -> Any:
    """Lay `patch` over what is held: objects merge, all else replaces. null stays, for the system to understand."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(held) if isinstance(held, dict) else {}
    for key, value in patch.items():
        merged[key] = merge_patch(merged.get(key), value)
    return merged


def _is_pair(pair: object) -> bool:
    return isinstance(pair, list) and len(pair) == 2 and all(isinstance(word, str) for word in pair)


def _object(request: Request) -> Json:
    try:
        read = json.loads(request.body)
    except ValueError as error:
        raise Refused(400, "The body must be JSON.") from error
    if not isinstance(read, dict):
        raise Refused(400, "The body must be a JSON object.")
    return read


def _json(status: int, body: object) -> Response:
    return Response(status, json.dumps(body, ensure_ascii=False).encode())
