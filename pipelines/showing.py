"""One delivery or version, as an officer asks about it: its state, why, what was tried, what can be done.

It shows ids, states, field names and sentences of ours, never a value of a record.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from pipelines import desk, menders
from pipelines.looking import delivery_of, version_of
from pipelines.menders import Mender
from pipelines.plant import Plant
from pipelines.tables import attempt, cause


@dataclass(frozen=True, slots=True)
class Try:
    """One try of a delivery."""

    at: int
    what: str  # send, look up
    outcome: str
    words: str
    mapping: str = ""  # digest of what it was written with


@dataclass(frozen=True, slots=True)
class Shown:
    """What is known of one delivery (d12) or version (v7)."""

    id: str
    council: str
    connection: str
    kind: str
    number: str  # the record's number in the source, for a version
    route: str
    referral: str
    revision: int | None
    state: str
    reason: str
    cause: str  # fingerprint, "" if nothing is wrong
    words: str
    remedy: str
    at: int
    due: int | None
    left_out: tuple[str, ...] = ()
    tries: tuple[Try, ...] = ()
    mapping: str = ""  # digest: what a version was read with, what a person chose for a delivery
    chosen: bool = False  # by a person, for when it is sent again
    mender: Mender | None = None  # who can mend it


def show(plant: Plant, id: str) -> Shown:
    """Look one up. Raises NotPossible."""
    if id.strip().lower().startswith("v"):
        row = version_of(plant, id)
        number, route, reason, due = row.external_id, "", "", None
        left_out = tuple(str(gap[0]) for gap in row.gaps or ())
        tries: tuple[Try, ...] = ()
        shown_id = f"v{row.id}"
    else:
        row = delivery_of(plant, id)
        number, route, reason, due, left_out = "", row.route, row.reason, row.due, ()
        tries = _tries(plant, row.id)
        shown_id = f"d{row.id}"
    fingerprint, words, remedy, mender = _why(plant, row)
    return Shown(
        shown_id, row.council, row.connection, row.kind, number, route, row.referral_id or "", row.revision,
        str(row.state), reason, fingerprint, words, remedy, row.at, due, left_out, tries,
        str(row.mapping), bool(row.mapping) and shown_id.startswith("d"), mender,
    )  # fmt: skip


def _why(plant: Plant, row: Any) -> tuple[str, str, str, Mender | None]:
    if row.cause_id is None:
        return "", "", "", None
    with plant.ledger.reading() as connection:
        found = connection.execute(select(cause).where(cause.c.id == row.cause_id)).one()
    groups = desk.attention(plant, [row.council])
    remedy = next((group.remedy for group in groups if group.fingerprint == found.fingerprint), "")
    mender = menders.of_cause(
        plant.councils[row.council], found.connection, step=found.step, field=found.field, code_list=found.code_list
    )
    return found.fingerprint, found.words, remedy, mender


def _tries(plant: Plant, id: int) -> tuple[Try, ...]:
    with plant.ledger.reading() as connection:
        rows = connection.execute(select(attempt).where(attempt.c.delivery_id == id).order_by(attempt.c.id)).all()
    return tuple(Try(row.begun, row.what, row.outcome or "under way", row.words, row.mapping) for row in rows)
