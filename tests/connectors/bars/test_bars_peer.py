"""The pretend receiver itself: what it answers is held to FHIR R4, as what it takes is."""

from __future__ import annotations

from typing import Any

import requests

from connectors.registry import open_connector
from sandbox.health import shape
from tests.connectors.bars.test_bars import CONNECT, FHIR, RECORD

WANTED: dict[int, dict[str, str]] = {
    200: {},
    409: {},
    400: {"X-Request-Id": "7"},
    404: {"Nhsd-Target-Identifier": "e30="},
    406: {"Accept": "*/*"},
    401: {"Authorization": "Bearer another"},
}


def test_what_the_pretend_receiver_answers_is_fhir(
    council: Any, small: Any, answer: Any, shipped: Any, interfaces: Any, clock: Any
) -> None:
    """A MessageHeader is not among the definitions, and is looked at by hand."""
    caught = small(lambda _: answer(200, b'{"resourceType":"Bundle","type":"message"}', FHIR))
    login = {"api_key": {"header": "Authorization", "key": "env:SECRET"}}
    connector = open_connector(
        shipped("bars"), {**CONNECT, "url": caught.url, "login": login}, interfaces=interfaces, clock=clock,
        secret=lambda _: f"Bearer {council.secrets['bars']['token']}",
    )  # fmt: skip
    connector.deliver("Referral", RECORD, key="dolen-1")
    connector.close()
    call = caught.calls[0]
    address = council.system("bars") + "/FHIR/R4/$process-message"
    ours = {name.title(): value for name, value in call.headers.items() if name not in ("host", "content-length")}
    for status, changes in WANTED.items():
        told = requests.post(address, data=call.body, headers={**ours, **changes}, timeout=10)
        assert told.status_code == status
        found = told.json()
        if status == 200:
            assert found["entry"][0].pop("resource")["resourceType"] == "MessageHeader"
        shape.check("Bundle" if status == 200 else "OperationOutcome", found)
