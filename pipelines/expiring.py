"""What goes of a referral when a class of it has been kept long enough: raw bytes, payloads, hashes, and its rows.

Each function works within one transaction on some referrals of one council, and says what went. When is decided in
`pipelines.closure`; the certificate is the business of `pipelines.purging`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, String, Table, cast, delete, func, insert, or_, select, update

from pipelines.closure import Standing
from pipelines.emptying import empty
from pipelines.plant import Council
from pipelines.tables import (
    agreed,
    attempt,
    conflict,
    delivery,
    forewarning,
    gap,
    leaving,
    payload,
    person,
    person_identifier,
    proof,
    record,
    referral,
    version,
)


class Gone:
    """What went: how many of which table and class, and the ids of payloads and rows for the certificate's hash."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.ids: list[str] = []

    def payloads(self, emptied: Mapping[str, Sequence[str]]) -> None:
        """Count payloads that were emptied, by class."""
        for kind, ids in emptied.items():
            self.counts[f"payload {kind}"] += len(ids)
            self.ids += ids

    def rows(self, table: str, count: int) -> None:
        """Count rows that were blanked or deleted."""
        if count:
            self.counts[str(table)] += count


def adopt(connection: Connection, ids: Collection[str]) -> None:
    """Versions that never came to a referral go with the one that their record has come to."""
    whose = select(record.c.referral_id).where(record.c.id == version.c.record_id).scalar_subquery()
    theirs = select(record.c.id).where(record.c.referral_id.in_(ids))
    loose = update(version).where(version.c.referral_id.is_(None), version.c.record_id.in_(theirs))
    connection.execute(loose.values(referral_id=whose))


def raw(connection: Connection, council: str, ids: Collection[str], people: Collection[str], gone: Gone) -> None:
    """What sources sent of these referrals, and the facts of revisions that have been overtaken."""
    adopt(connection, ids)
    found = list(connection.execute(select(version.c.raw).where(version.c.referral_id.in_(ids))).scalars())
    facts = set(
        connection.execute(
            select(payload.c.id).where(
                payload.c.person_id.in_(people),
                payload.c.council == council,
                payload.c["class"] == "facts",
                payload.c.body.is_not(None),
            )
        ).scalars()
    )
    named = select(referral.c.id, referral.c.facts).where(referral.c.person_id.in_(people))
    theirs = connection.execute(named).all()
    facts -= {row.facts for row in theirs}
    bound = select(delivery.c.facts).where(
        delivery.c.referral_id.in_([row.id for row in theirs]), delivery.c.facts.is_not(None)
    )
    facts -= set(connection.execute(bound).scalars())
    gone.payloads(empty(connection, council, [*found, *facts]))


def payloads(
    connection: Connection, council: str, ids: Collection[str], gone: Gone, routes: Collection[str] = ()
) -> None:
    """The merged facts, and what was sent and answered. `routes`: only what was sent and answered on these."""
    of = delivery.c.referral_id.in_(ids)
    tries = select(attempt.c.request, attempt.c.reply).join(delivery, delivery.c.id == attempt.c.delivery_id)
    asked = connection.execute(tries.where(of, delivery.c.route.in_(routes)) if routes else tries.where(of))
    found = [id for row in asked for id in row if id]
    if not routes:
        found += connection.execute(select(referral.c.facts).where(referral.c.id.in_(ids))).scalars()
        found += connection.execute(select(delivery.c.facts).where(of, delivery.c.facts.is_not(None))).scalars()
    gone.payloads(empty(connection, council, found))


def hashes(connection: Connection, council: str, ids: Collection[str], people: Collection[str], gone: Gone) -> None:
    """The keyed hashes by which values, bytes and persons are known again."""
    of_records = select(record.c.id).where(record.c.referral_id.in_(ids))
    blank: list[tuple[str, Any, dict[str, Any]]] = [
        ("record", update(record).where(record.c.referral_id.in_(ids)), {"base": {}, "content": None}),
        ("version", update(version).where(version.c.referral_id.in_(ids)), {"content": "", "code": ""}),
        ("delivery", update(delivery).where(delivery.c.referral_id.in_(ids), delivery.c.code != ""), {"code": ""}),
        ("gap", update(gap).where(gap.c.record_id.in_(of_records), gap.c.code != ""), {"code": ""}),
        (
            "conflict",
            update(conflict).where(conflict.c.referral_id.in_(ids)),
            {"lost": cast(conflict.c.id, String)},  # unique with its field: its own number says nothing
        ),
        ("referral", update(referral).where(referral.c.id.in_(ids)), {"hops": None}),
    ]
    for name, statement, values in blank:
        gone.rows(f"{name} hashes", connection.execute(statement.values(**values)).rowcount)
    kept = select(referral.c.person_id).where(referral.c.person_id.in_(people), referral.c.id.not_in(ids))
    still = set(connection.execute(kept.where(referral.c.gone < 3)).scalars())
    alone = sorted(set(people) - still)
    named = delete(person_identifier).where(
        person_identifier.c.person_id.in_(alone), person_identifier.c.council == council
    )
    gone.rows("person_identifier", connection.execute(named).rowcount)


def rows(connection: Connection, council: Council, ids: Collection[str], people: Collection[str], gone: Gone) -> None:
    """The referrals themselves, with everything that names them. What became of their deliveries is counted first."""
    code, wanted = council.code, sorted(ids)
    adopt(connection, wanted)
    states = select(delivery.c.state, func.count()).where(delivery.c.referral_id.in_(wanted))
    for state, count in connection.execute(states.group_by(delivery.c.state)):
        gone.counts[f"delivery {state}"] += count
    states = select(version.c.state, func.count()).where(version.c.referral_id.in_(wanted))
    for state, count in connection.execute(states.group_by(version.c.state)):
        gone.counts[f"version {state}"] += count
    connection.execute(insert(leaving), [{"referral_id": id} for id in wanted])
    deliveries = select(delivery.c.id).where(delivery.c.referral_id.in_(wanted))
    versions = select(version.c.id).where(version.c.referral_id.in_(wanted))
    records = select(record.c.id).where(record.c.referral_id.in_(wanted))
    numbers = connection.execute(
        select(record.c.connection, record.c.kind, record.c.external_id).where(record.c.referral_id.in_(wanted))
    ).all()
    sealed = _sealed(connection, wanted)
    for table, where in (
        (proof, proof.c.delivery_id.in_(deliveries)),
        (attempt, attempt.c.delivery_id.in_(deliveries)),
        (gap, or_(gap.c.delivery_id.in_(deliveries), gap.c.version_id.in_(versions), gap.c.record_id.in_(records))),
        (conflict, conflict.c.referral_id.in_(wanted)),
        (delivery, delivery.c.referral_id.in_(wanted)),
        (version, version.c.referral_id.in_(wanted)),
    ):
        assert isinstance(table, Table)
        gone.rows(table.name, connection.execute(delete(table).where(where)).rowcount)
    # A record that a version of another referral names still stays, and belongs to nobody.
    others = select(version.c.record_id).where(version.c.record_id.in_(records))
    loose = update(record).where(record.c.referral_id.in_(wanted), record.c.id.in_(others))
    connection.execute(loose.values(referral_id=None))
    gone.rows("record", connection.execute(delete(record).where(record.c.referral_id.in_(wanted))).rowcount)
    for number in numbers:
        connection.execute(
            delete(agreed).where(
                agreed.c.council == code, agreed.c.kind == number.kind, agreed.c.source == number.external_id
            )
        )
    connection.execute(delete(forewarning).where(forewarning.c.referral_id.in_(wanted)))
    gone.rows("referral", connection.execute(delete(referral).where(referral.c.id.in_(wanted))).rowcount)
    gone.payloads(empty(connection, code, sealed))
    gone.rows("payload", connection.execute(delete(payload).where(payload.c.id.in_(sorted(sealed)))).rowcount)
    left = set(connection.execute(select(referral.c.person_id).where(referral.c.person_id.in_(people))).scalars())
    alone = sorted(set(people) - left)
    connection.execute(delete(person_identifier).where(person_identifier.c.person_id.in_(alone)))
    overtaken = sorted(connection.execute(select(payload.c.id).where(payload.c.person_id.in_(alone))).scalars())
    gone.payloads(empty(connection, code, overtaken))
    gone.rows("payload", connection.execute(delete(payload).where(payload.c.person_id.in_(alone))).rowcount)
    gone.rows("person", connection.execute(delete(person).where(person.c.id.in_(alone))).rowcount)
    connection.execute(delete(leaving).where(leaving.c.referral_id.in_(wanted)))
    gone.ids += wanted


def _sealed(connection: Connection, ids: Sequence[str]) -> set[str]:
    tries = select(attempt.c.request, attempt.c.reply).join(delivery, delivery.c.id == attempt.c.delivery_id)
    found = {id for row in connection.execute(tries.where(delivery.c.referral_id.in_(ids))) for id in row if id}
    for column, where in (
        (version.c.raw, version.c.referral_id.in_(ids)),
        (delivery.c.facts, delivery.c.referral_id.in_(ids)),
        (referral.c.facts, referral.c.id.in_(ids)),
    ):
        found |= {id for id in connection.execute(select(column).where(where)).scalars() if id}
    return found


def by_class(standings: Sequence[tuple[Standing, int]], level: int) -> tuple[list[str], list[str]]:
    """Of these referrals and the number of classes that are due, those of which this class goes now: ids, persons."""
    due = [one.row for one, due in standings if due >= level]
    return [row.id for row in due], sorted({row.person_id for row in due})
