"""Code drift: whether a system's own lists of codes still are what our code lists say.

Where a profile names a look-up for a path of a record, the system is asked which codes stand there, and the answer is
held against the list that the mapping uses at that path. Nothing is changed: a new code is for its owner to map, one
that we would write and the system no longer knows is to be replaced. Asked every night, and by `dolen codes drift`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import orjson

from config.findings import SiteFaults
from connectors.errors import ConnectorError
from pipelines.clock import SECOND
from pipelines.code_drift_known import PURPOSE, Drift, name_of
from pipelines.freshness import day_of
from pipelines.ledger import set_meta
from pipelines.library import Library
from pipelines.logs import log, warn
from pipelines.places import Key
from pipelines.plant import Kind, Plant, Wired
from pipelines.runs import Run
from pipelines.timetable import Timetable

if TYPE_CHECKING:
    from connectors.port import Code
    from mappings.codes import CodeList
    from pipelines.runs import Runs

#: How often the timetable is looked at; over how long the nightly questions are spread.
LOOK_EVERY, SPREAD_SECONDS = 5 * SECOND, 1800.0
#: Codes of one list that are kept and shown.
MOST = 50


def compare(plant: Plant, wired: Wired) -> list[Drift]:
    """Ask a connection for its codes and hold them against the lists; keep what was found. Raises nothing of theirs."""
    plant.refresh()
    library = Library(plant.freshness.layers)
    day = day_of(plant.clock, plant.councils[wired.council].zone)
    found: list[Drift] = []
    for kind in wired.kinds.values():
        for path, name in _listed(wired, kind):
            try:
                told = wired.connector.codes(kind.name, path)
                found.append(_hold(kind, path, library.code_list(name).on(day), told))
            except ConnectorError as fault:
                found.append(Drift(kind.name, path, name, words=fault.reason))
            except (SiteFaults, LookupError) as fault:
                found.append(Drift(kind.name, path, name, words=f"the list cannot be used ({type(fault).__name__})"))
    _keep(plant, wired, found)
    return found


def _hold(kind: Kind, path: str, codes: CodeList, told: Iterable[Code]) -> Drift:
    theirs = {one.code: one.en or one.cy for one in told if one.code}
    if not theirs:
        return Drift(kind.name, path, codes.name, words="the system says that the list is empty")
    reads, writes = codes.reads(), codes.writes()
    new = [(code, words) for code, words in theirs.items() if code not in reads]
    gone = [(code, ours) for ours, code in writes.items() if code not in theirs]
    return Drift(kind.name, path, codes.name, tuple(sorted(new)), tuple(sorted(gone)))


def _listed(wired: Wired, kind: Kind) -> Iterator[tuple[str, str]]:
    """(path in the record, code list) of what the system can be asked for and the mapping uses a list for."""
    used = _lists_by_path(kind)
    try:
        paths = wired.connector.lookups(kind.name)
    except ConnectorError:
        return  # `dolen doctor` and the first reading say what is wrong with it
    for path in paths:
        if path in used:
            yield path, used[path]


def _lists_by_path(kind: Kind) -> dict[str, str]:
    _, body = kind.mapping.artifacts[kind.mapping.digest]
    found: dict[str, str] = {}

    def walk(rows: Iterable[Mapping[str, Any]], under: str) -> None:
        for row in rows:
            path = f"{under}{row.get('theirs', '')}"
            if "codes" in row:
                found[path] = str(row["codes"])
            walk(row.get("each", ()), f"{path}/")

    walk(orjson.loads(body)["rows"], "")
    return found


def _keep(plant: Plant, wired: Wired, found: list[Drift]) -> None:
    """Write down the newest comparison. Codes and sentences of ours; nothing in them is about anybody."""
    telling = [one for one in found if one.drifted or one.words]
    body = {
        "at": plant.clock.now(),
        "compared": len(found),
        "drifts": [asdict(one) | {"new": one.new[:MOST], "gone": one.gone[:MOST]} for one in telling],
    }
    with plant.ledger.writing() as connection:
        set_meta(connection, name_of(wired.council, wired.name), orjson.dumps(body).decode())


class CodeWatch:
    """Asks every night what `compare` asks. The scheduler calls it once a turn; it is quick when nothing is due."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._thread: threading.Thread | None = None
        now = plant.clock.now()
        self._looked, self._began = 0, now
        self._over: dict[tuple[str, str], int] = {}

    def __call__(self, runs: Runs) -> None:
        """Begin what is due, unless a comparison is going on."""
        now = self._plant.clock.now()
        if (self._thread is not None and self._thread.is_alive()) or 0 <= now - self._looked < LOOK_EVERY:
            return
        self._looked = now
        for wired, at in self._due(now):
            if runs.stop.is_set():
                return
            claimed = runs.claim_named(Key(wired.council, wired.name, "", PURPOSE), at)
            if isinstance(claimed, Run):
                self._thread = threading.Thread(target=self._make, args=(runs, wired, claimed), name="code-drift")
                self._thread.start()
                return
            if claimed is not None:
                self._over[wired.council, wired.name] = at

    def close(self) -> None:
        """Wait for the comparison in hand; each of its questions has a deadline."""
        if self._thread is not None:
            self._thread.join()

    def _due(self, now: int) -> Iterator[tuple[Wired, int]]:
        for council in self._plant.councils.values():
            closed = council.closed(now)
            for name, wired in council.wired.items():
                cron = wired.settings.get("codes_cron")
                if not cron or not wired.settings.get("lookups") or (council.code, name) in closed:
                    continue
                table = Timetable(f"codes {council.code}/{name}", council.zone, cron=cron, jitter=SPREAD_SECONDS)
                at = table.due(now)
                # What was planned before this process began and nobody made is made tomorrow.
                if at is not None and at > self._began and at > self._over.get((council.code, name), 0):
                    yield wired, at

    def _make(self, runs: Runs, wired: Wired, run: Run) -> None:
        words = ""
        try:
            found = compare(self._plant, wired)
            drifted = sum(one.drifted for one in found)
            tell = warn if drifted else log
            tell("codes_compared", council=wired.council, connection=wired.name, count=drifted)
        except Exception as fault:
            words = type(fault).__name__  # the ledger was away, or a fault of ours: tomorrow it is asked again
            warn("code_drift_fault", council=wired.council, connection=wired.name, error=words)
        finally:
            try:
                runs.end(run, words=words)
            except Exception as fault:
                warn("code_drift_fault", council=wired.council, connection=wired.name, error=type(fault).__name__)
