"""Freshness: a running process works with the site's mappings and code lists as they are now.

Whoever begins a batch of records calls `take_in` before, so that what a person released is never read or written with
the rows of before. It looks at names, sizes and stamps of the site's own files and at the council's day, and compiles
anew when one of them moved. A mapping that has faults now keeps its last good version, and that is said once.
Connections, routes and profiles are not read again: they need a new start. One thing of them is: a route that was put
into shadow sends nothing from the next batch on, since whoever does that is in a hurry.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from datetime import date
from zoneinfo import ZoneInfo

from config.findings import SiteFaults
from config.layers import Layers
from config.site import COUNCIL_FOLDER
from pipelines.clock import Clock, to_instant
from pipelines.library import Library
from pipelines.logs import log, warn
from pipelines.plant import Council, Kind

#: Folders of a site whose files are taken in while it runs.
WATCHED = ("mappings", "codes")
#: By council, the routes that the site's files have in shadow.
Shadows = Mapping[str, frozenset[str]]
#: What is known of one file or folder: stamp, size, number on the disk.
Sight = Mapping[str, tuple[int, int, int]]
#: Golden pairs may be many, and nothing is compiled from them.
_EXAMPLES = "golden"


def day_of(clock: Clock, zone: str) -> date:
    """Which day it is in a zone."""
    return to_instant(clock.now()).astimezone(ZoneInfo(zone)).date()


def look(layers: Layers) -> Sight:
    """What the site's own folders of mappings, code lists and councils look like."""
    seen: dict[str, tuple[int, int, int]] = {}
    for name in (*WATCHED, COUNCIL_FOLDER):
        for folder, inner, files in os.walk(layers.site / name):
            inner[:] = [one for one in inner if one != _EXAMPLES]
            for path in (folder, *(os.path.join(folder, file) for file in files)):  # noqa: PTH118 - quicker by half
                try:
                    found = os.stat(path)  # noqa: PTH116 - as above
                except OSError:
                    continue  # just replaced: the folder's own stamp tells
                seen[path] = (found.st_mtime_ns, found.st_size, found.st_ino)
    return seen


class Freshness:
    """Keeps the mappings of all councils as the files say. Safe to use from several threads at once."""

    def __init__(
        self,
        layers: Layers,
        councils: Mapping[str, Council],
        clock: Clock,
        seen: Sight,
        shadows: Callable[[], Shadows] = dict,
    ) -> None:
        """`seen`: what the files looked like before the councils were wired from them. `shadows` reads from them which
        routes are in shadow, and leaves out a council whose file is faulty now."""
        self._shadows = shadows
        self.layers = layers
        self._councils = councils
        self._clock = clock
        self._seen = seen
        self._days = self._today()
        self._lock = threading.Lock()

    def take_in(self) -> bool:
        """Compile anew what changed; say whether anything was looked at anew."""
        with self._lock:
            seen, days = look(self.layers), self._today()
            if seen == self._seen and days == self._days:
                return False
            # Noted before the files are read: what changes meanwhile is found by the next look.
            council_files = _councils(seen) != _councils(self._seen)
            self._seen, self._days = seen, days
            if council_files:
                self._darken()
            self._compile(days)
            return True

    def _darken(self) -> None:
        """Note what was put into shadow. Out of it leads a new start alone, which asks first whether it may be."""
        try:
            shadows = self._shadows()
        except (SiteFaults, OSError):
            warn("shadows_not_taken_in")
            return
        for code, names in shadows.items():
            council = self._councils.get(code)
            for route in council.routes if council is not None else ():
                if council is not None and route.name in names and not council.in_shadow(route):
                    council.shadowed.add(route.name)
                    log("route_in_shadow", council=code, route=route.name)

    def _today(self) -> dict[str, date]:
        zones = {council.zone for council in self._councils.values()}
        return {zone: day_of(self._clock, zone) for zone in zones}

    def _compile(self, days: Mapping[str, date]) -> None:
        library = Library(self.layers)
        for council in self._councils.values():
            for wired in council.wired.values():
                for kind in (*wired.kinds.values(), *wired.answers.values()):
                    self._one(library, council.code, wired.name, kind, days[council.zone])

    def _one(self, library: Library, council: str, connection: str, kind: Kind, day: date) -> None:
        try:
            made = library.mapping(kind.mapping_name, kind.zone, day)
        except (SiteFaults, LookupError, OSError) as fault:
            # Each change of the files is looked at once, so this is said once for each.
            count = len(fault.findings) if isinstance(fault, SiteFaults) else 1
            warn("mapping_not_taken_in", council=council, connection=connection, kind=kind.name, count=count)
            return
        if made.digest != kind.mapping.digest:
            kind.mapping = made
            log("mapping_taken_in", council=council, connection=connection, kind=kind.name)


def _councils(seen: Sight) -> Sight:
    """Of what was seen, the councils' files."""
    return {path: known for path, known in seen.items() if COUNCIL_FOLDER in path.replace(os.sep, "/")}
