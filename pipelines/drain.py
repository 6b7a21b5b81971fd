"""A drain: one thread's work at one connection, batch by batch, until nothing is due there.

It takes a seat, leases a batch of lanes, sends one after the other, and writes all results in one transaction together
with the next lease. What a call costs decides how many lanes are leased at once: a batch should take
about a quarter of a second, so that what is urgent waits no longer. Which connection is drained, and by how many
threads, is known in `pipelines.worker`; what a result does to the ledger is in `pipelines.outcomes`.
"""

from __future__ import annotations

import errno
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnection

from connectors.errors import ConnectorError
from connectors.port import Tier
from pipelines import crash, holding, outcomes, pauses, seats
from pipelines.breaker import Breaker
from pipelines.causes import Cause
from pipelines.clock import SECOND
from pipelines.databases import DiskBroken, DiskFull
from pipelines.decision import Decision, Do, back_off
from pipelines.jobs import TEXT_KIND, Job, Known
from pipelines.journal import Journal
from pipelines.ledger import LedgerFault
from pipelines.logs import log, warn
from pipelines.outcomes import lease_seconds
from pipelines.pauses import May
from pipelines.plant import Council, Plant, Wired
from pipelines.sending import Result, Sender

#: How long the calls of a batch should take, in seconds. One of which they take twice as long, since its target has
#: become slow, is cut short: what is urgent waits for one batch and is proved with the next. What writing it costs is
#: left out of account: it hardly depends on the size, so that smaller batches would only make it dearer.
BATCH_SECONDS = 0.25
#: Lanes leased at once at the most, by how dear doubt is: asked twice without harm, looked up, or a person's work.
AT_ONCE = {Tier.KEEPS_KEY: 256, Tier.SEARCHABLE: 8, Tier.NEITHER: 1}
#: The first batch, before it is known what a call costs.
FIRST_SIZE = 4
#: One more drain works at a connection where the whole process waited for this share of a batch's time, for the target
#: or for the ledger; and in any case where a call takes as long as that: it is not for our process that it waits.
IDLE, VERY_SLOW_SECONDS = 0.4, 0.02
#: A target whose calls are slower than this may have as many as it has seats. At a quicker one a second takes turns, so
#: that one sends while the other writes down; on SQLite, where one writes at a time, it would only wait for the first.
SLOW_SECONDS, IN_TURNS = 0.005, 2
#: Tries to write results that the ledger refuses for another reason than being away: two writers may have met.
_TRIES = 3
#: So often a record is tried at the most while our own machine may be what is wrong.
_STUMBLES = 6
#: Errors after which the rest of a batch is not tried.
_CUTS = frozenset({"Unreachable", "Unknown", "Unauthorised", "Throttled"})
#: The ledger is locked, full or gone for now: nothing is wrong with what was to be written.
_AWAY = (OperationalError, InterfaceError, NoConnection, DiskFull, OSError, sqlite3.OperationalError)
#: The process must end: whoever starts it again finds by the journal what was begun.
_OVER = (DiskBroken, LedgerFault)


class TooLate(RuntimeError):
    """This process was given up by the others, or its lease ends before the call could: nothing may be sent."""


@dataclass(slots=True)
class Shared:
    """What all drains of one process have in common."""

    plant: Plant
    breaker: Breaker
    journal: Journal
    alive: Callable[[], bool]  # False once the others may have given this process up
    more: Callable[[Council, Wired, int | None], None]  # begins one more drain there, up to so many; None: to its seats
    stopping: threading.Event = field(default_factory=threading.Event)
    senders: Mapping[str, Sender] = field(init=False)

    def __post_init__(self) -> None:
        self.senders = {code: Sender(self.plant, council, self.begins) for code, council in self.plant.councils.items()}

    def begins(self, job: Job) -> None:
        """A call that may change a target is about to be made. Raises TooLate if it must not be."""
        self.journal.sending(job.row.id, job.lease.fence)
        # Behind the journal, as near to the call as can be: a process that was frozen wakes up here too.
        if not self.alive() or self.plant.clock.now() >= job.lease.until:
            raise TooLate


class Drain:
    """One thread at one connection. `owner`: the name that its leases and its seat stand under."""

    def __init__(self, shared: Shared, council: Council, wired: Wired, owner: str) -> None:
        self._shared = shared
        self._plant = shared.plant
        self._council = council
        self._wired = wired
        self._owner = owner
        self._limit = self._most()
        self._size = min(FIRST_SIZE, self._limit)
        self._probing = False  # its one call is the probe of an open breaker
        self._seconds = 0.0  # what one call of the newest batch took
        self._cut = False  # the newest batch took too long and was not sent to its end

    def run(self, *, probe: bool = False) -> int:
        """Send what is due until nothing is; return how many tries were made.

        Does nothing while the connection is paused (`probe`: but for one try of it) or has no free seat.
        """
        if self._wired.closed_until(self._plant.clock.now()) is not None:
            return 0
        tries = 0
        with self._plant.ledger.writing() as connection:
            jobs = self._first(connection, probe=probe)
            crash.here("before lease commit")
        crash.here("after lease commit")
        while jobs:
            began, used = time.monotonic(), time.process_time()
            results, unsent = self._send(jobs)
            tries += len(results)
            self._resize(len(results))
            going_on = not (self._shared.stopping.is_set() or self._probing or (unsent and not self._cut))
            jobs = self._finish(results, unsent, going_on=going_on)
            idle = 1.0 - (time.process_time() - used) / max(time.monotonic() - began, 1e-6)
            if jobs and (idle > IDLE or self._seconds > VERY_SLOW_SECONDS):
                self._shared.more(self._council, self._wired, self._drains())
        return tries

    # --- Leasing ------------------------------------------------------------------------------------------------------

    def _first(self, connection: Connection, *, probe: bool) -> list[Job]:
        """Lease the first batch, of one where it is the probe of an open breaker."""
        now, code, name = self._plant.clock.now(), self._council.code, self._wired.name
        until = now + int(lease_seconds(self._wired) * SECOND)
        if holding.holds(connection, code):
            return []
        may = pauses.may_call(connection, code, name, now=now, until=until, probe=probe)
        if may is May.NOT:
            return []
        self._probing = may is May.PROBE
        jobs = self._lease(connection, 1 if self._probing else self._size)
        if not jobs:
            seats.give_back(connection, code, name, self._owner)
            if self._probing:
                pauses.may_probe_again(connection, code, name, now=now)
        return jobs

    def _next(self, connection: Connection) -> list[Job]:
        """Lease the next batch, unless somebody closed or paused the connection meanwhile."""
        if self._wired.closed_until(self._plant.clock.now()) is not None:
            return []
        if pauses.of(connection, self._council.code, self._wired.name) is not None:
            return []
        return self._lease(connection, self._size)

    def _lease(self, connection: Connection, most: int) -> list[Job]:
        plant, council, wired = self._plant, self._council, self._wired
        now = plant.clock.now()
        until = now + int(lease_seconds(wired) * SECOND)
        if not seats.take(connection, council.code, wired.name, self._owner, seats=wired.at_once, now=now, until=until):
            return []
        return outcomes.lease(connection, plant, council, wired.name, self._owner, most=most)

    def _most(self) -> int:
        """How many lanes of this connection may be leased at once: by the tier of what it takes."""
        wired = self._wired
        try:
            tiers = {wired.connector.tier(kind) for kind in wired.kinds if "create" in wired.offers(kind)}
        except ConnectorError:
            return 1  # the first try will say what is wrong
        return min((AT_ONCE[tier] for tier in tiers), default=AT_ONCE[Tier.SEARCHABLE])

    def _drains(self) -> int | None:
        """How many drains may work at this connection, as its calls are now; None: as many as it has seats."""
        if self._seconds > SLOW_SECONDS:
            return None
        return 1 if self._plant.ledger.embedded else IN_TURNS

    def _resize(self, done: int) -> None:
        """Fit the next batch to what this one cost, growing step by step."""
        if done and self._seconds > 0:
            fitting = int(BATCH_SECONDS / self._seconds) or 1
            self._size = max(1, min(fitting, self._size * 4, self._limit))

    # --- Sending ------------------------------------------------------------------------------------------------------

    def _send(self, jobs: list[Job]) -> tuple[list[Result], list[Job]]:
        """Try the jobs one after the other; return the results, and the jobs that were not begun."""
        sender = self._shared.senders[self._council.code]
        self._plant.refresh()  # behind the lease: what a person released after a mend is written with the mend
        try:
            known = sender.prepare(jobs)
        except SQLAlchemyError:
            return [], jobs
        results: list[Result] = []
        self._cut = False
        began = time.monotonic()
        needed = int(self._wired.timeout_seconds * 3 * SECOND)
        for at, job in enumerate(jobs):
            if self._shared.stopping.is_set() or self._plant.clock.now() + needed > job.lease.until:
                return results, jobs[at:]
            if results and time.monotonic() - began > 2 * BATCH_SECONDS:
                self._cut = True
                return results, jobs[at:]
            try:
                results.append(self._try(sender, job, known[at]))
            except TooLate:
                warn("lease_too_late", council=self._council.code, connection=self._wired.name, delivery=job.row.id)
                return results, jobs[at:]
            self._seconds = (time.monotonic() - began) / len(results)
            if results[-1].error in _CUTS:
                return results, jobs[at + 1 :]
        return results, []

    def _try(self, sender: Sender, job: Job, known: Known | None) -> Result:
        try:
            return sender.send(job, known)
        except TooLate:
            raise
        except Exception as fault:
            return self._stumbled(job, fault)

    def _stumbled(self, job: Job, fault: Exception) -> Result:
        """What is written where a try ends in a fault of our own.

        Where it may be the machine and not the record, a file too many or a ledger that is away, it is tried again as
        long as that can do no harm. What was in doubt before stays in doubt.
        """
        in_doubt = job.called or job.look_up
        passing = isinstance(fault, (*_AWAY, MemoryError)) and job.row.tries < _STUMBLES
        result = self._ours(job, fault, "whether it was sent is not known" if in_doubt else "nothing was sent")
        offers = self._wired.connector.offers if job.row.kind == TEXT_KIND else self._wired.offers
        if not in_doubt:
            if passing:
                result.decision = Decision(Do.AGAIN, back_off(job.row.tries, random.random()))  # noqa: S311 - jitter
        elif "find" in offers(job.row.kind) and (passing or not job.look_up):
            result.decision = Decision(Do.NOT_SURE, self._wired.settle_seconds)
        else:
            result.decision = Decision(Do.ASK)
        return result

    def _ours(self, job: Job, fault: Exception, then: str) -> Result:
        """A record that our own code cannot deal with: a person must look, and nobody else waits."""
        error, number = type(fault).__name__, getattr(fault, "errno", None)
        named = f"{error} {errno.errorcode.get(number, number)}" if isinstance(number, int) else error
        warn("sending_fault", council=self._council.code, delivery=job.row.id, error=named)
        words = f"Dolen stumbled over this record ({error}); {then}"
        result = Result(job, error=error, words=words)
        result.cause = Cause(job.row.connection, "write", error, words)
        result.decision = Decision(Do.ATTENTION)
        return result

    # --- Writing down -------------------------------------------------------------------------------------------------

    def _finish(self, results: list[Result], unsent: list[Job], *, going_on: bool) -> list[Job]:
        """Write a batch of results and lease the next. One that cannot be written delays none of the others."""
        try:
            return self._write(results, unsent, going_on=going_on)
        except (*_AWAY, *_OVER):
            raise
        except Exception as fault:
            warn("results_one_by_one", council=self._council.code, error=type(fault).__name__)
        for result in results:
            try:
                self._write([result], [], going_on=False)
            except (*_AWAY, *_OVER):
                raise
            except Exception as fault:
                then = "what the target answered could not be written down"
                self._write([self._ours(result.job, fault, then)], [], going_on=False)
        return self._write([], unsent, going_on=going_on)

    def _write(self, results: list[Result], unsent: list[Job], *, going_on: bool) -> list[Job]:
        """Write results and lease the next batch in one transaction. Waits for a ledger that is away: what was done at
        a target must not be forgotten while this process lives."""
        faults = refused = 0
        while True:
            try:
                lost, jobs = self._write_once(results, unsent, going_on=going_on)
                break
            except _AWAY as fault:
                if not faults:
                    warn("results_wait", council=self._council.code, error=type(fault).__name__)
                faults += 1
                if self._shared.stopping.wait(min(0.1 * 2.0 ** min(faults, 6), 5.0)):
                    # Whoever stops us waits for seconds, not for ever: what is not written is looked up after a start.
                    if faults > 10:
                        raise
                    time.sleep(0.2)
            except _OVER:
                raise
            except SQLAlchemyError:
                refused += 1
                if refused >= _TRIES:
                    raise
        self._tell(results, lost)
        self._plant.nudge.set()
        return jobs

    def _write_once(
        self, results: list[Result], unsent: list[Job], *, going_on: bool
    ) -> tuple[list[Result], list[Job]]:
        plant, council, wired = self._plant, self._council, self._wired
        # What was done must be told: on a full disk it may use the room that is kept for such words.
        with plant.ledger.writing(making_room=True) as connection:
            lost = outcomes.write(connection, plant, council, results, unsent)
            if results and self._shared.breaker.judge(connection, council, wired, results, probing=self._probing):
                going_on = False
            jobs = self._next(connection) if going_on and not plant.ledger.reserve.is_full else []
            if not jobs:
                seats.give_back(connection, council.code, wired.name, self._owner)
            crash.here("before results commit")
        crash.here("after results commit")
        return lost, jobs

    def _tell(self, results: list[Result], lost: list[Result]) -> None:
        code, name = self._council.code, self._wired.name
        for result in results:
            row = result.job.row
            if result in lost:
                warn("lease_lost", council=code, connection=name, delivery=row.id)
                continue
            outcome = result.how or ("rule" if result.rule else str(result.decision and result.decision.do.value))
            log(
                "tried",
                council=code,
                connection=name,
                route=row.route,
                delivery=row.id,
                outcome=outcome,
                error=result.error or None,
                tries=row.tries,
            )
