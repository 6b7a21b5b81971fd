"""What `dolen bench peers` compares our reading of changes with: dlt, as its own pages say to read a REST source.

Its ready-made REST source with an incremental cursor, the same overlap as ours, and what it read written as lines of
JSON into a folder, which is the least that dlt calls done. Nothing is checked against the interface, sealed or merged.
dlt is no part of Dolen. `python -m console.bench.by_dlt URL FOLDER` reads what is new for each line on its input, and
answers with one.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

OVERLAP_SECONDS = 120  # as the contact centre's profile has it
_QUIET = {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}


def main(url: str, folder: Path) -> None:
    """Read what is new whenever a line comes; print as JSON how many requests, the seconds, and the processor time."""
    os.environ.update(_QUIET)
    dlt, rest = importlib.import_module("dlt"), importlib.import_module("dlt.sources.rest_api")
    pipeline = dlt.pipeline(
        "bench",
        pipelines_dir=str(folder / "state"),
        destination=dlt.destinations.filesystem(bucket_url=(folder / "data").as_uri()),
        dataset_name="requests",
    )
    for _ in sys.stdin:
        began, spent = time.perf_counter(), time.process_time()
        pipeline.run(rest.rest_api_source(_told(url)), loader_file_format="jsonl")
        seconds, cpu = time.perf_counter() - began, time.process_time() - spent
        rows = pipeline.last_trace.last_normalize_info.row_counts.get("requests", 0)
        sys.stdout.write(json.dumps({"read": rows, "seconds": seconds, "cpu": cpu}) + "\n")
        sys.stdout.flush()


def _told(url: str) -> dict[str, Any]:
    since = {
        "cursor_path": "changed_at", "start_param": "changed_since", "initial_value": "2025-12-01T00:00:00Z",
        "lag": OVERLAP_SECONDS,
    }  # fmt: skip
    return {
        "client": {
            "base_url": url,
            "paginator": {"type": "cursor", "cursor_path": "next", "cursor_param": "cursor"},
        },
        "resources": [
            {
                "name": "requests",
                "primary_key": "id",
                "write_disposition": "append",
                "endpoint": {
                    "path": "requests", "params": {"limit": 100}, "data_selector": "requests", "incremental": since,
                },
            }
        ],
    }  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
