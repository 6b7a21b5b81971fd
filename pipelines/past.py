"""A past for a ledger, for benches: referrals that arrived long ago and whose payloads have expired.

The rows are invented and hold nobody; they are there so that a bench can tell whether a long history slows anything.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table, func, insert, select, update

from pipelines.ids import new_id
from pipelines.keystore import KeyStore
from pipelines.keytables import data_key, person_key
from pipelines.ledger import Ledger
from pipelines.tables import attempt, delivery, payload, person, proof, record, referral, version

_AT_ONCE = 5_000
_LONG_AGO = 1_700_000_000_000_000


def proofs(ledger: Ledger) -> int:
    """How many deliveries have arrived. Asked every few milliseconds while a bench runs."""
    with ledger.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(proof)).scalar_one())


def fill(ledger: Ledger, council: str, deliveries: int, *, after: int = 0) -> None:
    """Write so many arrived deliveries, each with its version, records, referral, person, attempt and proof.

    `after`: how many of them are there already.
    """
    last = after + deliveries
    for begin in range(after, last, _AT_ONCE):
        numbers = range(begin + 1, min(begin + _AT_ONCE, last) + 1)
        rows = [_past(council, number) for number in numbers]
        with ledger.writing() as connection:
            for table in (payload, person, referral, record, version, delivery, attempt, proof):
                connection.execute(insert(table), [row for one in rows for row in one[table]])


def fill_keys(keys: KeyStore, council: str, messages: int) -> None:
    """Write a data key and a person's key for each of so many messages. Nothing was sealed with them."""
    of: dict[str, Any] = {"council": council, "by": "", "wrapped": bytes(60)}
    for begin in range(0, messages, _AT_ONCE):
        numbers = range(begin, min(begin + _AT_ONCE, messages))
        with keys.writing() as connection:
            connection.execute(insert(data_key), [{**of, "id": f"k{n}", "holder": f"p{n}"} for n in numbers])
            connection.execute(insert(person_key), [{**of, "person": f"p{n}", "by": "past"} for n in numbers])


def close_all(ledger: Ledger) -> None:
    """Close what waits, as the desk would."""
    with ledger.writing() as connection:
        connection.execute(update(delivery).where(delivery.c.state == "waiting").values(state="closed"))


def _past(council: str, number: int) -> dict[Table, list[dict[str, Any]]]:
    who, what, raw, facts = new_id(), new_id(), new_id(), new_id()
    at = _LONG_AGO + number
    place = {"council": council, "referral_id": what, "at": at}
    expired = {"council": council, "person_id": who, "key_id": "", "held_by_person": True, "body": None, "at": at}
    there = {**place, "kind": "Request", "base": {"status": [f"{number:032x}", None]}, "version": "1", "modified": at}
    return {
        payload: [{**expired, "id": raw, "class": "raw"}, {**expired, "id": facts, "class": "facts"}],
        person: [{"id": who, "council": council, "at": at}],
        referral: [
            {
                "id": what,
                "council": council,
                "person_id": who,
                "revision": 2,
                "facts": facts,
                "citizen_reference": f"past-{number}",
                "status": "completed",
                "priority": "routine",
                "restricted": False,
                "born_in": "source",
                "at": at,
                "changed_at": at,
            }
        ],
        record: [
            {**there, "connection": name, "external_id": f"past-{number}", "content": f"{number:032x}"}
            for name in ("source", "sink")
        ],
        version: [
            {
                **place,
                "connection": "source",
                "kind": "Request",
                "external_id": f"past-{number}",
                "raw": raw,
                "content": f"{number:032x}",
                "state": "merged",
                "revision": 1,
            }
        ],
        delivery: [
            {
                **place,
                "id": number,
                "key": new_id(),
                "route": "source-to-sink",
                "connection": "sink",
                "kind": "Request",
                "carries": "state",
                "revision": 1,
                "lane": f"{council}/sink/{what}",
                "state": "arrived",
                "reason": "created",
                "changed_at": at,
            }
        ],
        attempt: [
            {
                "delivery_id": number,
                "fence": 1,
                "what": "send",
                "boot": "past",
                "begun": at,
                "ended": at,
                "outcome": "arrived",
            }
        ],
        proof: [{"delivery_id": number, "external_id": f"past-{number}", "revision": 1, "how": "created", "at": at}],
    }
