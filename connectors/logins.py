"""How a call says who it is: Basic, a key in a header, a token signed for each, or a login that renews itself.

`send_logged_in` is the one place where a refused login is renewed, once, and the call repeated: a 401 says that nothing
was done, so this is safe for writes too. No secret is ever part of a repr or of an error.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from connectors.deadline import Deadline
from connectors.errors import Misconfigured, Unauthorised
from connectors.http import Body, HttpSession, Moved, Reply
from connectors.login_settings import ApiKeyLogin, BasicLogin
from connectors.mesh_token import MeshToken
from connectors.oauth2 import client_credentials
from connectors.pace import Agree
from connectors.settings import OVER_HTTP, HttpSettings
from connectors.sign_in import session_login, token_login
from connectors.signed import SignedForEach

Headers = Mapping[str, str]


class HttpLogin(Protocol):
    """A way to log in over HTTP. Safe to use from several threads at once."""

    def headers(self, deadline: Deadline) -> Headers:
        """Return the headers that log a call in; may fetch a token. Raises Unauthorised, Unreachable or Throttled."""

    def renewed(self, refused: Headers, deadline: Deadline) -> Headers | None:
        """Return other headers after these were refused, or None if this login has no others."""


class Fixed:
    """A login that says the same with every call."""

    def __init__(self, headers: Headers) -> None:
        self._headers = dict(headers)

    def __repr__(self) -> str:
        return f"Fixed({', '.join(self._headers) or 'no login'})"

    def headers(self, deadline: Deadline) -> Headers:  # noqa: ARG002 - nothing to wait for
        """Return the headers."""
        return self._headers

    def renewed(self, refused: Headers, deadline: Deadline) -> Headers | None:  # noqa: ARG002 - the login's port; nothing to renew
        """There is no other."""
        return None


def basic(login: BasicLogin) -> Fixed:
    """Log in with a user name and password, in UTF-8 as RFC 7617 wishes. Raises Misconfigured."""
    if ":" in login.username:
        raise Misconfigured("login.basic.username holds a colon, which HTTP Basic cannot carry")
    pair = f"{login.username}:{login.password.get_secret_value()}".encode()
    return Fixed({"Authorization": f"Basic {base64.b64encode(pair).decode()}"})


def api_key(login: ApiKeyLogin) -> Fixed:
    """Log in with a fixed key in a header. Raises Misconfigured for a key that no header can carry."""
    key = login.key.get_secret_value()
    if not key.isascii() or not key.isprintable():
        raise Misconfigured("login.api_key.key holds signs that a header cannot carry; is it the right secret?")
    return Fixed({login.header: key})


def login_addresses(settings: HttpSettings) -> tuple[str, ...]:
    """Return the addresses beside `url` that logging in has to call."""
    login = settings.login
    if login is None:
        return ()
    told = [
        login.oauth2.token_url if login.oauth2 is not None else "",
        login.token.sign_in_url if login.token is not None else "",
        login.session.sign_in_url if login.session is not None else "",
        (login.soap_sign_in.sign_in_url or "") if login.soap_sign_in is not None else "",
    ]
    return tuple(filter(None, told))


def open_login(
    settings: HttpSettings, session: HttpSession, *, monotonic: Callable[[], float] = time.monotonic
) -> HttpLogin:
    """Return the login that the settings name. A login that is part of a SOAP message is not of HTTP: none."""
    login = settings.login
    if login is None or login.ws_security is not None or login.soap_sign_in is not None:
        return Fixed({})
    if login.basic is not None:
        return basic(login.basic)
    if login.api_key is not None:
        return api_key(login.api_key)
    if login.oauth2 is not None:
        return client_credentials(login.oauth2, session, monotonic=monotonic)
    if login.token is not None:
        return token_login(login.token, session, monotonic=monotonic)
    if login.session is not None:
        return session_login(login.session, session, monotonic=monotonic)
    if login.signed is not None:
        return SignedForEach(login.signed)
    if login.mesh is not None:
        return MeshToken(login.mesh)
    raise Misconfigured(f"login {login.kind} is not one that HTTP headers carry; write one of {', '.join(OVER_HTTP)}")


def session_of(
    settings: HttpSettings,
    *,
    agree: Agree | None = None,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> HttpSession:
    """Return the session of a connection: it may also call where logging in leads. Nothing is sent."""
    return HttpSession(
        settings,
        also=login_addresses(settings),
        sign_in_page=sign_in_page(settings),
        agree=agree,
        monotonic=monotonic,
        sleep=sleep,
    )


def sign_in_page(settings: HttpSettings) -> str:
    """Return the path to which the system redirects whoever is not signed in, "" if it is not known to."""
    login = settings.login
    return (login.session.sign_in_page or "") if login is not None and login.session is not None else ""


def send_logged_in(
    session: HttpSession,
    login: HttpLogin,
    method: str,
    url: str,
    *,
    deadline: Deadline,
    headers: Headers | None = None,
    params: Mapping[str, str] | None = None,
    body: bytes | Callable[[], Body] | None = None,
    most_bytes: int | None = None,
    into: Callable[[bytes], None] | None = None,
    piecemeal: bool = False,
) -> Reply:
    """Send one call logged in; after a 401 renew the login once and send it again. A second 401 is returned.

    A body that is made by a call is made anew for each sending.

    A redirect to the page where people sign in (`HttpSession.sign_in_page`) counts as a 401: nothing was done.
    """

    def send(who: Headers) -> Reply | None:
        told = {**(headers or {}), **who}
        try:
            reply = session.send(
                method,
                url,
                headers=told,
                params=params,
                body=body() if callable(body) else body,
                deadline=deadline,
                most_bytes=most_bytes,
                into=into,
                piecemeal=piecemeal,
            )
        except Moved as moved:
            if not moved.to_sign_in:
                raise
            return None
        return reply

    first = login.headers(deadline)
    reply = send(first)
    if reply is not None and reply.status != 401:
        return reply
    other = login.renewed(first, deadline)
    again = reply if other is None else send(other)
    if again is None:
        raise Unauthorised("the system leads to its sign-in page again, right after we signed in")
    return again
