"""One call and its answer: what the web server hands to a pretend system, and the seam through which faults strike.

A system is any object that fits `System`. In `answer` it reads the request, says `exchange.begin("OperationName")` as
soon as it knows what is asked (faults "before" strike there), makes every change inside `exchange.commit(change)`
(faults "late" and "after" hang on that), and returns a `Response`. Faults leave by raising `Interrupted`, which it
must let pass: catch your own errors by name. `exchange.take("repeated_page")` asks for what only a system can act out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar, runtime_checkable

from sandbox.faults import Faults, Numbers
from sandbox.store import Json
from sandbox.tally import Tally

T = TypeVar("T")
Wait = Callable[[float], Any]

HTML_PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><h1>Session ended</h1><br></body></html>"


@dataclass(frozen=True, slots=True)
class Request:
    """One call as it came in. `path` is what follows `/<tenant>/<system>`; header names are in lower case."""

    method: str
    tenant: str
    system: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    url: str = ""  # of the system itself, such as http://127.0.0.1:8080/torfaen/casework


@dataclass(frozen=True, slots=True)
class Response:
    """One answer. Content-Length and Date are added by the server."""

    status: int
    body: bytes = field(default=b"", repr=False)
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class System(Protocol):
    """A pretend system, serving all its tenants. Called from many threads at once."""

    name: str

    def answer(self, request: Request, exchange: Exchange, /) -> Response:
        """Answer one call. What it raises beyond `Interrupted` becomes `failure(request, 500)`."""

    def failure(self, request: Request, status: int, /) -> Response:
        """The system's own body for an error of the whole server (5xx, 429)."""

    def staff_put(self, tenant: str, id: str, record: Json, /) -> Json:
        """Write a record as the system's own staff would: next version, stamp of now. Returns what is now stored.

        `id` "" makes a new one. Raises ValueError in plain words for what the system's own screens refuse.
        """


@runtime_checkable
class Breakable(Protocol):
    """A system into which a record can be put that its own interface does not allow, as an old import once did."""

    def write_unchecked(self, tenant: str, id: str, record: Json, /) -> Json:
        """Write like `staff_put`, past every check."""


@runtime_checkable
class Remembering(Protocol):
    """A system that remembers what its staff deleted, to tell those who ask for changes."""

    def staff_delete(self, tenant: str, id: str, /) -> bool:
        """Delete a record as staff do; False if it was not there."""


class Interrupted(Exception):
    """A fault took the call out of the system's hands: `response` is sent, or without one the connection is dropped."""

    def __init__(self, outcome: str, response: Response | None = None, *, reset: bool = False) -> None:
        super().__init__(outcome)
        self.outcome = outcome
        self.response = response
        self.reset = reset


class Exchange:
    """One call on its way through. `operation` and `outcome` are what the tally counts it under."""

    def __init__(self, request: Request, system: System, faults: Faults, tally: Tally, wait: Wait) -> None:
        self.operation = ""
        self.outcome = ""  # a system may name its own, such as "ValidationFault"; else the HTTP status is taken
        self.committed = False
        self._request, self._system, self._faults, self._tally, self._wait = request, system, faults, tally, wait

    def take(self, name: str) -> Numbers | None:
        """Its numbers if this fault is to strike now (and uses up one of its times), None if not."""
        return self._faults.draw(self._request.tenant, self._request.system, name, self.operation)

    def knock(self) -> None:
        """Called by the server before anything else. Raises Interrupted where the system is dead."""
        if self.take("dead") is not None:
            raise Interrupted("dead")

    def begin(self, operation: str) -> None:
        """Say what is asked. Raises Interrupted where a fault strikes before anything is done."""
        self.operation = operation
        if not self._faults.any(self._request.tenant, self._request.system):
            return
        if latency := self.take("latency"):
            self._wait(latency["ms"] / 1000)
        if self.take("reset_before") is not None:
            raise Interrupted("reset before", reset=True)
        if hang := self.take("hang_before"):
            self._wait(hang["seconds"])
            raise Interrupted("hung before")
        if throttle := self.take("throttle"):
            refusal = self._system.failure(self._request, 429)
            headers = {**refusal.headers, "Retry-After": f"{throttle['seconds']:g}"}
            raise Interrupted("throttled", Response(429, refusal.body, refusal.content_type, headers))
        if error := self.take("error_before"):
            raise Interrupted("error before", self._system.failure(self._request, int(error["status"])))
        if self.take("html_before") is not None:
            raise Interrupted("html before", Response(200, HTML_PAGE, "text/html; charset=utf-8"))

    def commit(self, change: Callable[[], T]) -> T:
        """Do `change`: all or nothing (use `store.transaction()`), with every check that must hold at that time.

        Raises what it raises; Interrupted where the change is to come late, and then it is done without a caller.
        """
        if late := self.take("late_commit"):
            timer = threading.Timer(late["seconds"], self._commit_late, [change])
            timer.daemon = True
            timer.start()
            self._wait(late["silent_seconds"])
            raise Interrupted("silent, late commit")
        result = change()
        self.committed = True
        return result

    def finish(self) -> None:
        """Called by the server with the answer ready. Raises Interrupted where a fault strikes after the commit."""
        if not self.committed or not self._faults.any(self._request.tenant, self._request.system):
            return
        if self.take("reset_after") is not None:
            raise Interrupted("reset after", reset=True)
        if hang := self.take("hang_after"):
            self._wait(hang["seconds"])
            raise Interrupted("hung after")
        if error := self.take("error_after"):
            raise Interrupted("error after", self._system.failure(self._request, int(error["status"])))
        if self.take("html_after") is not None:
            raise Interrupted("html after", Response(200, HTML_PAGE, "text/html; charset=utf-8"))

    def _commit_late(self, change: Callable[[], object]) -> None:
        outcome = "late commit"
        try:
            change()
        except Exception as refusal:  # nobody is left to be told; the tally shows it
            outcome = f"late commit refused: {type(refusal).__name__}"
        self._tally.count(self._request.tenant, self._request.system, self.operation, outcome)
