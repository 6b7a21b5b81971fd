"""Deliveries: how they are made, replaced and moved. Every change of a delivery's state happens here.

All of it works on rows that a unit of work holds; `Batch.flush` writes them, and the ledger's own triggers refuse a
move that `pipelines.states` does not draw.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.batch import Batch
from pipelines.routing import Route, is_urgent
from pipelines.rows import Held
from pipelines.states import DeliveryState, check_move

#: What a newer delivery of the same referral to the same target takes the place of.
_OVERTAKEN = (DeliveryState.WAITING, DeliveryState.ATTENTION)
#: What a newer delivery waits behind.
_UNDER_WAY = (DeliveryState.SENDING, DeliveryState.NOT_SURE)


def make(
    batch: Batch,
    route: Route,
    row: Held,
    *,
    plain: Mapping[str, Any],
    version: Held | None,
    recipient: str = "",
    words: str = "",
) -> Held:
    """Make one delivery of referral `row` and let it replace what it overtakes. `plain`: the referral's facts.
    `recipient`, `words`: of a text, for whom and from which texts file on.

    The referral's deliveries in hand must have been fetched.
    """
    lane, urgent = route.lane(batch.council.code, row.person_id, row.id), is_urgent(plain)
    state_carrying = route.carries == "state"
    in_hand = _of(batch, row.id, route.target, route.kind)
    overtaken = [one for one in in_hand if one.state in _OVERTAKEN]
    if state_carrying:
        # Behind the one that is under way, even if the referral has come to another person, and lane, since.
        lane = next((one.lane for one in in_hand if one.state in _UNDER_WAY), lane)
    made = batch.new_delivery(
        referral_id=row.id,
        route=route.name,
        connection=route.target,
        kind=route.kind,
        carries=route.carries,
        revision=row.revision,
        facts=None if state_carrying else batch.sealed_facts(row),
        version_id=version,
        recipient=recipient,
        words=words,
        lane=lane,
        urgent=urgent,
        live=version is None or version.purpose == "live",
        state=DeliveryState.WAITING,
    )
    if state_carrying:
        for one in overtaken:
            _set(batch, one, DeliveryState.REPLACED, reason="a newer version", due=None, replaced_by=made)
            _not_before(made, one.unsettled)
            made.set(live=made.live or one.live)  # what live work waited for does not go behind a back-fill
    batch.wake(lane, route.target, made.due, urgent=urgent, live=made.live)
    return made


def _not_before(row: Held, unsettled: int | None) -> None:
    """What takes the place of a call without an answer waits until that call can no longer land behind it."""
    if unsettled is not None and unsettled > (row.unsettled or 0):
        row.set(unsettled=unsettled, due=max(row.due or 0, unsettled))


def move(
    batch: Batch, row: Held, new: DeliveryState, *, reason: str = "", due: int | None = None, **values: Any
) -> DeliveryState:
    """Move a delivery on and return the state that it came to. Raises IllegalMove if there is no arrow.

    A state-carrying delivery that would wait or need attention while a newer one waits already ends as replaced. The
    deliveries in hand of its referral must have been fetched.
    """
    if new in _OVERTAKEN and row.carries == "state":
        for newer in _of(batch, row.referral_id, row.connection, row.kind):
            if newer is not row and newer.state == DeliveryState.WAITING and (newer.id is None or newer.id > row.id):
                _set(
                    batch,
                    row,
                    DeliveryState.REPLACED,
                    reason="a newer version",
                    due=None,
                    **{**values, "replaced_by": newer},
                )
                _not_before(newer, row.unsettled)
                batch.wake(row.lane, row.connection, newer.due, urgent=newer.urgent, live=newer.live)
                return DeliveryState.REPLACED
    _set(batch, row, new, reason=reason, due=due, **values)
    if due is not None and new is not DeliveryState.SENDING:
        batch.wake(row.lane, row.connection, due, urgent=row.urgent, live=row.live)
    return new


def _of(batch: Batch, referral: str, target: str, kind: str) -> list[Held]:
    return [
        one
        for one in batch.deliveries_of(referral)
        if one.carries == "state" and one.connection == target and one.kind == kind
    ]


def _set(batch: Batch, row: Held, new: DeliveryState, *, reason: str, due: int | None, **values: Any) -> None:
    old = DeliveryState(row.state)
    check_move(old, new)
    row.set(state=new, reason=reason, due=due, looking=False, changed_at=batch.now, **values)
