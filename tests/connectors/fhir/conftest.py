"""A health service in the sandbox for each test, referrals to put there, and a connector onto it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from connectors.fhir.connector import FhirConnector
from connectors.registry import open_connector

NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
RECORD: dict[str, Any] = {
    "Patient": {
        "identifier": [{"system": NHS_NUMBER, "value": "9990000018"}],
        "name": [{"use": "official", "family": "O'Neill", "given": ["Siân"]}],
        "gender": "female",
        "birthDate": "1941-05-06",
    },
    "ServiceRequest": {"status": "active", "intent": "order", "priority": "urgent"},
    "Task": {"status": "requested", "intent": "order", "reasonCode": {"text": "Angen help i ymolchi"}},
}


@pytest.fixture
def record() -> dict[str, Any]:
    """A referral as it is sent: three resources, without what the server or the connector fills in."""
    return copy.deepcopy(RECORD)


@pytest.fixture
def fhir(
    council: Any, shipped: Callable[[str], Any], interfaces: Callable[[str], bytes], clock: Callable[[], datetime]
) -> Iterator[Callable[..., FhirConnector]]:
    """Opens connectors: onto the council's health service, or onto `url`."""
    made: list[Any] = []

    def connect(url: str = "", profile: dict[str, Any] | None = None, key: str = "", **more: Any) -> FhirConnector:
        told = {
            "url": url or council.system("health") + "/fhir",
            "login": {"api_key": {"header": "apikey", "key": "env:SECRET"}},
            "timeout_seconds": 5,
            **more,
        }
        connector = open_connector(
            profile or shipped("health"),
            told,
            interfaces=interfaces,
            clock=clock,
            secret=lambda _: key or council.secrets["health"]["api_key"],
        )
        made.append(connector)
        assert isinstance(connector, FhirConnector)
        return connector

    yield connect
    for connector in made:
        connector.close()


@pytest.fixture
def walk() -> Callable[..., tuple[list[Any], str]]:
    """Walks a feed to its end: the items and the watermark."""

    def all_pages(connector: FhirConnector, watermark: str = "", **more: Any) -> tuple[list[Any], str]:
        items: list[Any] = []
        cursor = ""
        for _ in range(200):
            page = connector.changes("Referral", watermark=watermark, cursor=cursor, **more)
            items += page.items
            cursor = page.cursor
            if not cursor:
                return items, page.watermark
        raise AssertionError("the walk does not end")

    return all_pages
