"""A past for a ledger, for benches: referrals that arrived long ago and whose payloads have expired.

The rows are invented and hold nobody; they are there so that a bench can tell whether a long history slows anything.
Some of it may need attention, so that the desk has a long list as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select, text, update

from pipelines.causes import Cause, note
from pipelines.ids import new_id
from pipelines.keystore import KeyStore
from pipelines.keytables import data_key, person_key
from pipelines.ledger import Ledger
from pipelines.tables import attempt, delivery, payload, person, proof, record, referral, version

_AT_ONCE = 5_000
_LONG_AGO = 1_700_000_000_000_000
#: Of what needs attention, each so manieth by its number is urgent; of all, each so manieth referral is restricted.
_URGENT, _RESTRICTED = 2_000, 503
#: So many different codes are waited for in each list.
_CODES = 7


def proofs(ledger: Ledger) -> int:
    """How many deliveries have arrived. Asked every few milliseconds while a bench runs."""
    with ledger.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(proof)).scalar_one())


def fill(
    ledger: Ledger,
    council: str,
    deliveries: int,
    *,
    after: int = 0,
    begins: int = _LONG_AGO,
    apart: int = 1,
    why: Sequence[Cause] = (),
    every: int = 20,
) -> None:
    """Write so many arrived deliveries, each with its version, records, referral, person, attempt and proof.

    `after`: how many of them are there already. `begins`: when the first came; `apart`: microseconds from each to the
    next. `why`: every so manieth needs attention instead, for each of these causes in turn: a version that could not
    be read where the cause's step is that, a delivery that was tried in vain where it is another.
    """
    with ledger.writing() as connection:
        causes = [(one, note(connection, council, one, begins)) for one in why]
    last = after + deliveries
    for begin in range(after, last, _AT_ONCE):
        numbers = range(begin + 1, min(begin + _AT_ONCE, last) + 1)
        rows = [
            _past(council, number, begins + number * apart, _cause(causes, number, every)) for number in numbers
        ]
        with ledger.writing() as connection:
            for table in (payload, person, referral, record, version, delivery, attempt, proof):
                if some := [row for one in rows for row in one.get(table, ())]:
                    connection.execute(insert(table), some)
            unread = [row["external_id"] for one in rows for row in one[version] if row["cause_id"] is not None]
            _name_records(connection, council, unread)


def _name_records(connection: Connection, council: str, numbers: Sequence[str]) -> None:
    """Let the versions of these numbers, which need attention, name their records, as those do that are taken in."""
    theirs = select(record.c.id).where(
        record.c.council == council, record.c.connection == version.c.connection, record.c.kind == version.c.kind,
        record.c.external_id == version.c.external_id,
    )  # fmt: skip
    if numbers:
        mine = version.c.council == council, version.c.connection == "source", version.c.external_id.in_(numbers)
        connection.execute(
            update(version).where(*mine, version.c.kind == "Request").values(record_id=theirs.scalar_subquery())
        )


def _cause(causes: Sequence[tuple[Cause, int]], number: int, every: int) -> tuple[Cause, int] | None:
    """Why the one of this number needs attention; None if it does not."""
    return causes[number // every % len(causes)] if causes and number % every == 0 else None


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


def settle(ledger: Ledger) -> None:
    """Let PostgreSQL take its statistics, as its own autovacuum does sooner or later."""
    if not ledger.embedded:
        with ledger.writing() as connection:
            connection.execute(text("ANALYZE"))


def stop_all(ledger: Ledger, council: str, why: Cause, now: int) -> None:
    """Let what waits be tried in vain, as if its target had refused it for this cause."""
    with ledger.writing() as connection:
        id = note(connection, council, why, now)
        connection.execute(update(delivery).where(delivery.c.state == "waiting").values(state="being sent"))
        stopped = {"state": "needs attention", "cause_id": id, "due": None, "changed_at": now}
        connection.execute(update(delivery).where(delivery.c.state == "being sent").values(stopped))


def _past(
    council: str, number: int, at: int, stopped: tuple[Cause, int] | None
) -> dict[Table, list[dict[str, Any]]]:
    who, what, raw, facts = new_id(), new_id(), new_id(), new_id()
    why, cause_id = stopped or (None, None)
    unread = why is not None and why.step == "read"
    mark = f"{number // _CODES % _CODES:032x}" if why is not None and why.code_list else ""
    place = {"council": council, "referral_id": what, "at": at}
    expired = {"council": council, "person_id": who, "key_id": "", "held_by_person": True, "body": None, "at": at}
    there = {**place, "kind": "Request", "base": {"status": [f"{number:032x}", None]}, "version": "1", "modified": at}
    rows: dict[Table, list[dict[str, Any]]] = {
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
                "restricted": number % _RESTRICTED == 0,
                "wants_news": number % 3 == 0,
                "born_in": "source",
                "at": at,
                "changed_at": at,
            }
        ],
        record: [
            {**there, "connection": name, "external_id": f"past-{number}", "content": f"{number:032x}"}
            for name in (("source", "sink") if why is None else ("source",))
        ],
        version: [
            {
                **place,
                "connection": "source",
                "kind": "Request",
                "external_id": f"past-{number}",
                "raw": raw,
                "content": f"{number:032x}",
                "state": "needs attention" if unread else "merged",
                "cause_id": cause_id if unread else None,
                "code": mark if unread else "",
                "revision": None if unread else 1,
            }
        ],
    }
    if unread:
        return rows
    rows[delivery] = [
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
            "state": "arrived" if why is None else "needs attention",
            "reason": "created" if why is None else "",
            "cause_id": cause_id,
            "code": mark,
            "urgent": why is not None and number % _URGENT == 0,
            "changed_at": at,
        }
    ]
    rows[attempt] = [
        {
            "delivery_id": number,
            "fence": 1,
            "what": "send",
            "boot": "past",
            "begun": at,
            "ended": at,
            "outcome": "arrived" if why is None else "refused",
            "error": "" if why is None else why.error,
        }
    ]
    if why is None:
        rows[proof] = [
            {"delivery_id": number, "external_id": f"past-{number}", "revision": 1, "how": "created", "at": at}
        ]
    return rows
