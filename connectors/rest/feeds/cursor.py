"""Modified since: a list of whole records, each page naming the next."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from connectors.errors import PageUnreadable
from connectors.http import Reply
from connectors.port import Page
from connectors.rest.feeds.asking import Asking, Listing
from connectors.rest.profile_feeds import CursorFeed
from connectors.rest.walk import Walk, later

LARGEST_SKIPPED = 200_000_000  # bytes: one monstrous record must not stop all that are behind it


class Cursor:
    """Reads what changed since the watermark's moment."""

    def __init__(self, feed: CursorFeed, asking: Asking) -> None:
        self._feed = feed
        self._asking = asking
        self._list = Listing(feed, asking)

    def page(self, *, watermark: str, cursor: str, limit: int | None) -> Page:
        """Read one page; the watermark is the newest stamp that the walk has shown."""
        walk = Walk.at(cursor)
        if walk.over:
            return Page([], "", later(walk.newest, watermark))
        doing = f"listing {self._asking.kind}"
        shown = self._list.show(walk, watermark, limit, self._asking.deadline(), doing)
        walk, following = shown.walk, shown.following
        items = [self._asking.item(one) for one in shown.found]
        horizon = horizon_of(shown.reply, self._feed.overlap)
        for item in items:
            walk = walk.saw(item.modified, not_after=horizon)
        following = walk.step(following, most_pages=self._feed.page.at_most).cursor if following else ""
        return Page(items, following, later(walk.newest, watermark))

    def skip(self, *, watermark: str, cursor: str) -> str | None:
        """Return the cursor behind the one record at `cursor`, if the reply that cannot be read still names it.

        Only the name of the next page is looked for, also in a reply far beyond `max_reply_bytes`; nothing else of such
        a reply is believed.
        """
        pages, walk, doing = self._feed.page, Walk.at(cursor), f"stepping over a {self._asking.kind}"
        if pages.size is None:
            return None
        try:
            asked = self._list.ask(walk, watermark, 1, self._asking.deadline(), most_bytes=LARGEST_SKIPPED)
            self._asking.expect(asked.reply, doing)
            page = None if pages.next is None else self._list.envelope(asked.reply, doing)
            following = self._list.following(page, asked, doing)
            behind = walk.step(following, most_pages=pages.at_most) if following else replace(walk, over=True)
        except PageUnreadable:
            return None
        return behind.cursor

    def look(self) -> Reply:
        """Ask for a first page of one record."""
        return self._list.ask(Walk(), "", 1, self._asking.deadline()).reply


def horizon_of(reply: Reply, overlap: timedelta) -> datetime | None:
    """Return the latest moment that a stamp in this reply can honestly have, by the system's own clock."""
    return None if reply.date is None else reply.date + overlap
