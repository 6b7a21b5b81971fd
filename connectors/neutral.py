"""The neutral form on this side of the wall: interfaces put together as plain data, and walked by a profile's paths.

The words of the form are those of `mappings.interface`; the two rooms are strangers, so what crosses is data alone.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

Schema = dict[str, Any]


def interface(
    system: str,
    kind: str,
    file: str,
    *,
    read: Schema | None,
    create: Schema | None,
    update: Schema | None,
    ours: Collection[str],
) -> dict[str, Any]:
    """One kind of record as data, with the keys of `mappings.interface.Interface`."""
    return {
        "system": system,
        "kind": kind,
        "file": file,
        "read": read,
        "create": create,
        "update": update,
        "ours": sorted(ours),
    }


def at(schema: Schema, path: str) -> Schema | None:
    """What stands at `Result/Referral[]` below a schema: of a list its items. None if there is nothing."""
    found: Schema | None = schema
    for step in path.removesuffix("[]").split("/"):
        found = _items(found)
        found = found.get("properties", {}).get(step) if found is not None else None
    return _items(found)


def _items(schema: Schema | None) -> Schema | None:
    while schema is not None and schema.get("type") == "array":
        schema = schema.get("items")
    return schema
