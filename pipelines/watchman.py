"""The watchman: looks at what is amiss every few seconds, has alerts opened, told and closed, and beats for a watcher
outside while all is well.

It is a chore of the scheduler and works in a thread of its own, so that nothing it waits for holds up a run. `watch`
does the same once, for a second process that looks whether Dolen itself is down.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from connectors import announcing
from connectors.errors import ConnectorError
from pipelines import alert_looks, alert_machine, alert_post, alerting, quiet_sources
from pipelines.alert_looks import Amiss, Condition, micro
from pipelines.alert_rules import AlertRules
from pipelines.alerting import News
from pipelines.clock import SECOND
from pipelines.ids import new_id
from pipelines.logs import log, warn
from pipelines.plant import Plant

if TYPE_CHECKING:
    from pipelines.runs import Runs

Look = Callable[[Connection, Plant, AlertRules, int], Iterator[Condition]]

#: How often the quick looks are made, and those that count much or change slowly.
EVERY, SLOWLY, DAILY = 15 * SECOND, 300 * SECOND, 86_400 * SECOND
QUICK: Mapping[Amiss, Look] = {
    Amiss.ATTENTION: alert_looks.attention,
    Amiss.LATE: alert_looks.late,
    Amiss.LAG: alert_looks.lag,
    Amiss.PAUSED: alert_looks.paused,
    Amiss.BACKLOG: alert_looks.backlog,
    Amiss.GLASS: alert_looks.glass,
    Amiss.RESTRICTED: alert_looks.restricted,
    Amiss.DISK: alert_machine.disk,
    Amiss.CLOCK: alert_machine.clock,
    Amiss.KEYS: alert_machine.keys,
    Amiss.DOWN: alert_machine.down,
    Amiss.LOST: alert_machine.lost,
}
SLOW: Mapping[Amiss, Look] = {
    Amiss.INTERFACE: alert_looks.interface,
    Amiss.DIFFERENCE: alert_looks.difference,
    Amiss.NOT_PICKED_UP: alert_looks.not_picked_up,
    Amiss.QUIET: quiet_sources.quiet,
    Amiss.EXPIRY: alert_machine.expiry,
}
#: The heart stops where nobody could be told of something urgent for so long: whoever listens then rings.
_NOT_TOLD = 600 * SECOND


def look(
    plant: Plant, rules: AlertRules, kinds: Collection[Amiss] | None = None
) -> tuple[list[Condition], set[Amiss]]:
    """Look once: what is amiss, and the kinds that could be looked at. `kinds`: None is all of them."""
    now = plant.clock.now()
    found: list[Condition] = []
    looked: set[Amiss] = set()
    for kind, one in {**QUICK, **SLOW}.items():
        if kinds is not None and kind not in kinds:
            continue
        try:
            with plant.ledger.reading() as connection:
                here = list(one(connection, plant, rules, now))
        except SQLAlchemyError:
            raise  # the ledger itself does not answer: nothing can be written down either
        except Exception as fault:
            warn("look_fault", kind=kind.value, error=type(fault).__name__)
            continue
        found += here
        looked.add(kind)
    return found, looked


def watch(plant: Plant, rules: AlertRules, *, owner: str, kinds: Collection[Amiss] | None = None) -> News:
    """Look once, settle what is news, and tell whatever is due."""
    quiet_sources.tally(plant, plant.clock.now())
    found, looked = look(plant, rules, kinds)
    news = alerting.settle(plant, rules, found, looked, plant.clock.now())
    alert_post.tell(plant, rules, owner)
    return news


class Watchman:
    """Keeps watch. The scheduler calls it once a turn; it is quick when nothing is due."""

    def __init__(self, plant: Plant, rules: AlertRules) -> None:
        self._plant = plant
        self._rules = rules
        self._owner = new_id()
        self._thread: threading.Thread | None = None
        self._heart: threading.Thread | None = None
        self._peers: threading.Thread | None = None
        self._looked = self._slowly = self._beaten = self._met = 0
        self._faults = 0
        self._well = False

    def __call__(self, runs: Runs) -> None:
        """Begin a look if it is time for one, unless one is going on; beat."""
        now = self._plant.clock.now()
        if runs.stop.is_set():
            return
        if not _busy(self._thread) and not 0 <= now - self._looked < EVERY:
            self._looked = now
            self._thread = threading.Thread(target=self._watch, name="watch")
            self._thread.start()
        if not _busy(self._peers) and not 0 <= now - self._met < DAILY:
            self._met = now
            self._peers = threading.Thread(target=self._meet, name="peers")
            self._peers.start()
        beat = self._rules.alerts.heartbeat
        if beat is None or not self._well or _busy(self._heart) or 0 <= now - self._beaten < micro(beat.every):
            return
        self._beaten = now
        self._heart = threading.Thread(target=self._beat, name="heartbeat")
        self._heart.start()

    def close(self) -> None:
        """Wait for the look in hand, which ends at the deadline of a call."""
        for thread in (self._thread, self._heart, self._peers):
            if thread is not None:
                thread.join()

    def _watch(self) -> None:
        now = self._plant.clock.now()
        slowly = not 0 <= now - self._slowly < SLOWLY
        kinds = set(QUICK) | (set(SLOW) if slowly else set())
        try:
            watch(self._plant, self._rules, owner=self._owner, kinds=kinds)
            self._well = well(self._plant, now)
            if slowly:
                self._slowly = now
            self._faults = 0
        except Exception as fault:
            self._well = False
            if not self._faults:
                warn("watch_fault", error=type(fault).__name__)
            self._faults += 1

    def _meet(self) -> None:
        """Ask each system's certificate when it ends, once a day: the next slow look tells it."""
        try:
            found = alert_machine.shown_ends(self._rules)
        except Exception as fault:
            warn("look_fault", kind=Amiss.EXPIRY.value, error=type(fault).__name__)
        else:
            self._rules.shown.clear()
            self._rules.shown.update(found)

    def _beat(self) -> None:
        beat = self._rules.alerts.heartbeat
        assert beat is not None
        try:
            announcing.ping(self._rules.plain(beat.url), way=beat.way)
        except (ConnectorError, ValueError) as fault:
            warn("heartbeat_fault", error=type(fault).__name__)
        else:
            log("heartbeat")


def well(plant: Plant, now: int) -> bool:
    """Whether Dolen does its work: it sends and reads, and whoever must be told of what is urgent can be."""
    if any(row.kind in (Amiss.DOWN, Amiss.KEYS) for row in alerting.open_alerts(plant)):
        return False
    return not any(row.urgent and now - row.at > _NOT_TOLD for row in alerting.untold(plant))


def _busy(thread: threading.Thread | None) -> bool:
    return thread is not None and thread.is_alive()
