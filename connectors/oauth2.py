"""OAuth2 client credentials: one token for all threads, renewed shortly before it ends or once it is refused.

Renewal is single-flight: while one thread asks, the others wait for its answer, also when the answer is no. A wrong
secret is thus tried once and not once a thread, which would lock the account at many a login server.
"""

from __future__ import annotations

import copy
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote_plus, urlencode

from connectors.again import safely_again
from connectors.deadline import Deadline
from connectors.errors import ConnectorError, Misconfigured, Throttled, Unauthorised, Unknown, Unreachable
from connectors.http import HttpSession, Reply, retry_after
from connectors.json_body import UnreadableBody, read
from connectors.settings import OAuth2Login

UNTOLD_LIFE = 300.0  # seconds for which a token without expires_in is taken for good; a 401 renews it anyway
EARLY = 30.0  # seconds before its end at which a token is renewed, but never earlier than after nine tenths of its life
# RFC 6749 5.2; anything else an answer may call itself is not shown.
KNOWN_CODES = frozenset(
    {"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type",
     "invalid_scope"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Token:
    text: str = field(repr=False)
    renew_at: float  # on the monotonic clock


@dataclass(frozen=True, slots=True)
class _Failure:
    error: ConnectorError
    at: float


class ClientCredentials:
    """A login that fetches bearer tokens with a client id and secret. Safe to use from several threads at once."""

    def __init__(
        self,
        login: OAuth2Login,
        session: HttpSession,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`session` must allow the token address."""
        self._login = login
        self._session = session
        self._monotonic = monotonic
        self._sleep = sleep
        self._renewing = threading.Lock()
        self._held: _Token | None = None
        self._failed: _Failure | None = None

    def __repr__(self) -> str:
        return "ClientCredentials()"

    def headers(self, deadline: Deadline) -> Mapping[str, str]:
        """Return the header with a token that is still good. Raises Unauthorised, Unreachable or Throttled."""
        held = self._held
        if held is None or self._monotonic() >= held.renew_at:
            held = self._renew("", deadline)
        return _header(held)

    def renewed(self, refused: Mapping[str, str], deadline: Deadline) -> Mapping[str, str]:
        """Return the header with another token than the refused one, which another thread may hold already."""
        return _header(self._renew(refused.get("Authorization", ""), deadline))

    def _renew(self, refused: str, deadline: Deadline) -> _Token:
        asked = self._monotonic()
        if not self._renewing.acquire(timeout=max(deadline.left(), 0.0)):
            raise Unreachable("logging in took longer than the call may take; nothing was sent")
        try:
            held, failed = self._held, self._failed
            if held is not None and self._monotonic() < held.renew_at and _header(held)["Authorization"] != refused:
                return held
            if failed is not None and failed.at >= asked:
                raise copy.copy(failed.error)
            try:
                self._held = safely_again(lambda: self._ask(deadline), deadline, sleep=self._sleep)
            except ConnectorError as error:
                self._failed = _Failure(error, self._monotonic())
                raise
            return self._held
        finally:
            self._renewing.release()

    def _ask(self, deadline: Deadline) -> _Token:
        form = {"grant_type": "client_credentials"} | ({"scope": self._login.scope} if self._login.scope else {})
        # RFC 6749 2.3.1: every server must take the secret this way, and both halves are form-encoded first.
        secret = self._login.client_secret.get_secret_value()
        pair = f"{quote_plus(self._login.client_id)}:{quote_plus(secret)}"
        asked = self._monotonic()
        try:
            reply = self._session.send(
                "POST",
                self._login.token_url,
                headers={
                    "Authorization": f"Basic {b64encode(pair.encode()).decode()}",
                    "Content-Type": "application/x-www-form-urlencoded",
                    "Accept": "application/json",
                },
                body=urlencode(form).encode(),
                deadline=deadline,
            )
        except Unknown as error:
            # Of the call itself nothing was sent, whatever the login server made of this one.
            raise Unreachable(f"logging in: {error.reason}") from None
        return _token(reply, asked)


def _token(reply: Reply, asked: float) -> _Token:
    if reply.status == 429:
        raise Throttled("the login server asks us to slow down; nothing was sent", after=retry_after(reply))
    if reply.status in (400, 401, 403):
        code = _code(reply)
        raise Unauthorised(
            f"the login server refused client_id and client_secret (HTTP {reply.status}{', ' + code if code else ''})",
            code=code,
        )
    if reply.status in (404, 405, 410):
        raise Misconfigured(
            f"token_url gives no tokens (HTTP {reply.status}): write the address that the supplier names"
        )
    if reply.status != 200:
        raise Unreachable(f"the login server gave no token (HTTP {reply.status}); nothing was sent")
    try:
        answer = read(reply.body, reply.headers.get("Content-Type", ""))
    except UnreadableBody as trouble:
        raise Unreachable(f"the login server gave no token: {trouble.reason}") from None
    text = answer.get("access_token") if isinstance(answer, dict) else None
    if not isinstance(text, str) or not text or not text.isascii() or not text.isprintable() or " " in text:
        raise Unreachable("the login server gave no token: access_token is missing or not one word of ASCII")
    if str(answer.get("token_type", "bearer")).lower() != "bearer":
        raise Misconfigured("the login server gives tokens of another token_type than bearer")
    life = _seconds(answer.get("expires_in"))
    return _Token(text, asked + life - min(EARLY, life / 10))


def _seconds(told: object) -> float:
    """Read expires_in, which some servers write as text."""
    if isinstance(told, str) and told.isascii() and told.isdigit() and len(told) < 10:
        told = int(told)
    if isinstance(told, bool) or not isinstance(told, int | float) or told <= 0:
        return UNTOLD_LIFE
    return float(told)


def _code(reply: Reply) -> str:
    try:
        answer = read(reply.body, reply.headers.get("Content-Type", ""))
    except UnreadableBody:
        return ""
    code = answer.get("error") if isinstance(answer, dict) else None
    return code if isinstance(code, str) and code in KNOWN_CODES else ""


def _header(token: _Token) -> dict[str, str]:
    return {"Authorization": f"Bearer {token.text}"}
