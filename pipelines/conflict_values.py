"""Both values of a conflict, for a case-reader who says why: the one that stands and the one that lost.

The ledger keeps the hash of what lost; the value itself is in the version that showed it, while that is kept. Who
looked, at what and why is in the audit before anything is shown (`pipelines.unmasking`).
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from dataclasses import field as member  # `Both.field` is a name of its own
from typing import Any

from sqlalchemy import select

from connectors.errors import ConnectorError
from connectors.port import Item
from pipelines import facts as fact_store
from pipelines import unmasking
from pipelines.plant import Plant
from pipelines.sight import NoSuch
from pipelines.tables import conflict, referral, version
from pipelines.vault import PayloadGone


@dataclass(frozen=True, slots=True)
class Both:
    """What stands and what lost."""

    field: str
    winner: str
    loser: str
    stands: Any = member(default=None, repr=False)
    lost: Any = member(default=None, repr=False)
    gone: bool = False  # what lost is kept no more, or was never a version of its own


def both(plant: Plant, id: int, *, why: str) -> Both:
    """Show both values of an open conflict. Raises NoSuch, NotAllowed."""
    with plant.ledger.reading() as connection:
        wanted = conflict.c.id == id, conflict.c.open.is_(True), plant.sight.of(conflict.c.referral_id)
        row = connection.execute(select(conflict).where(*wanted)).first()
    if row is None or row.council not in plant.councils:
        raise NoSuch(f"there is no open conflict c{id}")
    unmasking.note(plant, row.council, f"conflict c{id} of referral {row.referral_id}", why=why)
    stands: Any = None
    with plant.ledger.reading() as connection:
        held = connection.execute(select(referral.c.facts).where(referral.c.id == row.referral_id)).scalar_one()
        with contextlib.suppress(PayloadGone):  # then what lost is gone too, which is said
            stands = fact_store.plain(fact_store.load(connection, plant.vault, row.council, held)).get(row.field)
    found, lost = _lost(plant, row)
    return Both(row.field, row.winner, row.loser, stands, lost, not found)


def _lost(plant: Plant, row: Any) -> tuple[bool, Any]:
    """Whether the value that lost can still be read, and the value."""
    with plant.ledger.reading() as connection:
        one = connection.execute(select(version).where(version.c.id == row.version_id)).first()
        council = plant.councils[row.council]
        wired = council.wired.get(one.connection) if one is not None else None
        kind = wired.kinds.get(one.kind) if one is not None and wired is not None else None
        if one is None or wired is None or kind is None:
            return False, None
        try:
            raw = plant.vault.get(connection, row.council, one.raw)
            item = wired.connector.parse(kind.name, raw, id=one.external_id)
        except (PayloadGone, ConnectorError):
            return False, None
    if not isinstance(item, Item):
        return False, None
    facts = kind.mapping.read(item.record).facts
    return row.field in facts, facts.get(row.field)
