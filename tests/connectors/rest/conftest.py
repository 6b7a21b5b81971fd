"""A system of things, to be served by small servers with vices."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from connectors.registry import open_connector
from tests.connectors.rest.delta_town import Town

OPENAPI: dict[str, Any] = {
    "openapi": "3.1.0",
    "paths": {"/things": {}},
    "components": {
        "schemas": {
            "Thing": {
                "type": "object",
                "required": ["id", "at"],
                "properties": {
                    "id": {"type": "string"},
                    "at": {"type": "string", "format": "date-time"},
                    "born": {"oneOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
                    "name": {"type": "string", "maxLength": 5},
                    "kind": {"enum": ["A", "B"]},
                    "key": {"type": ["string", "null"]},
                    "version": {"type": "integer"},
                    "parts": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}}},
                },
                "additionalProperties": False,
            }
        }
    },
}
PROFILE: dict[str, Any] = {
    "system": "things",
    "protocol": "rest",
    "interface": "interfaces/things.json",
    "clock": "Europe/London",
    "records": {
        "Thing": {
            "component": "Thing",
            "item": {"id": "id", "modified": "at", "our_key": "key"},
            "changes": {
                "feed": "cursor",
                "path": "/things",
                "query": {"sort": "at"},
                "since": "since",
                "page": {"next": "next", "cursor": "after", "size": "limit", "of": 50, "at_most": 20},
                "items": "things[]",
                "overlap": "PT1M",
            },
            "fetch": {"path": "/things/{id}"},
            "create": {"method": "POST", "path": "/things", "our_key": "key", "key_header": "Idempotency-Key"},
            "update": {"method": "PUT", "path": "/things/{id}", "mode": "replace", "check": {"value": '"{version}"'}},
            "find": {"path": "/things", "by": "key", "items": "things[]"},
            "errors": {"taken": "duplicate", "503": "throttled"},
            "fault": {"code": "code", "field": "field", "existing": "id"},
        }
    },
}


@pytest.fixture
def profile() -> dict[str, Any]:
    """The profile of a system of things, to be changed at will."""
    return copy.deepcopy(PROFILE)


@pytest.fixture
def openapi() -> dict[str, Any]:
    """Its pinned interface, to be changed at will."""
    return copy.deepcopy(OPENAPI)


@pytest.fixture
def connect(clock: Callable[[], datetime]) -> Iterator[Callable[..., Any]]:
    made: list[Any] = []

    def connect(url: str, profile: dict[str, Any] | None = None, openapi: Any = None, **settings: Any) -> Any:
        body = openapi if isinstance(openapi, bytes) else json.dumps(openapi or OPENAPI).encode()
        connector = open_connector(
            profile or PROFILE,
            {"url": url, "timeout_seconds": 5, **settings},
            interfaces=lambda _: body,
            clock=clock,
            secret=lambda reference: f"cyfrinach-{reference[4:]}",
        )
        made.append(connector)
        return connector

    yield connect
    for connector in made:
        connector.close()


@pytest.fixture
def served(small: Any, answer: Any, connect: Any) -> Callable[..., Any]:
    """Connects to a server that always gives this one answer."""

    def start(body: bytes, status: int = 200, headers: dict[str, str] | None = None, **more: Any) -> Any:
        shown = {"Content-Type": "application/json"} if headers is None else headers
        server = small(lambda _: answer(status, body, shown, **more))
        connector = connect(server.url + "/api")
        connector.server = server
        return connector

    return start


@pytest.fixture
def town(answer: Any) -> Town:
    return Town(answer)


@pytest.fixture
def connected(profile: Any, connect: Any, small: Any, town: Town) -> Any:
    """Connects to the town, or to what always gives one answer."""

    def start(style: dict[str, Any], answering: Any = None, **more: Any) -> Any:
        thing = profile["records"]["Thing"]
        thing["changes"] = {"feed": "delta", "path": "/things", "items": "things[]", "of": 3, "at_most": 30, **style}
        thing["changes"] |= more
        server = small(answering or town)
        connector = connect(server.url + "/api", profile)
        connector._sleep = lambda _: None
        connector.server = server
        return connector

    return start
