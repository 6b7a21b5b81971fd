"""Our side of the incremental read in `dolen bench peers`: what `dolen sync` does, in a process of its own.

Each record is checked against the interface, read by its mapping, merged, sealed and in the ledger, with what is to be
sent of it, before it counts. `python -m console.bench.by_sync SITE` reads what is new for each line on its input, and
answers with one.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from pipelines import composition, control, logs


def main(site: Path) -> None:
    """Read what is new whenever a line comes; print as JSON how many requests, the seconds, and the processor time."""
    logs.configure("warning", "json")
    plant = composition.build(composition.load(site))
    try:
        source = control.connections(plant, "source")
        for _ in sys.stdin:
            began, spent = time.perf_counter(), time.process_time()
            (done,) = control.sync(plant, source)
            seconds, cpu = time.perf_counter() - began, time.process_time() - spent
            sys.stdout.write(json.dumps({"read": done.news, "seconds": seconds, "cpu": cpu}) + "\n")
            sys.stdout.flush()
    finally:
        plant.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
