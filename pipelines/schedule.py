"""The schedule: makes the runs that are due by the timetable, and those that somebody asked for.

Any number of processes keep the same timetables; the ledger gives each run to one of them. Each walk has a thread of
its own, so that a source that hangs holds up no other. Of runs that were missed while nothing ran, one is made.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from connectors.errors import ConnectorError
from pipelines import matching, pauses, slots
from pipelines.clock import SECOND
from pipelines.logs import log, warn
from pipelines.places import LIVE, Key
from pipelines.plant import Council, Kind, Plant, Wired
from pipelines.runs import Run, Runs
from pipelines.slots import Claimed
from pipelines.states import VersionState
from pipelines.tables import version
from pipelines.timetable import Timetable, polls_apart

TURN_SECONDS = 0.1
LONGEST_WAIT = 5.0
#: A run that could not be claimed now is tried again after so long.
AGAIN_AFTER = SECOND // 2
#: Versions that wait for a doubt to be settled are looked at again this often.
WAITING_EVERY = 2 * SECOND

#: Something else that is due by a timetable of its own; called once a turn, and quick when nothing is.
Chore = Callable[[Runs], None]


@runtime_checkable
class Closing(Protocol):
    """A chore with work of its own in hand."""

    def close(self) -> None:
        """Wait until it has ended. Whatever it does looks at `Runs.stop`, which is set by then."""


class Scheduler:
    """Runs in a thread of its own, and each walk in one of its own beside it.

    `chores` are called once a turn; what one of them raises is told and stops nobody else.
    """

    def __init__(self, plant: Plant, boot: str, *, chores: Sequence[Chore] = ()) -> None:
        self._plant = plant
        self._runs = Runs(plant, boot)
        self._chores = chores
        self._tables: dict[Key, Timetable | None] = {}
        self._due: dict[Key, tuple[int, int | None]] = {}  # what was due, by the second in which it was worked out
        self._over: dict[Key, int] = {}  # the newest planned run that nobody need make any more
        self._not_before: dict[Key, int] = {}
        self._threads: dict[Key, threading.Thread] = {}
        self._looked_at_waiting = 0

    def run(self, stop: threading.Event) -> None:
        """Start what is due until told to stop; then wait for the walks in hand to reach the end of their page."""
        faults = 0
        while not stop.is_set():
            try:
                self.turn()
                if faults:
                    log("schedule_goes_on")
                faults = 0
            except Exception as fault:
                if not faults:
                    warn("schedule_waits", error=type(fault).__name__)
                faults += 1
            self._plant.clock.wait(stop, TURN_SECONDS if not faults else min(0.5 * 2.0**faults, LONGEST_WAIT))
        self.close()

    def close(self) -> None:
        """Let every walk end behind its page, and wait for it."""
        self._runs.stop.set()
        for thread in list(self._threads.values()):
            thread.join()
        for chore in self._chores:
            if isinstance(chore, Closing):
                chore.close()

    def in_hand(self) -> list[tuple[str, str]]:
        """(council, connection) of the sources that are being read."""
        return sorted({key[:2] for key, thread in list(self._threads.items()) if thread.is_alive()})

    def turn(self) -> None:
        """Look once at everything that may be due."""
        now = self._plant.clock.now()
        with self._plant.ledger.looking() as connection:
            closed = {key for key, row in pauses.all_pauses(connection).items() if row.until is None or row.until > now}
            open_ones = slots.open_ones(connection, self._runs.busy)
        for council in self._plant.councils.values():
            closed |= council.closed(now)
        for key, at, asked in open_ones:
            wired = self._wired(key)
            kind = wired.told_by(key.kind) if wired is not None else None
            if wired is not None and kind is not None and key[:2] not in closed:
                self._start(wired, kind, key, at, now, asked=asked)
        for council in self._plant.councils.values():
            for wired in council.wired.values():
                if (council.code, wired.name) not in closed:
                    for name in (*wired.kinds, *wired.tidings):
                        self._by_timetable(council, wired, name, now)
        for chore in self._chores:
            try:
                chore(self._runs)
            except SQLAlchemyError:
                raise
            except Exception as fault:
                warn("chore_fault", error=type(fault).__name__)
        if not 0 <= now - self._looked_at_waiting < WAITING_EVERY:
            self._looked_at_waiting = now
            self._waiting()

    def _by_timetable(self, council: Council, wired: Wired, name: str, now: int) -> None:
        kind = wired.told_by(name)
        assert kind is not None
        key = Key(council.code, wired.name, name, LIVE)
        if key not in self._tables:
            self._tables[key] = timetable(wired, kind)
        table = self._tables[key]
        if table is None:
            return  # without a schedule a source is read when somebody asks for it
        second = now // SECOND
        if table.every is not None or key not in self._due or self._due[key][0] != second:
            self._due[key] = (second, table.due(now))
        at = self._due[key][1]
        if at is not None and at > self._over.get(key, at - 1):
            self._start(wired, kind, key, at, now, asked=False)

    def _wired(self, key: Key) -> Wired | None:
        council = self._plant.councils.get(key.council)
        wired = council.wired.get(key.connection) if council else None
        return wired if wired is not None and wired.told_by(key.kind) is not None else None

    def _start(self, wired: Wired, kind: Kind, key: Key, at: int, now: int, *, asked: bool) -> None:
        running = self._threads.get(key)
        if (running is not None and running.is_alive()) or 0 < self._not_before.get(key, 0) - now <= AGAIN_AFTER:
            return
        claimed = self._runs.claim(wired, kind, key.purpose, at, asked=asked)
        if isinstance(claimed, Run):
            self._not_before.pop(key, None)
            thread = threading.Thread(
                target=self._walk, args=(wired, kind, claimed), name=f"walk-{key.council}-{key.connection}"
            )
            self._threads[key] = thread
            thread.start()
        elif claimed is None:
            self._not_before[key] = now + AGAIN_AFTER
            return
        if not asked and (isinstance(claimed, Run) or claimed is Claimed.OVER):
            self._over[key] = max(at, self._over.get(key, at))

    def _walk(self, wired: Wired, kind: Kind, run: Run) -> None:
        try:
            self._runs.make(wired, kind, run)
        except Exception as fault:
            # Whatever it was, the run is open and is found again; the next page is asked for at the same place.
            error = type(fault).__name__
            warn("walk_fault", council=wired.council, connection=wired.name, kind=kind.name, error=error)
            self._plant.clock.wait(self._runs.stop, 1.0)

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
            if row.council in self._runs.intakes:
                self._runs.intakes[row.council].again([row.id])


def timetable(wired: Wired, kind: Kind) -> Timetable | None:
    """When one kind of record of a connection is read; None if nothing is read by itself."""
    settings = wired.settings
    if not (settings.get("every") or settings.get("cron")):
        return None
    try:
        fed = [*wired.tidings, *(name for name in wired.kinds if "changes" in wired.offers(name))]
    except ConnectorError:
        return None  # `dolen check` and the first delivery say what is wrong with it
    if kind.name not in fed:
        return None
    return Timetable(
        name=f"{wired.council}/{wired.name}/{kind.name}",
        zone=str(settings.get("zone") or "UTC"),
        every=polls_apart(settings.get("every"), settings.get("polls_a_day"), len(fed)),
        cron=settings.get("cron"),
        jitter=float(settings.get("jitter") or 0),
        closed_on=frozenset() if settings.get("on_bank_holidays", True) else frozenset(settings["bank_holidays"]),
    )
