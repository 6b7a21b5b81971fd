"""The schedule: starts walks when they are due, and those that somebody asked for.

Each connection and kind has one walk at a time. A slot is a row, unique by connection and planned instant, so that a
run happens once; of runs that were missed while nothing ran, one is made.
"""

from __future__ import annotations

import random
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from zoneinfo import ZoneInfo

from croniter import croniter
from sqlalchemy import delete, select, update

from pipelines import matching, pauses
from pipelines.clock import SECOND, to_instant, to_time
from pipelines.intake import Intake
from pipelines.ledger import insert_new
from pipelines.logs import log, warn
from pipelines.plant import Council, Kind, Plant, Wired
from pipelines.states import VersionState
from pipelines.tables import slot, version
from pipelines.walks import Walker

TURN_SECONDS = 0.1
AT_ONCE = 8
#: Versions that wait for a doubt to be settled are looked at again this often.
WAITING_EVERY = 2 * SECOND


class Scheduler:
    """Runs in a thread of its own; walks run in a small pool."""

    def __init__(self, plant: Plant, boot: str) -> None:
        self._plant = plant
        self._boot = boot
        self._intakes = {code: Intake(plant, council) for code, council in plant.councils.items()}
        self._walkers = {code: Walker(plant, council, self._intakes[code]) for code, council in plant.councils.items()}
        self._next: dict[tuple[str, str, str], int] = {}
        self._running: dict[tuple[str, str, str], Future[None]] = {}
        self._pool = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="walk")
        self._looked_at_waiting = 0

    def run(self, stop: threading.Event) -> None:
        """Start what is due until told to stop, then wait for the walks in hand to reach the end of their page."""
        while not stop.is_set():
            try:
                self.turn()
            except Exception as fault:
                warn("schedule_waits", error=type(fault).__name__)
                self._plant.clock.wait(stop, 1.0)
            self._plant.clock.wait(stop, TURN_SECONDS)
        self._pool.shutdown(wait=True, cancel_futures=True)

    def turn(self) -> None:
        """Look once at everything that may be due."""
        now = self._plant.clock.now()
        with self._plant.ledger.reading() as connection:
            paused = {key for key, row in pauses.all_pauses(connection).items() if row.until is None or row.until > now}
            asked = connection.execute(select(slot).where(slot.c.claimed_by.is_(None)).order_by(slot.c.at)).all()
        for council in self._plant.councils.values():
            paused |= council.closed(now)
            for wired in council.wired.values():
                scheduled = wired.settings.get("every") or wired.settings.get("cron")
                if not scheduled or (council.code, wired.name) in paused:
                    continue  # without a schedule a source is read when somebody asks for it
                for kind in wired.kinds.values():
                    self._maybe(council, wired, kind, now)
        for row in asked:
            if (row.council, row.connection) in paused:
                continue  # it is read when the pause is over
            self._asked(row.council, row.connection, row.kind, row.purpose, row.at, row.since)
        if now - self._looked_at_waiting > WAITING_EVERY:
            self._looked_at_waiting = now
            self._waiting()

    def _maybe(self, council: Council, wired: Wired, kind: Kind, now: int) -> None:
        key = (council.code, wired.name, kind.name)
        if "changes" not in wired.offers(kind.name):
            return
        at = self._next.get(key)
        if at is None:
            self._next[key] = at = now  # whatever was missed while nothing ran is caught up once
        if at > now or self._busy(key):
            return
        self._next[key] = _following(wired, now)
        self._start(council, wired, kind, "live", at, None)

    def _asked(self, code: str, name: str, kind_name: str, purpose: str, at: int, since: str) -> None:
        council = self._plant.councils.get(code)
        wired = council.wired.get(name) if council else None
        kind = wired.kinds.get(kind_name) if wired else None
        if council is None or wired is None or kind is None or self._busy((code, name, kind_name)):
            return
        self._start(council, wired, kind, purpose, at, since or None)

    def _busy(self, key: tuple[str, str, str]) -> bool:
        running = self._running.get(key)
        return running is not None and not running.done()

    def _start(self, council: Council, wired: Wired, kind: Kind, purpose: str, at: int, since: str | None) -> None:
        self._running[council.code, wired.name, kind.name] = self._pool.submit(
            self._walk, council, wired, kind, purpose, at, since
        )

    def _walk(self, council: Council, wired: Wired, kind: Kind, purpose: str, at: int, since: str | None) -> None:
        key = {"council": council.code, "connection": wired.name, "kind": kind.name, "purpose": purpose}
        try:
            with self._plant.ledger.writing() as connection:
                insert_new(connection, slot, [{**key, "at": at, "records": 0, "words": "", "since": since or ""}])
                claimed = connection.execute(
                    update(slot)
                    .filter_by(**key, at=at)
                    .where(slot.c.claimed_by.is_(None))
                    .values(claimed_by=self._boot, begun=self._plant.clock.now())
                ).rowcount
                # One finished slot a connection is kept, as the place where its last run is told.
                connection.execute(delete(slot).filter_by(**key).where(slot.c.done.is_not(None), slot.c.at < at))
            if not claimed:
                return
            walked = self._walkers[council.code].walk(wired, kind, purpose=purpose, since=since)
            with self._plant.ledger.writing() as connection:
                connection.execute(
                    update(slot)
                    .filter_by(**key, at=at)
                    .values(done=self._plant.clock.now(), records=walked.taken.news, words=walked.words)
                )
            if walked.taken.news:
                log(
                    "walked",
                    council=council.code,
                    connection=wired.name,
                    kind=kind.name,
                    purpose=purpose,
                    pages=walked.pages,
                    news=walked.taken.news,
                    repeats=walked.taken.repeats,
                )
        except Exception as fault:
            warn("walk_fault", council=council.code, connection=wired.name, kind=kind.name, error=type(fault).__name__)

    def _waiting(self) -> None:
        """Take again what waited for a create in doubt, now that it may be settled."""
        with self._plant.ledger.reading() as connection:
            rows = connection.execute(
                select(version.c.id, version.c.council, version.c.connection)
                .where(version.c.state == VersionState.WAITING)
                .limit(100)
            ).all()
            free = [row for row in rows if not matching.create_in_doubt(connection, row.council, row.connection)]
        for row in free:
            if row.council in self._intakes:
                self._intakes[row.council].again([row.id])


def _following(wired: Wired, now: int) -> int:
    """When the next run is planned, jitter included."""
    jitter = int(random.random() * float(wired.settings.get("jitter") or 0) * SECOND)  # noqa: S311 - spreads load
    if wired.settings.get("cron"):
        zone = ZoneInfo(str(wired.settings.get("zone") or "UTC"))
        following: datetime = croniter(str(wired.settings["cron"]), to_instant(now).astimezone(zone)).get_next(datetime)
        return to_time(following) + jitter
    return now + int(float(wired.settings["every"]) * SECOND) + jitter
