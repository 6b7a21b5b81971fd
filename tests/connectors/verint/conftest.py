"""What the Verint tests share: a whole case, and connectors to a council's own pretend CRM."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from connectors import registry
from connectors.port import Connector

CASE: dict[str, Any] = {
    "title": "TOR-7KX-2MP",
    "classification": "ASC-REFERRAL",
    "status": "NEW",
    "priority": "2",
    "opened": "2026-03-02T09:30:00",
    "description": "Angen help & <cyngor> gartref – “ŵ”",
    "safeguarding": "false",
    "restricted": "false",
    "individual": {
        "forename": ["Siân", "Mair"],
        "surname": "ap Rhŷs-O'Neill",
        "phone": [{"@use": "mobile", ".": "07700 900123"}],
        "address": {"line": ["1 Heol y Môr"], "postcode": "NP4 0AA"},
    },
}


@pytest.fixture
def case() -> dict[str, Any]:
    """A case as a mapping writes it."""
    return copy.deepcopy(CASE)


@pytest.fixture
def connect(
    council: Any, shipped: Callable[[str], Any], interfaces: Callable[[str], bytes], clock: Callable[[], datetime]
) -> Iterator[Callable[..., Connector]]:
    """Opens a connector to this council's CRM; `login` is one of basic, text, digest, and changes go to the feed."""
    opened: list[Connector] = []

    def connect(login: str = "basic", password: str | None = None, **feed: Any) -> Connector:
        profile = copy.deepcopy(shipped("verint"))
        told = {"beginning": "2026-06-01T00:00:00", "window": "P30D", **feed}
        profile["records"]["Case"]["changes"].update(told)
        pair: dict[str, Any] = {"username": "dolen", "password": "env:password"}
        ways: dict[str, Any] = {
            "basic": {"basic": pair},
            "text": {"ws_security": pair},
            "digest": {"ws_security": {**pair, "digest": True, "timestamp_seconds": 60}},
        }
        given = {"url": council.system("verint") + "/soap", "login": ways[login], "timeout_seconds": 10}
        word = password or council.secrets["verint"]["password"]
        opened.append(
            registry.open_connector(profile, given, interfaces=interfaces, clock=clock, secret=lambda _: word)
        )
        return opened[-1]

    yield connect
    for one in opened:
        one.close()
