"""Known ids: no list at all; the records that we hold links to are read again in turn."""

from __future__ import annotations

from connectors.http import Reply
from connectors.known import KnownIds, KnownIdsFeed
from connectors.port import Page
from connectors.rest.feeds.asking import Asking


class KnownRecords:
    """Reads one kind's known records again."""

    def __init__(self, feed: KnownIdsFeed, asking: Asking) -> None:
        self._asking = asking
        self._known = KnownIds(asking.kind, feed, asking.known, asking.fetch, tells_gone=asking.tells_gone)

    def page(self, *, watermark: str, cursor: str, limit: int | None) -> Page:
        """Read one page."""
        return self._known.page(self._asking.deadline(), watermark=watermark, cursor=cursor, limit=limit)

    def skip(self, *, watermark: str, cursor: str) -> None:  # noqa: ARG002 - the feed's port; nothing is stepped over
        """A record that cannot be read is told on its own."""
        return

    def look(self) -> Reply:
        """Ask for the first known record; where none is known for one that is hardly there."""
        return self._asking.get(self._asking.address_of(self._known.first() or "0"), {}, self._asking.deadline())
