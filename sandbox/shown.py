"""The interface that a pretend system shows of itself: what its supplier published, until an upgrade changes it.

The change is in what is shown alone; the system goes on as before, so that it can be seen what a caller makes of it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

MOST_CHANGES = 200


class Shown:
    """The live interface of one system, for each of its tenants. Safe to use from several threads."""

    def __init__(self, published: bytes) -> None:
        self._published = published
        self._lock = threading.Lock()
        self._changed: dict[str, bytes] = {}

    def to(self, tenant: str) -> bytes:
        """What a tenant's installation shows."""
        with self._lock:
            return self._changed.get(tenant, self._published)

    def change(self, tenant: str, replace: Sequence[tuple[str, str]]) -> int:
        """Upgrade one installation: words for words, once each, over what it shows now. Returns the size.

        Raises ValueError for words that it does not hold; then nothing is changed.
        """
        if len(replace) > MOST_CHANGES:
            raise ValueError(f"Change {MOST_CHANGES} places at the most.")
        with self._lock:
            text = self._changed.get(tenant, self._published).decode()
            for old, new in replace:
                if not old or old not in text:
                    raise ValueError(f"The interface does not hold {old[:80]!r}.")
                text = text.replace(old, new, 1)
            self._changed[tenant] = text.encode()
            return len(self._changed[tenant])

    def put_back(self, tenant: str) -> None:
        """Show what was published again."""
        with self._lock:
            self._changed.pop(tenant, None)
