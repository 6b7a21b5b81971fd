"""Turns what a reply holds into items of the port: checked, named by id and version, with their own bytes."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from connectors.json_body import UnreadableBody, as_received, sound
from connectors.port import Item, UnreadableItem
from connectors.profile import says_deleted
from connectors.rest.interface import Interface
from connectors.rest.joined import apart
from connectors.rest.profile import RestRecord
from connectors.rest.replies import at, id_text

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ETAG = re.compile(r'(?:W/)?"([\x21\x23-\x7e]*)"')


class ItemReader:
    """Reads records of one kind."""

    def __init__(self, kind: str, record: RestRecord, interface: Interface, clock: str) -> None:
        """Compile the kind's schema. Raises Misconfigured if the interface does not hold it."""
        self._kind = kind
        self._paths = record.item
        self._component = record.component
        self._joined = record.joined
        self._interface = interface
        self._zone = ZoneInfo(clock)
        interface.prepare(record.component)
        self._ids_are_uuids = says_uuid(interface.component(record.component), record.item.id)

    def item(self, found: Any, *, etag: str = "") -> Item | UnreadableItem:
        """Check one record. A fault makes it an UnreadableItem and touches no other."""
        try:
            raw = sound(found)
        except UnreadableBody as blemish:
            return self._unreadable(found, as_received(found), blemish.reason)
        found = apart(found, self._joined)
        fault = self._interface.fault(self._component, found)
        if fault:
            return self._unreadable(found, raw, fault)
        if not isinstance(found, dict):
            return self._unreadable(found, raw, "at the top: expected object")
        id = id_text(at(found, self._paths.id))
        if not id:
            return self._unreadable(found, raw, f"at {self._paths.id}: expected an id of one printable line")
        modified = self.modified(found)
        if modified is None and self._paths.modified is not None:
            return self._unreadable(found, raw, f"at {self._paths.modified}: expected a moment")
        gone = self._paths.deleted is not None and says_deleted(at(found, self._paths.deleted))
        return Item(id, found, raw, self.version(found, etag), modified, self.our_key(found), gone)

    def version(self, found: Any, etag: str) -> str:
        """Return the version: the field that the profile names, else what stands between the quotes of the ETag."""
        if self._paths.version is not None:
            return id_text(at(found, self._paths.version))
        return version_of(etag)

    def modified(self, found: Any) -> datetime | None:
        """Return the system's own stamp of a record in UTC, None if it shows none that can be read."""
        return self.moment(at(found, self._paths.modified)) if self._paths.modified else None

    def moment(self, text: Any) -> datetime | None:
        """Read a stamp in UTC; one without offset is read by the profile's clock.

        At the hour that a clock change repeats the earlier moment is taken: a walk then starts earlier, not later.
        """
        if not isinstance(text, str):
            return None
        try:
            moment = datetime.fromisoformat(text)
            return (moment if moment.tzinfo else moment.replace(tzinfo=self._zone)).astimezone(UTC)
        except (ValueError, OverflowError):
            return None

    def our_key(self, found: Any) -> str:
        """Return our key where the system keeps it."""
        return id_text(at(found, self._paths.our_key)) if self._paths.our_key else ""

    def may_be(self, id: str) -> bool:
        """Whether a record could have this id: where the interface says `format: uuid`, no other text is one."""
        return not self._ids_are_uuids or _UUID.fullmatch(id) is not None

    def id(self, found: Any) -> str:
        """Return the system's id, "" if it cannot be read."""
        return id_text(at(found, self._paths.id))

    def _unreadable(self, found: Any, raw: bytes, reason: str) -> UnreadableItem:
        return UnreadableItem(raw, f"{self._kind} {reason}", self.id(found), self.modified(found))


def says_uuid(schema: Any, path: str) -> bool:
    """Whether a JSON Schema without references says `format: uuid` of what stands at a path."""
    if not isinstance(schema, dict):
        return False
    if any(says_uuid(one, path) for one in schema.get("allOf", ())):
        return True
    first, _, rest = path.partition("/")
    return schema.get("format") == "uuid" if not path else says_uuid(schema.get("properties", {}).get(first), rest)


def version_of(etag: str) -> str:
    """Return the opaque part of an ETag, "" for what is none."""
    found = _ETAG.fullmatch(etag.strip())
    return found[1] if found else ""
