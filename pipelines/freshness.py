"""Freshness: a running process works with the site's mappings and code lists as they are now.

Whoever begins a batch of records calls `take_in` before, so that what a person released is never read or written with
the rows of before. It looks at names, sizes and stamps of the site's own files and at the council's day, and compiles
anew when one of them moved. A mapping that has faults now keeps its last good version, and that is said once.
Connections, routes and profiles are not read again: they need a new start.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from datetime import date
from zoneinfo import ZoneInfo

from config.findings import SiteFaults
from config.layers import Layers
from pipelines.clock import Clock, to_instant
from pipelines.library import Library
from pipelines.logs import log, warn
from pipelines.plant import Council, Kind

#: Folders of a site whose files are taken in while it runs.
WATCHED = ("mappings", "codes")
#: What is known of one file or folder: stamp, size, number on the disk.
Sight = Mapping[str, tuple[int, int, int]]
#: Golden pairs may be many, and nothing is compiled from them.
_EXAMPLES = "golden"


def day_of(clock: Clock, zone: str) -> date:
    """Which day it is in a zone."""
    return to_instant(clock.now()).astimezone(ZoneInfo(zone)).date()


def look(layers: Layers) -> Sight:
    """What the site's own folders of mappings and code lists look like."""
    seen: dict[str, tuple[int, int, int]] = {}
    for name in WATCHED:
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

    def __init__(self, layers: Layers, councils: Mapping[str, Council], clock: Clock, seen: Sight) -> None:
        """`seen`: what the files looked like before the councils were wired from them."""
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
            self._seen, self._days = seen, days
            self._compile(days)
            return True

    def _today(self) -> dict[str, date]:
        zones = {council.zone for council in self._councils.values()}
        return {zone: day_of(self._clock, zone) for zone in zones}

    def _compile(self, days: Mapping[str, date]) -> None:
        library = Library(self.layers)
        for council in self._councils.values():
            for wired in council.wired.values():
                for kind in wired.kinds.values():
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
