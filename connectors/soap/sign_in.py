"""A login that an operation of the WSDL gives: user name and password for a token, or for the cookie of a session.

The token goes into a header element of every message, the cookie beside it over HTTP. Neither, nor an answer that
holds one, is ever part of a repr, an error or the bytes that an error carries.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from lxml import etree

from connectors import xml
from connectors.deadline import Deadline
from connectors.errors import (
    ConnectorError,
    Misconfigured,
    Rejected,
    Throttled,
    Unauthorised,
    Unknown,
    Unreachable,
)
from connectors.http import Reply
from connectors.login_settings import SoapSignInLogin
from connectors.port import Record
from connectors.renewing import Renewing, Ticket
from connectors.sign_in import cookie_in
from connectors.soap.profile_headers import SoapSignIn
from connectors.soap.times import moment

TOKEN = "token"  # noqa: S105 - the name under which a ticket holds the token, which is no header of HTTP
_LONGEST_LIFE = 86_400.0
_LONGEST = 100_000  # characters of a token; a signed assertion has some thousands

# Called with (content, deadline): makes the call and returns the answer's element and the reply.
Ask = Callable[[Record, Deadline], tuple[etree._Element, Reply]]


def signing_in(
    told: SoapSignIn,
    login: SoapSignInLogin,
    ask: Ask,
    *,
    zone: ZoneInfo,
    namespaces: frozenset[str],
    clock: Callable[[], datetime],
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Renewing:
    """A login that calls the profile's sign-in operation whenever it has to."""

    def fetch(deadline: Deadline) -> Ticket:
        content: Record = {}
        for path, text in told.send.items():
            xml.put(content, path, text)
        xml.put(content, told.username, login.username)
        xml.put(content, told.password, login.password.get_secret_value())
        asked = monotonic()
        try:
            answer, reply = ask(content, deadline)
        except ConnectorError as problem:
            raise _refused(problem) from None
        record = xml.record_of(answer, namespaces)
        if told.accepted and xml.text_at(record, told.accepted).strip() not in ("true", "1"):
            raise Unauthorised(
                f"signing in was refused ({told.accepted} is not true): are user name and password right?"
            )
        seconds = _life(xml.text_at(record, told.expires), reply.date or clock(), zone) or told.good_for_seconds
        return Ticket.good_for(_held(told, record, reply), asked, seconds)

    return Renewing(fetch, name="soap_sign_in", monotonic=monotonic, sleep=sleep)


def _held(told: SoapSignIn, record: object, reply: Reply) -> Mapping[str, str]:
    if told.cookie is not None:
        cookie = cookie_in(reply.headers.get("Set-Cookie", ""), told.cookie)
        if not cookie:
            raise Unauthorised(f"signing in gave no cookie {told.cookie}: are user name and password right?")
        return {"Cookie": f"{told.cookie}={cookie}"}
    token = xml.text_at(record, told.token).strip()
    if not token:
        raise Unauthorised(f"signing in gave no token at {told.token}: are user name and password right?")
    if len(token) > _LONGEST or not token.isprintable():
        raise Unreachable(f"signing in gave something at {told.token} that cannot be a token; nothing was sent")
    return {TOKEN: token}


def _refused(problem: ConnectorError) -> ConnectorError:
    """What went wrong while signing in, without the answer's bytes. Of the message itself nothing was sent yet."""
    if isinstance(problem, Rejected) and problem.code == "not-in-interface":
        return Misconfigured(f"sign_in: {problem.reason}")
    if isinstance(problem, Misconfigured):
        return problem
    if isinstance(problem, Throttled):
        slow = f"signing in: {problem.reason}; nothing was sent"
        return Throttled(slow, after=problem.after, code=problem.code, whole=True)
    if isinstance(problem, Unknown | Unreachable):
        return Unreachable(f"signing in: {problem.reason}", code=problem.code)
    return Unauthorised(f"signing in was refused: {problem.reason}", code=problem.code)


def _life(text: str, now: datetime, zone: ZoneInfo) -> float | None:
    """Seconds for which a login is good, from what an answer says; None where that cannot be or is over already."""
    if text.isascii() and text.isdigit() and len(text) < 10:
        seconds = float(text)
    else:
        until = moment(text, zone) if text else None
        seconds = (until - now).total_seconds() if until is not None else 0.0
    return min(seconds, _LONGEST_LIFE) if seconds > 0 else None
