"""The calls that a FHIR server is asked with: searches by POST, pages by their links, one resource written at a time.

A search is sent as a form (`POST [type]/_search`), so that neither a key nor anything of a person stands in an address
that proxies and logs keep. Reads are tried again inside the call's deadline; a write is sent once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from connectors.again import safely_again
from connectors.deadline import Deadline
from connectors.errors import PageUnreadable, Unknown
from connectors.fhir.bundles import Resource
from connectors.fhir.outcome import refuse
from connectors.http import Body, HttpSession, Reply, ReplyTooLarge
from connectors.json_body import UnreadableBody, parse, read
from connectors.logins import HttpLogin, send_logged_in
from connectors.rest.addresses import Addresses
from connectors.rest.interface import Interface

JSON = "application/fhir+json"
ASKED = {"Accept": JSON}
FORM = {**ASKED, "Content-Type": "application/x-www-form-urlencoded"}
Parameters = Sequence[tuple[str, str]]


class Asking:
    """Speaks to one server. Safe to use from several threads at once."""

    def __init__(
        self,
        session: HttpSession,
        login: HttpLogin,
        addresses: Addresses,
        interface: Interface | None,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`interface` says which elements a refusal may name; without it none is named."""
        self.session, self.addresses, self.interface = session, addresses, interface
        self.login = login
        self._sleep = sleep

    def search(
        self, type: str, parameters: Parameters, deadline: Deadline, *, most_bytes: int | None = None
    ) -> tuple[str, Reply]:
        """Search for resources of a type. Returns the address that was called and what came, unjudged."""
        address = self.addresses.below(f"/{type}/_search")
        body = urlencode(parameters).encode()
        return address, self._read("POST", address, deadline, headers=FORM, body=body, most_bytes=most_bytes)

    def get(self, address: str, deadline: Deadline, *, most_bytes: int | None = None) -> Reply:
        """Read an address below the connection's url. What came is not judged."""
        return self._read("GET", address, deadline, headers=ASKED, most_bytes=most_bytes)

    def create(
        self,
        type: str,
        body: bytes | Callable[[], Body],
        deadline: Deadline,
        *,
        system: str,
        key: str,
        size: int | None = None,
        wants: str = "representation",
    ) -> Reply:
        """Create a resource unless one bears our key already (FHIR R4, http.html#ccreate). Sent once, unjudged.

        `size`: the bytes of a body that comes in pieces. `wants`: what of the resource the answer is to hold.
        """
        unless = f"identifier={quote(system, safe=':/')}|{quote(key, safe='')}"
        headers = {**ASKED, "Content-Type": JSON, "If-None-Exist": unless, "Prefer": f"return={wants}"}
        headers |= {"Content-Length": str(size)} if size is not None else {}
        return self._send("POST", self.addresses.below(f"/{type}"), deadline, headers=headers, body=body)

    def update(self, type: str, id: str, body: bytes, deadline: Deadline, *, version: str) -> Reply:
        """Replace a resource if it still has that version (FHIR R4, http.html#concurrency). Sent once, unjudged."""
        headers = {**ASKED, "Content-Type": JSON, "If-Match": f'W/"{version}"', "Prefer": "return=representation"}
        return self._send("PUT", self.addresses.below(f"/{type}/{{id}}", id=id), deadline, headers=headers, body=body)

    def update_by_key(
        self, type: str, body: bytes, deadline: Deadline, *, system: str, key: str, version: str = ""
    ) -> Reply:
        """Replace the resource that bears our key, or make it (FHIR R4, http.html#cond-update). Sent once, unjudged.

        With a version it must be there, and still have that one.
        """
        which = f"?identifier={quote(system, safe=':/')}%7C{quote(key, safe='')}"
        headers = {**ASKED, "Content-Type": JSON, "Prefer": "return=representation"}
        headers |= {"If-Match": f'W/"{version}"'} if version else {}
        return self._send("PUT", self.addresses.below(f"/{type}") + which, deadline, headers=headers, body=body)

    def validate(self, type: str, body: bytes, deadline: Deadline) -> Reply:
        """Have the server judge a resource and keep nothing (FHIR R4, resource-operation-validate). Unjudged."""
        headers = {**ASKED, "Content-Type": JSON}
        return self._send("POST", self.addresses.below(f"/{type}/$validate"), deadline, headers=headers, body=body)

    def expect(self, reply: Reply, doing: str, *, one: bool = False, creating: bool = False) -> None:
        """Raise the named error for a reply that is no success."""
        if not 200 <= reply.status < 300:
            refuse(reply, doing=doing, interface=self.interface, one=one, creating=creating)

    def listed(self, reply: Reply, doing: str) -> Any:
        """What a search or a history holds, its records not looked at yet. Raises as `expect`, and PageUnreadable."""
        self.expect(reply, doing)
        try:
            return parse(reply.body, reply.headers.get("Content-Type", ""))
        except UnreadableBody as trouble:
            if trouble.foreign:  # a login or maintenance page says nothing about the records
                raise Unknown(f"{doing}: {trouble.reason}", reply=reply.body) from None
            raise PageUnreadable(f"{doing}: {trouble.reason}", reply=reply.body) from None

    def resource(self, reply: Reply, type: str, doing: str) -> Resource | None:
        """The resource that an answer to a write holds; None if it holds none. Raises Unknown for what is no answer."""
        if not reply.body.strip():
            return None
        try:
            found = read(reply.body, reply.headers.get("Content-Type", ""))
        except UnreadableBody as trouble:
            raise Unknown(f"{doing}: {trouble.reason}", reply=reply.body) from None
        return found if isinstance(found, dict) and found.get("resourceType") == type else None

    def located(self, reply: Reply, type: str) -> str:
        """The id of the resource of that type that an answer's headers name, "" if they name none."""
        where = reply.headers.get("Location") or reply.headers.get("Content-Location") or ""
        return self.addresses.id_in(where.partition("/_history/")[0], f"/{type}/{{id}}")

    def _send(self, method: str, url: str, deadline: Deadline, **more: Any) -> Reply:
        return send_logged_in(self.session, self.login, method, url, deadline=deadline, **more)

    def _read(
        self,
        method: str,
        url: str,
        deadline: Deadline,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        most_bytes: int | None = None,
    ) -> Reply:
        def once() -> Reply:
            reply = self._send(method, url, deadline, headers=headers, body=body, most_bytes=most_bytes)
            if (reply.status >= 500 or reply.status == 408) and "Retry-After" not in reply.headers:
                raise _Passing(reply)
            return reply

        try:
            return safely_again(once, deadline, sleep=self._sleep)
        except _Passing as passing:
            return passing.answer
        except ReplyTooLarge as large:
            raise PageUnreadable(large.reason) from None


class _Passing(Unknown):
    """Carries a reply that may be better next time out of the tries."""

    def __init__(self, answer: Reply) -> None:
        super().__init__("the server has trouble of its own")
        self.answer = answer
