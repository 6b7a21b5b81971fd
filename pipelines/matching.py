"""Matching: which referral an unknown record belongs to, and which person a new referral is about.

Rule R5 of docs/data-model.md: our key found in the record, then a declared exact identifier, otherwise new. Never by
likeness, never across councils. Several candidates are a person's to decide.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, insert, select

from pipelines import facts as fact_store
from pipelines import revisions
from pipelines.ids import new_id
from pipelines.ledger import insert_new
from pipelines.plant import Council, Kind, Wired
from pipelines.states import DeliveryState
from pipelines.tables import delivery, person, person_identifier, record
from pipelines.vault import Vault


class Several(Exception):
    """More than one candidate. `words` says of what, without a value."""

    def __init__(self, words: str, field: str) -> None:
        super().__init__(words)
        self.words = words
        self.field = field


def referral_for(
    connection: Connection,
    council: Council,
    wired: Wired,
    kind: Kind,
    *,
    external_id: str,
    our_key: str,
    shown: Mapping[str, Any],
) -> str | None:
    """Return the id of the referral that this record belongs to, None for a new one. Raises Several."""
    found: set[str] = set()
    if our_key:
        row = revisions.get(connection, council.code, our_key)
        if row is not None:
            found.add(row.id)
    if not found:
        for path in kind.match:
            if shown.get(path):
                found |= _by_number(connection, council, path, str(shown[path]))
            if found:
                break
    if len(found) > 1:
        raise Several("the record's identifiers belong to more than one referral", kind.match[0] if kind.match else "")
    if not found:
        return None
    id = found.pop()
    other = connection.execute(
        select(record.c.id).where(
            record.c.council == council.code,
            record.c.connection == wired.name,
            record.c.kind == kind.name,
            record.c.referral_id == id,
            record.c.external_id != external_id,
        )
    ).first()
    if other is not None:
        raise Several("this system holds another record of the same referral already", "target_identifiers")
    return id


def expect(
    connection: Connection, council: Council, wired: Wired, kind: Kind, shown: Mapping[str, Any], id: str, now: int
) -> None:
    """Enter the numbers that a record declares for other systems, so that theirs finds this referral when it comes.

    Whichever of two sources is read first, the crosswalk is the same. A number that is known already stays as it is.
    """
    for name, other in council.wired.items():
        if name == wired.name or len(other.kinds) != 1:
            continue
        [there] = other.kinds
        for path in kind.match:
            if path not in (fact_store.source_field(name), fact_store.target_field(name)) or not shown.get(path):
                continue
            place = {"council": council.code, "connection": name, "kind": there}
            if connection.execute(select(record.c.id).filter_by(**place, referral_id=id)).first() is None:
                fresh = {"external_id": str(shown[path]), "referral_id": id, "base": {}, "version": "", "at": now}
                insert_new(connection, record, [{**place, **fresh}])


def create_in_doubt(connection: Connection, council: str, target: str) -> bool:
    """Say whether a send to this target has no answer yet."""
    return (
        connection.execute(
            select(delivery.c.id)
            .where(
                delivery.c.council == council,
                delivery.c.connection == target,
                delivery.c.state.in_([DeliveryState.SENDING, DeliveryState.NOT_SURE]),
            )
            .limit(1)
        ).first()
        is not None
    )


def person_for(
    connection: Connection,
    vault: Vault,
    council: Council,
    facts: Mapping[str, Any],
    doubtful: Collection[str],
    now: int,
) -> str:
    """Return the person whom these facts name by a declared exact identifier, or a new one. Raises Several.

    `doubtful`: fields that their own rules refute, such as a number with a wrong check digit; they identify nobody.
    """
    marks = [
        (path, vault.hash_value(council.code, path, facts[path]))
        for path in council.person_identifiers
        if facts.get(path) and path not in doubtful
    ]
    found = {
        connection.execute(
            select(person_identifier.c.person_id).where(
                person_identifier.c.council == council.code,
                person_identifier.c.path == path,
                person_identifier.c.hash == mark,
            )
        ).scalar()
        for path, mark in marks
    } - {None}
    if len(found) > 1:
        raise Several("the person's identifiers belong to more than one person", marks[0][0])
    id = found.pop() if found else new_id()
    if not connection.execute(select(person.c.id).where(person.c.id == id)).first():
        connection.execute(insert(person).values(id=id, council=council.code, at=now))
    insert_new(
        connection,
        person_identifier,
        [{"council": council.code, "path": path, "hash": mark, "person_id": id} for path, mark in marks],
    )
    return str(id)


def _by_number(connection: Connection, council: Council, path: str, number: str) -> set[str]:
    """Find referrals by a number that another system gave them."""
    for name in council.wired:
        if path in (fact_store.source_field(name), fact_store.target_field(name)):
            rows = connection.execute(
                select(record.c.referral_id).where(
                    record.c.council == council.code,
                    record.c.connection == name,
                    record.c.external_id == number,
                    record.c.referral_id.is_not(None),
                )
            )
            return {row.referral_id for row in rows}
    return set()
