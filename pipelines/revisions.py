"""Revisions: how a referral comes to be, changes, and sends its changes on.

Everything here runs inside the caller's short transaction: it reads the ledger, writes rows and makes deliveries. Who
may change what was decided before, in `pipelines.merge`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from pipelines import deliveries
from pipelines import facts as fact_store
from pipelines.facts import Facts
from pipelines.ids import citizen_reference, new_id
from pipelines.merge import OURS, group_of
from pipelines.plant import Council
from pipelines.routing import Route, is_urgent
from pipelines.tables import referral
from pipelines.vault import Vault

#: Facts given by the ledger itself name this instead of a connection.
OURSELVES = "dolen"


def get(connection: Connection, council: str, id: str) -> Row[Any] | None:
    """Read a referral of this council; None if there is none."""
    found = connection.execute(select(referral).where(referral.c.id == id, referral.c.council == council)).first()
    if found is not None and found.merged_into:
        return get(connection, council, found.merged_into)
    return found


def begin(
    connection: Connection,
    vault: Vault,
    council: Council,
    *,
    person: str,
    born_in: str,
    number: str,
    shown: Mapping[str, Any],
    now: int,
) -> tuple[Row[Any], Facts]:
    """Make a referral out of the first record seen of it, at revision 1. Deliveries are `pass_on`'s work."""
    id, reference = new_id(), citizen_reference()
    # A number that somebody typed into a field of ours identifies nothing until the crosswalk says so.
    given = {name: value for name, value in shown.items() if value is not None and group_of(name) not in OURS}
    facts: Facts = {name: (value, born_in, 1) for name, value in given.items()}
    facts["citizen_reference"] = (reference, OURSELVES, 1)
    facts[fact_store.source_field(born_in)] = (number, OURSELVES, 1)
    facts[fact_store.target_field(born_in)] = (number, OURSELVES, 1)
    connection.execute(
        insert(referral).values(
            id=id,
            council=council.code,
            person_id=person,
            revision=1,
            citizen_reference=reference,
            born_in=born_in,
            facts=fact_store.save(connection, vault, council.code, facts, person, now),
            at=now,
            changed_at=now,
            **_in_clear(facts),
        )
    )
    row = get(connection, council.code, id)
    assert row is not None
    return row, facts


def revise(
    connection: Connection, vault: Vault, row: Row[Any], facts: Facts, changes: Mapping[str, Any], *, by: str, now: int
) -> tuple[Row[Any], Facts]:
    """Write the next revision with these changes; return the referral and its facts as they are now."""
    revision = row.revision + 1
    facts = {**facts, **{name: (value, by, revision) for name, value in changes.items()}}
    connection.execute(
        update(referral)
        .where(referral.c.id == row.id)
        .values(
            revision=revision,
            changed_at=now,
            facts=fact_store.save(connection, vault, row.council, facts, row.person_id, now),
            **_in_clear(facts),
        )
    )
    after = get(connection, row.council, row.id)
    assert after is not None
    return after, facts


def pass_on(
    connection: Connection,
    council: Council,
    row: Row[Any],
    facts: Facts,
    *,
    changed: Collection[str],
    by: str,
    version: int | None,
    now: int,
) -> list[str]:
    """Make a delivery for each route from `by` whose condition holds; return the routes that were not taken."""
    plain = fact_store.plain(facts)
    not_taken = []
    for route in council.routes_from(by):
        if not route.triggered(changed):
            continue
        if route.misses(plain):
            not_taken.append(route.name)
            continue
        _deliver(connection, council, row, route, plain, version, now)
    return not_taken


def correct(
    connection: Connection, council: Council, row: Row[Any], facts: Facts, *, target: str, version: int | None, now: int
) -> None:
    """Send the present values to a system that shows others, by the state-carrying routes that lead to it."""
    plain = fact_store.plain(facts)
    for route in council.routes:
        if route.target == target and route.carries == "state" and not route.misses(plain):
            _deliver(connection, council, row, route, plain, version, now)
            return


def _deliver(
    connection: Connection,
    council: Council,
    row: Row[Any],
    route: Route,
    plain: Mapping[str, Any],
    version: int | None,
    now: int,
) -> None:
    deliveries.make(
        connection,
        route,
        council=council.code,
        referral=row.id,
        person=row.person_id,
        revision=row.revision,
        version=version,
        urgent=is_urgent(plain),
        facts=row.facts if route.carries == "event" else None,
        now=now,
    )


def _in_clear(facts: Facts) -> dict[str, Any]:
    """The little that rests unencrypted: coded, and of nobody by itself."""
    plain = fact_store.plain(facts)
    return {
        "status": plain.get("status"),
        "priority": plain.get("priority"),
        "restricted": bool(plain.get("restricted_record")),
    }
