"""A pretend NHS MESH: mailboxes, each call with a token of its own, chunks, acknowledgements, tracking and reports.

Held by its tests to `interfaces/mesh.openapi.yaml`, the structure of the public contract. Every mailbox is a "system"
of the server under the "tenant" `messageexchange`, which makes the contract's paths. It keeps everything in memory.
"""

from __future__ import annotations

import hmac
import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.exchange import Exchange, Request, Response

TENANT = "messageexchange"
V2 = "application/vnd.mesh.v2+json"
_TOKEN = re.compile(r"NHSMESH ([A-Z0-9]+):([0-9a-f-]{36}):(\d+):(\d{12}):([0-9a-f]{64})")
_INBOX = re.compile(r"/inbox/([A-Za-z0-9_]+)(?:/(\d+|status/acknowledged))?")
_CHUNK = re.compile(r"/outbox/([A-Za-z0-9_]+)/(\d+)")
_TRACK = re.compile(r"/outbox/tracking/(.+)")


@dataclass(slots=True)
class Message:
    """One message, from its sender's first chunk on."""

    id: str
    sender: str
    to: str
    headers: dict[str, str]
    chunks: dict[int, bytes]
    encodings: dict[int, str]
    of: int = 1
    status: str = "accepted"

    @property
    def whole(self) -> bool:
        """Whether every chunk has come."""
        return len(self.chunks) == self.of


@dataclass(slots=True)
class Mailbox:
    """One mailbox and its password."""

    password: str
    inbox: list[str] = field(default_factory=list)
    handshakes: int = 0


class Mesh:
    """The exchange. Safe to use from several threads."""

    def __init__(self, shared_key: str, passwords: Mapping[str, str], clock: Callable[[], datetime]) -> None:
        self.name = "mesh"
        self._key, self._clock = shared_key.encode(), clock
        self.boxes = {name: Mailbox(password) for name, password in passwords.items()}
        self.messages: dict[str, Message] = {}
        self.acknowledged: list[str] = []
        self.page = 500  # ids in one answer of the inbox
        self._tokens: set[tuple[str, str]] = set()
        self._lock = threading.RLock()

    def answer(self, request: Request, exchange: Exchange) -> Response:
        """Answer one call."""
        if not self._let_in(request):
            exchange.outcome = "refused"
            return _said({"detail": [{"event": "AUTH", "code": "07", "msg": "refused"}]}, 403)
        box = self.boxes[request.system]
        path, method = request.path, request.method
        if (method, path) == ("POST", ""):
            exchange.begin("handshake")
            box.handshakes += 1
            return _said({})
        if (method, path) == ("GET", "/inbox"):
            exchange.begin("list")
            return self._list(box, request)
        if (method, path) == ("GET", "/count"):
            return _said({"count": len(box.inbox), "internalID": "1", "allResultsIncluded": True})
        if (method, path) == ("POST", "/outbox"):
            exchange.begin("send")
            return exchange.commit(lambda: self._send(request))
        if (method, path) == ("GET", "/outbox/tracking"):
            found = self.messages.get(request.query.get("messageID", ""))
            return _said(self._tracking(found)) if found else _said({}, 404)
        if method == "GET" and (told := _TRACK.fullmatch(path)):
            exchange.begin("track")
            return self._track(request.system, told[1])
        if method == "POST" and (told := _CHUNK.fullmatch(path)):
            exchange.begin("send chunk")
            id, number = told[1], int(told[2])
            return exchange.commit(lambda: self._more(request, id, number))
        if told := _INBOX.fullmatch(path):
            return self._message(box, request, exchange, told[1], told[2] or "1")
        return _said({}, 404)

    def failure(self, _request: Request, status: int) -> Response:
        """What it says when the whole server is unwell."""
        return _said({"detail": [{"event": "", "code": "", "msg": "unwell"}]}, status)

    def staff_put(self, tenant: str, id: str, record: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002 - the port's parameters
        """Nobody types into an exchange. Raises ValueError."""
        raise ValueError("nobody types into an exchange of files")

    def put(self, sender: str, to: str, workflow: str, *chunks: bytes, **headers: str) -> Message:
        """A message comes in from elsewhere."""
        with self._lock:
            told = {"mex-workflowid": workflow, "mex-messagetype": "DATA", "mex-from": sender, "mex-to": to, **headers}
            made = Message(self._id(), sender, to, told, dict(enumerate(chunks, 1)), {}, of=len(chunks))
            self.messages[made.id] = made
            self.boxes[to].inbox.append(made.id)
            return made

    def expire(self, id: str) -> Message:
        """Nobody collected a message for five days: it is taken back, and its sender gets a report."""
        with self._lock:
            lost = self.messages[id]
            lost.status = "undeliverable"
            self.boxes[lost.to].inbox = [one for one in self.boxes[lost.to].inbox if one != id]
            return self.put(
                "", lost.sender, lost.headers["mex-workflowid"], b"",
                **{
                    "mex-messagetype": "REPORT", "mex-linkedmsgid": id, "mex-statuscode": "14",
                    "mex-statusevent": "TRANSFER", "mex-statussuccess": "ERROR",
                    "mex-statusdescription": "Undelivered message", "mex-localid": lost.headers.get("mex-localid", ""),
                },
            )  # fmt: skip

    def _let_in(self, request: Request) -> bool:
        told = _TOKEN.fullmatch(request.headers.get("authorization", ""))
        box = self.boxes.get(request.system)
        if told is None or box is None or told[1] != request.system:
            return False
        said = f"{told[1]}:{told[2]}:{told[3]}:{box.password}:{told[4]}"
        digest = hmac.new(self._key, said.encode(), "sha256").hexdigest()
        at = datetime.strptime(told[4], "%Y%m%d%H%M").replace(tzinfo=UTC)
        with self._lock:
            fresh = (told[2], told[3]) not in self._tokens
            self._tokens.add((told[2], told[3]))
        near = abs(self._clock() - at) <= timedelta(hours=2)
        return fresh and near and hmac.compare_digest(digest, told[5])

    def _list(self, box: Mailbox, request: Request) -> Response:
        with self._lock:
            start = int(request.query.get("continue_from", "0" * 24))
            found = box.inbox[start : start + self.page]
            here = f"/messageexchange/{request.system}/inbox?max_results=500"
            links = {"self": here}
            if start + self.page < len(box.inbox):
                links["next"] = f"{here}&continue_from={start + self.page:024d}"
            return _said({"messages": found, "links": links, "approx_inbox_count": len(box.inbox)})

    def _message(self, box: Mailbox, request: Request, exchange: Exchange, id: str, what: str) -> Response:
        exchange.begin("acknowledge" if request.method == "PUT" else request.method.lower())
        message = self.messages.get(id)
        if request.method == "PUT":
            return exchange.commit(lambda: self._acknowledge(box, id, message))
        if message is None or id not in box.inbox:
            return _said({}, 410 if message is not None else 404)
        number = int(what)
        if number not in message.chunks:
            return _said({}, 404)
        headers = {**message.headers, "mex-messageid": id}
        if message.of > 1:
            headers["mex-chunk-range"] = f"{number}:{message.of}"
        if encoding := message.encodings.get(number, ""):
            headers["content-encoding"] = encoding
        if request.method == "HEAD":
            return Response(200, b"", "application/octet-stream", headers)
        status = 206 if number < message.of else 200
        return Response(status, message.chunks[number], "application/octet-stream", headers)

    def _acknowledge(self, box: Mailbox, id: str, message: Message | None) -> Response:
        with self._lock:
            self.acknowledged.append(id)
            if message is not None and id in box.inbox:
                box.inbox.remove(id)
                message.status = "acknowledged"
        return Response(200, b"", V2)

    def _send(self, request: Request) -> Response:
        with self._lock:
            to, workflow = request.headers.get("mex-to", ""), request.headers.get("mex-workflowid", "")
            if to not in self.boxes or not workflow:
                code = "12" if to else "08"
                return _said({"message_id": "", "detail": [{"event": "SEND", "code": code, "msg": "refused"}]}, 417)
            told = {name: value for name, value in request.headers.items() if name.startswith("mex-")}
            ranged = told.pop("mex-chunk-range", "1:1")
            made = Message(
                self._id(), request.system, to, {**told, "mex-messagetype": "DATA"}, {1: request.body},
                {1: request.headers.get("content-encoding", "")}, of=int(ranged.partition(":")[2]),
            )  # fmt: skip
            self.messages[made.id] = made
            self._arrived(made)
            return _said({"message_id": made.id}, 202)

    def _more(self, request: Request, id: str, number: int) -> Response:
        with self._lock:
            message = self.messages.get(id)
            if message is None or message.sender != request.system:
                return _said({}, 404)
            message.chunks[number] = request.body
            message.encodings[number] = request.headers.get("content-encoding", "")
            self._arrived(message)
            return _said({"message_id": id}, 202)

    def _arrived(self, message: Message) -> None:
        message.status = "accepted" if message.whole else "uploading"
        if message.whole and message.id not in self.boxes[message.to].inbox:
            self.boxes[message.to].inbox.append(message.id)

    def _track(self, sender: str, reference: str) -> Response:
        found = [
            one for one in self.messages.values() if (one.sender, one.headers.get("mex-localid")) == (sender, reference)
        ]
        if not found:
            return _said({}, 404)
        if len(found) > 1:
            return _said({}, 300)
        shown = {
            "messageId": found[0].id,
            "dtsId": found[0].id,
            "localId": reference,
            "status": found[0].status.title(),
        }
        return _said({**shown, "fileSize": sum(map(len, found[0].chunks.values()))}, kind="application/json")

    def _tracking(self, message: Message) -> dict[str, Any]:
        return {"message_id": message.id, "local_id": message.headers.get("mex-localid", ""), "status": message.status}

    def _id(self) -> str:
        return f"{self._clock():%Y%m%d%H%M%S}{len(self.messages):06d}_{len(self.messages) + 0xA0:06X}"


def _said(body: dict[str, Any], status: int = 200, *, kind: str = V2) -> Response:
    return Response(status, json.dumps(body).encode(), kind)
