"""The change feeds of REST systems: one module each, chosen by the profile's `feed`."""

from __future__ import annotations

from connectors.rest.feeds.asking import Asking, ChangeFeed
from connectors.rest.feeds.cursor import Cursor
from connectors.rest.feeds.id_list import IdList
from connectors.rest.feeds.inbox import Inbox
from connectors.rest.feeds.newest_first import NewestFirst
from connectors.rest.feeds.queue import Queue
from connectors.rest.profile_emptied import InboxFeed, QueueFeed
from connectors.rest.profile_feeds import CursorFeed, Feed, IdListFeed

__all__ = ["ChangeFeed", "open_feed"]


def open_feed(feed: Feed, asking: Asking) -> ChangeFeed:
    """Return the feed that a profile declares, ready to be read."""
    if isinstance(feed, CursorFeed):
        return Cursor(feed, asking)
    if isinstance(feed, IdListFeed):
        return IdList(feed, asking)
    if isinstance(feed, InboxFeed):
        return Inbox(feed, asking)
    return Queue(feed, asking) if isinstance(feed, QueueFeed) else NewestFirst(feed, asking)
