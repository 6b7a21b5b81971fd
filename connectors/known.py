"""Re-reading known ids: the feed of a system that tells no changes at all and lets one record be read by its id.

The records that we hold links to are fetched again in turn. Which they are only the ledger knows, so it is handed in as
a question, in the way in which `connectors.pace` is handed its turns. New records come by hand or by another way in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import orjson
from pydantic import Field

from connectors.deadline import Deadline
from connectors.errors import Misconfigured, PageUnreadable, Rejected, Throttled, Unknown, Unreachable
from connectors.port import Item, Page, UnreadableItem
from connectors.references import Closed

#: (kind, id, most): the ids of that kind that we hold links to, in the ledger's order, behind that one ("" = from the
#: first). Asked while no transaction is open.
Known = Callable[[str, str, int], Sequence[str]]
Read = Callable[[str, Deadline], Item | None]


class KnownIdsFeed(Closed):
    """Read the records that we hold links to again, in turn, through `fetch`. Finds no new records."""

    feed: Literal["known-ids"] = Field(description="Kind of feed.", examples=["known-ids"])
    a_run: int = Field(
        default=500,
        ge=1,
        le=100_000,
        description="Records that one run reads; the next goes on behind them, and begins again at the end.",
        examples=[500],
    )
    of: int = Field(default=50, ge=1, le=1_000, description="Records fetched for a page.", examples=[50])


@dataclass(frozen=True, slots=True)
class Round:
    """Where a run stands: behind which id, and how many records it may still read; None for all there are."""

    behind: str = ""
    left: int | None = None

    @classmethod
    def at(cls, watermark: str, cursor: str, feed: KnownIdsFeed) -> Round:
        """Read a kept place. The first run, a back-fill and a comparison read all. Raises Misconfigured."""
        try:
            if cursor:
                behind, left = orjson.loads(cursor)
                return cls(str(behind), None if left is None else int(left))
            if watermark.startswith("["):
                [behind] = orjson.loads(watermark)
                return cls(str(behind), feed.a_run)
        except (ValueError, TypeError):
            raise Misconfigured(
                "the kept place of this walk cannot be read: start the walk from its watermark"
            ) from None
        return cls()

    @property
    def cursor(self) -> str:
        """The place as text."""
        return orjson.dumps([self.behind, self.left]).decode()

    def passed(self, id: str) -> Round:
        """The place behind one more record."""
        return replace(self, behind=id, left=None if self.left is None else self.left - 1)


class KnownIds:
    """Reads one kind's known records again."""

    def __init__(
        self, kind: str, feed: KnownIdsFeed, known: Known | None, read: Read, *, tells_gone: bool = False
    ) -> None:
        """`read` fetches one record; `tells_gone`: its None is the system's own word and not a web server's 404."""
        self._kind = kind
        self._feed = feed
        self._known = known
        self._read = read
        self._tells_gone = tells_gone

    def page(self, deadline: Deadline, *, watermark: str, cursor: str, limit: int | None) -> Page:
        """Read as many records as a page takes and the call's time lasts for; see `connectors.port.Source.changes`."""
        place = Round.at(watermark, cursor, self._feed)
        most = min(limit or self._feed.of, self._feed.of, self._feed.of if place.left is None else place.left)
        ids = self._ids(place.behind, most + 1)
        items: list[Item | UnreadableItem] = []
        over = len(ids) <= most
        for done, id in enumerate(ids[:most]):
            try:
                found = self._one(id, deadline)
            except (Unreachable, Unknown, Throttled):
                if not done:
                    raise
                over = False  # what was read is handed on, and the next page meets the trouble if it stays
                break
            items += [found] if found is not None else []
            place = place.passed(id)
            if deadline.left() < deadline.seconds / 2 and done + 1 < min(most, len(ids)):
                over = False
                break
        if not over and place.left != 0:
            return Page(items, place.cursor, watermark)
        return Page(items, "", orjson.dumps(["" if over else place.behind]).decode())

    def first(self) -> str:
        """The first id that is known, "" if none is."""
        return next(iter(self._ids("", 1)), "") if self._known is not None else ""

    def _ids(self, behind: str, most: int) -> Sequence[str]:
        if self._known is None:
            raise Misconfigured("a known-ids feed reads what the ledger knows, and no ledger was handed in")
        return self._known(self._kind, behind, most)

    def _one(self, id: str, deadline: Deadline) -> Item | UnreadableItem | None:
        try:
            found = self._read(id, deadline)
        except (PageUnreadable, Rejected) as trouble:
            return UnreadableItem(trouble.reply, trouble.reason, id)
        if found is not None:
            if found.id == id:
                return found
            return UnreadableItem(found.raw, f"{self._kind}: another record came back than was asked for", id)
        if self._tells_gone:
            return None
        # Were the path wrong, every record would be "not there": that must be seen.
        return UnreadableItem(b"", f"{self._kind} is linked and is not there any more: was it deleted?", id)
