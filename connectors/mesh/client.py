"""The calls of the MESH API, and what its answers mean.

| answer | error |
|---|---|
| 403 | Unauthorised |
| 404, 410 | NotThere; where no message was named the url is wrong: Misconfigured |
| 429 | Throttled |
| 417, 423 and other 4xx | Rejected, with MESH's own code |
| 5xx, anything else | Unknown |

Codes are those of the contract's table (02, 06 to 08, 11, 12, 14 to 17). MESH's own words are never passed on.
"""

from __future__ import annotations

import platform
import re
import zlib
from collections.abc import Mapping
from typing import Any, NoReturn
from urllib.parse import quote, unquote

from connectors.deadline import Deadline
from connectors.errors import Misconfigured, NotThere, PageUnreadable, Rejected, Throttled, Unauthorised, Unknown
from connectors.http import HttpSession, Reply, retry_after
from connectors.json_body import UnreadableBody, read
from connectors.logins import HttpLogin, send_logged_in

ACCEPT = "application/vnd.mesh.v2+json"
GZIP = b"\x1f\x8b"
MOST_CHUNKS = 10_000
#: The contract's codes are two digits. What is no such number may be anybody's word, and is not shown.
CODE = re.compile(r"(?:[A-Z]{1,4}-)?[0-9]{1,3}")
_RANGE = re.compile(r"(\d{1,6}):(\d{1,6})")
#: What the contract says of each code, in our words.
CODES: Mapping[str, str] = {
    "02": "the data file is missing",
    "06": "headers are malformed",
    "07": "the sending mailbox is not the one that is logged in",
    "08": "no receiving mailbox was named",
    "11": "the message type is not DATA",
    "12": "the receiving mailbox is not registered",
    "14": "it was not collected in time",
    "15": "the file for child protection is wrong",
    "16": "we are not allowed to send messages of this kind",
    "17": "the workflow is not registered for the mailbox",
}


class Client:
    """One mailbox. Safe to use from several threads at once."""

    def __init__(self, session: HttpSession, login: HttpLogin, url: str, mailbox: str, *, most_bytes: int) -> None:
        self._session = session
        self._login = login
        self._root = f"{url.rstrip('/')}/messageexchange/{quote(mailbox, safe='')}"
        self._most = most_bytes

    def handshake(self, deadline: Deadline) -> Reply:
        """Say that we are there, as the contract asks for once a day."""
        headers = {
            "mex-clientversion": "dolen",
            "mex-osname": platform.system() or "-",
            "mex-osversion": platform.release() or "-",
        }
        return self._expect(self._send("POST", "", deadline, headers=headers), "validating the mailbox")

    def inbox(self, deadline: Deadline, *, after: str = "") -> tuple[list[str], str]:
        """The ids of what waits, and where the list goes on ("" if it does not)."""
        doing = "listing the inbox"
        params = {"max_results": "500"} | ({"continue_from": after} if after else {})
        reply = self._expect(self._send("GET", "/inbox", deadline, params=params), doing)
        told = _json(reply, doing)
        found = told.get("messages") if isinstance(told, dict) else None
        if not isinstance(found, list) or not all(isinstance(id, str) and id and id.isprintable() for id in found):
            raise PageUnreadable(f"{doing}: at messages: expected a list of ids", reply=reply.body)
        links = told.get("links")
        following = links.get("next") if isinstance(links, dict) else None
        if not following:
            return found, ""
        # Only the token is taken from the link, so that no answer can lead us elsewhere.
        token = re.search(r"[?&]continue_from=([^&#]+)", following) if isinstance(following, str) else None
        if token is None:
            raise PageUnreadable(f"{doing}: at links/next: expected a link that goes on", reply=reply.body)
        return found, unquote(token[1])

    def head(self, id: str, deadline: Deadline) -> Mapping[str, str]:
        """What is written on a message. Raises NotThere."""
        reply = self._send("HEAD", f"/inbox/{quote(id, safe='')}", deadline)
        return self._expect(reply, "looking at a message", one=True).headers

    def download(self, id: str, deadline: Deadline) -> bytes:
        """A whole message, all its chunks put together and unpacked. Raises NotThere, and PageUnreadable if a chunk
        is missing or it is longer than `max_reply_bytes`."""
        doing, path = "downloading a message", f"/inbox/{quote(id, safe='')}"
        reply = self._expect(self._send("GET", path, deadline), doing, one=True)
        if not any(name.lower().startswith("mex-") for name in reply.headers):
            # Any bytes may be a message; those of a page from between us and MESH must not be acknowledged as one.
            raise Unknown(f"{doing}: the answer bears no header of MESH's own", reply=reply.body)
        whole, size, count = [self._unpacked(reply, doing)], 0, _chunks(reply, 1, doing)
        for number in range(2, count + 1):
            size += len(whole[-1])
            if size > self._most:
                raise PageUnreadable(f"{doing}: it is longer than max_reply_bytes ({self._most}); raise it to read it")
            reply = self._send("GET", f"{path}/{number}", deadline)
            if reply.status in (404, 410):
                raise PageUnreadable(f"{doing}: chunk {number} of {count} is missing")
            self._expect(reply, doing, one=True)
            if _chunks(reply, number, doing) != count:
                raise PageUnreadable(f"{doing}: chunk {number} belongs to a message of another length")
            whole.append(self._unpacked(reply, doing))
        return b"".join(whole)

    def acknowledge(self, id: str, deadline: Deadline) -> None:
        """Take a message out of the inbox; done before is done."""
        reply = self._send("PUT", f"/inbox/{quote(id, safe='')}/status/acknowledged", deadline)
        if reply.status not in (404, 410):
            self._expect(reply, "acknowledging a message", one=True)

    def send(self, chunks: list[bytes], headers: Mapping[str, str], deadline: Deadline) -> str:
        """Send a message, in chunks if there are several; return its id. Raises Unknown if an answer is missing."""
        doing = "sending a message"
        first = dict(headers) | ({"mex-chunk-range": f"1:{len(chunks)}"} if len(chunks) > 1 else {})
        reply = self._expect(self._send("POST", "/outbox", deadline, headers=first, body=chunks[0]), doing)
        try:
            told = _json(reply, doing)
        except PageUnreadable as trouble:
            raise Unknown(trouble.reason, reply=reply.body) from None
        id = told.get("message_id") if isinstance(told, dict) else None
        if not isinstance(id, str) or not id or not id.isprintable():
            raise Unknown(f"{doing}: the answer holds no message_id", reply=reply.body)
        for number, chunk in enumerate(chunks[1:], start=2):
            more = {"mex-chunk-range": f"{number}:{len(chunks)}", "Content-Type": headers["Content-Type"]}
            if "Content-Encoding" in headers:
                more["Content-Encoding"] = headers["Content-Encoding"]
            path = f"/outbox/{quote(id, safe='')}/{number}"
            self._expect(self._send("POST", path, deadline, headers=more, body=chunk), doing, one=True)
        return id

    def tracked(self, reference: str, deadline: Deadline) -> list[dict[str, Any]]:
        """What MESH knows of the messages that carry our reference."""
        doing = "tracking a message"
        path = f"/outbox/tracking/{quote(reference, safe='')}"
        reply = self._send("GET", path, deadline, headers={"Accept": "application/json"})
        if reply.status == 404 and not reply.body.lstrip().startswith(b"<"):  # a gateway's page knows no message
            return []
        if reply.status == 300:  # several carry it: the contract says so and describes no body
            return [{}, {}]
        told = _json(self._expect(reply, doing), doing)
        if not isinstance(told, dict):  # taken for none, the message would be sent a second time
            raise Unknown(f"{doing}: the answer does not describe a message", reply=reply.body)
        return [told]

    def _send(self, method: str, path: str, deadline: Deadline, **more: Any) -> Reply:
        headers = {"Accept": ACCEPT, **more.pop("headers", {})}
        return send_logged_in(
            self._session, self._login, method, self._root + path, deadline=deadline, headers=headers, **more
        )

    def _expect(self, reply: Reply, doing: str, *, one: bool = False) -> Reply:
        if not 200 <= reply.status < 300:
            _refuse(reply, doing, one=one)
        return reply

    def _unpacked(self, reply: Reply, doing: str) -> bytes:
        """Unpack what the sender packed without saying so in Content-Encoding. No CSV, JSON or XML begins like gzip."""
        body = reply.body
        if not body.startswith(GZIP):
            return body
        found = zlib.decompressobj(wbits=31)
        try:
            plain = found.decompress(body, self._most)
        except zlib.error:
            raise PageUnreadable(f"{doing}: it is packed and cannot be unpacked", reply=body) from None
        if found.unconsumed_tail:
            raise PageUnreadable(f"{doing}: it is longer than max_reply_bytes ({self._most}); raise it to read it")
        if not found.eof:
            raise PageUnreadable(f"{doing}: it is packed and cut off", reply=body)
        return plain


def _refuse(reply: Reply, doing: str, *, one: bool) -> NoReturn:
    code = _code(reply)
    means = f" ({code}: {CODES.get(code, 'a code of its own')})" if code else ""
    what = f"{doing}: HTTP {reply.status}{means}"
    match reply.status:
        case 401 | 403:
            raise Unauthorised(f"{what} refuses our token, mailbox or certificate", code=code, reply=reply.body)
        case 404 | 410 if one:
            raise NotThere(f"{what}: there is no such message", code=code, reply=reply.body)
        case 404:
            raise Misconfigured(f"{what}: no such mailbox or path; is the connection's url right?", reply=reply.body)
        case 429:
            slow, after = f"{what} asks us to slow down", retry_after(reply)
            raise Throttled(slow, after=after, code=code, reply=reply.body, whole=True)
        case status if 400 <= status < 500 and status != 408:
            raise Rejected(f"{what} refuses what we sent", code=code, reply=reply.body)
        case _:
            raise Unknown(f"{what} says neither done nor refused", code=code, reply=reply.body)


def _code(reply: Reply) -> str:
    try:
        told = read(reply.body, reply.headers.get("Content-Type", ""))
    except UnreadableBody:
        return ""
    if not isinstance(told, dict):
        return ""
    detail = told.get("detail")
    first = detail[0] if isinstance(detail, list) and detail and isinstance(detail[0], dict) else told
    code = first.get("code", told.get("errorCode"))
    return code if isinstance(code, str) and CODE.fullmatch(code) else ""


def _json(reply: Reply, doing: str) -> Any:
    try:
        return read(reply.body, reply.headers.get("Content-Type", ""))
    except UnreadableBody as trouble:
        if trouble.foreign:
            raise Unknown(f"{doing}: {trouble.reason}", reply=reply.body) from None
        raise PageUnreadable(f"{doing}: {trouble.reason}", reply=reply.body) from None


def _chunks(reply: Reply, number: int, doing: str) -> int:
    """How many chunks the message has, by a chunk's own words. Raises PageUnreadable where it is not this chunk."""
    told = reply.headers.get("Mex-Chunk-Range", "").strip()
    found = _RANGE.fullmatch(told)
    if not told and number == 1 and reply.status != 206:
        return 1
    if found is None or int(found[1]) != number or not number <= int(found[2]) <= MOST_CHUNKS:
        raise PageUnreadable(f"{doing}: chunk {number} does not say which of how many it is")
    if (reply.status == 206) != (number < int(found[2])):
        raise PageUnreadable(f"{doing}: chunk {number} is the last by its status and not by its range, or otherwise")
    return int(found[2])
