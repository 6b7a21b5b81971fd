"""One back-fill through one feed, in a process of its own, so that its memory is nobody else's.

`python -m console.bench.back_fill FEED RECORDS URL` walks from the beginning to the end, lets each page go as intake
does, so that what is emptied by acknowledgements is acknowledged, and says one JSON line: records read, seconds, and by
how many MB the process has grown since the thousandth.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from connectors.port import Item
from console.bench.connectors import FIRST
from console.bench.wire_feeds import FEEDS, Given


def main(feed: str, records: int, url: str) -> dict[str, float]:
    """Walk, and say what was seen."""
    kind, opened = FEEDS[feed]
    with tempfile.TemporaryDirectory() as folder:
        connector = opened(Given(url, Path(folder), records))
        read, level, most, began, cursor = 0, 0.0, 0.0, time.perf_counter(), ""
        while True:
            page = connector.changes(kind, watermark="", cursor=cursor)
            read += sum(isinstance(item, Item) for item in page.items)
            cursor = page.cursor
            if read >= FIRST and not level:
                gc.collect()
                level = _resident()
            if level:
                most = max(most, _resident())
            if not cursor:
                break
        seconds = time.perf_counter() - began
        connector.close()
    return {"read": read, "seconds": seconds, "grown": (most - level) / 1e6}


def _resident() -> float:
    """What of this process is in memory, in bytes (Linux: proc_pid_statm(5), the second number, in pages)."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1], int(sys.argv[2]), sys.argv[3])) + "\n")
