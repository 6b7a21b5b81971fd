"""Documents over REST: fetched into a file piece by piece, and sent out of one; never whole in memory."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import quote

from urllib3.fields import RequestField

from connectors.deadline import Deadline
from connectors.documents import Document, Lent
from connectors.errors import Misconfigured, NotThere, PageUnreadable, Unknown
from connectors.http import Body, Reply
from connectors.json_body import UnreadableBody, read
from connectors.port import Receipt
from connectors.rest.addresses import Addresses
from connectors.rest.profile_documents import DocumentAdd, RestDocuments
from connectors.rest.replies import at, id_text
from connectors.streamed import Around, in_place_of, mark


class Speaks(Protocol):
    """What of a connector is needed here."""

    addresses: Addresses

    def deadline(self) -> Deadline:
        """Start the clock of one call."""

    def send(self, method: str, url: str, params: Mapping[str, str], deadline: Deadline, **more: Any) -> Reply:
        """Send one call, logged in."""

    def expect(self, reply: Reply, doing: str, *, one: bool = False) -> None:
        """Raise the named error for a reply that is no success."""


class Documents:
    """The documents of one kind of record."""

    def __init__(self, kind: str, told: RestDocuments, speaks: Speaks) -> None:
        self._kind = kind
        self._told = told
        self._speaks = speaks

    def lend(self, id: str, ref: str, into: Callable[[bytes], None], *, most_bytes: int) -> Lent:
        """See `connectors.documents.Lends`. Tried once: whoever asks begins again with an empty file."""
        told, doing = self._told.fetch, f"fetching a document of a {self._kind}"
        if told is None:
            raise Misconfigured(f"the profile declares no documents.fetch for {self._kind}")
        size = 0

        def keep(piece: bytes) -> None:
            nonlocal size
            size += len(piece)
            into(piece)

        places = {"ref": ref, **({"id": id} if "{id}" in told.path else {})}
        reply = self._speaks.send(
            "GET",
            self._speaks.addresses.below(told.path, **places),
            {},
            self._speaks.deadline(),
            headers={"Accept": "*/*"},
            most_bytes=most_bytes,
            into=keep,
        )
        self._speaks.expect(reply, doing, one=True)
        if reply.status != 200:
            raise Unknown(f"{doing}: HTTP {reply.status} brings no document", reply=reply.body)
        length = reply.headers.get("Content-Length", "")
        if length.isdecimal() and "Content-Encoding" not in reply.headers and int(length) != size:
            raise Unknown(f"{doing}: it ended before its end")
        return Lent(reply.media_type, size)

    def add(self, id: str, document: Document, *, key: str) -> Receipt:
        """See `connectors.documents.TakesDocuments`."""
        told, doing = self._told.add, f"adding a document to a {self._kind}"
        if told is None:
            raise Misconfigured(f"the profile declares no documents.add for {self._kind}")
        if told.sent_as == "json":
            headers, body = _record(told, document, {"{id}": id, "{our_key}": key})
        else:
            headers, body = _raw(told, document) if told.sent_as == "raw" else _form(told, document, key)
        if told.key_header is not None:
            headers[told.key_header] = key
        places = {"id": id} if "{id}" in told.path else {}
        reply = self._speaks.send(
            told.method,
            self._speaks.addresses.below(told.path, **places),
            {},
            self._speaks.deadline(),
            headers={"Accept": "application/json", **headers},
            body=body,
        )
        self._speaks.expect(reply, doing, one=True)
        if reply.status == 202:
            raise Unknown(f"{doing}: HTTP 202 promises it for later", reply=reply.body)
        return Receipt(self._id(reply, told, doing) or key, "created", reply=reply.body)

    def find(self, id: str, key: str) -> str:
        """See `connectors.documents.TakesDocuments.find_document`."""
        told, doing = self._told.find, f"looking for a document of a {self._kind}"
        if told is None:
            raise NotImplementedError(f"documents of a {self._kind} cannot be searched by our key")
        reply = self._speaks.send(
            "GET",
            self._speaks.addresses.below(told.path, id=id),
            {},
            self._speaks.deadline(),
            headers={"Accept": "application/json"},
        )
        try:
            self._speaks.expect(reply, doing, one=True)
        except NotThere:
            return ""
        try:
            page = read(reply.body, reply.headers.get("Content-Type", ""))
        except UnreadableBody as trouble:
            raise PageUnreadable(f"{doing}: {trouble.reason}", reply=reply.body) from None
        found = page if told.items == "[]" else at(page, told.items.removesuffix("[]"))
        if not isinstance(found, list):
            raise PageUnreadable(f"{doing}: at {told.items}: expected a list of documents", reply=reply.body)
        ours = [one for one in found if at(one, told.our_key) == key]
        return (id_text(at(ours[0], told.id)) or key) if ours else ""

    def _id(self, reply: Reply, told: DocumentAdd, doing: str) -> str:
        """The document's id as the answer tells it; "" where the answer is empty, as some systems' are."""
        if not reply.body:
            return ""
        try:
            return id_text(at(read(reply.body, reply.headers.get("Content-Type", "")), told.id))
        except UnreadableBody as trouble:
            raise Unknown(f"{doing}: {trouble.reason}", reply=reply.body) from None


def _raw(told: DocumentAdd, document: Document) -> tuple[dict[str, str], Callable[[], Body]]:
    headers = {"Content-Type": document.mime, "Content-Length": str(document.size)}
    if told.name_header is not None:
        headers[told.name_header] = quote(document.name, safe="")
    return headers, document.reader


def _record(
    told: DocumentAdd, document: Document, places: Mapping[str, str]
) -> tuple[dict[str, str], Callable[[], Body]]:
    """A record in JSON whose last field is the file: what is around it is small, and the file goes by in pieces."""
    known = {**places, "{name}": document.name, "{mime}": document.mime}
    fields = {name: _filled(text, known) for name, text in told.fields.items()}
    marked = mark()
    around = json.dumps({**fields, str(told.data): marked}, ensure_ascii=False)
    size, made = in_place_of(marked, around.encode(), document)
    return {"Content-Type": "application/json", "Content-Length": str(size)}, made


def _filled(text: str, known: Mapping[str, str]) -> str:
    """One pass, so that a file's name is never taken for a place itself."""
    return re.sub("|".join(map(re.escape, known)), lambda found: known[found[0]], text)


def _form(told: DocumentAdd, document: Document, key: str) -> tuple[dict[str, str], Callable[[], Body]]:
    boundary = secrets.token_hex(16)
    told_too = {told.name_field: document.name, told.key_field: key}
    head = b""
    for name, value in told_too.items():
        if name is not None:
            head += _part(boundary, RequestField(name, value)) + value.encode() + b"\r\n"
    head += _part(boundary, RequestField(told.file_field, b"", filename=document.name), document.mime)
    tail = f"\r\n--{boundary}--\r\n".encode()
    size = len(head) + document.size + len(tail)
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", "Content-Length": str(size)}
    return headers, lambda: Around(head, document.reader(), tail, size)


def _part(boundary: str, part: RequestField, mime: str | None = None) -> bytes:
    part.make_multipart(content_type=mime)
    return f"--{boundary}\r\n{part.render_headers()}".encode()
