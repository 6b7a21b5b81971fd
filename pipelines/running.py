"""What runs a site: `dolen run` does everything in one process, `dolen work` and `dolen schedule` a part of it each.

Where the ledger is a file, exactly one runs the site, under the operating system's lock, and whatever an earlier one
held is void the moment the lock is ours. On a database server any number of processes on any number of machines share
the work; each shows by its beat that it lives, and takes back what the silent ones held. On SIGTERM every part finishes
what it has in hand; on SIGKILL nothing is lost, which is what the rest of this room is about.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from sqlalchemy import select

from pipelines import answering, clock_steps, lanes, litter, processes, recovery
from pipelines.ids import new_id
from pipelines.ledger import LedgerFault
from pipelines.ledger_clock import LedgerClock
from pipelines.lock import AlreadyRunning, only_one
from pipelines.logs import log, warn
from pipelines.plant import Plant
from pipelines.processes import BEAT_SECONDS, SCHEDULE, WORK, Presence
from pipelines.pushes import Pushes
from pipelines.relay import Relay
from pipelines.schedule import Chore, Scheduler
from pipelines.tables import lane, seat
from pipelines.worker import AT_ONCE, Worker

ALL = (WORK, SCHEDULE)
#: `dolen status` holds the lock for an instant when it looks; whoever wants to run tries for so long.
_LOCK_SECONDS = 1.0
_LOOK_SECONDS = 0.2
#: What a stopping process waits for is told after so long, and again after as long.
_TELL_SECONDS = 2.0
#: A part that waits for no system's answer has ended after so long, or never will: its database or broker swallowed
#: what it said. What it holds is taken back from it by others as from a dead one.
_PATIENCE_SECONDS = 15.0
#: The exit code of a process that left without its parts.
LEFT_BEHIND = 70
#: After so long a thread that waits for the interpreter gets it. A call to a target waits for it at each of its steps:
#: with CPython's 5 ms, whoever sends stands still as long as a page is being read.
_TURN_SECONDS = 0.001
#: After so many rounds of care, each of a beat, what lies about is swept up.
_ROUNDS_OF_LITTER = 15


class Part(Protocol):
    """Something that works in a thread of its own for as long as the process may."""

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set, and end soon after."""


class NeedsServers(RuntimeError):
    """A part of the work cannot run by itself on the embedded ledger or broker. The message says what to do."""


def check_roles(plant: Plant, command: str) -> None:
    """Make sure that the roles can run apart. Raises NeedsServers."""
    missing = []
    if plant.ledger.embedded:
        missing.append("`ledger.url` a PostgreSQL database")
    if plant.broker_url.startswith("memory:"):
        missing.append("`broker.url` a RabbitMQ")
    if missing:
        raise NeedsServers(
            f"`dolen {command}` needs servers that several processes can share: make {' and '.join(missing)} in "
            "config/dolen.yaml, or use `dolen run`, which does everything in one process"
        )


def run(
    plant: Plant,
    stop: threading.Event,
    *,
    roles: Sequence[str] = ALL,
    chores: Sequence[Chore] = (),
    tell: Callable[[str], None] = lambda _words: None,
    at_once: int = AT_ONCE,
    beside: Callable[[], Sequence[tuple[str, Part]]] = tuple,
) -> None:
    """Run the site until `stop` is set. `tell` is given sentences for a person who waits. `at_once`: threads that this
    process may have at one connection; the connection's own limit holds over all processes. `beside` makes what runs
    beside the site's own parts, by name, each time that the process begins to live.

    Raises AlreadyRunning where the ledger is a file and another process has it.
    """
    if not plant.ledger.embedded:
        _lives(plant, stop, roles, chores, tell, at_once, beside)
        return
    with _locked(plant):
        _lives(plant, stop, roles, chores, tell, at_once, beside)


@contextmanager
def _locked(plant: Plant) -> Iterator[None]:
    until = time.monotonic() + _LOCK_SECONDS
    while True:
        held = only_one(plant.lock_file)
        try:
            held.__enter__()
            break
        except AlreadyRunning:
            if time.monotonic() > until:
                raise
            time.sleep(_LOCK_SECONDS / 20)
    try:
        yield
    finally:
        held.__exit__(None, None, None)


def _lives(
    plant: Plant,
    stop: threading.Event,
    roles: Sequence[str],
    chores: Sequence[Chore],
    tell: Callable[[str], None],
    at_once: int,
    beside: Callable[[], Sequence[tuple[str, Part]]],
) -> None:
    """Live under one name after the other: a process that was given up lets go of everything and begins anew."""
    litter.sweep_less()
    sys.setswitchinterval(_TURN_SECONDS)
    while not stop.is_set():
        presence = Presence(plant, new_id(), roles)
        if _ready(plant, presence, stop):
            _live(plant, presence, stop, roles, chores, tell, at_once, beside())


def _ready(plant: Plant, presence: Presence, stop: threading.Event) -> bool:
    """Write this process's row and, where it is alone, take everything back that others held. Waits for a ledger that
    is away; False if told to stop before."""
    faults = 0
    registered = False
    while not stop.is_set():
        try:
            if not registered:
                clock_steps.begin(plant.ledger, plant.clock)
                presence.register()
                registered = True
            if plant.ledger.embedded:
                processes.all_others_are_gone(plant, presence.boot)
                recovery.void(plant)
        except Exception as fault:
            if not faults:
                warn("start_waits", error=type(fault).__name__)
            faults += 1
            plant.clock.wait(stop, min(0.5 * 2.0 ** min(faults, 3), BEAT_SECONDS))
        else:
            return True
    return False


def _live(
    plant: Plant,
    presence: Presence,
    stop: threading.Event,
    roles: Sequence[str],
    chores: Sequence[Chore],
    tell: Callable[[str], None],
    at_once: int,
    beside: Sequence[tuple[str, Part]],
) -> None:
    over = threading.Event()  # for the parts
    gone = threading.Event()  # for the beat, which goes on until the parts have ended
    beat = threading.Thread(target=presence.run, args=(gone,), name="beat")
    beat.start()
    parts: list[threading.Thread] = []
    unfit: list[LedgerFault] = []  # why this process must not use the ledger any more
    try:
        worker = (
            Worker(plant, presence.boot, most_at_once=at_once, alive=presence.still_alive) if WORK in roles else None
        )
        scheduler = Scheduler(plant, presence.boot, chores=chores) if SCHEDULE in roles else None
        pushes = Pushes(plant) if SCHEDULE in roles else None
        # Every process has a relay: what waits is found as long as one lives, whatever its role.
        own = (("worker", worker), ("relay", Relay(plant)), ("schedule", scheduler), ("pushes", pushes))
        for name, part in (*own, *beside):
            if part is not None:
                parts.append(threading.Thread(target=part.run, args=(over,), name=name))
        parts.append(threading.Thread(target=_care, args=(plant, over, unfit), name="care"))
        for thread in parts:
            thread.start()
        log("running", boot=presence.boot, pid=os.getpid(), stage=plant.stage, count=len(plant.councils))
        while not (stop.is_set() or presence.given_up.is_set() or unfit):
            plant.clock.wait(stop, _LOOK_SECONDS)
            if plant.ledger.lost.is_set():
                # What the disk did not keep cannot be known by going on: the next start finds what is there.
                unfit.append(LedgerFault("the ledger's disk did not keep what it was given; mend it and start again"))
        over.set()
        _wait_for(plant, parts, [part for part in (worker, scheduler, pushes) if part], tell)
    finally:
        over.set()
        for thread in parts:
            thread.join()
        gone.set()
        beat.join()
    _left(presence)
    if unfit:
        raise unfit[0]


def _wait_for(
    plant: Plant,
    parts: Sequence[threading.Thread],
    calling: Sequence[Worker | Scheduler | Pushes],
    tell: Callable[[str], None],
) -> None:
    """Wait until every part has ended, and say what for. No call lasts longer than its connection's deadline.

    A part that waits for nothing of the kind and does not end is left behind: the process ends at once, as if killed.
    """
    began = told = busy = time.monotonic()
    while any(thread.is_alive() for thread in parts):
        for thread in parts:
            thread.join(_LOOK_SECONDS / len(parts))
        if any(part.in_hand() for part in calling):
            busy = time.monotonic()
        elif time.monotonic() - busy > _PATIENCE_SECONDS:
            names = ", ".join(thread.name for thread in parts if thread.is_alive())
            warn("left_behind", part=names, seconds=round(time.monotonic() - began, 1))
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(LEFT_BEHIND)
        if time.monotonic() - told < _TELL_SECONDS:
            continue
        told = time.monotonic()
        for code, name in sorted({key for part in calling for key in part.in_hand()}):
            longest = plant.councils[code].wired[name].timeout_seconds
            log("stopping_waits", council=code, connection=name, seconds=round(told - began, 1))
            tell(f"Waiting for a call to {code}/{name} to end, which takes {longest:g} seconds at the most.")


def _left(presence: Presence) -> None:
    if presence.given_up.is_set():
        log("given_up", boot=presence.boot)
        return
    try:
        presence.leave()
    except Exception as fault:  # the others will find that it is silent
        warn("leave_fault", boot=presence.boot, error=type(fault).__name__)
    log("stopped", boot=presence.boot)


def _care(plant: Plant, stop: threading.Event, unfit: list[LedgerFault]) -> None:
    """Take back what the dead held, and sweep up, every few seconds. A ledger that is away is waited for; one that a
    newer program has changed so that this one must not use it ends this process."""
    faults = rounds = 0
    owed = True  # payloads that a process left under the council's key are handed to their persons once
    while not stop.is_set():
        rounds += 1
        if rounds == _ROUNDS_OF_LITTER:
            litter.sweep_less()  # what connections made when they were opened is there to stay as well
        elif rounds % _ROUNDS_OF_LITTER == 0:
            litter.sweep()
        try:
            plant.ledger.still_fits()
            plant.ledger.reserve.keep()
            plant.keys.keep_up()
            if isinstance(plant.clock, LedgerClock):
                plant.clock.align()
            take_back(plant)
            answering.overdue(plant)
            if owed:
                owed = plant.vault.hand_over(plant.ledger) > 0
            with plant.ledger.writing() as connection:
                lanes.sweep_empty(connection)
                processes.forget(connection, plant.clock.now())
            faults = 0
        except LedgerFault as fault:
            unfit.append(fault)
            return
        except Exception as fault:
            if not faults:
                warn("care_waits", error=type(fault).__name__)
            faults += 1
        plant.clock.wait(stop, 0 if owed and not faults else BEAT_SECONDS)


def take_back(plant: Plant) -> int:
    """Void the leases and seats of processes that do not live any more; return how many lanes were leased."""
    with plant.ledger.reading() as connection:
        # In this order: whoever has leased something has registered before.
        owners = set(connection.execute(select(lane.c.owner).where(lane.c.owner.is_not(None)).distinct()).scalars())
        owners |= set(connection.execute(select(seat.c.owner).where(seat.c.owner.is_not(None)).distinct()).scalars())
        boots = {str(owner).partition("/")[0] for owner in owners}
        dead = boots - processes.living(connection) if boots else set()
    if not dead:
        return 0
    taken = recovery.void(plant, dead)
    log("taken_back", count=taken)
    return taken
