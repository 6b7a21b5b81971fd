"""Where a walk through a change feed stands, as text that is good in a later process too.

The cursor that the pipelines keep holds the system's own token, the newest stamp of the walk so far, and just enough to
notice a feed that hands out the same place for ever. The watermark is the newest stamp that the system itself showed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import orjson

from connectors.errors import Misconfigured, PageUnreadable


@dataclass(frozen=True, slots=True)
class Walk:
    """A place in a walk: the page to ask for next and what was seen before it."""

    token: str = ""  # the system's token or link of the page to read; "" is the first page
    newest: str = ""  # the newest stamp seen, ISO 8601 in UTC; "" if none
    page: int = 1  # number of the page to read, from 1
    seen: str = ""  # digest of the one earlier token that later ones are compared with
    until: int = 2  # the page at which that earlier token is replaced by a newer one
    over: bool = False  # there is no page behind this place: the last record was stepped over

    @classmethod
    def at(cls, cursor: str) -> Walk:
        """Read a kept cursor; "" is the beginning. Raises Misconfigured if it is not one of ours."""
        if not cursor:
            return cls()
        try:
            token, newest, page, seen, until, over = orjson.loads(cursor)
            return cls(str(token), str(newest), int(page), str(seen), int(until), bool(over))
        except (ValueError, TypeError):
            raise Misconfigured(
                "the kept place of this walk cannot be read: start the walk from its watermark"
            ) from None

    @property
    def cursor(self) -> str:
        """The place as text. Raises PageUnreadable where the system's own token is none."""
        try:
            return orjson.dumps([self.token, self.newest, self.page, self.seen, self.until, self.over]).decode()
        except orjson.JSONEncodeError:  # half a letter (a lone surrogate)
            raise PageUnreadable("the feed names a next page by what is no text") from None

    def saw(self, stamp: datetime | None, *, not_after: datetime | None) -> Walk:
        """Take note of a record's stamp.

        A stamp later than `not_after` (the system's own clock as its answer tells it) is left out: one record dated
        2099 would otherwise put the watermark there and hide every change until then.
        """
        if stamp is None or (not_after is not None and stamp > not_after):
            return self
        text = as_text(stamp)
        return replace(self, newest=text) if text > self.newest else self

    def step(self, token: str, *, most_pages: int) -> Walk:
        """Go on to the page of `token`. Raises PageUnreadable when the feed leads in a circle or never ends.

        Brent's way of finding a circle: one earlier token is remembered, and replaced at pages 2, 4, 8 and so on, so
        that the cursor stays small however long the walk is.
        """
        digest = sha256(token.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        if token == self.token or digest == self.seen:
            raise PageUnreadable("the feed names a page as the next one that it has given before")
        if self.page >= most_pages:
            raise PageUnreadable(f"the feed goes on after {most_pages} pages; most_pages takes that for endless")
        seen, until = self.seen, self.until
        if self.page >= until:
            seen, until = digest, until * 2
        return Walk(token, self.newest, self.page + 1, seen, until)

    def begun_again(self, *, most_pages: int) -> Walk:
        """Go back to the first page because the system has forgotten this one. Pages and stamps still count.

        Raises PageUnreadable when the walk is as long as a walk may be: it is forgotten faster than it is walked.
        """
        if self.page >= most_pages:
            raise PageUnreadable(f"the feed forgets its pages before they are read, {most_pages} pages long")
        return Walk(newest=self.newest, page=self.page + 1, until=self.page + 2)


def since(watermark: str, overlap: timedelta) -> str:
    """Return the moment to ask from, in whole seconds and UTC. Raises Misconfigured for a watermark not of ours."""
    return begin(watermark, overlap).strftime("%Y-%m-%dT%H:%M:%SZ")


def begin(watermark: str, overlap: timedelta) -> datetime:
    """Return the moment from which a walk reads, in UTC. Raises Misconfigured for a watermark not of ours."""
    return _moment(watermark).astimezone(UTC) - overlap


def later(newest: str, watermark: str) -> str:
    """Return the later of what a walk has seen and where it began, so that a watermark never goes back."""
    return max(newest, as_text(_moment(watermark))) if watermark else newest


def as_text(stamp: datetime) -> str:
    """Write a moment so that later ones sort later as text."""
    return stamp.astimezone(UTC).isoformat(timespec="microseconds")


def _moment(watermark: str) -> datetime:
    try:
        moment = datetime.fromisoformat(watermark)
    except ValueError:
        moment = datetime(1, 1, 1)  # noqa: DTZ001 - stands for "no offset", refused below
    if moment.tzinfo is None:
        raise Misconfigured("the kept watermark cannot be read: sync from a moment (--from TIME) to set it anew")
    return moment
