"""`dolen doctor` of a REST system that can be asked whether it would take a record, and keeps nothing of it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from connectors.registry import open_connector
from tests.connectors.rest.conftest import OPENAPI, PROFILE

JSON = {"Content-Type": "application/json"}
THING = {"id": "1", "at": "2026-03-02T09:15:00Z", "name": "Siân"}


@pytest.mark.parametrize(
    ("status", "well", "subject"),
    [(200, True, "dry write"), (204, True, "dry write"), (422, False, "dry write"), (403, False, "dry write"),
     (404, False, "dry write"), (500, False, "dry write")],
)  # fmt: skip
def test_a_dry_write_is_tried_with_a_record_that_was_read(
    small: Any, answer: Any, clock: Callable[[], Any], status: int, well: bool, subject: str
) -> None:
    def say(call: Any) -> Any:
        if call.method == "GET":
            return answer(200, json.dumps({"things": [THING], "next": None}).encode(), JSON)
        return answer(status, b"" if status == 204 else json.dumps({"error": {"field": "name"}}).encode(), JSON)

    server = small(say)
    profile = copy.deepcopy(PROFILE)
    profile["records"]["Thing"] |= {"dry_write": {"path": "/things/validate"}, "leave_out": ["id", "at"]}
    connector = open_connector(
        profile, {"url": server.url, "timeout_seconds": 5}, clock=clock, secret=lambda _: "",
        interfaces=lambda _: json.dumps(OPENAPI).encode(),
    )  # fmt: skip
    try:
        found = connector.doctor()
    finally:
        connector.close()
    assert [one.subject for one in found][-1] == subject
    assert found[-1].well is well
    assert {"login", "permission", "reading Thing"} <= {one.subject for one in found}
    (tried,) = [call for call in server.calls if call.method == "POST"]
    assert tried.path == "/things/validate"
    assert json.loads(tried.body) == {"name": "Siân"}
    assert all("Siân" not in one.words for one in found)
