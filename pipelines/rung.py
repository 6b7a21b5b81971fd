"""Rung: a person told somebody by telephone what no message was to tell, and says so. The delivery is settled by it."""

from __future__ import annotations

from pipelines import deliveries
from pipelines import facts as fact_store
from pipelines.acting import at, tell
from pipelines.jobs import TEXT_KIND
from pipelines.looking import NotPossible
from pipelines.plant import Plant
from pipelines.states import DeliveryState
from pipelines.telling import moments

CHANNEL = "telephone"
_OPEN = (DeliveryState.ATTENTION, DeliveryState.WAITING)


def rang(plant: Plant, id: str, *, who: str, why: str) -> str:
    """Note that somebody was rung; return it in a sentence. `why`: what the officer writes. Raises NotPossible."""
    with at(plant, id) as (batch, row):
        if row.kind != TEXT_KIND:
            raise NotPossible(f"{id} is no text: nobody need be rung about it")
        if row.state not in _OPEN:
            raise NotPossible(f"{id} is {row.state}: there is nobody to ring")
        referral = batch.referral(row.referral_id)
        assert referral is not None
        bound = batch.open_facts({row.facts} if row.facts else set()).get(row.facts)
        facts = fact_store.plain(bound) if bound is not None else {}
        deliveries.move(batch, row, DeliveryState.SETTLED, reason="told by telephone")
        batch.note(
            "news", delivery_id=row.id, council=row.council, connection=row.connection, referral_id=referral.id,
            route=row.route, recipient=row.recipient, words="", channel=CHANNEL, language="",
            status=str(facts.get("status") or ""), whom="", parts=0, at=batch.now, report="", **moments(facts),
        )  # fmt: skip
        tell(plant, batch, row, who=who, action="rang", why=why)
    return f"{id} is settled: told by telephone"
