"""Finding what an officer names: deliveries and versions by id, referrals by any reference; and previewing a send.

Everything here only reads. An id that does not exist, or belongs to a council that this site does not have, is one
sentence.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Row, func, select

from connectors.errors import ConnectorError
from pipelines import facts as fact_store
from pipelines import revisions
from pipelines.ids import number_of
from pipelines.plant import Council, Plant
from pipelines.tables import delivery, record, referral, version
from pipelines.texts import Message, judge
from pipelines.writing import draft_create, draft_update


class NotPossible(RuntimeError):
    """What was asked for cannot be done. The message says why and what can be done instead."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What sending a delivery now would do. Nothing is sent; the target is only read."""

    effect: str  # create, update, nothing, not sent, refuse
    words: str
    fields: tuple[tuple[str, Any], ...] = field(default=(), repr=False)  # (path in the target's record, value)
    held_back: tuple[str, ...] = ()


def preview(plant: Plant, id: str) -> Preview:
    """Say what the target would receive for a delivery and what it would do with it. Raises NotPossible."""
    row = delivery_of(plant, id)
    council = council_of(plant, row.council)
    wired, route = council.wired.get(row.connection), council.route(row.route)
    if wired is None or route is None:
        raise NotPossible(f"the site no longer has the route {row.route}")
    with plant.ledger.reading() as connection:
        found = revisions.get(connection, row.council, row.referral_id)
        assert found is not None
        now = fact_store.plain(fact_store.load(connection, plant.vault, row.council, found.facts))
        event = now
        if row.facts:
            event = fact_store.plain(fact_store.load(connection, plant.vault, row.council, row.facts))
        held = connection.execute(
            select(record).filter_by(
                council=row.council, connection=row.connection, kind=row.kind, referral_id=found.id
            )
        ).first()
    if route.text:
        message = judge(council.texts[route.text], route.recipient, event, now)
        if not isinstance(message, Message):
            return Preview("not sent", message)
        return Preview("create", f"a text, {message.language}", tuple(message.record.items()))
    kind = wired.kinds[row.kind]
    missed = route.misses(now)
    if missed:
        return Preview("not sent", f"condition of the route: {missed}")
    try:
        if held is None:
            draft, effect = draft_create(kind.mapping, now), "create"
        else:
            current = wired.connector.fetch(kind.name, held.external_id)
            if current is None:
                return Preview("refuse", f"{row.connection} no longer has number {held.external_id}")
            draft, effect = (
                draft_update(
                    kind.mapping,
                    now,
                    current,
                    held.base,
                    shows_changes=wired.polls,
                    whole=wired.connector.reads_first(kind.name),
                    hash_of=lambda name, value: plant.vault.hash_value(row.council, name, value),
                ),
                "update",
            )
    except ConnectorError as error:
        raise NotPossible(f"{row.connection} cannot be read now: {error.reason}") from None
    if draft.stopped:
        return Preview("refuse", str(draft.stopped[0]))
    if draft.record is None:
        return Preview("nothing", f"{row.connection} holds all of it already", held_back=tuple(draft.held_back))
    return Preview(effect, "", tuple(_flat(draft.record)), tuple(draft.held_back))


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
                    .where(delivery.c.id == number)
                ).all()
            )
    return rows


def _flat(value: Any, path: str = "") -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [pair for name, inner in value.items() for pair in _flat(inner, f"{path}/{name}" if path else name)]
    if isinstance(value, list) and any(isinstance(inner, dict) for inner in value):
        return [pair for at, inner in enumerate(value) for pair in _flat(inner, f"{path}[{at}]")]
    return [(path, orjson.dumps(value).decode() if isinstance(value, list) else value)]


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
