"""What the ledger knows of a source's record while two systems are compared: its referral, its number in the target,
and whether something of it is still on its way. Reads only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from connectors.port import Item, UnreadableItem
from pipelines import facts as fact_store
from pipelines import revisions
from pipelines.merge import Base
from pipelines.plant import Council, Plant
from pipelines.routing import Route
from pipelines.states import OPEN, DeliveryState, VersionState
from pipelines.tables import delivery, record, version, walk
from pipelines.vault import PayloadGone


@dataclass(frozen=True, slots=True)
class Linked:
    """What is known of one record of the source."""

    referral: str = ""
    content: str | None = None
    born_in: str = ""
    target: str = ""  # its number in the target
    base: Base = field(default_factory=dict)  # what was last known to be in the target
    merged: Mapping[str, Any] = field(default_factory=dict, repr=False)
    on_its_way: str = ""  # why it need not be there yet
    closed: str = ""  # who or what decided that it need not be there


class Crosswalk:
    """Looks up records of one route's source."""

    def __init__(self, plant: Plant, council: Council, route: Route) -> None:
        self._plant, self._council, self._route = plant, council, route
        self._watermarks: dict[str, datetime | None] = {}

    def of(self, kind: str, item: Item) -> Linked:
        """What the ledger knows of one record of the source."""
        with self._plant.ledger.reading() as connection:
            held = connection.execute(
                self._record(self._route.source, kind).where(record.c.external_id == item.id)
            ).first()
            waits = self._waits(connection, kind, item.id)
            if held is None or held.referral_id is None:
                return Linked(content=held.content if held else None, on_its_way=waits)
            referral = revisions.get(connection, self._council.code, held.referral_id)
            assert referral is not None
            there = connection.execute(
                self._record(self._route.target, self._route.kind).where(record.c.referral_id == referral.id)
            ).first()
            open_, closed = self._deliveries(connection, referral.id)
            return Linked(
                referral.id,
                held.content,
                referral.born_in,
                there.external_id if there else "",
                there.base if there else {},
                self._merged(connection, referral.facts),
                waits or open_,
                closed,
            )

    def unread(self, kind: str, item: Item, linked: Linked) -> str:
        """Say that the source's newest version is not read yet, unless its walk has gone past it already."""
        if linked.content == self._plant.vault.hash(self._council.code, item.raw):
            return ""
        watermark = self._watermark(kind)
        if watermark is not None and item.modified is not None and item.modified < watermark:
            return ""
        return "its newest version is not read yet"

    def waits(self, kind: str, item: UnreadableItem) -> str:
        """Why an unreadable record of the source is known to need attention, "" if it is not."""
        with self._plant.ledger.reading() as connection:
            if item.id:
                return self._waits(connection, kind, item.id)
            content = self._plant.vault.hash(self._council.code, item.raw)
            found = connection.execute(self._stopped(kind).where(version.c.content == content)).first()
            return f"v{found.id} {found.state}" if found else ""

    def number_of(self, key: str) -> str | None:
        """The number under which the target is known to hold the referral of this key; None for no referral of ours."""
        with self._plant.ledger.reading() as connection:
            referral = revisions.get(connection, self._council.code, key)
            if referral is None:
                return None
            there = connection.execute(
                self._record(self._route.target, self._route.kind).where(record.c.referral_id == referral.id)
            ).first()
            return there.external_id if there else ""

    def _record(self, connection: str, kind: str) -> Any:
        return select(record).filter_by(council=self._council.code, connection=connection, kind=kind)

    def _stopped(self, kind: str) -> Any:
        states = (VersionState.ATTENTION, VersionState.WAITING)
        return (
            select(version.c.id, version.c.state)
            .filter_by(council=self._council.code, connection=self._route.source, kind=kind)
            .where(version.c.state.in_(states))
        )

    def _waits(self, connection: Connection, kind: str, number: str) -> str:
        found = connection.execute(self._stopped(kind).where(version.c.external_id == number)).first()
        return f"v{found.id} {found.state}" if found else ""

    def _deliveries(self, connection: Connection, referral: str) -> tuple[str, str]:
        rows = connection.execute(
            select(delivery.c.id, delivery.c.state, delivery.c.reason)
            .filter_by(council=self._council.code, referral_id=referral, connection=self._route.target)
            .where(delivery.c.carries == "state")
            .order_by(delivery.c.id.desc())
        ).all()
        open_ = next((f"d{row.id} {row.state}" for row in rows if row.state in OPEN), "")
        done = (DeliveryState.CLOSED, DeliveryState.NOT_SENT, DeliveryState.EXPIRED, DeliveryState.ERASED)
        closed = f"d{rows[0].id} {rows[0].state} ({rows[0].reason})" if rows and rows[0].state in done else ""
        return open_, closed

    def _merged(self, connection: Connection, payload: str) -> Mapping[str, Any]:
        try:
            return fact_store.plain(fact_store.load(connection, self._plant.vault, self._council.code, payload))
        except PayloadGone:
            return {}

    def _watermark(self, kind: str) -> datetime | None:
        if kind not in self._watermarks:
            key = {"council": self._council.code, "connection": self._route.source, "kind": kind, "purpose": "live"}
            with self._plant.ledger.reading() as connection:
                found = connection.execute(select(walk.c.watermark).filter_by(**key)).scalar()
            try:
                moment = datetime.fromisoformat(found) if found else None
            except ValueError:  # a feed whose place is no moment
                moment = None
            self._watermarks[kind] = moment if moment and moment.tzinfo else None
        return self._watermarks[kind]
