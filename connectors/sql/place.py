"""Where a walk through rows stands: behind which stamp and id, in the database's own values.

The values are kept as the driver gave them, because the database compares them with its own: a stamp of text stays
that text and one without offset gets none. The watermark is a moment in UTC, the newest that the rows showed.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from connectors.errors import Misconfigured
from connectors.rest.walk import as_text


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a walk."""

    since: Any = None  # the stamp that the walk begins at, as the column holds it; None: at the beginning
    bare: bool = False  # among the rows that have no stamp
    stamp: Any = None  # of the last row read
    id: Any = None  # of the last row read; None: none was read in this part
    newest: str = ""  # the newest stamp seen, ISO 8601 in UTC

    @classmethod
    def at(cls, cursor: str) -> Place:
        """Read a kept cursor. Raises Misconfigured if it is none of ours."""
        try:
            since, bare, stamp, id, newest = json.loads(cursor)
            return cls(_value(since), bool(bare), _value(stamp), _value(id), str(newest))
        except (ValueError, TypeError, ArithmeticError, KeyError):
            raise Misconfigured(
                "the kept place of this walk cannot be read: start the walk from its watermark"
            ) from None

    @property
    def cursor(self) -> str:
        """The place as text."""
        kept = [_kept(self.since), self.bare, _kept(self.stamp), _kept(self.id), self.newest]
        try:
            return json.dumps(kept)
        except TypeError:
            raise Misconfigured(
                "item.id or item.modified is of a type that cannot be kept: let the query turn it into text or a moment"
            ) from None

    def behind(self, stamp: Any, id: Any) -> Place:
        """The place behind a row."""
        return replace(self, stamp=stamp, id=id)

    def saw(self, modified: datetime | None, *, not_after: datetime) -> Place:
        """Take note of a stamp; one from the future would hide every change until then, and is left out."""
        if modified is None or modified > not_after:
            return self
        return replace(self, newest=max(self.newest, as_text(modified)))

    def without_stamps(self) -> Place:
        """The beginning of the rows that have no stamp."""
        return replace(self, bare=True, stamp=None, id=None)


def _kept(value: Any) -> Any:
    for name, kind, text in _KINDS:
        if isinstance(value, kind):
            return [name, text(value)]
    return value


def _value(kept: Any) -> Any:
    if isinstance(kept, list):
        name, text = kept
        return _READ[name](text)
    if kept is not None and not isinstance(kept, str | int | float):
        raise TypeError
    return kept


_KINDS: tuple[tuple[str, Any, Any], ...] = (
    ("moment", datetime, datetime.isoformat),
    ("date", date, date.isoformat),
    ("number", Decimal, str),
    ("uuid", UUID, str),
    ("bytes", bytes, lambda value: base64.b64encode(value).decode()),
)
_READ: dict[str, Any] = {
    "moment": datetime.fromisoformat,
    "date": date.fromisoformat,
    "number": Decimal,
    "uuid": UUID,
    "bytes": base64.b64decode,
}
