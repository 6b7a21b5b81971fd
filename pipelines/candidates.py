"""Candidates: which referrals a record may belong to, where its exact identifiers name several and a person chooses.

Found anew each time with the mapping and the ledger as they are now, by the rules of `pipelines.matching`; nothing is
written, and no value of a record comes out. What a person then says is carried out by `pipelines.deciding`.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from connectors.port import PROVISIONAL
from pipelines import matching
from pipelines.batch import Batch
from pipelines.intake import Intake
from pipelines.looking import council_of, version_of
from pipelines.plant import Plant
from pipelines.tables import record

#: Numbers that are named of one referral.
_MOST = 20


@dataclass(frozen=True, slots=True)
class Candidate:
    """One referral that a record may belong to, by numbers alone."""

    referral: str
    born_in: str  # the connection that showed it first
    at: int  # when that was, as the ledger counts
    numbers: tuple[tuple[str, str], ...]  # (connection, number there)
    held: str  # the number of another record of the same kind that the record's system holds of it, "" for none


@dataclass(frozen=True, slots=True)
class Candidates:
    """The referrals that a record may belong to: those that may be seen, and how many others there are."""

    seen: tuple[Candidate, ...] = ()
    hidden: int = 0


def candidates(plant: Plant, id: str) -> Candidates:
    """The candidates of a version that waits for a person, the oldest first. Raises NotPossible."""
    row = version_of(plant, id)
    council = council_of(plant, row.council)
    read = Intake(plant, council).read_again(row.id)
    if read is None:
        return Candidates()
    wired, kind, one = read
    with plant.ledger.reading() as connection:
        batch = Batch(connection, plant.vault, council, plant.clock.now(), locking=False)
        batch.fetch_records(wired.name, kind.name, [row.external_id])
        held = batch.record(wired.name, kind.name, row.external_id)
        matching.fetch(batch, wired, kind, [(held, one.our_key, one.shown)], [one.about] if one.about else [])
        if one.about is not None:
            found = matching.answers(batch, wired, one.about)
        else:
            found = matching.named(batch, wired, kind, our_key=one.our_key, shown=one.shown)
        ids = [key for key in found if plant.sight.sees(connection, key)]
        numbers = connection.execute(
            select(record.c.referral_id, record.c.connection, record.c.kind, record.c.external_id)
            .where(
                record.c.council == council.code,
                record.c.referral_id.in_(ids),
                record.c.external_id.not_like(f"{PROVISIONAL}%"),
            )
            .order_by(record.c.connection, record.c.id)
        ).all()
    seen = []
    for key in ids:
        here = [each for each in numbers if each.referral_id == key]
        others = [
            each.external_id
            for each in here
            if (each.connection, each.kind) == (wired.name, kind.name) and each.external_id != row.external_id
        ]
        shown = tuple((each.connection, each.external_id) for each in here[:_MOST])
        one_of = found[key]
        seen.append(Candidate(key, one_of.born_in, one_of.at, shown, others[0] if others else ""))
    seen.sort(key=lambda each: (each.at, each.numbers, each.referral))
    return Candidates(tuple(seen), len(found) - len(ids))
