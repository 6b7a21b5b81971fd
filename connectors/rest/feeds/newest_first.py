"""Newest first: a list without a moment to ask from, read from its front until what it shows is known.

The new watermark is the newest stamp of the walk's first page. What changes while we read moves to the front, behind
which we already are: its stamp is newer than that, so the next walk meets it.

A page that begins with the record with which the page before began is either the page before once more, as a cache
between us and the system gives it, or exactly a page's worth of records came to the front meanwhile. It is asked for
once more: what was passed over in a walk from the beginning would never be seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson

from connectors.deadline import Deadline
from connectors.errors import Misconfigured, PageUnreadable
from connectors.http import Reply, ReplyTooLarge
from connectors.json_body import UnreadableBody, as_received, sound, twice_on_the_way
from connectors.port import Item, Page, UnreadableItem
from connectors.rest.feeds.asking import Asking
from connectors.rest.feeds.cursor import horizon_of
from connectors.rest.profile_feeds import NewestFirstFeed
from connectors.rest.replies import at
from connectors.rest.walk import Walk, begin, later

AGAIN = 5  # records that the next page by offset shows again: a record taken out of those before pulls others forward


@dataclass(frozen=True, slots=True)
class Place:
    """Where a walk stands: so many records from the front, and what it saw at its beginning."""

    row: int = 0
    newest: str = ""  # the newest stamp of the first page, ISO 8601 in UTC; "" if none
    page: int = 1  # number of the page to read, from 1
    began: str = ""  # digest of the record with which the page before began; "" if it had none

    @classmethod
    def at(cls, cursor: str) -> Place:
        """Read a kept cursor. Raises Misconfigured if it is not one of ours."""
        if not cursor:
            return cls()
        try:
            row, newest, page, *began = orjson.loads(cursor)
            return cls(int(row), str(newest), int(page), *map(str, began[:1]))
        except (ValueError, TypeError):
            raise Misconfigured(
                "the kept place of this walk cannot be read: start the walk from its watermark"
            ) from None

    @property
    def cursor(self) -> str:
        """The place as text."""
        return orjson.dumps([self.row, self.newest, self.page, self.began]).decode()

    def behind(self, rows: int) -> Place:
        """The place of the next page, so many records on."""
        return replace(self, row=self.row + rows, page=self.page + 1)


class NewestFirst:
    """Reads a list from its front."""

    def __init__(self, feed: NewestFirstFeed, asking: Asking) -> None:
        self._feed = feed
        self._asking = asking

    def page(self, *, watermark: str, cursor: str, limit: int | None) -> Page:
        """Read one page; the walk is complete behind a page of which everything is older than the watermark."""
        feed, place = self._feed, Place.at(cursor)
        if place.page > feed.page.at_most:
            most = feed.page.at_most
            raise Misconfigured(f"the list goes on after {most} pages; page.at_most takes that for endless")
        known = begin(watermark, feed.overlap) if watermark else None
        size = self._size(place, limit)
        deadline = self._asking.deadline()
        reply = self._ask(place, size, deadline)
        found = self._found(reply)
        if place.began and _beginning(found) == place.began:
            reply = self._ask(place, size, deadline)
            found = self._found(reply)
        items = [self._asking.item(one) for one in found]
        stamps = [item.modified for item in items if item.modified is not None]
        self._in_order(stamps)
        if place.page == 1:
            walk = Walk()
            for stamp in stamps:
                walk = walk.saw(stamp, not_after=horizon_of(reply, feed.overlap))
            place = replace(place, newest=walk.newest)
        place = replace(place, began=_beginning(found))
        over = not found or (known is not None and bool(stamps) and max(stamps) < known)
        return Page(items, "" if over else self._next(place, items, size).cursor, later(place.newest, watermark))

    def skip(self, *, watermark: str, cursor: str) -> str:  # noqa: ARG002 - the feed's port; the place says all
        """Return the cursor behind the one record at `cursor`."""
        return Place.at(cursor).behind(1).cursor

    def look(self) -> Reply:
        """Ask for a first page of one record."""
        return self._ask(Place(), 1, self._asking.deadline())

    def _size(self, place: Place, limit: int | None) -> int:
        """How many to ask for. A page's number times its size must lead to the place, also among smaller pages."""
        most = min(limit or self._feed.page.of, self._feed.page.of)
        if self._feed.page.by == "offset":
            return most
        return next(size for size in range(most, 0, -1) if place.row % size == 0)

    def _ask(self, place: Place, size: int, deadline: Deadline) -> Reply:
        pages = self._feed.page
        number = place.row // size + pages.first if pages.by == "number" else place.row
        params = {**self._feed.query, pages.parameter: str(number), pages.size: str(size)}
        address = self._asking.addresses.below(self._feed.path)
        try:
            return self._asking.get(address, params, deadline)
        except ReplyTooLarge as large:
            raise PageUnreadable(large.reason) from None

    def _found(self, reply: Reply) -> list[Any]:
        doing, items = f"listing {self._asking.kind}", self._feed.items
        page = self._asking.listed(reply, doing)
        if twice := twice_on_the_way(page, items):
            raise PageUnreadable(f"{doing}: {twice}", reply=reply.body)
        found = page if items == "[]" else at(page, items.removesuffix("[]"))
        if not isinstance(found, list):
            raise PageUnreadable(f"{doing}: at {items}: expected a list of records", reply=reply.body)
        return found

    def _next(self, place: Place, items: Sequence[Item | UnreadableItem], size: int) -> Place:
        if self._feed.page.by == "number":
            return place.behind(size)
        return place.behind(len(items) - AGAIN if len(items) > 2 * AGAIN else len(items))

    def _in_order(self, stamps: Sequence[datetime]) -> None:
        """See that the list is sorted as promised. Raises Misconfigured: sorted otherwise it would end unread."""
        oldest = stamps[0] if stamps else None
        for stamp in stamps:
            assert oldest is not None
            if stamp - oldest > max(self._feed.overlap, timedelta(seconds=1)):
                raise Misconfigured(
                    f"listing {self._asking.kind}: the list is not sorted by the newest change first; "
                    "write the parameter that sorts it into changes.query"
                )
            oldest = min(oldest, stamp)


def _beginning(found: Sequence[Any]) -> str:
    if not found:
        return ""
    try:
        first = sound(found[0])
    except UnreadableBody:  # its neighbours go on, and it is no less the page's beginning
        first = as_received(found[0])
    return sha256(first).hexdigest()[:16]
