"""Which kinds of record a connection shows once and never again, so that their absence says nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Feeds of which what was read is gone.
_FEEDS = frozenset({"inbox", "queue", "mailbox"})


def emptied(profile: Mapping[str, Any]) -> frozenset[str]:
    """The kinds that a profile reads from an inbox or a queue."""
    records = profile.get("records")
    found: set[str] = set()
    for kind, section in (records if isinstance(records, dict) else {}).items():
        feed = section.get("changes") if isinstance(section, dict) else None
        if isinstance(feed, dict) and feed.get("feed") in _FEEDS:
            found.add(str(kind))
    return frozenset(found)
