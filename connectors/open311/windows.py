"""Where a walk through windows of time stands, and which windows come next.

The end of time is the endpoint's own clock, as its answers tell it. A window that holds as many requests as the
endpoint lists at once is halved, since the rest may have been cut off without a word.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import orjson

from connectors.errors import Misconfigured
from connectors.open311.profile import WindowFeed

#: Narrower than this a window cannot be made: stamps are whole seconds.
NARROWEST = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a walk: where the next window starts, and the newest stamp seen before it."""

    start: datetime
    newest: str = ""  # ISO 8601 in UTC

    @classmethod
    def at(cls, feed: WindowFeed, watermark: str, cursor: str) -> Place:
        """Read a kept cursor, or begin at the watermark. Raises Misconfigured for what is not ours."""
        try:
            if cursor:
                start, newest = orjson.loads(cursor)
                return cls(_moment(start), str(newest))
            if not watermark:
                return cls(_moment(feed.beginning))
            back = feed.overlap + (feed.look_back if feed.by == "requested" else timedelta(0))
            return cls(_moment(watermark) - back)
        except (ValueError, TypeError, OverflowError):
            raise Misconfigured(
                "the kept place of this walk cannot be read: start the walk from its watermark"
            ) from None

    def saw(self, stamp: datetime | None, *, not_after: datetime) -> Place:
        """Take note of a stamp, unless it lies in the endpoint's own future."""
        if stamp is None or stamp > not_after:
            return self
        return replace(self, newest=max(self.newest, as_text(stamp)))

    def cursor(self, start: datetime) -> str:
        """The place of the window that starts at `start`."""
        return orjson.dumps([as_text(start), self.newest]).decode()

    def watermark(self, before: str) -> str:
        """Where the next walk starts; never earlier than where this one did."""
        return max(self.newest, as_text(_moment(before)) if before else "")


def width_for(feed: WindowFeed, limit: int | None) -> timedelta:
    """How wide a window may be where it shall hold at most so many."""
    return feed.window if limit is None else max(feed.window * limit / (2 * feed.most), NARROWEST)


def as_text(stamp: datetime) -> str:
    """Write a moment so that later ones sort later as text."""
    return stamp.astimezone(UTC).isoformat(timespec="microseconds")


def asked(stamp: datetime) -> str:
    """Write a moment as the standard wants it in a parameter."""
    return stamp.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError
    return found.astimezone(UTC)
