"""Forms: read within bounds, and sent by nobody but a page of ours.

A form carries a token that belongs to a cookie which no other site's page can read or make; and a browser says itself
where a form comes from. Whoever keeps sessions may put its own `Tokens` in the application's state.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import Mapping
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request
from starlette.responses import Response

FIELD = "_form"
_COOKIE = "dolen_form"
_MOST_BYTES = 65_536
_MOST_FIELDS = 1_200
_WITHIN = 10.0
_FORM = "application/x-www-form-urlencoded"


class BadForm(Exception):
    """What was sent is no form of ours. `status` says why."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Forged(Exception):
    """A form did not come from a page of ours, or the page was opened too long ago."""


class Tokens(Protocol):
    """How a form is known to be ours."""

    def token(self, request: Request) -> str:
        """The token for forms on a page that answers this request."""

    def remember(self, request: Request, response: Response) -> None:
        """Have the browser keep what the token belongs to."""

    def holds(self, request: Request, token: str) -> bool:
        """Whether a form with this token came from a page of ours."""


class CookieTokens:
    """A token made from a cookie, with a key that only this process knows."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def token(self, request: Request) -> str:
        """The token for this browser's cookie; a new cookie where it has none."""
        return self._made(self._cookie(request))

    def remember(self, request: Request, response: Response) -> None:
        """Set the cookie, where the browser did not send it."""
        if _COOKIE not in request.cookies:
            response.set_cookie(_COOKIE, self._cookie(request), httponly=True, samesite="strict",
                                secure=request.url.scheme == "https", path="/")  # fmt: skip

    def holds(self, request: Request, token: str) -> bool:
        """Whether the token belongs to the cookie that came with it."""
        cookie = request.cookies.get(_COOKIE)
        return bool(cookie) and hmac.compare_digest(self._made(str(cookie)).encode(), token.encode())

    def _cookie(self, request: Request) -> str:
        if cookie := request.cookies.get(_COOKIE):
            return cookie
        if not hasattr(request.state, "form_cookie"):
            request.state.form_cookie = secrets.token_urlsafe(24)
        return str(request.state.form_cookie)

    def _made(self, cookie: str) -> str:
        return hmac.digest(self._key, cookie.encode(), "sha256").hex()


async def read(request: Request) -> Mapping[str, tuple[str, ...]]:
    """Read a form. Raises BadForm where it is none, is too large or too slow."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise BadForm(415)
    body = bytearray()
    try:
        async with asyncio.timeout(_WITHIN):
            async for piece in request.stream():
                body += piece
                if len(body) > _MOST_BYTES:
                    raise BadForm(413)
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except TimeoutError:
        raise BadForm(408) from None
    except ValueError:
        raise BadForm(400) from None
    found: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        found[name] = (*found.get(name, ()), value)
    return found


def check(request: Request, form: Mapping[str, tuple[str, ...]]) -> None:
    """Make sure that a form came from a page of ours. Raises Forged."""
    tokens: Tokens = request.app.state.tokens
    site = request.headers.get("sec-fetch-site", "same-origin")
    origin = request.headers.get("origin")
    elsewhere = origin is not None and urlsplit(origin).netloc != request.headers.get("host", "")
    if site not in ("same-origin", "none") or elsewhere or not tokens.holds(request, form.get(FIELD, ("",))[0]):
        raise Forged
