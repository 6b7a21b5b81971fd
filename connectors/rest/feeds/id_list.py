"""Ids first: a list of what changed since a moment, after which each record is read by its id.

The list is asked for once, and the ids that are still to be read travel in the cursor: a list that is asked for again
in the middle may have moved under us. The watermark counts only stamps of the list, and of these none that is later
than the moment of its first reply: a record read late must not hide another that changed in the meantime.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import orjson

from connectors.errors import Misconfigured, Throttled, Unknown, Unreachable
from connectors.http import Reply
from connectors.json_body import as_received
from connectors.port import Item, Page, UnreadableItem
from connectors.rest.feeds.asking import Asking, Listing, Shown
from connectors.rest.feeds.cursor import horizon_of
from connectors.rest.feeds.named import named
from connectors.rest.profile_feeds import IdListFeed
from connectors.rest.replies import at, id_text
from connectors.rest.walk import Walk, as_text, later

KEPT = 1_000  # ids that travel in a cursor at a time, of a list that comes in one reply
LATEST = "9999"  # sorts behind every moment


@dataclass(frozen=True, slots=True)
class Place:
    """Where a walk stands: the ids still to be read, and which page of the list comes after them."""

    walk: Walk = field(default_factory=Walk)
    ids: tuple[str, ...] = ()
    after: str = ""  # of a list in one reply: ids up to this one were taken; "" if all are
    horizon: str = ""  # the moment of the list's first reply, behind which no stamp counts; "" before it
    listed: bool = False  # no page of the list is left

    @classmethod
    def at(cls, cursor: str) -> Place:
        """Read a kept cursor. Raises Misconfigured if it is not one of ours."""
        if not cursor:
            return cls()
        try:
            walk, ids, after, horizon, listed = orjson.loads(cursor)
            return cls(Walk.at(str(walk)), tuple(map(str, ids)), str(after), str(horizon), bool(listed))
        except (ValueError, TypeError):
            raise Misconfigured(
                "the kept place of this walk cannot be read: start the walk from its watermark"
            ) from None

    @property
    def cursor(self) -> str:
        """The place as text."""
        return orjson.dumps([self.walk.cursor, self.ids, self.after, self.horizon, self.listed]).decode()


class IdList:
    """Reads the list, then its records, never more than `of` in a page."""

    def __init__(self, feed: IdListFeed, asking: Asking) -> None:
        self._feed = feed
        self._asking = asking
        self._list = Listing(feed, asking)

    def page(self, *, watermark: str, cursor: str, limit: int | None) -> Page:
        """Read one page: the list if no id is left of it, and as many records as the call's time lasts for."""
        place, deadline = Place.at(cursor), self._asking.deadline()
        items: list[Item | UnreadableItem] = []
        if not place.ids and not place.listed:
            doing = f"listing changed {self._asking.kind}"
            shown = self._list.show(place.walk, watermark, None, deadline, doing)
            place, items = self._listed(place, shown)
        done = 0
        try:
            for id in place.ids[: min(limit or self._feed.of, self._feed.of)]:
                found = named(self._asking, id, deadline, at=self._feed.id)
                items += [found] if found is not None else []
                done += 1
                if deadline.left() < deadline.seconds / 2:
                    break
        except (Unreachable, Unknown, Throttled):
            if not done:
                raise  # else what was read is handed on, and the next page meets the trouble if it stays
        place = replace(place, ids=place.ids[done:])
        over = place.listed and not place.ids
        return Page(items, "" if over else place.cursor, later(place.walk.newest, watermark))

    def skip(self, *, watermark: str, cursor: str) -> None:  # noqa: ARG002 - the feed's port; there is no way past
        """A list of ids that cannot be read names nothing behind it."""
        return

    def look(self) -> Reply:
        """Ask for the list's first page."""
        return self._list.ask(Walk(), "", 1, self._asking.deadline()).reply

    def _listed(self, place: Place, shown: Shown) -> tuple[Place, list[Item | UnreadableItem]]:
        """Take a page of the list: the place with its ids, and the entries that name none."""
        walk, first = shown.walk, not place.horizon
        if first:
            latest = horizon_of(shown.reply, self._feed.overlap)
            place = replace(place, horizon=as_text(latest) if latest else LATEST)
        horizon = None if place.horizon == LATEST else datetime.fromisoformat(place.horizon)
        ids: dict[str, None] = {}
        nameless: list[Item | UnreadableItem] = []
        for entry in shown.found:
            id = id_text(at(entry, self._feed.id))
            if id:
                ids[id] = None
            elif not place.after:
                nameless.append(self._nameless(entry))
            if not place.after:  # asked for again, the list may show what came too late to be read in this walk
                walk = walk.saw(self._asking.moment(at(entry, self._feed.modified)), not_after=horizon)
        return self._onward(replace(place, walk=walk), list(ids), shown.following), nameless

    def _onward(self, place: Place, ids: Sequence[str], following: str) -> Place:
        if self._feed.page is not None:
            most = self._feed.page.at_most
            walk = place.walk.step(following, most_pages=most) if following else place.walk
            return replace(place, walk=walk, ids=tuple(ids), listed=not following)
        # One reply holds all, and its set of ids only grows: sorted, it can be asked for again and gone on with.
        left = sorted(id for id in ids if id > place.after)
        more = len(left) > KEPT
        return replace(place, ids=tuple(left[:KEPT]), after=left[KEPT - 1] if more else "", listed=not more)

    def _nameless(self, entry: Any) -> UnreadableItem:
        reason = f"{self._asking.kind} at {self._feed.id}: expected an id of one printable line in the list"
        return UnreadableItem(as_received(entry), reason)
