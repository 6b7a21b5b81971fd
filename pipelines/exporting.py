"""What is held about one person: everything, in their own words and ours, for whoever answers a subject access request.

It opens every payload about the person in every class, also in what waits, needs attention or is not sure, and lists
what happened and who looked at it. What belongs to nobody yet (versions that could not be matched) is read through its
mapping and searched for the person's identifiers. Attachments are named and not fetched: their owners hold them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
from sqlalchemy import Connection, Row, select

from connectors.errors import ConnectorError
from connectors.port import Item
from pipelines import audit, register
from pipelines.clock import to_instant
from pipelines.keystore import KeyFault
from pipelines.persons import Person, sealed, subjects, versions_of
from pipelines.plant import Plant
from pipelines.ready import in_parts
from pipelines.states import VersionState
from pipelines.tables import (
    attempt,
    conflict,
    delivery,
    gap,
    news,
    payload,
    person_identifier,
    proof,
    record,
    referral,
    version,
)
from pipelines.tables import audit as audit_table
from pipelines.vault import PayloadGone

_NOT_MATCHED = (VersionState.ATTENTION, VersionState.WAITING)


def export(plant: Plant, person: Person, *, who: str, why: str) -> dict[str, Any]:
    """Everything that is held about a person, as plain data. The audit says who asked, before it is given."""
    now = plant.clock.now()
    with plant.ledger.writing(making_room=True) as connection:
        audit.write(
            connection, plant.vault, council=person.council, who=who, action="person export",
            subject=f"person {person.id}", why=why, now=now,
        )  # fmt: skip
    with plant.ledger.reading() as connection:
        return _Export(plant, connection, person).whole(now)


class _Export:
    """One export, within one look at the ledger."""

    def __init__(self, plant: Plant, connection: Connection, person: Person) -> None:
        self._plant, self._connection, self._person = plant, connection, person
        self._opened: dict[str, Any] = {}
        self._used: set[str] = set()

    def whole(self, now: int) -> dict[str, Any]:
        person = self._person
        rows = sealed(self._connection, person)
        self._plant.vault.prepare(row.key_id for row in rows.values())
        for row in rows.values():
            self._opened[row.id] = self._open(row)
        told = {
            "council": person.council,
            "person": person.id,
            "made": to_instant(now).isoformat(),
            "identified_by": self._paths(),
            "referrals": [self._referral(row) for row in self._rows(referral, referral.c.id.in_(person.referrals))],
            "wishes": self._wishes(),
            "not_matched": self._not_matched(),
            "audit": self._audit(),
        }
        loose = [rows[id] for id in sorted(rows.keys() - self._used)]
        told["earlier_revisions"] = [
            {"at": _when(row.at), "class": row._mapping["class"], "content": self._opened[row.id]} for row in loose
        ]
        return told

    def _open(self, row: Row[Any]) -> Any:
        try:
            return _shown(self._plant.vault.unseal(row.council, row.id, row.key_id, row.body))
        except KeyFault:
            return "(its key is gone: it can be read by nobody)"

    def _content(self, id: str | None) -> Any:
        """A payload's content; None where there is none any more."""
        if not id:
            return None
        self._used.add(id)
        return self._opened.get(id)

    def _rows(self, table: Any, where: Any) -> list[Row[Any]]:
        return list(self._connection.execute(select(table).where(where).order_by(*table.primary_key.columns)))

    def _paths(self) -> list[str]:
        named = select(person_identifier.c.path).filter_by(council=self._person.council, person_id=self._person.id)
        return sorted(self._connection.execute(named).scalars())

    def _referral(self, row: Row[Any]) -> dict[str, Any]:
        facts = self._content(row.facts)
        known = {name: value[0] for name, value in facts.items()} if isinstance(facts, dict) else None
        records = self._rows(record, record.c.referral_id == row.id)
        theirs = version.c.record_id.in_([one.id for one in records]) | (version.c.referral_id == row.id)
        versions = self._rows(version, theirs)
        return {
            "id": row.id,
            "reference": row.citizen_reference,
            "first_seen": _when(row.at),
            "last_changed": _when(row.changed_at),
            "status": row.status,
            "restricted": row.restricted,
            "restricted_since": _when(row.stopped),
            "joined_to": row.merged_into,
            "facts": known,
            "given_by": {name: value[1] for name, value in facts.items()} if isinstance(facts, dict) else None,
            "attachments": (known or {}).get("attachments") or [],
            "numbers": [{"system": one.connection, "kind": one.kind, "number": one.external_id} for one in records],
            "versions": [
                {
                    "id": f"v{one.id}", "at": _when(one.at), "from": one.connection, "number": one.external_id,
                    "state": one.state, "remark": one.remark, "content": self._content(one.raw),
                }
                for one in versions
            ],
            "deliveries": [self._delivery(one) for one in self._rows(delivery, delivery.c.referral_id == row.id)],
            "conflicts": [
                {"at": _when(one.at), "field": one.field, "stands": one.winner, "had_another": one.loser}
                for one in self._rows(conflict, conflict.c.referral_id == row.id)
            ],
            "left_out": sorted(
                {one.field for one in self._rows(gap, gap.c.record_id.in_([one.id for one in records]))}
            ),
        }  # fmt: skip

    def _delivery(self, row: Row[Any]) -> dict[str, Any]:
        arrived = self._rows(proof, proof.c.delivery_id == row.id)
        return {
            "id": f"d{row.id}",
            "at": _when(row.at),
            "to": row.connection,
            "route": row.route,
            "kind": row.kind,
            "state": row.state,
            "reason": row.reason,
            "facts": self._content(row.facts),
            "tries": [
                {
                    "at": _when(one.begun), "what": one.what, "outcome": one.outcome, "words": one.words,
                    "sent": self._content(one.request), "answered": self._content(one.reply),
                }
                for one in self._rows(attempt, attempt.c.delivery_id == row.id)
            ],
            "arrived": [{"at": _when(one.at), "number": one.external_id, "how": one.how} for one in arrived],
            "told": [
                {
                    "at": _when(one.at), "to": one.recipient, "by": one.channel, "language": one.language,
                    "status": one.status, "words": one.words, "report": one.report, "reported": _when(one.reported),
                }
                for one in self._rows(news, news.c.delivery_id == row.id)
            ],
        }  # fmt: skip

    def _wishes(self) -> list[dict[str, Any]]:
        """What they, or somebody for them, told us about being told, and what no system has a field for."""
        person = self._person
        held = register.told_by(
            self._connection, self._plant.vault, person.council, person.id, person.referrals
        )
        found = []
        for row in held:
            try:
                value = self._plant.vault.get_json(self._connection, person.council, row.value)
            except (PayloadGone, KeyFault):
                value = "(expired)"
            found.append({"at": _when(row.at), "what": row.name, "value": value, "by": row.by})
        return found

    def _audit(self) -> list[dict[str, Any]]:
        named = subjects(self._connection, self._person)
        found: list[Row[Any]] = []
        for some in in_parts(named):
            where = audit_table.c.subject.in_(some), audit_table.c.council == self._person.council
            found += self._connection.execute(select(audit_table).where(*where)).all()
        return [
            {
                "at": _when(row.at), "who": row.who, "action": row.action, "subject": row.subject,
                "why": self._why(row.why), "detail": row.detail,
            }
            for row in sorted(found, key=lambda row: row.seq)
        ]  # fmt: skip

    def _why(self, id: str | None) -> Any:
        if id is None:
            return None
        try:
            return self._plant.vault.get(self._connection, self._person.council, id).decode()
        except (PayloadGone, KeyFault):
            return "(expired)"

    def _not_matched(self) -> list[dict[str, Any]]:
        """Versions that wait and belong to nobody yet, and show one of the person's identifiers."""
        council = self._plant.councils[self._person.council]
        named = select(person_identifier.c.path, person_identifier.c.hash).filter_by(person_id=self._person.id)
        marks = {(row.path, row.hash) for row in self._connection.execute(named)}
        mine = set(self._connection.execute(versions_of(self._person)).scalars())
        loose = self._rows(
            version,
            (version.c.council == council.code)
            & version.c.state.in_(_NOT_MATCHED)
            & version.c.referral_id.is_(None),
        )
        found = []
        for row in loose:
            if row.id in mine:
                continue
            body = self._raw(row)
            if body is None or not self._names(council, row, body, marks):
                continue
            shown = {"id": f"v{row.id}", "at": _when(row.at), "from": row.connection, "number": row.external_id}
            found.append({**shown, "state": row.state, "content": _shown(body)})
        return found

    def _raw(self, row: Row[Any]) -> bytes | None:
        held = self._connection.execute(select(payload).where(payload.c.id == row.raw)).one()
        if held.body is None:
            return None
        try:
            return self._plant.vault.unseal(held.council, held.id, held.key_id, held.body)
        except KeyFault:
            return None

    def _names(self, council: Any, row: Row[Any], body: bytes, marks: Iterable[tuple[str, str]]) -> bool:
        wired = council.wired.get(row.connection)
        kind = wired.kinds.get(row.kind) if wired is not None else None
        if kind is None:
            return False
        try:
            item = wired.connector.parse(row.kind, body, id=row.external_id)
            shown = kind.mapping.read(item.record).facts if isinstance(item, Item) else {}
        except (ConnectorError, ValueError, TypeError, KeyError):
            return False
        of = self._plant.vault.hash_value
        return any(shown.get(path) and of(council.code, path, shown[path]) == mark for path, mark in marks)


def _when(at: int | None) -> str | None:
    return None if at is None else to_instant(at).isoformat()


def _shown(body: bytes) -> Any:
    """A payload as data where it is JSON, as text where it is text."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return body.decode("utf-8", errors="replace")
