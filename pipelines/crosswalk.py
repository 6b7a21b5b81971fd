"""What the ledger knows of a source's records while two systems are compared: their referrals, their numbers in the
target, and whether something of them is still on its way. Reads only, and for a whole page at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from connectors.port import Item, UnreadableItem
from pipelines import facts as fact_store
from pipelines import ready, revisions
from pipelines.clock import to_time
from pipelines.merge import Base
from pipelines.plant import Council, Plant
from pipelines.routing import Route
from pipelines.shadow import effect_of
from pipelines.states import OPEN, DeliveryState, VersionState
from pipelines.tables import delivery, record, referral, version, walk
from pipelines.vault import PayloadGone

_CLOSED = (DeliveryState.CLOSED, DeliveryState.NOT_SENT, DeliveryState.EXPIRED, DeliveryState.ERASED)


@dataclass(frozen=True, slots=True)
class Linked:
    """What is known of one record of the source."""

    referral: str = ""
    content: str | None = None
    version: str = ""  # the newest that we know of in the source
    modified: int | None = None
    born_in: str = ""
    target: str = ""  # its number in the target
    base: Base = field(default_factory=dict)  # what was last known to be in the target
    facts: str = ""  # the payload of what was merged
    on_its_way: str = ""  # why it need not be there yet
    closed: str = ""  # who or what decided that it need not be there


class Crosswalk:
    """Looks up records of one route's source."""

    def __init__(self, plant: Plant, council: Council, route: Route) -> None:
        self._plant, self._council, self._route = plant, council, route
        self._watermarks: dict[str, datetime | None] = {}

    def of(self, kind: str, number: str) -> Linked:
        """What the ledger knows of one record of the source."""
        return self.of_many(kind, [number])[number]

    def of_many(self, kind: str, numbers: Sequence[str]) -> dict[str, Linked]:
        """What the ledger knows of these records of the source."""
        with self._plant.ledger.reading() as connection:
            held = {
                row.external_id: row
                for row in _look(connection, self._record(self._route.source, kind), record.c.external_id, numbers)
            }
            waits = {
                row.external_id: f"v{row.id} {row.state}"
                for row in _look(connection, self._stopped(kind), version.c.external_id, numbers)
            }
            known = self._referrals(connection, {row.referral_id for row in held.values() if row.referral_id})
            ids = {row.id for row in known.values()}
            there: dict[str, Row[Any]] = {}
            for row in self._in_target(connection, ids):
                there.setdefault(row.referral_id, row)
            moving = self._deliveries(connection, ids)
        return {
            number: self._linked(held.get(number), waits.get(number, ""), known, there, moving) for number in numbers
        }

    def unread(self, kind: str, item: Item, linked: Linked) -> str:
        """Say that the source's newest version is not read yet, unless its walk has gone past it already."""
        if linked.content == self._plant.vault.hash(self._council.code, item.raw):
            return ""
        watermark = self._watermark(kind)
        if watermark is not None and item.modified is not None and item.modified < watermark:
            return ""
        return "its newest version is not read yet"

    def never_shown(self, item: Item, linked: Linked) -> bool:
        """Whether the source holds a version of a record that its feed has never shown us."""
        return not self._is_known(item, linked.content, linked.version, linked.modified)

    def target_never_shown(self, item: Item) -> bool:
        """The same of a record in the target, which is a source too."""
        with self._plant.ledger.reading() as connection:
            held = connection.execute(
                self._record(self._route.target, self._route.kind).where(record.c.external_id == item.id)
            ).first()
        return held is None or not self._is_known(item, held.content, held.version, held.modified)

    def _is_known(self, item: Item, content: str | None, version: str, modified: int | None) -> bool:
        """Whether this is the version that the ledger knows: the same bytes, or its stamp and version in bytes that
        a system writes differently where it is asked for one record."""
        if content == self._plant.vault.hash(self._council.code, item.raw):
            return True
        moment = to_time(item.modified) if item.modified else None
        return bool(content and (version or modified)) and (item.version, moment) == (version, modified)

    def waits(self, kind: str, item: UnreadableItem) -> str:
        """Why an unreadable record of the source is known to need attention, "" if it is not."""
        where = (
            version.c.external_id == item.id
            if item.id
            else version.c.content == self._plant.vault.hash(self._council.code, item.raw)
        )
        with self._plant.ledger.reading() as connection:
            found = connection.execute(self._stopped(kind).where(where)).first()
        return f"v{found.id} {found.state}" if found else ""

    def merged(self, linked: Linked) -> Mapping[str, Any]:
        """The merged facts of a record's referral; empty if there is none, or they have expired or were erased."""
        if not linked.facts:
            return {}
        with self._plant.ledger.reading() as connection:
            try:
                return fact_store.plain(
                    fact_store.load(connection, self._plant.vault, self._council.code, linked.facts)
                )
            except PayloadGone:
                return {}

    def numbers_of(self, keys: Sequence[str]) -> dict[str, str]:
        """Of these keys, those that are referrals of ours: the number under which the target is known to hold each,
        "" for none."""
        with self._plant.ledger.reading() as connection:
            known = self._referrals(connection, keys)
            there = {
                row.referral_id: row.external_id
                for row in self._in_target(connection, {row.id for row in known.values()})
            }
        return {key: there.get(row.id, "") for key, row in known.items()}

    def read_before(self, kind: str, most: int = 500) -> Iterator[list[Row[Any]]]:
        """The records of the source that its feed has shown us at some time and that belong to a referral, in parts."""
        after = 0
        while True:
            with self._plant.ledger.reading() as connection:
                part = connection.execute(
                    self._record(self._route.source, kind)
                    .where(record.c.id > after, record.c.referral_id.is_not(None), record.c.content.is_not(None))
                    .order_by(record.c.id)
                    .limit(most)
                ).all()
            if not part:
                return
            yield list(part)
            after = part[-1].id

    # --- Reading ------------------------------------------------------------------------------------------------------

    def _linked(
        self,
        held: Row[Any] | None,
        waits: str,
        known: Mapping[str, Row[Any]],
        there: Mapping[str, Row[Any]],
        moving: Mapping[str, tuple[str, str]],
    ) -> Linked:
        if held is None or held.referral_id not in known:
            if held is None:
                return Linked(on_its_way=waits)
            return Linked(content=held.content, version=held.version, modified=held.modified, on_its_way=waits)
        row = known[held.referral_id]
        in_target = there.get(row.id)
        open_, closed = moving.get(row.id, ("", ""))
        number, base = (in_target.external_id, in_target.base) if in_target else ("", {})
        return Linked(
            row.id,
            held.content,
            held.version,
            held.modified,
            row.born_in,
            number,
            base,
            row.facts,
            waits or open_,
            closed,
        )

    def _record(self, connection: str, kind: str) -> Any:
        return select(record).filter_by(council=self._council.code, connection=connection, kind=kind)

    def _in_target(self, connection: Connection, referrals: Iterable[str]) -> list[Row[Any]]:
        statement = self._record(self._route.target, self._route.kind).order_by(record.c.id)
        return _look(connection, statement, record.c.referral_id, referrals)

    def _referrals(self, connection: Connection, ids: Iterable[str]) -> dict[str, Row[Any]]:
        """Referrals by the id that was asked for; one that was merged into another is that other."""
        wanted = select(referral).where(referral.c.council == self._council.code)
        found = {row.id: row for row in _look(connection, wanted, referral.c.id, ids)}
        for id, row in found.items():
            if row.merged_into:
                found[id] = revisions.get(connection, self._council.code, row.merged_into) or row
        return found

    def _stopped(self, kind: str) -> Any:
        states = (VersionState.ATTENTION, VersionState.WAITING)
        return (
            select(version.c.id, version.c.external_id, version.c.state)
            .filter_by(council=self._council.code, connection=self._route.source, kind=kind)
            .where(version.c.state.in_(states))
        )

    def _deliveries(self, connection: Connection, referrals: Iterable[str]) -> dict[str, tuple[str, str]]:
        """Of each referral: what is open towards the target, and what ended without being sent."""
        wanted = (
            select(delivery.c.id, delivery.c.referral_id, delivery.c.state, delivery.c.reason)
            .filter_by(council=self._council.code, connection=self._route.target, carries="state")
            .order_by(delivery.c.id.desc())
        )
        of: dict[str, list[Row[Any]]] = defaultdict(list)
        for row in _look(connection, wanted, delivery.c.referral_id, referrals):
            of[row.referral_id].append(row)
        found = {}
        for id, made in of.items():
            newest = made[0]
            open_ = next((f"d{row.id} {row.state}" for row in made if row.state in OPEN), "")
            # What a shadow stopped is not given up: somebody else may have typed it, and that is the question.
            ended = newest.state in _CLOSED and not effect_of(newest.reason)
            closed = f"d{newest.id} {newest.state} ({newest.reason})" if ended else ""
            found[id] = (open_, closed)
        return found

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


def _look(connection: Connection, statement: Any, column: Any, wanted: Iterable[str]) -> list[Row[Any]]:
    found: list[Row[Any]] = []
    for some in ready.in_parts(sorted(set(wanted))):
        found += connection.execute(statement.where(column.in_(some))).all()
    return found
