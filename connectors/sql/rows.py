"""From a row to an item of the port: each value held against its column's type, and the row's own bytes beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from connectors.port import Item, Record, UnreadableItem
from connectors.profile import says_deleted
from connectors.soap.times import moment
from connectors.sql.profile import ModifiedSince, SqlRecord
from connectors.sql.values import Unfit, checked, plain

_LONGEST_ID = 200


@dataclass(frozen=True, slots=True)
class Key:
    """Where a row stands in the order of a walk, in the driver's own values."""

    stamp: Any
    id: Any


class RowReader:
    """Reads rows of one kind."""

    def __init__(self, kind: str, record: SqlRecord, zone: ZoneInfo) -> None:
        self._kind = kind
        self._columns = dict(record.columns)
        self._paths = record.item
        self._required = record.required
        self._may_be_bare = isinstance(record.changes, ModifiedSince)
        self._zone = zone
        names = list(self._columns)
        self._id_at = names.index(record.item.id)
        self._stamp_at = names.index(record.item.modified) if record.item.modified else None

    def key(self, row: Sequence[Any]) -> Key:
        """Where a row stands."""
        return Key(None if self._stamp_at is None else row[self._stamp_at], row[self._id_at])

    def raw(self, row: Sequence[Any]) -> bytes:
        """A row's own bytes: a JSON object with a value for each column."""
        return orjson.dumps({name: plain(value) for name, value in zip(self._columns, row, strict=True)})

    def item(self, raw: bytes, *, twice: bool = False) -> Item | UnreadableItem:
        """Check one row. `twice`: another row has the same id."""
        try:
            found = orjson.loads(raw)
        except orjson.JSONDecodeError:
            found = None
        if not isinstance(found, dict):
            return UnreadableItem(raw, f"{self._kind}: expected a row")
        record: Record = {}
        reason = ""
        for name, kind in self._columns.items():
            try:
                record[name] = checked(found.get(name), kind)
            except Unfit as unfit:
                record[name] = None
                reason = reason or f"at {name}: expected {unfit}"
        id = self._text(record, self._paths.id)
        stamp = self._text(record, self._paths.modified)
        modified = moment(stamp, self._zone) if stamp else None
        if not reason and (not id or not id.isprintable() or len(id) > _LONGEST_ID):
            reason = f"at {self._paths.id}: expected an id of one printable line"
        if not reason and stamp and modified is None:
            reason = f"at {self._paths.modified}: expected a moment that a calendar has"
        empty = next((name for name in self._required if record[name] is None), None)
        if not reason and empty is not None:
            reason = f"has no {empty}"
        if not reason and twice:
            reason = f"at {self._paths.id}: two rows have this id; the table or query must give each record one row"
        if reason:
            return UnreadableItem(raw, f"{self._kind} {reason}", id, modified)
        return Item(
            id=id,
            record=record,
            raw=raw,
            version=self._text(record, self._paths.version),
            modified=modified,
            our_key=self._text(record, self._paths.our_key),
            deleted=self._paths.deleted is not None and says_deleted(record[self._paths.deleted]),
        )

    def _text(self, record: Record, name: str | None) -> str:
        value = record[name] if name else None
        return "" if value is None else str(value).strip()
