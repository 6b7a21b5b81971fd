"""Is a push genuine? Each way that the settings ask for, compared in constant time.

A reason says what is missing and never what was expected of it, and whether a time is out of its window is only said of
what was signed. Rules: HMAC is RFC 2104; id, time and body under one signature are those of Standard Webhooks.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Iterable
from datetime import UTC, datetime

from pydantic import SecretStr

from connectors.login_settings import BasicLogin
from connectors.push.port import Pushed, PushRefused
from connectors.push.settings import Bearer, ProxyCertificate, PushSettings, Signature

MOST_SIGNATURES = 8
_ID = re.compile(r"[\x21-\x7e]{1,200}")
_PIECE = re.compile(r"(\{id\}|\{timestamp\}|\{body\})")


def prove(settings: PushSettings, pushed: Pushed, now: datetime) -> str:
    """Return the push's id, "" if it carries none. Raises PushRefused (401, or 400 for a header given twice)."""
    if settings.certificate is not None:
        _certificate(settings.certificate, pushed)
    if settings.bearer is not None:
        _bearer(settings.bearer, pushed)
    if settings.basic is not None:
        _basic(settings.basic, pushed)
    return _signature(settings.signature, pushed, now) if settings.signature is not None else ""


def _signature(told: Signature, pushed: Pushed, now: datetime) -> str:
    values = {"{body}": pushed.body}
    id = stamp = ""
    if told.id_header is not None:
        id = pushed.header(told.id_header)
        if not _ID.fullmatch(id):
            raise _not_proven("the push's id is missing or no id")
        values["{id}"] = id.encode()
    if told.timestamp_header is not None:
        stamp = pushed.header(told.timestamp_header)
        values["{timestamp}"] = stamp.encode()
    message = b"".join(values.get(piece, piece.encode()) for piece in _PIECE.split(told.signed))
    keys = [_key(told, secret) for secret in _all(told.secrets)]
    given = list(_given(told, pushed.header(told.header)))
    expected = [hmac.digest(key, message, told.algorithm) for key in keys]
    # Every one is compared with every other: how long it takes says nothing about which was right.
    if not sum(hmac.compare_digest(one, other) for one in given for other in expected):
        raise _not_proven("the signature is missing or wrong")
    if told.timestamp_header is not None:
        sent = _moment(told, stamp)
        if sent is None or abs(now - sent) > told.window:
            raise _not_proven("the time of sending is missing, or too far from ours")
    return id


def _given(told: Signature, header: str) -> Iterable[bytes]:
    for text in header.split()[:MOST_SIGNATURES]:
        if not text.startswith(told.prefix):
            continue
        written = text.removeprefix(told.prefix)
        try:
            yield bytes.fromhex(written) if told.encoding == "hex" else base64.b64decode(written, validate=True)
        except (ValueError, binascii.Error):
            continue


def _key(told: Signature, secret: str) -> bytes:
    try:
        if told.key_is == "base64":
            return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        if told.key_is == "hex":
            return bytes.fromhex(secret)
    except (ValueError, binascii.Error):
        raise PushRefused(500, f"our secret is not written in {told.key_is}: correct it or key_is") from None
    return secret.encode()


def _moment(told: Signature, stamp: str) -> datetime | None:
    try:
        if told.timestamp_is == "iso":
            moment = datetime.fromisoformat(stamp)
            return moment if moment.tzinfo else None
        if not stamp.isdecimal() or len(stamp) > 16:
            return None
        return datetime.fromtimestamp(int(stamp) / (1000 if told.timestamp_is == "milliseconds" else 1), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _bearer(told: Bearer, pushed: Pushed) -> None:
    scheme, _, token = pushed.header("Authorization").partition(" ")
    wanted = [secret.encode() for secret in _all(told.tokens)]
    found = sum(hmac.compare_digest(token.strip().encode(), one) for one in wanted)
    if scheme.lower() != "bearer" or not found:
        raise _not_proven("the token is missing or wrong")


def _basic(told: BasicLogin, pushed: Pushed) -> None:
    scheme, _, written = pushed.header("Authorization").partition(" ")
    try:
        given = base64.b64decode(written.strip(), validate=True)
    except (ValueError, binascii.Error):
        given = b""
    wanted = f"{told.username}:{told.password.get_secret_value()}".encode()
    if not hmac.compare_digest(given, wanted) or scheme.lower() != "basic":
        raise _not_proven("user name or password is missing or wrong")


def _certificate(told: ProxyCertificate, pushed: Pushed) -> None:
    given = pushed.header(told.header).replace(":", "").lower().encode()
    wanted = [one.replace(":", "").lower().encode() for one in told.fingerprints]
    if pushed.peer not in told.proxies or not sum(hmac.compare_digest(given, one) for one in wanted):
        raise _not_proven("no client certificate that may call was told by a proxy of ours")


def _all(secrets: Iterable[SecretStr]) -> list[str]:
    return [secret.get_secret_value() for secret in secrets]


def _not_proven(reason: str) -> PushRefused:
    return PushRefused(401, reason)
