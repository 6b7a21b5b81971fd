"""Runs: claiming one planned or asked-for reading of a source, making it, and writing down what came of it.

A claim and the hold on the walk are one transaction, and so are the end of both. A process that dies leaves them to be
taken over: whoever finds that its holder does not live any more goes on from the walk's place.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, select

from pipelines import crash, places, processes, slots
from pipelines.clock import SECOND
from pipelines.intake import Intake
from pipelines.logs import log, warn
from pipelines.places import Key, Place, WalkLost
from pipelines.plant import Kind, Plant, Wired
from pipelines.slots import Claimed
from pipelines.tables import slot
from pipelines.timetable import day_begins
from pipelines.walks import STOPPED, Manners, Walked, Walker

#: What living means to `busy` is read from the ledger anew after so long.
_FRESH = SECOND // 2
POLLS_USED_UP = "the supplier's polls of the day are used up (limits.polls_a_day)"


@dataclass(slots=True)
class Run:
    """One claimed run."""

    key: Key
    at: int
    place: Place


class Runs:
    """The runs of one process. Safe to share between threads. Once `stop` is set, walks end behind their page."""

    def __init__(self, plant: Plant, boot: str) -> None:
        self.plant = plant
        self.boot = boot
        self.stop = threading.Event()
        self.intakes = {code: Intake(plant, council) for code, council in plant.councils.items()}
        self._walkers = {code: Walker(plant, council, self.intakes[code]) for code, council in plant.councils.items()}
        self._numbers = itertools.count(1)
        self._active: set[str] = set()
        self._living: tuple[int, frozenset[str]] = (0, frozenset())

    def claim(self, wired: Wired, kind: Kind, purpose: str, at: int, *, asked: bool = False) -> Run | Claimed | None:
        """Claim a reading of a source; `Claimed.OVER` if there is nothing to make, None if not now: somebody reads, or
        may read no more today."""
        key = Key(wired.council, wired.name, kind.name, purpose)
        zone = str(wired.settings.get("zone") or "UTC")
        return self.claim_named(key, at, asked=asked, polls_a_day=wired.settings.get("polls_a_day"), zone=zone)

    def claim_named(
        self, key: Key, at: int, *, asked: bool = False, polls_a_day: int | None = None, zone: str = "UTC"
    ) -> Run | Claimed | None:
        """Claim a run of anything that is planned and named like a walk. What is claimed must be given to `make`, or
        to `end` by whoever makes it himself."""
        owner = f"{self.boot}/{next(self._numbers)}"
        with self.plant.ledger.writing() as connection:
            now = self.plant.clock.now()
            today = now
            if polls_a_day is not None:
                today = day_begins(now, zone)
                # One row for the connection, so that two runs cannot take the last poll of its day.
                places.lock(connection, key._replace(kind="", purpose="polls"))
            holder = places.lock(connection, key)
            if holder is not None and self._reads(holder, processes.living(connection)):
                return None
            begun = slots.begun_since(connection, key.council, key.connection, today) if polls_a_day else 0
            if polls_a_day is not None and begun >= polls_a_day and not _begun(connection, key, at):
                if not asked:
                    return None
                slots.refuse(connection, key, at, now=now, words=POLLS_USED_UP)
                return Claimed.OVER
            claimed = slots.claim(connection, key, at, owner, now=now, asked=asked, keep_from=today)
            if claimed is Claimed.OVER:
                return claimed
            since = connection.execute(select(slot.c.since).filter_by(**key._asdict(), at=at)).scalar_one()
            anew = since if since and claimed is Claimed.FIRST else None
            place = places.take(connection, key, owner, now=now, since=anew)
        self._active.add(owner)
        crash.here("slot claimed")
        return Run(key, at, place)

    def make(self, wired: Wired, kind: Kind, run: Run, progress: Callable[[Walked], None] | None = None) -> Walked:
        """Make a claimed run, and let go of it whatever happens. Raises nothing for what a source does.

        Raises SQLAlchemyError when the ledger is away; the run is then found open again by its own process.
        """
        key, owner = run.key, run.place.owner

        def page(connection: Connection, read: int, news: int) -> None:
            slots.progress(connection, key, run.at, owner, read=read, news=news)

        try:
            manners = Manners(self.stop, self.busy, page)
            walked = self._walkers[key.council].go(wired, kind, run.place, manners, progress=progress)
            news = walked.taken.news - walked.told
            stopped = walked.words == STOPPED
            self.end(run, words=walked.words, news=news, stopped=stopped, note=walked.note)
        except WalkLost:
            warn("walk_lost", council=key.council, connection=key.connection, kind=key.kind, purpose=key.purpose)
            return Walked(words="another process reads this source now")
        finally:
            self._active.discard(owner)
        if walked.taken.news:
            log(
                "walked",
                council=key.council,
                connection=key.connection,
                kind=key.kind,
                purpose=key.purpose,
                pages=walked.pages,
                news=walked.taken.news,
                repeats=walked.taken.repeats,
            )
        return walked

    def busy(self, owner: str) -> bool:
        """Whether the holder of a walk or a run still works at it, as far as anybody knows."""
        now = self.plant.clock.now()
        at, living = self._living
        if not 0 <= now - at < _FRESH:
            with self.plant.ledger.reading() as connection:
                living = frozenset(processes.living(connection))
            self._living = now, living
        return self._reads(owner, living)

    def _reads(self, owner: str, living: set[str] | frozenset[str]) -> bool:
        boot = owner.partition("/")[0]
        return owner in self._active if boot == self.boot else boot in living

    def end(self, run: Run, *, words: str = "", news: int = 0, stopped: bool = False, note: str = "") -> None:
        """Write down that a run is done, with what kept it from its end; or, where it was `stopped`, give it back to be
        gone on with. Raises WalkLost if it was taken over meanwhile."""
        key, owner = run.key, run.place.owner
        try:
            with self.plant.ledger.writing() as connection:
                if not places.give_back(connection, run.place, ("" if stopped else words) or note):
                    raise WalkLost(f"{key.connection} is read by another process now")
                if stopped:
                    slots.release(connection, key, run.at, owner)
                else:
                    slots.finish(connection, key, run.at, owner, now=self.plant.clock.now(), news=news, words=words)
        finally:
            self._active.discard(owner)
        crash.here("slot done")


def _begun(connection: Connection, key: Key, at: int) -> bool:
    """Whether a run was begun before and needs no poll of its own to go on."""
    row = connection.execute(select(slot.c.begun).filter_by(**key._asdict(), at=at)).first()
    return row is not None and row.begun is not None
