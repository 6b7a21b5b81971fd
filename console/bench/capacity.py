"""`dolen bench capacity`: what a message takes in the ledger, what ten years of them need, and which looks grow slower.

A ledger is filled with an invented past twice, to a quarter and to the whole. What it grew by between the two, divided
by the messages, is what one takes, without what an empty database takes. Every message is a referral and a person of
its own there, which is more than it takes in life: the figure is an upper bound. Looks are timed at both sizes; one
that took longer with more is extrapolated as a straight line, which it is at best: all pages are in memory here.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from config.retention import Retention
from pipelines import capacity as measuring
from pipelines import closure, composition, looking, overview, retained
from pipelines.past import fill
from pipelines.plant import Plant

HERE = Path(__file__).parent / "flood"
TURNS = 5  # of each look; the median counts
#: A nonce and a tag beside each sealed body (NIST SP 800-38D; `pipelines.vault`).
SEAL = 28
#: A body each: what the source sent, the facts, what was sent, what was answered.
BODIES = 4
#: From this growth on, with four times as much, a look is said to grow with the history; below it is the clock's noise.
GROWS = 1.3


@dataclass(frozen=True, slots=True)
class Look:
    """One look, in milliseconds at a quarter and at the whole of the rows."""

    name: str
    quarter: float
    whole: float
    growth: float
    at_all: float | None  # milliseconds at all messages, by a straight line through both; None: it does not grow


@dataclass(frozen=True, slots=True)
class Need:
    """What so many messages need, in bytes."""

    messages: int
    years: float
    all_metadata: float  # if nothing were ever let go of
    metadata_at_rest: float  # with the default retention
    payloads_at_rest: float


def capacity(rows: int, messages: int, years: float) -> dict[str, Any]:
    """Measure and extrapolate. Returns the object that benches print."""
    folder = Path(tempfile.mkdtemp(prefix="dolen-bench-"))
    plant: Plant | None = None
    try:
        plant = _plant(folder)
        quarter = max(rows // 4, 1)
        fill(plant.ledger, "bench", quarter)
        small, first = _stored(plant), _looks(plant, quarter)
        fill(plant.ledger, "bench", rows - quarter, after=quarter)
        large, second = _stored(plant), _looks(plant, rows)
        each = (large - small) / (rows - quarter)
        with plant.ledger.reading() as connection:
            tables = {one.table: round((one.bytes or 0) / rows, 1) for one in measuring.tables(connection)}
        looks = [look(name, first[name], second[name], quarter, rows, messages) for name in first]
        return {
            "bench": "capacity",
            "rows": rows,
            "bytes_a_message": round(each, 1),
            "by_table": tables,
            "need": asdict(need(each, messages, years, len((HERE / "sample.json").read_bytes()))),
            "looks": [asdict(one) for one in looks],
            "machine": {"cores": os.cpu_count(), "python": sys.version.split()[0], "load": _load()},
        }
    finally:
        if plant is not None:
            plant.close()
        shutil.rmtree(folder, ignore_errors=True)


def need(each: float, messages: int, years: float, body: int) -> Need:
    """What messages at an even pace need, `each` bytes of metadata and BODIES bodies of `body` bytes a message."""
    kept, a_day = Retention(), messages / (years * 365.25)

    def at_rest(days: float) -> float:
        return a_day * min(days, years * 365.25)

    return Need(
        messages,
        years,
        each * messages,
        each * at_rest(kept.metadata.total_seconds() / 86_400),
        BODIES * (body + SEAL) * at_rest(kept.payloads.total_seconds() / 86_400),
    )


def look(name: str, quarter: float, whole: float, few: int, rows: int, messages: int) -> Look:
    """Judge one look by its milliseconds at `few` and at `rows`."""
    growth = whole / quarter
    line = whole + (whole - quarter) / (rows - few) * (messages - rows)
    return Look(name, round(quarter, 2), round(whole, 2), round(growth, 2), round(line, 1) if growth >= GROWS else None)


def _plant(folder: Path) -> Plant:
    """A site of the pipeline bench on SQLite, whose systems nobody serves: nothing is called."""
    (folder / "config" / "councils").mkdir(parents=True)
    (folder / "key").write_text("bench\n", encoding="utf-8")
    for name, place in (("dolen.yaml", "config/dolen.yaml"), ("council.yaml", "config/councils/bench.yaml")):
        text = (HERE / name).read_text(encoding="utf-8")
        text = text.format(
            url="http://127.0.0.1:9", ledger="sqlite:///ledger.db", broker="memory://", at_once=4, level="warning"
        )
        (folder / place).write_text(text, encoding="utf-8")
    return composition.build(composition.load(folder))


def _stored(plant: Plant) -> int:
    with plant.ledger.reading() as connection:
        return measuring.whole(connection)


def _looks(plant: Plant, rows: int) -> dict[str, float]:
    """Time what people and the nightly work look at, in milliseconds."""

    def purge() -> None:
        with plant.ledger.reading() as connection:
            found = closure.walk(connection, "bench", "", 100)
            closure.standings(connection, plant.councils["bench"].retention, found, plant.clock.now())

    looks: dict[str, Callable[[], object]] = {
        "find one by its number": lambda: looking.find_referral(plant, f"past-{rows // 2}"),
        "purge, a step of 100": purge,
        "dolen status": lambda: overview.look(plant),
        "the oldest held, after a purge": lambda: retained.measure(plant),
        "dolen capacity, the sizes": lambda: _sizes(plant),
    }
    return {name: statistics.median(_timed(one) for _ in range(TURNS)) for name, one in looks.items()}


def _sizes(plant: Plant) -> None:
    with plant.ledger.reading() as connection:
        measuring.tables(connection)


def _load() -> float | None:
    """How many processes wanted the processors in the last minute; None where the system does not tell."""
    return round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None


def _timed(one: Callable[[], object]) -> float:
    began = time.perf_counter()
    one()
    return (time.perf_counter() - began) * 1000
