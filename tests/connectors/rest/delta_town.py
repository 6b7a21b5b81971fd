"""A pretend system whose changes are asked for from a place that it names, and how its walks are read."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

JSON = {"Content-Type": "application/json"}
AT = "2026-03-02T09:00:00+00:00"
LINK = {"is": "link", "headers": {"Prefer": "odata.maxpagesize={size}"},
        "begin_headers": {"Prefer": "odata.track-changes, odata.maxpagesize={size}"},
        "removed": {"mark": "@odata.context", "ends": "$deletedEntity", "reason": "reason"}}  # fmt: skip
TOKEN = {"is": "token", "next": "nextPageToken", "delta": "nextSyncToken", "cursor": "pageToken",
         "since": "syncToken", "size": "limit", "removed": {"items": "gone[]", "id": "."}}  # fmt: skip
STYLES = pytest.mark.parametrize("style", [LINK, TOKEN], ids=["link", "token"])


class Town:
    """A system that counts its changes: a place is the number of the last one that was shown."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.number = 0
        self.things: dict[str, tuple[int, int]] = {}  # id: number of its last change, its version
        self.versions: dict[str, int] = {}
        self.gone: dict[str, int] = {}
        self.forgotten = -1  # places before this one are not known any more
        self.pages_forgotten = False
        self.refusal = (410, b"{}")
        self.prefer: list[str] = []

    def put(self, *ids: str) -> None:
        for id in ids:
            self.number += 1
            self.gone.pop(id, None)
            self.versions[id] = self.versions.get(id, 0) + 1
            self.things[id] = (self.number, self.versions[id])

    def delete(self, id: str) -> None:
        self.number += 1
        self.things.pop(id, None)
        self.gone[id] = self.number

    def __call__(self, call: Any) -> Any:
        parts = urlsplit(call.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.prefer.append(call.headers.get("prefer", ""))
        linked = "limit" not in query
        size = int(query.get("limit") or call.headers["prefer"].rpartition("=")[2])
        page, since = query.get("pageToken", ""), query.get("syncToken", "")
        if (page and self.pages_forgotten) or (since and not page and int(since) < self.forgotten):
            return self.answer(*self.refusal, JSON)
        # A page's token holds where the walk began, what its end was then, and the last change that was shown.
        began, end, after = map(int, page.split(".")) if page else (int(since or -1), self.number, int(since or -1))
        changed = sorted((n, id) for id, (n, _) in self.things.items() if n > after)
        entries = [{"id": id, "at": AT, "version": self.things[id][1]} for n, id in changed]
        gone = [id for id, n in sorted(self.gone.items()) if n > began >= 0]
        host = f"http://{call.headers['host']}/api/things?"
        body: dict[str, Any] = {"things": entries[:size]}
        last = size >= len(entries)
        if last and linked:
            mark = "http://x/$metadata#things/$deletedEntity"
            body["things"] += [{"@odata.context": mark, "id": id, "reason": "deleted"} for id in gone]
        elif last:
            body["gone"] = gone
        more, place = f"{began}.{end}.{0 if last else changed[size - 1][0]}", str(end)
        if linked:
            named = ("@odata.deltaLink", f"syncToken={place}") if last else ("@odata.nextLink", f"pageToken={more}")
            body[named[0]] = host + named[1]
        else:
            body["nextSyncToken" if last else "nextPageToken"] = place if last else more
        return self.answer(200, json.dumps(body).encode(), JSON)


def walk(connector: Any, watermark: str = "", between: Any = lambda: None) -> tuple[list[Any], str, list[str]]:
    items: list[Any] = []
    notes: list[str] = []
    cursor = ""
    for _ in range(200):
        page = connector.changes("Thing", watermark=watermark, cursor=cursor)
        items += page.items
        notes += [page.note] if page.note else []
        cursor = page.cursor
        if not cursor:
            return items, page.watermark, notes
        assert page.watermark == "", "nothing may be kept as read before the walk is whole"
        between()
    raise AssertionError("the walk does not end")


def shown(items: list[Any]) -> dict[str, int]:
    return {item.id: item.record["version"] for item in items if not item.deleted}
