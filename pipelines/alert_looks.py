"""What is amiss in the movement at this moment, as conditions: causes that wait for a person, what is late, sources
that lag, pauses, backlogs, interfaces that changed, comparisons that differ, arrivals that nobody picked up.

Each look only counts. It gives ids, counts and times; what is worth an alert is decided by the site's limits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Integer, and_, case, cast, func, or_, select, text

from pipelines import interfaces_seen, pauses, proofs
from pipelines.alert_rules import AlertRules
from pipelines.clock import SECOND
from pipelines.grants import TAKEN
from pipelines.plant import Council, Plant
from pipelines.schedule import timetable
from pipelines.states import OPEN, VersionState
from pipelines.tables import cause, delivery, lane, record, referral, sight_grant, version, walk
from pipelines.worklist import waits_for_a_person

URGENT = ("urgent", "emergency")


class Amiss(StrEnum):
    """The kinds of what is worth an alert. One look each; a kind that could not be looked at closes nothing."""

    ATTENTION = "attention"
    LATE = "late"
    LAG = "lag"
    PAUSED = "paused"
    BACKLOG = "backlog"
    INTERFACE = "interface"
    DIFFERENCE = "difference"
    NOT_PICKED_UP = "not picked up"
    QUIET = "quiet"
    GLASS = "break-glass"
    RESTRICTED = "restricted"
    EXPIRY = "expiry"
    DISK = "disk"
    CLOCK = "clock"
    KEYS = "keys"
    DOWN = "down"
    LOST = "lost"  # a process fell silent


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that is amiss. What is equal in kind, council and the rest of the key is one alert."""

    kind: Amiss
    council: str = ""
    connection: str = ""
    route: str = ""
    cause: str = ""  # fingerprint, or what else tells two of one kind apart
    words: str = ""  # about the cause; for the rest the words follow from the kind
    urgent: bool = False
    count: int = 0
    since: int = 0
    newest: int = 0  # grows when something new joins

    @property
    def key(self) -> str:
        """What tells two alerts apart."""
        return "|".join((self.kind.value, self.council, self.connection, self.route, self.cause))


def micro(span: timedelta) -> int:
    """A span in the ledger's microseconds."""
    return int(span.total_seconds() * SECOND)


def attention(connection: Connection, plant: Plant, rules: AlertRules, now: int) -> Iterator[Condition]:
    """Causes because of which many wait for a person, or some for long, or an urgent one at all."""
    limits = rules.limits
    groups: dict[int, list[Any]] = {}  # cause -> count, since, urgent, newest
    for row in connection.execute(
        select(
            delivery.c.cause_id, func.count(), func.min(delivery.c.changed_at),
            func.sum(cast(delivery.c.urgent, Integer)), func.max(delivery.c.changed_at),
        )
        .where(delivery.c.council.in_(list(plant.councils)), delivery.c.state.in_(OPEN), waits_for_a_person())
        .group_by(delivery.c.cause_id)
    ):  # fmt: skip
        if row[0] is not None:
            groups[row[0]] = list(row[1:])
    pressing = case((referral.c.priority.in_(URGENT), 1), else_=0)
    waited: dict[int, int] = {}
    for row in connection.execute(
        select(version.c.cause_id, func.count(), func.min(version.c.at), func.sum(pressing), func.max(version.c.at))
        .outerjoin(referral, referral.c.id == version.c.referral_id)
        .where(version.c.council.in_(list(plant.councils)), version.c.state == VersionState.ATTENTION)
        .group_by(version.c.cause_id)
    ):
        if row[0] is None:
            continue
        held = groups.setdefault(row[0], [0, row[2], 0, row[4]])
        held[0] += row[1]
        held[1], held[2], held[3] = min(held[1], row[2]), held[2] + row[3], max(held[3], row[4])
        waited[row[0]] = row[2]
    if not groups:
        return
    for why in connection.execute(select(cause).where(cause.c.id.in_(list(groups)))):
        count, since, urgent, newest = groups[why.id]
        # What could not even be read may be urgent: nobody knows, so it is taken for it once its route's time is over.
        shortest = _shortest(plant.councils[why.council], why.connection)
        urgent = urgent or (why.id in waited and shortest is not None and now - waited[why.id] > shortest)
        if urgent or count >= limits.attention or now - since >= micro(limits.attention_after):
            yield Condition(
                Amiss.ATTENTION, why.council, why.connection, cause=why.fingerprint, words=why.words,
                urgent=bool(urgent), count=count, since=since, newest=newest,
            )  # fmt: skip


def _shortest(council: Council, source: str) -> int | None:
    within = [route.arrive_within for route in council.routes_from(source) if route.arrive_within is not None]
    return micro(min(within)) if within else None


def late(connection: Connection, plant: Plant, _rules: AlertRules, now: int) -> Iterator[Condition]:
    """What is past its route's `arrive_within` and has not arrived."""
    for council in plant.councils.values():
        for route in council.routes:
            if route.arrive_within is None:
                continue
            count, since, newest = connection.execute(
                select(func.count(), func.min(delivery.c.at), func.max(delivery.c.at)).where(
                    delivery.c.council == council.code,
                    delivery.c.route == route.name,
                    delivery.c.state.in_(OPEN),
                    delivery.c.at < now - micro(route.arrive_within),
                )
            ).one()
            if count:
                yield Condition(
                    Amiss.LATE, council.code, route.target, route.name,
                    urgent=True, count=count, since=since, newest=newest,
                )  # fmt: skip


def lag(connection: Connection, plant: Plant, rules: AlertRules, now: int) -> Iterator[Condition]:
    """Sources that were due to be read long ago. A paused or closed one is told as that."""
    read = {
        (row.council, row.connection, row.kind): row
        for row in connection.execute(select(walk).where(walk.c.purpose == "live"))
    }
    held = pauses.all_pauses(connection)
    for council in plant.councils.values():
        for wired in council.wired.values():
            if (council.code, wired.name) in held or wired.closed_until(now) is not None:
                continue
            oldest: int | None = None
            for kind in wired.kinds.values():
                row, table = read.get((council.code, wired.name, kind.name)), timetable(wired, kind)
                done = None if row is None else row.completed or row.began
                if table is None or done is None:
                    continue
                due = table.due(now - micro(rules.limits.lag))
                if due is not None and done < due:
                    oldest = done if oldest is None else min(done, oldest)
            if oldest is not None:
                yield Condition(Amiss.LAG, council.code, wired.name, since=oldest)


def paused(connection: Connection, plant: Plant, rules: AlertRules, now: int) -> Iterator[Condition]:
    """Connections that have been left alone for long."""
    for (code, name), row in pauses.all_pauses(connection).items():
        held: Any = row
        known = code in plant.councils and name in plant.councils[code].wired
        if known and now - held.at >= micro(rules.limits.paused):
            yield Condition(Amiss.PAUSED, code, name, words=held.why, since=held.at)


def backlog(connection: Connection, plant: Plant, rules: AlertRules, now: int) -> Iterator[Condition]:
    """Targets for which very many wait."""
    for council in plant.councils.values():
        counts = connection.execute(
            select(lane.c.connection, func.count())
            .where(lane.c.council == council.code, lane.c.due.is_not(None))
            .group_by(lane.c.connection)
        )
        for name, count in counts:
            if count >= rules.limits.backlog:
                yield Condition(Amiss.BACKLOG, council.code, name, count=count, since=now)


def interface(connection: Connection, plant: Plant, _rules: AlertRules, now: int) -> Iterator[Condition]:
    """Systems that show another interface than the pinned one, where something breaks or may."""
    for seen in interfaces_seen.of_connections(connection, plant):
        if seen.attention:
            count = seen.breaks + seen.may_break
            yield Condition(Amiss.INTERFACE, seen.council, seen.connection, count=count, since=seen.since or now)


def difference(connection: Connection, plant: Plant, _rules: AlertRules, now: int) -> Iterator[Condition]:
    """Routes whose two ends did not agree when they were last compared."""
    for proved in proofs.of_routes(connection, plant):
        if proved.at is not None and proved.agrees is False:
            yield Condition(
                Amiss.DIFFERENCE, proved.council, route=proved.route, count=proved.differ, since=proved.at or now
            )


def not_picked_up(connection: Connection, plant: Plant, rules: AlertRules, now: int) -> Iterator[Condition]:
    """Referrals that arrived where their status is kept, and that nobody there has looked at."""
    limits = rules.limits
    for council in plant.councils.values():
        owner = council.owners.get("status")
        if owner is None:
            continue
        pressing = referral.c.priority.in_(URGENT)
        count, since, urgent, newest = connection.execute(
            select(
                func.count(), func.min(record.c.at), func.sum(case((pressing, 1), else_=0)), func.max(record.c.at)
            )
            .join(record, record.c.referral_id == referral.c.id)
            .where(
                referral.c.council == council.code,
                referral.c.status == "received",
                referral.c.born_in != owner,
                record.c.connection == owner,
                or_(
                    record.c.at < now - micro(limits.not_picked_up),
                    and_(pressing, record.c.at < now - micro(limits.urgent_not_picked_up)),
                ),
            )
        ).one()
        if count:
            yield Condition(
                Amiss.NOT_PICKED_UP, council.code, owner, urgent=bool(urgent), count=count, since=since, newest=newest
            )


def glass(connection: Connection, plant: Plant, _rules: AlertRules, _now: int) -> Iterator[Condition]:
    """Restricted referrals that somebody opened unasked, and nobody has reviewed: told at once, until it is."""
    opened = (
        select(
            sight_grant.c.council,
            func.count().label("number"),
            func.min(sight_grant.c.at).label("since"),
            func.max(sight_grant.c.id).label("newest"),
        )
        .where(sight_grant.c.council.in_(list(plant.councils)))
        .where(sight_grant.c.how == TAKEN, sight_grant.c.reviewed.is_(None))
        .group_by(sight_grant.c.council)
    )
    for row in connection.execute(opened):
        yield Condition(
            Amiss.GLASS, row.council, urgent=True, count=row.number, since=row.since, newest=row.newest
        )


def restricted(connection: Connection, plant: Plant, _rules: AlertRules, _now: int) -> Iterator[Condition]:
    """Requests about which nothing is sent any more, by a person's word: told at once, since what they brought stays
    undone until somebody rings. An answer holds until another is restricted."""
    stopped = (
        select(
            referral.c.council,
            func.count().label("number"),
            func.min(referral.c.stopped).label("since"),
            func.max(referral.c.stopped).label("newest"),
        )
        .where(text("referral.restricted"))  # in the words of the index that holds these few
        .where(referral.c.council.in_(list(plant.councils)), referral.c.stopped.is_not(None))
        .group_by(referral.c.council)
    )
    for row in connection.execute(stopped):
        yield Condition(
            Amiss.RESTRICTED, row.council, urgent=True, count=row.number, since=row.since, newest=row.newest
        )
