"""A queue that a read empties: what it answers is on our disk before anybody believes it, until the ledger has it.

Each ask leaves a note on the disk first, and its answer is kept there whole, sealed, before it is looked into. So a
process that dies behind the answer finds it again, and the next walk begins with it. An answer is forgotten as the page
behind it is asked for, which is when the ledger has committed it. What no disk can mend is an answer that never came:
its note stays without one, and then the list that removes nothing is read, or a person is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from connectors.deadline import Deadline
from connectors.errors import ConnectorError, Misconfigured, PageUnreadable, Throttled, Unknown, Unreachable
from connectors.http import Reply, ReplyTooLarge
from connectors.json_body import UnreadableBody, parse, twice_on_the_way
from connectors.port import Item, Page, UnreadableItem
from connectors.rest.feeds.asking import Asking
from connectors.rest.feeds.kept import Answer, Kept
from connectors.rest.feeds.named import named
from connectors.rest.profile_emptied import QueueFeed
from connectors.rest.replies import at, id_text
from connectors.rest.walk import since
from connectors.spool import needed

MEGABYTE = 1_000_000  # bytes
STILL_ON_ITS_WAY = 2.0  # times the call's own time, after which an ask without an answer has none
NOT_DONE = frozenset({503})  # of the statuses from 500 on, the one that says that nothing was done


@dataclass(frozen=True, slots=True)
class Place:
    """Where a walk stands: in which answer, behind how many of its records; and what it has done with."""

    name: str = ""
    row: int = 0
    done: tuple[str, ...] = ()

    @classmethod
    def at(cls, cursor: str) -> Place:
        """Read a kept cursor. Raises Misconfigured if it is not one of ours."""
        if not cursor:
            return cls()
        try:
            name, row, done = orjson.loads(cursor)
            return cls(str(name), int(row), tuple(map(str, done)))
        except (ValueError, TypeError):
            raise Misconfigured("the kept place of this walk cannot be read: start the walk anew") from None

    @property
    def cursor(self) -> str:
        """The place as text."""
        return orjson.dumps([self.name, self.row, self.done]).decode()


class Queue:
    """Takes events off a queue."""

    def __init__(self, feed: QueueFeed, asking: Asking) -> None:
        """Raises Misconfigured without a place on the disk."""
        self._feed = feed
        self._asking = asking
        self._kept = Kept(needed(asking.spool, f"reading {asking.kind} from a queue"), asking.kind)

    def page(self, *, watermark: str, cursor: str, limit: int | None) -> Page:  # noqa: ARG002 - a queue has no moment to begin at
        """Hand on the oldest answer that is kept; ask the queue only if none is. Complete when the queue is empty."""
        place, deadline = Place.at(cursor), self._asking.deadline()
        self._kept.forget(place.done)
        name = self._next(place)
        if not name:
            self._ask(deadline)
            name = self._next(place)
        if not name:
            return Page([], "", "")
        return self._handed_on(name, place.row if name == place.name else 0, limit, deadline)

    def skip(self, *, watermark: str, cursor: str) -> str | None:  # noqa: ARG002 - the feed's port; the place says all
        """Return the cursor behind an answer that cannot be read as a whole; its bytes are the caller's by now."""
        name = self._next(Place.at(cursor))
        return Place(done=(name,)).cursor if name else None

    def look(self) -> Reply | None:
        """Ask the path that removes nothing, if there is one."""
        if self._feed.probe is None:
            return None
        return self._asking.get(self._asking.addresses.below(self._feed.probe), {}, self._asking.deadline())

    def _next(self, place: Place) -> str:
        names = [name for name in self._kept.answers() if name not in place.done]
        return place.name if place.name in names else names[0] if names else ""

    def _ask(self, deadline: Deadline) -> None:
        """Ask the queue once, and keep what it answers."""
        feed, kind = self._feed, self._asking.kind
        lost = self._lost()
        ask = self._kept.asks(self._asking.now())
        doing = f"reading {kind} from a queue"
        try:
            reply = self._asking.send(
                feed.method,
                self._asking.addresses.below(feed.path),
                dict(feed.query),
                deadline,
                most_bytes=feed.most_megabytes * MEGABYTE,
                piecemeal=True,
            )
        except ReplyTooLarge as long:
            words = f"{doing}: its answer is longer than most_megabytes ({feed.most_megabytes}); the rest was not read"
            self._part(ask, Answer(long.reply, cut=True, words=words))
            raise ReplyTooLarge(words, reply=long.reply) from None
        except Unknown as broken:
            if broken.reply:
                self._part(ask, Answer(broken.reply, cut=True))
            raise
        except ConnectorError:
            self._kept.settled([ask])  # nothing was asked
            raise
        if not 200 <= reply.status < 300:
            if reply.status < 500 or reply.status in NOT_DONE:
                self._kept.settled([ask])
            self._asking.expect(reply, doing)
        if self._holds_something(reply, doing):
            self._kept.keep(ask, Answer(reply.body, content_type=reply.headers.get("Content-Type", "")))
        self._kept.answered(ask, reply.date)
        if lost:
            self._find_lost(lost, deadline)

    def _part(self, ask: str, answer: Answer) -> None:
        """Keep what came of an answer that did not come whole: a person can read what is there."""
        self._kept.keep(ask, answer)
        if self._feed.lost is None:
            self._kept.settled([ask])

    def _holds_something(self, reply: Reply, doing: str) -> bool:
        """Whether an answer is to be kept. Raises Unknown for a page of something else, which is no answer."""
        feed = self._feed
        if reply.status == 204:
            return False
        try:
            page = parse(reply.body, reply.headers.get("Content-Type", ""))
        except UnreadableBody as trouble:
            if trouble.foreign and reply.body.lstrip()[:1] not in (b"{", b"["):
                # Of a page from between us and the system nobody knows whether it came before the events were taken.
                raise Unknown(f"{doing}: {trouble.reason}", reply=reply.body) from None
            return True
        if feed.empty is not None and str(at(page, feed.empty.at, "")) == feed.empty.says:
            return bool(at(page, feed.items.removesuffix("[]")))
        return bool(page) if feed.items == "[]" else at(page, feed.items.removesuffix("[]")) != []

    def _lost(self) -> list[str]:
        """The asks whose answer never came."""
        now = self._asking.now()
        patience = timedelta(seconds=STILL_ON_ITS_WAY * self._asking.deadline().seconds)
        return [ask for ask, asked in self._kept.unanswered() if not asked <= now < asked + patience]

    def _find_lost(self, lost: list[str], deadline: Deadline) -> None:
        """Read what an answer that never came may have held, or tell a person."""
        look, kind = self._feed.lost, self._asking.kind
        if look is None:
            first, last = self._kept.span(lost)
            words = (
                f"{kind}: an answer of the queue was lost on its way between {_shown(first)} and {_shown(last)}, "
                "and what it held is gone there: compare with the system what changed until then"
            )
            self._kept.keep(self._kept.fresh(), Answer(b"", words=words))
        else:
            params, most = dict(look.query), self._feed.most_megabytes * MEGABYTE
            before = self._kept.answered_before(lost)
            if look.since and before is not None:
                params[look.since] = since(before.isoformat(), look.overlap)
            try:
                reply = self._asking.get(self._asking.addresses.below(look.path), params, deadline, most_bytes=most)
                self._asking.listed(reply, f"looking for {kind} that were lost on their way")
            except ConnectorError:
                if self._kept.answers():
                    return  # what has come is handed on first, and this is tried again
                raise
            self._kept.keep(self._kept.fresh(), Answer(reply.body, content_type="application/json", look=True))
        self._kept.settled(lost)

    def _handed_on(self, name: str, row: int, limit: int | None, deadline: Deadline) -> Page:
        answer = self._kept.answer(name)
        behind = Place(done=(name,)).cursor
        if answer is None:
            return Page([], behind, "")  # another process of this site was quicker
        if answer.words or answer.cut:
            words = answer.words or f"{self._asking.kind}: an answer of the queue broke off on its way; this part came"
            return Page([UnreadableItem(answer.body, words)], behind, "")
        found = self._entries(answer)
        items: list[Item | UnreadableItem] = []
        end = min(row + min(limit or self._feed.of, self._feed.of), len(found))
        if self._named_at(answer) is None:
            items = [self._asking.item(one) for one in found[row:end]]
            at_row = end
        else:
            at_row = self._read(answer, found, row, end, items, deadline)
        return Page(items, Place(name, at_row).cursor if at_row < len(found) else behind, "")

    def _named_at(self, answer: Answer) -> str | None:
        return self._feed.lost.id if answer.look and self._feed.lost is not None else self._feed.id

    def _read(
        self,
        answer: Answer,
        found: list[Any],
        row: int,
        end: int,
        items: list[Item | UnreadableItem],
        deadline: Deadline,
    ) -> int:
        """Read the records that entries name, as far as the call's time lasts; return behind which entry it got."""
        where = self._named_at(answer) or ""
        seen: set[str] = set()
        for number in range(row, end):
            id = id_text(at(found[number], where))
            if not id:
                items.append(self._asking.item(found[number]))  # says what is wrong with it, and keeps its bytes
            elif id not in seen:
                try:
                    one = named(self._asking, id, deadline, at=where)
                except (Unreachable, Unknown, Throttled):
                    if number == row:
                        raise
                    return number
                items += [one] if one is not None else []
                seen.add(id)
            if deadline.left() < deadline.seconds / 2:
                return number + 1
        return end

    def _entries(self, answer: Answer) -> list[Any]:
        """The entries of an answer. Raises PageUnreadable, with its bytes."""
        doing, items = f"reading {self._asking.kind} from a queue", self._feed.items
        if answer.look and self._feed.lost is not None:
            items = self._feed.lost.items
        try:
            page = parse(answer.body, answer.content_type)
        except UnreadableBody as trouble:
            raise PageUnreadable(f"{doing}: {trouble.reason}", reply=answer.body) from None
        if twice := twice_on_the_way(page, items):
            raise PageUnreadable(f"{doing}: {twice}", reply=answer.body)
        found = page if items == "[]" else at(page, items.removesuffix("[]"))
        if not isinstance(found, list):
            raise PageUnreadable(f"{doing}: at {items}: expected a list of records", reply=answer.body)
        return found


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
