"""What the console bench asks of the pages: every page that can be read, and searches by every kind of key.

Pages come from `console.web.pages`, so that a new one is asked for by being there; one whose address has a name in it
that this file cannot fill stops the bench, and says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from console.web import pages
from console.web.doors import Door
from pipelines.clock import SECOND, to_instant
from pipelines.drawn import OF_EACH, Things

COUNCIL, SOURCE, SINK = "bench", "source", "sink"
#: Forms that change nothing, beside the search. The others write, or wait for a system as long as that takes; checking
#: the whole audit takes as long as the audit is, whatever the ledger holds.
FORMS = ("/attention/{cause}/preview", "/case/{id}/look", "/where/when")


class NotKnown(RuntimeError):
    """There is a page that the bench does not know how to ask for. The message names it."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One question. `door`: as it is counted; `form`: what is typed, None for a page that is only read."""

    door: str
    path: str
    form: Mapping[str, Any] | None = field(default=None, repr=False)


def asks(things: Things) -> list[Ask]:
    """Every page, once for each thing that it may be about. Raises NotKnown."""
    return [
        ask
        for doors in pages.ALL
        for door in doors
        if door.method == "GET" or door.path in FORMS
        for ask in _of(door, things)
    ]


def searches(things: Things) -> list[Ask]:
    """Searches on the front page: by the resident's reference, by a number in a system, by our id, by that of a
    delivery and of a version, and for what nobody ever showed."""
    keys: dict[str, Sequence[str]] = {
        "a reference": things.references,
        "a number": things.numbers,
        "an id": things.referrals,
        "a delivery": [f"d{id}" for id in things.stopped],
        "a version": [f"v{id}" for id in things.unread],
        "what is not there": [f"never-{number}" for number in range(OF_EACH)],
    }
    return [Ask(f"search by {name}", "/where", {"reference": key}) for name, some in keys.items() for key in some]


def _of(door: Door, things: Things) -> Iterator[Ask]:
    filled = _filled(things)
    paths = filled.get(door.path, [door.path])
    if any("{" in path for path in paths):
        raise NotKnown(f"the bench has nothing to fill {door.path} with: see console/bench/desk_asks.py")
    for path in paths:
        yield Ask(door.name, path, _form(door, path, things) if door.method == "POST" else None)


def _filled(things: Things) -> dict[str, list[str]]:
    cases = [f"d{id}" for id in (*things.stopped, *things.opened)] + [f"v{id}" for id in things.unread]
    on_cause = [f"/attention/{fingerprint}" for fingerprint in things.causes]
    return {
        "/attention": ["/attention"],
        "/attention/{cause}": [*on_cause, *(f"{path}?after=d{things.stopped[0]}" for path in on_cause)],
        "/attention/{cause}/preview": [f"{path}/preview" for path in on_cause],
        "/case/{id}": [f"/case/{id}" for id in cases],
        "/case/{id}/look": [f"/case/d{id}/look" for id in things.opened],
        "/connection/{council}/{name}": [f"/connection/{COUNCIL}/{name}" for name in (SOURCE, SINK)],
        "/mappings/{system}/{record}": ["/mappings/contact/request"],
        "/reconcile/{id:int}": [f"/reconcile/{things.comparison}"],
        "/referral/{id}": [f"/referral/{id}" for id in things.referrals],
        "/settings/{file}": [f"/settings/{COUNCIL}"],
        "/sight/{id}": [f"/sight/g{things.grant}"],
        "/task/{id:int}": [f"/task/{things.task}"],
        "/whose/{id}": [f"/whose/v{id}" for id in things.unread],
    }


def _form(door: Door, path: str, things: Things) -> Mapping[str, Any]:
    if door.path == "/where/when":
        moment: datetime = to_instant(things.middle // SECOND * SECOND)
        return {"source": f"{COUNCIL}/{SOURCE}", "day": moment.date().isoformat(), "hour": str(moment.hour)}
    if door.path == "/attention/{cause}/preview":
        first = next(iter(things.causes))  # what can be opened needs attention for the first cause
        return {"id": [f"d{id}" for id in things.opened]} if first in path else {"which": "all"}
    return {}
