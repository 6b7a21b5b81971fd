"""The regression gate: ratios of processor time, measured in short runs and held against those that were recorded.

Seconds say much about a machine and little about a change; so does the wall clock of two contenders on a busy one. A
ratio of processor times says mostly what the code does. Still a median can be unlucky: what looks worse than it may is
measured once more, with twice as many turns, and the better of the two counts. What is recorded stands in `gate.yaml`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.documents import read_yaml
from console.bench import connectors as wire
from console.bench import mapping as words
from console.bench import start as starting

HERE = Path(__file__).with_name("gate.yaml")
Ratios = Mapping[str, float]  # by result: the other side's processor time over ours, so that more is better


class NotRecorded(RuntimeError):
    """What is measured and what is recorded are not about the same results."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What one result was. It is red below `least` times `ratio`."""

    ratio: float
    least: float

    @property
    def floor(self) -> float:
        """The lowest ratio that is not red."""
        return self.ratio * self.least


def recorded(file: Path = HERE) -> dict[str, dict[str, Recorded]]:
    """What is recorded, by bench and result. Raises NotRecorded for a file that says anything else."""
    told = read_yaml(file).data
    try:
        return {
            bench: {name: Recorded(float(one["ratio"]), float(one["least"])) for name, one in results.items()}
            for bench, results in told.items()
        }
    except (AttributeError, KeyError, TypeError, ValueError):
        raise NotRecorded(f"{file.name}: each result is written as {{ratio: 1.0, least: 0.75}}") from None


def _mapping(times: int) -> Ratios:
    return words.against_hand_written(9 * times, 0.04)


def _connectors(times: int) -> Ratios:
    told = wire.connectors(5 * times, ("rest deliver", "soap read", "soap create"), 0)
    return {one["name"]: one["their_cpu"] / max(one["our_cpu"], 1e-6) for one in told["results"]}


def _start(times: int) -> Ratios:
    return {"status": starting.against_bare(5 * times)}


MEASURES: Mapping[str, Callable[[int], Ratios]] = {"mapping": _mapping, "connectors": _connectors, "start": _start}


def gate(only: Sequence[str] = (), measures: Mapping[str, Callable[[int], Ratios]] = MEASURES) -> dict[str, Any]:
    """Measure and judge. Returns the object that benches print, with `well` beside each result. Raises NotRecorded."""
    results: list[dict[str, Any]] = []
    for bench, limits in recorded().items():
        if only and bench not in only:
            continue
        tries = [measures[bench](1)]
        if any(_below(tries, name, limit) for name, limit in limits.items()):
            tries.append(measures[bench](2))
        if strange := {name for told in tries for name in told} ^ set(limits):
            raise NotRecorded(f"{bench}: {', '.join(sorted(strange))}: measured and not recorded, or the other way")
        results += [_judged(bench, name, limit, tries) for name, limit in limits.items()]
    machine = {"cores": os.cpu_count(), "python": sys.version.split()[0], "platform": sys.platform}
    return {"bench": "gate", "results": results, "machine": machine}


def _below(tries: Sequence[Ratios], name: str, limit: Recorded) -> bool:
    return max(told.get(name, 0.0) for told in tries) < limit.floor


def _judged(bench: str, name: str, limit: Recorded, tries: Sequence[Ratios]) -> dict[str, Any]:
    seen = [round(told.get(name, 0.0), 3) for told in tries]
    return {
        "name": f"{bench}: {name}",
        "ours": max(seen),
        "against": "the recorded ratio",
        "theirs": limit.ratio,
        "ratio": round(max(seen) / limit.ratio, 3),
        "unit": "processor time, the other side's over ours",
        "runs": len(seen),
        "seen": seen,
        "least": limit.least,
        "well": not _below(tries, name, limit),
    }


def words_of(result: Mapping[str, Any]) -> str:
    """What to tell of a result that is red."""
    seen = " and ".join(f"{one:g}" for one in result["seen"])
    return (
        f"{result['name']}: the ratio is {seen}, and {result['theirs']:g} is recorded; it is red below "
        f"{result['theirs'] * result['least']:.3g}. Look which change made it slower. If that is meant, write the new "
        f"ratio into console/bench/{HERE.name}, and why into the commit"
    )
