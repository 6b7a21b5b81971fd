"""A process that is told to stop leaves in seconds, also where its database or broker swallowed what it said."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
STUCK = """
import threading
from pipelines import running

running._PATIENCE_SECONDS = 1.0
stuck = threading.Thread(target=threading.Event().wait, name="relay")
stuck.start()
running._wait_for(None, [stuck], [], print)
print("ended by itself")
"""


def test_a_part_that_never_ends_is_left_behind() -> None:
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", STUCK], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 70
    assert "ended by itself" not in done.stdout
    assert "left_behind" in done.stdout + done.stderr
    assert time.monotonic() - began < 50
