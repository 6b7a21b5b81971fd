"""What is amiss around the movement: the disk, the clock, the keys, what is about to end, and whether Dolen lives."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time
from pathlib import Path

from cryptography import x509
from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from connectors.peer import certificate_ends
from pipelines import processes
from pipelines.alert_looks import Amiss, Condition, micro
from pipelines.alert_rules import AlertRules
from pipelines.clock import SECOND, machine_time, to_instant, to_time
from pipelines.plant import Plant
from pipelines.processes import SCHEDULE, SILENT_SECONDS, SYNC, WORK
from pipelines.tables import process

#: A process that fell silent is told of for so long.
_LOST_FOR = 30 * 60 * SECOND
_MEGABYTE = 1_000_000


def disk(_connection: Connection, plant: Plant, rules: AlertRules, now: int) -> Iterator[Condition]:
    """The disk that Dolen writes on, and the database's own word that it is full."""
    free = shutil.disk_usage(nearest(rules.data)).free // _MEGABYTE
    if plant.ledger.reserve.is_full or free < rules.limits.disk_megabytes:
        yield Condition(Amiss.DISK, urgent=True, count=free, since=now)


def nearest(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    return next(one for one in (folder, *folder.parents) if one.is_dir())


def clock(
    _connection: Connection, plant: Plant, rules: AlertRules, now: int, *, machine: Callable[[], int] = machine_time
) -> Iterator[Condition]:
    """The ledger's clock against this machine's. Which of the two is wrong, a person finds out."""
    off = abs(plant.clock.now() - machine())
    if off > micro(rules.limits.clock):
        yield Condition(Amiss.CLOCK, count=off // SECOND, since=now)


def keys(_connection: Connection, plant: Plant, rules: AlertRules, now: int) -> Iterator[Condition]:
    """The key store and the main key: without them nothing can be opened or sealed, or not after the next start."""
    gone = [path for path in rules.key_files if not path.is_file()]
    try:
        known = bool(plant.keys.identity)
    except SQLAlchemyError:
        known = False
    if gone or not known:
        yield Condition(Amiss.KEYS, urgent=True, since=now)


def expiry(_connection: Connection, plant: Plant, rules: AlertRules, now: int) -> Iterator[Condition]:
    """Our own certificates, those that systems showed lately, and logins whose end the site's files name."""
    before = now + micro(rules.limits.expiry)
    for (council, name), ends in rules.shown.items():
        if ends <= before:
            yield _ending(council, name, "certificate of the system", ends, now)
    for (council, name), day in rules.ends.items():
        ends = to_time(datetime.combine(day, time(), UTC))
        if ends <= before and council in plant.councils:
            yield _ending(council, name, "login", ends, now)
    for (council, name), path in rules.certificates.items():
        try:
            found = x509.load_pem_x509_certificates(path.read_bytes())
        except (OSError, ValueError):
            continue  # `dolen check` and the first call say what is wrong with it
        ends = to_time(min(one.not_valid_after_utc for one in found))
        if ends <= before:
            yield _ending(council, name, "certificate", ends, now)


def shown_ends(rules: AlertRules) -> dict[tuple[str, str], int]:
    """When the certificates end that the systems themselves show; those that cannot be told are left out."""
    found = {}
    for place, connect in rules.peers.items():
        try:
            url = rules.plain(str(connect["url"]))
            bundle = connect.get("ca_bundle")
            ca = Path(rules.plain(str(bundle))) if bundle else None
        except ValueError:
            continue  # a reference that leads nowhere: `dolen check` says so
        ends = certificate_ends(url, ca_bundle=ca, private=bool(connect.get("private_network")))
        if ends is not None:
            found[place] = to_time(ends)
    return found


def _ending(council: str, name: str, what: str, ends: int, now: int) -> Condition:
    days = (to_instant(ends).date() - to_instant(now).date()).days
    return Condition(Amiss.EXPIRY, council, name, cause=what, words=what, urgent=days <= 1, count=days, since=ends)


def down(connection: Connection, plant: Plant, _rules: AlertRules, now: int) -> Iterator[Condition]:
    """Nobody sends, or nobody reads. A process that was stopped in order is no accident, but nothing moves either."""
    rows = connection.execute(select(process).where(process.c.roles != SYNC)).all()
    if not rows:
        return  # it never ran here
    living = {row.boot for row in rows if row.ended is None and now - row.beat < SILENT_SECONDS * SECOND}
    if plant.ledger.embedded and not processes.is_running(plant):
        living = set()
    for role in (WORK, SCHEDULE):
        if not any(row.boot in living and role in row.roles.split() for row in rows):
            since = max((row.beat for row in rows if role in row.roles.split()), default=now)
            yield Condition(Amiss.DOWN, cause=role, words=role, urgent=True, since=since)


def lost(connection: Connection, _plant: Plant, _rules: AlertRules, now: int) -> Iterator[Condition]:
    """Processes that fell silent a moment ago: others go on for them, and somebody should look why."""
    rows = connection.execute(
        select(process).where(process.c.words == processes.GIVEN_UP, process.c.ended > now - _LOST_FOR)
    ).all()
    if rows:
        yield Condition(Amiss.LOST, count=len(rows), since=min(row.ended for row in rows))
