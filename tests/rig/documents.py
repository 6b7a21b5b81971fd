"""The rig with documents: the desk lends what its cases name, care takes it, and a scanner of our own looks between."""

from __future__ import annotations

import re
import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.rig.hands import Rig
from tests.rig.systems import Conversation, System, error

PDF = b"%PDF-1.7 angen help \xc5\xb5"
FETCH = 'fetch: {path: "/cases/{id}/documents/{ref}"}'
ADD = {
    "A": 'add: {path: "/cases/{id}/documents", key_field: reference, key_header: X-Key, keeps_key: true}',
    "B": 'add: {path: "/cases/{id}/documents", sent_as: raw, key_header: X-Key, name_header: X-Name}',
    "C": 'add: {path: "/cases/{id}/documents", sent_as: raw, key_header: X-Key}',
}
FIND = 'find: {path: "/cases/{id}/documents", items: "documents[]", our_key: reference, id: number}'
DOCUMENTS = {"A": f"{{{FETCH}, {ADD['A']}}}", "B": f"{{{ADD['B']}, {FIND}}}", "C": f"{{{ADD['C']}}}"}
ROW = """\
  - ours: attachments
    theirs: documents
    direction: read
    each:
      - {ours: url_or_ref, theirs: ref, key: true}
      - {ours: name, theirs: title}
      - {ours: mime, theirs: type}
      - {ours: hash, theirs: sha256}
"""
SCHEMA = """\
        documents:
          type: array
          items:
            type: object
            required: [ref]
            properties:
              ref: {type: string}
              title: {type: string}
              type: {type: string}
              sha256: {type: string}
        person:
          type: object
"""


@dataclass
class Handed:
    """A document that care was handed."""

    case: str
    key: str
    name: str
    mime: str
    body: bytes


@dataclass
class Shelf:
    """What a system lends, by reference, and what it was handed."""

    lends: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    handed: list[Handed] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)  # what becomes of the next documents: see `talk`


class DocumentRig(Rig):
    """`rules`: what the route from the desk says of documents; `scanner`: None for a site without one."""

    def __init__(
        self, folder: Path, tiers: dict[str, str], *, rules: str = "{}", scanner: Scanner | None = None
    ) -> None:
        self._rules, self._scanner, self._laid = rules, scanner, False
        self.shelves: dict[str, Shelf] = {}
        super().__init__(folder, tiers)
        self.shelves.update({name: Shelf() for name in self.web.systems})
        self.web._server.RequestHandlerClass = type(
            "WithDocuments", (Talk,), {"systems": self.web.systems, "shelves": self.shelves}
        )

    def begin(self) -> None:
        if not self._laid:
            self._laid = True
            self._lay()
        super().begin()

    def _lay(self) -> None:
        for tier in "abc":
            self._edit(
                f"profiles/rig-{tier}.yaml", "    errors:\n", f"    documents: {DOCUMENTS[tier.upper()]}\n    errors:\n"
            )
        self._edit("interfaces/rig.openapi.yaml", "        person:\n          type: object\n", SCHEMA)
        desk = self.site / "mappings/peer/desk.yaml"
        desk.write_text(desk.read_text(encoding="utf-8") + ROW, encoding="utf-8")
        if self._scanner is not None:
            settings = self.site / "config/dolen.yaml"
            settings.write_text(
                f"{settings.read_text(encoding='utf-8')}scanner: {{clamd: '{self._scanner.address}'}}\n",
                encoding="utf-8",
            )
        for council in self.tiers:
            told = "name: desk-to-care, "
            self._edit(f"config/councils/{council}.yaml", told, f"{told}documents: {self._rules}, ")

    def _edit(self, name: str, old: str, new: str) -> None:
        path = self.site / name
        text = path.read_text(encoding="utf-8")
        assert old in text, (name, old)
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def carry(self, code: str, times: int = 4) -> None:
        """Read the desk, and send to care until nothing is due."""
        for _ in range(times):
            self.read(code, "desk")
            while self.lease(1, code, "care", 8):
                while self.send(1):
                    pass
                self.write(1)


class Talk(Conversation):
    """The rig's conversation, with documents below a case."""

    shelves: dict[str, Shelf]

    def do_GET(self) -> None:
        system, way, _ = self._place()
        if way[1:2] != ["documents"]:
            super().do_GET()
            return
        shelf = self.shelves[system.name]
        if len(way) == 2:
            listed = [
                {"reference": one.key, "number": f"D{n}"} for n, one in enumerate(shelf.handed) if one.case == way[0]
            ]
            self._say(system, 200, {"documents": listed})
        elif way[2] in shelf.lends:
            self._lend(*shelf.lends[way[2]])
        else:
            self._say(system, 404, error("not_found"))

    def do_POST(self) -> None:
        system, way, _ = self._place()
        if way[1:2] != ["documents"]:
            super().do_POST()
            return
        shelf, body = self.shelves[system.name], self.rfile.read(int(self.headers["Content-Length"]))
        answer = shelf.answers.pop(0) if shelf.answers else "arrive"
        if answer in ("arrive", "done, unsaid"):
            self._take(system, shelf, way[0], body)
        if answer == "arrive":
            self._say(system, 201, {"id": f"D{len(shelf.handed) - 1}"})
        elif answer == "refuse":
            self._say(system, 422, error("invalid", "file"))
        else:
            self.close_connection = True

    def _take(self, system: System, shelf: Shelf, case: str, body: bytes) -> None:
        key, kind = self.headers["X-Key"], self.headers["Content-Type"]
        name = self.headers.get("X-Name", "")
        if kind.startswith("multipart/form-data"):
            boundary = kind.partition("boundary=")[2].encode()
            *_, part, last = body.split(b"--" + boundary)
            assert last == b"--\r\n"
            head, _, body = part.removesuffix(b"\r\n").partition(b"\r\n\r\n")
            name, kind = (
                re.findall(rb'filename="([^"]*)"', head)[0].decode(),
                re.findall(rb"Type: (.*)", head)[0].decode(),
            )
        with system.lock:
            if system.tier != "A" or all(one.key != key for one in shelf.handed):
                shelf.handed.append(Handed(case, key, name, kind, body))

    def _lend(self, mime: str, body: bytes) -> None:
        self.send_response_only(200)
        self.send_header("Content-Type", mime)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(body)


class Scanner:
    """A scanner of our own that speaks ClamAV's INSTREAM: whatever holds one of `finds` is found by its name."""

    def __init__(self, finds: dict[bytes, str] | None = None, *, says: bytes = b"") -> None:
        self.finds, self.says = finds or {}, says
        self.seen: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # closing alone lets the one who waits take another call
        self._socket.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as asked, suppress(OSError, struct.error):
            command = b""
            while not command.endswith(b"\0"):
                command += asked.read(1)
            if command == b"zPING\0":
                connection.sendall(b"PONG\0")
                return
            assert command == b"zINSTREAM\0", command
            body = b""
            while (size := struct.unpack("!L", asked.read(4))[0]) > 0:
                body += asked.read(size)
            self.seen.append(body)
            found = next((name for sign, name in self.finds.items() if sign in body), "")
            connection.sendall(self.says or (f"stream: {found} FOUND\0" if found else "stream: OK\0").encode())


def attached(*refs: str, **more: Any) -> list[dict[str, Any]]:
    """What a case says of its documents."""
    return [{"ref": ref, "title": f"{ref}.pdf", "type": "application/pdf", **more} for ref in refs]
