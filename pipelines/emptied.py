"""Which kinds of record a connection shows once and never again, so that their absence says nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

#: Feeds of which what was read is gone.
TAKE_AWAY = frozenset({"inbox", "queue", "mailbox"})


def emptied(profile: Mapping[str, Any]) -> frozenset[str]:
    """The kinds that a profile reads from an inbox or a queue."""
    return frozenset(kind for kind, feed in _feeds(profile) if feed.get("feed") in TAKE_AWAY)


def about_ours(profile: Mapping[str, Any]) -> frozenset[str]:
    """The kinds of which a profile reads news of what we made, or takes in answers to it, and no whole records."""
    read = {kind for kind, feed in _feeds(profile) if feed.get("about_ours") is True}
    return frozenset(read | {kind for kind, push in _feeds(profile, "push") if push.get("answers")})


def _feeds(profile: Mapping[str, Any], comes_by: str = "changes") -> Iterator[tuple[str, dict[str, Any]]]:
    records = profile.get("records")
    for kind, section in (records if isinstance(records, dict) else {}).items():
        feed = section.get(comes_by) if isinstance(section, dict) else None
        if isinstance(feed, dict):
            yield str(kind), feed
