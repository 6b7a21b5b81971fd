"""Closure: since when nothing more is to come of a referral, from where the times of retention are counted.

A referral is closed when its status is a final one or it was joined to another, and nothing of it is open: no delivery
waits, is being sent, is not sure or needs attention, no version waits or needs attention, and no conflict wants to be
looked at. One that no system has ended counts as closed when nothing was heard of it for `retention.inactive`. Its
closure is the last thing that happened in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select

from config.retention import Retention
from mappings.lifecycle import terminal
from pipelines.clock import SECOND
from pipelines.states import OPEN, VersionState
from pipelines.tables import conflict, delivery, record, referral, version

#: What goes, in this order: see `config.retention`.
CLASSES = ("raw", "payloads", "hashes", "metadata")


@dataclass(frozen=True, slots=True)
class Standing:
    """How one referral stands."""

    row: Row[Any]
    open: bool
    last: int  # the last thing that happened in it
    closed: int | None  # since when it is closed; None while it is not


def micros(time: timedelta) -> int:
    """A time in the ledger's unit."""
    return int(time.total_seconds()) * SECOND


def standings(connection: Connection, retention: Retention, rows: Sequence[Row[Any]], now: int) -> list[Standing]:
    """How these referrals of one council stand."""
    ids = [row.id for row in rows]
    last = {row.id: row.changed_at for row in rows}
    is_open: set[str] = set()
    for table, at in ((delivery, delivery.c.changed_at), (version, version.c.at)):
        newest = select(table.c.referral_id, func.max(at)).where(table.c.referral_id.in_(ids))
        for id, when in connection.execute(newest.group_by(table.c.referral_id)):
            last[id] = max(last[id], when)
    stopped = (VersionState.ATTENTION, VersionState.WAITING)
    of_records = (
        select(record.c.referral_id)
        .join(version, version.c.record_id == record.c.id)
        .where(record.c.referral_id.in_(ids), version.c.state.in_(stopped))
    )
    for asked in (
        select(delivery.c.referral_id).where(delivery.c.referral_id.in_(ids), delivery.c.state.in_(OPEN)),
        select(version.c.referral_id).where(version.c.referral_id.in_(ids), version.c.state.in_(stopped)),
        select(conflict.c.referral_id).where(conflict.c.referral_id.in_(ids), conflict.c.open.is_(True)),
        of_records,  # a version that needs attention may not know its referral yet; its record does
    ):
        is_open |= set(connection.execute(asked.distinct()).scalars())
    quiet = micros(retention.inactive)
    found = []
    for row in rows:
        when = last[row.id]
        closed = None
        if row.id not in is_open:
            if row.merged_into or (row.status and terminal(row.status)):
                closed = when
            elif when + quiet <= now:
                closed = when + quiet
        found.append(Standing(row, row.id in is_open, when, closed))
    return found


def due_class(standing: Standing, retention: Retention, now: int) -> int:
    """How many of CLASSES have been kept long enough."""
    if standing.closed is None:
        return 0
    kept = [getattr(retention, name) for name in CLASSES]
    return sum(standing.closed + micros(time) <= now for time in kept)


def walk(connection: Connection, council: str, after: str, most: int) -> list[Row[Any]]:
    """The council's next referrals in the order of their ids."""
    named = (
        referral.c.id, referral.c.person_id, referral.c.status, referral.c.merged_into, referral.c.changed_at,
        referral.c.gone, referral.c.gone_at, referral.c.facts,
    )  # fmt: skip
    wanted = select(*named).where(referral.c.council == council, referral.c.id > after)
    return list(connection.execute(wanted.order_by(referral.c.id).limit(most)))
