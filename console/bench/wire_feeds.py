"""Every feed that a back-fill is measured through: its connection, and what it needs beside the loopback server.

A queue has a spool and a store of keys as a site has them, known ids are told by a list that stands in for the
ledger's, and extracts lie in the folder that the caller gives and throws away.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from connectors.port import Connector
from console.bench import wire_site
from console.bench.extracts import database_of, folder_of
from console.bench.loopback_feeds import WORKFLOW
from pipelines.keystore import KeyStore
from pipelines.spool import FolderSpool

MOST = 1_000_000  # pages, beyond which a walk is taken for endless
_TOKEN = {"next": "next", "is": "token", "cursor": "cursor", "size": "limit", "of": 100, "at_most": MOST}
_ROWS = {"item": {"id": "id", "modified": "changed"}, "required": ["surname"]}
_REST: dict[str, dict[str, Any] | None] = {
    "cursor": None,  # the shipped profile's own
    "id-list": {
        "feed": "id-list", "path": "/changed", "since": "changed_since", "page": _TOKEN, "items": "changed[]",
        "id": "id", "modified": "at", "of": 100,
    },
    "newest-first": {
        "feed": "newest-first", "path": "/newest", "items": "requests[]",
        "page": {"by": "number", "parameter": "page", "size": "per_page", "of": 100, "at_most": MOST},
    },
    "delta": {
        "feed": "delta", "path": "/delta", "is": "token", "next": "nextPageToken", "delta": "nextSyncToken",
        "cursor": "pageToken", "since": "syncToken", "size": "limit", "items": "requests[]", "at_most": MOST,
    },
    "id-window": {
        "feed": "id-window", "path": "/updated", "begins": "start", "ends": "end", "items": "ids[]",
        "covered": "covered", "now": "/now", "reach": "P14D", "of": 100,
        "all": {"path": "/ids", "items": "ids[]", "id": ".", "next": "next", "at_most": MOST},
    },
    "inbox": {
        "feed": "inbox", "path": "/inbox", "items": "messages[]", "message": "/inbox/{id}", "of": 100,
        "acknowledge": {"path": "/inbox/{id}/acknowledged"},
    },
    "queue": {"feed": "queue", "path": "/events", "items": "events[]", "of": 100},
    "known-ids": {"feed": "known-ids", "a_run": 100_000, "of": 100},
}  # fmt: skip
_FORMATS: dict[str, dict[str, Any]] = {
    "csv": {"names": "referrals_*.csv", "format": "csv"},
    "json-lines": {"names": "referrals_*.jsonl", "format": "json-lines"},
    "xml": {"names": "referrals_*.xml", "format": "xml", "items": "referral"},
}


class Given(NamedTuple):
    """What a feed is opened with."""

    url: str
    folder: Path
    records: int


class Feed(NamedTuple):
    """One feed: the kind of record that it shows, and how its connector is opened."""

    kind: str
    opened: Callable[[Given], Connector]


def _rest(name: str) -> Feed:
    def start(given: Given) -> Connector:
        handed: dict[str, Any] = {}
        if name == "known-ids":
            handed["known"] = _known(given.records)
        if name == "queue":
            keys = KeyStore(f"sqlite:///{given.folder / 'keys.db'}", bytes(range(32)))
            handed["spool"] = FolderSpool(given.folder / "spool", keys, "bench", "queue", alone=True)
        return wire_site.rest(given.url, _REST[name], **handed)

    return Feed("Request", start)


def _known(records: int) -> Callable[[str, str, int], list[str]]:
    """Tells the ids behind one, as the ledger does of what it is linked with."""

    def known(_kind: str, behind: str, most: int) -> list[str]:
        first = int(behind.partition("-")[2] or 0) + 1
        return [f"C-{number:07d}" for number in range(first, min(first + most, records + 1))]

    return known


def _files(form: str) -> Feed:
    def start(given: Given) -> Connector:
        told = _profile("files", {**_ROWS, "changes": {"feed": "file-drop", "quiet_seconds": 0, **_FORMATS[form]}})
        return wire_site.opened(told, {"folder": str(folder_of(given.folder / "drop", form, given.records))})

    return Feed("Referral", start)


def _sql(feed: str) -> Feed:
    def start(given: Given) -> Connector:
        columns = {"id": "integer", "surname": "text", "changed": "moment"}
        told = _profile("sql", {**_ROWS, "table": "referrals", "columns": columns, "changes": {"feed": feed}})
        place = database_of(given.folder / "extract.db", given.records)
        return wire_site.opened(told, {"url": f"sqlite:///{place}"})

    return Feed("Referral", start)


def _fhir(given: Given) -> Connector:
    told = wire_site.profile("health")
    told["records"]["Referral"]["changes"]["at_most"] = MOST
    return wire_site.opened(told, {"url": f"{given.url}/fhir", "timeout_seconds": 60})


def _mesh(given: Given) -> Connector:
    feed = {"feed": "mailbox", "workflows": [WORKFLOW], "format": "csv", "of": 100}
    login = {"mesh": {"mailbox": "X26OT001", "password": "env:X", "shared_key": "env:X"}}
    told = _profile("mesh", {**_ROWS, "changes": feed})
    return wire_site.opened(told, {"url": given.url, "login": login, "timeout_seconds": 60})


def _profile(protocol: str, record: dict[str, Any]) -> dict[str, Any]:
    return {"system": "extract", "protocol": protocol, "clock": "Europe/London", "records": {"Referral": record}}


FEEDS: dict[str, Feed] = {
    "modified-since": Feed("Referral", lambda given: wire_site.soap(given.url)),
    **{name: _rest(name) for name in _REST},
    "mailbox": Feed("Referral", _mesh),
    "last-updated": Feed("Referral", _fhir),
    **{f"file-drop {form}": _files(form) for form in _FORMATS},
    "sql modified-since": _sql("modified-since"),
    "sql whole": _sql("whole"),
}
