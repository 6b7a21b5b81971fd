"""`dolen bench wales`: all councils of a country at ten times their demand, a day laid over minutes, one `dolen run`.

Twenty-two councils with three connections each are polled every minute, with jitter, as a site of that size is told to
be, so that not all are asked in one instant. Staff type by the shape of a day, in
the mean two changes a second and thirty at once in bursts, so that the run is as busy as ten such days are in office
hours: the hours are shortened, the polls are not. What counts is the time from when a page first showed a change to
the proof of its delivery in the ledger; the wait for that poll is told beside it. Processor time and memory of the
process are read every few seconds (Linux).
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from console.bench.pipeline import Failed, cpu_seconds, pretend
from pipelines import composition
from pipelines.arrivals import Arrival, arrivals, open_deliveries
from pipelines.clock import SECOND
from pipelines.plant import Plant
from pipelines.processes import living

HERE = Path(__file__).parent
#: What must be: seconds, percent of one core, and MB by which the process may grow once it has warmed up.
MUST = {"p95": 5.0, "cpu": 25.0, "memory": 20.0}
_POINTS, _START_SECONDS, _REST_SECONDS = 60, 120.0, 300.0


@dataclass(frozen=True, slots=True)
class Day:
    """What is run."""

    councils: int = 22
    seconds: float = 600.0
    mean: float = 2.0
    burst: int = 30
    burst_every: float = 60.0
    poll: int = 60
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Point:
    """The process at one moment: seconds since staff began, processor seconds since then, MB in memory."""

    at: float
    cpu: float
    mb: float


def wales(day: Day, *, tell: Callable[[str], None]) -> dict[str, Any]:
    """Run one day. Returns the object that benches print. Raises Failed if something did not arrive."""
    folder = Path(tempfile.mkdtemp(prefix="dolen-bench-"))
    with ExitStack() as made:
        made.callback(shutil.rmtree, folder, ignore_errors=True)
        url = made.enter_context(pretend("country", "--councils", str(day.councils)))
        _lay_out(folder, url, day)
        plant = composition.build(composition.load(folder))
        made.callback(plant.close)
        process = made.enter_context(_running(folder, plant))
        idle_began, idle_from = cpu_seconds([process.pid]), time.monotonic()
        time.sleep(min(day.poll, day.seconds / 10))  # every source has been asked once, and nothing moves
        idle_ended, idle_to = cpu_seconds([process.pid]), time.monotonic()
        tell(f"{day.councils} councils, {day.councils * 3} connections; staff type for {day.seconds:.0f} s")
        sample = json.loads((HERE / "flood" / "sample.json").read_bytes())
        told = {"seconds": day.seconds, "mean": day.mean, "burst": day.burst, "burst_every": day.burst_every,
                "seed": day.seed, "sample": sample}  # fmt: skip
        deeds = _control(url, told)["deeds"]
        points = _watch(process, url, day)
        seen = _rest(url, plant, process, day)
        found = _times(seen["changes"], arrivals(plant.ledger))
    if seen["astray"] or found.unseen:
        raise Failed(f"{seen['astray']} requests stand differently in care, {found.unseen} were not shown")
    if not found.carried:
        raise Failed("nothing was carried")
    idle = None
    if idle_began is not None and idle_ended is not None:
        idle = round((idle_ended - idle_began) / (idle_to - idle_from) * 100, 1)
    return {
        "bench": "wales",
        "results": _results(found.carried, points),
        "deeds": deeds, "held": seen["held"], "timed": len(found.carried), "overtaken": found.overtaken,
        "idle_cpu": idle, "latency": _percentiles(found.carried), "with_the_wait": _percentiles(found.whole),
        "curve": [[round(one.at, 1), round(one.cpu, 2), round(one.mb, 1)] for one in points],
        "day": {"councils": day.councils, "connections": day.councils * 3, "seconds": day.seconds, "mean": day.mean,
                "burst": day.burst, "poll": day.poll, "seed": day.seed},
        "machine": {"cores": os.cpu_count(), "python": sys.version.split()[0], "platform": sys.platform,
                    "load": round(os.getloadavg()[0], 1)},
    }  # fmt: skip


@dataclass(slots=True)
class _Found:
    carried: list[float]  # seconds from the page that showed a change to its proof
    whole: list[float]  # the same from when it was typed
    overtaken: int  # replaced by a newer change before they were shown or sent
    unseen: int  # the newest of their request, and never shown


def _times(changes: Sequence[Sequence[Any]], came: Sequence[Arrival]) -> _Found:
    """Set what staff typed against what the ledger proves."""
    proved: dict[tuple[str, str, str, str], int] = {}
    for one in came:
        if one.proved is not None:
            proved[one.council, one.connection, one.external_id, one.version] = one.proved
    found = _Found([], [], 0, 0)
    for council, name, number, version, typed, shown, newest in changes:
        at = proved.get((_code(council), name, number, str(version)))
        if at is not None and shown is not None:
            found.carried.append(at / SECOND - shown)
            found.whole.append(at / SECOND - typed)
        elif newest and shown is None:
            found.unseen += 1
        else:
            found.overtaken += 1
    return found


def _results(carried: Sequence[float], points: Sequence[Point]) -> list[dict[str, Any]]:
    seconds = max(points[-1].at - points[0].at, 1e-9)
    warm = [point.mb for point in points if point.at >= points[-1].at / 3]
    grown = max(statistics.median(warm[-max(len(warm) // 5, 1) :]) - warm[0], 0.0)
    seen = {
        "p95": (_percentiles(carried)["p95"], "seconds from the page that showed a change to its proof"),
        "cpu": ((points[-1].cpu - points[0].cpu) / seconds * 100, "percent of one core, mean of the day"),
        "memory": (grown, "MB by which the process grew from a third of the day to its end"),
    }
    return [
        {
            "name": name, "ours": round(value, 3), "against": "the goal", "theirs": MUST[name],
            "ratio": round(MUST[name] / max(value, 1e-3), 3), "unit": unit, "runs": 1,
        }
        for name, (value, unit) in seen.items()
    ]  # fmt: skip


def _percentiles(seconds: Sequence[float]) -> dict[str, float]:
    inside = sorted(seconds)
    return {
        f"p{share}": round(inside[min(int(len(inside) * share / 100), len(inside) - 1)], 3)
        for share in (50, 75, 90, 95, 99, 100)
    }


def _watch(process: subprocess.Popen[bytes], url: str, day: Day) -> list[Point]:
    """Look at the process until staff have typed everything."""
    points: list[Point] = []
    began, first = time.monotonic(), cpu_seconds([process.pid]) or 0.0
    while not points or not _control(url)["done"]:
        points.append(
            Point(time.monotonic() - began, (cpu_seconds([process.pid]) or first) - first, _megabytes(process.pid))
        )
        if process.poll() is not None:
            raise Failed("dolen run ended by itself")
        time.sleep(day.seconds / _POINTS)
    return points


def _megabytes(pid: int) -> float:
    """What a process has in memory (Linux: proc_pid_statm(5), the second number, in pages)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1_000_000


def _rest(url: str, plant: Plant, process: subprocess.Popen[bytes], day: Day) -> dict[str, Any]:
    """Wait until everything that staff typed was shown and nothing is open any more."""
    until = time.monotonic() + _REST_SECONDS + 2 * day.poll
    while time.monotonic() < until:
        seen = _control(url)
        unseen = sum(newest and shown is None for *_, shown, newest in seen["changes"])
        if not unseen and not open_deliveries(plant.ledger) and not seen["astray"]:
            return seen
        if process.poll() is not None:
            raise Failed("dolen run ended by itself")
        time.sleep(0.5)
    raise Failed(f"{open_deliveries(plant.ledger)} deliveries are open, {unseen} changes not shown after {day.poll} s")


def _code(council: int) -> str:
    return f"c{council + 1:02d}"


def _lay_out(folder: Path, url: str, day: Day) -> None:
    councils = folder / "config" / "councils"
    councils.mkdir(parents=True)
    (folder / "key").write_text("bench\n", encoding="utf-8")
    text = (HERE / "flood" / "dolen.yaml").read_text(encoding="utf-8")
    (folder / "config" / "dolen.yaml").write_text(
        text.format(ledger="sqlite:///ledger.db", broker="memory://", level="warning"), encoding="utf-8"
    )
    text = (HERE / "country" / "council.yaml").read_text(encoding="utf-8")
    for council in range(day.councils):
        told = text.format(
            code=_code(council), number=council + 1, url=f"{url}/{council}", poll=day.poll, jitter=day.poll // 2
        )
        (councils / f"{_code(council)}.yaml").write_text(told, encoding="utf-8")


@contextmanager
def _running(folder: Path, plant: Plant) -> Iterator[subprocess.Popen[bytes]]:
    """`dolen run` on the site, once it lives."""
    command = [sys.executable, "-m", "console", "run", "--site", str(folder)]
    with (folder / "run.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 - our own
    try:
        until = time.monotonic() + _START_SECONDS
        while True:
            with plant.ledger.reading() as connection:
                if living(connection):
                    break
            if process.poll() is not None or time.monotonic() > until:
                raise Failed(f"dolen run did not begin: {(folder / 'run.log').read_text(encoding='utf-8')[-600:]}")
            time.sleep(0.1)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def _control(url: str, told: dict[str, Any] | None = None) -> dict[str, Any]:
    body = None if told is None else json.dumps(told).encode()
    request = urllib.request.Request(f"{url}/control", data=body)  # noqa: S310 - our own, on this machine
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - the same
        found: dict[str, Any] = json.load(answer)
    return found
