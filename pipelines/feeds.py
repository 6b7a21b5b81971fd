"""Reading everything that a system shows of one kind of record, for comparing: nothing is written, no walk is moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from connectors.errors import PageUnreadable
from connectors.port import Item, Page, UnreadableItem
from pipelines.courtesy import Courtesy
from pipelines.looking import NotPossible
from pipelines.plant import Kind, Wired
from pipelines.walks import SMALLER

Progress = Callable[[str, int], None]


def pages(
    wired: Wired, kind: Kind, courtesy: Courtesy, progress: Progress
) -> Iterator[Sequence[Item | UnreadableItem]]:
    """Every record that is not deleted, from the beginning, page by page.

    Raises what the connector raises, PutOff, and NotPossible for an endless feed and for one that reading empties.
    """
    if kind.name in (wired.settings.get("emptied") or ()):
        raise NotPossible(
            f"{wired.name} shows a {kind.name} once and never again (an inbox or a queue), so the two sides cannot "
            "be compared; compare by the supplier's own list"
        )
    cursor, read = "", 0
    passed: set[int] = set()
    while True:
        page = _page(wired, kind, cursor, courtesy)
        read += len(page.items)
        progress(f"{wired.council}/{wired.name}", read)
        yield [item for item in page.items if isinstance(item, UnreadableItem) or not item.deleted]
        if not page.cursor:
            return
        # A cursor may be long; its hash is enough to see that a feed goes round in a circle.
        passed.add(hash(cursor))
        if hash(page.cursor) in passed:
            raise NotPossible(f"{wired.name} names the same page as the next one, for ever: it cannot be compared")
        cursor = page.cursor


def _page(wired: Wired, kind: Kind, cursor: str, courtesy: Courtesy) -> Page:
    """One page; in smaller pieces, down to one record, where it cannot be read as a whole."""

    def ask(limit: int | None) -> Page:
        return courtesy.call(
            wired, lambda: wired.connector.changes(kind.name, watermark="", cursor=cursor, limit=limit)
        )

    try:
        return ask(None)
    except PageUnreadable as whole:
        fault = whole
    for limit in SMALLER:
        try:
            return ask(limit)
        except PageUnreadable as smaller:
            fault = smaller
    behind = courtesy.call(wired, lambda: wired.connector.skip(kind.name, watermark="", cursor=cursor))
    if behind is None:
        raise NotPossible(f"{wired.name} shows a page that cannot be read: {fault.reason}")
    return Page([UnreadableItem(raw=b"", reason=fault.reason)], behind, "")
