"""The change feeds of REST systems: one module each, chosen by the profile's `feed`."""

from __future__ import annotations

from connectors.rest.feeds.asking import Asking, ChangeFeed
from connectors.rest.feeds.cursor import Cursor
from connectors.rest.feeds.id_list import IdList
from connectors.rest.profile_feeds import CursorFeed, Feed

__all__ = ["ChangeFeed", "open_feed"]


def open_feed(feed: Feed, asking: Asking) -> ChangeFeed:
    """Return the feed that a profile declares, ready to be read."""
    return Cursor(feed, asking) if isinstance(feed, CursorFeed) else IdList(feed, asking)
