"""One person of one council, as an officer names them: by a reference of ours or of a system, or by an identifier.

An identifier is compared by its keyed hash and is never part of an argument, a log or an error.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from pipelines.identifiers import PERSON_IDENTIFIERS
from pipelines.looking import NotPossible, find_referral
from pipelines.plant import Plant
from pipelines.tables import attempt, delivery, payload, person_identifier, record, referral, version


@dataclass(frozen=True, slots=True)
class Person:
    """A person, and the referrals that are about them."""

    council: str
    id: str
    referrals: tuple[str, ...]


def by_reference(plant: Plant, reference: str, councils: Collection[str] = ()) -> Person:
    """The person of the referral that a reference names. Raises NotPossible."""
    found = [row for row in find_referral(plant, reference) if not councils or row.council in councils]
    return _one(plant, {(row.council, row.person_id) for row in found}, "that reference")


def by_identifier(plant: Plant, identifier: str, councils: Collection[str] = ()) -> Person:
    """The person whom an exact identifier names, such as an NHS number. Raises NotPossible, and never shows it."""
    text = identifier.strip()
    whose: set[tuple[str, str]] = set()
    with plant.ledger.reading() as connection:
        for code in councils or plant.councils:
            for value in {text, "".join(text.split())}:
                for path in PERSON_IDENTIFIERS:
                    mark = plant.vault.hash_value(code, path, value)
                    named = select(person_identifier.c.person_id).filter_by(council=code, path=path, hash=mark)
                    whose |= {(code, id) for id in connection.execute(named).scalars()}
    return _one(plant, whose, "that identifier")


def of_id(connection: Connection, council: str, id: str) -> Person:
    """A person by the id that a certificate names; without referrals where the ledger knows none."""
    theirs = select(referral.c.id).where(referral.c.person_id == id, referral.c.council == council)
    return Person(council, id, tuple(connection.execute(theirs.order_by(referral.c.id)).scalars()))


def sealed(connection: Connection, person: Person) -> dict[str, Row[Any]]:
    """Every payload about the person that still holds something, by its id."""
    ids = list(person.referrals)
    found: set[str] = set()
    tries = select(attempt.c.request, attempt.c.reply).join(delivery, delivery.c.id == attempt.c.delivery_id)
    found |= {id for row in connection.execute(tries.where(delivery.c.referral_id.in_(ids))) for id in row if id}
    for column, where in (
        (version.c.raw, version.c.id.in_(versions_of(person))),
        (delivery.c.facts, delivery.c.referral_id.in_(ids)),
        (referral.c.facts, referral.c.id.in_(ids)),
    ):
        found |= {id for id in connection.execute(select(column).where(where)).scalars() if id}
    held = payload.c.council == person.council, payload.c.body.is_not(None)
    rows = list(connection.execute(select(payload).where(payload.c.id.in_(sorted(found)), *held)))
    rows += connection.execute(select(payload).where(payload.c.person_id == person.id, *held)).all()
    return {row.id: row for row in rows}


def versions_of(person: Person) -> Any:
    """The ids of the versions of the person's records, whatever came of them, as a statement."""
    ids = list(person.referrals)
    records = select(record.c.id).where(record.c.referral_id.in_(ids))
    return select(version.c.id).where(version.c.referral_id.in_(ids)).union(
        select(version.c.id).where(version.c.record_id.in_(records))
    )  # fmt: skip


def subjects(connection: Connection, person: Person) -> list[str]:
    """By what the audit names the person and everything that is about them."""
    deliveries = select(delivery.c.id).where(delivery.c.referral_id.in_(person.referrals))
    found = [f"d{id}" for id in connection.execute(deliveries).scalars()]
    found += [f"v{id}" for id in connection.execute(versions_of(person)).scalars()]
    return [*found, f"person {person.id}", *(f"referral {id}" for id in person.referrals), *person.referrals]


def _one(plant: Plant, whose: Iterable[tuple[str, str]], said: str) -> Person:
    found = sorted(set(whose))
    if not found:
        raise NotPossible(f"nobody is known by {said} here")
    if len(found) > 1:
        codes = ", ".join(sorted({code for code, _ in found}))
        raise NotPossible(f"{said} names {len(found)} people ({codes}): name the council with --council")
    ((code, id),) = found
    with plant.ledger.reading() as connection:
        return of_id(connection, code, id)
