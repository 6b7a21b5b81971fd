"""What changed since a moment, in a record of several resources: each type is asked in its turn.

First come the records whose leading resource changed. Then, type by type, the other resources that changed, each read
as the record that it belongs to, unless the first turn has shown that record already. Last come deletions, where the
server keeps a history. A walk from the very beginning needs the first turn alone.

The next walk starts at the newest stamp seen, but no later than the server's own clock when this walk began: a type
that is asked late in a walk must not carry the watermark over a change that an earlier turn was too early to see.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import orjson

from connectors.deadline import Deadline
from connectors.errors import Misconfigured, PageUnreadable
from connectors.fhir.asking import Asking
from connectors.fhir.bundles import Entry, entries, next_of
from connectors.fhir.profile import LastUpdatedFeed
from connectors.fhir.records import Records, moment
from connectors.http import Reply
from connectors.json_body import as_received
from connectors.port import Item, Page, UnreadableItem
from connectors.rest.replies import at, id_text
from connectors.rest.walk import Walk, as_text, begin, later, since

HISTORY = "deletions"
PLACE_LOST = frozenset({400, 404, 410, 422})  # what servers answer to a page that they no longer keep
LARGEST_SKIPPED = 200_000_000  # bytes: one monstrous record must not stop all that are behind it
AT_ONCE = 50  # ids in one search


@dataclass(frozen=True, slots=True)
class Place:
    """Where a walk stands: which turn, where in it, and the server's clock when the walk began ("" if untold)."""

    turn: int
    walk: Walk
    began: str = ""

    @classmethod
    def at(cls, cursor: str) -> Place:
        """Read a kept cursor; "" is the beginning. Raises Misconfigured if it is not one of ours."""
        if not cursor:
            return cls(0, Walk())
        try:
            turn, walk, began = orjson.loads(cursor)
            return cls(int(turn), Walk.at(str(walk)), str(began))
        except (ValueError, TypeError):
            raise Misconfigured(
                "the kept place of this walk cannot be read: start the walk from its watermark"
            ) from None

    @property
    def cursor(self) -> str:
        """The place as text."""
        return orjson.dumps([self.turn, self.walk.cursor, self.began]).decode()


@dataclass(frozen=True, slots=True)
class _Shown:
    """A page as it came: from where in the turn, its entries, and the address of the next."""

    walk: Walk
    reply: Reply
    found: list[Entry]
    following: str


class ChangedResources:
    """Reads the changes of one kind of record."""

    def __init__(self, records: Records, feed: LastUpdatedFeed, asking: Asking) -> None:
        self._records, self._asking, self._section, self._feed = records, asking, records.section, feed

    def page(self, *, watermark: str, cursor: str, limit: int | None) -> Page:
        """Read one page; see the port."""
        place = Place.at(cursor)
        turns = self._turns(watermark)
        deadline, doing = self._asking.session.deadline(), f"listing {self._records.kind}"
        if place.walk.over:
            return self._behind(place, turns, [], "", watermark)
        shown = self._show(place, turns[place.turn], watermark, limit, deadline, doing)
        horizon = None if shown.reply.date is None else shown.reply.date + self._feed.overlap
        if not cursor and shown.reply.date is not None:
            place = replace(place, began=as_text(shown.reply.date))
        walk = shown.walk
        items = self._items(turns[place.turn], shown, watermark, deadline, doing)
        for stamp in [*(item.modified for item in items), *(_stamp(entry) for entry in shown.found)]:
            walk = walk.saw(stamp, not_after=horizon)
        return self._behind(replace(place, walk=walk), turns, items, shown.following, watermark)

    def skip(self, *, watermark: str, cursor: str) -> str | None:
        """Return the cursor behind the one resource at `cursor`, if the reply still names the next page."""
        place, turns = Place.at(cursor), self._turns(watermark)
        doing = f"stepping over a {self._records.kind}"
        deadline = self._asking.session.deadline()
        try:
            address, reply = self._ask(place, turns[place.turn], watermark, 1, deadline, most_bytes=LARGEST_SKIPPED)
            bundle = self._asking.listed(reply, doing)
            entries(bundle, reply, doing)
            following = next_of(bundle, reply, doing)
            link = self._asking.addresses.linked(address, following) if following else ""
            walk = place.walk.step(link, most_pages=self._feed.at_most) if link else replace(place.walk, over=True)
        except PageUnreadable:
            return None
        return replace(place, walk=walk).cursor

    def look(self) -> Reply:
        """Ask for a first page of one record, and judge nothing."""
        return self._ask(Place.at(""), self._records.lead, "", 1, self._asking.session.deadline())[1]

    def _turns(self, watermark: str) -> tuple[str, ...]:
        lead = self._records.lead
        if not watermark:
            return (lead,)
        others = tuple(type for type in self._section.types if type != lead)
        return (lead, *others, *([HISTORY] if self._feed.deletions == "history" else []))

    def _behind(self, place: Place, turns: tuple[str, ...], items: Any, following: str, watermark: str) -> Page:
        """The page with the place behind it: the next page of this turn, the next turn, or the end of the walk."""
        newest = place.walk.newest
        if following:
            further = replace(place, walk=place.walk.step(following, most_pages=self._feed.at_most)).cursor
        elif place.turn + 1 < len(turns):
            further = Place(place.turn + 1, Walk(newest=newest), place.began).cursor
        else:
            further = ""
        seen = min(newest, place.began) if place.began and newest else newest
        return Page(items, further, later(seen, watermark))

    def _show(
        self, place: Place, turn: str, watermark: str, limit: int | None, deadline: Deadline, doing: str
    ) -> _Shown:
        address, reply = self._ask(place, turn, watermark, limit, deadline)
        if place.walk.token and reply.status in PLACE_LOST:
            # The page is gone. The first of its turn is not, and what is read twice is known by its version.
            place = replace(place, walk=place.walk.begun_again(most_pages=self._feed.at_most))
            address, reply = self._ask(place, turn, watermark, limit, deadline)
        bundle = self._asking.listed(reply, doing)
        found = entries(bundle, reply, doing)
        following = next_of(bundle, reply, doing)
        link = self._asking.addresses.linked(address, following) if following else ""
        return _Shown(place.walk, reply, found, link)

    def _ask(
        self, place: Place, turn: str, watermark: str, limit: int | None, deadline: Deadline, *,
        most_bytes: int | None = None,
    ) -> tuple[str, Reply]:  # fmt: skip
        size = min(limit or self._feed.of, self._feed.of)
        addresses, lead = self._asking.addresses, self._records.lead
        if place.walk.token:
            address = addresses.linked(addresses.below("/"), place.walk.token, size=("_count", size) if limit else None)
            return address, self._asking.get(address, deadline, most_bytes=most_bytes)
        if turn == HISTORY:
            root = addresses.below(f"/{lead}/_history")
            address = addresses.linked(root, f"{root}?_since={since(watermark, self._feed.overlap)}&_count={size}")
            return address, self._asking.get(address, deadline, most_bytes=most_bytes)
        parameters = [("_count", str(size))]
        if watermark:
            parameters.append(("_lastUpdated", f"ge{since(watermark, self._feed.overlap)}"))
        if turn == lead:
            parameters += leading(self._records)
        else:
            ways = [refers.search for refers in self._section.lead.refers.values() if refers.to == turn]
            parameters += [("_revinclude", f"{lead}:{way}") for way in ways if way]
        return self._asking.search(turn, parameters, deadline, most_bytes=most_bytes)

    def _items(
        self, turn: str, shown: _Shown, watermark: str, deadline: Deadline, doing: str
    ) -> list[Item | UnreadableItem]:
        records = self._records
        if turn == records.lead:
            return records.led(shown.found)
        if turn == HISTORY:
            return [item for entry in shown.found if (item := records.deleted(entry.whole)) is not None]
        blank: list[Item | UnreadableItem] = [
            UnreadableItem(as_received(one.whole), f"{records.kind} at entry/{one.place}: expected a resource")
            for one in shown.found if not isinstance(one.resource, dict) and one.mode != "outcome"
        ]  # fmt: skip
        start = begin(watermark, self._feed.overlap).replace(microsecond=0)
        ids = []
        for entry in shown.found:
            stamp = _stamp(entry)
            # What changed in its leading resource too was shown by the first turn.
            if entry.type == records.lead and (stamp is None or stamp < start):
                ids.append(id_text(entry.resource.get("id")))
        return blank + by_id(records, self._asking, [id for id in ids if id], deadline, doing)


def leading(records: Records) -> list[tuple[str, str]]:
    """The parameters of every search for leading resources: what narrows it, and what it brings along."""
    told = records.section.lead.refers.values()
    return [
        *records.section.query.items(),
        *(("_include", f"{records.lead}:{refers.search}") for refers in told if refers.search),
    ]


def by_id(
    records: Records, asking: Asking, ids: list[str], deadline: Deadline, doing: str
) -> list[Item | UnreadableItem]:
    """Read the records with these ids, a few dozen in a search; those that are not there are left out."""
    items: list[Item | UnreadableItem] = []
    wanted = list(dict.fromkeys(ids))
    for first in range(0, len(wanted), AT_ONCE):
        some = wanted[first : first + AT_ONCE]
        parameters = [("_id", ",".join(some)), ("_count", str(len(some))), *leading(records)]
        _, reply = asking.search(records.lead, parameters, deadline)
        items += records.led(entries(asking.listed(reply, doing), reply, doing))
    return items


def _stamp(entry: Entry) -> datetime | None:
    stamp = moment(at(entry.resource, "meta/lastUpdated")) if isinstance(entry.resource, dict) else None
    return stamp.astimezone(UTC) if stamp else None
