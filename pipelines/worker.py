"""The worker: leases a lane, sends what is due in it, writes down what became of it, and looks for more.

Each connection has threads of its own, as many as its limit allows at once, so that a dead supplier can hold up
nobody but itself. A breaker opens after some failures in a row and pauses the connection.
"""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from pipelines import lanes, outcomes, pauses
from pipelines.causes import Cause
from pipelines.decision import Decision, Do
from pipelines.lanes import Lease
from pipelines.logs import log, warn
from pipelines.outcomes import Taken
from pipelines.plant import Council, Plant
from pipelines.sending import Job, Result, Sender
from pipelines.wakeups import Consumer

#: Errors that speak of the connection and not of the record.
_OF_THE_CONNECTION = frozenset({"Unreachable", "Unknown"})


class Worker:
    """Runs in threads of its own. One a process."""

    def __init__(self, plant: Plant, boot: str) -> None:
        self._plant = plant
        self._boot = boot
        self._pools: dict[tuple[str, str], ThreadPoolExecutor] = {}
        self._pending: set[str] = set()
        self._lock = threading.Lock()
        self._failures: dict[tuple[str, str], int] = {}
        self._numbers = itertools.count(1)
        self._senders = {code: Sender(plant, council) for code, council in plant.councils.items()}
        self._stopping = False

    def run(self, stop: threading.Event) -> None:
        """Read wake-ups until told to stop, then finish what is in hand."""
        consumer: Consumer | None = None
        while not stop.is_set():
            try:
                consumer = consumer or Consumer(self._plant.broker_url, self.woken)
                consumer.drain(0.25)
            except Exception as fault:
                warn("worker_waits", error=type(fault).__name__)
                consumer = None
                self._plant.clock.wait(stop, 1.0)
        if consumer is not None:
            consumer.close()
        self._stopping = True
        for pool in list(self._pools.values()):
            pool.shutdown(wait=True, cancel_futures=True)

    def woken(self, lane: str, probe: bool) -> None:
        """Take one wake-up. A lane that is waiting for its turn already is not queued again."""
        council, target = lane.split("/")[:2]
        place = self._plant.councils.get(council)
        wired = place.wired.get(target) if place else None
        if place is None or wired is None:
            return
        with self._lock:
            if lane in self._pending:
                return
            self._pending.add(lane)
            pool = self._pools.get((council, target))
            if pool is None:
                pool = ThreadPoolExecutor(max_workers=wired.at_once, thread_name_prefix=f"{council}-{target}")
                self._pools[council, target] = pool
        pool.submit(self._guarded, place, lane, probe)

    def _guarded(self, council: Council, lane: str, probe: bool) -> None:
        try:
            self.work(council, lane, probe=probe)
        except SQLAlchemyError as fault:
            # Nothing was written; the lease ends by itself and the lane is found again.
            warn("ledger_fault", council=council.code, error=type(fault).__name__)
        except Exception as fault:
            warn("worker_fault", council=council.code, error=type(fault).__name__)
        finally:
            with self._lock:
                self._pending.discard(lane)

    def work(self, council: Council, lane: str, *, probe: bool = False) -> int:
        """Work through one lane; return how many tries were made."""
        plant, target = self._plant, lane.split("/")[1]
        if target in council.wired and council.wired[target].closed_until(plant.clock.now()) is not None:
            return 0
        owner = f"{self._boot}/{next(self._numbers)}"
        with plant.ledger.writing() as connection:
            paused = pauses.of(connection, council.code, target)
            if paused is not None and not (
                probe and (paused.until or 0) <= plant.clock.now() and paused.until is not None
            ):
                return 0
            leased = outcomes.lease(connection, plant, council, lane, owner, self._boot)
            if isinstance(leased, Lease):
                lanes.let_go(connection, leased)
                return 0
        tries, job = 0, leased
        while isinstance(job, Job):
            result = self._try(council, job)
            tries += 1
            job = self._finish(council, target, result)
        return tries

    def _try(self, council: Council, job: Job) -> Result:
        try:
            return self._senders[council.code].send(job)
        except SQLAlchemyError:
            raise
        except Exception as fault:
            warn("sending_fault", council=council.code, delivery=job.row.id, error=type(fault).__name__)
            words = f"Dolen stumbled over this record ({type(fault).__name__}); whether it was sent is not known"
            result = Result(job, error=type(fault).__name__, words=words)
            result.cause = Cause(job.row.connection, "write", type(fault).__name__, words)
            result.decision = Decision(Do.ATTENTION)
            return result

    def _finish(self, council: Council, target: str, result: Result) -> Job | None:
        """Write the result; go on in the same lane, or give it back."""
        plant = self._plant
        with plant.ledger.writing() as connection:
            try:
                with connection.begin_nested():
                    written = outcomes.write(connection, plant, council, result)
            except Taken as taken:
                words = str(taken)
                clash = Result(
                    result.job,
                    error="Taken",
                    words=words,
                    cause=Cause(
                        target,
                        "match",
                        "number taken",
                        "the target answered with a number that belongs to another referral",
                        "",
                    ),
                    decision=Decision(Do.ATTENTION),
                )
                written = outcomes.write(connection, plant, council, clash)
            if not written:
                warn("lease_lost", council=council.code, connection=target, delivery=result.job.row.id)
                return None
            closed = self._breaker(connection, council.code, target, result)
            following = (
                None if closed or self._stopping else outcomes.next_in(connection, plant, result.job.lease, self._boot)
            )
            if following is None:
                lanes.let_go(connection, result.job.lease)
        log(
            "tried",
            council=council.code,
            connection=target,
            route=result.job.row.route,
            delivery=result.job.row.id,
            outcome=result.how or ("rule" if result.rule else str(result.decision and result.decision.do.value)),
            error=result.error or None,
            tries=result.job.row.tries,
        )
        return following

    def _breaker(self, connection: Connection, council: str, target: str, result: Result) -> bool:
        """Count failures of the connection in a row. Returns whether the connection is paused now."""
        key = (council, target)
        if result.error == "Unauthorised":
            return True
        if result.error not in _OF_THE_CONNECTION:
            with self._lock:
                self._failures.pop(key, None)
            if pauses.end(connection, council, target):
                log("connection_resumed", council=council, connection=target)
            return False
        with self._lock:
            self._failures[key] = self._failures.get(key, 0) + 1
            failures = self._failures[key]
        open_ = pauses.of(connection, council, target)
        if open_ is not None and (open_.until is None or open_.until > self._plant.clock.now()):
            return True  # it was under way when the breaker opened: that is no failed probe, and doubles nothing
        rules = pauses.rules_of(self._plant.councils[council].wired[target].settings)
        if failures < rules.after_failures and open_ is None:
            return False
        until = pauses.trip(
            connection,
            council,
            target,
            why=pauses.BY_BREAKER,
            words=result.words,
            now=self._plant.clock.now(),
            first_seconds=rules.try_again,
        )
        warn("connection_paused", council=council, connection=target, until=until)
        return True
