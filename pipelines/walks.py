"""Walks: reading a source's changes page by page, so that a crash at any instant loses and skips nothing.

The cursor moves with each page in the same transaction as the page's rows. The watermark moves only when the walk is
complete.
A page that cannot be read is kept as bytes and asked for in smaller pieces, down to one record; what stays unreadable
is a named hole that needs attention, and the walk goes on behind it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import Connection, insert, select, update

from connectors.errors import ConnectorError, PageUnreadable, Unauthorised
from connectors.port import Page, UnreadableItem
from pipelines import pauses
from pipelines.intake import Intake, Taken
from pipelines.ledger import insert_new
from pipelines.logs import log, warn
from pipelines.plant import Council, Kind, Plant, Wired
from pipelines.states import VersionState
from pipelines.tables import unread_page, walk

#: Sizes in which an unreadable page is asked for again, each a divisor of the one before.
SMALLER = (50, 25, 5, 1)


@dataclass(slots=True)
class Walked:
    """What one walk brought."""

    pages: int = 0
    records: int = 0
    taken: Taken = field(default_factory=Taken)
    complete: bool = False
    words: str = ""  # why it stopped early


class Walker:
    """Reads one council's sources into the ledger."""

    def __init__(self, plant: Plant, council: Council, intake: Intake | None = None) -> None:
        self._plant = plant
        self._council = council
        self._intake = intake or Intake(plant, council)

    def walk(
        self,
        wired: Wired,
        kind: Kind,
        *,
        purpose: str = "live",
        since: str | None = None,
        most_pages: int | None = None,
        progress: Callable[[Walked], None] | None = None,
    ) -> Walked:
        """Read from where the last walk of this purpose stopped until there is nothing more.

        `since` begins a new walk at that watermark (a back-fill). Raises nothing for what a source does: `words` says
        why a walk stopped early, and the next one goes on from the same place.
        """
        walked = Walked()
        cursor, watermark = self._begin(wired, kind, purpose, since)
        while most_pages is None or walked.pages < most_pages:
            try:
                page = wired.connector.changes(kind.name, watermark=watermark, cursor=cursor)
            except PageUnreadable as fault:
                self._keep_page(wired, kind, cursor, fault)
                following = self._smaller(wired, kind, watermark, cursor, purpose, walked, fault)
                if following is None:
                    return walked
                page = following
            except ConnectorError as fault:
                self._stopped(wired, kind, purpose, fault, walked)
                return walked
            else:
                self._take(wired, kind, page, purpose, walked)
            if progress is not None:
                progress(walked)
            if not page.cursor:
                walked.complete = True
                break
            if page.cursor == cursor:
                walked.words = "the source names the same page as the next one, for ever"
                warn("page_loop", council=self._council.code, connection=wired.name, kind=kind.name)
                break
            cursor = page.cursor
        return walked

    def _begin(self, wired: Wired, kind: Kind, purpose: str, since: str | None) -> tuple[str, str]:
        now = self._plant.clock.now()
        key = {"council": self._council.code, "connection": wired.name, "kind": kind.name, "purpose": purpose}
        with self._plant.ledger.reading() as connection:
            held = connection.execute(select(walk).filter_by(**key)).first()
        if held is not None and since is None and not held.words and held.began is not None:
            return held.cursor, held.watermark
        with self._plant.ledger.writing() as connection:
            insert_new(connection, walk, [{**key, "cursor": "", "watermark": "", "pages": 0, "words": ""}])
            values: dict[str, object] = {"began": now, "words": ""}
            if since is not None:
                values |= {"cursor": "", "watermark": since, "completed": None}
            connection.execute(update(walk).filter_by(**key).values(**values))
            held = connection.execute(select(walk).filter_by(**key)).one()
        return held.cursor, held.watermark

    def _take(self, wired: Wired, kind: Kind, page: Page, purpose: str, walked: Walked) -> None:
        taken = self._intake.take(
            wired, kind, page.items, purpose=purpose, place=self._mover(wired, kind, page, purpose)
        )
        walked.pages += 1
        walked.records += len(page.items)
        walked.taken.repeats += taken.repeats
        for state, count in taken.states.items():
            walked.taken.states[state] = walked.taken.states.get(state, 0) + count

    def _mover(self, wired: Wired, kind: Kind, page: Page, purpose: str) -> Callable[[Connection], None] | None:
        """Move the walk's place within the transaction that writes the page."""
        now = self._plant.clock.now()
        values: dict[str, object] = {"cursor": page.cursor, "pages": walk.c.pages + 1}
        if not page.cursor:
            values |= {"watermark": page.watermark, "completed": now}

        def move(connection: Connection) -> None:
            connection.execute(
                update(walk)
                .filter_by(council=self._council.code, connection=wired.name, kind=kind.name, purpose=purpose)
                .values(**values)
            )

        return move

    def _keep_page(self, wired: Wired, kind: Kind, cursor: str, fault: PageUnreadable) -> None:
        """Keep the bytes of a page before anything else is tried; once for a place in the walk."""
        now, code = self._plant.clock.now(), self._council.code
        with self._plant.ledger.writing() as connection:
            there = connection.execute(
                select(unread_page.c.id).filter_by(council=code, connection=wired.name, kind=kind.name, cursor=cursor)
            ).first()
            if there is None:
                raw = self._plant.vault.put(connection, code, "page", fault.reply, now)
                connection.execute(
                    insert(unread_page).values(
                        council=code,
                        connection=wired.name,
                        kind=kind.name,
                        cursor=cursor,
                        raw=raw,
                        words=fault.reason,
                        at=now,
                    )
                )

    def _smaller(
        self, wired: Wired, kind: Kind, watermark: str, cursor: str, purpose: str, walked: Walked, fault: PageUnreadable
    ) -> Page | None:
        """Ask for the same place in smaller pieces; None if the walk cannot go on."""
        for limit in SMALLER:
            try:
                page = wired.connector.changes(kind.name, watermark=watermark, cursor=cursor, limit=limit)
            except PageUnreadable as smaller:
                fault = smaller
                continue
            except ConnectorError as other:
                self._stopped(wired, kind, purpose, other, walked)
                return None
            self._take(wired, kind, page, purpose, walked)
            return page
        try:
            behind = wired.connector.skip(kind.name, watermark=watermark, cursor=cursor)
        except ConnectorError as other:
            self._stopped(wired, kind, purpose, other, walked)
            return None
        if behind is None:
            walked.words = f"a page cannot be read and cannot be made smaller: {fault.reason}"
            with self._plant.ledger.writing() as connection:
                pauses.trip(
                    connection,
                    self._council.code,
                    wired.name,
                    why=pauses.BY_FEED,
                    words=walked.words,
                    now=self._plant.clock.now(),
                )
            return None
        hole = UnreadableItem(raw=fault.reply, reason=fault.reason)
        page = Page([hole], behind, watermark)
        self._take(wired, kind, page, purpose, walked)
        return page

    def _stopped(self, wired: Wired, kind: Kind, purpose: str, fault: ConnectorError, walked: Walked) -> None:
        walked.words = fault.reason
        log(
            "walk_stopped",
            council=self._council.code,
            connection=wired.name,
            kind=kind.name,
            purpose=purpose,
            error=type(fault).__name__,
        )
        if isinstance(fault, Unauthorised):
            with self._plant.ledger.writing() as connection:
                pauses.trip(
                    connection,
                    self._council.code,
                    wired.name,
                    why=pauses.BY_LOGIN,
                    words=fault.reason,
                    now=self._plant.clock.now(),
                )


def attention(walked: Walked) -> int:
    """How many versions of a walk need attention."""
    return walked.taken.states.get(VersionState.ATTENTION, 0)
