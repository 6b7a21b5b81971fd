"""How many referrals, versions and deliveries there are that these eyes may see, exactly and in any number.

All of them are counted from indexes by their state, and the few that are kept from whoever asks are found from their
referrals and taken off: to ask of each of a million whether it may be seen takes many times as long.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, and_, func, select, union

from pipelines.plant import Plant
from pipelines.tables import delivery, record, referral, version

#: (council, state) -> how many.
ByState = Mapping[tuple[str, str], int]


def referrals(connection: Connection, plant: Plant, codes: Sequence[str]) -> int:
    """How many referrals these councils have."""
    of = select(func.count()).select_from(referral).where(referral.c.council.in_(codes))
    all_of_them: int = connection.execute(of).scalar_one()
    if plant.sight.is_whole:
        return all_of_them
    kept: int = connection.execute(of.where(plant.sight.hides())).scalar_one()
    return all_of_them - kept


def by_state(connection: Connection, table: Any) -> ByState:
    """How many versions or deliveries are in each state, of each council that the ledger knows, whoever asks."""
    found = connection.execute(
        select(table.c.council, table.c.state, func.count()).group_by(table.c.council, table.c.state)
    )
    return {(str(row[0]), str(row[1])): int(row[2]) for row in found}


def versions(connection: Connection, plant: Plant, codes: Sequence[str]) -> dict[str, int]:
    """How many versions of these councils are in each state."""
    counted = by_state(connection, version)
    if plant.sight.is_whole:
        return _seen(counted, {}, codes)
    theirs = select(record).where(record.c.referral_id.in_(_kept(plant))).subquery()
    by_number = and_(*(theirs.c[name] == version.c[name] for name in ("council", "connection", "kind", "external_id")))
    nameless = func.coalesce(version.c.record_id, 0) == 0  # what could not be read names its record by number alone
    hidden = union(
        select(version.c.id).where(version.c.referral_id.in_(_kept(plant))),
        select(version.c.id).where(version.c.record_id.in_(select(theirs.c.id))),
        select(version.c.id).join(theirs, by_number).where(nameless),
    )
    return _seen(counted, _of(connection, version, hidden), codes)


def deliveries(connection: Connection, plant: Plant, codes: Sequence[str], counted: ByState) -> dict[str, int]:
    """How many deliveries of these councils are in each state. `counted`: all of them, as `by_state` says."""
    if plant.sight.is_whole:
        return _seen(counted, {}, codes)
    hidden = select(delivery.c.id).where(delivery.c.referral_id.in_(_kept(plant)))
    return _seen(counted, _of(connection, delivery, hidden), codes)


def _kept(plant: Plant) -> Select[tuple[str]]:
    return select(referral.c.id).where(plant.sight.hides())


def _of(connection: Connection, table: Any, hidden: Any) -> ByState:
    ids = hidden.subquery()
    found = connection.execute(
        select(table.c.council, table.c.state, func.count())
        .where(table.c.id.in_(select(ids.c.id)))
        .group_by(table.c.council, table.c.state)
    )
    return {(str(row[0]), str(row[1])): int(row[2]) for row in found}


def _seen(counted: ByState, hidden: ByState, codes: Sequence[str]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for (code, state), number in counted.items():
        if code in codes:
            found[state] += number - hidden.get((code, state), 0)
    return {state: number for state, number in found.items() if number}
