"""Finding what an officer names: deliveries and versions by id, referrals by any reference.

Everything here only reads. An id that does not exist, or belongs to a council that this site does not have, is one
sentence.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, TextClause, and_, func, or_, select, true, union_all

from pipelines.ids import number_of
from pipelines.plant import Council, Plant
from pipelines.ready import in_parts
from pipelines.sight import NoSuch, NotPossible
from pipelines.tables import delivery, record, referral, version

#: Referrals that one reference may lead to.
MOST_FOUND = 20
#: Records and referrals of one number that are looked at, seen or not.
_MOST_NAMED = 500

__all__ = [
    "MOST_FOUND",
    "NotPossible",
    "council_of",
    "delivery_of",
    "find_referral",
    "record_at",
    "referral_of",
    "seen_of",
    "sees_one_of_many",
    "sees_version",
    "version_of",
]


def find_referral(plant: Plant, reference: str) -> list[Row[Any]]:
    """Find referrals by any reference: our id, the resident's reference, or the number in any system."""
    text = reference.strip()
    number = number_of(text, "d") if text[:1].lower() == "d" else None
    codes = list(plant.councils)
    # One after the other, and the ids first: each is found by an index of its own, where a planner that is asked for
    # all in one goes through the referrals in their order until it has met so many.
    looks = [
        select(referral.c.id).where(referral.c.id == text),
        select(referral.c.id).where(referral.c.council.in_(codes), referral.c.citizen_reference == text.upper()),
        select(record.c.referral_id).where(record.c.external_id == text, record.c.council.in_(codes)),
    ]
    if number is not None:
        looks.append(select(delivery.c.referral_id).where(delivery.c.id == number))
    seen = select(referral).where(referral.c.council.in_(codes), plant.sight.of(referral.c.id))
    with plant.ledger.reading() as connection:
        for look in looks:
            named = sorted({id for id in connection.execute(look.limit(_MOST_NAMED)).scalars() if id is not None})
            if not named:
                continue
            rows = connection.execute(seen.where(referral.c.id.in_(named)).order_by(referral.c.id)).all()
            if rows:
                return list(rows[:MOST_FOUND])
    return []


def delivery_of(plant: Plant, id: str) -> Row[Any]:
    number = number_of(id, "d")
    with plant.ledger.reading() as connection:
        wanted = select(delivery).where(delivery.c.id == number, plant.sight.of(delivery.c.referral_id))
        row = connection.execute(wanted).first() if number is not None else None
    if row is None or row.council not in plant.councils:
        raise NoSuch(f"there is no delivery {id}; ids look like d12 (see `dolen attention` and `dolen trace`)")
    return row


def version_of(plant: Plant, id: str) -> Row[Any]:
    number = number_of(id, "v")
    with plant.ledger.reading() as connection:
        wanted = select(version).where(version.c.id == number, sees_version(plant))
        row = connection.execute(wanted).first() if number is not None else None
    if row is None or row.council not in plant.councils:
        raise NoSuch(f"there is no version {id}; ids look like v7 (see `dolen attention` and `dolen trace`)")
    return row


def referral_of(plant: Plant, row: Row[Any]) -> str | None:
    """The referral that a version belongs to, by itself or by its record; None while it belongs to none."""
    if row.referral_id is not None:
        return str(row.referral_id)
    by_key = and_(*(record.c[name] == getattr(row, name) for name in ("council", "connection", "kind", "external_id")))
    wanted = by_key if row.record_id is None else record.c.id == row.record_id
    with plant.ledger.reading() as connection:
        return connection.execute(select(record.c.referral_id).where(wanted)).scalar()


def record_at(connection: Connection, row: Any) -> Row[Any] | None:
    """The record that the target of a delivery holds of its referral; None if it is not known to hold one.

    Asked for by the referral alone, whose records are few: a planner without statistics takes council, connection and
    kind for the narrower way, and that is through every record of the connection.
    """
    held = connection.execute(select(record).where(record.c.referral_id == row.referral_id).order_by(record.c.id))
    place = (row.council, row.connection, row.kind)
    return next((one for one in held if (one.council, one.connection, one.kind) == place), None)


def sees_version(plant: Plant) -> ColumnElement[bool]:
    """The condition that a version may be seen: by its referral, and by that of the record it is a version of."""
    if plant.sight.is_whole:
        return true()
    hidden = select(record.c.id).join(referral, referral.c.id == record.c.referral_id).where(plant.sight.hides())
    by_number = hidden.where(  # what could not be read names its record by its number alone
        *(record.c[name] == version.c[name] for name in ("council", "connection", "kind", "external_id"))
    )
    return and_(
        plant.sight.of(version.c.referral_id),
        or_(version.c.record_id.is_(None), version.c.record_id.not_in(hidden)),
        or_(version.c.record_id.is_not(None), ~by_number.exists()),
    )


def sees_one_of_many(plant: Plant, open_work: TextClause) -> ColumnElement[bool]:
    """The same condition for a count of very many, of which `open_work` holds: what is hidden is found first, from the
    few referrals that are kept from these eyes, and no version is looked at but by its id."""
    if plant.sight.is_whole:
        return true()
    kept = select(referral.c.id).where(plant.sight.hides())
    theirs = select(record).where(record.c.referral_id.in_(kept)).subquery()
    by_number = and_(*(theirs.c[name] == version.c[name] for name in ("council", "connection", "kind", "external_id")))
    nameless = func.coalesce(version.c.record_id, 0) == 0
    hidden = union_all(
        select(version.c.id).where(version.c.referral_id.in_(kept), open_work).correlate(None),
        select(version.c.id).where(version.c.record_id.in_(select(theirs.c.id)), open_work).correlate(None),
        # As an expression: a planner would rather go through all versions that name no record.
        select(version.c.id).join(theirs, by_number).where(nameless, open_work).correlate(None),
    )
    return version.c.id.not_in(hidden)


def seen_of(plant: Plant, ids: Collection[str]) -> set[str]:
    """Of deliveries and versions (d12, v7), those that this officer may see."""
    if plant.sight.is_whole:
        return set(ids)
    seen: set[str] = set()
    with plant.ledger.reading() as connection:
        for letter, table, condition in (
            ("d", delivery, plant.sight.of(delivery.c.referral_id)),
            ("v", version, sees_version(plant)),
        ):
            numbers = [number_of(id, letter) or 0 for id in ids if id.startswith(letter)]
            for some in in_parts(numbers):
                rows = connection.execute(select(table.c.id).where(table.c.id.in_(some), condition)).scalars()
                seen.update(f"{letter}{number}" for number in rows)
    return seen


def council_of(plant: Plant, code: str) -> Council:
    try:
        return plant.councils[code]
    except KeyError:
        raise NotPossible(f"the site has no council {code} now; see `dolen check`") from None
