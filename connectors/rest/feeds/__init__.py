"""The change feeds of REST systems: one module each, chosen by the profile's `feed`."""

from __future__ import annotations

from connectors.known import KnownIdsFeed
from connectors.rest.feeds.asking import Asking, ChangeFeed
from connectors.rest.feeds.cursor import Cursor
from connectors.rest.feeds.id_list import IdList
from connectors.rest.feeds.known_ids import KnownRecords
from connectors.rest.feeds.newest_first import NewestFirst
from connectors.rest.profile_feeds import CursorFeed, Feed, IdListFeed

__all__ = ["ChangeFeed", "open_feed"]


def open_feed(feed: Feed, asking: Asking) -> ChangeFeed:
    """Return the feed that a profile declares, ready to be read."""
    if isinstance(feed, KnownIdsFeed):
        return KnownRecords(feed, asking)
    if isinstance(feed, CursorFeed):
        return Cursor(feed, asking)
    return IdList(feed, asking) if isinstance(feed, IdListFeed) else NewestFirst(feed, asking)
