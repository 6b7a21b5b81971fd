"""The connector of an extract in a database: rows are read in order, page by page, and nothing is ever written.

A page is one SELECT behind the last row's stamp and id, so that its place is good in a later process, its size may be
any, and no session is held while a page is taken in: an open reading would hinder whoever writes there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from connectors.deadline import Deadline
from connectors.errors import Misconfigured, PageUnreadable
from connectors.pace import Agree, Pace
from connectors.port import Code, Finding, Item, Page, Receipt, Record, Tier, UnreadableItem
from connectors.rest.walk import begin, later
from connectors.sql.doctor import examine
from connectors.sql.opening import Database
from connectors.sql.place import Place
from connectors.sql.profile import ModifiedSince, SqlProfile, SqlRecord
from connectors.sql.rows import RowReader
from connectors.sql.settings import SqlSettings
from connectors.sql.stamps import beginning
from connectors.sql.statements import Statements

_FINER = (
    "a row comes again behind itself: its stamp is finer than a millionth of a second, or its id does not compare; let "
    "the query round the stamp"
)


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of record: what is asked and how it is read."""

    record: SqlRecord
    statements: Statements
    reader: RowReader


class SqlConnector:
    """One council's extract. Safe to use from several threads at once."""

    def __init__(
        self,
        profile: SqlProfile,
        settings: SqlSettings,
        _interfaces: Callable[[str], bytes] | None = None,
        *,
        clock: Callable[[], datetime],
        agree: Agree | None = None,
    ) -> None:
        """Nothing is dialled yet. Raises Misconfigured for a driver that is not installed."""
        self._profile = profile
        self._settings = settings
        self._clock = clock
        self._zone = ZoneInfo(profile.clock)
        self._database = Database(settings)
        limits = settings.limits
        self._pace = Pace(calls_a_second=limits.calls_a_second, at_once=limits.at_once, agree=agree)
        self._kinds = {
            name: _Kind(record, Statements(record), RowReader(name, record, self._zone))
            for name, record in profile.records.items()
        }

    def __repr__(self) -> str:
        return f"SqlConnector({self._profile.system})"

    def kinds(self) -> tuple[str, ...]:
        """The kinds of record that the profile has a section for."""
        return tuple(self._kinds)

    def offers(self, kind: str) -> frozenset[str]:
        """What the profile declares for this kind; nothing can be written."""
        return self._kind(kind).record.offers

    def tier(self, kind: str) -> Tier:
        """Nothing is written, so nothing can be found."""
        self._kind(kind)
        return Tier.NEITHER

    def reads_first(self, kind: str) -> bool:
        """Nothing is written."""
        self._kind(kind)
        return False

    def changes(self, kind: str, *, watermark: str, cursor: str = "", limit: int | None = None) -> Page:
        """Read one page of changes; see the port."""
        asked = self._kind(kind)
        feed = asked.record.changes
        most = min(limit or feed.of, feed.of)
        if most < 1:
            raise Misconfigured("a page holds at least one record: limit must be 1 or more")
        deadline = self._deadline()
        with self._pace.turn(deadline), self._database.asked(deadline) as session:
            place = Place.at(cursor) if cursor else self._begin(asked, watermark, session)
            items, place, more = self._read(kind, asked, place, most, session, deadline)
        if not more and isinstance(feed, ModifiedSince) and feed.without_stamp == "read" and not place.bare:
            place, more = place.without_stamps(), True
        reached = later(place.newest, watermark) if isinstance(feed, ModifiedSince) else ""
        return Page(items, place.cursor if more else "", reached)

    def skip(self, kind: str, *, watermark: str, cursor: str) -> str | None:  # noqa: ARG002 - the port's parameters
        """None: a row that cannot be read is told on its own, so there is none to step over."""
        self._kind(kind)
        return None

    def fetch(self, kind: str, id: str) -> Item | None:
        """Read one row by its id; see the port. Raises PageUnreadable if it is not as declared, or not one."""
        asked = self._kind(kind)
        if asked.record.fetch is None:
            raise self._not_offered(kind, "fetch")
        value: str | int = id
        if asked.record.columns[asked.record.fetch.by] == "integer":
            try:
                value = int(id)
            except ValueError:
                return None
            if abs(value) >= 2**63:
                return None
        deadline = self._deadline()
        with self._pace.turn(deadline), self._database.asked(deadline) as session:
            rows = session.execute(asked.statements.one(value)).all()
        if not rows:
            return None
        raw = asked.reader.raw(rows[0])
        found = asked.reader.item(raw, twice=len(rows) > 1)
        if isinstance(found, UnreadableItem):
            raise PageUnreadable(f"reading a {found.reason}", reply=raw)
        return found

    def parse(self, kind: str, raw: bytes, *, id: str) -> Item | UnreadableItem:
        """Read one row's own bytes again; see the port."""
        found = self._kind(kind).reader.item(raw)
        return replace(found, id=found.id or id) if isinstance(found, UnreadableItem) else found

    def find(self, kind: str, key: str) -> list[Item]:
        """Not possible: nothing of ours is there."""
        raise NotImplementedError(f"{self._profile.system} is only read; nothing can be looked for in it")

    def deliver(self, kind: str, record: Record, *, key: str, id: str = "", version: str = "") -> Receipt:  # noqa: ARG002 - the port's parameters; nothing is called
        """Not possible. Raises Misconfigured."""
        raise self._not_offered(kind, "create")

    def lookups(self, kind: str) -> tuple[str, ...]:  # noqa: ARG002 - the port's parameters; nothing is called
        """None: there are no codes to ask for."""
        return ()

    def codes(self, kind: str, path: str) -> list[Code]:
        """Not possible. Raises Misconfigured."""
        raise self._not_offered(kind, f"look-up of {path}")

    def doctor(self) -> list[Finding]:
        """Look at the live database without changing anything."""
        return examine(
            self._database,
            {name: one.statements for name, one in self._kinds.items()},
            {name: one.record for name, one in self._kinds.items()},
            self._deadline,
            self._clock(),
            lambda kind: self.changes(kind, watermark="", limit=1),
        )

    def close(self) -> None:
        """Let go of all sessions. Idempotent."""
        self._database.close()

    # --- Reading ------------------------------------------------------------------------------------------------------

    def _begin(self, asked: _Kind, watermark: str, session: Connection) -> Place:
        feed = asked.record.changes
        if not watermark or not isinstance(feed, ModifiedSince):
            return Place()
        at = begin(watermark, feed.overlap)
        first, last = session.execute(asked.statements.ends()).one()
        kind = asked.record.columns[str(asked.record.item.modified)]
        return Place(since=beginning(at, kind, first, last, self._zone))

    def _read(
        self, kind: str, asked: _Kind, place: Place, most: int, session: Connection, deadline: Deadline
    ) -> tuple[list[Item | UnreadableItem], Place, bool]:
        """Rows behind a place: the items, the place behind them, and whether there are more rows of this part.

        One row more than asked for is read, to know that and to see that it is another record. A page ends early when
        half of the call's time is gone or it grows too long.
        """
        reader, items = asked.reader, list[Item | UnreadableItem]()
        horizon = self._clock() + self._overlap(asked)
        ids: set[Any] = set()
        length = 0
        for row in self._rows(asked, place, most + 1, session):
            key = reader.key(row)
            if key.id == place.id and key.stamp == place.stamp and not items:
                raise Misconfigured(_FINER)
            twice = key.id in ids
            if len(items) == most and not twice:
                return items, place, True
            raw = reader.raw(row)
            length += len(raw)
            if items and (length > self._settings.max_reply_bytes or deadline.left() < deadline.seconds / 2):
                return items, place, True
            item = reader.item(raw, twice=twice)
            if len(raw) > self._settings.max_reply_bytes:
                words = f"a {kind} is longer than max_reply_bytes: take its large columns out of the profile"
                item = UnreadableItem(b"", words, item.id, item.modified)
            items.append(item)
            ids.add(key.id)
            place = place.behind(key.stamp, key.id).saw(item.modified, not_after=horizon)
        return items, place, len(items) > most

    def _rows(self, asked: _Kind, place: Place, most: int, session: Connection) -> Iterator[Any]:
        """The rows, streamed: never more than some hundred are held, however many were asked for."""
        statement = asked.statements.page(place, most)
        with session.execution_options(stream_results=True, max_row_buffer=200).execute(statement) as found:
            yield from found

    def _overlap(self, asked: _Kind) -> timedelta:
        feed = asked.record.changes
        return feed.overlap if isinstance(feed, ModifiedSince) else timedelta(0)

    def _deadline(self) -> Deadline:
        return Deadline.of(self._settings.timeout_seconds)

    def _kind(self, kind: str) -> _Kind:
        try:
            return self._kinds[kind]
        except KeyError:
            known = ", ".join(self._kinds)
            raise Misconfigured(
                f"the profile of {self._profile.system} has no records {kind}; it has {known}"
            ) from None

    def _not_offered(self, kind: str, what: str) -> Misconfigured:
        return Misconfigured(f"{self._profile.system} is read from a database: it declares no {what} for {kind}")
