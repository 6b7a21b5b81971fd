"""The systems of the rig: cases with numbers, versions and stamps, of tier A, B or C, over real HTTP in this process.

They stay when Dolen is killed, remember what each write did, and do with the next write what a test asks for. All of
them speak the interface in `tests/rig/site.py`.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

Body = dict[str, Any]

#: What a create may leave out.
LEFT_EMPTY = ("notes", "status_reason", "external_reference", "desk_number")
#: What a system may be asked to do with its next write.
ANSWERS = ("arrive", "done, unsaid", "not done, unsaid", "late", "refuse", "throttle", "fail, not done", "fail, done")


@dataclass
class Case:
    """One case as a system holds it."""

    id: str
    body: Body
    stamp: int  # whole seconds by the system's own clock
    version: int = 1
    key: str = ""
    hidden: bool = False  # typed but not yet committed: its stamp is older than the moment it shows up
    texts: list[str] = field(default_factory=list)  # every `reason` that it ever held, in order

    def shown(self) -> Body:
        """The case as the interface shows it."""
        at = datetime.fromtimestamp(self.stamp, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"id": self.id, "version": self.version, "changed_at": at, **self.body}


class System:
    """One system. Its rules are those of its tier: A lays a second create with one key over the case that has it, B
    makes a second case and can be searched, C keeps nothing of ours."""

    def __init__(self, name: str, tier: str, clock: Callable[[], float]) -> None:
        self.name, self.tier, self.clock = name, tier, clock
        self.cases: dict[str, Case] = {}
        self.answers: deque[str] = deque()
        self.late: list[Callable[[], Any]] = []  # what was asked for and will be done when somebody lets it
        self.page_size = 100
        self.newest_first = False
        self.forgets = False  # pages of a walk are forgotten: a cursor is answered 410 once
        self.refuses: set[str] = set()  # people whose cases it does not take
        self.shut = False  # it takes no login
        self.writes = 0
        self.wishes: dict[str, Body] = {}  # what its own staff wrote last, by case and field: theirs to keep
        self.lock = threading.RLock()

    # --- what its staff do --------------------------------------------------------------------------------------------

    def type_in(self, name: str, *, hidden: bool = False, stamp: int | None = None, **changes: Any) -> Case:
        """Somebody writes a case down. `hidden`: it shows up later (`show`), with the stamp that it has now."""
        body = {
            "status": "new", "status_reason": None, "kind": "referral", "priority": "routine", "notes": None,
            "desk_number": None,
            "received_at": "2026-03-02T09:30:00Z", "reason": "first", "safeguarding": False, "restricted": False,
            "external_reference": None, "person": {"last_name": name, "mobile": None}, **changes,
        }  # fmt: skip
        with self.lock:
            made = self._enter(body, stamp=stamp)
            made.hidden = hidden
            self.wishes[made.id] = {"reason": body["reason"], "notes": body["notes"]}
            return made

    def show(self, case: Case) -> None:
        """A late commit shows up."""
        case.hidden = False

    def change(self, id: str, **changes: Any) -> Case:
        """Staff change a case."""
        with self.lock:
            case = self.cases[id]
            self._lay(case, changes)
            self.wishes.setdefault(id, {}).update(changes)
            return case

    def of(self, name: str) -> list[Case]:
        """All cases about one person."""
        with self.lock:
            return [case for case in self.cases.values() if case.body["person"]["last_name"] == name]

    def let_late_ones_in(self) -> None:
        """Do what was asked for long ago."""
        with self.lock:
            late, self.late = self.late, []
            for do in late:
                do()

    # --- what the interface does --------------------------------------------------------------------------------------

    def create(self, body: Body, key: str) -> Case:
        held = [case for case in self.cases.values() if key and case.key == key]
        if self.tier == "A" and held:
            self._lay(held[0], body)
            return held[0]
        made = self._enter({**dict.fromkeys(LEFT_EMPTY), **body}, key=key)
        if self.tier != "C":
            made.body["external_reference"] = key
        return made

    def update(self, id: str, body: Body, match: str) -> Case | None:
        """None if the version is not the one that the writer knows."""
        case = self.cases[id]
        if match.strip('"') != str(case.version):
            return None
        self._lay(case, body)
        return case

    def page(self, since: str, cursor: str, limit: int) -> tuple[list[Case], str | None] | None:
        """One page of what changed since; None for a cursor that it has forgotten."""
        if cursor and self.forgets:
            self.forgets = False
            return None
        after = datetime.fromisoformat(since).timestamp() if since else 0.0
        seen = [case for case in self.cases.values() if case.stamp >= after and not case.hidden]
        seen.sort(key=lambda case: (case.stamp, case.id), reverse=self.newest_first)
        at, size = int(cursor or 0), min(limit, self.page_size)
        return seen[at : at + size], str(at + size) if at + size < len(seen) else None

    def _enter(self, body: Body, *, key: str = "", stamp: int | None = None) -> Case:
        prefix = self.name.replace("/", "-")
        number = f"{prefix}-{len(self.cases) + 1:04d}"
        case = Case(number, body, int(self.clock()) if stamp is None else stamp, key=key, texts=[body["reason"]])
        self.cases[number] = case
        return case

    def _lay(self, case: Case, changes: Body) -> None:
        laid = {
            name: {**case.body[name], **value} if isinstance(value, dict) else value for name, value in changes.items()
        }
        if {**case.body, **laid} != case.body:
            case.body = {**case.body, **laid}
            case.version += 1
            case.stamp = max(case.stamp, int(self.clock()))
            case.texts.append(case.body["reason"])


class Conversation(BaseHTTPRequestHandler):
    """One connection to the rig's web server."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 30
    systems: dict[str, System]

    def do_GET(self) -> None:
        system, way, asked = self._place()
        with system.lock:
            if way == ["search"]:
                found = [case for case in system.cases.values() if case.key == asked["external_reference"]]
                self._say(system, 200, {"cases": [case.shown() for case in found], "next": None})
            elif way:
                case = system.cases.get(way[0])
                self._say(system, 200 if case else 404, case.shown() if case else error("not_found"))
            else:
                page = system.page(asked.get("changed_since", ""), asked.get("cursor", ""), int(asked["limit"]))
                if page is None:
                    self._say(system, 410, error("cursor_expired"))
                else:
                    self._say(system, 200, {"cases": [case.shown() for case in page[0]], "next": page[1]})

    def do_POST(self) -> None:
        self._write(lambda system, body, way: system.create(body, str(body.get("external_reference") or "")))

    def do_PUT(self) -> None:
        self._write(lambda system, body, way: system.create(body, way[1]))

    def do_PATCH(self) -> None:
        self._write(lambda system, body, way: system.update(way[0], body, self.headers["If-Match"]))

    def _write(self, do: Callable[[System, Body, list[str]], Case | None]) -> None:
        system, way, _ = self._place()
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with system.lock:
            system.writes += 1
            answer = system.answers.popleft() if system.answers else "arrive"
            if body.get("person", {}).get("last_name") in system.refuses:
                answer = "refuse"
            if system.shut:
                answer = "shut"
            if answer == "late":
                system.late.append(lambda: do(system, body, way))
            if answer in ("arrive", "done, unsaid", "fail, done"):
                made = do(system, body, way)
        match answer:
            case "arrive":
                self._say(system, 200 if made else 412, made.shown() if made else error("precondition_failed"))
            case "refuse":
                self._say(system, 422, error("invalid", "reason"))
            case "throttle":
                self._say(system, 429, error("too_many_requests"), {"Retry-After": "1"})
            case "shut":
                self._say(system, 401, error("invalid_token"))
            case "fail, done" | "fail, not done":
                self._say(system, 500, error("oh"))
            case _:
                self.close_connection = True  # and not a word

    def _place(self) -> tuple[System, list[str], dict[str, str]]:
        parts = urlsplit(self.path)
        _, council, side, _, *way = unquote(parts.path).split("/")
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        return self.systems[f"{council}/{side}"], way, asked

    def _say(self, system: System, status: int, told: Any, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(told).encode()
        self.send_response_only(status)
        self.send_header("Date", formatdate(system.clock(), usegmt=True))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def error(code: str, field_: str | None = None) -> Body:
    """An error as the interface words it."""
    return {"error": {"code": code, "field": field_}}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that is killed in mid-call is what this is about."""


class Web:
    """All systems of a rig behind one address."""

    def __init__(self) -> None:
        self.systems: dict[str, System] = {}
        made = type("Conversation", (Conversation,), {"systems": self.systems})
        self._server = _Server(("127.0.0.1", 0), made)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def add(self, council: str, side: str, tier: str, clock: Callable[[], float] = time.time) -> System:
        """Put a system behind the address."""
        made = self.systems[f"{council}/{side}"] = System(f"{council}/{side}", tier, clock)
        return made

    def close(self) -> None:
        """Stop, and let go of the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
