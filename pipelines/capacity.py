"""`dolen capacity`: how large the ledger is, by table and class of data, how fast it grows, and how often we call whom.

All of it is counted from the ledger's own rows and the database's own sizes. Where there is too little to project from,
that is said in place of a number. What will be is `pipelines.projection`'s.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import OperationalError

from pipelines.clock import SECOND
from pipelines.ledger import Ledger
from pipelines.metadata import metadata
from pipelines.plant import Plant
from pipelines.projection import Projection, Share, project
from pipelines.tables import attempt, delivery, payload, referral

DAY = 24 * 3600 * SECOND
_HOUR = 3600 * SECOND
#: The pace is that of so many days; fewer than FEWEST_DAYS, or fewer referrals, are no pace.
WINDOW, FEWEST_DAYS, FEWEST = 28, 7, 100
#: Which classes of payload go with which time of `retention`.
_RAW, _PAYLOADS = ("raw", "page", "push"), ("facts", "request", "reply")


@dataclass(frozen=True, slots=True)
class Size:
    """One table, with its indexes. `bytes` is None where the database does not tell."""

    table: str
    rows: int
    bytes: int | None


@dataclass(frozen=True, slots=True)
class Kept:
    """Payloads of one class that are still held."""

    kind: str
    count: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Calls:
    """What is sent to one connection. Reading is not in the ledger: each poll is at least one call more."""

    council: str
    connection: str
    a_day: float
    busiest_hour: int
    limit: float | None  # calls a second, as its settings say
    busiest_share: float | None  # of the limit, on average over the busiest hour


@dataclass(frozen=True, slots=True)
class Capacity:
    """What there is, and what will be. `projection` is None where `too_little` says why."""

    bytes: int
    sizes: tuple[Size, ...]
    kept: tuple[Kept, ...]
    referrals: int
    age_days: float
    window_days: float
    a_day: float
    open_days: float  # from first to last news of a referral, on average
    shares: tuple[Share, ...]
    calls: tuple[Calls, ...]
    room: int | None
    projection: Projection | None
    too_little: str


def capacity(
    plant: Plant,
    limits: Mapping[tuple[str, str], float],
    *,
    a_day: float | None = None,
    room: int | None = None,
) -> Capacity:
    """Measure and project.

    `limits`: calls a second by council and connection. `a_day`: project for so many referrals a day in place of those
    that came. `room`: bytes that the ledger may grow by; without it what is free on SQLite's disk, and unknown else.
    """
    now = plant.clock.now()
    with plant.ledger.reading() as connection:
        total = whole(connection)
        sizes = tables(connection)
        kept = _kept(connection)
        first, known = connection.execute(select(func.min(referral.c.at), func.count()).select_from(referral)).one()
        age = max(now - first, 0) / DAY if first is not None else 0.0
        window = min(age, WINDOW)
        recent = connection.execute(
            select(func.count()).select_from(referral).where(referral.c.at > now - int(window * DAY))
        ).scalar_one()
        open_days = float(
            connection.execute(select(func.avg(referral.c.changed_at - referral.c.at))).scalar_one() or 0
        ) / DAY
        gone = {
            level: int(connection.execute(
                select(func.count()).select_from(referral).where(referral.c.gone < level)
            ).scalar_one())
            for level in (1, 2)
        }  # fmt: skip
        calls = _calls(connection, now, window, limits)
    shares = _shares(plant, total, sizes, kept, int(known), gone, open_days)
    pace = recent / window if a_day is None and window else (a_day or 0.0)
    why = _too_little(age, int(known), int(recent), asked=a_day is not None)
    free = _free(plant.ledger) if room is None else room
    told = None if why else project(shares, pace, age, free)
    return Capacity(total, sizes, kept, int(known), age, window, pace, open_days, shares, calls, free, told, why)


def whole(connection: Connection) -> int:
    """Bytes of the database. Of SQLite those in use: freed pages are taken again before the file grows."""
    if connection.dialect.name == "sqlite":
        count, free, size = (
            int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())
            for name in ("page_count", "freelist_count", "page_size")
        )
        return (count - free) * size
    return int(connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one())


def tables(connection: Connection) -> tuple[Size, ...]:
    """Each of our tables that holds something, the largest first. On SQLite the whole file is read once."""
    sizes = _bytes(connection)
    found = []
    for table in metadata.sorted_tables:
        rows = int(connection.execute(select(func.count()).select_from(table)).scalar_one())
        if rows:
            found.append(Size(table.name, rows, sizes.get(table.name)))
    return tuple(sorted(found, key=lambda one: (-(one.bytes or 0), -one.rows, one.table)))


def _bytes(connection: Connection) -> dict[str, int]:
    if connection.dialect.name == "sqlite":
        wanted = (
            "SELECT m.tbl_name, sum(d.pgsize) FROM dbstat d JOIN sqlite_master m ON m.name = d.name GROUP BY m.tbl_name"
        )
    else:
        wanted = "SELECT relname, pg_total_relation_size(relid) FROM pg_stat_user_tables"
    try:
        return {str(name): int(size) for name, size in connection.exec_driver_sql(wanted)}
    except OperationalError:
        return {}  # an SQLite that was built without dbstat


def _kept(connection: Connection) -> tuple[Kept, ...]:
    kind = payload.c["class"]
    rows = connection.execute(
        select(kind, func.count(), func.sum(func.length(payload.c.body)))
        .where(payload.c.body.is_not(None))
        .group_by(kind)
        .order_by(kind)
    )
    return tuple(Kept(str(name), int(count), int(size)) for name, count, size in rows)


def _shares(
    plant: Plant,
    total: int,
    sizes: tuple[Size, ...],
    kept: tuple[Kept, ...],
    known: int,
    gone: Mapping[int, int],
    open_days: float,
) -> tuple[Share, ...]:
    """Divide what is there by the referrals that it is there for. Each council's longest time is taken for all."""
    if not known:
        return ()
    times = [council.retention for council in plant.councils.values()]

    def days(name: str) -> float:
        return open_days + max((getattr(one, name).total_seconds() for one in times), default=0.0) / 86_400

    def bodies(kinds: tuple[str, ...]) -> int:
        return sum(one.bytes for one in kept if one.kind in kinds)

    stored = sum(one.bytes or 0 for one in sizes) or total  # what an empty database takes is no referral's
    audited = next((one.bytes or 0 for one in sizes if one.table == "audit"), 0) + bodies(("why",))
    rest = max(stored - audited - bodies((*_RAW, *_PAYLOADS)), 0)
    return (
        Share("raw", bodies(_RAW) / max(gone[1], 1), days("raw")),
        Share("payloads", bodies(_PAYLOADS) / max(gone[2], 1), days("payloads")),
        Share("metadata", rest / known, days("metadata")),
        Share("audit", audited / known, days("audit")),
    )


def _calls(
    connection: Connection, now: int, window: float, limits: Mapping[tuple[str, str], float]
) -> tuple[Calls, ...]:
    if not window:
        return ()
    hour = (attempt.c.begun - attempt.c.begun % _HOUR).label("hour")
    by_hour = (
        select(delivery.c.council, delivery.c.connection, hour, func.count().label("number"))
        .join(delivery, delivery.c.id == attempt.c.delivery_id)
        .where(attempt.c.begun > now - int(window * DAY))
        .group_by(delivery.c.council, delivery.c.connection, hour)
        .subquery()
    )
    ends = (by_hour.c.council, by_hour.c.connection)
    rows = connection.execute(
        select(*ends, func.sum(by_hour.c.number).label("all"), func.max(by_hour.c.number).label("most"))
        .group_by(*ends)
        .order_by(*ends)
    )
    found = []
    for row in rows:
        council, name, number, most = row.council, row.connection, row.all, row.most
        limit = limits.get((council, name))
        share = None if limit is None else int(most) / 3600 / limit
        found.append(Calls(council, name, float(number) / window, int(most), limit, share))
    return tuple(found)


def _too_little(age: float, known: int, recent: int, *, asked: bool) -> str:
    """Say why nothing can be projected, "" where it can."""
    if known < FEWEST:
        return f"the ledger holds {known} referrals; below {FEWEST} nobody can say what one takes"
    if asked:
        return ""
    if age < FEWEST_DAYS:
        return f"the ledger is {age:.1f} days old; below {FEWEST_DAYS} there is no pace: say --a-day N"
    if not recent:
        return f"no referral came in the last {WINDOW} days: say --a-day N"
    return ""


def _free(ledger: Ledger) -> int | None:
    if not ledger.embedded:
        return None
    return shutil.disk_usage(Path(str(ledger.engine.url.database)).parent).free
