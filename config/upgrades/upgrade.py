"""Bringing a site's files to today's format: what would change, and the writing of it.

`schema_version` in `config/dolen.yaml` holds for all files of the site. It is written last, so that an upgrade that was
cut off goes on when it is run again: a step does nothing where its old keys are gone. Comments, order and spacing stay.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from config.documents import Document, parse_yaml, read_yaml
from config.editing import CannotChange, entries_replaced, rewrite
from config.findings import Finding, Severity, SiteFaults, in_order
from config.settings import SCHEMA_VERSION
from config.upgrades import from_1_to_2
from config.upgrades.steps import ByHand, Change, Kind, Renamed, Step

#: The step that leads on from each older format.
STEPS: Mapping[int, Step] = {1: from_1_to_2.step}
COMMAND = "dolen site upgrade"


@dataclass(frozen=True, slots=True)
class Upgraded:
    """One file, as it is and as it would be."""

    name: str
    path: Path
    before: bytes = field(repr=False)
    after: bytes = field(repr=False)

    def difference(self) -> list[str]:
        """The lines that go and come, as `diff -u` shows them."""
        old, new = (raw.decode("utf-8-sig").splitlines() for raw in (self.before, self.after))
        return list(difflib.unified_diff(old, new, self.name, self.name, lineterm=""))


@dataclass(frozen=True, slots=True)
class Plan:
    """What an upgrade would do. `by_hand` must be done by a person first; then nothing stands in the way."""

    version: int
    files: tuple[Upgraded, ...]
    by_hand: tuple[Finding, ...]


def plan(root: Path, *, author: str, reason: str, on: date) -> Plan:
    """Work out the upgrade of a site; nothing is written.

    Raises CannotChange for a site of a newer or no format, SiteFaults for files that are not YAML.
    """
    version = _version(read_yaml(root / Kind.SITE.value, name=Kind.SITE.value))
    files: list[Upgraded] = []
    by_hand: list[Finding] = []
    faults: list[Finding] = []
    for kind, path, name in _files(root):
        try:
            before = path.read_bytes()
            after = before
            for number in range(version, SCHEMA_VERSION):
                document = parse_yaml(after.replace(b"\r\n", b"\n"), path, name=name)
                changes = list(STEPS[number](kind, document))
                by_hand += [_told(document, one) for one in changes if isinstance(one, ByHand)]
                entries = {one.path: (one.key, one.value) for one in changes if isinstance(one, Renamed)}
                if kind is Kind.SITE:
                    entries[("schema_version",)] = ("schema_version", number + 1)
                after = entries_replaced(after, path, entries, author=author, reason=reason, on=on)
        except SiteFaults as fault:
            faults += fault.findings
            continue
        if after != before:
            files.append(Upgraded(name, path, before, after))
    if faults:
        raise SiteFaults(faults)
    return Plan(version, tuple(files), in_order(by_hand))


def write(planned: Plan) -> None:
    """Write what was planned, the format's number last. Raises CannotChange if a file has changed meanwhile."""
    if planned.by_hand:
        raise CannotChange(f"{len(planned.by_hand)} to do by hand first: nothing was written")
    for one in planned.files:

        def change(now: bytes, one: Upgraded = one) -> bytes:
            if now != one.before:
                raise CannotChange(f"somebody else changed {one.name} at the same time: look at it and try again")
            return one.after

        rewrite(one.path, change)


def with_upgrades(root: Path, found: Iterable[Finding]) -> list[Finding]:
    """Add what an upgrade would change to what was found in a site of an older format.

    What today's format refuses is told once, as an error with the way out; what it still takes is a warning.
    """
    found = list(found)
    told = list(outdated(root))
    refused = {(one.file, one.line, one.column) for one in found if one.severity is Severity.ERROR}
    better = {(one.file, one.line, one.column): one for one in told}
    kept = [one for one in found if (one.file, one.line, one.column) not in better]
    for place, one in better.items():
        severity = Severity.ERROR if place in refused else Severity.WARNING
        kept.append(
            Finding(one.file, one.line, one.column, one.key, one.found, one.expected, one.remedy, severity)
        )
    return kept


def outdated(root: Path) -> Iterator[Finding]:
    """What is of an older format, with file and line. Nothing for a site of today's or of none that is known."""
    try:
        document = read_yaml(root / Kind.SITE.value, name=Kind.SITE.value)
        version = _version(document)
    except (SiteFaults, CannotChange):
        return  # told where the settings are read
    if version == SCHEMA_VERSION:
        return
    yield document.finding(
        ("schema_version",), found=f"format {version}, of an older Dolen", expected=f"format {SCHEMA_VERSION}",
        remedy=f"run: {COMMAND}", severity=Severity.WARNING,
    )  # fmt: skip
    for kind, path, name in _files(root):
        try:
            one = read_yaml(path, name=name)
        except SiteFaults:
            continue
        for change in STEPS[version](kind, one):
            yield _told(one, change)


def newer(document: Document) -> Finding | None:
    """Say it where a site was written for a newer Dolen than this one."""
    version = document.data.get("schema_version") if isinstance(document.data, dict) else None
    if type(version) is not int or version <= SCHEMA_VERSION:
        return None
    return document.finding(
        ("schema_version",), found=f"format {version}, of a newer Dolen", expected=f"format {SCHEMA_VERSION} at most",
        remedy="install the Dolen that this site was written for, or take the site's files of before back",
    )  # fmt: skip


def _told(document: Document, change: Change) -> Finding:
    old = change.path[-1]
    match change:
        case Renamed(path, key):
            expected = f"`{key}`, which took its place"
            return document.finding(path, found=f"`{old}`, of an older format", expected=expected,
                                    remedy=f"run: {COMMAND}")  # fmt: skip
        case ByHand(path, expected, remedy):
            return document.finding(path, found=f"`{old}`, of an older format", expected=expected, remedy=remedy)


def _version(document: Document) -> int:
    version = document.data.get("schema_version") if isinstance(document.data, dict) else None
    if type(version) is not int or version < 1:
        raise CannotChange(f"{document.name} has no `schema_version` that is a number: see what `dolen check` says")
    fault = newer(document)
    if fault is not None:
        raise CannotChange(f"{document.name}: {fault.found}; this one knows {fault.expected}: {fault.remedy}")
    return version


def _files(root: Path) -> Iterator[tuple[Kind, Path, str]]:
    """List a site's files, its own last: it holds the format's number."""
    for kind in (Kind.TEXT, Kind.COUNCIL):
        for path in sorted((root / kind.value).glob("[!.]*.yaml")):
            yield kind, path, f"{kind.value}/{path.name}"
    yield Kind.SITE, root / Kind.SITE.value, Kind.SITE.value

