"""One bulk replay, in a process of its own, so that its memory is nobody else's.

`python -m console.bench.bulk_replay SITE DELIVERIES` sends whole causes again, as the tasks that an officer asks for,
until so many deliveries were, and says one JSON line: how many, seconds, and by how many MB the process has grown
beyond what it was when it had sent one again.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from console.bench.desk_asks import COUNCIL
from pipelines import composition, drawn, logs, tasks
from pipelines.plant import Plant
from pipelines.task_runs import TaskRuns

_LOOK_SECONDS = 0.05


def main(site: Path, wanted: int) -> dict[str, Any]:
    """Send again, and say what was seen."""
    plant = composition.build(composition.load(site))
    try:
        causes, first = drawn.causes_of_deliveries(plant), drawn.first_stopped(plant, COUNCIL)
        _done(plant, tasks.for_ids(plant, [f"d{first}"], action=tasks.SEND_AGAIN, who="bench", why="bench"))
        gc.collect()
        idle, most, over = _resident(), [0.0], threading.Event()

        def watch() -> None:
            while not over.wait(_LOOK_SECONDS):
                most[0] = max(most[0], _resident())

        watcher = threading.Thread(target=watch, name="memory")
        watcher.start()
        done, not_done, note, began, began_cpu = 0, 0, "", time.perf_counter(), time.process_time()
        try:
            for fingerprint in causes:
                if done >= wanted:
                    break
                asked = tasks.for_cause(
                    plant, fingerprint, [COUNCIL], action=tasks.SEND_AGAIN, who="bench", why="bench"
                )  # fmt: skip
                told = _done(plant, asked)
                done, not_done = done + told.done, not_done + told.not_done
                note = told.notes[0][1] if told.notes else note
        finally:
            over.set()
            watcher.join()
        seconds, cpu = time.perf_counter() - began, time.process_time() - began_cpu
        grown = max(most[0], _resident()) - idle
        written = drawn.sent_again(plant)
        return {"done": done, "not_done": not_done, "note": note, "written": written, "seconds": seconds, "cpu": cpu,
                "idle": idle, "grown": grown}  # fmt: skip
    finally:
        plant.close()


def _done(plant: Plant, id: int) -> tasks.Task:
    """Do one task to its end, as `dolen run` does."""
    TaskRuns(plant).turn(threading.Event())
    return tasks.shown(plant, id, [COUNCIL])


def _resident() -> float:
    """What of this process is in memory, in MB (Linux: proc_pid_statm(5), the second number, in pages)."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    logs.configure("warning", "json")
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]))) + "\n")
