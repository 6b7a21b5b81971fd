"""A connection's settings and its profile's interface, tried apart, say the same as opening the connector."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from connectors.errors import Misconfigured
from connectors.registry import apart, check_fit, check_sound, open_connector

SOUND: dict[str, dict[str, Any]] = {
    "casework": {
        "url": "https://example.org/soap",
        "login": {"ws_security": {"username": "dolen", "password": "env:SECRET"}},
    },
    "contact": {
        "url": "https://example.org/api",
        "login": {
            "oauth2": {"token_url": "https://example.org/token", "client_id": "d", "client_secret": "env:SECRET"}
        },
    },
}
WRONG: list[dict[str, Any]] = [
    {},
    {"url": "http://example.org/"},
    {"url": "https://example.org/?a=b"},
    {"login": {"basic": {"username": "a:b", "password": "env:SECRET"}}},
    {"login": {"notify": {"api_key": "env:SECRET"}}},
    {"time_out": 5},
]


def secret(_: str) -> str:
    return "a secret"


def said(trying: Callable[[], object]) -> str:
    try:
        trying()
    except Misconfigured as fault:
        return str(fault)
    return ""


@pytest.mark.parametrize("system", SOUND)
@pytest.mark.parametrize("change", WRONG)
def test_wrong_settings_are_told_in_the_same_words(
    system: str,
    change: dict[str, Any],
    shipped: Callable[[str], Any],
    interfaces: Callable[[str], bytes],
    clock: Callable[[], datetime],
) -> None:
    profile, connect = shipped(system), SOUND[system] | change
    assert apart(profile)

    def whole() -> None:
        open_connector(profile, connect, interfaces=interfaces, clock=clock, secret=secret).close()

    assert said(lambda: check_sound(profile, connect, secret=secret)) == said(whole)


@pytest.mark.parametrize("system", SOUND)
def test_what_is_declared_is_what_the_connector_offers(
    system: str,
    shipped: Callable[[str], Any],
    interfaces: Callable[[str], bytes],
    clock: Callable[[], datetime],
) -> None:
    profile = shipped(system)
    check_fit(profile, interfaces=interfaces)
    declared = check_sound(profile, SOUND[system], secret=secret)
    connector = open_connector(profile, SOUND[system], interfaces=interfaces, clock=clock, secret=secret)
    try:
        assert declared.kinds() == connector.kinds()
        for kind in connector.kinds():
            assert declared.offers(kind) == connector.offers(kind)
    finally:
        connector.close()


@pytest.mark.parametrize(
    ("system", "old", "new"), [("casework", b"GetReferral", b"GetIt"), ("contact", b"    Request:", b"    R:")]
)
def test_an_interface_that_lacks_what_is_named_is_told_in_the_same_words(
    system: str,
    old: bytes,
    new: bytes,
    shipped: Callable[[str], Any],
    interfaces: Callable[[str], bytes],
    clock: Callable[[], datetime],
) -> None:
    profile = shipped(system)

    def changed(name: str) -> bytes:
        return interfaces(name).replace(old, new)

    def whole() -> None:
        open_connector(profile, SOUND[system], interfaces=changed, clock=clock, secret=secret)

    words = said(lambda: check_fit(profile, interfaces=changed))
    assert words
    assert words == said(whole)
