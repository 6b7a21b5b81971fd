"""The cabinet as Dolen sees it: `connectors.port.Connector`, method by method.

Each file is written under another name, flushed to the disk and then given its own, so that whoever reads it finds all
of it or nothing. A file's name is our key, so that a create that is repeated meets its own file: tier A.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from connectors.errors import Duplicate, Misconfigured, NotThere, Outdated, Rejected, Unreachable
from connectors.neutral import interface
from connectors.port import Code, Finding, Item, Page, Receipt, Record, Tier, UnreadableItem
from dolen_cabinet.profile import ALL, CabinetProfile, CabinetSettings

#: A key of ours, and nothing that could lead out of the drawer.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}")
_PAGE, _LARGEST = 100, 1_000_000  # records, bytes


class CabinetConnector:
    """One cabinet. Holds nothing between calls, so that it is safe to use from several threads."""

    def __init__(
        self,
        profile: CabinetProfile,
        settings: CabinetSettings,
        _interfaces: Callable[[str], bytes],
        *,
        clock: Callable[[], datetime],
        agree: Any = None,
    ) -> None:
        """Nothing is opened. There is no pinned interface to be held to; clock and turns are of no use to a folder."""
        self._profile, self._folder = profile, Path(settings.folder)
        del clock, agree

    def kinds(self) -> tuple[str, ...]:
        """See the port."""
        return tuple(self._profile.records)

    def offers(self, kind: str) -> frozenset[str]:
        """See the port."""
        return ALL if kind in self._profile.records else frozenset()

    # --- Source -------------------------------------------------------------------------------------------------------

    def changes(self, kind: str, *, watermark: str, cursor: str = "", limit: int | None = None) -> Page:
        """Pages in the order of the files' own stamps. The watermark is the newest stamp that was shown, and the next
        walk begins *at* it: what has the same stamp and came later is shown then, and what is shown twice is known."""
        with _asked(self._folder):
            entries = sorted(_stamp(path) for path in self._drawer(kind).glob("*.json"))
        wanted = [entry for entry in entries if entry[0] >= watermark and entry > _place(cursor)]
        page = wanted[: min(limit or _PAGE, _PAGE)]
        items = [self._read(name, self._drawer(kind) / name) for _, name in page]
        more = len(wanted) > len(page)
        newest = max([watermark, *(stamp for stamp, _ in entries)])
        return Page([one for one in items if one is not None], "|".join(page[-1]) if more else "", newest)

    def skip(self, kind: str, *, watermark: str, cursor: str) -> str | None:
        """Not needed: a file that cannot be read is one unreadable record and spoils no page."""
        return None

    def fetch(self, kind: str, id: str) -> Item | None:
        """See the port."""
        found = self._read(f"{id}.json", self._drawer(kind) / f"{_named(id)}.json")
        if isinstance(found, UnreadableItem):
            raise Rejected(found.reason)
        return found

    def parse(self, kind: str, raw: bytes, *, id: str) -> Item | UnreadableItem:
        """See the port."""
        return _item(id, raw, None)

    # --- Target -------------------------------------------------------------------------------------------------------

    def tier(self, kind: str) -> Tier:
        """A file's name is our key."""
        return Tier.KEEPS_KEY

    def reads_first(self, kind: str) -> bool:
        """A file is written whole."""
        return True

    def deliver(self, kind: str, record: Record, *, key: str, id: str = "", version: str = "") -> Receipt:
        """See the port."""
        name = _named(id or key)
        target, body = self._drawer(kind) / f"{name}.json", orjson.dumps(record, option=orjson.OPT_INDENT_2)
        if len(body) > _LARGEST:
            raise Rejected(f"the record is longer than the {_LARGEST} bytes that a sheet holds")
        with _asked(self._folder):
            held = target.read_bytes() if target.exists() else None
            if not id and held is not None:
                raise Duplicate("a sheet of that key is there", existing=name)
            if id and held is None:
                raise NotThere("there is no sheet of that number")
            if id and version and held is not None and _version(held) != version:
                raise Outdated("somebody has written on the sheet since it was read")
            _write(target, body)
        return Receipt(name, "updated" if id else "created", _version(body), _moment(target))

    def find(self, kind: str, key: str) -> list[Item]:
        """See the port."""
        found = self.fetch(kind, key)
        return [] if found is None else [found]

    # --- The rest -----------------------------------------------------------------------------------------------------

    def lookups(self, kind: str) -> tuple[str, ...]:
        """A cabinet has no lists of codes."""
        return ()

    def codes(self, kind: str, path: str) -> list[Code]:
        """See the port."""
        raise Misconfigured(f"a cabinet offers no look-up of {path} for {kind}")

    def doctor(self) -> list[Finding]:
        """See the port: what is looked at, and who mends it."""
        found = []
        for kind, drawer in self._profile.records.items():
            folder = self._folder / drawer.drawer
            well = folder.is_dir() and os.access(folder, os.R_OK | os.W_OK)
            words = "is there, and may be read and written" if well else "is not there, or may not be written"
            found.append(Finding(f"drawer {kind}", well, words, "" if well else "ask whoever keeps the folder"))
        return found

    def close(self) -> None:
        """There is nothing to let go of."""

    def _drawer(self, kind: str) -> Path:
        if kind not in self._profile.records:
            raise Misconfigured(f"the profile has no section for {kind}")
        return self._folder / self._profile.records[kind].drawer

    def _read(self, name: str, path: Path) -> Item | UnreadableItem | None:
        with _asked(self._folder):
            if not path.exists():
                return None
            raw = path.read_bytes() if path.stat().st_size <= _LARGEST else b""
            return _item(name.removesuffix(".json"), raw, _moment(path))


@contextmanager
def _asked(folder: Path) -> Iterator[None]:
    """Name what a disk does as the port does. Nothing was done where it refused, since a file comes whole or not."""
    try:
        yield
    except OSError as fault:
        raise Unreachable(f"the cabinet {folder.name} cannot be used ({type(fault).__name__})") from fault


def _item(id: str, raw: bytes, modified: datetime | None) -> Item | UnreadableItem:
    try:
        record = orjson.loads(raw)
    except orjson.JSONDecodeError:
        record = None
    if not isinstance(record, dict):
        return UnreadableItem(raw, "the sheet is not one JSON object", id, modified)
    return Item(id, record, raw, _version(raw), modified, our_key=id)


def _version(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def _moment(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime_ns / 1e9, UTC)


def _stamp(path: Path) -> tuple[str, str]:
    """The file system's own stamp as text that sorts by time, and the name."""
    return f"{path.stat().st_mtime_ns:020d}", path.name


def _place(cursor: str) -> tuple[str, str]:
    stamp, _, name = cursor.partition("|")
    return stamp, name


def _named(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise Rejected("that is no name of a sheet")
    return name


def _write(target: Path, body: bytes) -> None:
    part = target.with_suffix(".part")
    with part.open("wb") as out:
        out.write(body)
        out.flush()
        os.fsync(out.fileno())
    part.replace(target)


def interfaces_of(profile: CabinetProfile, _interfaces: Callable[[str], bytes]) -> list[dict[str, Any]]:
    """Nothing is known of what stands on a sheet, so no mapping is held against it."""
    kinds = profile.records
    return [interface(profile.system, kind, "", read=None, create=None, update=None, ours=()) for kind in kinds]
