"""What the SOAP tests share: a whole record, and connectors to a council's own pretend case system."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from connectors import registry
from connectors.port import Connector

KIND = "Referral"
NEW: dict[str, Any] = {
    "Received": "2026-03-02T09:30:00",
    "Kind": "REF",
    "Status": "NEW",
    "Priority": "P2",
    "Reason": "Angen help & <cyngor> gartref – “ŵ”",
    "Subject": {
        "Forename": ["Siân", "Mair"],
        "Surname": "ap Rhŷs-O'Neill",
        "DOB": "0001-01-01",
        "Gender": "2",
        "Address": {"Line": ["1 Heol y Môr", ""], "Postcode": "NP4 0AA"},
        "PreferredLanguage": "W",
    },
    "Needs": {"Need": [{"@code": "N01", ".": "bob bore"}, {"@code": "N04", ".": ""}]},
    "Safeguarding": False,
    "Restricted": "false",
}


@pytest.fixture
def new() -> dict[str, Any]:
    """A record as a mapping writes it: Welsh letters, lists, attributes, empty elements."""
    return copy.deepcopy(NEW)


@pytest.fixture(params=["Soap11", "Soap12"])
def port(request: pytest.FixtureRequest) -> str:
    return str(request.param)


Open = Callable[..., Connector]


@pytest.fixture
def connect(
    council: Any, shipped: Callable[[str], Any], interfaces: Callable[[str], bytes], clock: Callable[[], datetime]
) -> Iterator[Open]:
    """Opens a connector to this council's case system; keywords change its settings."""
    opened: list[Connector] = []

    def connect(port: str = "Soap11", *, digest: bool = False, of: int = 100, **settings: Any) -> Connector:
        profile = copy.deepcopy(shipped("casework"))
        profile["port"] = port
        profile["records"][KIND]["changes"]["page"]["of"] = of
        words = {"password": council.secrets["casework"]["password"], "wrong": "not-the-password"}
        login = {"username": "dolen", "password": "env:password", "digest": digest, "timestamp_seconds": 60}
        given = {"url": council.system("casework") + "/soap", "login": {"ws_security": login}, **settings}
        opened.append(
            registry.open_connector(
                profile, given, interfaces=interfaces, clock=clock, secret=lambda ref: words[ref.removeprefix("env:")]
            )
        )
        return opened[-1]

    yield connect
    for one in opened:
        one.close()


Everything = Callable[..., tuple[list[Any], str, int]]


@pytest.fixture
def everything() -> Everything:
    """Walks to the end: what was shown, the watermark, and the number of pages."""

    def everything(connector: Connector, watermark: str = "", limit: int | None = None) -> tuple[list[Any], str, int]:
        found: list[Any] = []
        cursor, pages = "", 0
        while True:
            page = connector.changes(KIND, watermark=watermark, cursor=cursor, limit=limit)
            found += page.items
            pages += 1
            if not page.cursor:
                return found, page.watermark, pages
            cursor = page.cursor

    return everything
