"""Named instants at which a test may kill the process, so that every step of the path is killed at least once.

In production each is a comparison with None. With DOLEN_CRASH_AT set to a name, or to `name:3` for the third time it
is passed, the process kills itself with SIGKILL there, as the machine would: nothing is flushed, nothing is closed.
"""

from __future__ import annotations

import os
import signal
import threading

#: Every point that there is, in the order of the path.
POINTS = (
    "slot claimed",
    "page read",
    "before page commit",
    "after page commit",
    "watermark moved",
    "slot done",
    "after publish",
    "before lease commit",
    "after lease commit",
    "before call",
    "after call",
    "before results commit",
    "after results commit",
    "keys written",
)
#: Points that only what is pushed to us passes.
PUSH_POINTS = ("push kept",)
#: Points that only a rotation of keys passes, and those of retention and erasure.
KEY_POINTS = ("keys turned", "keys wrapped anew", "key file in place", "emptied", "keys destroyed")


class NoSuchPoint(ValueError):
    """DOLEN_CRASH_AT names a point that is not in POINTS. The message lists those that are."""


def _wanted() -> tuple[str, int] | None:
    given = os.environ.get("DOLEN_CRASH_AT")
    if not given:
        return None
    name, _, times = given.partition(":")
    if name not in (*POINTS, *PUSH_POINTS, *KEY_POINTS) or (times and not times.isdecimal()):
        known = ", ".join((*POINTS, *PUSH_POINTS, *KEY_POINTS))
        raise NoSuchPoint(f"DOLEN_CRASH_AT must be one of {known}, with :N for the Nth time")
    return name, int(times or 1)


_AT = _wanted()
_lock = threading.Lock()
_passed = 0


def here(point: str) -> None:
    """Pass a point. Does nothing unless DOLEN_CRASH_AT names it."""
    if _AT is None or _AT[0] != point:
        return
    global _passed
    with _lock:
        _passed += 1
        if _passed == _AT[1]:
            os.kill(os.getpid(), signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
