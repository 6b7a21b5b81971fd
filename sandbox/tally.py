"""How many calls each pretend system has had since it was started, by operation and by outcome."""

from __future__ import annotations

import threading
from collections import Counter


class Tally:
    """Counts calls. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: Counter[tuple[str, str, str, str]] = Counter()

    def count(self, tenant: str, system: str, operation: str, outcome: str) -> None:
        """Count one call."""
        with self._lock:
            self._calls[tenant, system, operation or "(unread)", outcome] += 1

    def shown(self) -> list[dict[str, str | int]]:
        """Every combination that happened, in order of names."""
        with self._lock:
            return [
                {"tenant": tenant, "system": system, "operation": operation, "outcome": outcome, "calls": calls}
                for (tenant, system, operation, outcome), calls in sorted(self._calls.items())
            ]

    def clear(self) -> None:
        """Start from nothing again."""
        with self._lock:
            self._calls.clear()
