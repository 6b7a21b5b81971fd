"""Answering: whoever wrote a referral down is told what became of it elsewhere, so that they and not IT mend it.

A route with `replies_to` writes a declared kind of record into the system that a referral came from: taken, refused
with a coded reason and the field to mend, already there under a number, waiting since, a number that reaches nobody.
The same is not told twice running. No value of a record is in it but the numbers of the systems.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import select

from pipelines import facts as fact_store
from pipelines.batch import Batch, one_referral
from pipelines.clock import SECOND, to_instant
from pipelines.jobs import CASEWORKER
from pipelines.rows import Held
from pipelines.states import DeliveryState
from pipelines.tables import delivery
from pipelines.vault import PayloadGone

if TYPE_CHECKING:
    from pipelines.plant import Plant
    from pipelines.routing import Route
    from pipelines.sending import Result

#: What is told, in Welsh and in English. The Welsh awaits a Welsh checker.
WORDS = {
    "accepted": ("Mae {system} wedi derbyn y cais.", "{system} has taken the request."),
    "refused": (
        "Nid yw {system} wedi derbyn y cais. Cywirwch y maes a enwir a bydd yn mynd eto.",
        "{system} has not taken the request. Put the named field right and it goes again.",
    ),
    "duplicate": (
        "Mae'r cais yn {system} eisoes, o dan y rhif a roddir.",
        "The request is in {system} already, under the number given.",
    ),
    "waiting": ("Mae'r cais yn aros i gyrraedd {system}.", "The request is waiting to reach {system}."),
    "unreachable": (
        "Nid yw'r rhif yn cyrraedd neb. Gofynnwch am rif newydd.",
        "The number reaches nobody. Ask for a new one.",
    ),
}
_FIELD = "extensions.reply."
_MOST = 100
_WAITS = (DeliveryState.WAITING, DeliveryState.NOT_SURE)


def after(batch: Batch, row: Held, referral: Held, result: Result) -> None:
    """Tell what a try of a delivery came to, where a route says so."""
    routes = batch.council.replying(row.route)
    if not routes or row.carries != "state":
        return
    kind = reason = field = number = ""
    if row.state == DeliveryState.ARRIVED:
        kind, number = ("duplicate" if result.how == "already there" else "accepted"), result.external_id
    elif row.state == DeliveryState.ATTENTION and result.cause is not None:
        kind, reason, field = "refused", result.cause.error, result.cause.field
    for route in routes if kind else ():
        say(batch, route, referral, kind, reason=reason, field=field, number=number)


def say(
    batch: Batch,
    route: Route,
    referral: Held,
    kind: str,
    *,
    reason: str = "",
    field: str = "",
    number: str = "",
    since: int | None = None,
) -> None:
    """Make the delivery of one reply, unless the last one said the same or the system does not hold the referral."""
    try:
        facts = dict(batch.facts(referral))
    except PayloadGone:
        return
    if fact_store.target_field(route.target) not in facts:
        return
    said = ":".join((kind, reason, field))
    if _last(batch, route, referral) == said:
        return
    cy, en = (words.format(system=route.source) for words in WORDS[kind])
    stamp = to_instant(since).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if since is not None else ""
    told: dict[str, Any] = {"kind": kind, "reason": reason, "field": field, "number": number, "since": stamp,
                            "cy": cy, "en": en}  # fmt: skip
    facts |= {_FIELD + name: (value, "dolen", referral.revision) for name, value in told.items() if value}
    lane = route.lane(batch.council.code, referral.person_id, referral.id)
    made = batch.new_delivery(
        referral_id=referral.id,
        route=route.name,
        connection=route.target,
        kind=route.kind,
        carries="event",
        revision=referral.revision,
        facts=batch.seal("facts", orjson.dumps(facts), referral.person_id),
        lane=lane,
        recipient=CASEWORKER,
        words=said,
        state=DeliveryState.WAITING,
    )
    batch.wake(lane, route.target, made.due, urgent=False, live=True)


def _last(batch: Batch, route: Route, referral: Held) -> str | None:
    fresh = [one for one in batch.deliveries_of(referral.id) if one.route == route.name]
    if fresh:
        return str(fresh[-1].words)
    found = batch.connection.execute(
        select(delivery.c.words)
        .where(delivery.c.referral_id == referral.id, delivery.c.route == route.name)
        .order_by(delivery.c.id.desc())
        .limit(1)
    ).scalar()
    return None if found is None else str(found)


def overdue(plant: Plant) -> int:
    """Tell of what has waited for longer than its route's `arrive_within`; return how many replies were made."""
    made = 0
    for council in plant.councils.values():
        for route in council.routes:
            for name in route.replies_to:
                carried = council.route(name)
                if carried is not None and carried.arrive_within is not None:
                    made += _overdue(plant, council.code, route, carried)
    return made


def _overdue(plant: Plant, code: str, route: Route, carried: Route) -> int:
    assert carried.arrive_within is not None
    limit = plant.clock.now() - int(carried.arrive_within.total_seconds() * SECOND)
    told = select(delivery.c.referral_id).where(
        delivery.c.council == code, delivery.c.route == route.name, delivery.c.words == "waiting::"
    )
    late = (
        select(delivery.c.referral_id, delivery.c.at)
        .where(delivery.c.council == code, delivery.c.route == carried.name, delivery.c.at < limit)
        .where(delivery.c.state.in_(_WAITS), delivery.c.referral_id.not_in(told))
        .limit(_MOST)
    )
    with plant.ledger.reading() as connection:
        rows = connection.execute(late).all()
    if not rows:
        return 0
    with plant.ledger.writing() as connection:
        batch = Batch(connection, plant.vault, plant.councils[code], plant.clock.now())
        for row in rows:
            referral = one_referral(batch, row.referral_id)
            if referral is not None:
                say(batch, route, referral, "waiting", since=row.at)
        batch.flush()
    plant.nudge.set()
    return len(rows)
