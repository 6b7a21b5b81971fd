"""A look at what would be sent, for pages and programs: paths and effects, values masked, and never an error unsaid."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines import masking
from pipelines.choosing import Chooser
from pipelines.looking import NotPossible
from pipelines.plant import Plant
from pipelines.previewing import Preview, preview, preview_version


@dataclass(frozen=True, slots=True)
class Looked:
    """One preview. `unknown`: why nothing can be said, in a sentence."""

    id: str
    preview: Preview | None
    unknown: str = ""

    @property
    def fields(self) -> list[tuple[str, str]]:
        """What would be sent, by its path in the target's record; each value says what it is and not what it says."""
        found = self.preview.fields if self.preview else ()
        return [(path, masking.masked(value, reveal=False)) for path, value in found]


def look_at(plant: Plant, id: str, chosen: str = "current") -> Looked:
    """Look at one delivery or version, as it would be sent with this mapping."""
    try:
        return Looked(id, looked(plant, id, chosen))
    except NotPossible as fault:
        return Looked(id, None, str(fault))


def looked(plant: Plant, id: str, chosen: str = "current") -> Preview:
    """The same. Raises NotPossible where nothing can be said."""
    chooser = Chooser(plant, chosen)
    if id.startswith("d"):
        return preview(plant, id, None if chooser.is_todays else chooser)
    return preview_version(plant, id, chooser)
