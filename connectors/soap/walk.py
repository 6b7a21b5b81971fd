"""Where a walk through numbered pages stands, as text that is good in a later process too.

The place is counted in records and not in pages, so that the same place can be asked for with smaller pages. What was
seen before is kept as two short digests, enough to notice pages that come again or never end.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from zoneinfo import ZoneInfo

from connectors.errors import Misconfigured, Unknown
from connectors.soap.profile_feeds import ModifiedSinceFeed, NumberedPages
from connectors.soap.times import wall_clock


@dataclass(frozen=True, slots=True)
class Walk:
    """A place in a walk."""

    since: str  # the moment that is asked from, as the system's wall clock; the same for all pages of a walk
    offset: int = 0  # records before this place
    newest: str = ""  # newest stamp so far, ISO 8601 in UTC with microseconds; "" if none
    page: int = 1  # pages read so far, and one
    before: str = ""  # digest of the first record of the page before
    seen: str = ""  # digest of the first record of one earlier page
    until: int = 2  # page at which `seen` is replaced by a newer one

    @property
    def cursor(self) -> str:
        """The place as text."""
        parts = (self.since, self.offset, self.newest, self.page, self.before, self.seen, self.until)
        return json.dumps(parts, separators=(",", ":"))

    def saw(self, stamps: Sequence[datetime | None], *, not_after: datetime | None) -> Walk:
        """Take note of a page's stamps.

        One later than `not_after` (the system's own clock as its answer tells it) is left out: a single record dated
        2099 would otherwise put the watermark there and hide every change until then.
        """
        counted = [stamp for stamp in stamps if stamp is not None and (not_after is None or stamp <= not_after)]
        return replace(self, newest=max(self.newest, stamp_text(max(counted)))) if counted else self

    def step(self, count: int, first: bytes, pages: NumberedPages) -> Walk:
        """Go on behind `count` records, the first of which had the bytes `first`.

        Raises Unknown when the system shows a page again or never ends: nothing of the walk is lost by asking anew.
        Brent's way of finding a circle keeps the place small: one earlier page is remembered, and replaced at pages
        2, 4, 8 and so on.
        """
        digest = sha256(first).hexdigest()[:16]
        # A record that appears late moves all behind it by one place, so a page of one may honestly come twice.
        if count > 1 and digest in (self.before, self.seen):
            raise Unknown("the system shows a page again that it has shown before")
        if self.offset + count >= pages.at_most * pages.of:
            raise Unknown(
                f"the walk goes on after {pages.at_most} pages of {pages.of}; page.at_most takes it for endless"
            )
        seen, until = (digest, self.until * 2) if self.page >= self.until else (self.seen, self.until)
        return replace(self, offset=self.offset + count, page=self.page + 1, before=digest, seen=seen, until=until)


def place(feed: ModifiedSinceFeed, watermark: str, cursor: str, zone: ZoneInfo) -> Walk:
    """Return the place that a cursor names, or the beginning of a walk. Raises Misconfigured for what is not ours."""
    if not cursor:
        return Walk(feed.beginning if not watermark else wall_clock(moment_of(watermark) - feed.overlap, zone))
    try:
        since, offset, newest, page, before, seen, until = json.loads(cursor)
        return Walk(str(since), int(offset), str(newest), int(page), str(before), str(seen), int(until))
    except (ValueError, TypeError):
        raise Misconfigured("the kept place of this walk cannot be read: start it anew from its watermark") from None


def page_size(walk: Walk, pages: NumberedPages, limit: int | None) -> int:
    """Return the largest page that starts at this place and holds no more than `limit` records."""
    most = min(pages.of, limit or pages.of)
    if most < 1:
        raise Misconfigured("a page holds at least one record: limit must be 1 or more")
    return next(size for size in range(most, 0, -1) if pages.of % size == 0 and walk.offset % size == 0)


def skipped(walk: Walk) -> Walk:
    """Step over one record."""
    return replace(walk, offset=walk.offset + 1)


def watermark_of(walk: Walk, before: str) -> str:
    """Return where the next walk starts: the newest stamp that the system showed, and never before the last one."""
    return max(walk.newest, stamp_text(moment_of(before))) if before else walk.newest


def moment_of(watermark: str) -> datetime:
    """Read a moment that we kept. Raises Misconfigured for what is none of ours."""
    try:
        found = datetime.fromisoformat(watermark)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Misconfigured("the kept watermark cannot be read: sync from a moment (--from TIME) to set it anew")
    return found.astimezone(UTC)


def stamp_text(stamp: datetime) -> str:
    """Write a moment as it is kept: UTC, ISO 8601, of one width, so that texts sort as moments do."""
    return stamp.astimezone(UTC).isoformat(timespec="microseconds")
