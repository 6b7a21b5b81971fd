"""The further feeds of the loopback server: what a back-fill reads beside the plain lists of `loopback`.

A delta with tokens, windows of ids, an inbox that is emptied by acknowledgements, a queue that a read empties, a MESH
mailbox of messages with a hundred rows each, and a FHIR search. What is emptied is counted and never kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from urllib.parse import parse_qs

PAGE = 100  # records a page, and rows a message
WAITING = 200  # messages that an inbox lists at once
MARK = "0000000"  # in a ready piece: where the record's number goes
STAMP = "2026-03-02T09:00:00"
JSON, FHIR, MESH = "application/json", "application/fhir+json", "application/vnd.mesh.v2+json"
DATED = f"{JSON}\r\nDate: Mon, 02 Mar 2026 10:00:00 GMT"
WORKFLOW = "BENCH_REFERRAL"
_NUMBER = re.compile(r"(\d+)(?:/|$)")
_META = {"versionId": "1", "lastUpdated": f"{STAMP}+00:00"}
_RESOURCES = (
    ({"resourceType": "Task", "id": f"t{MARK}", "meta": _META, "status": "requested", "intent": "order",
      "focus": {"reference": f"ServiceRequest/s{MARK}"}, "for": {"reference": f"Patient/p{MARK}"}}, "match"),
    ({"resourceType": "ServiceRequest", "id": f"s{MARK}", "meta": _META, "status": "active", "intent": "order",
      "subject": {"reference": f"Patient/p{MARK}"}}, "include"),
    ({"resourceType": "Patient", "id": f"p{MARK}", "meta": _META, "birthDate": "1941-02-03",
      "name": [{"family": "Llŷr", "given": ["Siân"]}]}, "include"),
)  # fmt: skip


class Feeds:
    """So many records through each feed. `rest` is one of them as the contact centre's interface shows it."""

    def __init__(self, records: int, rest: str) -> None:
        self.records, self._rest = records, rest
        self._gone: dict[str, int] = {}  # by inbox or queue: so many were taken out of it
        self._entry = ",".join(
            json.dumps({"resource": resource, "search": {"mode": mode}}, ensure_ascii=False)
            for resource, mode in _RESOURCES
        )

    def answer(self, method: str, path: str, query: Mapping[str, str]) -> tuple[str, bytes]:
        """The head's lines from the content type on, and the body."""
        if path.startswith("/messageexchange/"):
            return self._mailbox(method, path.partition("/")[2].partition("/")[2].partition("/")[2])
        if path.startswith("/fhir"):
            return FHIR, self._bundle(int(query.get("page", "0")))
        name = path.removeprefix("/api/").partition("/")[0]
        if name == "delta":
            page = int(query.get("pageToken", "0"))
            following = f'"nextPageToken": "{page + 1}"' if self._more(page) else '"nextSyncToken": "1"'
            return JSON, self._listed("requests", page, self._rest, following)
        if name == "ids":
            page = int(query.get("page", "0"))
            following = f'"next": "/api/ids?page={page + 1}"' if self._more(page) else '"next": null'
            return JSON, self._listed("ids", page, f'"C-{MARK}"', following)
        if name == "updated":
            return JSON, f'{{"ids": [], "covered": "{STAMP}Z"}}'.encode()
        if name == "events":
            page = self._gone.get(name, 0)
            self._gone[name] = page + 1
            return JSON, self._listed("events", page, self._rest, '"left": null')
        if name == "inbox":
            return JSON, self._inbox(path, "C-", self.records, self._rest)
        return DATED, b"{}"

    def _inbox(self, path: str, prefix: str, whole: int, message: str) -> bytes:
        """A list of what waits, one message, or the acknowledgement of the one that waits longest."""
        place, _, one = path.partition("/inbox")
        found, gone = _NUMBER.search(one), self._gone.get(place, 0)
        if found is None:
            waiting = (f'"{prefix}{number:07d}"' for number in range(gone + 1, min(gone + WAITING, whole) + 1))
            return f'{{"messages": [{",".join(waiting)}]}}'.encode()
        if path.endswith("/acknowledged"):
            self._gone[place] = max(gone, int(found[1]))
            return b"{}"
        return message.replace(MARK, f"{int(found[1]):07d}").encode()

    def _mailbox(self, method: str, path: str) -> tuple[str, bytes]:
        """A mailbox: `path` is what stands behind its name."""
        messages = -(-self.records // PAGE)
        body = self._inbox(f"/{path}", "M", messages, MARK)
        if path == "inbox" or method in ("POST", "PUT"):
            return MESH, body
        head = f"text/csv\r\nMex-MessageType: DATA\r\nMex-WorkflowID: {WORKFLOW}\r\nMex-MessageID: M{body.decode()}"
        if method == "HEAD":
            return head, b""
        rows = (f"R{number},Llŷr-{number},{STAMP}" for number in self.numbers(int(body) - 1))
        return head, "\n".join(("id,surname,changed", *rows, "")).encode()

    def numbers(self, page: int) -> range:
        """The numbers of the records of a page, from 0."""
        return range(page * PAGE + 1, min((page + 1) * PAGE, self.records) + 1)

    def _more(self, page: int) -> bool:
        return (page + 1) * PAGE < self.records

    def _listed(self, name: str, page: int, piece: str, following: str) -> bytes:
        records = ",".join(piece.replace(MARK, f"{number:07d}") for number in self.numbers(page))
        return f'{{"{name}": [{records}], {following}}}'.encode()

    def _bundle(self, page: int) -> bytes:
        entries = ",".join(self._entry.replace(MARK, f"{number:07d}") for number in self.numbers(page))
        link = f'[{{"relation": "next", "url": "/fhir?page={page + 1}"}}]' if self._more(page) else "[]"
        return f'{{"resourceType": "Bundle", "type": "searchset", "link": {link}, "entry": [{entries}]}}'.encode()


def query_of(text: str) -> dict[str, str]:
    """The parameters of an address, each once."""
    return {name: values[0] for name, values in parse_qs(text).items()}
