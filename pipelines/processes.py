"""Processes: who lives, told by a row for each that it touches every two seconds.

A process whose beat stands still is given up: its row says so, and whoever finds that takes over what it held. Others
are judged by their beat alone and by our own patience, never by comparing two machines' clocks, and only while the
ledger could be read all along: a database that was away must not make everybody look dead. One that was only asleep
finds its row given up when it wakes, and lets go.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from pipelines import lock
from pipelines.clock import SECOND
from pipelines.frozen import end_frozen
from pipelines.logs import log, warn
from pipelines.plant import Plant
from pipelines.tables import process

BEAT_SECONDS = 2.0
#: A process that has not beaten for so long is given up.
SILENT_SECONDS = 8.0
WORK, SCHEDULE, SYNC = "work", "schedule", "sync"
#: Rows of processes that are gone are kept for so long, so that `dolen status` can tell of them.
_KEPT = 86_400 * SECOND
_STOPPED, GIVEN_UP = "stopped", "given up"


class Watch:
    """Tells which processes have been silent for too long, from what this one saw of their beats.

    `patience` in seconds. Times given to it are this process's own and only ever compared with one another.
    """

    def __init__(self, patience: float = SILENT_SECONDS) -> None:
        self._patience = patience
        self._seen: dict[str, tuple[int, float]] = {}  # boot -> its beat, and when we saw that beat first
        self._looked: float | None = None

    def silent(self, rows: Iterable[Row[Any]], at: float) -> list[Row[Any]]:
        """Take one look at the rows of living processes; return those that have not moved for too long."""
        if self._looked is None or at - self._looked > self._patience / 2:
            self._seen.clear()  # we were asleep or the ledger was away: nobody could have been seen to beat
        self._looked = at
        now = {}
        for row in rows:
            beat, since = self._seen.get(row.boot, (row.beat, at))
            now[row.boot] = (row.beat, since if row.beat == beat else at)
        self._seen = now
        return [row for row in rows if at - now[row.boot][1] >= self._patience or _is_gone(row)]


class Presence:
    """This process's row. Beats in a thread of its own, before and beside everything that may have to wait."""

    def __init__(self, plant: Plant, boot: str, roles: Sequence[str]) -> None:
        self._plant = plant
        self.boot = boot
        self.given_up = threading.Event()
        self._roles = " ".join(roles)
        self._watch = Watch()
        self._beaten = awake()
        self._alone = plant.ledger.embedded

    def register(self) -> None:
        """Write the row. Nothing may be leased or claimed under a boot before."""
        now, began = self._plant.clock.now(), awake()
        with self._plant.ledger.writing() as connection:
            connection.execute(
                insert(process).values(
                    boot=self.boot,
                    host=socket.gethostname(),
                    machine=machine(),
                    pid=os.getpid(),
                    roles=self._roles,
                    program=program(),
                    began=now,
                    beat=now,
                )
            )
        self._beaten = began

    def run(self, stop: threading.Event) -> None:
        """Beat until told to stop or given up. A ledger that is away is waited for, and told once."""
        faults = 0
        while not stop.is_set() and not self.given_up.is_set():
            try:
                self.beat()
                if faults:
                    log("beat_goes_on", boot=self.boot)
                faults = 0
            except Exception as fault:
                if not faults:
                    warn("beat_waits", boot=self.boot, error=type(fault).__name__)
                faults += 1
            self._plant.clock.wait(stop, BEAT_SECONDS)

    def beat(self) -> None:
        """Show once that this process lives, give up those that do not, and end what frozen ones hold up."""
        began = awake()
        with self._plant.ledger.writing() as connection:
            now = self._plant.clock.now()
            mine = update(process).where(process.c.boot == self.boot, process.c.ended.is_(None)).values(beat=now)
            if not connection.execute(mine).rowcount:
                self.given_up.set()
                warn("process_given_up", boot=self.boot)
                return
            others = connection.execute(
                select(process).where(process.c.ended.is_(None), process.c.boot != self.boot)
            ).all()
            for boot in give_up(connection, self._watch.silent(others, awake()), now):
                warn("process_silent", boot=boot)
            # Here, since a beat never waits for anybody: who looks after the rest may itself wait for such a session.
            if ended := end_frozen(connection):
                warn("frozen_sessions_ended", boot=self.boot, count=ended)
        self._beaten = began

    def still_alive(self) -> bool:
        """Whether nobody can have given this process up yet. Cheap, and without a look at the ledger.

        A process that was frozen finds out here that it must not begin anything, before its next beat tells it for
        certain. Where the ledger is a file, the site's lock keeps everybody else away.
        """
        if self.given_up.is_set():
            return False
        return self._alone or awake() - self._beaten < SILENT_SECONDS

    def leave(self) -> None:
        """Say that this process ended in order. It must hold nothing any more."""
        with self._plant.ledger.writing() as connection:
            _end(connection, [self.boot], self._plant.clock.now(), _STOPPED)


def living(connection: Connection) -> set[str]:
    """The boots of all processes that have not ended, as far as anybody knows."""
    return set(connection.execute(select(process.c.boot).where(process.c.ended.is_(None))).scalars())


def give_up(connection: Connection, silent: Iterable[Row[Any]], now: int) -> list[str]:
    """Give processes up that were seen silent. One that has beaten since stays; return the boots of the others."""
    return [
        row.boot
        for row in silent
        if connection.execute(
            update(process)
            .where(process.c.boot == row.boot, process.c.beat == row.beat, process.c.ended.is_(None))
            .values(ended=now, words=GIVEN_UP)
        ).rowcount
    ]


def all_others_are_gone(plant: Plant, boot: str = "") -> None:
    """Give up every other process: whoever holds the site's lock knows that they are gone."""
    with plant.ledger.writing() as connection:
        _end(connection, living(connection) - {boot}, plant.clock.now(), GIVEN_UP)


def forget(connection: Connection, now: int) -> None:
    """Drop the rows of processes that ended long ago, but for the newest: it says when the site last ran."""
    newest = select(process.c.boot).order_by(process.c.beat.desc()).limit(1).scalar_subquery()
    connection.execute(delete(process).where(process.c.ended < now - _KEPT, process.c.boot != newest))


def shown(plant: Plant) -> list[dict[str, Any]]:
    """The processes that live, for a screen: boot, host, pid, roles, program, and seconds since the last beat.

    Where the ledger is a file, a process that was killed leaves its row; the lock tells.
    """
    if plant.ledger.embedded and not lock.is_held(plant.lock_file):
        return []
    now = plant.clock.now()
    with plant.ledger.reading() as connection:
        rows = connection.execute(select(process).where(process.c.ended.is_(None)).order_by(process.c.began)).all()
    return [
        {
            "boot": row.boot,
            "host": row.host,
            "pid": row.pid,
            "roles": row.roles.split(),
            "version": row.program,
            "began": row.began,
            "beat": row.beat,
            "silent_seconds": round(max(now - row.beat, 0) / SECOND, 1),
        }
        for row in rows
    ]


def is_running(plant: Plant, role: str | None = None) -> bool:
    """Whether a process runs this site at this moment, or one of this role. `dolen sync` does not count as one."""
    if plant.ledger.embedded:
        return lock.is_held(plant.lock_file)
    wanted = {role} if role else {WORK, SCHEDULE}
    return any(wanted & set(one["roles"]) and one["silent_seconds"] < SILENT_SECONDS for one in shown(plant))


def last_beat(plant: Plant) -> dict[str, int | str] | None:
    """When a process that runs this site last showed that it lives: {"boot", "pid", "at"}; None if none ever did."""
    with plant.ledger.reading() as connection:
        row = connection.execute(
            select(process).where(process.c.roles != SYNC).order_by(process.c.beat.desc()).limit(1)
        ).first()
    return {"boot": row.boot, "pid": row.pid, "at": row.beat} if row else None


def awake() -> float:
    """Seconds that go on while this process is stopped and, where the system can tell, while the machine sleeps."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


def machine() -> str:
    """What this start of the machine is called, with the space in which its process numbers hold; "" if unknown."""
    try:
        started = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{started} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def program() -> str:
    """The version of this program."""
    try:
        return version("dolen")
    except PackageNotFoundError:  # run from a folder that was never installed
        return "unknown"


def _end(connection: Connection, boots: Iterable[str], now: int, words: str) -> None:
    for boot in boots:
        connection.execute(
            update(process).where(process.c.boot == boot, process.c.ended.is_(None)).values(ended=now, words=words)
        )


def _is_gone(row: Row[Any]) -> bool:
    """Whether a process of this very machine does not exist any more: nobody need wait for its silence."""
    if not row.machine or row.machine != machine():
        return False
    try:
        state = (
            Path(f"/proc/{row.pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
        )
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return state in "ZX"
