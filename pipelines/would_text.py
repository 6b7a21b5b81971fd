"""Who would be texted if something were sent again: judged now, as at the moment of sending. Nothing is sent.

A text that stopped is judged afresh. A record that is read again makes new texts where it brings a new status. What
keeps state with a system makes none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, select

from connectors.errors import ConnectorError
from connectors.port import Item
from pipelines import facts as fact_store
from pipelines import placeholders, revisions
from pipelines.clock import to_instant
from pipelines.ids import number_of
from pipelines.looking import sees_version
from pipelines.plant import Council, Plant
from pipelines.tables import delivery, version
from pipelines.telling import judged
from pipelines.texts import Message, judge
from pipelines.vault import PayloadGone

#: Deliveries and versions that are looked at for one count, and of these those whose records are opened for it.
MOST_LOOKED_AT, MOST_OPENED = 200, 40


@dataclass(frozen=True, slots=True)
class Texted:
    """How many people would be texted. `looked_at` is how many of those asked about were opened."""

    people: int
    looked_at: int
    asked: int

    @property
    def at_least(self) -> bool:
        """There were more than could be opened."""
        return self.looked_at < self.asked


def would_be_texted(plant: Plant, ids: Sequence[str]) -> Texted:
    """Count the people who would be texted if these (d12, v7) were sent again now."""
    people: set[str] = set()
    looked_at = 0
    some = list(dict.fromkeys(ids))[:MOST_LOOKED_AT]
    with plant.ledger.reading() as connection:
        rows = {
            **_rows(connection, delivery, plant.sight.of(delivery.c.referral_id), "d", some),
            **_rows(connection, version, sees_version(plant), "v", some),
        }
        opened = 0
        for id in some:
            row = rows.get(id)
            council = plant.councils.get(row.council) if row is not None else None
            if row is not None and council is not None and _may_text(council, id, row):
                if opened == MOST_OPENED:
                    break
                opened += 1
                try:
                    look = _of_version if id.startswith("v") else _of_delivery
                    people |= look(connection, plant, council, row)
                except (PayloadGone, ConnectorError):
                    pass
            looked_at += 1
    return Texted(len(people), looked_at, len(set(ids)))


def _rows(connection: Connection, table: Table, seen: ColumnElement[bool], letter: str, ids: Sequence[str]) -> Any:
    numbers = [number_of(id, letter) or 0 for id in ids if id.startswith(letter)]
    found = connection.execute(select(table).where(table.c.id.in_(numbers), seen)) if numbers else ()
    return {f"{letter}{row.id}": row for row in found}


def _may_text(council: Council, id: str, row: Any) -> bool:
    """Whether a text could come of it at all, by the routes alone: only then is anything opened."""
    if id.startswith("v"):
        return any(route.text for route in council.routes_from(row.connection))
    route = council.route(row.route)
    return route is not None and bool(route.text)


@dataclass(frozen=True, slots=True)
class _Told:
    """A text that does not exist yet, as it would be judged."""

    referral_id: str
    recipient: str
    words: str = ""


def _of_delivery(connection: Connection, plant: Plant, council: Council, row: Any) -> set[str]:
    route = council.route(row.route)
    if route is None or not route.text:
        return set()
    found = revisions.get(connection, council.code, row.referral_id)
    if found is None:
        return set()
    now = fact_store.plain(fact_store.load(connection, plant.vault, council.code, found.facts))
    event = fact_store.plain(fact_store.load(connection, plant.vault, council.code, row.facts)) if row.facts else now
    told = judged(connection, plant, council, route, row, event, now)
    return {found.person_id} if isinstance(told, Message) else set()


def _of_version(connection: Connection, plant: Plant, council: Council, row: Any) -> set[str]:
    wired = council.wired.get(row.connection)
    kind = wired.kinds.get(row.kind) if wired is not None else None
    if wired is None or kind is None or not row.external_id:
        return set()
    item = wired.connector.parse(kind.name, plant.vault.get(connection, council.code, row.raw), id=row.external_id)
    if not isinstance(item, Item):
        return set()
    reading = kind.mapping.read(item.record)
    if reading.stopped:
        return set()
    found = revisions.get(connection, council.code, row.referral_id) if row.referral_id else None
    now: Mapping[str, Any] = {}
    if found is not None:
        now = fact_store.plain(fact_store.load(connection, plant.vault, council.code, found.facts))
    after = {**now, **reading.facts}
    if after.get("status") == now.get("status"):
        return set()
    texts = [route for route in council.routes_from(row.connection) if route.text and not route.misses(after)]
    if found is None:
        # Nothing is known of whoever it is about but what the record says.
        values = placeholders.values_of(
            after, status=str(after.get("status")), names=council.name, phone=council.phone, zone=council.zone,
            now=to_instant(plant.clock.now()),
        )  # fmt: skip
        told = [judge(route.recipients, council.texts, after, after, values=values) for route in texts]
        return {f"{row.connection}/{row.external_id}"} if any(isinstance(one, Message) for one in told) else set()
    told = [
        judged(connection, plant, council, route, _Told(found.id, who), after, after)
        for route in texts
        for who in route.audiences
    ]
    return {found.person_id} if any(isinstance(one, Message) for one in told) else set()
