"""How many referrals a rule of data protection holds back or will let expire, for screens that show it.

What restricts is `pipelines.restricting`, what lets expire `pipelines.unattended`.
"""

from __future__ import annotations

from sqlalchemy import func, select

from pipelines.plant import Plant
from pipelines.tables import forewarning, referral


def coming(plant: Plant) -> dict[str, int]:
    """By council: how many referrals will expire unattended, as people are told."""
    with plant.ledger.reading() as connection:
        found = connection.execute(select(forewarning.c.council, func.count()).group_by(forewarning.c.council)).all()
    return {row[0]: int(row[1]) for row in found if row[0] in plant.councils}


def restricted(plant: Plant) -> dict[str, int]:
    """By council: how many referrals are restricted by a person's word. Of the councils that whoever asks may see."""
    wanted = select(referral.c.council, func.count()).where(referral.c.stopped.is_not(None))
    with plant.ledger.reading() as connection:
        found = connection.execute(wanted.group_by(referral.c.council)).all()
    return {row[0]: int(row[1]) for row in found if row[0] in plant.councils}
