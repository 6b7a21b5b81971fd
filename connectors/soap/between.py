"""Where a walk through windows of time stands: for systems that list what changed between two moments, and no pages.

The upper end comes from our clock and is a day ahead of it, so that a system whose clock runs before ours hides
nothing; where the next walk starts comes from the system's own stamps alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from connectors import xml
from connectors.errors import Misconfigured
from connectors.port import Item, Record, UnreadableItem
from connectors.soap.profile_feeds import ModifiedBetweenFeed
from connectors.soap.times import moment, wall_clock
from connectors.soap.walk import moment_of, stamp_text

_AHEAD = timedelta(days=1)
_SHORTEST = timedelta(seconds=1)
_WHOLE = 50  # records that a window is taken to hold: with a smaller limit it is made shorter in proportion


@dataclass(frozen=True, slots=True)
class Windows:
    """A place in a walk; moments in UTC, ISO 8601."""

    since: str
    end: str  # of the walk, not of the window
    newest: str = ""  # newest stamp so far
    behind: str = ""  # within the window: stamp and id of the last record that was shown, "" at its beginning

    @property
    def cursor(self) -> str:
        """The place as text."""
        return json.dumps((self.since, self.end, self.newest, self.behind), separators=(",", ":"))

    def until(self, feed: ModifiedBetweenFeed, limit: int | None) -> datetime:
        """The upper end of the window that starts here."""
        size = feed.window if limit is None else max(feed.window * min(limit, _WHOLE) / _WHOLE, _SHORTEST)
        return min(moment_of(self.since) + size, moment_of(self.end))

    def behind_window(self, until: datetime) -> Windows | None:
        """The next window; None where this was the last one."""
        return None if until >= moment_of(self.end) else replace(self, since=stamp_text(until), behind="")

    def piece(
        self, items: list[Item | UnreadableItem], limit: int | None
    ) -> tuple[list[Item | UnreadableItem], Windows | None]:
        """The records behind this place, `limit` at most, and the place behind them if there are more in the window.

        The place is a record and no number, so that one that leaves the window meanwhile moves none of the others.
        A page without a limit has the same order, so that a smaller one begins where it begins.
        """
        left = sorted((item for item in items if _order(item) > self.behind), key=_order)
        shown = left[:limit]
        return shown, replace(self, behind=_order(shown[-1])) if len(left) > len(shown) else None

    def saw(self, items: list[Item | UnreadableItem], *, not_after: datetime | None) -> Windows:
        """Take note of the stamps; one later than the system's own clock is left out, as in `walk.Walk.saw`."""
        stamps = [item.modified for item in items if item.modified is not None]
        texts = [stamp_text(stamp) for stamp in stamps if not_after is None or stamp <= not_after]
        return replace(self, newest=max([self.newest, *texts]))


def place(feed: ModifiedBetweenFeed, watermark: str, cursor: str, zone: ZoneInfo, now: datetime) -> Windows:
    """Return the place that a cursor names, or the beginning of a walk. Raises Misconfigured for what is not ours."""
    if cursor:
        try:
            since, end, newest, behind = map(str, json.loads(cursor))
            moment_of(since), moment_of(end)
        except (ValueError, TypeError, Misconfigured):
            raise Misconfigured(
                "the kept place of this walk cannot be read: start it anew from its watermark"
            ) from None
        return Windows(since, end, newest, behind)
    begun = moment(feed.beginning, zone) if not watermark else moment_of(watermark) - feed.overlap
    if begun is None:
        raise Misconfigured(f"changes.beginning: {feed.beginning} is no moment: write such as 2012-04-01T00:00:00")
    return Windows(stamp_text(begun), stamp_text(max(now, begun) + _AHEAD))


def watermark_of(walk: Windows, before: str) -> str:
    """Return where the next walk starts: the newest stamp that the system showed, and never before the last one."""
    return max(walk.newest, stamp_text(moment_of(before))) if before else walk.newest


def asked(feed: ModifiedBetweenFeed, since: str, until: datetime, zone: ZoneInfo) -> Record:
    """What the request for one window says."""
    content: Record = {}
    for path, text in feed.send.items():
        xml.put(content, path, text)
    xml.put(content, feed.since, wall_clock(moment_of(since), zone))
    # A window ends on a whole second of the wall clock, and the hour that comes twice is never cut: it ends behind it.
    xml.put(content, feed.until, wall_clock(until + timedelta(seconds=1), zone, later=True))
    return content


def _order(item: Item | UnreadableItem) -> str:
    stamp = item.modified or datetime.min.replace(tzinfo=UTC)
    return f"{stamp_text(stamp)} {item.id}"
