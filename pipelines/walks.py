"""Walks: reading a source's changes page by page, so that a crash at any instant loses and skips nothing.

The cursor moves with each page in the same transaction as the page's rows; the watermark moves only when the walk is
complete. A page that cannot be read is kept as bytes and asked for in smaller pieces, down to one record; what stays
unreadable is a named hole that needs attention, and the walk goes on behind it. Between two pages a walk gives way: to
a process that stops, to live reading, and to what waits to be sent on. Nothing here concludes from a record that is
not shown: an empty answer is an answer without news.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b

from sqlalchemy import Connection, insert, select

from connectors.errors import ConnectorError, Misconfigured, NotThere, PageUnreadable, Rejected, Throttled, Unauthorised
from connectors.port import Page, UnreadableItem
from pipelines import audit, crash, pauses, places, pressure
from pipelines.clock import SECOND
from pipelines.decision import limit_of
from pipelines.ids import new_id
from pipelines.intake import ROWS_A_TRANSACTION, Intake, Taken
from pipelines.logs import log, warn
from pipelines.places import BACK_FILL, LIVE, Key, Place
from pipelines.plant import Council, Kind, Plant, Wired
from pipelines.states import VersionState
from pipelines.tables import unread_page
from pipelines.tidings import Tidings

#: Sizes in which an unreadable page is asked for again, each a divisor of the one before.
SMALLER = (50, 25, 5, 1)
#: A source that shows the very same page so many times running is taken for one that never ends.
SAME_PAGE = 5
#: A back-fill waits for live reading before each of its pages, but never longer than this.
LONGEST_WAY = 10 * SECOND
WAIT_SECONDS = 0.5
STOPPED = "stopped, to go on from here"


@dataclass(slots=True)
class Walked:
    """What one walk brought."""

    pages: int = 0
    records: int = 0
    taken: Taken = field(default_factory=Taken)
    complete: bool = False
    words: str = ""  # why it stopped early
    note: str = ""  # what the source's feed had to tell, such as that it reads everything anew
    told: int = 0  # of its news, how many the ledger's row of the run counts already


def _nobody(_owner: str) -> bool:
    return False


@dataclass(slots=True)
class Manners:
    """To whom a walk gives way. `busy` tells of a walk's owner whether it still reads."""

    stop: threading.Event = field(default_factory=threading.Event)
    busy: Callable[[str], bool] = _nobody
    page: Callable[[Connection, int, int], None] = lambda _connection, _read, _news: None  # within each page's writing


class Walker:
    """Reads one council's sources into the ledger."""

    def __init__(self, plant: Plant, council: Council, intake: Intake | None = None) -> None:
        self._plant = plant
        self._council = council
        self._intake = intake or Intake(plant, council)
        self._tidings = Tidings(plant, council)

    def walk(
        self,
        wired: Wired,
        kind: Kind,
        *,
        purpose: str = LIVE,
        since: str | None = None,
        most_pages: int | None = None,
        progress: Callable[[Walked], None] | None = None,
    ) -> Walked:
        """Take the walk, whoever held it, read, and give it back: for a process that has the site to itself.

        Reads from where the last walk of this purpose stopped; `since` begins anew at that watermark (a back-fill).
        """
        key = Key(self._council.code, wired.name, kind.name, purpose)
        with self._plant.ledger.writing() as connection:
            places.lock(connection, key)
            place = places.take(connection, key, new_id(), now=self._plant.clock.now(), since=since)
        walked = self.go(wired, kind, place, most_pages=most_pages, progress=progress)
        with self._plant.ledger.writing() as connection:
            places.give_back(connection, place, walked.words or walked.note)
        return walked

    def go(
        self,
        wired: Wired,
        kind: Kind,
        place: Place,
        manners: Manners | None = None,
        *,
        most_pages: int | None = None,
        progress: Callable[[Walked], None] | None = None,
    ) -> Walked:
        """Read from a place that is held until there is nothing more, or no more may be read now.

        Raises nothing for what a source does: `words` says why a walk stopped early, and the next one goes on from the
        same place. Raises WalkLost when somebody took it over, and SQLAlchemyError when the ledger is away.
        """
        manners = manners or Manners()
        walked, steps = Walked(), _Steps()
        while most_pages is None or walked.pages < most_pages:
            if not self._gives_way(wired, place, manners):
                walked.words = STOPPED
                break
            page = self._page(wired, kind, place, walked)
            if page is None:
                break
            crash.here("page read")
            self._take(wired, kind, page, place, manners, walked)
            if not page.cursor:
                crash.here("watermark moved")
                walked.complete = True
            elif steps.in_circles(place.cursor, page):
                walked.words = "the source names the same page as the next one, for ever"
                warn("page_loop", council=self._council.code, connection=wired.name, kind=kind.name)
            place.cursor = page.cursor
            if progress is not None:
                progress(walked)
            if walked.complete or walked.words:
                break
        return walked

    def _gives_way(self, wired: Wired, place: Place, manners: Manners) -> bool:
        """Wait until the next page may be read; False if this process is to stop."""
        most = pressure.most_for(wired.settings, place.key.purpose)
        yields_until = self._plant.clock.now() + LONGEST_WAY if place.key.purpose == BACK_FILL else 0
        told = False
        while not manners.stop.is_set():
            with self._plant.ledger.reading() as connection:
                full = pressure.waiting(connection, self._council, wired.name, most) > most
                behind = self._plant.clock.now() < yields_until and places.others_live(connection, place, manners.busy)
            if full != told:
                self._say(place, f"more than {most:,} wait to be sent on from here" if full else "")
                told = full
            if not full and not behind:
                return True
            self._plant.clock.wait(manners.stop, WAIT_SECONDS if full else WAIT_SECONDS / 10)
        return False

    def _say(self, place: Place, words: str) -> None:
        key = place.key
        if words:
            log("walk_waits", council=key.council, connection=key.connection, kind=key.kind, purpose=key.purpose)
        else:
            log("walk_goes_on", council=key.council, connection=key.connection, kind=key.kind, purpose=key.purpose)
        with self._plant.ledger.writing() as connection:
            places.say(connection, place, words)

    def _page(self, wired: Wired, kind: Kind, place: Place, walked: Walked) -> Page | None:
        """Read the page at this place, in pieces if need be; None if the walk cannot go on now."""
        try:
            try:
                return wired.connector.changes(kind.name, watermark=place.watermark, cursor=place.cursor)
            except (Misconfigured, NotThere, Rejected):
                if not place.cursor or walked.pages:
                    raise
            # A place kept from an earlier run that the source, or a newer connector, knows no more. What is read a
            # second time is known by its content.
            log("walk_begins_again", council=self._council.code, connection=wired.name, kind=kind.name)
            with self._plant.ledger.writing() as connection:
                places.begin_again(connection, place)
            return wired.connector.changes(kind.name, watermark=place.watermark, cursor="")
        except PageUnreadable as fault:
            self._keep_page(wired, kind, place.cursor, fault)
            return self._smaller(wired, kind, place, walked, fault)
        except ConnectorError as fault:
            self._stopped(wired, place, fault, walked)
            return None

    def _take(self, wired: Wired, kind: Kind, page: Page, place: Place, manners: Manners, walked: Walked) -> None:
        """Write a page, never more in one transaction than others can wait for. Raises WalkLost, with nothing of the
        transaction written, if the walk is not held any more."""
        before = walked.taken.news

        def count(connection: Connection) -> None:
            manners.page(connection, len(page.items), before - walked.told)
            if page.note:
                self._tell(connection, place, page.note)
                walked.note = page.note

        move = places.mover(place, page, self._plant.clock.now(), also=count)
        for at in range(0, max(len(page.items), 1), ROWS_A_TRANSACTION):
            some = page.items[at : at + ROWS_A_TRANSACTION]
            last = at + ROWS_A_TRANSACTION >= len(page.items)
            within = move if last else partial(places.check, place=place)
            takes = self._tidings if kind.name in wired.tidings else self._intake
            taken = takes.take(wired, kind, some, purpose=place.key.purpose, place=within)
            walked.taken.repeats += taken.repeats
            for state, number in taken.states.items():
                walked.taken.states[state] = walked.taken.states.get(state, 0) + number
        walked.told = before
        walked.pages += 1
        walked.records += len(page.items)

    def _tell(self, connection: Connection, place: Place, note: str) -> None:
        """Tell what a feed has to say, once, in the transaction that writes its page."""
        key, now = place.key, self._plant.clock.now()
        if not places.tell(connection, place, note):
            return
        warn("walk_told", council=key.council, connection=key.connection, kind=key.kind, cause=note)
        audit.write(
            connection,
            self._plant.vault,
            council=key.council,
            who="dolen",
            action="told by a feed",
            subject=f"{key.connection} {key.kind}",
            why=note,
            now=now,
        )

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

    def _smaller(self, wired: Wired, kind: Kind, place: Place, walked: Walked, fault: PageUnreadable) -> Page | None:
        """Ask for the same place in smaller pieces, down to a named hole; None if the walk cannot go on."""
        watermark, cursor = place.watermark, place.cursor
        try:
            for limit in SMALLER:
                try:
                    return wired.connector.changes(kind.name, watermark=watermark, cursor=cursor, limit=limit)
                except PageUnreadable as smaller:
                    fault = smaller
            behind = wired.connector.skip(kind.name, watermark=watermark, cursor=cursor)
        except ConnectorError as other:
            self._stopped(wired, place, other, walked)
            return None
        if behind is None:
            walked.words = f"a page cannot be read and cannot be made smaller: {fault.reason}"
            self._pause(wired, pauses.BY_FEED, walked.words)
            return None
        return Page([UnreadableItem(raw=fault.reply, reason=fault.reason)], behind, watermark)

    def _stopped(self, wired: Wired, place: Place, fault: ConnectorError, walked: Walked) -> None:
        walked.words = fault.reason
        log(
            "walk_stopped",
            council=self._council.code,
            connection=wired.name,
            kind=place.key.kind,
            purpose=place.key.purpose,
            error=type(fault).__name__,
        )
        if isinstance(fault, Unauthorised):
            self._pause(wired, pauses.BY_LOGIN, fault.reason)
        elif isinstance(fault, Throttled) and (seconds := limit_of(fault)):
            self._pause(wired, pauses.BY_LIMIT, fault.reason, seconds)

    def _pause(self, wired: Wired, why: str, words: str, seconds: float = 0.0) -> None:
        code, now = self._council.code, self._plant.clock.now()
        with self._plant.ledger.writing() as connection:
            pauses.trip(connection, code, wired.name, why=why, words=words, now=now, asked_seconds=seconds)


class _Steps:
    """What a walk has been shown in this run, to notice a source that leads in circles."""

    def __init__(self) -> None:
        self._cursors: set[bytes] = set()
        self._page = b""
        self._times = 0

    def in_circles(self, cursor: str, page: Page) -> bool:
        """Take note of one page; say whether it leads back to where the walk has been, or never changes."""
        self._cursors.add(_digest([cursor.encode()]))
        shown = _digest([item.raw for item in page.items])
        self._times = self._times + 1 if page.items and shown == self._page else 1
        self._page = shown
        return _digest([page.cursor.encode()]) in self._cursors or self._times >= SAME_PAGE


def _digest(parts: Iterable[bytes]) -> bytes:
    whole = blake2b(digest_size=12)
    for part in parts:
        whole.update(blake2b(part, digest_size=12).digest())
    return whole.digest()


def attention(walked: Walked) -> int:
    """How many versions of a walk need attention."""
    return walked.taken.states.get(VersionState.ATTENTION, 0)
