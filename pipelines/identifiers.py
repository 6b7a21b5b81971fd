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
from pipelines.batch import Batch
from pipelines.plant import Council, Kind, Wired
from pipelines.rows import Held
from pipelines.tables import referral


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


def fetch(batch: Batch, kind: Kind, page: Collection[Mapping[str, Any]]) -> set[str]:
    """The open referrals of the persons whom these records name by an identifier that their kind is matched by.

    The ids are for the caller to fetch with everything else. The persons' marks must have been fetched.
    """
    named = {person for shown in page for person in _persons(batch, kind, shown, ())}
    if not named:
        return set()
    found = batch.connection.execute(
        select(referral.c.id, referral.c.status).where(
            referral.c.council == batch.council.code,
            referral.c.person_id.in_(sorted(named)),
            referral.c.merged_into.is_(None),
        )
    )
    return {row.id for row in found if not (row.status and terminal(row.status))}


def referrals_for(
    batch: Batch, wired: Wired, kind: Kind, shown: Mapping[str, Any], unsure: Collection[str], about: Collection[str]
) -> list[Held]:
    """The open referrals that a record may belong to because it names their person, and of which its system holds no
    record yet. `unsure`: fields that are doubtful. `about`: what `fetch` returned for the page."""
    persons = _persons(batch, kind, shown, unsure)
    found = []
    for id in sorted(about):
        row = batch.referral(id)
        if row is not None and row.person_id in persons and not batch.records_of(row.id, wired.name, kind.name):
            found.append(row)
    return found


def _persons(batch: Batch, kind: Kind, shown: Mapping[str, Any], unsure: Collection[str]) -> set[str]:
    code = batch.council.code
    marks = {
        (path, batch.vault.hash_value(code, path, shown[path]))
        for path in kind.match
        if path in batch.council.person_identifiers and shown.get(path) and path not in unsure
    }
    return {person for path, mark in marks if (person := batch.named.person_of(path, mark)) is not None}
