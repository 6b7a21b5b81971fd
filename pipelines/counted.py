"""What needs attention, counted by the ledger: causes with their numbers, and the cases of one cause page by page.

Everything is answered from indexes that hold open work alone, so that a ledger with a million records behind it answers
as fast as a young one. Who wants every id asks `pipelines.attention`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, case, func, not_, select, text

from pipelines import menders
from pipelines.ids import number_of
from pipelines.looking import sees_one_of_many, sees_version
from pipelines.menders import Mender
from pipelines.plant import Plant
from pipelines.remedies import Remedy, remedy_of
from pipelines.states import DeliveryState
from pipelines.tables import DESK_DELIVERY, DESK_VERSION, cause, delivery, referral, version

#: Cases whose persons are counted for one answer, the smaller causes first.
MOST_PEOPLE = 2_000
_OPEN, _UNREAD = text(DESK_DELIVERY), text(DESK_VERSION)
#: Of what is open for the desk (`_OPEN`), what waits for a person (`worklist.waits_for_a_person`); said as what it is
#: not, so that no planner makes two looks of it and reads every row.
_A_PERSON = not_(and_(delivery.c.state == DeliveryState.NOT_SURE, delivery.c.due.is_not(None)))


@dataclass(frozen=True, slots=True)
class Counted:
    """One cause, and how much waits because of it."""

    id: int
    fingerprint: str
    council: str
    connection: str
    step: str
    error: str
    field: str
    code_list: str
    words: str
    since: int
    versions: int
    deliveries: int
    people: int | None  # whom it touches; None where there are too many cases to count persons
    urgent: int

    @property
    def count(self) -> int:
        """How many versions and deliveries need attention."""
        return self.versions + self.deliveries

    @property
    def remedy(self) -> Remedy:
        """The likely remedy."""
        return remedy_of(self.step, self.error, self.code_list)


@dataclass(frozen=True, slots=True)
class Case:
    """One version or delivery that needs attention."""

    id: str  # v7, d12
    council: str
    connection: str
    kind: str
    number: str  # of the record in its source, for a version
    referral: str
    route: str
    urgent: bool
    restricted: bool
    state: str
    tries: int
    since: int


def causes(plant: Plant, councils: Sequence[str], *, fingerprint: str = "") -> list[Counted]:
    """The causes of all that needs attention in these councils, the most urgent and oldest first."""
    with plant.ledger.reading() as connection:
        only = None
        if fingerprint:
            only = connection.execute(
                select(cause.c.id).where(cause.c.fingerprint == fingerprint, cause.c.council.in_(councils))
            ).scalar()
            if only is None:
                return []
        stopped = _by_cause(connection, _stopped(plant, councils, only))
        unread = {row.cause_id: row for row in unread_by_cause(connection, plant, councils, only)}
        numbers = {id: (stopped[id].number if id in stopped else 0) + (unread[id].number if id in unread else 0)
                   for id in {*stopped, *unread}}  # fmt: skip
        people = _people(connection, plant, councils, numbers)
        rows: list[Row[Any]] = []
        wanted = sorted(numbers)
        for at in range(0, len(wanted), 500):
            rows += connection.execute(select(cause).where(cause.c.id.in_(wanted[at : at + 500]))).all()
    found = [_counted(row, stopped.get(row.id), unread.get(row.id), people.get(row.id)) for row in rows]
    return sorted(found, key=lambda one: (-one.urgent, one.since, one.id))


def _stopped(plant: Plant, councils: Sequence[str], only: int | None) -> Select[Any]:
    statement = (
        select(
            delivery.c.cause_id,
            func.count().label("number"),
            func.min(delivery.c.changed_at).label("since"),
            func.sum(case((delivery.c.urgent, 1), else_=0)).label("urgent"),
        )
        .where(delivery.c.council.in_(councils), _OPEN, _A_PERSON, delivery.c.cause_id.is_not(None))
        .where(plant.sight.of(delivery.c.referral_id))
        .group_by(delivery.c.cause_id)
    )
    return statement if only is None else statement.where(delivery.c.cause_id == only)


def unread_by_cause(connection: Connection, plant: Plant, councils: Sequence[str], only: int | None = None) -> Any:
    """How many records wait because of each cause, and since when; of one cause, where it is named."""
    statement = (
        select(version.c.cause_id, func.count().label("number"), func.min(version.c.at).label("since"))
        .where(version.c.council.in_(councils), _UNREAD, version.c.cause_id.is_not(None))
        .where(sees_one_of_many(plant, _UNREAD))
        .group_by(version.c.cause_id)
    )
    return connection.execute(statement if only is None else statement.where(version.c.cause_id == only)).all()


def _by_cause(connection: Connection, statement: Select[Any]) -> dict[int, Row[Any]]:
    return {row.cause_id: row for row in connection.execute(statement)}


def _people(
    connection: Connection, plant: Plant, councils: Sequence[str], numbers: Mapping[int, int]
) -> dict[int, int]:
    """How many people each cause touches, for as many of the smaller causes as can be counted quickly."""
    left, chosen = MOST_PEOPLE, []
    for id, number in sorted(numbers.items(), key=lambda one: one[1]):
        left -= number
        if left < 0:
            break
        chosen.append(id)
    about: dict[int, set[str]] = {id: set() for id in chosen}
    for at in range(0, len(chosen), 500):
        some = chosen[at : at + 500]
        looks = (
            select(delivery.c.cause_id, referral.c.person_id)
            .join(referral, referral.c.id == delivery.c.referral_id)
            .where(delivery.c.council.in_(councils), _OPEN, _A_PERSON, delivery.c.cause_id.in_(some))
            .where(plant.sight.of(delivery.c.referral_id)),
            select(version.c.cause_id, func.coalesce(referral.c.person_id, version.c.external_id))
            .outerjoin(referral, referral.c.id == version.c.referral_id)
            .where(version.c.council.in_(councils), _UNREAD, version.c.cause_id.in_(some), sees_version(plant)),
        )
        for look in looks:
            for id, person in connection.execute(look):
                about[id].add(person)
    return {id: len(people) for id, people in about.items()}


def _counted(row: Row[Any], stopped: Row[Any] | None, unread: Row[Any] | None, people: int | None) -> Counted:
    return Counted(
        row.id, row.fingerprint, row.council, row.connection, row.step, row.error, row.field, row.code_list, row.words,
        min(one.since for one in (stopped, unread) if one is not None),
        unread.number if unread else 0,
        stopped.number if stopped else 0,
        people,
        int(stopped.urgent) if stopped else 0,
    )  # fmt: skip


def mender_of(plant: Plant, one: Counted) -> Mender | None:
    """Who can mend a cause."""
    council = plant.councils[one.council]
    return menders.of_cause(council, one.connection, step=one.step, field=one.field, code_list=one.code_list)


def cases(plant: Plant, one: Counted, *, after: str = "", limit: int = 25) -> tuple[list[Case], str]:
    """Some cases of a cause, versions first and then deliveries, the oldest first, as they would be sent again; and
    after which the next ones come, "" where there are none. `after` is such a mark."""
    letter, last = after[:1], int(after[1:]) if after[1:].isdecimal() and len(after) < 20 else 0
    found: list[Case] = []
    with plant.ledger.reading() as connection:
        if letter != "d":
            found += _unread_cases(connection, plant, one, last, limit + 1)
        if len(found) <= limit:
            found += _stopped_cases(connection, plant, one, last if letter == "d" else 0, limit + 1 - len(found))
    more = found[limit - 1].id if len(found) > limit else ""
    return found[:limit], more


def has(plant: Plant, one: Counted, id: str) -> bool:
    """Whether something (d12, v7) waits because of a cause, and may be seen."""
    number = number_of(id, id[:1])
    if id.startswith("v"):
        wanted = select(version.c.id).where(_UNREAD, sees_version(plant))
        wanted = wanted.where(version.c.id == number, version.c.cause_id == one.id)
    else:
        wanted = select(delivery.c.id).where(_OPEN, _A_PERSON, plant.sight.of(delivery.c.referral_id))
        wanted = wanted.where(delivery.c.id == number, delivery.c.cause_id == one.id)
    with plant.ledger.reading() as connection:
        return connection.execute(wanted).first() is not None


def _unread_cases(connection: Connection, plant: Plant, one: Counted, after: int, limit: int) -> list[Case]:
    rows = connection.execute(
        select(version, referral.c.restricted)
        .outerjoin(referral, referral.c.id == version.c.referral_id)
        .where(version.c.council == one.council, version.c.cause_id == one.id, _UNREAD, version.c.id > after)
        .where(sees_version(plant))
        .order_by(version.c.id)
        .limit(limit)
    )
    return [
        Case(f"v{row.id}", row.council, row.connection, row.kind, row.external_id, row.referral_id or "", "", False,
             bool(row.restricted), row.state, 0, row.at)
        for row in rows
    ]  # fmt: skip


def _stopped_cases(connection: Connection, plant: Plant, one: Counted, after: int, limit: int) -> list[Case]:
    rows = connection.execute(
        select(delivery, referral.c.restricted)
        .join(referral, referral.c.id == delivery.c.referral_id)
        .where(delivery.c.council == one.council, delivery.c.cause_id == one.id, delivery.c.id > after)
        .where(_OPEN, _A_PERSON, plant.sight.of(delivery.c.referral_id))
        .order_by(delivery.c.id)
        .limit(limit)
    )
    return [
        Case(f"d{row.id}", row.council, row.connection, row.kind, "", row.referral_id, row.route, row.urgent,
             row.restricted, row.state, row.tries, row.changed_at)
        for row in rows
    ]  # fmt: skip
