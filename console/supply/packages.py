"""Which packages an installation or a lock file holds, by the names under which advisories know them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

OURSELVES = "dolen"  # installed from its own folder: no feed knows it

_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s\\;]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True, order=True)
class Package:
    """One package at one version. `name` is spelled as PEP 503 says."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def installed() -> tuple[Package, ...]:
    """Every package of the Python that runs us, save ourselves."""
    found = {
        Package(canonicalize_name(name), one.version)
        for one in distributions()
        if (name := one.metadata["Name"]) and canonicalize_name(name) != OURSELVES
    }
    return tuple(sorted(found))


def locked(file: Path) -> tuple[Package, ...]:
    """Every package that a lock file pins. Raises OSError, and ValueError for a file that pins none."""
    found = {Package(canonicalize_name(name), version) for name, version in _PIN.findall(_text(file))}
    if not found:
        raise ValueError(f"{file.name} pins no package: name a file of lines such as requests==2.34.2")
    return tuple(sorted(found))


def version_of(text: str) -> Version | None:
    """A version as PEP 440 reads it, None for what is none."""
    try:
        return Version(text)
    except InvalidVersion:
        return None


def _text(file: Path) -> str:
    return file.read_bytes().decode("utf-8", "replace")
