"""What a record of an extract looks like: as the profile declares its columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connectors.neutral import interface
from connectors.sql.profile import SqlProfile, SqlRecord

_SHAPES: dict[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "string", "x-lexical": "decimal"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "x-lexical": "date"},
    "moment": {"type": "string", "x-lexical": "dateTime", "x-zone": "optional"},
    "seconds": {"type": "string", "x-lexical": "dateTime", "x-zone": "required"},
    "milliseconds": {"type": "string", "x-lexical": "dateTime", "x-zone": "required"},
    "time": {"type": "string", "x-lexical": "time"},
    "bytes": {"type": "string", "x-lexical": "base64"},
    "json": {"type": ["object", "array", "string", "number", "boolean"], "additionalProperties": True},
}


def interfaces_of(profile: SqlProfile, _interfaces: Callable[[str], bytes]) -> list[dict[str, Any]]:
    """One interface for each kind of record. There is no pinned file: the profile itself declares it."""
    return [
        interface(
            profile.system,
            kind,
            "",
            read=_read(record),
            create=None,
            update=None,
            ours={name for name in (record.item.id, record.item.version, record.item.modified) if name},
        )
        for kind, record in profile.records.items()
    ]


def _read(record: SqlRecord) -> dict[str, Any]:
    full = {record.item.id, *record.required}
    return {
        "type": "object",
        "properties": {
            name: _SHAPES[kind] if name in full else _or_null(_SHAPES[kind]) for name, kind in record.columns.items()
        },
        "required": list(record.columns),
    }


def _or_null(shape: dict[str, Any]) -> dict[str, Any]:
    kinds = shape["type"] if isinstance(shape["type"], list) else [shape["type"]]
    return {**shape, "type": [*kinds, "null"]}
