"""The breaker: a connection that fails several times in a row is left alone for a while, then tried with one call.

Failures are counted in each process; that the breaker is open is a row, which holds for all of them, and so does the
claim of the one probe.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

from sqlalchemy import Connection

from pipelines import pauses
from pipelines.clock import SECOND
from pipelines.decision import Do
from pipelines.logs import log, warn
from pipelines.plant import Council, Plant, Wired
from pipelines.sending import Result

#: Errors that speak of the connection and not of the record.
OF_THE_CONNECTION = frozenset({"Unreachable", "Unknown"})


class Breaker:
    """Judges what the results of a batch say of their connection. Safe to share between threads."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._lock = threading.Lock()
        self._failures: dict[tuple[str, str], deque[int]] = {}

    def judge(
        self, connection: Connection, council: Council, wired: Wired, results: Sequence[Result], *, probing: bool
    ) -> bool:
        """Count failures in a row within the caller's transaction. Returns whether the connection is paused now."""
        if all(result.error not in OF_THE_CONNECTION and not _pauses(result) for result in results):
            return self._well(connection, council.code, wired, probing=probing)
        paused = False
        for result in results:
            paused = self._one(connection, council.code, wired, result, probing=probing)
        return paused

    def _well(self, connection: Connection, council: str, wired: Wired, *, probing: bool) -> bool:
        """The connection answered: whatever the record's own fate, there is no failure in a row any more."""
        with self._lock:
            self._failures.pop((council, wired.name), None)
        now = None if probing else self._plant.clock.now()
        if pauses.end(connection, council, wired.name, limit_over_by=now):
            log("connection_resumed", council=council, connection=wired.name)
        return False

    def _one(self, connection: Connection, council: str, wired: Wired, result: Result, *, probing: bool) -> bool:
        key, now = (council, wired.name), self._plant.clock.now()
        if _pauses(result):
            return True  # `outcomes` has paused it, by its login or by its limit
        if result.error not in OF_THE_CONNECTION:
            return self._well(connection, council, wired, probing=probing)
        rules = pauses.rules_of(wired.settings)
        with self._lock:
            failures = self._failures.setdefault(key, deque())
            failures.append(now)
            while failures and failures[0] < now - rules.within * SECOND:
                failures.popleft()
            enough = len(failures) >= rules.after_failures
        held = pauses.of(connection, council, wired.name)
        if held is not None and not probing:
            return True  # it was under way when the breaker opened: that is no failed probe, and doubles nothing
        if held is None and not enough:
            return False
        until = pauses.trip(
            connection,
            council,
            wired.name,
            why=pauses.BY_BREAKER,
            words=result.words,
            now=now,
            first_seconds=rules.try_again,
        )
        warn("connection_paused", council=council, connection=wired.name, until=until)
        return True


def _pauses(result: Result) -> bool:
    """Whether a result has paused its connection already."""
    return result.decision is not None and result.decision.do is Do.PAUSE
