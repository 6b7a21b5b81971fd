"""A stored feed of advisories, for machines that reach none: records of OSV (ossf.github.io/osv-schema) in files.

Read from one JSON file, a folder of them, or the zip in which OSV hands out a whole ecosystem; nothing is unpacked to
the disk. What is no advisory about a Python package is passed over, and what cannot be read is counted, because a feed
of which half was not understood must not pass for one that says nothing.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import Version

from console.supply.packages import Package, version_of

MOST_BYTES = 20_000_000  # of one record or file of records, unpacked
MOST_RECORDS = 500_000


class BadFeed(ValueError):
    """The stored feed cannot be used. The message says what to do."""


@dataclass(frozen=True, slots=True, order=True)
class Advisory:
    """One thing that is known against one package as it stands here."""

    package: Package
    id: str
    mended_in: tuple[str, ...] = ()


@dataclass(slots=True)
class Feed:
    """What a stored feed holds about Python packages."""

    records: int = 0
    unreadable: int = 0
    newest: datetime | None = None  # when its newest record was changed
    _by_name: dict[str, list[tuple[str, dict[str, Any]]]] = field(default_factory=dict, repr=False)

    def about(self, package: Package) -> Iterator[Advisory]:
        """What it knows against one package."""
        ours = version_of(package.version)
        for id, affected in self._by_name.get(package.name, ()):
            if package.version in _texts(affected.get("versions")) or (ours is not None and _within(ours, affected)):
                yield Advisory(package, id, tuple(_mended(affected)))

    def take(self, record: Any) -> None:
        """Take in one record of OSV's."""
        if not isinstance(record, dict) or not isinstance(record.get("id"), str):
            self.unreadable += 1
            return
        changed = _moment(record.get("modified"))
        if changed is None:
            self.unreadable += 1
            return
        about = [one for one in _dicts(record.get("affected")) if _is_python(one)]
        if not about:
            return
        self.records += 1
        self.newest = max(self.newest or changed, changed)
        if record.get("withdrawn"):
            return
        for one in about:
            self._by_name.setdefault(canonicalize_name(str(one["package"].get("name"))), []).append((record["id"], one))


def stored(path: Path) -> Feed:
    """Read a stored feed. Raises BadFeed, OSError."""
    feed = Feed()
    for number, raw in enumerate(_files(path)):
        if number >= MOST_RECORDS:
            raise BadFeed(f"{path.name} holds more than {MOST_RECORDS} files: is it OSV's feed of PyPI alone?")
        try:
            found = json.loads(raw)
        except (ValueError, RecursionError):
            feed.unreadable += 1
            continue
        for record in found if isinstance(found, list) else [found]:
            feed.take(record)
    return feed


def _files(path: Path) -> Iterator[bytes]:
    if path.is_dir():
        for file in sorted(path.glob("*.json")):
            yield _bounded(file.name, file.stat().st_size, file.read_bytes)
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as packed:
            for entry in packed.infolist():
                if entry.filename.endswith(".json"):
                    yield _unpacked(packed, entry)
    else:
        yield _bounded(path.name, path.stat().st_size, path.read_bytes)


def _bounded(name: str, size: int, read: Any) -> bytes:
    if size > MOST_BYTES:
        raise BadFeed(f"{name} is longer than {MOST_BYTES} bytes: hand in OSV's zip or a folder of single records")
    content: bytes = read()
    return content


def _unpacked(packed: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """One entry. zipfile unpacks no more of it than the size that it declares, so that one is held to the cap."""
    if entry.file_size > MOST_BYTES:
        raise BadFeed(f"an entry of the zip is longer than {MOST_BYTES} bytes: it is no feed of advisories")
    try:
        return packed.read(entry)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError):
        raise BadFeed("the zip cannot be unpacked: fetch it again") from None


def _is_python(affected: dict[str, Any]) -> bool:
    package = affected.get("package")
    return isinstance(package, dict) and package.get("ecosystem") == "PyPI" and isinstance(package.get("name"), str)


def _within(ours: Version, affected: dict[str, Any]) -> bool:
    """Whether a version lies in one of the ranges, by the rule of OSV's own schema."""
    for one in _dicts(affected.get("ranges")):
        if one.get("type") != "ECOSYSTEM":
            continue
        inside = False
        for kind, at in sorted(_events(one), key=lambda event: event[1]):
            if kind == "introduced" and ours >= at:
                inside = True
            elif (kind == "fixed" and ours >= at) or (kind == "last_affected" and ours > at):
                inside = False
        if inside:
            return True
    return False


def _events(one: dict[str, Any]) -> Iterator[tuple[str, Version]]:
    for event in _dicts(one.get("events")):
        for kind in ("introduced", "fixed", "last_affected"):
            at = version_of(str(event[kind])) if kind in event else None
            if at is not None:
                yield kind, at


def _mended(affected: dict[str, Any]) -> Iterator[str]:
    for one in _dicts(affected.get("ranges")):
        if one.get("type") == "ECOSYSTEM":
            yield from (str(event["fixed"]) for event in _dicts(one.get("events")) if "fixed" in event)


def _moment(text: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _texts(value: Any) -> Iterable[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
