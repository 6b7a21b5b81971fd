"""What a record in a message looks like: by its JSON Schema, else by the names of its columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connectors.errors import Misconfigured
from connectors.flat import Flattener
from connectors.json_schema import JsonSchema
from connectors.mesh.profile import MeshProfile, MeshRecord
from connectors.neutral import interface


def interfaces_of(profile: MeshProfile, interfaces: Callable[[str], bytes]) -> list[dict[str, Any]]:
    """One interface for each kind of record. Raises Misconfigured for a schema that cannot be read."""
    return [
        interface(
            profile.system,
            kind,
            record.schema_ or "",
            read=_shape(kind, record, interfaces, "read") if record.changes is not None else None,
            create=_shape(kind, record, interfaces, "write") if record.create is not None else None,
            update=_shape(kind, record, interfaces, "write") if record.update is not None else None,
            ours={path for path in (record.item.version, record.item.modified, _number(record)) if path},
        )
        for kind, record in profile.records.items()
    ]


def _number(record: MeshRecord) -> str | None:
    return record.create.number if record.create is not None else None


def _shape(kind: str, record: MeshRecord, interfaces: Callable[[str], bytes], use: str) -> dict[str, Any] | None:
    if record.schema_ is not None:
        try:
            body = interfaces(record.schema_)
        except (LookupError, OSError, ValueError) as problem:
            raise Misconfigured(
                f"records.{kind}.schema: {record.schema_} is not among the pinned interfaces: save it there"
            ) from problem
        read = JsonSchema(body, record.schema_)
        return Flattener(record.schema_, read.follow, use=use).made(read.root)
    columns = record.changes.csv.columns if record.changes is not None and record.changes.format == "csv" else None
    if columns is None:
        return None
    return {
        "type": "object",
        "properties": {name: {"type": "string"} for name in columns},
        "required": columns,
        "x-order": columns,
    }
