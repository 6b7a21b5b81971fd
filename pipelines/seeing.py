"""Handing an officer the plant as they may see it: their councils alone, under their own sight.

The plant that comes out shares everything with the one that went in and is good for one request or one command: what
was granted is looked up when it is made.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select

from pipelines.plant import Plant
from pipelines.rights import Officer, Right
from pipelines.sight import WORDS, NotAllowed, Sight
from pipelines.tables import sight_grant


def through(plant: Plant, officer: Officer, right: Right = Right.SEE, *, restricted_too: bool = False) -> Plant:
    """The plant through an officer's eyes: the councils for which they have a right. `restricted_too`: for a duty that
    holds for everybody alike, such as telling a person what is held about them."""
    councils = {code: one for code, one in plant.councils.items() if officer.may(right, code)}
    granted, taken = _granted(plant, officer, list(councils))
    sight = Sight(officer, granted, taken, restricted_too=restricted_too)
    return replace(plant, councils=councils, sight=sight, behind=plant.whole)


def through_or_refuse(
    plant: Plant, officer: Officer, right: Right = Right.SEE, *, restricted_too: bool = False
) -> Plant:
    """The same, where having the right for no council at all is refused. Raises NotAllowed."""
    seen = through(plant, officer, right, restricted_too=restricted_too)
    if not seen.councils:
        raise NotAllowed(f"{officer.who} may not do this: it takes {WORDS[right]}; see `access.roles` in dolen.yaml")
    return seen


def _granted(plant: Plant, officer: Officer, councils: list[str]) -> tuple[frozenset[str], frozenset[str]]:
    now = plant.clock.now()
    with plant.ledger.reading() as connection:
        rows = connection.execute(
            select(sight_grant.c.referral_id, sight_grant.c.how).where(
                sight_grant.c.whom == officer.key,
                sight_grant.c.council.in_(councils),
                sight_grant.c.until > now,
                sight_grant.c.ended.is_(None),
            )
        ).all()
    return frozenset(row.referral_id for row in rows), frozenset(row.referral_id for row in rows if row.how == "taken")
