"""Delta: everything once, and from then on what changed since a place that the system itself keeps and names.

The watermark is that place, with a digest of what was asked for: a place belongs to one question. It is sent again
until a walk that began at it is complete, so a system that forgets what was handed out is never told too early that we
have it. A place that the system does not know any more leads to reading everything anew, and the page says so: what
was deleted since then, no such reading can show.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson

from connectors.deadline import Deadline
from connectors.errors import Misconfigured, PageUnreadable
from connectors.http import Reply, ReplyTooLarge
from connectors.json_body import UnreadableBody, as_received, sound, twice_on_the_way
from connectors.port import Item, Page, UnreadableItem
from connectors.rest.addresses import LONGEST
from connectors.rest.feeds.asking import MISSING, PLACE_LOST, SAME_PAGE, Asking
from connectors.rest.feeds.cursor import LARGEST_SKIPPED
from connectors.rest.profile_feeds import DeltaFeed, Removed
from connectors.rest.replies import at, id_text
from connectors.rest.walk import Walk, begin

FORGOTTEN = (
    "the system has forgotten the place up to which we had read, so everything is read anew. What was deleted there "
    "since then is not shown by that: run dolen reconcile"
)
ASKED_ANEW = (
    "what is asked for, or the address of the system, has changed since the last walk, so everything is read anew. "
    "What was deleted there since then is not shown by that: run dolen reconcile"
)
STANDS_STILL = "the system shows changes and names the same place again: the next walk is shown them once more"
_LISTED_AS_GONE = "@removed"  # how an entry of a list of its own is kept: alone, its bytes would not say what it is


@dataclass(frozen=True, slots=True)
class Kept:
    """A watermark: the place from which to ask, or the moment from which a person wishes to read; neither at first."""

    token: str = ""
    begins: datetime | None = None
    other: bool = False  # the place belongs to another question, or to another address, than those of today

    @classmethod
    def at(cls, watermark: str, asked: str) -> Kept:
        """Read a watermark. Raises Misconfigured for one that is neither of ours nor a moment."""
        if not watermark.startswith("["):
            return cls(begins=begin(watermark, timedelta(0))) if watermark else cls()
        try:
            kind, question, token = orjson.loads(watermark)
        except (ValueError, TypeError):
            kind, question, token = "", "", ""
        if kind != "delta" or not isinstance(token, str):
            raise Misconfigured("the kept watermark cannot be read: sync from a moment (--from TIME) to set it anew")
        return cls(token) if question == asked else cls(other=True)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a walk stands."""

    walk: Walk = field(default_factory=Walk)
    whole: bool = False  # it reads everything
    delta: str = ""  # where the next walk begins; known before the end only when the last record was stepped over

    @classmethod
    def at(cls, cursor: str, *, whole: bool) -> Place:
        """Read a kept cursor; "" is the beginning. Raises Misconfigured if it is not one of ours."""
        if not cursor:
            return cls(whole=whole)
        try:
            walk, read_whole, delta = orjson.loads(cursor)
            return cls(Walk.at(str(walk)), bool(read_whole), str(delta))
        except (ValueError, TypeError):
            raise Misconfigured(
                "the kept place of this walk cannot be read: start the walk from its watermark"
            ) from None

    @property
    def cursor(self) -> str:
        """The place as text."""
        return orjson.dumps([self.walk.cursor, self.whole, self.delta]).decode()


@dataclass(frozen=True, slots=True)
class Shown:
    """A page as it came back."""

    place: Place
    reply: Reply
    page: Any
    following: str
    delta: str
    forgotten: bool


class Delta:
    """Reads everything, then what changed."""

    def __init__(self, feed: DeltaFeed, asking: Asking) -> None:
        self._feed = feed
        self._asking = asking
        question = orjson.dumps([feed.path, feed.query], option=orjson.OPT_SORT_KEYS)
        self._asked = sha256(question).hexdigest()[:16]

    def page(self, *, watermark: str, cursor: str, limit: int | None) -> Page:
        """Read one page; the watermark is the place that the system names on the last one."""
        kept = self._kept(watermark)
        place = Place.at(cursor, whole=not kept.token)
        if place.walk.over:
            return Page([], "", self._watermark(place.delta))
        doing = f"listing {self._asking.kind}"
        shown = self._show(place, kept, limit, self._asking.deadline(), doing)
        items = self._items(shown, doing)
        if kept.begins is not None:
            items = [one for one in items if one.modified is None or one.modified >= kept.begins]
        note = FORGOTTEN if shown.forgotten else ASKED_ANEW if kept.other and not cursor else ""
        if shown.following:
            walk = shown.place.walk.step(shown.following, most_pages=self._feed.at_most)
            return Page(items, replace(shown.place, walk=walk).cursor, "", note)
        if not shown.delta:
            return Page(items, "", watermark)  # no news: `_show` lets nothing else through
        if items and shown.delta == kept.token and not shown.place.whole:
            note = note or STANDS_STILL
        return Page(items, "", self._watermark(shown.delta), note)

    def skip(self, *, watermark: str, cursor: str) -> str | None:
        """Return the cursor behind the one record at `cursor`, if the reply that cannot be read still names it."""
        feed = self._feed
        if not feed.sized:
            return None
        kept = self._kept(watermark)
        place = Place.at(cursor, whole=not kept.token)
        doing = f"stepping over a {self._asking.kind}"
        try:
            reply = self._ask(place, kept, 1, self._asking.deadline(), most_bytes=LARGEST_SKIPPED)
            page = self._envelope(reply, doing)
            following, delta = self._named(page, feed.next, reply, doing), self._named(page, feed.delta, reply, doing)
            if following:
                return replace(place, walk=place.walk.step(following, most_pages=feed.at_most)).cursor
        except PageUnreadable:
            return None
        return replace(place, walk=replace(place.walk, over=True), delta=delta).cursor if delta else None

    def look(self) -> Reply:
        """Ask for a first page of one record."""
        return self._ask(Place(whole=True), Kept(), 1, self._asking.deadline())

    def _kept(self, watermark: str) -> Kept:
        kept = Kept.at(watermark, self._asked)
        if kept.token and self._feed.is_ == "link":
            try:
                self._linked(kept.token)
            except Misconfigured:  # the connection's url is another one than then: its places are not this system's
                return Kept(other=True)
        return kept

    def _linked(self, link: str, *, size: tuple[str, int] | None = None) -> str:
        addresses = self._asking.addresses
        return addresses.linked(addresses.below(self._feed.path), link, size=size)

    def _show(self, place: Place, kept: Kept, limit: int | None, deadline: Deadline, doing: str) -> Shown:
        """Read the page that a walk stands at, or the first one of a walk that has to begin anew."""
        forgotten = False
        reply = self._ask(place, kept, limit, deadline)
        if place.walk.token and (reply.status in PLACE_LOST or self._is_forgotten(reply)):
            place = replace(place, walk=place.walk.begun_again(most_pages=self._feed.at_most))
            reply = self._ask(place, kept, limit, deadline)
        if not place.whole and self._is_forgotten(reply):
            forgotten = True
            place = Place(place.walk.begun_again(most_pages=self._feed.at_most), whole=True)
            reply = self._ask(place, kept, limit, deadline)
        for _ in range(SAME_PAGE):
            page = self._envelope(reply, doing)
            following = self._named(page, self._feed.next, reply, doing)
            if following != place.walk.token or not following:
                break  # else it served the page before once more, which was read already
            reply = self._ask(place, kept, limit, deadline)
        delta = "" if following else self._named(page, self._feed.delta, reply, doing)
        if not following and not delta and not self._says_no_news(place, page):
            raise PageUnreadable(
                f"{doing}: the page names neither a next one at {self._feed.next} nor, at {self._feed.delta}, "
                "the place for the next time",
                reply=reply.body,
            )
        return Shown(place, reply, page, following, delta, forgotten)

    def _says_no_news(self, place: Place, page: Any) -> bool:
        """Whether an answer without a place is one without news too: the place that we have stays good."""
        if place.whole or place.walk.token:
            return False
        return page == {} or (at(page, self._feed.items.removesuffix("[]")) == [] and not self._gone_list(page))

    def _ask(
        self, place: Place, kept: Kept, limit: int | None, deadline: Deadline, *, most_bytes: int | None = None
    ) -> Reply:
        feed, size = self._feed, min(limit or self._feed.of, self._feed.of)
        told = {**feed.headers, **(feed.begin_headers if place.whole else {})}
        headers = {name: text.replace("{size}", str(size)) for name, text in told.items()}
        address = self._asking.addresses.below(feed.path)
        token = place.walk.token or ("" if place.whole else kept.token)
        params: dict[str, str] = {}
        if feed.is_ == "link" and token:
            address = self._linked(token, size=(feed.size, size) if feed.size else None)
        else:
            params = dict(feed.query) | ({feed.size: str(size)} if feed.size else {})
            if feed.since and kept.token and not place.whole:
                params[feed.since] = kept.token
            if feed.cursor and place.walk.token:
                params[feed.cursor] = place.walk.token
        try:
            return self._asking.get(address, params, deadline, headers=headers, most_bytes=most_bytes)
        except ReplyTooLarge as large:
            raise PageUnreadable(large.reason) from None

    def _is_forgotten(self, reply: Reply) -> bool:
        if 200 <= reply.status < 300:
            return False
        return bool({str(reply.status), self._asking.code(reply)} & set(self._feed.expired))

    def _envelope(self, reply: Reply, doing: str) -> Any:
        feed = self._feed
        page = self._asking.listed(reply, doing)
        gone = feed.removed.items if feed.removed is not None and feed.removed.items is not None else ""
        for path in (feed.items, feed.next, feed.delta, gone):
            if twice := twice_on_the_way(page, path.removesuffix("[]")):
                raise PageUnreadable(f"{doing}: {twice}", reply=reply.body)
        return page

    def _named(self, page: Any, path: str, reply: Reply, doing: str) -> str:
        """Return the token or link that stands at a path, "" if none does. A link is one that may be called."""
        told = at(page, path, MISSING)
        if told is MISSING or told is None or told == "":
            return ""
        if isinstance(told, bool) or not isinstance(told, str | int) or not str(told).isprintable():
            raise PageUnreadable(f"{doing}: at {path}: expected a link or token of one line", reply=reply.body)
        if self._feed.is_ == "link":
            return self._linked(str(told))
        if len(str(told)) > LONGEST // 2:
            raise Misconfigured(f"{doing}: at {path}: a token longer than {LONGEST // 2} characters; it was not sent")
        return str(told)

    def _items(self, shown: Shown, doing: str) -> list[Item | UnreadableItem]:
        feed, items = self._feed, self._feed.items
        found = shown.page if items == "[]" else at(shown.page, items.removesuffix("[]"))
        if found is None and shown.page == {} and not shown.delta and not shown.following:
            return []
        if not isinstance(found, list):
            raise PageUnreadable(f"{doing}: at {items}: expected a list of records", reply=shown.reply.body)
        kind, removed = self._asking.kind, feed.removed
        read: list[Item | UnreadableItem] = []
        for one in found:
            marked = removed is not None and is_marked(removed, one)
            read.append(gone(removed, kind, one) if removed is not None and marked else self._asking.item(one))
        if removed is not None and removed.items is not None:
            listed = self._gone_list(shown.page)
            if not isinstance(listed, list):
                raise PageUnreadable(f"{doing}: at {removed.items}: expected a list", reply=shown.reply.body)
            read += [gone(removed, kind, one) for one in listed]
        return read

    def _gone_list(self, page: Any) -> Any:
        removed = self._feed.removed
        if removed is None or removed.items is None:
            return []
        return page if removed.items == "[]" else at(page, removed.items.removesuffix("[]"), [])

    def _watermark(self, token: str) -> str:
        return orjson.dumps(["delta", self._asked, token]).decode()


def is_marked(removed: Removed, entry: Any) -> bool:
    """Whether an entry among the others says that its record is gone."""
    if removed.mark is None:
        return False
    told = at(entry, removed.mark)
    if removed.ends is not None:
        return isinstance(told, str) and told.endswith(removed.ends)
    return told is not None and told is not False


def gone(removed: Removed, kind: str, entry: Any) -> Item | UnreadableItem:
    """Read an entry that tells of a record that is gone."""
    whole = entry if removed.mark is not None else {_LISTED_AS_GONE: entry}
    try:
        raw = sound(whole)
    except UnreadableBody as blemish:
        return UnreadableItem(as_received(whole), f"{kind} {blemish.reason}")
    id = id_text(entry if removed.id == "." else at(entry, removed.id))
    if not id:
        return UnreadableItem(raw, f"{kind} at {removed.id}: expected the id of the record that is gone")
    told = at(entry, removed.reason) if removed.reason is not None else None
    if told is not None and told not in removed.deleted:
        words = "the record was taken out of what we are shown, and not because it was deleted: may we still see it?"
        return UnreadableItem(raw, f"{kind} at {removed.reason}: {words}", id)
    return Item(id, entry if isinstance(entry, dict) else {}, raw, deleted=True)


def gone_again(feed: DeltaFeed, kind: str, kept: Any) -> Item | UnreadableItem | None:
    """Read the kept bytes of such an entry again; None for what tells of no record that is gone."""
    removed = feed.removed
    if removed is None:
        return None
    if removed.mark is not None:
        return gone(removed, kind, kept) if is_marked(removed, kept) else None
    alone = isinstance(kept, dict) and kept.keys() == {_LISTED_AS_GONE}
    return gone(removed, kind, kept[_LISTED_AS_GONE]) if alone else None
