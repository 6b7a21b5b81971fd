"""Reading everything that a system shows of one kind of record, for comparing: nothing is written, no walk is moved."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.errors import PageUnreadable
from connectors.port import Item, Page, UnreadableItem
from pipelines.looking import NotPossible
from pipelines.plant import Kind, Wired
from pipelines.walks import SMALLER


def everything(wired: Wired, kind: Kind) -> Iterator[Item | UnreadableItem]:
    """Every record from the beginning, page by page. Raises what the connector raises, NotPossible for an endless
    feed."""
    cursor = ""
    while True:
        page = _page(wired, kind, cursor)
        yield from page.items
        if not page.cursor:
            return
        if page.cursor == cursor:
            raise NotPossible(f"{wired.name} names the same page as the next one, for ever: it cannot be compared")
        cursor = page.cursor


def _page(wired: Wired, kind: Kind, cursor: str) -> Page:
    """One page; in smaller pieces, down to one record, where it cannot be read as a whole."""
    try:
        return wired.connector.changes(kind.name, watermark="", cursor=cursor)
    except PageUnreadable as whole:
        fault = whole
    for limit in SMALLER:
        try:
            return wired.connector.changes(kind.name, watermark="", cursor=cursor, limit=limit)
        except PageUnreadable as smaller:
            fault = smaller
    behind = wired.connector.skip(kind.name, watermark="", cursor=cursor)
    if behind is None:
        raise NotPossible(f"{wired.name} shows a page that cannot be read: {fault.reason}")
    return Page([UnreadableItem(raw=b"", reason=fault.reason)], behind, "")
