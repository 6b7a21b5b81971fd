"""Logins that begin with a call of their own: one that gives a token, and one that gives the cookie of a session.

They are for systems that know no standard way. What is held is renewed when its time is over and when it is refused.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlencode

import orjson

from connectors.deadline import Deadline
from connectors.errors import Misconfigured, Throttled, Unauthorised, Unknown, Unreachable
from connectors.http import HttpSession, Moved, Reply, retry_after
from connectors.json_body import UnreadableBody, read
from connectors.login_settings import SessionLogin, TokenLogin
from connectors.renewing import Renewing, Ticket

_LONGEST = 8_000  # characters of a token or cookie; many a server takes no longer header


def token_login(
    login: TokenLogin, session: HttpSession, *, monotonic: Callable[[], float] = time.monotonic
) -> Renewing:
    """Sign in for a token. `session` must allow the sign-in address. Raises Misconfigured for a key of no header."""
    beside = {} if login.api_key is None else {login.api_key.header: login.api_key.key.get_secret_value()}

    def fetch(deadline: Deadline) -> Ticket:
        asked = monotonic()
        reply = _sign_in(session, login, beside, deadline)
        try:
            answer = read(reply.body, reply.headers.get("Content-Type", ""))
        except UnreadableBody as trouble:
            raise Unreachable(f"signing in gave no token: {trouble.reason}") from None
        for step in login.token.split("/"):
            answer = answer.get(step) if isinstance(answer, dict) else None
        if not isinstance(answer, str) or not _carried(answer):
            # Many a system says no with status 200 and a sentence; which one it is cannot be told from here.
            raise Unauthorised(f"signing in gave no token at {login.token}: are user name and password right?")
        return Ticket.good_for({**beside, login.header: login.prefix + answer}, asked, login.good_for_seconds)

    return Renewing(fetch, name="token", monotonic=monotonic)


def session_login(
    login: SessionLogin, session: HttpSession, *, monotonic: Callable[[], float] = time.monotonic
) -> Renewing:
    """Sign in for the cookie of a session. `session` must allow the sign-in address."""

    def fetch(deadline: Deadline) -> Ticket:
        asked = monotonic()
        try:
            headers: Mapping[str, str] = _sign_in(session, login, {}, deadline).headers
        except Moved as moved:
            headers = moved.headers  # many a system answers a sign-in with the page to go to
        cookie = cookie_in(headers.get("Set-Cookie", ""), login.cookie)
        if not cookie:
            raise Unauthorised(f"signing in gave no cookie {login.cookie}: are user name and password right?")
        return Ticket.good_for({"Cookie": f"{login.cookie}={cookie}"}, asked, login.good_for_seconds)

    return Renewing(fetch, name="session", monotonic=monotonic)


def _sign_in(
    session: HttpSession, login: TokenLogin | SessionLogin, beside: Mapping[str, str], deadline: Deadline
) -> Reply:
    fields = {login.username_field: login.username, login.password_field: login.password.get_secret_value()}
    form = login.body == "form"
    kind = "application/x-www-form-urlencoded" if form else "application/json"
    try:
        reply = session.send(
            "POST",
            login.sign_in_url,
            headers={"Content-Type": kind, "Accept": "application/json", **beside},
            body=urlencode(fields).encode() if form else orjson.dumps(fields),
            deadline=deadline,
        )
    except Moved:
        raise
    except Unknown as error:
        raise Unreachable(f"signing in: {error.reason}") from None  # of the call itself nothing was sent
    if reply.status == 429:
        slow = "the system asks us to slow down while signing in; nothing was sent"
        raise Throttled(slow, after=retry_after(reply), whole=True)
    if reply.status in (400, 401, 403):
        raise Unauthorised(f"signing in was refused (HTTP {reply.status}): are user name and password right?")
    if reply.status in (404, 405, 410):
        raise Misconfigured(f"sign_in_url: nobody signs in there (HTTP {reply.status}): write the supplier's address")
    if not 200 <= reply.status < 300:
        raise Unreachable(f"signing in did not go well (HTTP {reply.status}); nothing was sent")
    return reply


def cookie_in(told: str, name: str) -> str:
    """The value of one cookie among those of an answer; "" if it is not there or no header can carry it."""
    # Several Set-Cookie headers arrive joined by commas, and a date in one holds a comma too.
    for piece in told.split(","):
        jar: SimpleCookie = SimpleCookie()
        try:
            jar.load(piece.strip())
        except CookieError:
            continue
        if name in jar and _carried(jar[name].coded_value):
            return jar[name].coded_value
    return ""


def _carried(text: str) -> bool:
    return 0 < len(text) <= _LONGEST and text.isascii() and text.isprintable() and " " not in text and ";" not in text
