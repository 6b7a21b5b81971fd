"""Pushes: what systems pushed is taken in, row by row, until nothing of it waits.

A push that carries records goes through intake as a page does, and is marked as taken in the same transaction. One that
only names a record has it fetched first; while its system cannot be asked the push waits, with its neighbours of that
connection and nobody else. What cannot be read needs attention. Pushes overtake one another and come twice: the
record's own stamp and content decide, as for every page.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from connectors.errors import ConnectorError, PageUnreadable, Rejected, Throttled, Unauthorised
from connectors.port import Item, UnreadableItem
from connectors.push.port import Named, Push, Receiving
from pipelines import pauses, pressure
from pipelines.clock import SECOND
from pipelines.decision import limit_of
from pipelines.intake import Intake
from pipelines.logs import log, warn
from pipelines.places import LIVE
from pipelines.plant import Kind, Plant, Wired
from pipelines.tables import payload, pushed
from pipelines.tidings import Tidings

#: Rows that are taken in together; fewer where each record is to be fetched.
TOGETHER, FETCHED_TOGETHER = 100, 10
#: How long after its first try a push waits, and at the most.
FIRST_WAIT, LONGEST_WAIT = 1.0, 300.0
#: So many times a record may be named that its system does not show yet.
NOT_THERE_TRIES = 4
#: What was taken in is remembered for so long, so that the same push is known when it comes again.
REMEMBERED = 7 * 86_400 * SECOND
_TURN_SECONDS, _SWEEP_EVERY, _LEASE_SECONDS = 0.5, 600 * SECOND, 30.0


class Overtaken(RuntimeError):
    """Another process took these pushes in meanwhile. Nothing of this transaction was written."""


class _Later(Exception):
    """A push must wait; the words say why."""


class Pushes:
    """Takes in what waits. `run` does so in a thread of its own, and each kind of a connection in one beside it."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._intakes = {code: Intake(plant, council) for code, council in plant.councils.items()}
        self._tidings = {code: Tidings(plant, council) for code, council in plant.councils.items()}
        self._threads: dict[tuple[str, str, str], threading.Thread] = {}
        self._stop = threading.Event()
        self._swept = 0

    def run(self, stop: threading.Event) -> None:
        """Take in what waits until told to stop; then let what is in hand end."""
        faults = 0
        begun = False
        while not stop.is_set():
            try:
                if not begun and self._plant.ledger.embedded:
                    self._void()  # whoever was at them before is gone
                begun = True
                self.turn()
                faults = 0
            except Exception as fault:
                if not faults:
                    warn("pushes_wait", error=type(fault).__name__)
                faults += 1
            self._plant.clock.wait(self._plant.pushed, _TURN_SECONDS if not faults else min(2.0**faults, 5.0))
            self._plant.pushed.clear()
        self._stop.set()
        for thread in list(self._threads.values()):
            thread.join()

    def in_hand(self) -> list[tuple[str, str]]:
        """(council, connection) of those whose pushes are being taken in."""
        return sorted({key[:2] for key, thread in list(self._threads.items()) if thread.is_alive()})

    def turn(self) -> None:
        """Start a thread for each kind of which something waits and none is at work."""
        now = self._plant.clock.now()
        with self._plant.ledger.looking() as connection:
            where = (pushed.c.taken.is_(None), pushed.c.due <= now)
            waiting = connection.execute(
                select(pushed.c.council, pushed.c.connection, pushed.c.kind).where(*where).distinct()
            ).all()
        for council, name, kind in waiting:
            key = (council, name, kind)
            there = self._plant.councils.get(council)
            wired = there.wired.get(name) if there else None
            running = self._threads.get(key)
            if wired is None or wired.told_by(kind) is None or (running is not None and running.is_alive()):
                continue  # what is no longer in the site's files waits until it is again
            self._threads[key] = threading.Thread(target=self._go, args=(wired, kind), name=f"pushed-{council}-{name}")
            self._threads[key].start()
        if not 0 <= now - self._swept < _SWEEP_EVERY:
            self._swept = now
            with self._plant.ledger.writing() as connection:
                connection.execute(delete(pushed).where(pushed.c.taken < now - REMEMBERED))

    def now(self, wired: Wired, kind_name: str, *, rounds: int | None = None) -> int:
        """Take in what waits of one kind and may be taken in, oldest first; return how many pushes. `rounds`: how often
        some are taken together, at the most."""
        taken, made = 0, 0
        while made != rounds and not self._stop.is_set() and self._may(wired):
            made += 1
            kind = wired.told_by(kind_name)
            assert kind is not None
            done, more = self._some(wired, kind)
            taken += done
            if not more:
                break
        return taken

    def _go(self, wired: Wired, kind_name: str) -> None:
        try:
            taken = self.now(wired, kind_name)
            if taken:
                log("pushes_taken", council=wired.council, connection=wired.name, kind=kind_name, count=taken)
        except Exception as fault:  # the rows are there, and are taken up again
            warn("pushes_fault", council=wired.council, connection=wired.name, error=type(fault).__name__)
            self._plant.clock.wait(self._stop, 1.0)

    def _may(self, wired: Wired) -> bool:
        now, council = self._plant.clock.now(), self._plant.councils[wired.council]
        with self._plant.ledger.reading() as connection:
            paused = pauses.all_pauses(connection).get((wired.council, wired.name))
            most = pressure.most_for(wired.settings, LIVE)
            full = pressure.waiting(connection, council, wired.name, most) > most
        closed = paused is not None and (paused.until is None or paused.until > now)
        return not (closed or full or wired.closed_until(now) is not None)

    def _some(self, wired: Wired, kind: Kind) -> tuple[int, bool]:
        """Take in some pushes; return how many, and whether to go on."""
        connector = wired.connector
        if not isinstance(connector, Receiving):
            return 0, False
        push = connector.push(kind.name)
        rows = self._claim(wired, kind.name)
        found: list[Item | UnreadableItem] = []
        done: list[Row[Any]] = []
        for at, row in enumerate(rows):
            try:
                found += self._found(wired, kind.name, push, row)
            except (_Later, ConnectorError) as fault:
                self._later(wired, rows[at:], fault)
                break
            done.append(row)
        if done:
            try:
                takes = self._tidings if kind.name in wired.tidings else self._intakes
                takes[wired.council].take(wired, kind, found, place=self._marks(done))
            except Overtaken:
                log("pushes_overtaken", council=wired.council, connection=wired.name, count=len(done))
            except Exception:
                with self._plant.ledger.writing() as connection:  # if it can be: else the lease ends by itself
                    ids = [row.id for row in done]
                    connection.execute(update(pushed).where(pushed.c.id.in_(ids)).values(due=pushed.c.at))
                raise
        return len(done), bool(rows) and len(done) == len(rows)

    def _claim(self, wired: Wired, kind: str) -> Sequence[Row[Any]]:
        """Put off for the others what this thread is about to take in: a lease that ends by itself."""
        now = self._plant.clock.now()
        fetches = kind in wired.settings.get("pushed_ids", ())
        lease = round((wired.timeout_seconds * FETCHED_TOGETHER * fetches + _LEASE_SECONDS) * SECOND)
        with self._plant.ledger.writing() as connection:
            asked = (
                select(pushed)
                .where(pushed.c.council == wired.council, pushed.c.connection == wired.name, pushed.c.kind == kind)
                .where(pushed.c.taken.is_(None), pushed.c.due <= now)
                .order_by(pushed.c.id)
                .limit(FETCHED_TOGETHER if fetches else TOGETHER)
                .with_for_update(skip_locked=True)
            )
            rows = connection.execute(asked).all()
            ids = [row.id for row in rows]
            connection.execute(update(pushed).where(pushed.c.id.in_(ids)).values(due=now + lease))
        return rows

    def _found(self, wired: Wired, kind: str, push: Push, row: Row[Any]) -> list[Item | UnreadableItem]:
        """The records of one push, fetched where it only names them. Raises what asking raises."""
        with self._plant.ledger.reading() as connection:
            raw = self._plant.vault.get(connection, row.council, row.raw)
        try:
            told = push.unpack(raw, row.key)
        except Exception as fault:  # of ours: this push's, and nobody else's
            warn("push_fault", council=row.council, connection=row.connection, error=type(fault).__name__)
            return [UnreadableItem(raw, "the push cannot be taken apart")]
        return [self._fetched(wired, kind, one, row, raw) if isinstance(one, Named) else one for one in told]

    def _fetched(self, wired: Wired, kind: str, named: Named, row: Row[Any], raw: bytes) -> Item | UnreadableItem:
        try:
            item = wired.connector.fetch(kind, named.id)
        except PageUnreadable as fault:
            return UnreadableItem(fault.reply, fault.reason, named.id)
        except Rejected as fault:
            return UnreadableItem(
                fault.reply or raw, f"the record that a push names is refused: {fault.reason}", named.id
            )
        if item is not None:
            return item
        if row.tries < NOT_THERE_TRIES:
            raise _Later("the record that it names is not there yet")
        return UnreadableItem(raw, "a push named this record, and the system does not show it", named.id)

    def _later(self, wired: Wired, rows: Sequence[Row[Any]], fault: Exception) -> None:
        """Let the first of the rows wait as long as its tries say; all that waits where it is the system's doing."""
        first, now = rows[0], self._plant.clock.now()
        own = isinstance(fault, _Later)
        words = fault.reason if isinstance(fault, ConnectorError) else str(fault)
        seconds = min(FIRST_WAIT * 2.0 ** min(first.tries, 20), LONGEST_WAIT)
        if isinstance(fault, Throttled):
            seconds = max(seconds, fault.after or 0)
        wait = round(seconds * SECOND)
        with self._plant.ledger.writing() as connection:
            connection.execute(
                update(pushed)
                .where(pushed.c.id == first.id)
                .values(due=now + wait, tries=pushed.c.tries + 1, words=words)
            )
            behind = [row.id for row in rows[1:]]
            connection.execute(update(pushed).where(pushed.c.id.in_(behind)).values(due=now if own else now + wait))
            if not own:
                same = {"council": wired.council, "connection": wired.name, "kind": first.kind}
                rest = update(pushed).filter_by(**same).where(pushed.c.taken.is_(None), pushed.c.due < now + wait)
                connection.execute(rest.values(due=now + wait))
            if isinstance(fault, Unauthorised):
                pauses.trip(connection, wired.council, wired.name, why=pauses.BY_LOGIN, words=words, now=now)
            elif isinstance(fault, Throttled) and (asked := limit_of(fault)):
                why = pauses.BY_LIMIT
                pauses.trip(connection, wired.council, wired.name, why=why, words=words, now=now, asked_seconds=asked)
        log("push_waits", council=wired.council, connection=wired.name, error=type(fault).__name__, tries=first.tries)

    def _marks(self, rows: Sequence[Row[Any]]) -> Callable[[Connection], None]:
        """What marks pushes as taken, within the transaction that writes their records. Raises Overtaken there."""
        now, ids = self._plant.clock.now(), [row.id for row in rows]

        def mark(connection: Connection) -> None:
            open_ones = update(pushed).where(pushed.c.id.in_(ids), pushed.c.taken.is_(None))
            if connection.execute(open_ones.values(taken=now, raw=None, words="")).rowcount != len(ids):
                raise Overtaken
            # Each record's own bytes are with its version now; the rest was the envelope.
            connection.execute(delete(payload).where(payload.c.id.in_([row.raw for row in rows])))

        return mark

    def _void(self) -> None:
        with self._plant.ledger.writing() as connection:
            connection.execute(update(pushed).where(pushed.c.taken.is_(None)).values(due=pushed.c.at))
