"""Exact identifiers: which fields may say that two records are one request, and whom a person's number names.

A number that a system gave names one record. A number that a person has, such as an NHS number, names the person:
it says which request is meant only where that person has a single one that can be meant. A number that its own rules
refute names nobody. Never by likeness, and never across councils.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import select

from mappings.facts import Refused, assemble
from mappings.lifecycle import terminal
from pipelines import facts as fact_store
from pipelines import rows
from pipelines.batch import Batch
from pipelines.plant import Council, Kind, Wired
from pipelines.ready import Ask, given
from pipelines.rows import Held
from pipelines.tables import referral

#: Equal values of these mean the same person, within a council.
PERSON_IDENTIFIERS = ("person.nhs_number",)


def system_of(council: Council, path: str) -> str:
    """The connection whose number stands in a field, "" if it is no system's number."""
    for name in council.wired:
        if path in (fact_store.source_field(name), fact_store.target_field(name)):
            return name
    return ""


def is_usable(council: Council, path: str) -> bool:
    """Whether a field can identify a request at all: a connected system's number, or a person's exact identifier."""
    return bool(system_of(council, path)) or path in council.person_identifiers


def doubtful(council: Council, connection: str, number: str, shown: Mapping[str, Any]) -> frozenset[str] | Refused:
    """The fields that their own rules refute: a wrong check digit must not join two people."""
    given = {
        "referral_id": "new",
        "council": council.gss,
        "source_identifiers": [{"system": connection, "value": number}],
    }
    try:
        return frozenset(remark.path for remark in assemble(shown, given).remarks)
    except Refused as refused:
        return refused


_THEIRS = Ask(
    lambda among: select(referral.c.id, referral.c.person_id, referral.c.status).where(
        rows.beside(referral.c.council) == given("council", referral.c.council),
        among(referral.c.person_id),
        referral.c.merged_into.is_(None),
    )
)


def fetch(batch: Batch, kind: Kind, page: Collection[Mapping[str, Any]]) -> set[str]:
    """Find the open referrals of the persons whom these records name by an identifier that their kind is matched by.

    Returns their ids, for the caller to fetch with everything else. The persons' marks must have been fetched.
    """
    mine = [path for path in kind.match if path in batch.council.person_identifiers]
    named = {person for shown in page for path in mine if (person := _person(batch, path, shown)) is not None}
    if not named:
        return set()
    found = _THEIRS.rows(batch.connection, named, council=batch.council.code)
    is_open = [row for row in found if not (row["status"] and terminal(row["status"]))]
    theirs: dict[str, list[str]] = {person: [] for person in named}
    for row in is_open:
        theirs[row["person_id"]].append(row["id"])
    batch.named.open_referrals = theirs
    return {row["id"] for row in is_open}


def referrals_for(batch: Batch, wired: Wired, kind: Kind, path: str, shown: Mapping[str, Any]) -> list[Held]:
    """The open referrals that a record may belong to because it names their person, and of which its system holds no
    record yet. A doubtful number was never entered as anybody's (`matching.person_for`), so it matches nobody."""
    if path not in batch.council.person_identifiers:
        return []
    person = _person(batch, path, shown)
    ids = batch.named.open_referrals.get(person, ()) if person is not None else ()
    found = [row for id in ids if (row := batch.referral(id)) is not None]
    return [row for row in found if not batch.records_of(row.id, wired.name, kind.name)]


def _person(batch: Batch, path: str, shown: Mapping[str, Any]) -> str | None:
    if not shown.get(path):
        return None
    return batch.named.person_of(path, batch.vault.hash_value(batch.council.code, path, shown[path]))
