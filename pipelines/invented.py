"""Nobody real in a golden pair: look-alikes of live records, and the search for what may be of somebody.

A look-alike goes straight into a file; no value of it or of the record is shown. Making one is a view of the record,
and is written down as one.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import select

from config.findings import Finding
from connectors.errors import Misconfigured
from connectors.port import UnreadableItem
from connectors.registry import interfaces_of
from mappings import codes_csv, paths, realness
from mappings.golden import gap_words
from mappings.look_alike import look_alike
from mappings.mapping import Mapping as FieldMapping
from pipelines import audit, composition
from pipelines.library import Library
from pipelines.looking import NotPossible, sees_version, version_of
from pipelines.plant import Plant, Wired
from pipelines.tables import version

_REMEDY = "replace it by an invented one; `dolen mapping invent` makes a whole look-alike of a live record"
_RANGES = "NHS numbers of 999, telephones of 07700 900 or 01632 960, addresses at example.org"


def invent(plant: Plant, id: str, *, who: str, seed: str = "") -> Path:
    """Write an invented look-alike of a version (v12) as a golden pair of its mapping, and return the file.

    Raises NotPossible, PayloadGone or SomethingSurvived; then nothing was written.
    """
    row = version_of(plant, id)
    wired = plant.councils[row.council].wired.get(row.connection)
    if wired is None or row.kind not in wired.kinds:
        raise NotPossible(f"the site no longer has the connection that {id} came from")
    with plant.ledger.writing() as writing:
        raw = plant.vault.get(writing, row.council, row.raw)
        audit.write(
            writing, plant.vault, council=row.council, who=who, action="view: invent a look-alike", subject=id, why="",
            now=plant.clock.now(),
        )  # fmt: skip
    item = wired.connector.parse(row.kind, raw, id=row.external_id)
    if isinstance(item, UnreadableItem):
        raise NotPossible(f"{id} cannot be read: {item.reason}")
    mapping = wired.kinds[row.kind].mapping
    chosen = seed or secrets.token_hex(16)
    record = look_alike(item.record, chosen, _codes(plant, wired, mapping))
    target = _place(plant, mapping, hashlib.sha256(chosen.encode()).hexdigest()[:8])
    target.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(_pair(mapping, record), ensure_ascii=False, indent=2) + "\n"
    with target.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)
    return target


def newest(plant: Plant, council: str, connection: str, number: str) -> str:
    """The newest version of the record with that number, such as v12. Raises NotPossible."""
    with plant.ledger.reading() as reading:
        row = reading.execute(
            select(version.c.id)
            .where(
                version.c.council == council,
                version.c.connection == connection,
                version.c.external_id == number,
                sees_version(plant),
            )
            .order_by(version.c.id.desc())
            .limit(1)
        ).first()
    if row is None:
        raise NotPossible(f"{council}/{connection} has shown no record with that number")
    return f"v{row.id}"


def _place(plant: Plant, mapping: FieldMapping, mark: str) -> Path:
    folder, _, name = mapping.name.rpartition("/")
    place: Path = plant.root / "mappings" / folder / "golden" / f"{name}.invented-{mark}.json"
    if place.exists():
        raise NotPossible(f"there is a look-alike of that seed already: {place.relative_to(plant.root).as_posix()}")
    return place


def _pair(mapping: FieldMapping, record: dict[str, Any]) -> dict[str, Any]:
    reading = mapping.read(record)
    written = mapping.write(reading.facts, None)
    about = "An invented look-alike of a live record: nobody is in it. See whether each value is right, and say so."
    made: dict[str, Any] = {"about": about, "read": {"record": record, "facts": dict(reading.facts)}}
    made["read"] |= gap_words(reading.left_out, reading.stopped)
    made["write"] = {"record": written.record, **gap_words(written.left_out, written.stopped)}
    return made


def _codes(plant: Plant, wired: Wired, mapping: FieldMapping) -> set[str]:
    """The words of the mapping's code lists and of the interface's enumerations: no person is in them."""
    found: set[str] = set()
    for kind, body in mapping.artifacts.values():
        if kind == "codes":
            found |= {row.theirs for row in codes_csv.rows_of(body.decode(), "codes")[0]}
    for one in mapping.rows:  # what picks an item of a list: contacts[type=mobile]
        found |= {value for step in _steps(one.theirs) for _, value in step.where}
    return found | _enumerated(plant, wired)


def _steps(theirs: str) -> paths.Path:
    try:
        return paths.parse(theirs)
    except paths.PathError:
        return ()  # a row of several paths


def _enumerated(plant: Plant, wired: Wired) -> set[str]:
    site = composition.load(plant.root)
    settings = site.councils[wired.council].settings.connections[wired.name]
    profile = composition.profile_of(Library(site.layers), settings)
    try:
        described = interfaces_of(profile, interfaces=lambda name: site.layers.read("interfaces", name))
    except Misconfigured:
        return set()  # a system without a pinned interface
    return {str(word) for one in described for use in ("read", "create") for word in _words(one.get(use))}


def _words(schema: Any) -> Iterator[Any]:
    if isinstance(schema, Mapping):
        yield from schema.get("enum", ())
        for key in ("properties", "items", "anyOf"):
            inner = schema.get(key)
            for one in inner.values() if isinstance(inner, Mapping) and key == "properties" else [inner]:
                yield from _words(one)
    elif isinstance(schema, list):
        for one in schema:
            yield from _words(one)


# --- What may be of somebody ------------------------------------------------------------------------------------------


def real_people(text: str, file: str) -> Iterator[Finding]:
    """What in the text of a golden pair may be somebody's: one finding a place, never with the value."""
    try:
        data = json.loads(text)
    except ValueError:
        return  # told where pairs are read
    at = 0
    for path, value in _leaves(data, ""):
        written = json.dumps(value, ensure_ascii=False)
        place = text.find(written, at)
        if place < 0:
            place = text.find(json.dumps(value), at)
        at = max(at, place)
        for kind in realness.real_looking(value if isinstance(value, str) else str(value)):
            line = text.count("\n", 0, at) + 1
            found, expected = f"{kind} that may be somebody's", f"invented people alone: {_RANGES}"
            yield Finding(file, line, 1, path, found, expected, _REMEDY)


def _leaves(value: Any, at: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, f"{at}/{key}" if at else str(key))
    elif isinstance(value, list):
        for number, inner in enumerate(value, start=1):
            yield from _leaves(inner, f"{at}[{number}]")
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield at, value
