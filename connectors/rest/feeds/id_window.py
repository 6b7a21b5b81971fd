"""A window of time: ids of what changed in it, and of what was deleted, after which each record is read by its id.

The system says up to when its answer is complete, and the next window begins there: no stamp of a record and no clock
of ours is trusted. It remembers only so far back. The first walk, and one that comes too late, lists all ids there are,
and says so if it was late: what was deleted before the system's memory begins, no list can show.

The window's end is the moment that the system's own clock showed; it is asked for once a walk, and what is still to be
read travels in the cursor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from connectors.deadline import Deadline
from connectors.errors import Misconfigured, PageUnreadable, Rejected, Throttled, Unknown, Unreachable
from connectors.http import Reply, ReplyTooLarge
from connectors.json_body import UnreadableBody, as_received, sound, twice_on_the_way
from connectors.port import Item, Page, UnreadableItem
from connectors.rest.feeds.asking import MISSING, Asking
from connectors.rest.profile_feeds import IdWindowFeed
from connectors.rest.replies import at, id_text
from connectors.rest.walk import Walk, as_text, begin

LATE = (
    "the moment from which to read is longer ago than the system remembers, so everything is read anew. What was "
    "deleted there before its memory begins is not shown by that: run dolen reconcile"
)
KEPT = 2_000  # ids that travel in a cursor; of a longer window the list is asked for again behind the last one
_GONE = "@removed"  # how an entry of the list of deletions is kept: alone, its bytes would not say what it is


@dataclass(frozen=True, slots=True)
class Place:
    """Where a walk stands. The window is asked for before all ids are: what changes meanwhile is in the next one."""

    began: str = ""  # of the window, ISO 8601 in UTC; "" before the first call
    covered: str = ""  # up to when the system says that the window is complete: where the next one begins
    ids: tuple[str, ...] = ()  # still to be read
    after: str = ""  # ids of the window up to this one were taken; "" if all are
    whole: bool = False  # the pages of all ids are still to be read
    walk: Walk = field(default_factory=Walk)  # among them

    @classmethod
    def at(cls, cursor: str) -> Place:
        """Read a kept cursor; "" is the beginning. Raises Misconfigured if it is not one of ours."""
        if not cursor:
            return cls()
        try:
            began, covered, ids, after, whole, walk = orjson.loads(cursor)
            return cls(str(began), str(covered), tuple(map(str, ids)), str(after), bool(whole), Walk.at(str(walk)))
        except (ValueError, TypeError):
            raise Misconfigured(
                "the kept place of this walk cannot be read: start the walk from its watermark"
            ) from None

    @property
    def cursor(self) -> str:
        """The place as text."""
        return orjson.dumps([self.began, self.covered, self.ids, self.after, self.whole, self.walk.cursor]).decode()


class IdWindow:
    """Reads the window, then its records, never more than `of` in a page."""

    def __init__(self, feed: IdWindowFeed, asking: Asking) -> None:
        self._feed = feed
        self._asking = asking
        self._doing = f"listing changed {asking.kind}"

    def page(self, *, watermark: str, cursor: str, limit: int | None) -> Page:
        """Read one page; the watermark is the moment up to which the system's answer was complete."""
        place, deadline = Place.at(cursor), self._asking.deadline()
        items: list[Item | UnreadableItem] = []
        note = ""
        if not place.began:
            place, items, late = self._opened(watermark, deadline)
            note = LATE if late else ""
        elif not place.ids and place.after:
            place = self._taken(place, self._changed(place, deadline))
        elif not place.ids and place.whole:
            place = self._more(place, deadline)
        done = 0
        try:
            for id in place.ids[: min(limit or self._feed.of, self._feed.of)]:
                found = self._read(id, deadline)
                items += [found] if found is not None else []
                done += 1
                if deadline.left() < deadline.seconds / 2:
                    break
        except (Unreachable, Unknown, Throttled):
            if not done and not items:
                raise  # else what was read is handed on, and the next page meets the trouble if it stays
        place = replace(place, ids=place.ids[done:])
        over = not place.ids and not place.after and not place.whole
        return Page(items, "" if over else place.cursor, place.covered if over else "", note)

    def skip(self, *, watermark: str, cursor: str) -> None:  # noqa: ARG002 - the feed's port; there is no way past
        """A list of ids that cannot be read names nothing behind it."""
        return

    def look(self) -> Reply:
        """Ask for the small answer that tells the system's time."""
        return self._ask(self._feed.now, {}, self._asking.deadline())

    def _opened(self, watermark: str, deadline: Deadline) -> tuple[Place, list[Item | UnreadableItem], bool]:
        """Ask for a window for the first time in a walk: its place, what was deleted, and whether it came too late."""
        feed = self._feed
        now = self._now()
        floor = begin(watermark, timedelta(0)) if watermark else None
        late = floor is not None and floor - feed.overlap < now - feed.reach
        began = now - feed.shortest
        if floor is not None:
            began = min(began, now - feed.reach if late else floor - feed.overlap)
        reply = self._window(feed.path, began, now, deadline)
        if floor is not None and self._is_forgotten(reply):
            late, began = True, now - feed.shortest
            reply = self._window(feed.path, began, now, deadline)
        page = self._told(reply)
        ids, told = self._ids(page, feed.items, "."), self._covered(page, reply)
        items: list[Item | UnreadableItem] = []
        if feed.deleted is not None and floor is not None:
            reply = self._window(feed.deleted.path, began, now, deadline)
            page = self._told(reply)
            items, told = self._deleted(page, reply), min(told, self._covered(page, reply))
            earliest = self._asking.moment(at(page, feed.deleted.earliest)) if feed.deleted.earliest else None
            late = late or (earliest is not None and earliest > began)
        # An answer that is complete to a moment before the last one is no step back: that much was told then.
        place = Place(as_text(began), as_text(max(told, floor) if floor is not None else told))
        if floor is None or late:
            return replace(place, whole=True), items, late
        return self._taken(place, ids), items, False

    def _now(self) -> datetime:
        """The moment by the system's own clock. Raises Misconfigured where it does not tell."""
        reply = self.look()
        self._asking.expect(reply, self._doing)
        if reply.date is None:
            raise Misconfigured(f"{self._doing}: the answer has no Date, and only the system's own clock ends a window")
        return reply.date

    def _changed(self, place: Place, deadline: Deadline) -> list[str]:
        began, until = datetime.fromisoformat(place.began), datetime.fromisoformat(place.covered)
        until = max(until, began + self._feed.shortest)
        return self._ids(self._told(self._window(self._feed.path, began, until, deadline)), self._feed.items, ".")

    def _window(self, path: str, began: datetime, until: datetime, deadline: Deadline) -> Reply:
        return self._ask(path, {self._feed.begins: _asked(began), self._feed.ends: _asked(until)}, deadline)

    def _ask(self, path: str, params: Mapping[str, str], deadline: Deadline) -> Reply:
        try:
            return self._asking.get(self._asking.addresses.below(path), params, deadline)
        except ReplyTooLarge as large:
            raise PageUnreadable(large.reason) from None

    def _is_forgotten(self, reply: Reply) -> bool:
        return not 200 <= reply.status < 300 and self._asking.code(reply) in self._feed.expired

    def _told(self, reply: Reply) -> Any:
        feed = self._feed
        page = self._asking.listed(reply, self._doing)
        deleted = [feed.deleted.items, feed.deleted.earliest or ""] if feed.deleted is not None else []
        for name in (feed.items, feed.covered, *deleted):
            if twice := twice_on_the_way(page, name.removesuffix("[]")):
                raise PageUnreadable(f"{self._doing}: {twice}", reply=reply.body)
        return page

    def _covered(self, page: Any, reply: Reply) -> datetime:
        told = self._asking.moment(at(page, self._feed.covered))
        if told is None:
            raise PageUnreadable(f"{self._doing}: at {self._feed.covered}: expected a moment", reply=reply.body)
        return told

    def _deleted(self, page: Any, reply: Reply) -> list[Item | UnreadableItem]:
        told = self._feed.deleted
        assert told is not None
        found = page if told.items == "[]" else at(page, told.items.removesuffix("[]"))
        if not isinstance(found, list):
            raise PageUnreadable(f"{self._doing}: at {told.items}: expected a list of deletions", reply=reply.body)
        return [gone(self._asking.kind, told.id, one) for one in found]

    def _taken(self, place: Place, ids: list[str]) -> Place:
        """Take ids of the window. The set of them only grows: sorted, it can be asked for again and gone on with."""
        left = sorted(id for id in set(ids) if id > place.after)
        more = len(left) > KEPT
        return replace(place, ids=tuple(left[:KEPT]), after=left[KEPT - 1] if more else "")

    def _more(self, place: Place, deadline: Deadline) -> Place:
        """Take the next page of all ids."""
        told, walk = self._feed.all, place.walk
        address = self._asking.addresses.below(told.path)
        linked = self._asking.addresses.linked(address, walk.token) if walk.token else address
        reply = self._asking.get(linked, {} if walk.token else told.query, deadline)
        page = self._asking.listed(reply, self._doing)
        for name in (told.items, told.next):
            if twice := twice_on_the_way(page, name.removesuffix("[]")):
                raise PageUnreadable(f"{self._doing}: {twice}", reply=reply.body)
        ids = tuple(dict.fromkeys(self._ids(page, told.items, told.id)))
        following = at(page, told.next, MISSING)
        if following is MISSING or following is None or following == "":
            return replace(place, ids=ids, whole=False)
        if not isinstance(following, str) or not following.isprintable():
            raise PageUnreadable(f"{self._doing}: at {told.next}: expected a link of one line", reply=reply.body)
        onward = self._asking.addresses.linked(address, following)
        return replace(place, ids=ids, walk=walk.step(onward, most_pages=told.at_most))

    def _ids(self, page: Any, items: str, path: str) -> list[str]:
        """The ids in a list. Raises PageUnreadable for one that is none: it would be a record that nobody reads."""
        found = page if items == "[]" else at(page, items.removesuffix("[]"))
        if not isinstance(found, list):
            raise PageUnreadable(f"{self._doing}: at {items}: expected a list of ids")
        ids = [id_text(one if path == "." else at(one, path)) for one in found]
        if not all(ids):
            raise PageUnreadable(f"{self._doing}: at {items}: expected ids of one printable line")
        return ids

    def _read(self, id: str, deadline: Deadline) -> Item | UnreadableItem | None:
        """Read one record; None for one that the system says is not there any more: the next window tells that."""
        try:
            found = self._asking.fetch(id, deadline)
        except (PageUnreadable, Rejected) as trouble:
            return UnreadableItem(trouble.reply, trouble.reason, id)
        if found is None or found.id == id:
            return found
        reason = f"{self._asking.kind} at {self._feed.items}: another record came back than was asked"
        return UnreadableItem(found.raw, reason, id)


def _asked(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")


def gone(kind: str, path: str, entry: Any) -> Item | UnreadableItem:
    """Read an entry of the list of what was deleted."""
    try:
        raw = sound({_GONE: entry})
    except UnreadableBody as blemish:
        return UnreadableItem(as_received({_GONE: entry}), f"{kind} {blemish.reason}")
    id = id_text(entry if path == "." else at(entry, path))
    if not id:
        return UnreadableItem(raw, f"{kind} at {path}: expected the id of the record that was deleted")
    return Item(id, entry if isinstance(entry, dict) else {}, raw, deleted=True)


def gone_again(feed: IdWindowFeed, kind: str, kept: Any) -> Item | UnreadableItem | None:
    """Read the kept bytes of such an entry again; None for what tells of no record that is gone."""
    if feed.deleted is None or not isinstance(kept, dict) or kept.keys() != {_GONE}:
        return None
    return gone(kind, feed.deleted.id, kept[_GONE])
