"""Deliveries: how they are made, replaced and moved. Every change of a delivery's state happens here."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from pipelines import lanes
from pipelines.ids import new_id
from pipelines.routing import Route
from pipelines.states import DeliveryState, check_move
from pipelines.tables import delivery


class Moved(RuntimeError):
    """Somebody else moved the delivery first. Nothing was changed."""


def make(
    connection: Connection,
    route: Route,
    *,
    council: str,
    referral: str,
    person: str,
    revision: int,
    version: int | None,
    urgent: bool,
    facts: str | None,
    now: int,
) -> int:
    """Make one delivery and let it replace what it overtakes. Returns its id.

    `facts`: the payload an event is bound to, None on a state-carrying route.
    """
    lane = route.lane(council, person, referral)
    lanes.ensure(connection, lane, council, route.target)
    overtaken = _overtaken(connection, referral, route) if route.carries == "state" else []
    for row in overtaken:
        _set(
            connection,
            row.id,
            DeliveryState(row.state),
            DeliveryState.REPLACED,
            now,
            reason="a newer version",
            due=None,
        )
    made: int = connection.execute(
        insert(delivery)
        .values(
            key=new_id(),
            council=council,
            referral_id=referral,
            route=route.name,
            connection=route.target,
            kind=route.kind,
            carries=route.carries,
            revision=revision,
            facts=facts,
            version_id=version,
            lane=lane,
            urgent=urgent,
            state=DeliveryState.WAITING,
            due=now,
            at=now,
            changed_at=now,
        )
        .returning(delivery.c.id)
    ).scalar_one()
    if overtaken:
        connection.execute(
            update(delivery).where(delivery.c.id.in_([row.id for row in overtaken])).values(replaced_by=made)
        )
    lanes.refresh(connection, lane)
    return made


def move(
    connection: Connection,
    row: Row[Any],
    new: DeliveryState,
    now: int,
    *,
    reason: str = "",
    due: int | None = None,
    **values: Any,
) -> None:
    """Move a delivery on. Raises Moved if it is no longer in the state that `row` shows, IllegalMove if there is no
    arrow.

    A state-carrying delivery that would wait or need attention while a newer one waits already ends as replaced.
    """
    if new in (DeliveryState.WAITING, DeliveryState.ATTENTION) and row.carries == "state":
        newer = connection.execute(
            select(delivery.c.id).where(
                delivery.c.referral_id == row.referral_id,
                delivery.c.connection == row.connection,
                delivery.c.kind == row.kind,
                delivery.c.carries == "state",
                delivery.c.state == DeliveryState.WAITING,
                delivery.c.id > row.id,
            )
        ).scalar()
        if newer is not None:
            new, reason, due = DeliveryState.REPLACED, "a newer version", None
            values = {**values, "replaced_by": newer}
    _set(connection, row.id, DeliveryState(row.state), new, now, reason=reason, due=due, **values)
    lanes.refresh(connection, row.lane)


def _overtaken(connection: Connection, referral: str, route: Route) -> list[Row[Any]]:
    rows = connection.execute(
        select(delivery.c.id, delivery.c.state).where(
            delivery.c.referral_id == referral,
            delivery.c.connection == route.target,
            delivery.c.kind == route.kind,
            delivery.c.carries == "state",
            delivery.c.state.in_([DeliveryState.WAITING, DeliveryState.ATTENTION]),
        )
    )
    return [*rows]


def _set(
    connection: Connection,
    id: int,
    old: DeliveryState,
    new: DeliveryState,
    now: int,
    *,
    reason: str,
    due: int | None,
    **values: Any,
) -> None:
    check_move(old, new)
    done = connection.execute(
        update(delivery)
        .where(delivery.c.id == id, delivery.c.state == old)
        .values(state=new, reason=reason, due=due, changed_at=now, **values)
    )
    if done.rowcount != 1:
        raise Moved(f"delivery d{id} is no longer {old.value}")
