"""Settling: the torment is over, and all must come to rest by itself within a bounded time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from console.bench.asking import dolen
from console.bench.crew import Crew
from console.bench.peers import Peers
from console.bench.site import Bench

#: How long all may stand still before it is called stuck; and the whole of settling, with seconds for each request.
STILL_SECONDS, SETTLE_SECONDS, SETTLE_SECONDS_EACH = 60.0, 180.0, 0.06
#: The first end of a walk may be of one begun before all fell quiet, and the second as well; the third is not.
WALKS = 3


@dataclass(slots=True)
class Settling:
    """Waits until nothing moves. Then the faults end, and every source must be read whole once more."""

    bench: Bench
    crew: Crew
    peers: Peers
    referrals: int
    tell: Callable[[str], None]
    _walks: dict[str, int] = field(default_factory=dict)  # how often each source had been read when all fell quiet

    def wait(self) -> int:
        """Returns how much is still open at the end: 0 when all came to rest."""
        self.crew.start()
        self.peers.go(1.0, 0.0)
        until = time.monotonic() + SETTLE_SECONDS + SETTLE_SECONDS_EACH * self.referrals
        last, since, calm = None, time.monotonic(), False
        while True:
            time.sleep(1.0)
            self.crew.revive()
            state, status = self.peers.state(), dolen(self.bench, "status")
            moving = open_in(status)
            quiet = not moving and not state["busy"] and not state["committing_late"]
            if quiet and calm and self._all_read(state):
                return 0
            if quiet and not calm:
                self.peers.calm()
            if not (quiet and calm):
                self._walks = state["walks"]
            calm = calm or quiet
            sight = (state["typed"], state["calls"].get("create"), state["calls"].get("update"), moving)
            now = time.monotonic()
            if sight != last:
                last, since = sight, now
            if now > until or now - since > STILL_SECONDS:
                self.tell(f"it does not come to rest: {moving} under way, {state}")
                return max(1, moving)

    def _all_read(self, state: Mapping[str, Any]) -> bool:
        """Whether every source was read from start to end since all fell quiet."""
        return all(walked - self._walks.get(at, 0) >= WALKS for at, walked in state["walks"].items())


def open_in(status: Mapping[str, Any]) -> int:
    """How much is under way or waits for the officer's answer, by Dolen's own counts."""
    moving = sum(status["deliveries"].get(each, 0) for each in ("waiting", "being sent", "not sure"))
    return int(moving + status["versions"].get("waiting", 0))
