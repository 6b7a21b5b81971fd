"""Where each row came from, and each of its keys: what screens, the loss report and `dolen mapping show` are told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mappings import paths
from mappings.mapping import MappedField, WrittenKey
from mappings.overlay import PlacedRow
from mappings.rows import ReadyRow
from mappings.several import SeveralRow


def mapped_rows(rows: Sequence[ReadyRow], several: Sequence[SeveralRow]) -> tuple[MappedField, ...]:
    """One entry for each pair of a field and a path, in the order of the file."""
    return tuple(_mapped(rows, several))


def _mapped(rows: Sequence[ReadyRow], several: Sequence[SeveralRow]) -> Iterator[MappedField]:
    joint = {row.parts[0].ours: row for row in several}
    for row in rows:
        if row.ours in joint:
            whole = joint[row.ours]
            for ours in whole.ours:
                for path in whole.theirs:
                    yield _one(ours, paths.spell(path), row)
        elif not row.hidden:
            yield _one(row.ours, row.shown, row)


def _one(ours: str, theirs: str, row: ReadyRow) -> MappedField:
    placed = row.placed
    lossy = placed.keys.get("lossy", False)
    loses = lossy if isinstance(lossy, str) else "declared lossy" if lossy else ""
    return MappedField(
        ours,
        theirs,
        row.direction,
        placed.whole.origin,
        loses,
        placed.whole.path,
        _keys(placed),
        mapped_rows(row.each, row.several),
    )


def _keys(placed: PlacedRow) -> tuple[WrittenKey, ...]:
    return tuple(
        WrittenKey(key, place.origin, place.path)
        for key, place in placed.places.items()
        if key in placed.keys or (key == "each" and placed.each)
    )
