"""What alerts travel by: mail over an encrypted line, or one signed call. Nothing here knows what is told.

The mail line is that of `connectors.secure_email`; a call is made through the one HTTP door, with its deadline, its
cap and no redirect. An error names the host and never the whole address: those of chat rooms are secrets themselves.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from pydantic import ValidationError

from connectors.errors import Misconfigured, Rejected, Throttled, Unauthorised
from connectors.http import HttpSession, Reply
from connectors.mail_line import hand_over
from connectors.registry import check_settings
from connectors.secure_email import EmailConnector, EmailProfile
from connectors.settings import HttpSettings

#: An alert that a server has not taken after so many seconds is tried again later.
SECONDS = 15.0
SIGNATURE = "Dolen-Signature"


class Mailer(EmailConnector):
    """Sends plain words to a few addresses."""

    def announce(self, subject: str, text: str, *, id: str) -> None:
        """Send one mail. `id` makes its Message-ID: a repeat has the same.

        Raises Unreachable, Unauthorised, Throttled, Rejected and Misconfigured where it was not taken, and Unknown
        where nobody knows.
        """
        message = EmailMessage(policy=SMTP)
        message["Subject"] = subject
        message["From"] = self._mail.from_
        message["To"] = ", ".join(self._mail.to)
        message["Date"] = self._now()
        domain = self._mail.from_.rpartition("@")[2]
        message["Message-ID"] = f"<{hashlib.sha256(id.encode()).hexdigest()[:40]}@{domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message["X-Dolen-Id"] = id
        message.set_content(text)
        with self._line.laid() as line:
            to = {f"recipient {number}": address for number, address in enumerate(self._mail.to, 1)}
            hand_over(line, message, self._mail.from_, to)


def mailer(
    server: Mapping[str, Any], to: Sequence[str], *, clock: Callable[[], datetime], secret: Callable[[str], str]
) -> Mailer:
    """Make one for some addresses. `server`: host, port, security, login, from, ca_bundle. Raises Misconfigured."""
    profile = EmailProfile.model_validate({"system": "alerts", "protocol": "email", "records": {"Alert": {}}})
    given = {name: value for name, value in server.items() if value is not None}
    settings: Any = check_settings("email", {**given, "to": list(to), "timeout_seconds": SECONDS}, secret=secret)
    return Mailer(profile, settings, clock=clock)


def post(url: str, body: bytes, *, secret: str = "", at: int = 0, way: Mapping[str, Any] | None = None) -> None:
    """Post JSON to an address and wait until it is taken. `at` (seconds since 1970) stands in the signature. `way`:
    private_network, proxy, ca_bundle, where the way there is not the usual one.

    Raises Unreachable, Unauthorised, Throttled, Rejected, Misconfigured and Unknown.
    """
    headers = {"Content-Type": "application/json"}
    if secret:
        headers[SIGNATURE] = f"t={at},v1={signature(secret, at, body)}"
    _call("POST", url, body, headers, way or {})


def ping(url: str, *, way: Mapping[str, Any] | None = None) -> None:
    """Call an address and read no more than its status. Raises as `post` does."""
    _call("GET", url, None, {}, way or {})


def signature(secret: str, at: int, body: bytes) -> str:
    """HMAC-SHA256 over the time, a full stop and the body: an old call cannot be sent again as a new one."""
    return hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()


def _call(method: str, url: str, body: bytes | None, headers: Mapping[str, str], way: Mapping[str, Any]) -> None:
    try:
        settings = HttpSettings.model_validate(
            {**way, "url": url, "timeout_seconds": SECONDS, "max_reply_bytes": 100_000}
        )
    except ValidationError:
        raise Misconfigured(
            "an address for alerts is none that can be called: write https://..., and look at its proxy and ca_bundle"
        ) from None
    session = HttpSession(settings)
    try:
        _judge(session.send(method, url, headers=headers, body=body))
    finally:
        session.close()


def _judge(reply: Reply) -> None:
    if 200 <= reply.status < 300:
        return
    if reply.status in (401, 403):
        raise Unauthorised(f"an address for alerts refuses us ({reply.status})")
    if reply.status == 429 or reply.status >= 500:
        raise Throttled(f"an address for alerts does not take them now ({reply.status})", after=60.0)
    raise Rejected(f"an address for alerts refuses them ({reply.status})", code=str(reply.status))
