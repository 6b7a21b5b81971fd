"""Erasing one person: everything that tells of them goes, their keys are destroyed, and a certificate says so.

Only on a recorded legal ground, and not while anything of theirs is on its way. What stays are ids, times and states:
that something was carried, and not what or about whom. The numbers of their records in the source systems stay as the
tombstone by which the versions that were erased are known when a source shows them again; a newer version of such a
record waits for a person, and a new request is a new request.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, String, cast, delete, insert, select, update

from pipelines import audit, certificates, crash, deliveries, lanes, register, rows
from pipelines.batch import Batch
from pipelines.clock import to_instant
from pipelines.emptying import destroy_doomed, empty, hash_of
from pipelines.expiring import Gone, adopt
from pipelines.freed import forget_freed
from pipelines.looking import NotPossible, council_of
from pipelines.persons import Person, of_id, sealed, subjects
from pipelines.plant import Plant
from pipelines.states import OPEN, DeliveryState, VersionState
from pipelines.tables import audit as audit_table
from pipelines.tables import (
    certificate,
    conflict,
    delivery,
    doomed,
    forewarning,
    gap,
    news,
    person_identifier,
    record,
    referral,
    version,
)

#: Legal grounds, by the word that is typed. UK GDPR article 17(1), and what a council may be ordered to do.
GROUNDS: Mapping[str, str] = MappingProxyType(
    {
        "not-needed": "UK GDPR 17(1)(a): no longer needed for what it was collected for",
        "consent-withdrawn": "UK GDPR 17(1)(b): consent withdrawn, and no other ground",
        "objection": "UK GDPR 17(1)(c): the person objects, and nothing overrides it",
        "unlawful": "UK GDPR 17(1)(d): processed unlawfully",
        "legal-duty": "UK GDPR 17(1)(e): to comply with a legal obligation",
        "order": "an order of a court or of the Information Commissioner",
    }
)
#: By which ways a delivery that a restored ledger shows as open comes to its end.
_WAY_OUT = {
    DeliveryState.SENDING: (DeliveryState.NOT_SURE, DeliveryState.CLOSED),
    DeliveryState.NOT_SURE: (DeliveryState.CLOSED,),
    DeliveryState.WAITING: (DeliveryState.CLOSED,),
    DeliveryState.ATTENTION: (DeliveryState.CLOSED,),
}


def erase(plant: Plant, person: Person, *, ground: str, who: str, why: str) -> str:
    """Erase a person; return the certificate's id.

    Raises NotPossible for a ground that is none, and while something of theirs is still to happen.
    """
    if ground not in GROUNDS:
        raise NotPossible(f"that is no ground for erasing; there are {', '.join(GROUNDS)}")
    now = plant.clock.now()
    with plant.ledger.writing(making_room=True) as connection:
        person = of_id(connection, person.council, person.id)
        open_ones = _open_ones(connection, person)
        if open_ones:
            raise NotPossible(
                f"{', '.join(open_ones[:10])} {'is' if len(open_ones) == 1 else 'are'} not at an end: let it arrive, "
                "settle it or close it without sending, then erase"
            )
        gone = _erase(plant, connection, person, now)
        audit.write(
            connection, plant.vault, council=person.council, who=who, action="person erase",
            subject=f"person {person.id}", why=why, now=now, detail={"ground": ground, "counts": dict(gone.counts)},
        )  # fmt: skip
        id = certificates.issue(
            connection, plant.vault, person.council, certificates.ERASURE, now, _body(person, ground, gone, now)
        )
    crash.here("emptied")
    _behind(plant)
    return id


def repeat(plant: Plant) -> int:
    """Erase again whom a ledger that was restored from a backup still knows; return how many. Before anything runs."""
    again = 0
    with plant.ledger.reading() as connection:
        known = set(connection.execute(select(certificate.c.id)).scalars())
    for id, council, at, body, signature in certificates.from_files(plant, certificates.ERASURE):
        if id in known or council not in plant.councils:
            continue
        now = plant.clock.now()
        with plant.ledger.writing(making_room=True) as connection:
            person = of_id(connection, council, str(body["person"]))
            gone = _erase(plant, connection, person, now)
            row = {"id": id, "council": council, "kind": certificates.ERASURE, "at": at, "signature": signature}
            text = certificates.as_text(body)
            connection.execute(insert(certificate), {**row, "body": text})
            audit.write(
                connection, plant.vault, council=council, who="restore", action="person erased again",
                subject=f"person {person.id}", why="", now=now,
                detail={"certificate": id, "counts": dict(gone.counts)},
            )  # fmt: skip
        again += 1
    if again:
        _behind(plant)
    else:
        destroy_doomed(plant)
    return again


def _behind(plant: Plant) -> None:
    destroy_doomed(plant)
    certificates.keep_files(plant)
    forget_freed(plant.ledger.engine, ("payload", "record", "delivery", "version", "doomed"))
    plant.keys.forget_freed()


def _open_ones(connection: Connection, person: Person) -> list[str]:
    of = delivery.c.referral_id.in_(person.referrals)
    waiting = select(delivery.c.id).where(of, delivery.c.state.in_(OPEN))
    found = [f"d{id}" for id in connection.execute(waiting).scalars()]
    adopt(connection, person.referrals)
    stopped = version.c.state.in_([VersionState.ATTENTION, VersionState.WAITING])
    theirs = select(version.c.id).where(version.c.referral_id.in_(person.referrals), stopped)
    return found + [f"v{id}" for id in connection.execute(theirs).scalars()]


def _erase(plant: Plant, connection: Connection, person: Person, now: int) -> Gone:
    gone, ids, code = Gone(), list(person.referrals), person.council
    adopt(connection, ids)
    reasons = select(audit_table.c.why).where(
        audit_table.c.subject.in_(subjects(connection, person)),
        audit_table.c.council == code,
        audit_table.c.why.is_not(None),
    )
    told = list(connection.execute(reasons).scalars())
    gone.payloads(empty(connection, code, [*sealed(connection, person), *told]))
    connection.execute(insert(doomed), {"council": code, "person_id": person.id})
    gone.payloads(empty(connection, code, register.forget(connection, plant.vault, code, person.id, ids)))
    _end_deliveries(plant, connection, person, gone, now)
    stopped = version.c.state.in_([VersionState.ATTENTION, VersionState.WAITING])
    of_theirs = version.c.referral_id.in_(ids)
    of_records = list(connection.execute(select(record.c.id).where(record.c.referral_id.in_(ids))).scalars())
    connection.execute(update(version).where(of_theirs, stopped).values(state=VersionState.CLOSED, remark="erased"))
    blank: list[tuple[str, Any]] = [
        # Of a record its number, stamp, version and the hash of its bytes stay: the tombstone.
        ("record hashes", update(record).where(record.c.referral_id.in_(ids))
            .values(base={}, erased=now, referral_id=None)),
        ("version hashes", update(version).where(of_theirs).values(content="", code="")),
        ("delivery hashes", update(delivery).where(delivery.c.referral_id.in_(ids), delivery.c.code != "")
            .values(code="")),
        ("gap hashes", update(gap).where(gap.c.record_id.in_(of_records), gap.c.code != "").values(code="")),
        ("conflict hashes", update(conflict).where(conflict.c.referral_id.in_(ids))
            .values(lost=cast(conflict.c.id, String), open=False)),
        ("referral hashes", update(referral).where(referral.c.id.in_(ids))
            .values(hops=None, wants_news=False, gone=3, gone_at=now)),
        ("person_identifier", delete(person_identifier).where(person_identifier.c.person_id == person.id)),
        ("news hashes", update(news).where(news.c.referral_id.in_(ids)).values(whom="")),
        ("forewarning", delete(forewarning).where(forewarning.c.referral_id.in_(ids))),
    ]  # fmt: skip
    for name, statement in blank:
        gone.rows(name, connection.execute(statement).rowcount)
    return gone


def _end_deliveries(plant: Plant, connection: Connection, person: Person, gone: Gone, now: int) -> None:
    batch = Batch(connection, plant.vault, council_of(plant, person.council), now)
    batch.fetch_deliveries(person.referrals)
    touched = set()
    for row in rows.read(connection, delivery, "referral_id", person.referrals):
        if row.state == DeliveryState.ERASED:
            continue
        held = batch.keep_delivery(row)
        for step in (*_WAY_OUT.get(DeliveryState(held.state), ()), DeliveryState.ERASED):
            deliveries.move(batch, held, step, reason="erased")
            batch.flush()  # the database's own guards see each step
        touched.add(held.lane)
        gone.rows("delivery", 1)
    lanes.refresh(connection, touched)


def _body(person: Person, ground: str, gone: Gone, now: int) -> dict[str, Any]:
    return {
        "person": person.id,
        "referrals": list(person.referrals),
        "ground": ground,
        "counts": dict(gone.counts),
        "ids": len(gone.ids),
        "ids_hash": hash_of("", gone.ids),
        "effective": to_instant(now).isoformat(),
        "says": "Everything about this person was erased and its keys were destroyed. Backups of the ledger can be "
        "read no more about them with the key store as it is from this instant on; a backup of the key store from "
        "before it must not be kept longer than the council's rule for backups says.",
    }
