"""How the site does, in numbers for a monitoring system: figures with closed sets of labels, and no person in any.

Everything but the times of tries is read from the ledger as it stands, so that every process of a site tells the same.
What would have to look at every row is counted once in a while. Names and labels are declared here, once; the
dashboard and the rules in `ops` are held against this declaration.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, func, select

from pipelines import pauses, processes
from pipelines.alert_machine import nearest
from pipelines.clock import SECOND, machine_time
from pipelines.plant import Plant
from pipelines.processes import SCHEDULE, WORK
from pipelines.states import OPEN, VersionState
from pipelines.tables import alert, attempt, cause, delivery, lane, payload, pushed, version, walk
from pipelines.worklist import waits_for_a_person

#: How long what is counted over all rows stays as it was.
SELDOM = 300 * SECOND
#: Upper bounds of the times of tries, in seconds.
BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_TRIES_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure as it is declared: name, what it says, its labels."""

    name: str
    says: str
    labels: tuple[str, ...] = ()
    histogram: bool = False


FIGURES: Mapping[str, Figure] = {
    one.name: one
    for one in (
        Figure("dolen_info", "The program and the stage of the site; always 1.", ("version", "stage")),
        Figure("dolen_processes", "Processes that live, by role.", ("role",)),
        Figure("dolen_source_lag_seconds", "Since a source was last read to its end.", ("council", "connection")),
        Figure(
            "dolen_oldest_undelivered_seconds",
            "How long the oldest delivery that has not arrived has been under way.", ("council", "connection"),
        ),
        Figure("dolen_deliveries", "Deliveries, by state.", ("council", "state")),
        Figure("dolen_versions", "Versions of records, by state.", ("council", "state")),
        Figure(
            "dolen_deliveries_open", "Deliveries that have not ended, by target and state.",
            ("council", "connection", "state"),
        ),
        Figure(
            "dolen_needs_attention", "What waits for a person, by where and at which step it stopped.",
            ("council", "connection", "step"),
        ),
        Figure("dolen_urgent_open", "Urgent deliveries that have not ended.", ("council", "connection")),
        Figure("dolen_late", "Deliveries past their route's arrive_within.", ("council", "route")),
        Figure("dolen_connection_paused", "1 while a connection is paused, by why.", ("council", "connection", "why")),
        Figure("dolen_queue_depth", "Lanes in which something waits for its time or its turn.",
               ("council", "connection")),
        Figure("dolen_queue_due", "Lanes in which something could be sent now.", ("council", "connection")),
        Figure("dolen_pushes_waiting", "Calls of systems to us that have not been taken in.", ()),
        Figure("dolen_retention_oldest_seconds", "Age of the oldest content that is still kept, by class.", ("class",)),
        Figure("dolen_alerts_open", "Alerts that are open, by kind.", ("kind", "urgent")),
        Figure("dolen_disk_free_bytes", "Free on the disk that Dolen writes on."),
        Figure("dolen_clock_offset_seconds", "The ledger's clock ahead of this machine's."),
        Figure(
            "dolen_try_seconds", "From the beginning of a try to its proof in the ledger, since this process began.",
            ("council", "connection", "what"), histogram=True,
        ),
        Figure("dolen_tries", "Tries since this process began, by how they ended.",
               ("council", "connection", "outcome")),
    )
}  # fmt: skip
#: How a try ended, as a label; whatever else it may say is "other".
OUTCOMES = ("arrived", "try again", "not sure", "needs attention", "not sent, by rule", "pause", "died")


@dataclass(slots=True)
class Sample:
    """One number, or for a histogram how many fell below each bound, and their sum."""

    figure: Figure
    labels: tuple[str, ...]
    value: float
    buckets: tuple[float, ...] = ()


@dataclass(slots=True)
class _Times:
    below: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    total: float = 0.0


class Measures:
    """Takes the figures of one plant. Safe to use from several threads at once."""

    def __init__(self, plant: Plant, data: Any) -> None:
        """`data`: the folder that Dolen writes in."""
        self._plant = plant
        self._data = data
        self._lock = threading.Lock()
        self._seldom: tuple[int, list[Sample]] | None = None
        self._last_try: int | None = None
        self._times: dict[tuple[str, str, str], _Times] = {}
        self._ended: dict[tuple[str, str, str], int] = {}

    def take(self) -> list[Sample]:
        """Take every figure as it is now. Raises what the ledger raises when it does not answer."""
        with self._lock, self._plant.ledger.reading() as connection:
            now = self._plant.clock.now()
            if self._seldom is None or not 0 <= now - self._seldom[0] < SELDOM:
                self._seldom = (now, list(self._counted(connection, now)))
            self._new_tries(connection)
            return [*self._now(connection, now), *self._seldom[1], *self._tries()]

    def _now(self, connection: Connection, now: int) -> Iterator[Sample]:
        plant = self._plant
        yield _of("dolen_info", 1, processes.program(), plant.stage)
        living = processes.shown(plant)
        for role in (WORK, SCHEDULE):
            yield _of("dolen_processes", sum(role in one["roles"] for one in living), role)
        yield _of("dolen_disk_free_bytes", shutil.disk_usage(nearest(self._data)).free)
        yield _of("dolen_clock_offset_seconds", (now - machine_time()) / SECOND)
        yield _of("dolen_pushes_waiting", _number(connection, select(func.count()).select_from(pushed)))
        yield from _sources(connection, plant, now)
        yield from _open(connection, plant, now)
        yield from _attention(connection, plant)
        yield from _late(connection, plant, now)
        for (code, name), row in pauses.all_pauses(connection).items():
            if code in plant.councils:
                yield _of("dolen_connection_paused", 1, code, name, str(row.why))
        yield from _queues(connection, plant, now)
        for kind, urgent, count in connection.execute(
            select(alert.c.kind, alert.c.urgent, func.count())
            .where(alert.c.closed.is_(None))
            .group_by(alert.c.kind, alert.c.urgent)
        ):
            yield _of("dolen_alerts_open", count, kind, "yes" if urgent else "no")

    def _counted(self, connection: Connection, now: int) -> Iterator[Sample]:
        """What looks at every row."""
        for name, table in (("dolen_deliveries", delivery), ("dolen_versions", version)):
            for code, state, count in connection.execute(
                select(table.c.council, table.c.state, func.count()).group_by(table.c.council, table.c.state)
            ):
                if code in self._plant.councils:
                    yield _of(name, count, code, state)
        kind = payload.c["class"]
        for label, oldest in connection.execute(
            select(kind, func.min(payload.c.at)).where(payload.c.body.is_not(None)).group_by(kind)
        ):
            yield _of("dolen_retention_oldest_seconds", _ago(now, oldest), label)

    def _new_tries(self, connection: Connection) -> None:
        """Count the tries that were written down since the last look."""
        if self._last_try is None:
            self._last_try = int(connection.execute(select(func.max(attempt.c.id))).scalar() or 0)
            return
        rows = connection.execute(
            select(
                attempt.c.id, attempt.c.what, attempt.c.begun, attempt.c.ended, attempt.c.outcome,
                delivery.c.council, delivery.c.connection,
            )
            .join(delivery, delivery.c.id == attempt.c.delivery_id)
            .where(attempt.c.id > self._last_try)
            .order_by(attempt.c.id)
            .limit(_TRIES_AT_ONCE)
        ).all()  # fmt: skip
        for row in rows:
            self._last_try = row.id
            if row.ended is None or row.council not in self._plant.councils:
                continue
            seconds = max(row.ended - row.begun, 0) / SECOND
            times = self._times.setdefault((row.council, row.connection, row.what), _Times())
            times.total += seconds
            times.below[next((at for at, bound in enumerate(BOUNDS) if seconds <= bound), len(BOUNDS))] += 1
            ended = (row.council, row.connection, row.outcome if row.outcome in OUTCOMES else "other")
            self._ended[ended] = self._ended.get(ended, 0) + 1

    def _tries(self) -> Iterator[Sample]:
        for labels, times in self._times.items():
            yield Sample(FIGURES["dolen_try_seconds"], labels, times.total, tuple(_summed(times.below)))
        for labels, count in self._ended.items():
            yield _of("dolen_tries", count, *labels)


def _sources(connection: Connection, plant: Plant, now: int) -> Iterator[Sample]:
    """The lag of each source: that of its kind of record that was read longest ago."""
    lag: dict[tuple[str, str], float] = {}
    for row in connection.execute(select(walk).where(walk.c.purpose == "live", walk.c.completed.is_not(None))):
        council = plant.councils.get(row.council)
        if council is not None and row.connection in council.wired:
            place = (row.council, row.connection)
            lag[place] = max(lag.get(place, 0.0), _ago(now, row.completed))
    for place, seconds in lag.items():
        yield _of("dolen_source_lag_seconds", seconds, *place)


def _open(connection: Connection, plant: Plant, now: int) -> Iterator[Sample]:
    oldest: dict[tuple[str, str], int] = {}
    urgent: dict[tuple[str, str], int] = {}
    for code, name, state, pressing, count, since in connection.execute(
        select(
            delivery.c.council, delivery.c.connection, delivery.c.state, delivery.c.urgent, func.count(),
            func.min(delivery.c.at),
        )
        .where(delivery.c.council.in_(list(plant.councils)), delivery.c.state.in_(OPEN))
        .group_by(delivery.c.council, delivery.c.connection, delivery.c.state, delivery.c.urgent)
        .order_by(delivery.c.council, delivery.c.connection, delivery.c.state)
    ):  # fmt: skip
        place = (code, name)
        oldest[place] = min(since, oldest.get(place, since))
        urgent[place] = urgent.get(place, 0) + (count if pressing else 0)
        yield _of("dolen_deliveries_open", count, code, name, state)
    for council in plant.councils.values():
        for name in council.wired:
            place = (council.code, name)
            yield _of("dolen_oldest_undelivered_seconds", _ago(now, oldest.get(place, now)), *place)
            yield _of("dolen_urgent_open", urgent.get(place, 0), *place)


def _attention(connection: Connection, plant: Plant) -> Iterator[Sample]:
    waits: dict[tuple[str, str, str], int] = {}
    for table, condition in (
        (delivery, waits_for_a_person()),
        (version, version.c.state == VersionState.ATTENTION),
    ):
        for *place, count in connection.execute(
            select(cause.c.council, cause.c.connection, cause.c.step, func.count())
            .join(table, table.c.cause_id == cause.c.id)
            .where(table.c.council.in_(list(plant.councils)), condition)
            .group_by(cause.c.council, cause.c.connection, cause.c.step)
        ):
            key = (str(place[0]), str(place[1]), str(place[2]))
            waits[key] = waits.get(key, 0) + count
    for key, count in waits.items():
        yield _of("dolen_needs_attention", count, *key)


def _late(connection: Connection, plant: Plant, now: int) -> Iterator[Sample]:
    for council in plant.councils.values():
        for route in council.routes:
            if route.arrive_within is not None:
                before = now - int(route.arrive_within.total_seconds() * SECOND)
                late = select(func.count()).where(
                    delivery.c.council == council.code, delivery.c.route == route.name,
                    delivery.c.state.in_(OPEN), delivery.c.at < before,
                )  # fmt: skip
                yield _of("dolen_late", _number(connection, late), council.code, route.name)


def _queues(connection: Connection, plant: Plant, now: int) -> Iterator[Sample]:
    for name, condition in (("dolen_queue_depth", lane.c.due.is_not(None)), ("dolen_queue_due", lane.c.due <= now)):
        counts = {
            (code, target): count
            for code, target, count in connection.execute(
                select(lane.c.council, lane.c.connection, func.count())
                .where(condition, lane.c.council.in_(list(plant.councils)))
                .group_by(lane.c.council, lane.c.connection)
            )
        }
        for council in plant.councils.values():
            for target in council.wired:
                yield _of(name, counts.get((council.code, target), 0), council.code, target)


def _of(name: str, value: float, *labels: str) -> Sample:
    figure = FIGURES[name]
    assert len(labels) == len(figure.labels), name
    return Sample(figure, labels, value)


def _number(connection: Connection, wanted: Any) -> int:
    return int(connection.execute(wanted).scalar_one())


def _ago(now: int, at: int) -> float:
    return max(now - at, 0) / SECOND


def _summed(below: Iterable[int]) -> Iterator[float]:
    total = 0
    for count in below:
        total += count
        yield float(total)
