"""Revisions: how a referral comes to be, changes, and sends its changes on.

Everything here works within the caller's unit of work: it changes rows in memory and makes deliveries, which
`Batch.flush` writes. Who may change what was decided before, in `pipelines.merge`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, Row, select

from mappings import lifecycle
from pipelines import deliveries
from pipelines import facts as fact_store
from pipelines.batch import Batch
from pipelines.facts import Facts
from pipelines.ids import citizen_reference, new_id
from pipelines.merge import OURS, group_of
from pipelines.rows import Held
from pipelines.tables import referral

#: Facts given by the ledger itself name this instead of a connection.
OURSELVES = "dolen"
#: Whoever asked for news of a referral says so in one of these.
WANTS_NEWS = (
    *(f"notify.opt_in[channel={channel}].opted_in" for channel in ("text", "email", "letter")),
    "referrer.wants_updates",
)


def get(connection: Connection, council: str, id: str) -> Row[Any] | None:
    """Read a referral of this council, or the one that it was merged into; None if there is none."""
    found = connection.execute(select(referral).where(referral.c.id == id, referral.c.council == council)).first()
    if found is not None and found.merged_into:
        return get(connection, council, found.merged_into)
    return found


def begin(batch: Batch, *, person: str, born_in: str, number: str, shown: Mapping[str, Any]) -> Held:
    """Make a referral out of the first record seen of it, at revision 1. Deliveries are `pass_on`'s work."""
    id, reference = new_id(), citizen_reference()
    # A number that somebody typed into a field of ours identifies nothing until the crosswalk says so.
    given = {name: value for name, value in shown.items() if value is not None and group_of(name) not in OURS}
    facts: Facts = {name: (value, born_in, 1) for name, value in given.items()}
    facts["citizen_reference"] = (reference, OURSELVES, 1)
    facts[fact_store.source_field(born_in)] = (number, OURSELVES, 1)
    facts[fact_store.target_field(born_in)] = (number, OURSELVES, 1)
    return batch.new_referral(
        facts, id=id, person_id=person, citizen_reference=reference, born_in=born_in, **_in_clear(facts)
    )


def anew(batch: Batch, row: Held, connection: str, number: str) -> Facts:
    """Begin the facts of a referral anew with what the ledger knows without them, and return them."""
    facts: Facts = {
        "citizen_reference": (row.citizen_reference, OURSELVES, row.revision),
        fact_store.target_field(connection): (number, OURSELVES, row.revision),
    }
    batch.begin_anew(row, facts)
    return facts


def remark(row: Held, facts: Facts, changes: Mapping[str, Any]) -> None:
    """What people should know of a change that a version makes, beyond what changed."""
    before, after = _value(facts, "status"), changes.get("status")
    if before and after and lifecycle.terminal(before) and not lifecycle.terminal(after):
        row.set(remark=f"reopened: it was {before.replace('_', ' ')}")


def revise(batch: Batch, row: Held, changes: Mapping[str, Any], *, by: str) -> None:
    """Make the next revision of a referral with these changes."""
    revision = row.revision + 1
    facts = {**batch.facts(row), **{name: (value, by, revision) for name, value in changes.items()}}
    batch.revise(row, facts, **_in_clear(facts, row))


def adopt(batch: Batch, row: Held, taken: Mapping[str, tuple[Any, str]]) -> None:
    """Make the next revision with values that others gave: field -> (value, the connection that gave it)."""
    revision = row.revision + 1
    facts = {**batch.facts(row), **{name: (value, by, revision) for name, (value, by) in taken.items()}}
    batch.revise(row, facts, **_in_clear(facts, row))


def pass_on(
    batch: Batch,
    row: Held,
    *,
    changed: Collection[str],
    by: str,
    version: Held | None,
    only: Collection[str] | None = None,
) -> list[str]:
    """Make a delivery for each route from `by` whose condition holds; return the routes that were not taken.

    `only`: of these routes.
    """
    routes = [route for route in batch.council.routes_from(by) if route.triggered(changed)]
    if only is not None:
        routes = [route for route in routes if route.name in only]
    if not routes:
        return []
    plain = fact_store.plain(batch.facts(row))
    not_taken = []
    for route in routes:
        if route.misses(plain):
            not_taken.append(route.name)
        else:
            for audience in route.audiences:
                deliveries.make(batch, route, row, plain=plain, version=version, recipient=audience)
    return not_taken


def correct(batch: Batch, row: Held, *, target: str, version: Held | None) -> None:
    """Send the present values to a system that shows others, by the first state-carrying route that leads to it."""
    plain = fact_store.plain(batch.facts(row))
    for route in batch.council.routes:
        if route.target == target and route.carries == "state" and not route.misses(plain):
            deliveries.make(batch, route, row, plain=plain, version=version)
            return


def _in_clear(facts: Facts, row: Held | None = None) -> dict[str, Any]:
    """The little that rests unencrypted: coded, and of nobody by itself. `row`: the referral as it stands."""
    stopped = row is not None and row.stopped is not None
    wishes = [_value(facts, name) for name in WANTS_NEWS]
    # Where no system tells of wishes an officer wrote them into our register, and said so on the referral.
    kept = row is not None and bool(row.wants_news) and all(wish is None for wish in wishes)
    return {
        "status": _value(facts, "status"),
        "priority": _value(facts, "priority"),
        "restricted": stopped or bool(_value(facts, "restricted_record")),
        "wants_news": kept or any(wish is True for wish in wishes),
    }


def _value(facts: Facts, name: str) -> Any:
    known = facts.get(name)
    return known[0] if known else None
