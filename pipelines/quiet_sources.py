"""Sources that are quieter than they ever were at that hour and weekday: by their own past, and nobody's data.

How many versions each source showed in each hour is tallied as they come, so that the past stays known when the
versions themselves have expired. A source is quiet when it showed nothing, or next to nothing, in hours in which it
has shown something in each of the weeks before. Bank holidays count for nothing, on either side.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, delete, func, select

from pipelines import pauses
from pipelines.alert_looks import Amiss, Condition
from pipelines.alert_rules import AlertRules
from pipelines.clock import SECOND, to_instant, to_time
from pipelines.ledger import get_meta, insert_or_change, set_meta
from pipelines.plant import Plant, Wired
from pipelines.tables import source_hour, version

HOUR = 3600 * SECOND
#: Hours that are looked at together, ending with the last full one: the longer ones are for sources of few records.
WINDOWS = (1, 3, 12, 24)
#: So many weeks are looked back, and so many of them must be known.
WEEKS, NEEDED = 6, 4
#: Nothing at all is strange where each week had so many and all together so many on average ...
LEAST, MEAN = 2, 5.0
#: ... and next to nothing where each week had so many: a fifth of the quietest.
MANY, SHARE = 20, 0.2
#: Versions younger than this may still be joined by some with lower numbers; those of one tally; how long it is kept.
_SETTLED, _AT_ONCE, _KEPT = 60 * SECOND, 50_000, 10 * 7 * 24 * HOUR
_TALLIED = "tallied to"


def tally(plant: Plant, now: int) -> int:
    """Count the versions that came since the last tally into their hours; returns how many. Safe to repeat."""
    with plant.ledger.reading() as connection:
        last = int(get_meta(connection, _TALLIED) or 0)
        if connection.execute(select(version.c.id).where(version.c.id > last).limit(1)).first() is None:
            return 0
    with plant.ledger.writing() as connection:
        set_meta(connection, _TALLIED, get_meta(connection, _TALLIED) or "0")  # whoever else tallies waits here
        last = int(get_meta(connection, _TALLIED) or 0)
        new = (
            select(version.c.id, version.c.council, version.c.connection, version.c.purpose, version.c.at)
            .where(version.c.id > last, version.c.id <= last + _AT_ONCE, version.c.at <= now - _SETTLED)
            .subquery()
        )
        upto = connection.execute(select(func.max(new.c.id))).scalar()
        if upto is None:
            return 0
        hour = (new.c.at - new.c.at % HOUR).label("hour")
        rows = connection.execute(
            select(new.c.council, new.c.connection, hour, func.count().label("versions"))
            .where(new.c.purpose == "live")
            .group_by(new.c.council, new.c.connection, hour)
        ).all()
        insert_or_change(
            connection, source_hour, [dict(row._mapping) for row in rows],
            lambda fresh: {"versions": source_hour.c.versions + fresh.versions},
        )  # fmt: skip
        connection.execute(delete(source_hour).where(source_hour.c.hour < now - _KEPT))
        set_meta(connection, _TALLIED, str(upto))
    return sum(row.versions for row in rows)


def quiet(connection: Connection, plant: Plant, rules: AlertRules, now: int) -> Iterator[Condition]:
    """Sources that are unusually quiet now."""
    if not rules.limits.quiet_sources:
        return
    hours: dict[tuple[str, str], dict[int, int]] = {}
    for row in connection.execute(select(source_hour).where(source_hour.c.hour >= now - (WEEKS + 1) * 7 * 24 * HOUR)):
        hours.setdefault((row.council, row.connection), {})[row.hour] = row.versions
    held = pauses.all_pauses(connection)
    for council in plant.councils.values():
        for wired in council.wired.values():
            known = hours.get((council.code, wired.name))
            if known is None or (council.code, wired.name) in held or wired.closed_until(now) is not None:
                continue
            found = quiet_hours(known, wired, now)
            if found:
                yield Condition(
                    Amiss.QUIET, council.code, wired.name, count=found, since=now - now % HOUR - found * HOUR
                )


def quiet_hours(known: Mapping[int, int], wired: Wired, now: int) -> int:
    """For how many hours a source has been unusually quiet; 0 if it has not."""
    zone = ZoneInfo(str(wired.settings.get("zone") or "UTC"))
    holidays = wired.settings.get("bank_holidays") or frozenset()
    first = min(known)
    end = to_instant(now - now % HOUR).astimezone(zone)
    for length in WINDOWS:
        if _touches(end, length, holidays):
            continue
        past = []
        for week in range(1, WEEKS + 1):
            then = _weeks_before(end, week, zone)
            if not _touches(then, length, holidays) and to_time(then) - length * HOUR >= first:
                past.append(_sum(known, to_time(then), length))
        if len(past) < NEEDED:
            continue
        seen, least, mean = _sum(known, to_time(end), length), min(past), sum(past) / len(past)
        if (seen == 0 and least >= LEAST and mean >= MEAN) or (least >= MANY and seen < SHARE * least):
            return length
    return 0


def _weeks_before(end: datetime, weeks: int, zone: ZoneInfo) -> datetime:
    """The same time of day so many weeks before, whatever the clocks did between."""
    return (end.replace(tzinfo=None) - timedelta(weeks=weeks)).replace(tzinfo=zone)


def _sum(known: Mapping[int, int], end: int, length: int) -> int:
    return sum(known.get(end - back * HOUR, 0) for back in range(1, length + 1))


def _touches(end: datetime, length: int, holidays: object) -> bool:
    days = {(end - timedelta(hours=back)).date() for back in (0, length)}
    return bool(days & holidays) if isinstance(holidays, frozenset) else False
