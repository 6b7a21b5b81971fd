"""What stands between a connector and its feeds, and how a list is asked for that names its next page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from connectors.deadline import Deadline
from connectors.errors import PageUnreadable
from connectors.http import Reply, ReplyTooLarge
from connectors.json_body import twice_on_the_way
from connectors.known import Known
from connectors.port import Item, Page, UnreadableItem
from connectors.rest.addresses import Addresses, next_in
from connectors.rest.profile_feeds import CursorFeed, IdListFeed, NamedPages
from connectors.rest.replies import at
from connectors.rest.walk import Walk, since
from connectors.spool import Spool

MISSING = object()
SAME_PAGE = 3  # times that a page which names itself as the next is asked for before the feed is taken for a circle
PLACE_LOST = frozenset({400, 404, 410, 422})  # what systems answer to a page token that they no longer know


class ChangeFeed(Protocol):
    """One kind's changes, read as its profile says."""

    def page(self, *, watermark: str, cursor: str, limit: int | None) -> Page:
        """Read one page; see `connectors.port.Source.changes`."""

    def skip(self, *, watermark: str, cursor: str) -> str | None:
        """Step over one record; see `connectors.port.Source.skip`."""

    def look(self) -> Reply | None:
        """Ask for the smallest first page, and judge nothing; None where even looking would remove something."""


class Asking(Protocol):
    """What a feed asks its system through."""

    kind: str
    spool: Spool | None
    now: Callable[[], datetime]  # this machine's clock, for words and for what is too old to be still on its way
    addresses: Addresses
    tells_gone: bool  # the system's own code, and not a web server's 404 alone, says that a record is not there

    known: Known | None  # which records are linked

    def deadline(self) -> Deadline:
        """Start the clock of one call."""

    def address_of(self, id: str) -> str:
        """Where one record is read by its id."""

    def get(
        self,
        url: str,
        params: Mapping[str, str],
        deadline: Deadline,
        *,
        headers: Mapping[str, str] | None = None,
        most_bytes: int | None = None,
    ) -> Reply:
        """Read an address, tried again while that may help."""

    def code(self, reply: Reply) -> str:
        """Return the system's own error code in a reply, "" if it names none."""

    def send(
        self,
        method: str,
        url: str,
        params: Mapping[str, str],
        deadline: Deadline,
        *,
        most_bytes: int | None = None,
        piecemeal: bool = False,
    ) -> Reply:
        """Send one request once: what must not be asked again unseen, and what the next page asks again anyway.

        `piecemeal`: an Unknown has in `reply` what had come of an answer that broke off.
        """

    def expect(self, reply: Reply, doing: str, *, one: bool = False) -> None:
        """Raise the named error for a reply that is no success. `one`: the address named one record."""

    def listed(self, reply: Reply, doing: str) -> Any:
        """Return what a list's reply holds. Raises as `expect`, and PageUnreadable."""

    def item(self, found: Any) -> Item | UnreadableItem:
        """Check one record of a list."""

    def moment(self, told: Any) -> datetime | None:
        """Read a stamp by the profile's clock; None for what is none."""

    def fetch(self, id: str, deadline: Deadline, *, path: str = "") -> Item | None:
        """Read one record by its id, None if it is not there; `path` goes before the profile's `fetch`.

        Raises PageUnreadable if it cannot be read.
        """


@dataclass(frozen=True, slots=True)
class Asked:
    """A page that was asked for: where, and what came back."""

    address: str
    reply: Reply


@dataclass(frozen=True, slots=True)
class Shown:
    """A page of a list as it came back: from where in the walk, its entries, and the next page's token."""

    walk: Walk
    reply: Reply
    found: list[Any]
    following: str


class Listing:
    """A list that is asked for since a moment, in one reply or in pages that name the next."""

    def __init__(self, feed: CursorFeed | IdListFeed, asking: Asking) -> None:
        self._feed = feed
        self._pages: NamedPages | None = feed.page
        self._asking = asking

    def show(self, walk: Walk, watermark: str, limit: int | None, deadline: Deadline, doing: str) -> Shown:
        """Read the page that a walk stands at. Raises PageUnreadable and what the system's refusals mean."""
        for _ in range(SAME_PAGE):
            asked = self.ask(walk, watermark, limit, deadline)
            if self._pages is not None and walk.token and asked.reply.status in PLACE_LOST:
                # The place in this walk is gone. Its first page is not, and what is read twice is known by its version.
                walk = walk.begun_again(most_pages=self._pages.at_most)
                asked = self.ask(walk, watermark, limit, deadline)
            page = self.envelope(asked.reply, doing)
            following = self.following(page, asked, doing)
            if following != walk.token or not following:
                break  # else it served the page before once more and names this one again: that one was read already
        items = self._feed.items
        found = page if items == "[]" else at(page, items.removesuffix("[]"))
        if not isinstance(found, list):
            raise PageUnreadable(f"{doing}: at {items}: expected a list of records", reply=asked.reply.body)
        return Shown(walk, asked.reply, found, following)

    def ask(
        self, walk: Walk, watermark: str, limit: int | None, deadline: Deadline, *, most_bytes: int | None = None
    ) -> Asked:
        """Ask for the page that a walk stands at, and judge nothing. Raises PageUnreadable for one that is too long."""
        feed, pages = self._feed, self._pages
        address, params = self._asking.addresses.below(feed.path), dict(feed.query)
        if pages is not None and pages.is_ == "link" and walk.token:
            size = (pages.size, min(limit, pages.of)) if pages.size and limit else None
            address, params = self._asking.addresses.linked(address, walk.token, size=size), {}
        else:
            if watermark:
                params[feed.since] = since(watermark, feed.overlap)
            if pages is not None and pages.size:
                params[pages.size] = str(min(limit or pages.of, pages.of))
            if pages is not None and pages.cursor and walk.token:
                params[pages.cursor] = walk.token
        try:
            return Asked(address, self._asking.get(address, params, deadline, most_bytes=most_bytes))
        except ReplyTooLarge as large:
            raise PageUnreadable(large.reason) from None

    def following(self, page: Any, asked: Asked, doing: str) -> str:
        """Return the token or link of the next page, "" if this is the last."""
        pages = self._pages
        if pages is None:
            return ""
        name = pages.next
        told = next_in(asked.reply.headers.get("Link", "")) if name is None else at(page, name, MISSING)
        if told is None or told == "" or (told is MISSING and pages.at_end == "absent"):
            return ""
        if isinstance(told, bool) or not isinstance(told, str | int) or not str(told).isprintable():
            raise PageUnreadable(f"{doing}: at {name}: expected the next page or null", reply=asked.reply.body)
        if pages.is_ == "link":
            return self._asking.addresses.linked(asked.address, str(told))
        return str(told)

    def envelope(self, reply: Reply, doing: str) -> Any:
        """Read a page. Its records may be blemished and what is around them may not: of two lists one would be lost."""
        page = self._asking.listed(reply, doing)
        for path in (self._feed.items, (self._pages.next if self._pages is not None else None) or ""):
            if twice := twice_on_the_way(page, path):
                raise PageUnreadable(f"{doing}: {twice}", reply=reply.body)
        return page
