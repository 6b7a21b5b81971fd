"""What needs attention: versions and deliveries that wait for a person, grouped by cause, with what can be done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select

from pipelines.looking import sees_version
from pipelines.plant import Plant
from pipelines.remedies import Remedy, remedy_of
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
        return remedy(self.step, self.error, self.code_list, self.connection, self.field)


def attention(plant: Plant, councils: Sequence[str] = ()) -> list[Group]:
    """Everything that needs attention, by cause, the most urgent and oldest first."""
    wanted = [code for code in plant.councils if not councils or code in councils]
    with plant.ledger.reading() as connection:
        rows = connection.execute(select(cause).where(cause.c.council.in_(wanted)).order_by(cause.c.first_seen)).all()
        groups = []
        for row in rows:
            versions = connection.execute(
                select(version.c.id, version.c.referral_id, version.c.external_id, version.c.at)
                .where(version.c.cause_id == row.id, version.c.state == VersionState.ATTENTION, sees_version(plant))
                .order_by(version.c.id)
            ).all()
            stopped = connection.execute(
                select(delivery.c.id, delivery.c.referral_id, delivery.c.urgent, delivery.c.changed_at)
                .where(
                    delivery.c.cause_id == row.id, waits_for_a_person(), plant.sight.of(delivery.c.referral_id)
                )
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
    wanted = [code for code in plant.councils if not councils or code in councils]
    with plant.ledger.reading() as connection:
        return list(
            connection.execute(
                select(conflict)
                .where(
                    conflict.c.open.is_(True),
                    conflict.c.council.in_(wanted),
                    plant.sight.of(conflict.c.referral_id),
                )
                .order_by(conflict.c.at)
            ).all()
        )


def remedy(step: str, error: str, code_list: str, where: str, what: str) -> str:
    """The likely remedy as the command line words it. `where`: the connection; `what`: the field."""
    match remedy_of(step, error, code_list):
        case Remedy.RESTORED:
            return f"ask whoever looks after {where} whether it was restored, then send again"
        case Remedy.WHOSE:
            return "ask there whose record it is, then: dolen settle ID --same, or --new if its number was used again"
        case Remedy.DELETED:
            return f"agree with whoever looks after {where} what is to happen, do it there, then close it"
        case Remedy.GONE:
            return f"ask in {where} why it was deleted; then close it, or: dolen settle ID --not-arrived"
        case Remedy.CODES:
            return f"the owner of codes/{code_list}.csv decides what the code means: see dolen codes unmapped"
        case Remedy.SOURCE:
            return f"have the record mended in {where}; it comes back by itself"
        case Remedy.READING:
            return f"have {what or 'the record'} mended in {where}, or mend the mapping, then send again"
        case Remedy.MATCH | Remedy.CHOOSE:
            return "decide which referral or person it is, have the number mended at its source, then send again"
        case Remedy.RING:
            return "ring, then say so: dolen text rang ID"
        case Remedy.REPLY:
            return "read it with dolen text read ID, answer, then: dolen close ID"
        case Remedy.TYPE:
            return "type it in, then: dolen settle ID --by-hand NUMBER"
        case Remedy.LOOK_UP:
            return f"look it up in {where}, then: dolen settle ID --arrived NUMBER, or --not-arrived"
        case Remedy.WRITING:
            return f"have {what or 'the field'} mended at its source, or mend the mapping, then send again"
        case Remedy.REFUSED:
            what = what or "what was refused"
            return f"mend {what} at its source, or ask whoever looks after {where}, then send again"
