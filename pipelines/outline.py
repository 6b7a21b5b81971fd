"""The outline of a site: what a command that only shows wants to know of its files, kept so that they need not be read.

It lies in the site's data folder, one for each account, and says of which files it was made: their names, sizes, stamps
and numbers on the disk, Dolen's own files among them, and the day. While all of that is as it was, the files would say
the same again. Whatever is amiss with it - not ours, half written, of yesterday - it is as if it were not there. It
holds no secret (of those it has the references) and no person but those whom `access.roles` names.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import stat
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import orjson
import sqlalchemy

from config.findings import Finding, Severity
from config.places import SERVICE, Places
from config.secrets import SecretMissing, is_reference, references
from pipelines.clock import Clock, to_instant
from pipelines.rights import Role
from pipelines.roles import Holding, Roles
from pipelines.routing import Route

if TYPE_CHECKING:
    from config.site import Site
    from pipelines.plant import Plant

#: Grows when what is kept here changes its form.
_FORM = 2
#: The folders of a site from which it is made.
_OF_A_SITE = ("config", "mappings", "codes", "profiles", "interfaces", "converters", "texts")
#: Dolen's own: another version, or an edit, may find other faults in the same files. First rooms with shipped files.
_SHIPPING, _OWN = ("connectors", "mappings"), ("config", "pipelines")
#: A file that changed so short a time ago may change again and show the same stamp. In nanoseconds.
SETTLED = 2_000_000_000
#: A site is small; where there are more files, counting them costs what is to be saved.
_MOST_FILES = 4_000
#: What needs no login; the address of a server may hold one, and is kept as a reference alone.
_WITHOUT_LOGIN = ("sqlite:///", "memory://")
#: Where `dolen.yaml` says that data lies. It decides only where is looked: what is found there says it again.
_DATA = re.compile(r"^data:[ \t]*[\"']?([^\s\"'#]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Outlined:
    """One council, as far as it is shown."""

    code: str
    gss: str
    name: Mapping[str, str]
    zone: str
    connections: Mapping[str, bool]  # whether its system may call us
    routes: tuple[Route, ...]


@dataclass(frozen=True, slots=True)
class Outline:
    """A site, as far as it is shown."""

    stage: str
    places: Places
    councils: tuple[Outlined, ...]
    roles: Roles
    findings: tuple[Finding, ...]
    days: Mapping[str, date]  # by zone: what is in force may be other rows tomorrow

    def is_of_today(self, clock: Clock) -> bool:
        """Whether it is still the day, everywhere, on which it was made."""
        return all(_day(clock, zone) == day for zone, day in self.days.items())


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the files look like of which an outline is made."""

    digest: str
    newest: int  # nanoseconds: when the youngest of the site's own files changed


def stamp(root: Path) -> Stamp | None:
    """Look at the files; None where they cannot be told apart by looking. `root`: the site's folder, resolved."""
    if not hasattr(os, "geteuid"):
        return None  # on Windows nothing says cheaply whose an outline is
    told, newest = hashlib.sha256(f"{_FORM} {sys.version} {root}".encode()), 0
    try:
        count = 0
        for line, changed in _files(root, _OF_A_SITE):
            told.update(line)
            newest, count = max(newest, changed), count + 1
            if count > _MOST_FILES:
                return None
        ours = Path(__file__).resolve().parent.parent
        for line, _ in chain(_files(ours, _SHIPPING), _files(ours, _OWN, ".py")):
            told.update(line)
        packages = Path(sqlalchemy.__file__).parent.parent.stat()  # what was installed beside it
    except (OSError, _NotPlain):
        return None
    told.update(str(packages.st_mtime_ns).encode())
    return Stamp(told.hexdigest(), newest)


def read(root: Path, seen: Stamp | None) -> Outline | None:
    """The outline of a site whose files look like this, None where there is none that may be believed."""
    if seen is None:
        return None
    try:
        found = _DATA.search((root / "config" / "dolen.yaml").read_text(encoding="utf-8"))
        data = found[1] if found else "var"
        told = orjson.loads(_own_bytes(_file(root / data)))
        if told["stamp"] != seen.digest or told["places"]["data"] != data:
            return None
        outline = _read(root, told)
        for reference in told["references"]:  # what they lead to may have gone; whoever builds the whole says so
            outline.places.secret(reference)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None
    return outline


def keep(site: Site, plant: Plant, seen: Stamp | None) -> None:
    """Keep what was made of a site's files, which looked like `seen` before they were read. Does nothing where that
    might not hold, or cannot be written: the next command reads the files."""
    if seen is None or seen.newest + SETTLED > time.time_ns() or stamp(site.root) != seen:
        return
    places = site.places
    urls, keys = (places.ledger, places.keys, places.broker), (places.main, places.next)
    may_hold_a_login = any(not is_reference(url) and not url.startswith(_WITHOUT_LOGIN) for url in urls)
    if may_hold_a_login or any(one is not None and one.startswith(SERVICE) for one in keys):
        return
    body = orjson.dumps(_told(site, plant) | {"stamp": seen.digest})
    file = _file(places.data_folder)
    unfinished = file.with_name(f"{file.name}.{os.getpid()}.new")
    with suppress(OSError):
        try:
            with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
                stream.write(body)
            unfinished.replace(file)
        except OSError:
            unfinished.unlink(missing_ok=True)


class _NotPlain(Exception):
    """A folder is a link: what lies behind it is not walked, and so not known."""


def _files(root: Path, names: tuple[str, ...], ending: str = "") -> Iterator[tuple[bytes, int]]:
    """(what there is to see of it, when it changed) of each file of that ending below some folders, in order."""
    folders = [str(root / name) for name in reversed(names)]
    while folders:
        folder = folders.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda one: one.name)
        except FileNotFoundError:
            continue
        for entry in entries:
            if entry.is_dir():
                if entry.is_symlink():
                    raise _NotPlain
                if entry.name != "__pycache__":
                    folders.append(entry.path)
                continue
            if not entry.name.endswith(ending):
                continue
            seen = entry.stat()
            line = f"{entry.path} {seen.st_mtime_ns} {seen.st_ctime_ns} {seen.st_size} {seen.st_ino}\n"
            yield line.encode("utf-8", "surrogateescape"), max(seen.st_mtime_ns, seen.st_ctime_ns)


def _file(data: Path) -> Path:
    return data / f"outline-{os.geteuid()}.json"


def _own_bytes(file: Path) -> bytes:
    """Read a file that nobody else can have written. Raises OSError, ValueError."""
    entry = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(entry, "rb") as stream:
        seen = os.fstat(entry)
        if not stat.S_ISREG(seen.st_mode) or seen.st_uid != os.geteuid() or seen.st_mode & 0o077:
            raise ValueError("another account's, or open to others")
        return stream.read()


def _day(clock: Clock, zone: str) -> date:
    return to_instant(clock.now()).astimezone(ZoneInfo(zone)).date()


def _told(site: Site, plant: Plant) -> dict[str, Any]:
    """What is kept, as JSON can hold it."""
    documents = (site.document, *site.text_documents.values())
    zones = {"UTC", *(files.settings.council.time_zone for files in site.councils.values())}
    return {
        "stage": plant.stage,
        "places": {name: getattr(site.places, name) for name in _PLACES},
        "references": sorted(
            {one for document in documents for _, one in references(document.data) if _leads_somewhere(site, one)}
        ),
        "days": {zone: _day(plant.clock, zone).isoformat() for zone in sorted(zones)},
        "break_glass": plant.roles.break_glass.total_seconds(),
        "roles": [
            {"role": one.role.value} | {name: sorted(getattr(one, name)) for name in _HELD}
            for one in plant.roles.holdings
        ],
        "findings": [dataclasses.asdict(one) for one in plant.findings],
        "councils": [
            {
                "code": one.code, "gss": one.gss, "name": dict(one.name), "zone": one.zone,
                "connections": {name: bool(wired.settings.get("pushed")) for name, wired in one.wired.items()},
                "routes": [
                    {name: getattr(route, name) for name in _OF_A_ROUTE}
                    | {"within": None if route.arrive_within is None else route.arrive_within.total_seconds()}
                    for route in one.routes
                ],
            }
            for one in plant.councils.values()
        ],
    }  # fmt: skip


_PLACES = ("data", "ledger", "broker", "keys", "main", "next")
_HELD = ("councils", "groups", "names", "accounts")
_OF_A_ROUTE = ("name", "source", "target", "kind", "carries", "text")


def _leads_somewhere(site: Site, reference: str) -> bool:
    try:
        return bool(site.secret(reference))
    except SecretMissing:
        return False


def _read(root: Path, told: Mapping[str, Any]) -> Outline:
    """The same back. Raises LookupError, TypeError, ValueError, AttributeError for what is none."""
    holdings = tuple(
        Holding(Role(one["role"]), **{name: frozenset(one[name]) for name in _HELD}) for one in told["roles"]
    )
    councils = tuple(
        Outlined(
            one["code"], one["gss"], one["name"], one["zone"], dict(one["connections"]),
            tuple(
                Route(
                    **{name: route[name] for name in _OF_A_ROUTE}, when={},
                    arrive_within=None if route["within"] is None else timedelta(seconds=route["within"]),
                )
                for route in one["routes"]
            ),
        )
        for one in told["councils"]
    )  # fmt: skip
    findings = tuple(Finding(**one | {"severity": Severity(one["severity"])}) for one in told["findings"])
    roles = Roles(holdings, root / "config" / "dolen.yaml", timedelta(seconds=told["break_glass"]))
    days = {zone: date.fromisoformat(day) for zone, day in told["days"].items()}
    return Outline(told["stage"], Places(root, **told["places"]), councils, roles, findings, days)
