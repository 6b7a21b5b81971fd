"""The worker: drains a connection that has work, batch by batch, and writes down what became of each try.

Each connection has threads of its own, so that a dead supplier can hold up nobody but itself. A drain begins alone; a
slow target is given more of them, up to the seats that the connection has over all workers. What a call costs decides
how many lanes are leased at once: a batch should take about half a second, so that what is urgent waits no longer.
"""

from __future__ import annotations

import itertools
import threading
import time
from dataclasses import dataclass

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from connectors.errors import ConnectorError
from connectors.port import Tier
from pipelines import crash, outcomes, pauses, seats
from pipelines.breaker import Breaker
from pipelines.causes import Cause
from pipelines.clock import SECOND
from pipelines.decision import Decision, Do
from pipelines.journal import Journal
from pipelines.logs import log, warn
from pipelines.outcomes import lease_seconds
from pipelines.pauses import May
from pipelines.plant import Council, Plant, Wired
from pipelines.sending import Job, Known, Result, Sender
from pipelines.wakeups import Consumer, WakeUp

#: How long a batch should take, in seconds.
BATCH_SECONDS = 0.5
#: Lanes leased at once at the most, by how dear doubt is: asked twice without harm, looked up, or a person's work.
AT_ONCE = {Tier.KEEPS_KEY: 64, Tier.SEARCHABLE: 8, Tier.NEITHER: 1}
#: Calls slower than this leave time for another thread to work meanwhile.
SLOW_SECONDS = 0.005
#: Errors after which the rest of a batch is not tried.
_CUTS = frozenset({"Unreachable", "Unknown", "Unauthorised", "Throttled"})


@dataclass(slots=True)
class _Drain:
    """One thread at one connection."""

    council: Council
    target: str
    owner: str
    size: int = 4
    probing: bool = False  # its one call is the probe of an open breaker
    seconds: float = 0.0  # what one call of the newest batch took


class Worker:
    """Runs in threads of its own. One a process.

    `most_at_once`: threads at one connection in this process; its `limits.at_once` holds over all of them.
    """

    def __init__(self, plant: Plant, boot: str, *, most_at_once: int = 8) -> None:
        self._plant = plant
        self._boot = boot
        self._most = most_at_once
        self._lock = threading.Lock()
        self._drains: dict[tuple[str, str], set[threading.Thread]] = {}
        self._numbers = itertools.count(1)
        self._journal = Journal(plant.journals, boot)
        self._breaker = Breaker(plant)
        self._stopping = threading.Event()
        self._senders = {
            code: Sender(plant, council, self._journal.sending) for code, council in plant.councils.items()
        }

    def run(self, stop: threading.Event) -> None:
        """Read wake-ups until told to stop, then finish the calls in hand and release what was not begun."""
        consumer: Consumer | None = None
        faults = 0
        while not stop.is_set():
            try:
                consumer = consumer or Consumer(self._plant.broker_url, self.woken)
                consumer.drain(0.25)
                faults = 0
            except Exception as fault:
                if not faults:
                    warn("worker_waits", error=type(fault).__name__)
                faults += 1
                if consumer is not None:
                    consumer.close()
                consumer = None
                self._plant.clock.wait(stop, min(0.5 * 2.0 ** min(faults, 5), 15.0))
        if consumer is not None:
            consumer.close()
        self.close()

    def close(self) -> None:
        """Let every drain end behind the call that it is at, and wait for it."""
        self._stopping.set()
        with self._lock:
            threads = [thread for found in self._drains.values() for thread in found]
        for thread in threads:
            thread.join()
        self._journal.close()

    def woken(self, wake: WakeUp) -> None:
        """Take one wake-up: a connection that is being drained already needs no second drain for it."""
        council = self._plant.councils.get(wake.council)
        wired = council.wired.get(wake.connection) if council else None
        if council is not None and wired is not None:
            with self._lock:
                busy = bool(self._drains.get((wake.council, wake.connection)))
            if not busy:
                self._begin(council, wired, probe=wake.probe)

    def _begin(self, council: Council, wired: Wired, *, probe: bool = False) -> None:
        key = (council.code, wired.name)
        with self._lock:
            running = self._drains.setdefault(key, set())
            if self._stopping.is_set() or len(running) >= min(self._most, wired.at_once):
                return
            thread = threading.Thread(
                target=self._guarded, args=(council, wired, probe), name=f"{council.code}-{wired.name}"
            )
            running.add(thread)
            thread.start()

    def _guarded(self, council: Council, wired: Wired, probe: bool) -> None:
        try:
            self.drain(council, wired.name, probe=probe)
        except SQLAlchemyError as fault:
            # Nothing was written; the leases end with this process or by themselves, and the lanes are found again.
            warn("ledger_fault", council=council.code, connection=wired.name, error=type(fault).__name__)
        except Exception as fault:
            warn("worker_fault", council=council.code, connection=wired.name, error=type(fault).__name__)
        finally:
            with self._lock:
                self._drains[council.code, wired.name].discard(threading.current_thread())

    def drain(self, council: Council, target: str, *, probe: bool = False) -> int:
        """Send what is due at one connection until nothing is; return how many tries were made.

        Does nothing while the connection is paused (`probe`: but for one try of it) or has no free seat.
        """
        drain = _Drain(council, target, f"{self._boot}/{next(self._numbers)}")
        wired, tries = council.wired[target], 0
        if wired.closed_until(self._plant.clock.now()) is not None:
            return 0
        limit = self._limit(wired)
        with self._plant.ledger.writing() as connection:
            jobs = self._first(connection, drain, wired, limit, probe=probe)
            crash.here("before lease commit")
        crash.here("after lease commit")
        while jobs:
            results, unsent = self._send(drain, wired, jobs)
            tries += len(results)
            self._resize(drain, len(results), limit)
            going_on = not (unsent or self._stopping.is_set() or drain.probing)
            if going_on and drain.seconds > SLOW_SECONDS:
                self._begin(council, wired)
            jobs = self._finish(drain, wired, results, unsent, going_on=going_on)
        return tries

    def _first(self, connection: Connection, drain: _Drain, wired: Wired, limit: int, *, probe: bool) -> list[Job]:
        """Lease the first batch, of one where it is the probe of an open breaker."""
        now, code = self._plant.clock.now(), drain.council.code
        until = now + int(lease_seconds(wired) * SECOND)
        may = pauses.may_call(connection, code, wired.name, now=now, until=until, probe=probe)
        if may is May.NOT:
            return []
        drain.probing = may is May.PROBE
        jobs = self._lease(connection, drain, wired, 1 if drain.probing else min(drain.size, limit))
        if not jobs:
            seats.give_back(connection, code, wired.name, drain.owner)
            if drain.probing:
                pauses.may_probe_again(connection, code, wired.name, now=now)
        return jobs

    def _limit(self, wired: Wired) -> int:
        """How many lanes of this connection may be leased at once: by the tier of what it takes."""
        try:
            tiers = {wired.connector.tier(kind) for kind in wired.kinds if "create" in wired.offers(kind)}
        except ConnectorError:
            return 1  # the first try will say what is wrong
        return min((AT_ONCE[tier] for tier in tiers), default=AT_ONCE[Tier.SEARCHABLE])

    def _lease(self, connection: Connection, drain: _Drain, wired: Wired, most: int) -> list[Job]:
        plant, council = self._plant, drain.council
        now = plant.clock.now()
        until = now + int(lease_seconds(wired) * SECOND)
        if not seats.take(
            connection,
            council.code,
            wired.name,
            drain.owner,
            seats=wired.at_once,
            now=now,
            until=until,
        ):
            return []
        return outcomes.lease(connection, plant, council, wired.name, drain.owner, most=most)

    def _send(self, drain: _Drain, wired: Wired, jobs: list[Job]) -> tuple[list[Result], list[Job]]:
        """Try the jobs one after the other; return the results, and the jobs that were not begun."""
        sender = self._senders[drain.council.code]
        try:
            known = sender.prepare(jobs)
        except SQLAlchemyError:
            return [], jobs
        results: list[Result] = []
        began = time.monotonic()
        needed = int(wired.timeout_seconds * 3 * SECOND)
        for at, job in enumerate(jobs):
            if self._stopping.is_set() or (at and self._plant.clock.now() + needed > job.lease.until):
                return results, jobs[at:]
            results.append(self._try(sender, drain, job, known[at]))
            drain.seconds = (time.monotonic() - began) / len(results)
            if results[-1].error in _CUTS:
                return results, jobs[at + 1 :]
        return results, []

    def _try(self, sender: Sender, drain: _Drain, job: Job, known: Known | None) -> Result:
        try:
            return sender.send(job, known)
        except Exception as fault:
            warn("sending_fault", council=drain.council.code, delivery=job.row.id, error=type(fault).__name__)
            words = f"Dolen stumbled over this record ({type(fault).__name__}); whether it was sent is not known"
            result = Result(job, error=type(fault).__name__, words=words)
            result.cause = Cause(job.row.connection, "write", type(fault).__name__, words)
            result.decision = Decision(Do.ATTENTION)
            return result

    def _resize(self, drain: _Drain, done: int, limit: int) -> None:
        """Fit the next batch to what this one cost, growing step by step."""
        if done and drain.seconds > 0:
            fitting = int(BATCH_SECONDS / drain.seconds) or 1
            drain.size = max(1, min(fitting, drain.size * 4, limit))

    def _finish(
        self, drain: _Drain, wired: Wired, results: list[Result], unsent: list[Job], *, going_on: bool
    ) -> list[Job]:
        """Write a batch of results and lease the next in the same transaction. Waits for a ledger that is away: what
        was done at a target must not be forgotten while this process lives."""
        plant, council = self._plant, drain.council
        faults = 0
        while True:
            try:
                with plant.ledger.writing() as connection:
                    lost = outcomes.write(connection, plant, council, results, unsent)
                    if results:
                        paused = self._breaker.judge(connection, council, wired, results, probing=drain.probing)
                        going_on = going_on and not paused
                    jobs = self._lease(connection, drain, wired, drain.size) if going_on else []
                    if not jobs:
                        seats.give_back(connection, council.code, wired.name, drain.owner)
                    crash.here("before results commit")
                crash.here("after results commit")
                break
            except SQLAlchemyError as fault:
                if not faults:
                    warn("results_wait", council=council.code, connection=wired.name, error=type(fault).__name__)
                faults += 1
                if self._stopping.wait(min(0.1 * 2.0 ** min(faults, 6), 5.0)) and faults > 10:
                    raise
        self._tell(drain, wired, results, lost)
        plant.nudge.set()
        return jobs

    def _tell(self, drain: _Drain, wired: Wired, results: list[Result], lost: list[Result]) -> None:
        code = drain.council.code
        for result in lost:
            warn("lease_lost", council=code, connection=wired.name, delivery=result.job.row.id)
        for result in results:
            if result not in lost:
                log(
                    "tried",
                    council=code,
                    connection=wired.name,
                    route=result.job.row.route,
                    delivery=result.job.row.id,
                    outcome=result.how
                    or ("rule" if result.rule else str(result.decision and result.decision.do.value)),
                    error=result.error or None,
                    tries=result.job.row.tries,
                )
