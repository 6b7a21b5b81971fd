"""Alerts as the ledger keeps them: one that opens, one that closes, answers, and who is told of what and when.

`settle` takes what is amiss at this moment and writes what is news, in one short transaction; nothing is sent here. A
cause has one open alert, by the ledger's own word, and each notice of it to each way has a key of its own, so that
several schedulers make each of them once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from croniter import croniter
from sqlalchemy import Connection, Row, delete, select, update

from pipelines import audit
from pipelines.alert_looks import Amiss, Condition, micro
from pipelines.alert_rules import SITE, AlertRules, Told, Way
from pipelines.calendar import closed_until
from pipelines.clock import SECOND, to_instant, to_time
from pipelines.ids import new_id, number_of
from pipelines.ledger import insert_new
from pipelines.looking import NotPossible
from pipelines.plant import Plant
from pipelines.rights import Right
from pipelines.sight import NoSuch
from pipelines.tables import alert, alert_notice

#: What was not seen for so long is over: what comes and goes is one alert and not many.
CALM = 120 * SECOND
#: Closed alerts and what was told of them are kept for so long; the audit keeps the answers.
_KEPT = 90 * 86_400 * SECOND


@dataclass(frozen=True, slots=True)
class News:
    """What one look changed."""

    opened: int = 0
    closed: int = 0
    again: int = 0


def settle(
    plant: Plant, rules: AlertRules, found: Iterable[Condition], looked: Collection[Amiss], now: int
) -> News:
    """Open what is new, close what is over, and plan who is told. `looked`: the kinds that could be looked at."""
    seen = {one.key: one for one in found}
    if not seen and not open_alerts(plant):
        return News()
    opened = closed = again = 0
    with plant.ledger.writing(making_room=True) as connection:
        held = {row.key: row for row in connection.execute(select(alert).where(alert.c.closed.is_(None)))}
        for key, one in seen.items():
            if key not in held:
                opened += _open(connection, rules, one, now)
            else:
                _still(connection, held[key], one, now)
        for key, row in held.items():
            if key not in seen and row.kind in looked and now - row.seen >= CALM:
                closed += _close(connection, rules, row, now)
        for row in connection.execute(
            select(alert).where(alert.c.closed.is_(None), alert.c.again <= now, alert.c.answered.is_(None))
        ).all():
            again += _again(connection, rules, row, now)
        _forget(connection, now)
    return News(opened, closed, again)


def _open(connection: Connection, rules: AlertRules, one: Condition, now: int) -> int:
    name = new_id()
    row: dict[str, Any] = {
        "name": name, "key": one.key, "kind": one.kind.value, "council": one.council, "connection": one.connection,
        "route": one.route, "cause": one.cause, "words": one.words, "urgent": one.urgent, "count": one.count,
        "since": one.since or now, "newest": one.newest, "opened": now, "seen": now, "answered_by": "",
        "answered_for": 0, "told": 1, "again": now + micro(rules.alerts.again) if one.urgent else None,
    }  # fmt: skip
    insert_new(connection, alert, [row])
    made = connection.execute(select(alert).where(alert.c.name == name)).first()
    if made is None:
        return 0  # another scheduler was quicker, and tells it
    told = rules.of(made.council)
    _plan(connection, made, "opened", told, _ways(told, urgent=one.urgent), one.urgent, now, rules)
    return 1


def _still(connection: Connection, row: Row[Any], one: Condition, now: int) -> None:
    """What is still so. It may have become urgent, and something may have joined after it was answered."""
    values: dict[str, Any] = {
        "seen": now, "count": one.count, "words": one.words, "newest": max(one.newest, row.newest),
    }  # fmt: skip
    if one.urgent and not row.urgent:
        values |= {"urgent": True, "answered": None, "again": now}
    elif one.urgent and row.answered is not None and one.newest > row.answered_for:
        values |= {"answered": None, "again": now}  # an answer covers what was there when it was given
    connection.execute(update(alert).where(alert.c.id == row.id, alert.c.closed.is_(None)).values(**values))


def _close(connection: Connection, rules: AlertRules, row: Row[Any], now: int) -> int:
    ended = connection.execute(
        update(alert).where(alert.c.id == row.id, alert.c.closed.is_(None)).values(closed=now, again=None)
    )
    if ended.rowcount:
        told = rules.of(row.council)
        _plan(connection, row, "closed", told, _ways(told, urgent=row.urgent), row.urgent, now, rules)
    return ended.rowcount


def _again(connection: Connection, rules: AlertRules, row: Row[Any], now: int) -> int:
    mine = connection.execute(
        update(alert)
        .where(alert.c.id == row.id, alert.c.again == row.again, alert.c.answered.is_(None))
        .values(told=alert.c.told + 1, again=now + micro(rules.alerts.again))
    )
    if not mine.rowcount:
        return 0
    told = rules.of(row.council)
    waits = set(
        connection.execute(
            select(alert_notice.c.way).where(alert_notice.c.alert_id == row.id, alert_notice.c.due.is_not(None))
        ).scalars()
    )
    ways = [way for way in _duty(told) if way.name not in waits]  # who could not be told yet is told once
    _plan(connection, row, f"again-{row.told}", told, ways, True, now, rules)
    return 1


def _ways(told: Told, *, urgent: bool) -> Sequence[Way]:
    """Who hears of it: everybody of what is urgent; of the rest not the duty contact, unless there is nobody else."""
    rest = [way for way in told.ways if not way.duty]
    return told.ways if urgent else rest or told.ways


def _duty(told: Told) -> Sequence[Way]:
    on_duty = [way for way in told.ways if way.duty]
    return on_duty or told.ways


def _plan(
    connection: Connection, row: Row[Any], what: str, told: Told, ways: Sequence[Way], urgent: bool, now: int,
    rules: AlertRules,
) -> None:  # fmt: skip
    due = now if urgent else may_tell(told, rules, now)
    insert_new(
        connection,
        alert_notice,
        [
            {
                "key": f"{row.name}.{what}.{way.name}", "alert_id": row.id, "what": what.partition("-")[0],
                "way": way.name, "urgent": urgent, "due": due, "tries": 0, "words": "", "at": now,
            }
            for way in ways
        ],
    )  # fmt: skip


def may_tell(told: Told, rules: AlertRules, now: int) -> int:
    """When somebody may be told of what can wait: at the next digest, and never in quiet hours."""
    at = now
    zone = ZoneInfo(told.zone)
    if rules.alerts.digest is not None:
        local = to_instant(now).astimezone(zone).replace(tzinfo=None)
        planned = croniter(rules.alerts.digest, local).get_next(datetime)
        at = to_time(planned.replace(tzinfo=zone))
    ends = closed_until(told.quiet, told.zone, to_instant(at), told.holidays) if told.quiet else None
    return at if ends is None else to_time(ends)


def answer(plant: Plant, id: str, *, who: str, why: str = "") -> str:
    """Say that somebody has taken it on: the duty contact is not told again of what is there now. Says what was done.

    What concerns the site as a whole may be answered by whoever may act for one of its councils. Raises NotPossible.
    """
    row = _alert(plant, id)
    if row.council:
        plant.sight.need(Right.CONTROL, row.council)
    if row.closed is not None:
        raise NotPossible(f"a{row.id} is over since then; there is nothing to answer")
    now = plant.clock.now()
    with plant.ledger.writing(making_room=True) as connection:
        first = connection.execute(
            update(alert)
            .where(alert.c.id == row.id, alert.c.answered.is_(None), alert.c.closed.is_(None))
            .values(answered=now, answered_by=who, answered_for=alert.c.newest, again=None)
        )
        if not first.rowcount:
            held = connection.execute(select(alert).where(alert.c.id == row.id)).one()
            raise NotPossible(f"a{row.id} is answered already, by {held.answered_by or 'somebody'}")
        audit.write(
            connection, plant.vault, council=row.council or _any_council(plant), who=who, action="answer alert",
            subject=f"a{row.id}", why=why, now=now, detail={"kind": row.kind},
        )  # fmt: skip
    return f"a{row.id} is answered by {who}"


def _any_council(plant: Plant) -> str:
    """Under which council the audit keeps what concerns the site: a reason is sealed with a council's key."""
    return min(plant.councils, default=SITE)


def _alert(plant: Plant, id: str) -> Row[Any]:
    number = number_of(id, "a")
    with plant.ledger.reading() as connection:
        row = connection.execute(select(alert).where(alert.c.id == number)).first() if number is not None else None
    if row is None or row.council not in (SITE, *plant.councils):
        raise NoSuch(f"there is no alert {id}; ids look like a12 (see `dolen alerts`)")
    return row


def open_alerts(plant: Plant, council: str = "") -> list[Row[Any]]:
    """What is amiss now with the site and its councils, or with one, the most urgent and oldest first."""
    among = (council,) if council else (SITE, *plant.councils)
    with plant.ledger.reading() as connection:
        rows = connection.execute(
            select(alert)
            .where(alert.c.closed.is_(None), alert.c.council.in_(among))
            .order_by(alert.c.urgent.desc(), alert.c.opened)
        ).all()
    return list(rows)


def untold(plant: Plant) -> list[Row[Any]]:
    """Notices that should have reached somebody by now and did not, the oldest first."""
    with plant.ledger.reading() as connection:
        return list(
            connection.execute(
                select(alert_notice)
                .where(alert_notice.c.due.is_not(None), alert_notice.c.tries > 0)
                .order_by(alert_notice.c.id)
                .limit(100)
            ).all()
        )


def _forget(connection: Connection, now: int) -> None:
    old = select(alert.c.id).where(alert.c.closed < now - _KEPT)
    connection.execute(delete(alert_notice).where(alert_notice.c.alert_id.in_(old)))
    connection.execute(delete(alert).where(alert.c.closed < now - _KEPT))
