"""Visits: how each door of the console is knocked at, from a bench that `desk.lay_out` has laid out.

Every door has one; the walks fail for a door that has none, so that a new page joins them by being listed here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines import tasks
from tests.pipelines.pieces import Bench

Given = Callable[[Bench], Mapping[str, Any]]


@dataclass(frozen=True)
class Visit:
    """One way through a door. `path` fills the names in the door's path; `form` is what is typed, for a POST."""

    door: str  # "GET /group/{fingerprint}"
    path: Callable[[Bench], str] | None = None
    form: Given = field(default=lambda _bench: {})
    on: str = "/"  # the page that has the form
    changes: bool = False  # it does something: the walks for eyes leave it out
    council: str = "torfaen"  # whose it is; "": of whatever councils the officer has

    @property
    def method(self) -> str:
        return self.door.partition(" ")[0]

    def address(self, bench: Bench) -> str:
        """Where it knocks."""
        return self.path(bench) if self.path else self.door.partition(" ")[2]


def refusal(bench: Bench) -> Any:
    """A delivery that casework refused, with words that a stranger typed."""
    return [row for row in bench.rows("delivery", state="needs attention") if not row.urgent][-1]


def fingerprint(bench: Bench) -> str:
    return str(bench.row("cause", id=refusal(bench).cause_id).fingerprint)


def a_task(bench: Bench) -> int:
    """A task that was asked for once and cancelled."""
    rows = bench.rows("task")
    if rows:
        return int(rows[0].id)
    id = tasks.for_ids(bench.plant, [f"d{refusal(bench).id}"], action=tasks.SEND_AGAIN, who="Ann Officer", why="a try")
    tasks.cancel(bench.plant, id, who="Ann Officer")
    return id


def on_case(end: str = "") -> Callable[[Bench], str]:
    return lambda bench: f"/case/d{refusal(bench).id}{end}"


def on_cause(end: str = "") -> Callable[[Bench], str]:
    return lambda bench: f"/attention/{fingerprint(bench)}{end}"


def ticked(bench: Bench) -> Mapping[str, Any]:
    return {"id": f"d{refusal(bench).id}", "which": "some"}


def unread(bench: Bench) -> str:
    """A record that could not be taken in."""
    return f"v{bench.rows('version', state='needs attention')[0].id}"


def torn(bench: Bench, number: int) -> str:
    """A record that may belong to either of two referrals."""
    return f"v{bench.rows('version', external_id=f'C-{number}')[0].id}"


WHY = {"why": "agreed on the telephone"}

VISITS: tuple[Visit, ...] = (
    Visit("GET /", council=""),
    Visit("POST /where", form=lambda _bench: {"reference": "C-3"}, council=""),
    Visit("POST /where/when", form=lambda _bench: {"source": "torfaen/contact", "day": "2026-07-02", "hour": "13"}),
    Visit("POST /where/ask", form=lambda _bench: {"source": "torfaen/contact"}, changes=True),
    Visit("GET /overview", council=""),
    Visit("GET /attention", council=""),
    Visit("GET /alerts", council=""),
    Visit("POST /alerts/answer", form=lambda _bench: {"alert": "a1", **WHY}, changes=True),
    Visit("POST /alerts/test", form=lambda _bench: {"council": "torfaen"}, changes=True),
    Visit("GET /attention/{cause}", on_cause()),
    Visit("POST /attention/{cause}/preview", on_cause("/preview"), form=ticked),
    Visit("POST /attention/{cause}/send", on_cause("/send"), form=ticked, changes=True),
    Visit("POST /attention/{cause}/close", on_cause("/close"), form=ticked, changes=True),
    Visit("GET /case/{id}", on_case()),
    Visit("POST /case/{id}/look", on_case("/look")),
    Visit("POST /case/{id}/send", on_case("/send"), changes=True),
    Visit("POST /case/{id}/settle", on_case("/settle"), changes=True),
    Visit("POST /case/{id}/close", on_case("/close"), changes=True),
    Visit("GET /referral/{id}", lambda bench: f"/referral/{refusal(bench).referral_id}"),
    Visit("POST /case/{id}/sheet", on_case("/sheet"), form=lambda _bench: WHY, changes=True),
    Visit("POST /referral/{id}/unmask", lambda bench: f"/referral/{refusal(bench).referral_id}/unmask",
          form=lambda _bench: WHY),
    Visit("GET /handover", council=""),
    Visit("GET /task", council=""),
    Visit("GET /task/{id:int}", lambda bench: f"/task/{a_task(bench)}"),
    Visit("POST /task/{id:int}/move", lambda bench: f"/task/{a_task(bench)}/move", changes=True),
    Visit("GET /confirm", council=""),
    Visit("POST /confirm/answer", form=lambda _bench: {"id": "q99", "answer": "no", "why": "not now"}, changes=True),
    Visit("GET /glass", council=""),
    Visit("POST /glass/take", form=lambda _bench: {"reference": "C-9", **WHY}, changes=True),
    Visit("GET /sight", council=""),
    Visit("POST /sight/give", form=lambda _bench: {"reference": "C-9", "whom": "x", "days": "7", **WHY}, changes=True),
    Visit("GET /sight/{id}", lambda _bench: "/sight/g1"),
    Visit("POST /sight/{id}/review", lambda _bench: "/sight/g1/review", form=lambda _bench: WHY, changes=True),
    Visit("POST /sight/{id}/end", lambda _bench: "/sight/g1/end", form=lambda _bench: WHY, changes=True),
    Visit("GET /connection", council=""),
    Visit("GET /connection/{council}/{name}", lambda _bench: "/connection/torfaen/casework"),
    Visit("POST /connection/{council}/{name}/pause", lambda _bench: "/connection/torfaen/texts/pause", changes=True),
    Visit("POST /connection/{council}/{name}/resume", lambda _bench: "/connection/torfaen/texts/resume", changes=True),
    Visit("POST /connection/{council}/{name}/doctor", lambda _bench: "/connection/torfaen/casework/doctor"),
    Visit("GET /whose", council=""),
    Visit("GET /whose/{id}", lambda bench: f"/whose/{unread(bench)}"),
    Visit("GET /whose/{id}", lambda bench: f"/whose/{torn(bench, 31)}"),
    Visit("POST /whose/{id}/decide", lambda bench: f"/whose/{unread(bench)}/decide", changes=True),
    Visit("POST /whose/{id}/join", lambda bench: f"/whose/{unread(bench)}/join", changes=True),
    Visit("GET /conflict", council=""),
    Visit("POST /conflict/{id:int}/seen", lambda _bench: "/conflict/1/seen", form=lambda _bench: WHY, changes=True),
    Visit("POST /conflict/{id:int}/values", lambda _bench: "/conflict/1/values", form=lambda _bench: WHY, changes=True),
    Visit("GET /mappings", council=""),
    Visit("GET /mappings/{system}/{record}", lambda _bench: "/mappings/contact/request", council=""),
    Visit("GET /codes", council=""),
    Visit("POST /codes/map", form=lambda _bench: {}, changes=True, council=""),
    Visit("GET /schedule", council=""),
    Visit("GET /reconcile", council=""),
    Visit("POST /reconcile/compare", form=lambda _bench: {"route": "torfaen.contact-to-casework"}, changes=True),
    Visit("GET /outcomes", council=""),
    Visit("GET /outcomes/csv", council="", changes=True),  # a file and no page: nothing for eyes
    Visit("GET /reconcile/{id:int}", lambda bench: f"/reconcile/{bench.rows('reconciliation')[0].id}"),
    Visit("GET /audit", council=""),
    Visit("POST /audit/verify", council=""),
    Visit("GET /sessions", council=""),
    Visit("POST /sessions/end", form=lambda _bench: {"id": "s0"}, changes=True, council=""),
    Visit("POST /sessions/others", changes=True, council=""),
    Visit("GET /settings", council=""),
    Visit("GET /settings/{file}", lambda _bench: "/settings/torfaen"),
)
