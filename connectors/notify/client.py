"""The official client of GOV.UK Notify, sent through our own door, and its errors in our words.

What Notify says in its error messages is not passed on, as it may quote the number; its error classes are.

| Notify | error |
|---|---|
| 400 | Rejected |
| 401, 403 | Unauthorised (a clock that is more than 30 seconds wrong too) |
| 404 | NotThere |
| 429 RateLimitError | Throttled for a minute |
| 429 TooManyRequestsError | Throttled for an hour: the day's limit is reached |
| 5xx, 408, HTML, no answer | Unknown |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from notifications_python_client.errors import APIError
from notifications_python_client.notifications import NotificationsAPIClient
from pydantic import SecretStr

from connectors.deadline import Deadline
from connectors.errors import ConnectorError, Misconfigured, NotThere, Rejected, Throttled, Unauthorised, Unknown
from connectors.http import HttpSession, Reply, retry_after
from connectors.json_body import UnreadableBody, read

RATE_LIMIT_WAIT = 60.0  # seconds: Notify counts messages by the minute
DAY_LIMIT_WAIT = 3600.0  # seconds: it is lifted at midnight UTC, or earlier by the Notify team
_OFFICIAL: Any = NotificationsAPIClient  # it has no types
_API_KEY = re.compile(r".*[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)
_CODE = re.compile(r"[A-Za-z]{1,40}")
_FIELDS: Mapping[str, str] = {  # the first word of a message, where it is one of these, and what we call it
    "phone_number": "to",
    "email_address": "to",
    "template_id": "template_id",
    "personalisation": "personalisation",
    "Missing": "personalisation",
}


class _Door:
    """Stands in for the client's requests.Session, so that our own door is the only one."""

    def __init__(self, session: HttpSession, url: str, deadline: Deadline) -> None:
        self._session = session
        self._root = url.rstrip("/")
        self._deadline = deadline
        self.reply: Reply | None = None

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        timeout: float,  # noqa: ARG002 - the deadline is stricter
        data: str | None = None,
        params: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send through HttpSession; its named errors pass through the client untouched."""
        # The client puts its paths behind the host and forgets the path of a Notify that is not at the root.
        parts = urlsplit(url)
        address = self._root + parts.path + (f"?{parts.query}" if parts.query else "")
        body = None if data is None else data.encode()
        reply = self._session.send(
            method, address, headers=dict(headers), params=params, body=body, deadline=self._deadline
        )
        self.reply = reply
        response = requests.Response()
        response.status_code = reply.status
        response.headers.update(reply.headers)
        response._content = reply.body  # requests has no other way to make a Response
        response.encoding = "utf-8"
        return response


class Client:
    """Makes calls of the official client. Safe to use from several threads at once."""

    def __init__(self, session: HttpSession, url: str, key: SecretStr) -> None:
        """Raises Misconfigured for what cannot be an API key."""
        if not _API_KEY.fullmatch(key.get_secret_value()):
            raise Misconfigured("login.notify.api_key is not an API key of Notify: name, service id and secret key")
        self._session = session
        self._url = url
        self._key = key

    def __repr__(self) -> str:
        return "Client()"

    def call(self, what: Callable[[Any], object], deadline: Deadline, doing: str) -> tuple[Any, bytes]:
        """Do `what` with an official client; return the answer, read as strictly as any, and its bytes.

        Raises the named errors of the table above, and whatever HttpSession raises.
        """
        # The official client is not thread-safe and cheap to make, so every call has its own.
        official: Any = _OFFICIAL(self._key.get_secret_value(), base_url=self._url)
        official.request_session.close()
        door = _Door(self._session, self._url, deadline)
        official.request_session = door
        try:
            what(official)
        except APIError as error:
            if door.reply is None:
                raise Unknown(f"{doing}: the client of Notify gave up ({type(error).__name__})") from None
            if not 200 <= door.reply.status < 300:
                raise _refusal(door.reply, doing) from None
        except RecursionError:  # the client reads the answer first, and it is nested too deep to be meant
            reply = door.reply.body if door.reply is not None else b""
            raise Unknown(f"{doing}: the answer is nested too deep to be meant", reply=reply) from None
        assert door.reply is not None
        try:
            return read(door.reply.body, door.reply.headers.get("Content-Type", "")), door.reply.body
        except UnreadableBody as trouble:
            raise Unknown(f"{doing}: {trouble.reason}", reply=door.reply.body) from None


def _refusal(reply: Reply, doing: str) -> ConnectorError:
    code, field = _told(reply)
    what = f"{doing}: HTTP {reply.status}{f' ({code})' if code else ''}"
    if reply.status == 429:
        day = code == "TooManyRequestsError"
        after = DAY_LIMIT_WAIT if day else max(retry_after(reply) or 0.0, RATE_LIMIT_WAIT)
        words = "the day's limit is reached" if day else "too many a minute"
        return Throttled(f"{what}: {words}", after=after, code=code, reply=reply.body, whole=True)
    if reply.status in (401, 403):
        return Unauthorised(f"{what}: Notify refuses our key, or our clock is wrong", code=code, reply=reply.body)
    if reply.status == 404:
        return NotThere(f"{what}: there is no such message", code=code, reply=reply.body)
    if 400 <= reply.status < 500 and reply.status != 408:
        named = f", naming {field}" if field else ""
        return Rejected(f"{what}: Notify refuses the message{named}", field=field, code=code, reply=reply.body)
    return Unknown(f"{what} says neither sent nor refused", code=code, reply=reply.body)


def _told(reply: Reply) -> tuple[str, str]:
    """Return Notify's error class and the field of ours it is about, "" where it does not say."""
    try:
        answer = read(reply.body, reply.headers.get("Content-Type", ""))
    except UnreadableBody:
        return "", ""
    errors = answer.get("errors") if isinstance(answer, dict) else None
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    code, message = first.get("error"), first.get("message")
    field = _FIELDS.get(message.split(maxsplit=1)[0].strip(":"), "") if isinstance(message, str) and message else ""
    return (code if isinstance(code, str) and _CODE.fullmatch(code) else ""), field
