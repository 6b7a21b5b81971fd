"""`dolen bench curves`: how rate and memory go with size, and what a kill in the middle costs; for pictures.

The source and the sink are those of `dolen bench pipeline`, and one `dolen run` on SQLite is what runs. *sizes*: so
many requests in one go, each time on a new ledger; the most memory that the process ever had is what Linux kept of it.
*recovery*: the process is killed when half has arrived and started anew at once, as an init system would.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from console.bench.pipeline import LONGEST, Contender, Failed, flood, lay_out, release
from pipelines import composition
from pipelines.past import proofs
from pipelines.plant import Plant
from pipelines.processes import living

SIZES = (250, 1000, 4000)
#: What must be: seconds from the kill until records arrive again (the same as for a broker that is killed).
BACK_WITHIN = 30.0
_LOOK = 0.1


def curves(sizes: Sequence[int], records: int, *, tell: Callable[[str], None]) -> dict[str, Any]:
    """Measure both. Returns the object that benches print. Raises Failed if a record was lost or doubled."""
    found = []
    with flood(0.0) as url:
        for size in sizes:
            tell(f"{size} records in one go")
            found.append(_Once(url).sized(size))
        tell(f"a kill in the middle of {records} records")
        recovery = _Once(url).killed(records)
    back = recovery["again"] - recovery["killed"]
    return {
        "bench": "curves",
        "results": [
            {
                "name": "recovery", "ours": round(back, 2), "against": "the goal", "theirs": BACK_WITHIN,
                "ratio": round(BACK_WITHIN / max(back, 1e-3), 3), "runs": 1,
                "unit": "seconds from a kill until a record arrives again",
            }
        ],
        "sizes": found,
        "recovery": recovery,
        "machine": {"cores": os.cpu_count(), "python": sys.version.split()[0], "platform": sys.platform,
                    "load": round(os.getloadavg()[0], 1)},
    }  # fmt: skip


class _Once:
    """One run on a new ledger."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._processes: list[subprocess.Popen[bytes]] = []

    def sized(self, records: int) -> dict[str, Any]:
        """How fast so many records went, and the most memory that it took."""
        with ExitStack() as made:
            plant = self._open(made)
            release(self._url, records)
            self._until(lambda: proofs(plant.ledger) >= records)
            seen = release(self._url)
            self._whole(seen, records)
            rate = records / (seen["now"] - seen["first_read"])
            return {"records": records, "rate": round(rate, 1), "mb": _most_memory(self._processes[-1].pid)}

    def killed(self, records: int) -> dict[str, Any]:
        """What had arrived when, with a kill when half had; seconds from the first page."""
        with ExitStack() as made:
            self._open(made)
            release(self._url, records)
            curve: list[tuple[float, int]] = []

            def look() -> int:
                seen = release(self._url)
                if seen["first_read"]:
                    curve.append((round(seen["now"] - seen["first_read"], 2), seen["keys"]))
                return int(seen["keys"])

            self._until(lambda: look() >= records // 2)
            self._processes[-1].kill()
            self._processes[-1].wait()
            look()
            killed, had = curve[-1]
            self._start(made)
            self._until(lambda: look() > had)
            again = curve[-1][0]
            # What was under way at the kill is looked up after its call's deadline; at the target it is already.
            self._until(lambda: look() >= records)
            self._whole(release(self._url), records)
            return {"records": records, "killed": killed, "again": again, "curve": curve}

    def _whole(self, seen: dict[str, Any], records: int) -> None:
        if seen["keys"] != records:
            raise Failed(f"{seen['keys']} of {records} records are at the target")

    def _open(self, made: ExitStack) -> Plant:
        self._folder = Path(tempfile.mkdtemp(prefix="dolen-bench-"))
        made.callback(shutil.rmtree, self._folder, ignore_errors=True)
        release(self._url, 0)
        lay_out(self._folder, self._url, Contender("curves", [["run"]]))
        plant = composition.build(composition.load(self._folder))
        made.callback(plant.close)
        self._start(made)

        def lives() -> bool:
            with plant.ledger.reading() as connection:
                return bool(living(connection))

        self._until(lives)
        return plant

    def _start(self, made: ExitStack) -> None:
        command = [sys.executable, "-m", "console", "run", "--site", str(self._folder)]
        with (self._folder / f"{len(self._processes)}.log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 - our own
        self._processes.append(process)
        made.callback(_end, process)

    def _until(self, done: Callable[[], bool]) -> None:
        until = time.monotonic() + LONGEST
        while not done():
            if self._processes[-1].poll() is not None:
                raise Failed("dolen run ended by itself")
            if time.monotonic() > until:
                raise Failed(f"waited {LONGEST:.0f} s in vain")
            time.sleep(_LOOK)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    process.wait(timeout=60)


def _most_memory(pid: int) -> float:
    """The most that a process ever had in memory, in MB (Linux: proc_pid_status(5), VmHWM)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    if found is None:
        raise Failed("the system does not tell how much memory a process had")
    return round(int(found[1]) * 1024 / 1_000_000, 1)
