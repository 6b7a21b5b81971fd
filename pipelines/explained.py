"""One mapping as its page explains it: where each row comes from, and what is lost. Kept while its files stay.

Explaining it takes reading and compiling all its files, which nobody who turns pages should wait for each time; names,
sizes and stamps of the files tell whether anything has changed since.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from config.layers import ENDINGS
from mappings.coverage import Loss
from pipelines import composition, freshness, loss_report, mapping_origin
from pipelines.freshness import Sight
from pipelines.library import Library
from pipelines.mapping_origin import Origin
from pipelines.plant import Plant

#: Mappings that are kept explained in one process.
MOST_KEPT = 32


@dataclass(frozen=True, slots=True)
class Explained:
    """A mapping, explained."""

    rows: tuple[Origin, ...]
    lost: tuple[Loss, ...]


_kept: OrderedDict[tuple[Path, str], tuple[Sight, Explained]] = OrderedDict()
_lock = threading.Lock()


def explained(plant: Plant, name: str) -> Explained:
    """Explain a mapping by its name. Raises SiteFaults if it cannot be used, LookupError if there is none."""
    key, seen = (plant.root, name), _seen(plant)
    with _lock:
        before = _kept.get(key)
        if before is not None and before[0] == seen:
            _kept.move_to_end(key)
            return before[1]
    site = composition.load(plant.root)
    library = Library(site.layers)
    made = Explained(mapping_origin.origins_in(site.layers, library, name), loss_report.losses_in(site, library, name))
    with _lock:
        _kept[key] = (seen, made)
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)
    return made


def _seen(plant: Plant) -> Sight:
    """What all files of the site look like that a mapping is explained from."""
    layers = plant.freshness.layers
    seen = dict(freshness.look(layers))
    for folder in ("config", *(kind for kind in ENDINGS if kind not in freshness.WATCHED)):
        for path in (layers.site / folder).rglob("*"):
            try:
                found = path.stat()
            except OSError:
                continue  # just replaced: the folder's own stamp tells
            seen[os.fspath(path)] = (found.st_mtime_ns, found.st_size, found.st_ino)
    return seen
