"""Finding what an officer names: deliveries and versions by id, referrals by any reference.

Everything here only reads. An id that does not exist, or belongs to a council that this site does not have, is one
sentence.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, func, select

from pipelines.ids import number_of
from pipelines.plant import Council, Plant
from pipelines.tables import delivery, record, referral, version


class NotPossible(RuntimeError):
    """What was asked for cannot be done. The message says why and what can be done instead."""


def find_referral(plant: Plant, reference: str) -> list[Row[Any]]:
    """Find referrals by any reference: our id, the resident's reference, or the number in any system."""
    text = reference.strip()
    with plant.ledger.reading() as connection:
        wanted = list(plant.councils)
        rows = list(
            connection.execute(
                select(referral).where(
                    referral.c.council.in_(wanted),
                    (referral.c.id == text) | (func.upper(referral.c.citizen_reference) == text.upper()),
                )
            ).all()
        )
        if not rows:
            rows = list(
                connection.execute(
                    select(referral).where(
                        referral.c.id.in_(
                            select(record.c.referral_id).where(
                                record.c.external_id == text, record.c.council.in_(wanted)
                            )
                        )
                    )
                ).all()
            )
        number = number_of(text, "d") if text.lower().startswith("d") else None
        if not rows and number is not None:
            rows = list(
                connection.execute(
                    select(referral)
                    .join(delivery, delivery.c.referral_id == referral.c.id)
                    .where(delivery.c.id == number, delivery.c.council.in_(wanted))
                ).all()
            )
    return rows


def delivery_of(plant: Plant, id: str) -> Row[Any]:
    number = number_of(id, "d")
    with plant.ledger.reading() as connection:
        row = (
            connection.execute(select(delivery).where(delivery.c.id == number)).first() if number is not None else None
        )
    if row is None or row.council not in plant.councils:
        raise NotPossible(f"there is no delivery {id}; ids look like d12 (see `dolen attention` and `dolen trace`)")
    return row


def version_of(plant: Plant, id: str) -> Row[Any]:
    number = number_of(id, "v")
    with plant.ledger.reading() as connection:
        row = connection.execute(select(version).where(version.c.id == number)).first() if number is not None else None
    if row is None or row.council not in plant.councils:
        raise NotPossible(f"there is no version {id}; ids look like v7 (see `dolen attention` and `dolen trace`)")
    return row


def council_of(plant: Plant, code: str) -> Council:
    try:
        return plant.councils[code]
    except KeyError:
        raise NotPossible(f"the site has no council {code} now; see `dolen check`") from None
