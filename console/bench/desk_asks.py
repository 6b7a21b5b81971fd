"""What the console bench asks of the pages: every page that can be read, and searches by every kind of key.

Pages come from `console.web.pages`, so that a new one is asked for by being there; one whose address has a name in it
that this file cannot fill stops the bench, and says so.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select

from console.web import pages
from console.web.doors import Door
from pipelines import tasks
from pipelines.clock import SECOND, to_instant
from pipelines.plant import Plant
from pipelines.tables import cause, delivery, reconciliation, record, referral, version

COUNCIL, SOURCE, SINK = "bench", "source", "sink"
#: Forms that change nothing, beside the search. The others write, or wait for a system as long as that takes; checking
#: the whole audit takes as long as the audit is, whatever the ledger holds.
FORMS = ("/attention/{cause}/preview", "/case/{id}/look", "/where/when")
#: Of each kind of thing, so many different ones.
OF_EACH = 4
_WHY = "asked for by the bench"


class NotKnown(RuntimeError):
    """There is a page that the bench does not know how to ask for. The message names it."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One question. `door`: as it is counted; `form`: what is typed, None for a page that is only read."""

    door: str
    path: str
    form: Mapping[str, Any] | None = field(default=None, repr=False)


@dataclass(slots=True)
class Things:
    """Ids of what there is to ask for, drawn from the ledger."""

    causes: dict[str, int] = field(default_factory=dict)  # fingerprint -> id
    stopped: list[int] = field(default_factory=list)  # deliveries that need attention
    opened: list[int] = field(default_factory=list)  # of these, some whose payloads can be opened
    unread: list[int] = field(default_factory=list)  # versions that need attention
    referrals: list[str] = field(default_factory=list)
    references: list[str] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    middle: int = 0  # the moment in the middle of the past
    task: int = 0
    comparison: int = 0


def prepare(plant: Plant, opened: int, seed: int) -> Things:
    """Draw what is asked for; write a task and a comparison, so that there are some. `opened`: the first so many
    deliveries have payloads that can be opened."""
    draw, found = random.Random(seed), Things()  # noqa: S311 - a sample, not a secret
    with plant.ledger.reading() as connection:
        found.causes = {row.fingerprint: row.id for row in connection.execute(select(cause).order_by(cause.c.id))}
        last = {table: connection.execute(select(func.max(table.c.id))).scalar_one()
                for table in (delivery, version, record)}  # fmt: skip
        for ids, table in ((found.stopped, delivery), (found.unread, version)):
            for _ in range(OF_EACH):
                wanted = select(table.c.id).where(table.c.id >= draw.randint(opened + 1, last[table]))
                wanted = wanted.where(table.c.state == "needs attention").order_by(table.c.id).limit(1)
                ids += connection.execute(wanted).scalars()
        found.opened = draw.sample(range(1, opened + 1), min(OF_EACH, opened))
        for _ in range(OF_EACH):
            one = connection.execute(
                select(referral, record.c.external_id)
                .join(referral, referral.c.id == record.c.referral_id)
                .where(record.c.id >= draw.randint(1, last[record]))
                .order_by(record.c.id)
                .limit(1)
            ).one()
            found.referrals.append(one.id)
            found.references.append(one.citizen_reference)
            found.numbers.append(one.external_id)
        found.middle = connection.execute(select(delivery.c.at).where(delivery.c.id == found.stopped[0])).scalar_one()
    found.task = tasks.for_ids(
        plant, [f"d{id}" for id in found.stopped], action=tasks.SEND_AGAIN, who="bench", why=_WHY
    )  # fmt: skip
    tasks.cancel(plant, found.task, who="bench")
    with plant.ledger.writing() as connection:
        now = plant.clock.now()
        findings = {"differ": [{"source": n, "target": n, "field": "status"} for n in found.numbers], "doubt": ""}
        found.comparison = connection.execute(
            insert(reconciliation)
            .values(council=COUNCIL, route="source-to-sink", at=now, begun=now, done=now, agrees=False,
                    counts={"compared": 1000, "differ": len(found.numbers)}, findings=findings)
            .returning(reconciliation.c.id)
        ).scalar_one()  # fmt: skip
    return found


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
