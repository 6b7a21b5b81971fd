"""Copies of directories of services: read as a whole now and then, kept beside the ledger, searched on this machine.

A copy says where it came from, when it was read, and how much of it was not as the standard says, so that nobody takes
an old list for today's. Searching sends nothing anywhere: what an officer looks for could tell of a person.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import orjson

from config.editing import CannotChange, rewrite
from connectors.port import Item, UnreadableItem
from pipelines.looking import NotPossible
from pipelines.plant import Plant, Wired

PROTOCOL = "open-referral"
#: A copy that is older is shown with a warning.
STALE = timedelta(days=7)
_KEPT = ("id", "name", "status", "description", "url", "email", "fees", "alert", "minimum_age", "maximum_age",
         "assured_date", "last_modified")  # fmt: skip
_LONGEST = 1_000  # characters of a text that are kept: this is to find a service by, and its own page tells the rest


class Directory(Protocol):
    """What of a directory's connector is used here."""

    def about(self) -> Any:
        """What the directory says of itself."""

    def entries(self) -> Any:
        """Every service."""


@dataclass(slots=True)
class Copy:
    """A directory as it was read."""

    council: str
    connection: str
    source: str  # the address that it was read from
    standard: str  # the version that the directory says it has
    read_at: datetime
    services: list[dict[str, Any]] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)  # why -> how many were not as the standard says

    def age(self, now: datetime) -> timedelta:
        """How old it is."""
        return now - self.read_at


@dataclass(frozen=True, slots=True)
class Found:
    """One service that was found, and the copy that it stands in."""

    service: dict[str, Any]
    copy: Copy


def directories(plant: Plant, council: str = "") -> list[Wired]:
    """The connections that are directories. Raises NotPossible if there is none."""
    among = [one for code, one in plant.councils.items() if council in ("", code)]
    found = [wired for one in among for wired in one.wired.values() if wired.settings.get("protocol") == PROTOCOL]
    if not found:
        raise NotPossible("no connection is a directory of services: its profile would say `protocol: open-referral`")
    return found


def refresh(plant: Plant, wired: Wired, source: str, progress: Callable[[str, int], None] | None = None) -> Copy:
    """Read a directory anew and keep it in the place of the copy there was. Raises any of `connectors.errors`.

    A directory that suddenly lists nothing keeps its copy: raises NotPossible.
    """
    connector: Directory = wired.connector  # type: ignore[assignment]  # its protocol says that it is one
    copy = Copy(wired.council, wired.name, source, connector.about().version, plant.clock.instant())
    for item in connector.entries():
        one: Item | UnreadableItem = item
        if isinstance(one, UnreadableItem):
            copy.left_out[one.reason] = copy.left_out.get(one.reason, 0) + 1
        else:
            copy.services.append(_short(one.record))
        if progress is not None:
            progress(f"{wired.council}/{wired.name}", len(copy.services))
    before = kept(plant, wired)
    if not copy.services and before is not None and before.services:
        raise NotPossible(f"{wired.name} lists no service now, and {len(before.services)} before: the copy stays")
    body = orjson.dumps(
        {
            "source": copy.source,
            "standard": copy.standard,
            "read_at": copy.read_at.isoformat(),
            "left_out": copy.left_out,
            "services": copy.services,
        }
    )
    try:
        rewrite(_path(plant, wired), lambda _: body, start=b"")
    except CannotChange as fault:
        raise NotPossible(str(fault)) from None
    return copy


def kept(plant: Plant, wired: Wired) -> Copy | None:
    """The copy of a directory, None if it was never read or cannot be read any more."""
    try:
        told = orjson.loads(_path(plant, wired).read_bytes())
        at = datetime.fromisoformat(told["read_at"])
        return Copy(wired.council, wired.name, told["source"], told["standard"], at, told["services"], told["left_out"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def find(
    plant: Plant, words: str, *, council: str = "", age: int | None = None, all_statuses: bool = False
) -> list[Found]:
    """The services in which all these words stand, whole or as beginnings, the name's hits first.

    `age`: only what takes a person of that age. Services that are not active are left out unless asked for.
    Raises NotPossible where no directory has been read yet.
    """
    copies = [copy for wired in directories(plant, council) if (copy := kept(plant, wired)) is not None]
    if not copies:
        raise NotPossible("no directory has been read yet: run `dolen services refresh`")
    wanted = _words(words)
    hits: list[tuple[int, str, Found]] = []
    for copy in copies:
        for service in copy.services:
            if not all_statuses and service.get("status") != "active":
                continue
            if age is not None and not _takes(service, age):
                continue
            name = _words(str(service.get("name", "")))
            there = name + _words(f"{service.get('description') or ''} {service.get('organisation') or ''}")
            if all(any(one.startswith(word) for one in there) for word in wanted):
                best = sum(any(one.startswith(word) for one in name) for word in wanted)
                hits.append((-best, str(service.get("name", "")), Found(service, copy)))
    return [found for *_, found in sorted(hits, key=lambda hit: hit[:2])]


def _short(record: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a service. Contacts are not: they name people."""
    organisation = record.get("organization")
    made = {key: record[key] for key in _KEPT if record.get(key) is not None}
    made |= {key: value[:_LONGEST] for key, value in made.items() if isinstance(value, str)}
    name = organisation.get("name") if isinstance(organisation, dict) else None
    return made | ({"organisation": name[:_LONGEST]} if isinstance(name, str) else {})


def _takes(service: dict[str, Any], age: int) -> bool:
    least, most = service.get("minimum_age"), service.get("maximum_age")
    return (least is None or least <= age) and (most is None or age <= most)


def _words(text: str) -> list[str]:
    """The words of a text without accents and case, so that `ty` finds `tŷ`."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return re.findall(r"\w+", "".join(sign for sign in plain if not unicodedata.combining(sign)))


def _path(plant: Plant, wired: Wired) -> Path:
    return plant.lock_file.parent / "directories" / wired.council / f"{wired.name}.json"
