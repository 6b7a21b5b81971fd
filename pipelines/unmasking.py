"""Unmasking: the values of one referral, shown to a case-reader who says why.

What masks them is `pipelines.masking`. The audit keeps who looked, at which referral and why, before anything is shown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pipelines import audit
from pipelines import facts as fact_store
from pipelines.looking import find_referral
from pipelines.plant import Plant
from pipelines.rights import Right
from pipelines.sight import NoSuch, NotAllowed, NotPossible
from pipelines.vault import PayloadGone


@dataclass(frozen=True, slots=True)
class Unmasked:
    """One referral as it is, for whoever asked and for nobody else."""

    council: str
    referral: str
    revision: int
    facts: tuple[tuple[str, Any], ...] = field(repr=False)  # (field, value), in order


def unmask(plant: Plant, reference: str, *, why: str) -> Unmasked:
    """Show one referral's values to a case-reader. Raises NotPossible, NotAllowed."""
    found = find_referral(plant, reference)
    if not found:
        raise NoSuch("there is no referral of that reference; see `dolen trace`")
    if len(found) > 1:
        raise NotPossible("several referrals have that number; name one by our own id or the resident's reference")
    (row,) = found
    note(plant, row.council, f"referral {row.id}", why=why)
    try:
        with plant.ledger.reading() as connection:
            facts = fact_store.plain(fact_store.load(connection, plant.vault, row.council, row.facts))
    except PayloadGone:
        raise NotPossible("what was kept of this referral has expired or was erased") from None
    return Unmasked(row.council, row.id, row.revision, tuple(sorted(facts.items())))


def note(plant: Plant, council: str, subject: str, *, why: str) -> None:
    """Write down that somebody is about to be shown values; refuses who may not. Raises NotAllowed."""
    officer = plant.sight.officer
    if officer is None:
        raise NotAllowed("values are shown to an officer, and nobody is named here")
    plant.sight.need(Right.UNMASK, council)
    with plant.ledger.writing(making_room=True) as connection:
        audit.write(
            connection, plant.vault, council=council, who=officer.who, action="unmask", subject=subject, why=why,
            now=plant.clock.now(),
        )  # fmt: skip
