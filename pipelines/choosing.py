"""Which mapping something is sent again with: today's, the one that it was mapped with, or a file that is not live yet.

Today's needs no word. The other two are a person's choice: their digest is kept with what is sent again, the audit
names them, and what they are made of is kept in the ledger as long as that.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from mappings.kept import CannotRun
from pipelines import artifacts, composition
from pipelines.library import Library
from pipelines.looking import NotPossible, council_of
from pipelines.tables import attempt

if TYPE_CHECKING:
    from mappings.mapping import Mapping as FieldMapping
    from pipelines.plant import Kind, Plant, Wired

CURRENT, ORIGINAL = "current", "original"


@dataclass(frozen=True, slots=True)
class Chosen:
    """What one thing is sent again with. `mapping` is None for today's, whatever that will be at that moment."""

    mapping: FieldMapping | None = None
    words: str = ""  # original, candidate

    @property
    def digest(self) -> str:
        """What is kept with a delivery: "" for today's."""
        return self.mapping.digest if self.mapping is not None else ""

    @property
    def artifacts(self) -> artifacts.Artifacts:
        """What must be kept with it."""
        return self.mapping.artifacts if self.mapping is not None else {}

    @property
    def action(self) -> str:
        """What the audit and the story call it."""
        return f"send again ({self.words} mapping {self.digest[:12]})" if self.mapping is not None else "send again"

    @property
    def detail(self) -> dict[str, Any] | None:
        """What the audit keeps beside it."""
        return {artifacts.CHOSEN: self.digest} if self.mapping is not None else None


@dataclass(slots=True)
class Chooser:
    """One choice for many things. `words`: current, original, or a mapping file or code list that is not live yet."""

    plant: Plant
    words: str = CURRENT
    _candidates: dict[tuple[str, str], FieldMapping] = field(default_factory=dict)
    _library: Library | None = None

    @property
    def is_todays(self) -> bool:
        """Nothing but today's mapping is asked for."""
        return self.words == CURRENT

    def only_todays(self, id: str) -> None:
        """Say that there is nothing to choose. Raises NotPossible unless today's mapping is asked for."""
        if not self.is_todays:
            raise NotPossible(f"{id} is written over what its system shows, which only today's mapping can do")

    def for_delivery(self, row: Any) -> Chosen:
        """The mapping to write a delivery with. Raises NotPossible, SiteFaults."""
        if self.is_todays:
            return Chosen()
        wired, kind = self._kind(row)
        if self.words != ORIGINAL:
            return self._candidate(wired, kind)
        with self.plant.ledger.reading() as connection:
            digest = connection.execute(
                select(attempt.c.mapping)
                .where(attempt.c.delivery_id == row.id, attempt.c.what == "send", attempt.c.mapping != "")
                .order_by(attempt.c.id.desc())
                .limit(1)
            ).scalar()
        return self._original(f"d{row.id}", digest, kind)

    def for_version(self, row: Any) -> Chosen:
        """The mapping to read a version with. Raises NotPossible, SiteFaults."""
        if self.is_todays:
            return Chosen()
        wired, kind = self._kind(row)
        if self.words != ORIGINAL:
            return self._candidate(wired, kind)
        return self._original(f"v{row.id}", row.mapping, kind)

    def _kind(self, row: Any) -> tuple[Wired, Kind]:
        wired = council_of(self.plant, row.council).wired.get(row.connection)
        kind = wired.kinds.get(row.kind) if wired is not None else None
        if wired is None or kind is None:
            raise NotPossible("no mapping takes part in it: what a text says is judged and worded afresh each time")
        return wired, kind

    def _original(self, id: str, digest: str | None, kind: Kind) -> Chosen:
        if not digest:
            raise NotPossible(f"{id} was never mapped: there is no original to send it with")
        if digest == kind.mapping.digest:
            return Chosen()
        try:
            return Chosen(self.plant.kept.mapping(self.plant.ledger, digest), ORIGINAL)
        except CannotRun as gone:
            raise NotPossible(f"the original mapping of {id} cannot be run: {gone}") from None

    def _candidate(self, wired: Wired, kind: Kind) -> Chosen:
        key = (wired.council, f"{wired.name}/{kind.name}")
        if key not in self._candidates:
            if self._library is None:
                self._library = Library(composition.load(self.plant.root).layers)
            self._candidates[key] = candidate(self._library, Path(self.words), kind.mapping)
        found = self._candidates[key]
        return Chosen() if found.digest == kind.mapping.digest else Chosen(found, "candidate")


def candidate(library: Library, file: Path, live: FieldMapping) -> FieldMapping:
    """A mapping with a file in the place of a live one: of the mapping itself (.yaml), or of a code list that it uses
    (.csv, by its name). Raises SiteFaults for what is wrong with it, NotPossible where it is about something else."""
    if not file.is_file():
        raise NotPossible(f"there is no file {file}: name one, or write `current` or `original`")
    if file.suffix == ".csv" and file.stem not in lists_of(live):
        raise NotPossible(f"{live.name} uses no code list {file.stem}: it uses {', '.join(lists_of(live)) or 'none'}")
    found = library.candidate(file, live.name, zone_of(live))
    if (found.system, found.record) != (live.system, live.record):
        raise NotPossible(
            f"{file.name} is about {found.system} {found.record}, and this is {live.system} {live.record}"
        )
    return found


def zone_of(mapping: FieldMapping) -> str:
    """The zone that a mapping was compiled with."""
    return str(json.loads(mapping.artifacts[mapping.digest][1])["zone"])


def lists_of(mapping: FieldMapping) -> list[str]:
    """The names of the code lists that a mapping uses."""
    return sorted(json.loads(mapping.artifacts[mapping.digest][1])["codes"])
