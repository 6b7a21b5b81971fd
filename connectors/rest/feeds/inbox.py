"""Inbox and acknowledge: what waits is listed and read, and acknowledged only when it is certain to be written down.

A page's messages travel in its cursor, and are acknowledged as the next page is asked for: only then has the ledger
committed what the page held. A crash in between acknowledges again, or shows a message again, and neither does harm.
What could not be read at all stays in the inbox.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from connectors.deadline import Deadline
from connectors.errors import Misconfigured, NotThere, PageUnreadable, Throttled, Unknown, Unreachable
from connectors.http import Reply, ReplyTooLarge
from connectors.json_body import twice_on_the_way
from connectors.port import Item, Page, UnreadableItem
from connectors.rest.feeds.asking import Asking
from connectors.rest.feeds.named import named
from connectors.rest.profile_emptied import InboxFeed
from connectors.rest.replies import at, id_text

FAILED = 3  # messages in a row that are not given, after which the system is taken to have trouble


@dataclass(frozen=True, slots=True)
class Place:
    """Where a walk stands: what is still to be acknowledged, and what was seen and is not to be read again in it."""

    owed: tuple[str, ...] = ()  # ids of the page before, which is written down by now
    past: tuple[str, ...] = ()  # ids that this walk has read, or that cannot be read, as far as they are still listed
    page: int = 1

    @classmethod
    def at(cls, cursor: str) -> Place:
        """Read a kept cursor. Raises Misconfigured if it is not one of ours."""
        if not cursor:
            return cls()
        try:
            owed, past, page = orjson.loads(cursor)
            return cls(tuple(map(str, owed)), tuple(map(str, past)), int(page))
        except (ValueError, TypeError):
            raise Misconfigured("the kept place of this walk cannot be read: start the walk anew") from None

    @property
    def cursor(self) -> str:
        """The place as text."""
        return orjson.dumps([self.owed, self.past, self.page]).decode()


@dataclass(slots=True)
class _Read:
    """What a page has read so far."""

    items: list[Item | UnreadableItem]
    owed: list[str]
    past: list[str]
    failed: list[UnreadableItem] = field(default_factory=list)


class Inbox:
    """Empties an inbox, page by page."""

    def __init__(self, feed: InboxFeed, asking: Asking) -> None:
        self._feed = feed
        self._asking = asking

    def page(self, *, watermark: str, cursor: str, limit: int | None) -> Page:  # noqa: ARG002 - an inbox has no moment to begin at
        """Acknowledge the page before, then read what waits; the walk is complete when nothing new does."""
        place, deadline = Place.at(cursor), self._asking.deadline()
        left = self._acknowledge(place.owed, deadline)
        place = replace(place, owed=left, page=place.page + 1)
        if left:
            return Page([], place.cursor, "")
        listed = self._listed(deadline)
        past = [id for id in place.past if id in listed]
        new = [id for id in listed if id not in set(past)]
        if not new:
            return Page([], "", "")
        read = _Read([], [], past)
        trouble: Unknown | None = None
        for id in new[: min(limit or self._feed.of, self._feed.of)]:
            try:
                self._read(id, listed[id], read, deadline)
            except (Unreachable, Throttled):
                if not read.items:
                    raise  # else what was read is handed on, and the next page meets the trouble if it stays
                break
            except Unknown as error:
                trouble = error
                read.failed.append(UnreadableItem(b"", f"{self._asking.kind}: {error.reason}; it stays there", id))
                if len(read.failed) == FAILED and not read.items:
                    break
            if deadline.left() < deadline.seconds / 2:
                break
        if trouble is not None and not read.items:
            raise trouble  # the system has trouble, and not one message of it
        for one in read.failed:  # others could be read: one that cannot must not keep those behind it for ever
            read.items.append(one)
            read.past.append(one.id)
        return Page(read.items, replace(place, owed=tuple(read.owed), past=tuple(read.past)).cursor, "")

    def skip(self, *, watermark: str, cursor: str) -> None:  # noqa: ARG002 - the feed's port; there is no way past
        """A list that cannot be read names nothing behind it."""
        return

    def look(self) -> Reply:
        """List what waits, which removes nothing."""
        return self._list(self._asking.deadline())

    def _acknowledge(self, owed: tuple[str, ...], deadline: Deadline) -> tuple[str, ...]:
        """Acknowledge what is written down; return what is left when half of the call's time is over."""
        told = self._feed.acknowledge
        doing = f"acknowledging a {self._asking.kind}"
        for done, id in enumerate(owed):
            if deadline.left() < deadline.seconds / 2:
                return owed[done:]
            reply = self._asking.send(told.method, self._asking.addresses.below(told.path, id=id), {}, deadline)
            try:
                self._asking.expect(reply, doing, one=True)
            except NotThere:
                continue  # acknowledged before: the answer to it was lost, or we died behind it
        return ()

    def _listed(self, deadline: Deadline) -> dict[str, Any]:
        """What waits, by id, in the order of the list."""
        feed, doing = self._feed, f"listing {self._asking.kind}"
        try:
            reply = self._list(deadline)
        except ReplyTooLarge as large:
            raise PageUnreadable(large.reason) from None
        page = self._asking.listed(reply, doing)
        if twice := twice_on_the_way(page, feed.items):
            raise PageUnreadable(f"{doing}: {twice}", reply=reply.body)
        found = page if feed.items == "[]" else at(page, feed.items.removesuffix("[]"))
        if not isinstance(found, list):
            raise PageUnreadable(f"{doing}: at {feed.items}: expected a list", reply=reply.body)
        listed: dict[str, Any] = {}
        for entry in found:
            id = self._id(entry)
            if not id:
                # Without an id it can be neither read nor acknowledged, and would be shown anew in every walk.
                raise PageUnreadable(
                    f"{doing}: at {feed.id or feed.items}: expected an id of one printable line", reply=reply.body
                )
            listed[id] = entry
        return listed

    def _id(self, entry: Any) -> str:
        return id_text(entry if self._feed.id is None else at(entry, self._feed.id))

    def _list(self, deadline: Deadline) -> Reply:
        return self._asking.get(self._asking.addresses.below(self._feed.path), dict(self._feed.query), deadline)

    def _read(self, id: str, entry: Any, read: _Read, deadline: Deadline) -> None:
        feed, found = self._feed, None
        if feed.message is None:
            found = self._asking.item(entry)
            if isinstance(found, Item) and feed.same_id and found.id != id:
                found = UnreadableItem(found.raw, f"{self._asking.kind} at {feed.id}: the record has another id", id)
        else:
            where = feed.id or feed.items
            try:
                found = named(
                    self._asking, id, deadline, at=where, path=feed.message, same=feed.same_id, bytes_only=True
                )
            except ReplyTooLarge as large:
                found = UnreadableItem(b"", f"{self._asking.kind}: {large.reason}", id)
        read.past.append(id)
        if found is None:
            return  # another reader was quicker, or it has expired
        read.items.append(found)
        if isinstance(found, Item) or found.raw:
            read.owed.append(id)  # its bytes are kept with it, whether they could be read or not
