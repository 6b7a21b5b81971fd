"""One place of a record, without a mapping: what stands at a path, and the smallest record that has a value there."""

from __future__ import annotations

from typing import Any

from mappings.meta import Json
from mappings.paths import Path
from mappings.read import as_items, matches
from mappings.rows import ABSENT


def look(record: Json, path: Path) -> Json:
    """What a record has at a path, ABSENT if nothing; of several items the first one that the filter picks."""
    here = record
    for place, step in enumerate(path):
        if isinstance(here, list) and len(here) == 1:
            here = here[0]
        if step.key == "." and isinstance(here, str):
            return here
        if not isinstance(here, dict) or step.key not in here:
            return ABSENT
        here = here[step.key]
        if step.where:
            picked = [item for item in as_items(here) or [] if matches(item, step.where)]
            here = picked if place == len(path) - 1 else picked[0] if picked else ABSENT
    return here


def holding(path: Path, value: Json) -> dict[str, Any]:
    """The smallest record that has this value at the path."""
    first, *rest = path
    inner: Json = holding(tuple(rest), value) if rest else value
    if first.where and rest:
        inner = [dict(first.where) | inner]
    return {first.key: inner}
