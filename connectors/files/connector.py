"""The connector of a system that drops files. It reads them in order, page by page, and moves them only afterwards.

A file is moved or deleted when a later walk begins, because only then is it known that everything in it was written
down: the watermark that names it has been kept. A file that cannot be read as a whole is stepped over and told.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from itertools import islice
from typing import BinaryIO
from zoneinfo import ZoneInfo

from connectors.errors import Misconfigured, PageUnreadable, Unknown
from connectors.files.doctor import examine
from connectors.files.folder import Dropped, Folder, bounded
from connectors.files.items import ItemReader
from connectors.files.place import Place, Seen, digest_of, seen, watermark_of
from connectors.files.profile import OFFERS, Drop, FilesProfile, FilesRecord
from connectors.files.rows import Bad, Row, UnreadableFile, again, rows, total
from connectors.files.settings import FilesSettings, open_folder
from connectors.pace import Agree
from connectors.port import Finding, Item, Page, Receipt, Record, Tier, UnreadableItem
from connectors.sections import WithoutLookups

Interfaces = Callable[[str], bytes]

_KEPT_OPEN = 8  # files that are open at a time, waiting for their next page to be asked for
_COUNT_BYTES = 100  # of a control file: a number has no more


@dataclass(slots=True)
class _Open:
    """A file that is being read, and behind how many of its records."""

    stream: BinaryIO
    rows: Iterator[Row | Bad]
    row: int


class FilesConnector(WithoutLookups[FilesRecord]):
    """One folder of one council."""

    _profile: FilesProfile

    def __init__(
        self,
        profile: FilesProfile,
        settings: FilesSettings,
        interfaces: Interfaces,
        *,
        clock: Callable[[], datetime],
        agree: Agree | None = None,  # noqa: ARG002 - every family is made in the same way; a folder has no limits
        now: Callable[[], float] = time.time,
    ) -> None:
        """Read the pinned schemas. Raises Misconfigured; the folder is looked at with the first call."""
        self._profile = profile
        self._folder: Folder = open_folder(settings)
        self._clock = clock
        self._now = now
        self._open: dict[str, _Open] = {}
        self._lock = threading.Lock()
        zone = ZoneInfo(profile.clock)
        self._readers = {kind: ItemReader(kind, record, interfaces, zone) for kind, record in profile.records.items()}

    def offers(self, kind: str) -> frozenset[str]:
        """Files can be read and nothing else."""
        return OFFERS if kind in self._profile.records else frozenset()

    def tier(self, kind: str) -> Tier:
        """Nothing is written, so nothing can be found."""
        self._record(kind)
        return Tier.NEITHER

    def reads_first(self, kind: str) -> bool:
        """Nothing is written."""
        self._record(kind)
        return False

    def changes(self, kind: str, *, watermark: str, cursor: str = "", limit: int | None = None) -> Page:
        """Read one page of the file at the cursor, or of the first one that is not done; see the port.

        Raises PageUnreadable for a file that cannot be read as a whole.
        """
        drop, place, known = self._record(kind).changes, Place.at(cursor), seen(watermark)
        files = self._files(drop)
        if not cursor:
            self._tidy(drop, files, known)
        file = _next(files, place, known)
        if file is None:
            there = {digest_of(one) for one in files}
            return Page([], "", watermark_of(there & (known.done | frozenset(place.done))))
        mark = digest_of(file)
        row = place.row if place.file == mark else 0
        size = min(limit or drop.of, drop.of)
        found, over = self._page(kind, drop, file, row, size)
        behind = place.behind(mark) if over else place.within(mark, row + len(found))
        return Page([self._readers[kind].item(one) for one in found], behind.cursor, watermark)

    def skip(self, kind: str, *, watermark: str, cursor: str) -> str | None:
        """Return the cursor behind the file at `cursor`: what cannot be read as a whole cannot be read in part."""
        drop, place = self._record(kind).changes, Place.at(cursor)
        file = _next(self._files(drop), place, seen(watermark))
        return None if file is None else place.behind(digest_of(file)).cursor

    def parse(self, kind: str, raw: bytes, *, id: str) -> Item | UnreadableItem:
        """Read one record's own bytes again; see the port."""
        item = self._readers[kind].item(again(raw, self._record(kind).changes))
        return item if isinstance(item, Item) or item.id else UnreadableItem(item.raw, item.reason, id, item.modified)

    def fetch(self, kind: str, id: str) -> Item | None:  # noqa: ARG002 - the port's parameters; nothing is called
        """Not possible. Raises Misconfigured."""
        raise self._not_offered(kind, "fetch")

    def find(self, kind: str, key: str) -> list[Item]:
        """Not possible: nothing of ours is there."""
        raise NotImplementedError(f"{self._profile.system} drops files; nothing can be looked for in it")

    def deliver(self, kind: str, record: Record, *, key: str, id: str = "", version: str = "") -> Receipt:  # noqa: ARG002 - the port's parameters; nothing is called
        """Not possible. Raises Misconfigured."""
        raise self._not_offered(kind, "create")

    def doctor(self) -> list[Finding]:
        """Look into the folder without changing anything."""
        drops = {kind: record.changes for kind, record in self._profile.records.items()}
        return examine(self._folder, drops, self._now(), lambda kind: self.changes(kind, watermark="", limit=1))

    def close(self) -> None:
        """Close what is open. Idempotent."""
        with self._lock:
            for one in self._open.values():
                one.stream.close()
            self._open.clear()
        self._folder.close()

    def _files(self, drop: Drop) -> list[Dropped]:
        """The files of a kind that are whole, in order."""
        listed = bounded(self._folder.listing())
        names = {file.name for file in listed}
        mine = [
            file for file in listed if fnmatchcase(file.name, drop.names) and _whole(file, drop, names, self._now())
        ]
        return sorted(mine, key=lambda file: (file.changed, file.name) if drop.order == "time" else (0.0, file.name))

    def _page(self, kind: str, drop: Drop, file: Dropped, row: int, size: int) -> tuple[list[Row | Bad], bool]:
        """So many records behind a row, and whether the file is over. Raises PageUnreadable, Unknown."""
        mark = f"{kind} {digest_of(file)}"
        what = f"a file of {drop.names}, {_shown(file)}"
        one: _Open | None = None
        try:
            one = self._at(mark, drop, file, row)
            for _ in range(row - one.row):
                next(one.rows, None)  # these were taken in before
            found = list(islice(one.rows, size))
            over = len(found) < size
            if over:
                self._same(drop, file)
            else:
                self._keep(mark, _Open(one.stream, one.rows, row + size))
                one = None
        except UnreadableFile as trouble:
            raise PageUnreadable(f"{what}: {trouble}") from None
        except OSError:
            raise Unknown(f"{what}, cannot be read to its end") from None
        finally:
            if one is not None:
                one.stream.close()
        return found, over

    def _at(self, mark: str, drop: Drop, file: Dropped, row: int) -> _Open:
        """The file, open at a row or before it. Raises UnreadableFile for one that is not whole."""
        with self._lock:
            one = self._open.pop(mark, None)
        if one is not None and one.row == row:
            return one
        if one is not None:
            one.stream.close()
        if row == 0:
            self._counted(drop, file)
        stream = self._folder.stream(file.name)
        return _Open(stream, rows(stream, drop), 0)

    def _keep(self, mark: str, one: _Open) -> None:
        with self._lock:
            self._open[mark] = one
            while len(self._open) > _KEPT_OPEN:
                self._open.pop(next(iter(self._open))).stream.close()

    def _counted(self, drop: Drop, file: Dropped) -> None:
        """Hold a file against its control total before the first of its records is taken in. Raises UnreadableFile."""
        if drop.control is None:
            return
        with closing(self._folder.stream(file.name)) as stream:
            number, told = total(stream, drop)
        if drop.control.file is not None:
            with closing(self._folder.stream(file.name + drop.control.file)) as stream:
                told = stream.read(_COUNT_BYTES).decode("ascii", "replace").strip()
        if told is None:
            raise UnreadableFile("it has no trailer, so it may have been cut off")
        if not told.isascii() or not told.isdecimal():
            raise UnreadableFile("its control total is no number")
        if int(told) != number:
            raise UnreadableFile(f"its control total says {int(told)} records, and it holds {number}")

    def _same(self, drop: Drop, file: Dropped) -> None:
        """See that nobody wrote while we read. Raises Unknown: the file is read again."""
        now = next((one for one in self._folder.listing() if one.name == file.name), None)
        if now is not None and now.mark != file.mark:
            raise Unknown(f"a file of {drop.names} was written while it was read; it is read again")

    def _tidy(self, drop: Drop, files: list[Dropped], known: Seen) -> None:
        """Move or delete what an earlier walk has taken in, with what stood beside it."""
        if drop.after == "keep":
            return
        act = self._folder.move if drop.after == "move" else self._folder.delete
        beside = [drop.ready, drop.control.file if drop.control is not None else None]
        for file in [one for one in files if digest_of(one) in known.done]:
            act(file.name)
            for suffix in filter(None, beside):
                act(file.name + suffix)
            files.remove(file)

    def _not_offered(self, kind: str, what: str) -> Misconfigured:
        return Misconfigured(f"{self._profile.system} drops files: it declares no {what} for {kind}")


def _next(files: list[Dropped], place: Place, known: Seen) -> Dropped | None:
    """The file that the walk is in, or the first that neither it nor an earlier one has gone through."""
    if place.file:
        for file in files:
            if digest_of(file) == place.file:
                return file
    return next((file for file in files if known.news(file) and digest_of(file) not in place.done), None)


def _whole(file: Dropped, drop: Drop, names: set[str], now: float) -> bool:
    if drop.control is not None and drop.control.file is not None and file.name + drop.control.file not in names:
        return False
    if drop.ready is not None:
        return file.name + drop.ready in names
    return now - file.changed >= drop.quiet_seconds


def _shown(file: Dropped) -> str:
    """Which file it is, without its name: a name may be a person's."""
    return f"{file.size} bytes, of {datetime.fromtimestamp(file.changed, UTC):%Y-%m-%d %H:%M} UTC"
