"""What needs attention: versions and deliveries that wait for a person, grouped by cause, with what can be done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select

from pipelines import deciding, regressed
from pipelines.plant import Plant
from pipelines.states import VersionState
from pipelines.tables import cause, conflict, delivery, version
from pipelines.worklist import waits_for_a_person


@dataclass(frozen=True, slots=True)
class Group:
    """One cause and what waits because of it."""

    fingerprint: str
    council: str
    connection: str
    step: str
    error: str
    field: str
    code_list: str
    words: str
    since: int
    versions: tuple[int, ...]
    deliveries: tuple[int, ...]
    people: int
    urgent: int
    left_out: int = 0  # records that went on without this field

    @property
    def count(self) -> int:
        """How many versions and deliveries need attention."""
        return len(self.versions) + len(self.deliveries)

    @property
    def remedy(self) -> str:
        """What an officer can do about it, in a sentence."""
        return _remedy(self)


def attention(plant: Plant, councils: Sequence[str] = ()) -> list[Group]:
    """Everything that needs attention, by cause, the most urgent and oldest first."""
    wanted = set(councils) or set(plant.councils)
    with plant.ledger.reading() as connection:
        rows = connection.execute(select(cause).where(cause.c.council.in_(wanted)).order_by(cause.c.first_seen)).all()
        groups = []
        for row in rows:
            versions = connection.execute(
                select(version.c.id, version.c.referral_id, version.c.external_id, version.c.at)
                .where(version.c.cause_id == row.id, version.c.state == VersionState.ATTENTION)
                .order_by(version.c.id)
            ).all()
            stopped = connection.execute(
                select(delivery.c.id, delivery.c.referral_id, delivery.c.urgent, delivery.c.changed_at)
                .where(delivery.c.cause_id == row.id, waits_for_a_person())
                .order_by(delivery.c.id)
            ).all()
            if not versions and not stopped:
                continue
            people = {v.referral_id or v.external_id or f"v{v.id}" for v in versions} | {d.referral_id for d in stopped}
            since = min([v.at for v in versions] + [d.changed_at for d in stopped])
            groups.append(
                Group(
                    row.fingerprint,
                    row.council,
                    row.connection,
                    row.step,
                    row.error,
                    row.field,
                    row.code_list,
                    row.words,
                    since,
                    tuple(v.id for v in versions),
                    tuple(d.id for d in stopped),
                    len(people),
                    sum(1 for d in stopped if d.urgent),
                )
            )
    return sorted(groups, key=lambda group: (-group.urgent, group.since))


def open_conflicts(plant: Plant, councils: Sequence[str] = ()) -> list[Row[Any]]:
    """Conflicts that a person must look at and nobody has: on safeguarding fields, and those that go on for ever."""
    wanted = set(councils) or set(plant.councils)
    with plant.ledger.reading() as connection:
        return list(
            connection.execute(
                select(conflict)
                .where(conflict.c.open.is_(True), conflict.c.council.in_(wanted))
                .order_by(conflict.c.at)
            ).all()
        )


def _remedy(group: Group) -> str:
    """The likely remedy, by what kind of thing it is."""
    match group.error:
        case regressed.ERROR:
            return f"ask whoever looks after {group.connection} whether it was restored, then send again"
        case deciding.ANOTHER_PERSON:
            return "ask there whose record it is, then: dolen settle ID --same, or --new if its number was used again"
        case "deleted":
            return f"agree with whoever looks after {group.connection} what is to happen, do it there, then close it"
        case "NotThere":
            return f"ask in {group.connection} why it was deleted; then close it, or: dolen settle ID --not-arrived"
    if group.code_list:
        return f"the owner of codes/{group.code_list}.csv decides what the code means: see dolen codes unmapped"
    match group.step:
        case "feed":
            return f"have the record mended in {group.connection}; it comes back by itself"
        case "read":
            return (
                f"have {group.field or 'the record'} mended in {group.connection}, or mend the mapping, then send again"
            )
        case "match":
            return "decide which referral or person it is, have the number mended at its source, then send again"
        case "tell":
            return "ring, then say so: dolen text rang ID"
        case "by hand":
            return "type it in, then: dolen settle ID --by-hand NUMBER"
        case "look up":
            return f"look it up in {group.connection}, then: dolen settle ID --arrived NUMBER, or --not-arrived"
        case "write":
            return f"have {group.field or 'the field'} mended at its source, or mend the mapping, then send again"
        case _:
            what = group.field or "what was refused"
            return f"mend {what} at its source, or ask whoever looks after {group.connection}, then send again"
