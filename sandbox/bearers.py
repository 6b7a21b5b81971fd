"""Bearer tokens of the pretend platforms: OAuth 2 client credentials, in memory as in a server that was restarted."""

from __future__ import annotations

import base64
import hmac
import secrets
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from urllib.parse import parse_qs, unquote_plus

from sandbox.exchange import Request


class NoToken(Exception):
    """No token is given: `status` and the `error` of RFC 6749, 5.2."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status, self.error = status, error


class Bearers:
    """The tokens of one system's tenants."""

    def __init__(self, clock: Callable[[], datetime], seconds: int) -> None:
        self._clock = clock
        self.seconds = seconds
        self._tokens: dict[str, tuple[str, datetime]] = {}
        self._lock = threading.Lock()

    def give(self, request: Request, login: Mapping[str, str]) -> str:
        """A new token for who shows this login, in the form or as HTTP Basic. Raises NoToken."""
        form = {name: values[0] for name, values in parse_qs(request.body.decode("utf-8", "replace")).items()}
        given = (form.get("client_id", ""), form.get("client_secret", ""))
        scheme, _, basic = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                name, _, secret = base64.b64decode(basic, validate=True).decode("utf-8").partition(":")
            except ValueError:
                name, secret = "", ""
            given = (unquote_plus(name), unquote_plus(secret))
        if form.get("grant_type") != "client_credentials":
            raise NoToken(400, "unsupported_grant_type")
        right = hmac.compare_digest(given[0].encode(), login["client_id"].encode())
        if not (hmac.compare_digest(given[1].encode(), login["client_secret"].encode()) and right):
            raise NoToken(401, "invalid_client")
        token, now = secrets.token_urlsafe(24), self._clock()
        with self._lock:
            self._tokens = {each: good for each, good in self._tokens.items() if good[1] > now}
            self._tokens[token] = (request.tenant, now + timedelta(seconds=self.seconds))
        return token

    def good(self, request: Request) -> bool:
        """Whether a call carries a token of its tenant that is good."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        with self._lock:
            tenant, until = self._tokens.get(token, ("", None))
        return scheme.lower() == "bearer" and tenant == request.tenant and until is not None and self._clock() < until
