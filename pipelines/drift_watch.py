"""The watch over interfaces: each night every connection's live interface is compared once, and what was found is kept.

One row a connection holds the newest look. A planned look is claimed, so that it is made once however many processes
keep the timetable; one whose system did not answer is tried again within the night, and a missed one is made up for.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, or_, select, update

from mappings.drift import Harm
from pipelines import composition, pauses
from pipelines.clock import SECOND
from pipelines.interfaces_seen import NOT_SEEN
from pipelines.ledger import insert_new
from pipelines.logs import log, warn
from pipelines.plant import Plant, Wired
from pipelines.tables import interface_look
from pipelines.timetable import Timetable

if TYPE_CHECKING:
    from pipelines.drifting import Looked
    from pipelines.runs import Runs

#: How often the timetable is looked at; how long a claim holds; when a system that did not answer is asked again.
LOOK_EVERY, CLAIM, AGAIN = 5 * SECOND, 900 * SECOND, 3600 * SECOND
#: Changes that are kept of one look, the worst first.
KEPT = 200


@dataclass(frozen=True, slots=True)
class Due:
    """A planned look that nobody has made or is making."""

    council: str
    connection: str
    at: int


def keep(plant: Plant, looked: Looked) -> bool:
    """Keep what a look found; returns whether the state is another than before."""
    now = plant.clock.now()
    place = {"council": looked.council, "connection": looked.connection}
    counts = {harm.value: looked.count(harm) for harm in Harm}
    with plant.ledger.writing() as connection:
        _begin(connection, looked.council, looked.connection, now)
        before = connection.execute(select(interface_look).filter_by(**place)).one()
        told = (looked.state, counts) != (before.state, before.counts)
        connection.execute(
            update(interface_look)
            .filter_by(**place)
            .values(
                at=now,
                state=looked.state,
                since=before.since if looked.state == before.state else now,
                words=looked.words,
                counts=counts,
                findings=[dataclasses.asdict(one) for one in looked.findings[:KEPT]],
            )
        )
    return told


def due(plant: Plant) -> Due | None:
    """The planned look that has waited longest, None if none is due."""
    now = plant.clock.now()
    with plant.ledger.reading() as connection:
        rows = {(row.council, row.connection): row for row in connection.execute(select(interface_look))}
        paused = pauses.all_pauses(connection)
    fresh = [wired for wired in _watched(plant) if (wired.council, wired.name) not in rows]
    if fresh:
        # What was planned before anybody kept the timetable was not missed.
        with plant.ledger.writing() as connection:
            for wired in fresh:
                _begin(connection, wired.council, wired.name, now)
    found = []
    for wired in _watched(plant):
        row = rows.get((wired.council, wired.name))
        if row is None or (wired.council, wired.name) in paused or wired.closed_until(now) is not None:
            continue
        planned = _timetable(wired).due(now)
        newer = planned is not None and planned > row.planned
        again = row.until is not None and row.until <= now
        if newer or again:
            found.append(Due(wired.council, wired.name, planned if newer and planned is not None else row.planned))
    return min(found, key=lambda one: (one.at, one.council, one.connection), default=None)


def claim(plant: Plant, one: Due, owner: str) -> bool:
    """Take a planned look; False if somebody else has it or has made it."""
    now = plant.clock.now()
    c = interface_look.c
    with plant.ledger.writing() as connection:
        taken = connection.execute(
            update(interface_look)
            .filter_by(council=one.council, connection=one.connection)
            .where(or_(c.planned < one.at, c.until <= now))
            .values(planned=one.at, claimed_by=owner, until=now + CLAIM)
        )
        return taken.rowcount == 1


class DriftWatch:
    """Makes the looks that are planned. The scheduler calls it once a turn; it is quick when nothing is due."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._thread: threading.Thread | None = None
        self._looked = 0

    def __call__(self, runs: Runs) -> None:
        """Begin what is due, unless a look is going on."""
        now = self._plant.clock.now()
        if (self._thread is not None and self._thread.is_alive()) or 0 <= now - self._looked < LOOK_EVERY:
            return
        self._looked = now
        one = due(self._plant)
        if one is None or runs.stop.is_set() or not claim(self._plant, one, runs.boot):
            return
        self._thread = threading.Thread(target=self._make, args=(one, runs.boot), name="drift")
        self._thread.start()

    def close(self) -> None:
        """Wait for the look in hand, which ends at its connection's deadline."""
        if self._thread is not None:
            self._thread.join()

    def _make(self, one: Due, owner: str) -> None:
        try:
            make(self._plant, one, owner)
        except Exception as fault:
            # The claim ends by itself, and whoever finds it then looks again.
            warn("drift_fault", council=one.council, connection=one.connection, error=type(fault).__name__)


def make(plant: Plant, one: Due, owner: str) -> Looked:
    """Make a look that was claimed, keep what it found, and tell what is news."""
    from pipelines.drifting import look  # what speaks to systems is heavy, and the overview only reads what is kept

    wired = plant.councils[one.council].wired[one.connection]
    looked = look(plant, wired, site=composition.load(plant.root))
    news = keep(plant, looked)
    again = plant.clock.now() + AGAIN if looked.state == NOT_SEEN else None
    with plant.ledger.writing() as connection:
        connection.execute(
            update(interface_look)
            .filter_by(council=one.council, connection=one.connection, claimed_by=owner)
            .values(claimed_by=None, until=again)
        )
    if news:  # each state is told once, not every night
        tell = warn if looked.breaks else log
        tell(
            "interface_looked_at",
            council=one.council,
            connection=one.connection,
            outcome=looked.state,
            count=looked.breaks,
        )
    return looked


def _begin(connection: Connection, council: str, name: str, now: int) -> None:
    row: dict[str, Any] = {"council": council, "connection": name, "planned": now, "counts": {}, "findings": [],
                           "state": "", "words": ""}  # fmt: skip
    insert_new(connection, interface_look, [row])


def _watched(plant: Plant) -> Iterator[Wired]:
    for council in plant.councils.values():
        for wired in council.wired.values():
            if wired.settings.get("drift") and wired.settings.get("protocol") in ("soap", "rest", "fhir"):
                yield wired


def _timetable(wired: Wired) -> Timetable:
    name = f"{wired.council}/{wired.name}/interface"
    return Timetable(name, str(wired.settings.get("zone") or "UTC"), cron=str(wired.settings["drift"]))
