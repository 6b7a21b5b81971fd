"""Finding a referral by when it was shown: by source, hour and team, for whoever knows no reference.

Payloads are encrypted and names cannot be searched. What a source showed in one hour is read from the versions' ids,
which grow with time; the team is read from the sealed facts of these few alone.
"""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from pipelines import facts as fact_store
from pipelines.clock import SECOND
from pipelines.keystore import KeyFault
from pipelines.looking import sees_version
from pipelines.plant import Plant
from pipelines.tables import referral, version
from pipelines.vault import PayloadGone

#: Versions of one hour that are looked through, and referrals that are told.
MOST_VERSIONS, MOST_TOLD = 2_000, 20
HOUR = 3_600 * SECOND
_TEAM = "assigned_to.team"


def shown_in(plant: Plant, council: str, connection: str, begins: int, team: str = "") -> tuple[list[str], bool]:
    """The referrals (their ids) that a source showed first or again in the hour that begins then, of a team if one is
    named; and whether there were more than can be told. A referral whose team cannot be read is told all the same."""
    with plant.ledger.reading() as ledger:
        first, last = _first_at(ledger, begins), _first_at(ledger, begins + HOUR)
        ids = ledger.execute(
            select(version.c.referral_id, func.max(version.c.id))
            .where(version.c.id >= first, version.c.id < min(last, first + MOST_VERSIONS))
            # As expressions: a planner would rather take the index of all that this connection ever showed.
            .where(version.c.council.concat("") == council, version.c.connection.concat("") == connection)
            .where(version.c.referral_id.is_not(None), sees_version(plant))
            .group_by(version.c.referral_id)
            .order_by(func.max(version.c.id))
        ).all()
        found = [str(id) for id, _ in ids if not team or _is_of(ledger, plant, council, str(id), team)]
    return found[:MOST_TOLD], len(found) > MOST_TOLD or last - first > MOST_VERSIONS


def _first_at(ledger: Connection, at: int) -> int:
    """The first version that was shown at or after a moment, found by halves."""
    low = 1
    high = int(ledger.execute(select(func.max(version.c.id))).scalar() or 0) + 1
    while low < high:
        middle = (low + high) // 2
        row = ledger.execute(
            select(version.c.id, version.c.at).where(version.c.id >= middle).order_by(version.c.id).limit(1)
        ).first()
        if row is None or row.at >= at:
            high = middle
        else:
            low = row.id + 1
    return low


def _is_of(ledger: Connection, plant: Plant, council: str, id: str, team: str) -> bool:
    row = ledger.execute(select(referral.c.facts).where(referral.c.id == id)).one()
    try:
        facts = fact_store.plain(fact_store.load(ledger, plant.vault, council, row.facts))
    except (PayloadGone, KeyFault):
        return True
    return str(facts.get(_TEAM) or "").casefold() == team.casefold()
