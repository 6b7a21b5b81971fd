"""Is a push genuine? Each way that suppliers have, signed here from their own descriptions."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.push.port import Pushed, PushRefused
from connectors.push.proofs import prove
from connectors.push.settings import PushSettings

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
BODY = b'{"id": "C-1"}'
SECRETS = {"env:A": "first-secret-of-the-test", "env:B": "second-secret-of-the-test", "env:T": "t" * 32}


def settings(**given: Any) -> PushSettings:
    return PushSettings.model_validate(given, context={"secret": lambda name: SECRETS[name]})


def proven(told: PushSettings, headers: list[tuple[str, str]], body: bytes = BODY, peer: str = "") -> str:
    return prove(told, Pushed(headers, body, peer), NOW)


def refused(told: PushSettings, headers: list[tuple[str, str]], body: bytes = BODY, peer: str = "") -> int:
    with pytest.raises(PushRefused) as caught:
        proven(told, headers, body, peer)
    assert not any(secret in caught.value.reason for secret in SECRETS.values())
    return caught.value.status


def test_the_example_of_standard_webhooks_itself() -> None:
    """The values of the specification's own test (standard-webhooks, libraries/python/tests/test_webhooks.py)."""
    secret, id, stamp = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330"
    payload = b'{"test": 2432232314}'
    told = PushSettings.model_validate(
        {"signature": {"secrets": ["env:W"], "key_is": "base64"}}, context={"secret": lambda _: secret}
    )
    headers = [
        ("webhook-id", id),
        ("webhook-timestamp", stamp),
        ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
    ]
    then = datetime.fromtimestamp(int(stamp), UTC)
    assert prove(told, Pushed(headers, payload), then) == id
    with pytest.raises(PushRefused):
        prove(told, Pushed(headers, payload), then + timedelta(minutes=5, seconds=1))


def test_a_digest_of_the_body_in_hexadecimal() -> None:
    told = settings(
        signature={
            "secrets": ["env:A", "env:B"],
            "header": "X-Hub-Signature-256",
            "prefix": "sha256=",
            "encoding": "hex",
            "signed": "{body}",
            "id_header": None,
            "timestamp_header": None,
        }
    )
    for secret in ("env:A", "env:B"):  # either is good while they change
        digest = hmac.new(SECRETS[secret].encode(), BODY, hashlib.sha256).hexdigest()
        assert proven(told, [("x-hub-signature-256", f"sha256={digest}")]) == ""
        assert refused(told, [("X-Hub-Signature-256", f"sha256={digest}")], BODY + b"\n") == 401
        assert refused(told, [("X-Hub-Signature-256", digest)]) == 401
        assert refused(told, [("X-Hub-Signature-256", f"sha256={digest}")] * 2) == 400
    assert refused(told, []) == 401
    assert refused(told, [("X-Hub-Signature-256", "sha256=" + "é" * 4)]) == 401


@pytest.mark.parametrize(
    ("kind", "written", "sent"),
    [
        ("milliseconds", lambda at: str(int(at.timestamp() * 1000)), NOW),
        ("iso", lambda at: at.isoformat(), NOW),
        ("iso", lambda at: at.astimezone().isoformat(), NOW),
    ],
)
def test_times_as_suppliers_write_them(kind: str, written: Any, sent: datetime) -> None:
    told = settings(
        signature={
            "secrets": ["env:A"],
            "signed": "v0:{timestamp}:{body}",
            "id_header": None,
            "timestamp_header": "X-Time",
            "timestamp_is": kind,
            "window": "PT1M",
            "algorithm": "sha512",
        }
    )

    def headers(at: datetime) -> list[tuple[str, str]]:
        stamp = written(at)
        digest = hmac.new(SECRETS["env:A"].encode(), f"v0:{stamp}:".encode() + BODY, hashlib.sha512).digest()
        return [("X-Time", stamp), ("webhook-signature", "v1," + base64.b64encode(digest).decode())]

    assert proven(told, headers(sent)) == ""
    for off in (timedelta(seconds=61), timedelta(seconds=-61), timedelta(days=9000)):
        assert refused(told, headers(sent + off)) == 401


def test_a_token() -> None:
    told = settings(bearer={"tokens": ["env:T"]})
    assert proven(told, [("Authorization", f"Bearer {'t' * 32}")]) == ""
    for wrong in ("", "Bearer", f"Basic {'t' * 32}", f"Bearer {'t' * 31}", f"Bearer {'t' * 33}"):
        assert refused(told, [("Authorization", wrong)]) == 401


def test_user_name_and_password() -> None:
    told = settings(basic={"username": "desg", "password": "env:A"})
    good = base64.b64encode(f"desg:{SECRETS['env:A']}".encode()).decode()
    assert proven(told, [("Authorization", f"basic {good}")]) == ""
    for wrong in ("", "Basic", "Basic ***", "Bearer " + good, "Basic " + base64.b64encode(b"desg:").decode()):
        assert refused(told, [("Authorization", wrong)]) == 401


def test_a_certificate_is_believed_of_a_proxy_of_ours_alone() -> None:
    told = settings(certificate={"header": "X-Cert", "fingerprints": ["AB:" * 31 + "AB"], "proxies": ["10.0.0.1"]})
    assert proven(told, [("X-Cert", "ab" * 32)], peer="10.0.0.1") == ""
    assert refused(told, [("X-Cert", "ab" * 32)], peer="10.0.0.2") == 401
    assert refused(told, [("X-Cert", "ac" * 32)], peer="10.0.0.1") == 401
    assert refused(told, [], peer="10.0.0.1") == 401


def test_where_several_ways_are_given_all_must_hold() -> None:
    told = settings(
        bearer={"tokens": ["env:T"]},
        certificate={"header": "X-Cert", "fingerprints": ["ab" * 32], "proxies": ["10.0.0.1"]},
    )
    token, cert = ("Authorization", f"Bearer {'t' * 32}"), ("X-Cert", "ab" * 32)
    assert proven(told, [token, cert], peer="10.0.0.1") == ""
    assert refused(told, [token], peer="10.0.0.1") == 401
    assert refused(told, [cert], peer="10.0.0.1") == 401


def test_settings_that_would_let_anybody_in_are_refused() -> None:
    for given, words in (
        ({}, "anybody could push"),
        ({"signature": {"secrets": ["env:A"], "signed": "{timestamp}"}}, "leaves the body out"),
        ({"signature": {"secrets": ["env:A"], "id_header": None}}, "name its header in id_header"),
        ({"signature": {"secrets": ["env:A"], "window": "P1D"}}, "PT1H"),
        ({"signature": {"secrets": ["a-secret-in-a-file"]}}, "write env:NAME"),
        ({"bearer": {"tokens": ["env:T"]}, "basic": {"username": "a", "password": "env:A"}}, "same header"),
    ):
        with pytest.raises(ValidationError, match=words) as caught:
            settings(**given)
        assert "a-secret-in-a-file" not in str(caught.value)
    assert SECRETS["env:A"] not in repr(settings(signature={"secrets": ["env:A"]}))
