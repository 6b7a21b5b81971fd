"""From which file and line each row of a mapping is, and each of its keys: what `dolen mapping show` lists."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from config.layers import Layers
from mappings.mapping import KeyPath, MappedField
from pipelines import composition
from pipelines.library import Library
from pipelines.mapping_bench import ZONE


@dataclass(frozen=True, slots=True)
class Where:
    """One key of a row, and where it was written last."""

    key: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Origin:
    """One row of a mapping as all files together have it, and where it was written or changed last."""

    ours: str
    theirs: str
    direction: str
    lossy: str
    file: str
    line: int
    keys: tuple[Where, ...]
    each: tuple[Origin, ...] = ()

    @property
    def changed(self) -> tuple[Where, ...]:
        """The keys that the newest file wrote over a row of a file below it."""
        laid_over = any(one.file != self.file for one in self.keys)
        return tuple(one for one in self.keys if one.file == self.file) if laid_over else ()


def origins(root: Path, name: str) -> tuple[Origin, ...]:
    """Every row of a mapping. Raises SiteFaults if it cannot be used, LookupError with a sentence if there is none."""
    layers = composition.load(root).layers
    return origins_in(layers, Library(layers), name)


def origins_in(layers: Layers, library: Library, name: str) -> tuple[Origin, ...]:
    """The same, of a site that is open."""
    if layers.find("mappings", name) is None:
        problem = layers.missing("mappings", name, ())
        raise LookupError(f"There is {problem.found}; {problem.remedy}")
    return tuple(_origins(library.mapping(name, ZONE).rows, library))


def _origins(rows: Iterable[MappedField], library: Library) -> Iterable[Origin]:
    for row in rows:
        keys = tuple(Where(one.key, one.origin, _line(library, one.origin, one.path)) for one in row.keys)
        yield Origin(
            row.ours,
            row.theirs,
            row.direction,
            row.lossy,
            row.origin,
            _line(library, row.origin, row.at),
            keys,
            tuple(_origins(row.each, library)),
        )


def _line(library: Library, file: str, path: KeyPath) -> int:
    return library.locate(file, path, "", "", "").line
