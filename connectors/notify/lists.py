"""What GOV.UK Notify lists: how the messages went that we sent, and the texts that residents sent back.

Both lists show the newest first, 250 a page, and keep a week. A message stays where it was made when its state changes,
so a walk through the reports goes back over everything that may still change; a text that came in never changes.

Source of the sizes and times: Notify's documentation of its API (pages of 250; retained 7 days unless a service says
otherwise; a text is retried for up to 72 hours).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from connectors.errors import Misconfigured, PageUnreadable
from connectors.json_body import sound
from connectors.notify.message import ID
from connectors.port import Item, Page, UnreadableItem

MOST_PAGES = 10_000  # two and a half million messages: a list that is longer never ends
_MOMENTS = ("created_at", "sent_at", "completed_at")


@dataclass(frozen=True, slots=True)
class Listed:
    """One list: where its rows stand in the answer, how far back they change, how one page is asked for."""

    rows: str
    changes_for: timedelta
    ask: Callable[[Any, str | None], object]
    doing: str


LISTS: Mapping[str, Listed] = {
    "Report": Listed(
        "notifications",
        timedelta(hours=96),  # 72 in which a text is tried again, and a day for what Notify hears late
        lambda client, older: client.get_all_notifications(older_than=older),
        "listing reports",
    ),
    "ReceivedText": Listed(
        "received_text_messages",
        timedelta(minutes=15),
        lambda client, older: client.get_received_texts(older_than=older),
        "listing texts that came in",
    ),
}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a walk stands: behind which message, what was the newest at its beginning, and how many pages ago."""

    older_than: str = ""
    newest: str = ""
    page: int = 1

    @classmethod
    def at(cls, cursor: str) -> _Place:
        if not cursor:
            return cls()
        try:
            older, newest, page = orjson.loads(cursor)
            place = cls(str(older), str(newest), int(page))
        except (ValueError, TypeError):
            place = cls()
        if not ID.fullmatch(place.older_than):
            raise Misconfigured("the kept place of this walk cannot be read: start the walk from its watermark")
        return place

    @property
    def cursor(self) -> str:
        return orjson.dumps([self.older_than, self.newest, self.page]).decode()


def page(kind: str, answer: Callable[[str | None], Any], *, watermark: str, cursor: str, limit: int | None) -> Page:
    """Read one page of a list. `answer` gets the id behind which the page begins, None for the first.

    The walk ends behind the first page that shows nothing new enough to have changed since the watermark. Raises
    Misconfigured for a kept place that is not one of ours, PageUnreadable for an answer that is no list.
    """
    listed, place = LISTS[kind], _Place.at(cursor)
    if place.page > MOST_PAGES:
        raise Misconfigured(f"{listed.doing}: the list goes on after {MOST_PAGES} pages, and is taken for endless")
    since = _from(watermark, listed.changes_for) if watermark else None
    told = answer(place.older_than or None)
    rows = told.get(listed.rows) if isinstance(told, dict) else None
    if not isinstance(rows, list):
        raise PageUnreadable(f"{listed.doing}: at {listed.rows}: expected a list")
    shown = rows if limit is None else rows[:limit]
    items = [item_of(row) for row in shown]
    made = [stamp for row in shown if (stamp := moment(row.get("created_at") if isinstance(row, dict) else None))]
    if place.page == 1 and made:
        place = replace(place, newest=_text(max(made)))
    last = next((item.id for item in reversed(items) if item.id), "")
    if items and not last:
        raise PageUnreadable(f"{listed.doing}: no row of the page has an id, so the next one cannot be asked for")
    over = not items or last == place.older_than or (since is not None and bool(made) and max(made) < since)
    onward = "" if over else replace(place, older_than=last, page=place.page + 1).cursor
    return Page(items, onward, max(place.newest, watermark))


def item_of(row: Any) -> Item | UnreadableItem:
    """Return one row of either list as an item; what has no id of Notify's is unreadable."""
    id = row.get("id") if isinstance(row, dict) else None
    if not isinstance(id, str) or not ID.fullmatch(id):
        return UnreadableItem(sound(row), "a row of Notify's list at id: expected the id of a message")
    stamps = [stamp for name in _MOMENTS if (stamp := moment(row.get(name)))]
    reference = row.get("reference")
    return Item(
        id,
        row,
        sound(row),
        modified=max(stamps, default=None),
        our_key=reference if isinstance(reference, str) else "",
    )


def moment(text: object) -> datetime | None:
    """Read one of Notify's moments. They are UTC; those of texts that came in are written without saying so."""
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    if found is None:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _from(watermark: str, back: timedelta) -> datetime:
    try:
        return datetime.fromisoformat(watermark) - back
    except (ValueError, OverflowError):
        raise Misconfigured("the kept watermark cannot be read: start from the beginning") from None


def _text(stamp: datetime) -> str:
    return stamp.astimezone(UTC).isoformat(timespec="microseconds")
