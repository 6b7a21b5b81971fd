"""One delivery or version, as an officer asks about it: its state, why, what was tried, what can be done.

It shows ids, states, field names and sentences of ours, never a value of a record.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from pipelines import attention, menders
from pipelines.looking import delivery_of, version_of
from pipelines.menders import Mender
from pipelines.plant import Plant
from pipelines.remedies import remedy_of
from pipelines.states import DeliveryState
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
    kind_of_remedy: str = ""  # see pipelines.remedies
    error: str = ""  # of its cause, as are those that follow
    step: str = ""
    field: str = ""
    code_list: str = ""
    sent: int = 0  # tries
    mender: Mender | None = None  # who can mend it


@dataclass(frozen=True, slots=True)
class Why:
    """Why something is as it is."""

    fingerprint: str = ""
    words: str = ""
    remedy: str = ""  # as the command line words it
    kind: str = ""
    error: str = ""
    step: str = ""
    field: str = ""
    code_list: str = ""
    mender: Mender | None = None


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
    why = _why(plant, row)
    return Shown(
        shown_id, row.council, row.connection, row.kind, number, route, row.referral_id or "", row.revision,
        str(row.state), reason, why.fingerprint, why.words, why.remedy, row.at, due, left_out, tries,
        str(row.mapping), bool(row.mapping) and shown_id.startswith("d"), why.kind, why.error, why.step, why.field,
        why.code_list, int(row.tries) if shown_id.startswith("d") else 0, why.mender,
    )  # fmt: skip


def _why(plant: Plant, row: Any) -> Why:
    if row.cause_id is None:
        return Why()
    with plant.ledger.reading() as connection:
        found = connection.execute(select(cause).where(cause.c.id == row.cause_id)).one()
    waits = row.state == DeliveryState.ATTENTION or (row.state == DeliveryState.NOT_SURE and row.due is None)
    words = attention.remedy(found.step, found.error, found.code_list, found.connection, found.field) if waits else ""
    kind = remedy_of(found.step, found.error, found.code_list) if waits else ""
    mender = menders.of_cause(
        plant.councils[row.council], found.connection, step=found.step, field=found.field, code_list=found.code_list
    )
    return Why(
        found.fingerprint, found.words, words, kind, found.error, found.step, found.field, found.code_list, mender
    )


def _tries(plant: Plant, id: int) -> tuple[Try, ...]:
    with plant.ledger.reading() as connection:
        rows = connection.execute(select(attempt).where(attempt.c.delivery_id == id).order_by(attempt.c.id)).all()
    return tuple(Try(row.begun, row.what, row.outcome or "under way", row.words, row.mapping) for row in rows)
