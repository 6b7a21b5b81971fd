"""Previews: what sending a delivery, or taking a version again, would do now, and how that differs from before.

Nothing is sent and nothing is written; a target is only read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from sqlalchemy import Connection, Row, select

from connectors.documents import DOCUMENT
from connectors.errors import ConnectorError
from connectors.port import UnreadableItem
from mappings.kept import CannotRun
from pipelines import facts as fact_store
from pipelines import revisions
from pipelines.choosing import Chooser
from pipelines.differences import flat, reading_changes, writing_changes
from pipelines.jobs import CASEWORKER
from pipelines.looking import NotPossible, council_of, delivery_of, record_at, version_of
from pipelines.plant import Kind, Plant
from pipelines.tables import attempt
from pipelines.telling import judged
from pipelines.texts import Silence
from pipelines.vault import PayloadGone
from pipelines.writing import draft_create, draft_update


@dataclass(frozen=True, slots=True)
class Preview:
    """What sending a delivery now would do. Nothing is sent; the target is only read."""

    effect: str  # create, update, nothing, not sent, refuse, take again
    words: str
    fields: tuple[tuple[str, Any], ...] = field(default=(), repr=False)  # (path in the target's record, value)
    held_back: tuple[str, ...] = ()
    against: str = ""  # what it was compared with, or why there is nothing to compare; "" where nobody asked
    differs: tuple[tuple[str, str], ...] = ()  # (path, how) of what is not as it was then; never a value


def preview(plant: Plant, id: str, chooser: Chooser | None = None) -> Preview:
    """Say what the target would receive for a delivery and what it would do with it. `chooser`: with another mapping
    than the one it would be sent with. Raises NotPossible, SiteFaults."""
    row = delivery_of(plant, id)
    council = council_of(plant, row.council)
    wired, route = council.wired.get(row.connection), council.route(row.route)
    if wired is None or route is None:
        raise NotPossible(f"the site no longer has the route {row.route}")
    with plant.ledger.reading() as connection:
        found = revisions.get(connection, row.council, row.referral_id)
        assert found is not None
        try:
            now = fact_store.plain(fact_store.load(connection, plant.vault, row.council, found.facts))
            event = now
            if row.facts:
                event = fact_store.plain(fact_store.load(connection, plant.vault, row.council, row.facts))
        except PayloadGone:
            raise NotPossible("what was kept of this referral has expired or was erased") from None
        held = record_at(connection, row)
        before = _sent_before(connection, plant, row)
    if row.kind == DOCUMENT:
        return Preview("create", "a document of the referral; it is fetched, and looked at, only when it goes")
    if route.text:
        if chooser is not None:
            chooser.for_delivery(row)
        with plant.ledger.reading() as connection:
            said = judged(connection, plant, council, route, row, event, now)
        if isinstance(said, Silence):
            return Preview("not sent", f"{said.rule}; {said.ring} rings" if said.ring else said.rule)
        words = said.status not in said.rules.templates  # the service is not opened for it: it has none to send by
        fields = [item for language in said.languages for item in said.record(language, words=words).items()]
        return Preview("create", f"{said.rules.channel} to the {said.recipient}, {said.language}", tuple(fields))
    if row.recipient == CASEWORKER:
        now = event  # a reply is bound to what became of it then
    kinds = wired.answers if row.recipient == CASEWORKER else wired.kinds
    kind = _kind(plant, kinds[row.kind], row, chooser)
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
    against, differs = _compared(before, draft.record)
    return Preview(effect, "", tuple(flat(draft.record)), tuple(draft.held_back), against, differs)


def preview_version(plant: Plant, id: str, chooser: Chooser) -> Preview:
    """Say how reading a version once more would differ from how it was read. Raises NotPossible, SiteFaults."""
    row = version_of(plant, id)
    wired = council_of(plant, row.council).wired.get(row.connection)
    kind = wired.kinds.get(row.kind) if wired is not None else None
    if wired is None or kind is None or not row.external_id:
        return Preview("take again", "it would be read again with the mapping as it is now")
    chosen = chooser.for_version(row)
    mapping = chosen.mapping or kind.mapping
    try:
        with plant.ledger.reading() as connection:
            raw = plant.vault.get(connection, row.council, row.raw)
    except PayloadGone:
        raise NotPossible(f"what {id} showed has expired or was erased: it cannot be read again") from None
    item = wired.connector.parse(kind.name, raw, id=row.external_id)
    if isinstance(item, UnreadableItem):
        return Preview("refuse", item.reason)
    after = mapping.read(item.record)
    words = f"it would be read with the {chosen.words or 'present'} mapping {mapping.digest[:12]}"
    if after.stopped:
        words += f", and stops again: {after.stopped[0]}"
    try:
        before = plant.kept.mapping(plant.ledger, row.mapping).read(item.record) if row.mapping else None
    except CannotRun as gone:
        return Preview("take again", f"{words}; how it was read before cannot be said: {gone}")
    if before is None:
        return Preview("take again", words)
    differs = tuple((one.path, one.how) for one in reading_changes(before, after))
    against = f"how it was read before, with {row.mapping[:12]}"
    return Preview("take again", words, (), (), against if differs else f"it is {against}", differs)


def _kind(plant: Plant, kind: Kind, row: Row[Any], chooser: Chooser | None) -> Kind:
    """The kind with the mapping that it would be sent with: the one that is chosen now, or was chosen before."""
    if chooser is not None:
        chosen = chooser.for_delivery(row).mapping
        return kind if chosen is None else replace(kind, mapping=chosen)
    if not row.mapping:
        return kind
    try:
        return replace(kind, mapping=plant.kept.mapping(plant.ledger, row.mapping))
    except CannotRun as gone:
        raise NotPossible(f"the mapping that was chosen for d{row.id} cannot be run: {gone}") from None


def _sent_before(connection: Connection, plant: Plant, row: Row[Any]) -> Mapping[str, Any] | str:
    """The record that the newest try of a delivery sent; or, in words, why there is none."""
    payload = connection.execute(
        select(attempt.c.request)
        .where(attempt.c.delivery_id == row.id, attempt.c.request.is_not(None))
        .order_by(attempt.c.id.desc())
        .limit(1)
    ).scalar()
    if payload is None:
        return "nothing of it was sent before"
    try:
        found: Mapping[str, Any] = orjson.loads(plant.vault.get(connection, row.council, payload))
    except PayloadGone:
        return "what was sent before has expired or was erased"
    return found


def _compared(before: Mapping[str, Any] | str, record: Mapping[str, Any]) -> tuple[str, tuple[tuple[str, str], ...]]:
    if isinstance(before, str):
        return before, ()
    differs = tuple((one.path, one.how) for one in writing_changes(before, record))
    return "what was sent before" if differs else "it is what was sent before", differs
