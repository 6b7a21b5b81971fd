"""`dolen bench draw`: pictures of what other benches printed, by matplotlib, which is no part of Dolen.

The figures are read from the files that `--json` filled; nothing is measured here. A picture is SVG with words as
words, and the same figures give the same bytes: no date, no random ids.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

INSTALL = "python -m pip install 'dolen[pictures]', or matplotlib by itself, with the Python of .venv"
_BLUE, _RED, _GREY = "#1d70b8", "#d4351c", "#505a5f"
_STEADY = {"svg.hashsalt": "dolen", "svg.fonttype": "none", "font.size": 10, "axes.spines.top": False,
           "axes.spines.right": False}  # fmt: skip


class NotDrawn(ValueError):
    """There is nothing to draw, or nothing to draw with. The message says what to do."""


def draw(results: Path, folder: Path) -> list[Path]:
    """Draw what one bench printed. Returns the pictures. Raises NotDrawn."""
    try:
        told = json.loads(results.read_text(encoding="utf-8"))
        name = told["bench"]
    except (OSError, ValueError, TypeError, KeyError):
        raise NotDrawn(f"{results} holds no result of a bench: fill it with `dolen bench NAME --json`") from None
    if name not in DRAWN:
        raise NotDrawn(f"{results} is a result of `dolen bench {name}`; pictures are drawn of: {', '.join(DRAWN)}")
    if importlib.util.find_spec("matplotlib") is None:
        raise NotDrawn(f"matplotlib is not installed: {INSTALL}")
    matplotlib = importlib.import_module("matplotlib")
    matplotlib.use("svg")
    plot = importlib.import_module("matplotlib.pyplot")
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    with matplotlib.rc_context(_STEADY):
        for picture, fill in DRAWN[name].items():
            figure, axes = plot.subplots(figsize=(7, 3.6), layout="constrained")
            fill(axes, told)
            file = folder / f"bench-{picture}.svg"
            figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None, "Title": picture})
            plot.close(figure)
            made.append(file)
    return made


def _latency(axes: Any, told: Mapping[str, Any]) -> None:
    shares = list(told["latency"])
    axes.plot(shares, list(told["latency"].values()), "o-", color=_BLUE, label="from the page that showed it")
    axes.axhline(5.0, color=_RED, linestyle="--", linewidth=1, label="the goal at p95")
    axes.set(title="From a source's change to the proof, the wait for the poll left out", xlabel="of all changes",
             ylabel="seconds", ylim=(0, None))  # fmt: skip
    axes.legend(frameon=False)


def _day(axes: Any, told: Mapping[str, Any]) -> None:
    times, cpu, mb = (list(column) for column in zip(*told["curve"], strict=True))
    busy = [(b - a) / max(t - s, 1e-9) * 100 for a, b, s, t in zip(cpu, cpu[1:], times, times[1:], strict=False)]
    axes.step(times[1:], busy, color=_BLUE, where="pre", label="processor, percent of a core")
    axes.set(title="One process through the day", xlabel="seconds since staff began", ylabel="percent", ylim=(0, None))
    beside = axes.twinx()
    beside.plot(times, mb, color=_GREY, label="memory, MB")
    beside.set(ylabel="MB", ylim=(0, None))
    axes.legend(frameon=False, loc="upper left")
    beside.legend(frameon=False, loc="lower right")


def _sizes(axes: Any, told: Mapping[str, Any]) -> None:
    records = [one["records"] for one in told["sizes"]]
    axes.plot(records, [one["rate"] for one in told["sizes"]], "o-", color=_BLUE, label="records a second")
    axes.set(title="Records a second and memory against size", xlabel="records in one go", ylabel="records a second",
             ylim=(0, None), xscale="log")  # fmt: skip
    axes.set_xticks(records, [str(one) for one in records])
    axes.minorticks_off()
    beside = axes.twinx()
    beside.plot(records, [one["mb"] for one in told["sizes"]], "s--", color=_GREY, label="the most memory, MB")
    beside.set(ylabel="MB", ylim=(0, None))
    axes.legend(frameon=False, loc="upper left")
    beside.legend(frameon=False, loc="lower right")


def _recovery(axes: Any, told: Mapping[str, Any]) -> None:
    recovery = told["recovery"]
    times, taken = (list(column) for column in zip(*recovery["curve"], strict=True))
    axes.plot(times, taken, color=_BLUE, label="records at the target")
    for at, words, colour in ((recovery["killed"], "killed", _RED), (recovery["again"], "goes on", _GREY)):
        axes.axvline(at, color=colour, linestyle="--", linewidth=1, label=words)
    axes.set(title="A kill in the middle", xlabel="seconds since the first page", ylabel="records", ylim=(0, None))
    axes.legend(frameon=False, loc="lower right")


#: By bench: its pictures, and what fills each.
DRAWN: Mapping[str, Mapping[str, Callable[[Any, Mapping[str, Any]], None]]] = {
    "wales": {"latency": _latency, "day": _day},
    "curves": {"sizes": _sizes, "recovery": _recovery},
}
