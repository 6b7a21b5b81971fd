"""From a record of a file to an item of the port: held against its schema, named by id, with its own bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError

from connectors import xml
from connectors.errors import Misconfigured
from connectors.files.profile import RowRecord
from connectors.files.rows import Bad, Row
from connectors.json_schema import JsonSchema
from connectors.port import Item, UnreadableItem
from connectors.profile import says_deleted
from connectors.soap.times import moment

_LONGEST_ID = 200


class ItemReader:
    """Reads records of one kind."""

    def __init__(self, kind: str, record: RowRecord, interfaces: Callable[[str], bytes], zone: ZoneInfo) -> None:
        """Compile the kind's schema. Raises Misconfigured if it is none."""
        self._kind = kind
        self._paths = record.item
        self._required = record.required
        self._zone = zone
        self._validator = _validator(kind, record, interfaces)

    def item(self, row: Row | Bad) -> Item | UnreadableItem:
        """Check one record. A fault makes it an UnreadableItem and touches no other."""
        if isinstance(row, Bad):
            return UnreadableItem(row.raw, f"{self._kind} {row.reason}")
        record, paths = row.record, self._paths
        id = _text(record, paths.id)
        stamp = _text(record, paths.modified)
        modified = moment(stamp, self._zone) if stamp else None
        reason = self._fault(record)
        if not reason and (not id or not id.isprintable() or len(id) > _LONGEST_ID):
            reason = f"at {paths.id}: expected an id of one printable line"
        if not reason and paths.modified is not None and modified is None:
            reason = f"at {paths.modified}: expected a moment, such as 2026-03-01T09:30:00"
        if reason:
            return UnreadableItem(row.raw, f"{self._kind} {reason}", id, modified)
        return Item(
            id=id,
            record=record,
            raw=row.raw,
            version=_text(record, paths.version),
            modified=modified,
            our_key=_text(record, paths.our_key),
            deleted=says_deleted(_text(record, paths.deleted)),
        )

    def _fault(self, record: dict[str, Any]) -> str:
        for path in self._required:
            if xml.get(record, path) is None:
                return f"has no {path}: is the file of another kind?"
        if self._validator is None:
            return ""
        error = next(self._validator.iter_errors(record), None)
        return "" if error is None else _words(error)


def _validator(kind: str, record: RowRecord, interfaces: Callable[[str], bytes]) -> Draft202012Validator | None:
    if record.schema_ is None:
        return None
    try:
        body = interfaces(record.schema_)
    except (LookupError, OSError, ValueError) as problem:
        raise Misconfigured(
            f"records.{kind}.schema: {record.schema_} is not among the pinned interfaces: save it there"
        ) from problem
    schema = JsonSchema(body, record.schema_).root
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        place = "/".join(str(step) for step in error.absolute_path) or "the top"
        raise Misconfigured(
            f"records.{kind}.schema: {record.schema_} is no JSON Schema at {place}: correct it"
        ) from None
    return Draft202012Validator(schema)


def _words(error: ValidationError) -> str:
    """What is wrong, by the schema's own words and never by the value."""
    steps = [str(step) for step in error.schema_path if isinstance(step, str)]
    names = [steps[at + 1] for at, step in enumerate(steps[:-1]) if step == "properties"]
    place = "/".join(names) or "the record"
    if error.validator == "required" and isinstance(error.validator_value, list):
        found: Any = error.instance
        return f"at {place}: {next((name for name in error.validator_value if name not in found), '?')} is missing"
    return f"at {place}: expected {error.validator} as the schema says"


def _text(record: dict[str, Any], path: str | None) -> str:
    found = xml.get(record, path) if path else None
    if isinstance(found, dict):
        found = found.get(".")
    if isinstance(found, bool) or found is None:
        return "true" if found else ""
    return str(found).strip() if isinstance(found, str | int) else ""
