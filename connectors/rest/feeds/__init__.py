"""The change feeds of REST systems: one module each, chosen by the profile's `feed`."""

from __future__ import annotations

from typing import Any

from connectors.known import KnownIdsFeed
from connectors.port import Item, UnreadableItem
from connectors.rest.feeds import delta, id_window
from connectors.rest.feeds.asking import Asking, ChangeFeed
from connectors.rest.feeds.cursor import Cursor
from connectors.rest.feeds.delta import Delta
from connectors.rest.feeds.id_list import IdList
from connectors.rest.feeds.id_window import IdWindow
from connectors.rest.feeds.inbox import Inbox
from connectors.rest.feeds.known_ids import KnownRecords
from connectors.rest.feeds.newest_first import NewestFirst
from connectors.rest.feeds.queue import Queue
from connectors.rest.profile_emptied import InboxFeed, QueueFeed
from connectors.rest.profile_feeds import CursorFeed, DeltaFeed, Feed, IdListFeed, IdWindowFeed

__all__ = ["ChangeFeed", "gone_again", "open_feed"]


def open_feed(feed: Feed, asking: Asking) -> ChangeFeed:
    """Return the feed that a profile declares, ready to be read."""
    if isinstance(feed, KnownIdsFeed):
        return KnownRecords(feed, asking)
    if isinstance(feed, CursorFeed):
        return Cursor(feed, asking)
    if isinstance(feed, DeltaFeed):
        return Delta(feed, asking)
    if isinstance(feed, IdWindowFeed):
        return IdWindow(feed, asking)
    if isinstance(feed, IdListFeed):
        return IdList(feed, asking)
    if isinstance(feed, InboxFeed):
        return Inbox(feed, asking)
    return Queue(feed, asking) if isinstance(feed, QueueFeed) else NewestFirst(feed, asking)


def gone_again(feed: Feed | None, kind: str, kept: Any) -> Item | UnreadableItem | None:
    """Read the kept bytes again of what told that a record is gone; None for what tells of none."""
    if isinstance(feed, DeltaFeed):
        return delta.gone_again(feed, kind, kept)
    return id_window.gone_again(feed, kind, kept) if isinstance(feed, IdWindowFeed) else None
