"""Around the whole application: which host is named, how long a body is, and the headers that protect a page.

Plain ASGI, so that it holds for pages, the interface for programs and every error alike.
"""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.signin.asked import SCOPE
from console.signin.entrance import Entrance

MOST_BYTES = 1_000_000
#: Names of this machine: what a request may name where the site has no address of its own.
_HERE = frozenset({"127.0.0.1", "localhost", "[::1]"})

#: Nothing is loaded from anywhere else, no script stands in a page, nobody frames us, forms go to us alone.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with no-referrer a browser would not tell the origin of our own forms either
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_TLS = ("Strict-Transport-Security", "max-age=31536000; includeSubDomains")


class TooLong(HTTPException):
    """The body is longer than it may be."""

    def __init__(self) -> None:
        super().__init__(413, "That is too long.")


def shielded(app: ASGIApp, entrance: Entrance, *, most_bytes: int = MOST_BYTES) -> ASGIApp:
    """Wrap an application. What it sets itself of the headers stays (a shipped style sheet may be kept)."""

    async def shield(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        scope[SCOPE] = entrance
        headers = Headers(scope=scope)
        scope["client"] = (caller(scope, headers, entrance.behind), 0)
        begun = False

        async def answer(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                _protect(message, entrance.secure)
            await send(message)

        if not named_rightly(headers, entrance.host):
            await _refuse(scope, receive, answer, 421, "This host is not known here.")
            return
        stated = headers.get("content-length", "")
        if stated.isdecimal() and int(stated) > most_bytes:
            await _refuse(scope, receive, answer, 413, "That is too long.")
            return
        read = 0

        async def bounded() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > most_bytes:
                raise TooLong
            return message

        try:
            await app(scope, bounded, answer)
        except TooLong:
            if not begun:
                await _refuse(scope, receive, answer, 413, "That is too long.")

    return shield


def named_rightly(headers: Headers, host: str) -> bool:
    """Whether a request names our host: the site's address, or this machine. A name that leads here by somebody else's
    doing (DNS rebinding) is neither."""
    named = headers.getlist("host")
    if len(named) != 1:
        return False
    told = named[0].casefold()
    return (bool(host) and told == host) or _without_port(told) in _HERE


def caller(scope: Scope, headers: Headers, behind: Iterable[str]) -> str:
    """The caller's address: the peer's, or where the peer is a web server of ours, the last one that it was told and
    that is none of ours."""
    ours = frozenset(behind)
    peer = scope["client"][0] if scope.get("client") else ""
    if peer not in ours:
        return str(peer)
    told = [one.strip() for line in headers.getlist("x-forwarded-for") for one in line.split(",")]
    return next((one for one in reversed(told) if one and one not in ours), str(peer))


def _without_port(host: str) -> str:
    name, mark, port = host.rpartition(":")
    return name if mark and port.isdecimal() else host


def _protect(message: MutableMapping[str, Any], secure: bool) -> None:
    headers = MutableHeaders(scope=message)
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    if secure:
        headers.setdefault(*_TLS)


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, words: str) -> None:
    await PlainTextResponse(words + "\n", status, {"Connection": "close"})(scope, receive, send)
