"""The login that is part of a SOAP message: WS-Security UsernameToken, as text or digest, with or without Timestamp.

Nonce and time are made anew for every message; a system that sees one twice takes it for an attack.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from zeep.wsse.username import UsernameToken
from zeep.wsse.utils import WSU

from connectors.login_settings import Login


def signer(login: Login | None, clock: Callable[[], datetime]) -> Callable[[Any], Any]:
    """Return what adds the login to an envelope; nothing is added for a login that HTTP carries."""
    if login is None or login.ws_security is None:
        return lambda envelope: envelope
    told = login.ws_security

    def sign(envelope: Any) -> Any:
        now = clock().astimezone(UTC)
        stamp = None
        if told.timestamp_seconds is not None:
            until = now + timedelta(seconds=told.timestamp_seconds)
            stamp = WSU.Timestamp(WSU.Created(_zulu(now)), WSU.Expires(_zulu(until)))
        token = UsernameToken(  # type: ignore[no-untyped-call]
            told.username,
            told.password.get_secret_value(),
            use_digest=told.digest,
            created=now,
            zulu_timestamp=True,
            timestamp_token=stamp,
        )
        return token.apply(envelope, {})[0]  # type: ignore[no-untyped-call]

    return sign


def _zulu(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
