"""Tokens that we sign ourselves: for each call, or to tell a login server who we are. Signing is PyJWT's business."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping

import jwt

from connectors.deadline import Deadline
from connectors.errors import Misconfigured
from connectors.login_settings import SignedLogin, SigningKey

ASSERTION_SECONDS = 300  # NHS England's login refuses one that is good for longer than five minutes
EARLIER = 5  # seconds by which a token begins before now, for a clock there that is a little behind ours


def assertion(key: SigningKey, *, client: str, audience: str, now: float, act_as: str = "") -> str:
    """Who we are, signed for a login server (RFC 7523, 2.2 and 3), or for whom we act (2.1).

    Raises Misconfigured for a key that cannot sign.
    """
    claims: dict[str, str | int] = {
        "iss": client,
        "sub": act_as or client,
        "aud": audience,
        "jti": str(uuid.uuid4()),
        "iat": int(now) - EARLIER,
        "exp": int(now) + ASSERTION_SECONDS - 2 * EARLIER,
    }
    return _signed(claims, key.private_key.get_secret_value(), key.algorithm, key.key_id, "assertion.private_key")


class SignedForEach:
    """A login that signs a token for each call. Safe to use from several threads at once."""

    def __init__(self, login: SignedLogin, *, now: Callable[[], float] = time.time) -> None:
        """Sign once to see that the key can. Raises Misconfigured."""
        self._login = login
        self._now = now
        self._token()

    def __repr__(self) -> str:
        return "SignedForEach()"

    def headers(self, deadline: Deadline) -> Mapping[str, str]:  # noqa: ARG002 - nothing to wait for
        """Return a header with a token of its own."""
        return {"Authorization": f"Bearer {self._token()}"}

    def renewed(self, refused: Mapping[str, str], deadline: Deadline) -> Mapping[str, str] | None:  # noqa: ARG002 - the login's port; another token says the same
        """There is no other."""
        return None

    def _token(self) -> str:
        told, now = self._login, int(self._now())
        claims: dict[str, str | int] = {
            "iss": told.issuer,
            "iat": now - EARLIER,
            "exp": now + told.good_for_seconds,
            "jti": str(uuid.uuid4()),
        }
        claims |= {name: text for name, text in (("aud", told.audience), ("sub", told.subject)) if text is not None}
        if told.key is not None:
            key = told.key
            return _signed(
                claims, key.private_key.get_secret_value(), key.algorithm, key.key_id, "signed.key.private_key"
            )
        assert told.secret is not None  # the settings' own check
        return _signed(claims, told.secret.get_secret_value(), "HS256", None, "signed.secret")


def _signed(claims: Mapping[str, str | int], key: str, algorithm: str, key_id: str | None, where: str) -> str:
    try:
        return jwt.encode(dict(claims), key, algorithm=algorithm, headers={"kid": key_id} if key_id else None)
    except (jwt.PyJWTError, ValueError, TypeError):
        raise Misconfigured(
            f"login.{where} cannot sign by {algorithm}: is it the whole private key, and of that kind?"
        ) from None
