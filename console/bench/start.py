"""The bench of starting: what `dolen status` costs a machine, against the bare import of what it is built with.

Processor time of whole processes, one after the other in turns, as the system counts it when each has ended. *status*:
on the example site, which has been looked at before. *first*: the same where nobody has since its files changed, so
that they are read. Each side has its bytecode, and the ledger is there and empty.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import config
from pipelines.outline import SETTLED

#: What `dolen status` cannot do without, imported and nothing else.
BARE = "import pydantic, sqlalchemy, typer, rich"
#: How many times the bare import a command may cost.
MUST = 1.5


class Failed(RuntimeError):
    """The bench cannot go on. The message says why."""


def start(runs: int) -> dict[str, Any]:
    """Measure so many turns; returns the object that benches print. Raises Failed."""
    with _looked_at() as (site, status):
        bare, ours, first = [], [], []
        for _ in range(runs):
            bare.append(_spent(["-c", BARE]))
            ours.append(_spent(status))
            for outline in _outlines(site):
                outline.unlink()
            first.append(_spent(status))
    results = [_told("status", ours, bare), _told("first", first, bare)]
    machine = {"cores": os.cpu_count(), "python": sys.version.split()[0], "platform": sys.platform}
    return {"bench": "start", "results": results, "machine": machine}


def against_bare(runs: int) -> float:
    """The bare import's processor time over that of `dolen status`, medians of so many turns. Raises Failed."""
    with _looked_at() as (_site, status):
        turns = [(_spent(["-c", BARE]), _spent(status)) for _ in range(runs)]
    return statistics.median(bare for bare, _ in turns) / statistics.median(ours for _, ours in turns)


@contextmanager
def _looked_at() -> Iterator[tuple[Path, list[str]]]:
    """A copy of the example site of which an outline was kept, and what asks for its status."""
    with tempfile.TemporaryDirectory(prefix="dolen-bench-") as folder:
        site = Path(folder).resolve() / "site"
        shutil.copytree(
            Path(config.__file__).parent / "example", site, ignore=shutil.ignore_patterns("var", "__pycache__")
        )
        status = ["-m", "console", "status", "--site", str(site)]
        _keep_an_outline(site, status)
        yield site, status


def _told(name: str, ours: list[float], bare: list[float]) -> dict[str, Any]:
    least, mine = statistics.median(bare), statistics.median(ours)
    return {
        "name": name,
        "ours": round(mine * 1000, 1),
        "against": f"{MUST:g} times `{BARE}`",
        "theirs": round(MUST * least * 1000, 1),
        "ratio": round(MUST * least / mine, 3),
        "unit": "milliseconds of processor time",
        "times_bare": round(mine / least, 2),
        "runs": len(ours),
    }


def _keep_an_outline(site: Path, status: list[str]) -> None:
    time.sleep(SETTLED / 1e9 + 0.1)  # before, nothing is kept of files that may still change
    _spent(status)
    if not _outlines(site):
        raise Failed("no outline of the site was kept: is the temporary folder on a disk whose clock is ahead?")


def _outlines(site: Path) -> list[Path]:
    return list((site / "var").glob("outline-*.json"))


def _spent(arguments: list[str]) -> float:
    """Seconds of processor time of one run of Python, its own and the system's for it. Raises Failed."""
    home = Path(__file__).resolve().parents[2]  # where our packages are, also where nothing was installed
    process = subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, *arguments], cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, ended, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(ended)
    if process.returncode:
        raise Failed(f"`python {' '.join(arguments[:3])}` ended with {process.returncode}")
    return used.ru_utime + used.ru_stime
