"""The whole story of one referral, in order: versions, deliveries, tries, proofs, conflicts and people (G8).

It shows ids, states, field names and reasons, never a value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, or_, select

from pipelines.looking import NotPossible
from pipelines.plant import Plant
from pipelines.tables import attempt, audit, cause, conflict, delivery, proof, record, referral, version, walk


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened."""

    at: int
    what: str  # version, delivery, try, proof, conflict, person
    id: str
    words: str


@dataclass(frozen=True, slots=True)
class Story:
    """One referral: where it is in each system, and everything that happened to it."""

    council: str
    referral: str
    citizen_reference: str
    status: str
    revision: int
    numbers: tuple[tuple[str, str], ...]  # (connection, its number there)
    lines: tuple[Line, ...]


def council_of(plant: Plant, id: str) -> str | None:
    """The council of a referral, None where there is no such referral, or not for these eyes."""
    wanted = select(referral.c.council).where(referral.c.id == id, plant.sight.of(referral.c.id))
    with plant.ledger.reading() as connection:
        found: str | None = connection.execute(wanted.where(referral.c.council.in_(list(plant.councils)))).scalar()
    return found


def tell(plant: Plant, id: str) -> Story:
    """Tell the story of a referral. Raises NotPossible for one that this site's councils do not have."""
    lines: list[Line] = []
    with plant.ledger.reading() as connection:
        mine = referral.c.council.in_(list(plant.councils)) & plant.sight.of(referral.c.id)
        row = connection.execute(select(referral).where(referral.c.id == id, mine)).first()
        if row is None:
            raise NotPossible(f"there is no referral {id}; see `dolen trace`")
        numbers = connection.execute(
            select(record.c.connection, record.c.external_id).where(record.c.referral_id == id).order_by(record.c.id)
        ).all()
        ids = {f"referral {id}"}
        records = connection.execute(select(record.c.id).where(record.c.referral_id == id)).scalars().all()
        for v in connection.execute(
            select(version, cause.c.words)
            .outerjoin(cause, cause.c.id == version.c.cause_id)
            .where(
                or_(
                    version.c.record_id.in_(records),
                    and_(version.c.referral_id == id, version.c.record_id.is_(None)),  # a reply of a resident's
                )
            )
        ):
            made = f"; made revision {v.revision}" if v.revision else ""
            why = f"; {v.words}" if v.words and v.state == "needs attention" else ""
            left = f"; left out: {', '.join(gap[0] for gap in v.gaps)}" if v.gaps else ""
            told = f"; {v.remark}" if v.remark else ""
            rule = f"; not sent by {', '.join(v.not_taken)} (condition)" if v.not_taken else ""
            mapped = f"; mapping {v.mapping[:12]}" if v.mapping else ""
            lines.append(
                Line(
                    v.at,
                    "version",
                    f"v{v.id}",
                    f"{v.connection} {v.external_id}: {v.state}{made}{why}{told}{left}{rule}{mapped}",
                )
            )
            ids.add(f"v{v.id}")
        for d in connection.execute(select(delivery).where(delivery.c.referral_id == id)).all():
            ids.add(f"d{d.id}")
            state = f"{d.state} ({d.reason})" if d.reason else d.state
            state += f"; to be sent with mapping {d.mapping[:12]}, chosen by a person" if d.mapping else ""
            lines.append(
                Line(d.at, "delivery", f"d{d.id}", f"revision {d.revision} to {d.connection} by {d.route}: {state}")
            )
            for a in connection.execute(select(attempt).where(attempt.c.delivery_id == d.id)).all():
                mapped = f"; mapping {a.mapping[:12]}" if a.mapping else ""
                words = f"{a.what}: {a.outcome or 'under way'}" + (f" - {a.words}" if a.words else "") + mapped
                lines.append(Line(a.begun, "try", f"d{d.id}", words))
            for p in connection.execute(select(proof).where(proof.c.delivery_id == d.id)).all():
                lines.append(
                    Line(
                        p.at,
                        "proof",
                        f"d{d.id}",
                        f"{d.connection} holds revision {p.revision} as {p.external_id}: {p.how}",
                    )
                )
        for c in connection.execute(select(conflict).where(conflict.c.referral_id == id)).all():
            lines.append(
                Line(c.at, "conflict", f"c{c.id}", f"{c.field}: {c.winner} stands, {c.loser} had something else")
            )
        for a in connection.execute(
            select(audit).where(audit.c.subject.in_(ids), audit.c.council == row.council)
        ).all():
            lines.append(Line(a.at, "person", a.subject, f"{a.who}: {a.action}"))
    order = {"version": 0, "delivery": 1, "try": 2, "proof": 3, "conflict": 4, "person": 5}
    return Story(
        row.council,
        row.id,
        row.citizen_reference,
        row.status or "",
        row.revision,
        tuple((n.connection, n.external_id) for n in numbers),
        tuple(sorted(lines, key=lambda line: (line.at, order[line.what]))),
    )


def last_read(plant: Plant) -> list[dict[str, Any]]:
    """When each source was last read to its end: what to say of a referral that was never shown to us."""
    with plant.ledger.reading() as connection:
        return [
            {"council": row.council, "connection": row.connection, "kind": row.kind, "completed": row.completed}
            for row in connection.execute(
                select(walk).where(walk.c.purpose == "live").order_by(walk.c.council, walk.c.connection)
            )
            if row.council in plant.councils
        ]
