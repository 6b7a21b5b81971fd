"""The server of the connectors' bench: as many records as it is told, over SOAP and REST, and at next to no cost.

Answers are put together of pieces that are ready before the first call, so that what is measured is whoever calls; the
feeds that a back-fill alone reads are in `loopback_feeds`. It is a process of its own:
`python -m console.bench.loopback RECORDS`. It says one JSON line with its `url`, and ends when its input closes.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

from connectors import xml
from console.bench.loopback_feeds import JSON, MARK, PAGE, STAMP, Feeds, query_of

HERE = Path(__file__).parent
SPACE = "urn:example:casework:2"
_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
    f'<{{0}} xmlns="{SPACE}">{{1}}</{{0}}></s:Body></s:Envelope>'
)
_XML = "text/xml; charset=utf-8"
_PAGE = re.compile(rb"Page>(\d+)</")


class Store:
    """The records, each the sample with a number of its own."""

    def __init__(self, records: int) -> None:
        self.records = records
        soap = json.loads((HERE / "wire" / "referral.json").read_bytes())
        soap |= {"ReferralId": f"R{MARK}", "Version": "1", "LastChanged": STAMP, "ClientReference": f"k-{MARK}"}
        (element,) = xml.elements_of("Referral", soap, SPACE)
        shown = etree.tostring(element, encoding="unicode")
        self._soap = re.sub(r"<(/?)ns0:", r"<\1", shown).replace(f' xmlns:ns0="{SPACE}"', "")
        rest = json.loads((HERE / "flood" / "sample.json").read_bytes())
        rest |= {"id": f"C-{MARK}", "version": 1, "changed_at": f"{STAMP}Z", "external_reference": None}
        self._rest = json.dumps(rest, ensure_ascii=False)
        self._feeds = Feeds(records, self._rest)
        self._made = _ENVELOPE.format(
            "CreateReferralResponse",
            f"<ReferralId>R1</ReferralId><Version>1</Version><LastChanged>{STAMP}</LastChanged>",
        ).encode()
        self._kept = json.dumps({"id": "C-1", "version": 1, "changed_at": f"{STAMP}Z"}).encode()
        self.soap_page = lru_cache(maxsize=4)(self._soap_page)

    def answer(self, method: str, target: str, body: bytes) -> tuple[str, bytes]:
        """The answer to one call: the head's lines from the content type on, and the body."""
        if target == "/soap":
            if b"CreateReferral" in body:
                return _XML, self._made
            found = _PAGE.search(body)
            return _XML, self.soap_page(int(found[1]) if found else 1)
        url = urlsplit(target)
        if method != "GET" and url.path.startswith("/api/requests"):
            return JSON, self._kept
        query = query_of(url.query)
        if url.path == "/api/requests":
            return JSON, self._pages("requests", int(query.get("cursor", "0")), self._rest)
        if url.path == "/api/changed":
            entry = f'{{"id": "C-{MARK}", "at": "{STAMP}Z"}}'
            return JSON, self._pages("changed", int(query.get("cursor", "0")), entry)
        if url.path == "/api/newest":
            return JSON, self._pages("requests", int(query["page"]) - 1, self._rest)
        if url.path.startswith("/api/requests/"):
            return JSON, self._rest.replace(MARK, url.path.rpartition("-")[2]).encode()
        return self._feeds.answer(method, url.path, query)

    def _soap_page(self, page: int) -> bytes:
        records = "".join(self._soap.replace(MARK, f"{number:07d}") for number in self._feeds.numbers(page - 1))
        more = str(page * PAGE < self.records).lower()
        return _ENVELOPE.format("FindReferralsResponse", f"{records}<MorePages>{more}</MorePages>").encode()

    def _pages(self, name: str, page: int, piece: str) -> bytes:
        records = ",".join(piece.replace(MARK, f"{number:07d}") for number in self._feeds.numbers(page))
        following = f'"{page + 1}"' if (page + 1) * PAGE < self.records else "null"
        return f'{{"{name}": [{records}], "next": {following}}}'.encode()


class _Line(asyncio.Protocol):
    """One connection that is kept, and the calls on it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._got = bytearray()
        self._line: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._line = transport

    def data_received(self, data: bytes) -> None:
        self._got += data
        while (end := self._got.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._got[:end])
            found = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
            whole = end + 4 + (int(found[1]) if found else 0)
            if len(self._got) < whole:
                return
            body = bytes(self._got[end + 4 : whole])
            del self._got[:whole]
            method, target, _ = head.partition(b"\r\n")[0].decode("latin-1").split(" ", 2)
            kind, answer = self._store.answer(method, target, body)
            self._line.write(
                f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(answer)}\r\n\r\n".encode() + answer
            )


async def _serve(records: int) -> None:
    loop = asyncio.get_running_loop()
    store = Store(records)
    server = await loop.create_server(lambda: _Line(store), "127.0.0.1", 0)
    over = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), lambda: None if os.read(sys.stdin.fileno(), 4096) else over.set())
    sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"}) + "\n")
    sys.stdout.flush()
    await over.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
