"""OAuth2 client credentials: one token for all threads, asked for with a secret or with an assertion that we sign."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Callable
from urllib.parse import quote_plus, urlencode

from connectors.deadline import Deadline
from connectors.errors import Misconfigured, Throttled, Unauthorised, Unknown, Unreachable
from connectors.http import HttpSession, Reply, retry_after
from connectors.json_body import UnreadableBody, read
from connectors.login_settings import OAuth2Login, SigningKey
from connectors.renewing import Renewing, Ticket
from connectors.signed import assertion

UNTOLD_LIFE = 300.0  # seconds for which a token without expires_in is taken for good; a 401 renews it anyway
# RFC 6749 5.2; anything else an answer may call itself is not shown.
KNOWN_CODES = frozenset(
    {"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type",
     "invalid_scope"}
)  # fmt: skip
_SIGNED = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def client_credentials(
    login: OAuth2Login,
    session: HttpSession,
    *,
    monotonic: Callable[[], float] = time.monotonic,
    now: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> Renewing:
    """A login that fetches bearer tokens. `session` must allow the token address.

    Raises Misconfigured for a private key that cannot sign.
    """
    if login.assertion is not None:
        _assertion(login, login.assertion, now())

    def fetch(deadline: Deadline) -> Ticket:
        asked = monotonic()
        try:
            reply = _ask(login, session, deadline, now())
        except Unknown as error:
            # Of the call itself nothing was sent, whatever the login server made of this one.
            raise Unreachable(f"logging in: {error.reason}") from None
        return _token(reply, asked, "assertion" if login.assertion is not None else "client_secret")

    return Renewing(fetch, name="oauth2", monotonic=monotonic, sleep=sleep)


def _ask(login: OAuth2Login, session: HttpSession, deadline: Deadline, now: float) -> Reply:
    form = {"grant_type": "client_credentials"} | ({"scope": login.scope} if login.scope else {})
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    if login.assertion is not None:
        signed = _assertion(login, login.assertion, now)
        if login.act_as is not None:
            form |= {"grant_type": _GRANT, "assertion": signed}
        else:
            form |= {"client_id": login.client_id, "client_assertion_type": _SIGNED, "client_assertion": signed}
    elif login.client_secret is not None:
        # RFC 6749 2.3.1: every server must take the secret this way, and both halves are form-encoded first.
        pair = f"{quote_plus(login.client_id)}:{quote_plus(login.client_secret.get_secret_value())}"
        headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
    return session.send("POST", login.token_url, headers=headers, body=urlencode(form).encode(), deadline=deadline)


def _assertion(login: OAuth2Login, key: SigningKey, now: float) -> str:
    audience = login.audience or login.token_url
    return assertion(key, client=login.client_id, audience=audience, now=now, act_as=login.act_as or "")


def _token(reply: Reply, asked: float, proof: str) -> Ticket:
    if reply.status == 429:
        raise Throttled("the login server asks us to slow down; nothing was sent", after=retry_after(reply), whole=True)
    if reply.status in (400, 401, 403):
        code = _code(reply)
        raise Unauthorised(
            f"the login server refused client_id and {proof} (HTTP {reply.status}{', ' + code if code else ''})",
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
    return Ticket.good_for({"Authorization": f"Bearer {text}"}, asked, _seconds(answer.get("expires_in")))


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
