"""The mapping bench: golden pairs run as they lie beside the files, and one record looked at through its mapping.

Values are masked by the sensitivity of their fields unless somebody who may see them asks to (`reveal`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from config.findings import Finding, SiteFaults
from config.site import Site
from connectors.port import UnreadableItem
from mappings import golden, paths
from mappings.mapping import Gap, MappedField, Remark
from mappings.mapping import Mapping as FieldMapping
from pipelines import composition, invented
from pipelines.library import Library
from pipelines.looking import sees_version
from pipelines.masking import masked, shown
from pipelines.plant import Plant
from pipelines.tables import version

#: What times without offset mean where neither a connection nor a profile says so.
ZONE = "Europe/London"
_NOTHING = object()
_INDEX, _FILTER = re.compile(r"\[\d+\]"), re.compile(r"\[[^\]]*\]")


@dataclass(frozen=True, slots=True)
class Tried:
    """One mapping, tried against its golden pairs."""

    mapping: str
    file: str
    pairs: int = 0
    differences: tuple[golden.Difference, ...] = ()
    rows: tuple[str, ...] = ()  # beside each difference: file:line of the row that made it, "" where it is no one row's
    findings: tuple[Finding, ...] = ()  # the mapping or a pair cannot be used at all
    uncovered: tuple[str, ...] = ()  # rows that no pair gives a value: "read person.name.family"

    @property
    def well(self) -> bool:
        """Everything that was tried came out as its pair says."""
        return not self.differences and not self.findings


@dataclass(frozen=True, slots=True)
class ShownRow:
    """One row of a mapping with what the record has there. `repr` shows no value."""

    ours: str
    theirs: str
    direction: str
    value: str = field(repr=False)  # masked, unless revealed; so are the next two
    gap: str = ""  # why it was not carried
    their_value: str = field(default="", repr=False)
    back: str = field(default="", repr=False)  # what is written back: "same", or what stands there then


@dataclass(frozen=True, slots=True)
class Change:
    """One place that differs after the way there and back. `repr` shows no value."""

    path: str
    before: str = field(repr=False)
    after: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Preview:
    """One record through its mapping, and back."""

    mapping: str
    unreadable: str = ""  # why the record cannot be read at all; then all else is empty
    rows: tuple[ShownRow, ...] = ()
    left_out: tuple[Gap, ...] = ()
    stopped: tuple[Gap, ...] = ()
    remarks: tuple[Remark, ...] = ()
    back_stopped: tuple[Gap, ...] = ()  # why it could not be written back
    back_left_out: tuple[Gap, ...] = ()
    onto: tuple[Change, ...] = ()  # what writing it back onto itself would change in the record
    lost: tuple[Change, ...] = ()  # facts that a new record written from them would not show again


def run_golden(root: Path, *, reveal: bool = False) -> list[Tried]:
    """Try every mapping of a site, its own and the shipped ones. Raises SiteFaults if `dolen.yaml` cannot be used."""
    site = composition.load(root)
    return try_all(site, Library(site.layers), site.layers.names("mappings"), reveal=reveal)


def try_all(site: Site, library: Library, names: Sequence[str], *, reveal: bool = False) -> list[Tried]:
    """Try these mappings against the pairs beside them. `reveal`: differences show values."""
    zones = zones_of(site, library)
    return [_try(library, name, zones, reveal=reveal) for name in names]


def accept(root: Path, name: str) -> list[str]:
    """Write into the site's own pairs of a mapping what it makes of their records today; return the files changed.

    The record of `read` and the facts and `onto` of `write` stay as they are: they are what is given. Raises SiteFaults
    where the mapping cannot be compiled; a pair that cannot be read is left for `run_golden` to tell of.
    """
    site = composition.load(root)
    library = Library(site.layers)
    zones = zones_of(site, library)
    mapping = library.mapping(name, _zone(library, name, zones))
    changed = []
    for path in pairs_of(library, name):
        if not path.is_relative_to(site.layers.site):
            continue  # a shipped one
        before = path.read_bytes()
        try:
            after = golden.accepted(mapping, golden.load(before, path.name))
        except golden.BadPair:
            continue
        text = (json.dumps(after, ensure_ascii=False, indent=2) + "\n").encode()
        if json.loads(before) != after:
            path.write_bytes(text)
            changed.append(_called(library, path))
    return changed


def preview(
    plant: Plant,
    council: str,
    connection: str,
    kind: str,
    *,
    record: str | bytes | None = None,
    version_id: int | None = None,
    reveal: bool = False,
) -> Preview:
    """Show one record (its text, JSON or XML, or a version that the ledger holds) through the mapping of today.

    Raises LookupError, with a sentence, for a name or version that is not there; PayloadGone for an expired one.
    """
    wired = plant.councils[council].wired.get(connection) if council in plant.councils else None
    if wired is None or kind not in wired.kinds:
        raise LookupError(f"{council} has no connection {connection} with records {kind}")
    mapping = wired.kinds[kind].mapping
    id, raw = "", record.encode() if isinstance(record, str) else record
    if version_id is not None:
        with plant.ledger.reading() as reading:
            row = reading.execute(
                select(version).where(version.c.id == version_id, version.c.council == council, sees_version(plant))
            ).first()
            if row is None or (row.connection, row.kind) != (connection, kind):
                raise LookupError(f"{council} has no version {version_id} of {kind} from {connection}")
            id, raw = row.external_id, plant.vault.get(reading, council, row.raw)
    if raw is None:
        raise LookupError("neither a record nor the number of a version was given")
    if version_id is None and not raw.lstrip().startswith(b"<"):
        try:
            found = json.loads(raw)
        except ValueError as fault:
            where = f" (line {fault.lineno}, column {fault.colno})" if isinstance(fault, json.JSONDecodeError) else ""
            return Preview(mapping.name, f"the text is neither JSON nor XML{where}")
        if not isinstance(found, dict):
            return Preview(mapping.name, "the text is JSON, but not one record: it should begin with {")
        if "about" in found and isinstance(pair := found.get("read"), dict) and isinstance(pair.get("record"), dict):
            found = pair["record"]  # a golden pair was named
        return look_through(mapping, found, reveal=reveal)
    item = wired.connector.parse(kind, raw, id=id)
    if isinstance(item, UnreadableItem):
        return Preview(mapping.name, item.reason)
    return look_through(mapping, item.record, reveal=reveal)


def look_through(mapping: FieldMapping, record: dict[str, Any], *, reveal: bool = False) -> Preview:
    """Read a record, write it back, and say what comes of each row."""
    reading = mapping.read(record)
    onto = mapping.write(reading.facts, record)
    gaps = {gap.field: gap for gap in (*reading.left_out, *reading.stopped)}
    rows = tuple(
        ShownRow(
            row.ours,
            row.theirs,
            row.direction,
            shown(row.ours, reading.facts.get(row.ours, _NOTHING), reveal=reveal),
            str(gaps[row.ours]) if row.ours in gaps else "",
            *_beside(row, record, onto.record, reveal=reveal),
        )
        for row in mapping.rows
    )
    fresh = mapping.write(reading.facts, None)
    again = mapping.read(fresh.record).facts
    return Preview(
        mapping.name,
        rows=rows,
        left_out=tuple(reading.left_out),
        stopped=tuple(reading.stopped),
        remarks=tuple(reading.remarks),
        back_stopped=tuple(onto.stopped),
        back_left_out=tuple(onto.left_out),
        onto=tuple(
            Change(path, masked(before, reveal=reveal), masked(after, reveal=reveal))
            for path, before, after in golden.differences(record, onto.record, "")
        ),
        lost=tuple(
            Change(path, shown(path, value, reveal=reveal), shown(path, again.get(path, _NOTHING), reveal=reveal))
            for path, value in reading.facts.items()
            if value is not None and again.get(path) != value
        ),
    )


def _beside(row: MappedField, record: Any, back: Any, *, reveal: bool) -> tuple[str, str]:
    """What the record has at a row's path, and what it has once it was written back."""
    before, after = (_at(one, row.theirs) for one in (record, back))
    theirs = shown(row.ours, before, reveal=reveal)
    if row.direction == "read":
        return theirs, ""
    return theirs, "same" if before == after else shown(row.ours, after, reveal=reveal)


def _at(record: Any, theirs: str) -> Any:
    """The value at a path of a mapping, or the mark for nothing; a list is gone through where no item is picked."""
    try:
        steps = paths.parse(theirs)
    except paths.PathError:
        return _NOTHING  # a row of several paths
    for step in steps:
        if step.key == "." and not isinstance(record, dict):
            continue
        if isinstance(record, list):
            record = record[0] if len(record) == 1 else _NOTHING
        record = record.get(step.key, _NOTHING) if isinstance(record, dict) else _NOTHING
        if step.where:
            items = record if isinstance(record, list) else [record]
            record = next((one for one in items if isinstance(one, dict) and _picked(one, step.where)), _NOTHING)
    return record


def _picked(item: dict[str, Any], where: tuple[tuple[str, str], ...]) -> bool:
    return all(str(item.get(key)) == value for key, value in where)


def responsible(library: Library, mapping: FieldMapping, difference: golden.Difference) -> str:
    """The file and line of the row that made a difference; "" where it cannot be said."""
    path = _INDEX.sub("", difference.path)
    best: tuple[int, MappedField] | None = None
    for row in mapping.rows:
        key = row.ours if difference.direction == "read" else _FILTER.sub("", row.theirs)
        plain = _INDEX.sub("", key)
        if plain and (path == plain or path.startswith((f"{plain}/", f"{plain}.")) or plain.startswith(f"{path}/")):
            best = max(best or (0, row), (len(plain), row), key=lambda one: one[0])
    if best is None:
        return ""
    row = best[1]
    line = library.line_of_row(row.origin, row.ours, row.theirs)
    return f"{row.origin}:{line}" if line else row.origin


def _try(library: Library, name: str, zones: Dictionary[str, str], *, reveal: bool) -> Tried:
    file = library.called("mappings", name)
    try:
        data = library.document("mappings", name).data
        mapping = library.mapping(name, _zone(library, name, zones))
    except SiteFaults as faults:
        return Tried(name, file, findings=faults.findings)
    pairs: dict[str, golden.Pair] = {}
    findings: list[Finding] = []
    for path in pairs_of(library, name):
        try:
            pairs[path.name] = golden.load(path.read_bytes(), path.name)
        except (golden.BadPair, OSError) as fault:
            words = str(fault).partition(": ")[2] if isinstance(fault, golden.BadPair) else "a file that cannot be read"
            findings.append(
                Finding(_called(library, path), 0, 0, "", words, "a golden pair", "write it as docs show, or delete it")
            )
    found = library.layers.find("mappings", name)
    extends = isinstance(data, dict) and "extends" in data
    differences = tuple(golden.run(mapping, pairs, reveal=reveal))
    return Tried(
        name,
        file,
        len(pairs),
        differences,
        tuple(responsible(library, mapping, one) for one in differences),
        tuple(findings),
        tuple(golden.uncovered(mapping, pairs.values(), file if extends and found is not None else "")),
    )


def _zone(library: Library, name: str, zones: Dictionary[str, str]) -> str:
    data = library.document("mappings", name).data
    system = data.get("system") or data.get("extends", "").partition("/")[0] if isinstance(data, dict) else ""
    return zones.get(name) or zones.get(f"system {system}") or ZONE


def pairs_of(library: Library, name: str) -> list[Path]:
    """The pairs beside the mapping, and those of the site, which may add its own to a shipped mapping."""
    found = library.layers.find("mappings", name)
    folders = [library.layers.site / "mappings"]
    if found is not None and found.layer == "shipped":
        folders.insert(0, library.layers.shipped["mappings"])
    by_name = {path.name: path for folder in folders for path in sorted(folder.glob(golden.pattern(name)))}
    return [by_name[key] for key in sorted(by_name)]


def pair_file(library: Library, mapping: str, pair: str) -> str:
    """What findings call the file of a pair."""
    return next((_called(library, path) for path in pairs_of(library, mapping) if path.name == pair), pair)


def real_people(library: Library, mapping: str) -> Iterator[Finding]:
    """What in the pairs of a mapping may be of somebody real."""
    for path in pairs_of(library, mapping):
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue  # told where the pair is tried
        yield from invented.real_people(text, _called(library, path))


def _called(library: Library, path: Path) -> str:
    own = library.layers.site / "mappings"
    if path.is_relative_to(own):
        return f"mappings/{path.relative_to(own).as_posix()}"
    return f"mappings/{path.relative_to(library.layers.shipped['mappings']).as_posix()} (shipped)"


def zones_of(site: Site, library: Library) -> dict[str, str]:
    """In which zone each mapping is used here: by its name, and as "system X" for those that no council uses."""
    zones: dict[str, str] = {}
    for profile in site.layers.names("profiles"):
        try:
            data = library.document("profiles", profile).data
        except SiteFaults:
            continue  # told where the profile is checked
        if isinstance(data, dict) and composition.is_zone(data.get("clock")):
            zones.setdefault(f"system {data.get('system')}", data["clock"])
    for council in site.councils.values():
        for connection in council.settings.connections.values():
            try:
                clock = composition.profile_of(library, connection).get("clock")
            except SiteFaults:
                continue  # told where the council is wired
            for use in connection.records.values():
                zones.setdefault(use.mapping, str(clock or council.settings.council.time_zone))
    return zones
