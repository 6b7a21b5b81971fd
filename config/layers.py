"""Finding a mapping, code list, profile, interface or text by its name: the site's own first, then the shipped one.

Names come from files that people write, so a name never leads out of its folder: not by `..`, not by an absolute
path, not by a link. Where the shipped files lie is told by the caller; this room knows no other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config.findings import KeyPath, Problem, clean, did_you_mean, shown

# The ending of each kind of file; a name is written without it. Interfaces keep theirs (.wsdl, .openapi.yaml).
ENDINGS: Mapping[str, str] = {
    "mappings": ".yaml",
    "codes": ".csv",
    "profiles": ".yaml",
    "texts": ".yaml",
    "converters": ".py",
    "interfaces": "",
}

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,80}(?:/[A-Za-z0-9][A-Za-z0-9_.-]{0,80}){0,4}")


@dataclass(frozen=True, slots=True)
class Found:
    """A file and the layer it was found in: "site" or "shipped"."""

    path: Path
    layer: str


@dataclass(frozen=True, slots=True)
class Layers:
    """A site's folder laid over the shipped folders, one for each kind of `ENDINGS`."""

    site: Path
    shipped: Mapping[str, Path]

    def find(self, kind: str, name: str, *, below: str = "") -> Found | None:
        """Find a file of this kind by name; None if there is none or the name is not allowed.

        With `below="site"` only the shipped layer is looked at: a site's file may extend the shipped one of its name.
        """
        for layer, folder in self._folders(kind):
            if layer == below:
                continue
            path = _inside(folder, kind, name)
            if path is not None and path.is_file():
                return Found(path, layer)
        return None

    def read(self, kind: str, name: str) -> bytes:
        """Return the bytes of a file. Raises LookupError, saying where was looked."""
        found = self.find(kind, name)
        if found is None:
            problem = self.missing(kind, name, ())
            raise LookupError(f"found {problem.found}, expected {problem.expected}; {problem.remedy}")
        return found.path.read_bytes()

    def names(self, kind: str) -> tuple[str, ...]:
        """List the names of all files of this kind, of both layers, each once."""
        ending = ENDINGS[kind]
        names = set()
        for _, folder in self._folders(kind):
            for path in folder.rglob(f"*{ending or '.*'}") if folder.is_dir() else ():
                name = path.relative_to(folder).as_posix().removesuffix(ending)
                if path.is_file() and _NAME.fullmatch(name):
                    names.add(name)
        return tuple(sorted(names))

    def place_in_site(self, kind: str, name: str) -> Path:
        """Say where the site's own file of this name is, or would be. Raises ValueError for a name not allowed."""
        path = _inside(self.site / kind, kind, name)
        if path is None:
            raise ValueError(f"{shown(name)} is no name for a file under {kind}/")
        return path

    def missing(self, kind: str, name: str, at: KeyPath) -> Problem:
        """Say that there is no such file, and which name may have been meant."""
        written = f"{kind}/{clean(name)}{ENDINGS[kind]}"
        if _plain_name(kind, name) is None:
            return Problem(
                at, f"{shown(name)}, which is no name", f"a name under {kind}/", "write it without `..` and /"
            )
        near = did_you_mean(name, self.names(kind))
        remedy = near or f"create {written} in the site, or correct the name"
        return Problem(at, f"no file {written} in the site or among the shipped ones", f"a file under {kind}/", remedy)

    def _folders(self, kind: str) -> list[tuple[str, Path]]:
        if kind not in ENDINGS:
            raise ValueError(f"no kind of file: {kind}")
        shipped = self.shipped.get(kind)
        return [("site", self.site / kind), *([("shipped", shipped)] if shipped else [])]


def _plain_name(kind: str, name: str) -> str | None:
    """Return the name without the folder's own name before it, or None if it is not allowed."""
    bare = name.removeprefix(f"{kind}/")
    return bare if _NAME.fullmatch(bare) and ".." not in bare else None


def _inside(folder: Path, kind: str, name: str) -> Path | None:
    bare = _plain_name(kind, name)
    if bare is None:
        return None
    path = folder / f"{bare}{ENDINGS[kind]}"
    try:
        inside = path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # a circle of links
        return None
    return path if inside else None
