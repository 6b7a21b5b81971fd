"""The prover: makes comparisons, on request or by their timetable, and writes down what they found.

One that is planned, or that somebody asks the running site for (`pipelines.comparing_asked`), runs in a thread of its
own, one at a time in a process, rests as long as each of its calls took, and begins anew when its process dies. What a
source holds and its feed never showed - a record that became visible too late for every overlap - is taken in by a
planned one there and then, as if the feed had shown it.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from connectors.errors import ConnectorError
from pipelines import comparing_asked, proofs
from pipelines.clock import SECOND
from pipelines.courtesy import Courtesy, PutOff
from pipelines.feeds import Progress
from pipelines.logs import log, warn
from pipelines.looking import NotPossible
from pipelines.plant import Council, Plant
from pipelines.proofs import Due
from pipelines.reconcile import Report, reconcile
from pipelines.repair import taker
from pipelines.report import KINDS
from pipelines.sight import NoSuch
from pipelines.tables import referral

if TYPE_CHECKING:
    from pipelines.runs import Runs

#: How often the timetable is looked at, and how often a claim is renewed.
LOOK_EVERY, RENEW_EVERY = 5 * SECOND, 60 * SECOND
#: Seconds after which a comparison is tried again that had to give way, or whose systems did not answer.
SOON_SECONDS, LATER_SECONDS = 900.0, 3600.0


def compare(
    plant: Plant, council: Council, route: str, *, who: str, whole: bool = False, progress: Progress | None = None
) -> Report:
    """Compare because somebody asked, and keep what was found. Raises what `reconcile` raises."""
    begun = plant.clock.now()
    report = reconcile(plant.whole, council, route, progress, whole=whole)
    proofs.keep(plant.whole, report, who=who, whole=whole, begun=begun)
    return _seen(plant, report)


def last_lines(plant: Plant, council: str, route: str) -> list[tuple[str, dict[str, Any]]]:
    """What differed when a route was last compared: (kind, line), of what this officer may see. Raises NoSuch."""
    if council not in plant.councils or plant.councils[council].route(route) is None:
        raise NoSuch("there is no route of that name that you may see")
    with plant.ledger.reading() as connection:
        found = proofs.newest(connection, council, route)
        hidden = set(connection.execute(select(referral.c.id).where(plant.sight.hides())).scalars())
    if found is None:
        raise NoSuch("that route was never compared; it is by its timetable, or by `dolen reconcile`")
    return [(kind, line) for kind in KINDS for line in found.get(kind, ()) if line["referral"] not in hidden]


def _seen(plant: Plant, report: Report) -> Report:
    """The report without the lines of referrals that whoever asked may not see."""
    if plant.sight.is_whole:
        return report
    with plant.ledger.reading() as connection:
        hidden = set(connection.execute(select(referral.c.id).where(plant.sight.hides())).scalars())
    for kind in KINDS:
        lines = getattr(report, kind)
        kept = [line for line in lines if line.referral not in hidden]
        report.totals[kind] -= len(lines) - len(kept)
        lines[:] = kept
    return report


class Prover:
    """Makes what the timetable plans. The scheduler calls it once a turn; it is quick when nothing is due."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._thread: threading.Thread | None = None
        self._looked = 0
        self._number = 0

    def __call__(self, runs: Runs) -> None:
        """Begin what is due, unless one is going on."""
        now = self._plant.clock.now()
        if (self._thread is not None and self._thread.is_alive()) or 0 <= now - self._looked < LOOK_EVERY:
            return
        self._looked = now
        one = comparing_asked.next_one(self._plant) or proofs.due(self._plant)
        if one is None or runs.stop.is_set():
            return
        self._number += 1
        owner = f"{runs.boot}/{self._number}"
        if proofs.claim(self._plant, one, owner):
            self._thread = threading.Thread(target=self._make, args=(one, owner, runs.stop), name="prove")
            self._thread.start()

    def close(self) -> None:
        """Wait for the comparison in hand, which ends behind its page once the scheduler's stop is set."""
        if self._thread is not None:
            self._thread.join()

    def _make(self, one: Due, owner: str, stop: threading.Event) -> None:
        try:
            make(self._plant, one, owner, stop)
        except Exception as fault:
            # The claim ends by itself, and the comparison is made by whoever finds it then.
            warn("proof_fault", council=one.council, route=one.route, error=type(fault).__name__)


def make(plant: Plant, one: Due, owner: str, stop: threading.Event) -> Report | None:
    """Make a comparison that was claimed. Returns what it found; None if it was put off or is not possible."""
    council = plant.councils[one.council]
    known = council.route(one.route)
    assert known is not None  # it was due a moment ago
    renewed = plant.clock.now()

    def progress(_what: str, _number: int) -> None:
        nonlocal renewed
        now = plant.clock.now()
        if now - renewed >= RENEW_EVERY:
            renewed = now
            if not proofs.renew(plant, one, owner):
                raise PutOff("another process has taken it over")

    try:
        report = reconcile(
            plant,
            council,
            one.route,
            progress,
            whole=one.whole,
            take_in=None if one.asked else taker(plant, council, council.wired[known.source]),
            courtesy=Courtesy(plant, stop, share=1.0),
        )
    except (PutOff, ConnectorError) as fault:
        words = fault.reason if isinstance(fault, ConnectorError) else str(fault)
        if one.asked and not stop.is_set():  # whoever asked is told, and may ask again
            proofs.finish(plant, one, owner, None, words)
            return None
        seconds = 0.0 if stop.is_set() else SOON_SECONDS if isinstance(fault, PutOff) else LATER_SECONDS
        proofs.put_off(plant, one, owner, words="" if stop.is_set() else words, seconds=seconds)
        return None
    except NotPossible as fault:
        proofs.finish(plant, one, owner, None, str(fault))
        return None
    proofs.finish(plant, one, owner, report)
    tell = log if report.agrees else warn
    tell("proved", council=one.council, route=one.route, records=report.compared, count=report.differences)
    return report
