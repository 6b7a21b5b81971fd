"""`dolen run`: everything in one process, under an operating-system lock.

Exactly one runs a site. Whatever leases an earlier process left are void the moment the lock is ours: that process is
gone. On
SIGTERM each part finishes what it has in hand; on SIGKILL nothing is lost, which is what the rest of this room is
about.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import orjson

from pipelines import lanes, recovery
from pipelines.ids import new_id
from pipelines.ledger import get_meta, set_meta
from pipelines.logs import log
from pipelines.plant import Plant
from pipelines.relay import Relay
from pipelines.schedule import Scheduler
from pipelines.worker import Worker

HEARTBEAT_SECONDS = 2.0


class AlreadyRunning(RuntimeError):
    """Another `dolen run` has this site. Stop that one first, or leave it to its work."""


@contextmanager
def only_one(lock_file: Path) -> Iterator[None]:
    """Hold the site's lock. The system gives it back when the process ends, however it ends. Raises AlreadyRunning."""
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    with lock_file.open("a+", encoding="utf-8") as handle:
        if not _lock(handle):
            raise AlreadyRunning("another `dolen run` has this site; stop that one first, or leave it to its work")
        yield


def run(plant: Plant, stop: threading.Event) -> None:
    """Run the site until `stop` is set. Raises AlreadyRunning."""
    with only_one(plant.lock_file):
        boot = new_id()
        recovery.void(plant)  # the process that held them is gone, or it would still have the lock
        while plant.vault.hand_over(plant.ledger):
            pass
        parts = [
            threading.Thread(target=Worker(plant, boot).run, args=(stop,), name="worker"),
            threading.Thread(target=Relay(plant).run, args=(stop,), name="relay"),
            threading.Thread(target=Scheduler(plant, boot).run, args=(stop,), name="schedule"),
        ]
        for part in parts:
            part.start()
        log("running", boot=boot, pid=os.getpid(), stage=plant.stage, count=len(plant.councils))
        while not stop.is_set():
            _beat(plant, boot)
            plant.clock.wait(stop, HEARTBEAT_SECONDS)
        for part in parts:
            part.join()
        log("stopped", boot=boot)


def last_beat(plant: Plant) -> dict[str, int | str] | None:
    """When `dolen run` last showed that it lives: {"boot", "pid", "at"}; None if it never ran here."""
    with plant.ledger.reading() as connection:
        found = get_meta(connection, "running")
    return orjson.loads(found) if found else None


def is_running(plant: Plant) -> bool:
    """Whether a process holds the site's lock at this moment."""
    try:
        with only_one(plant.lock_file):
            return False
    except AlreadyRunning:
        return True


def _beat(plant: Plant, boot: str) -> None:
    with plant.ledger.writing() as connection:
        set_meta(
            connection, "running", orjson.dumps({"boot": boot, "pid": os.getpid(), "at": plant.clock.now()}).decode()
        )
        lanes.sweep_empty(connection)


def _lock(handle: IO[str]) -> bool:
    if os.name == "nt":
        import msvcrt

        try:
            handle.seek(0)
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(handle.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
