"""From a row to an item of the port: held against the pinned schema, named by its number, stamped."""

from __future__ import annotations

from datetime import UTC, datetime

from jsonschema import Draft202012Validator

from connectors.json_schema import JsonSchema
from connectors.open311.wire import Row
from connectors.port import Item, UnreadableItem

ID, REQUESTED, UPDATED = "service_request_id", "requested_datetime", "updated_datetime"


class Items:
    """Reads requests."""

    def __init__(self, schema: JsonSchema) -> None:
        self._validator = Draft202012Validator(schema.follow("#/$defs/Request"))

    def item(self, row: Row) -> Item | UnreadableItem:
        """One request. A fault makes it an UnreadableItem and touches no other."""
        record = row.record
        id = id_of(row)
        modified = moment(record.get(UPDATED)) or moment(record.get(REQUESTED))
        fault = row.fault
        if not fault:
            first = next(iter(self._validator.iter_errors(record)), None)
            if first is not None:
                place = "/".join(str(step) for step in first.absolute_path) or "the top"
                fault = f"at {place}: not as the schema says ({first.validator})"
        if not fault and not id:
            fault = f"at {ID}: expected a number of one printable line"
        if not fault and modified is None:
            fault = f"at {REQUESTED}: expected a moment with its offset"
        if fault:
            return UnreadableItem(row.raw, f"a request: {fault}", id, modified)
        return Item(id, record, row.raw, modified=modified)


def id_of(row: Row) -> str:
    """The request's number, "" if it has none that can be read."""
    found = row.record.get(ID)
    text = found.strip() if isinstance(found, str) else ""
    return text if 0 < len(text) <= 200 and text.isprintable() else ""


def moment(text: object) -> datetime | None:
    """Read a stamp, which the standard wants with its offset, in UTC; None for anything else."""
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text.strip())
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None
