"""Connects to a council's pretend platforms with the shipped profiles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from connectors.registry import open_connector
from connectors.rest.connector import RestConnector
from sandbox import secrets
from sandbox.exchange import Exchange, Request, Response
from sandbox.world import World
from tests.connectors.conftest import ROOT, Council
from tests.connectors.held import Held

ROOTS = {"dataverse": "/api/data/v9.2", "salesforce": "/services/data/v60.0"}
RECORDS = {"dataverse": ("Columns", "dolen_needs"), "salesforce": ("Fields", "Needs__c")}
TOKENS = {"dataverse": "/oauth2/v2.0/token", "salesforce": "/services/oauth2/token"}


@pytest.fixture
def opened(
    council: Any, shipped: Callable[[str], Any], interfaces: Callable[[str], bytes], clock: Callable[[], datetime]
) -> Iterator[Callable[..., RestConnector]]:
    made: list[Any] = []

    def connect(system: str, profile: dict[str, Any] | None = None, secret: str = "", **more: Any) -> RestConnector:
        login, url = council.secrets[system], council.system(system)
        oauth2 = {"token_url": url + TOKENS[system], "client_id": login["client_id"], "client_secret": "env:SECRET"}
        connector = open_connector(
            profile or shipped(system),
            {"url": url + ROOTS[system], "login": {"oauth2": oauth2}, "timeout_seconds": 10, **more},
            interfaces=interfaces,
            clock=clock,
            secret=lambda _: secret or login["client_secret"],
        )
        made.append(connector)
        assert isinstance(connector, RestConnector)
        connector._sleep = lambda _: None
        return connector

    yield connect
    for connector in made:
        connector.close()


@dataclass
class Own:
    """A sandbox of a test's own, whose clock may be moved, with one council in it."""

    council: Council
    world: World
    held: dict[str, Held]  # by platform: what was seen of it, and what of that its public contract does not know

    def later(self, **much: float) -> None:
        """Let time go by."""
        self.world.clock.set(self.world.clock() + timedelta(**much))


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Own]:
    """A sandbox of this test's own."""
    world = World(tmp_path, tenants=["torfaen"])
    server = world.server()
    server.start()
    held = {name: _held(world, name) for name in RECORDS}
    yield Own(Council("torfaen", server.url, secrets.everything(["torfaen"])["torfaen"]), world, held)
    server.stop()
    world.close()
    assert {name: one.wrong for name, one in held.items() if one.wrong} == {}


@cache
def contract_of(name: str) -> dict[str, Any]:
    """The schemas of a platform's records, to which its contract refers."""
    interface = YAML(typ="safe", pure=True).load(
        (ROOT / "sandbox/interfaces" / f"{name}.openapi.yaml").read_text(encoding="utf-8")
    )
    schemas: dict[str, Any] = interface["components"]["schemas"]
    schema, several = RECORDS[name]
    schemas[schema]["properties"][several] = {"type": ["string", "null"]}  # several choices are one text on the wire
    return schemas


def _held(world: World, name: str) -> Held:
    """Hold a pretend platform to its contract, and each record to its interface, while no fault of it is wanted."""
    held, system = Held(name, contract_of(name)), world.systems[name]
    whole = system.answer

    def answer(request: Request, exchange: Exchange) -> Response:
        calm = not world.faults.any(request.tenant, name)
        response = whole(request, exchange)
        if calm:
            told = (response.status, response.headers, response.body)
            held.judge(request.method, request.path, request.query, request.headers, request.body, told)
        return response

    system.answer = answer  # type: ignore[method-assign]  # it is listened to
    return held


@pytest.fixture
def council(own: Own) -> Council:
    """The council of a sandbox of this test's own."""
    return own.council


@pytest.fixture
def walk() -> Callable[..., tuple[list[Any], str, list[str]]]:
    """Reads a whole walk of referrals: its items, the watermark, and what the feed told."""

    def read(
        connector: RestConnector, watermark: str = "", between: Callable[[], Any] = lambda: None, **more: Any
    ) -> tuple[list[Any], str, list[str]]:
        items: list[Any] = []
        notes: list[str] = []
        cursor = ""
        for _ in range(100):
            page = connector.changes("Referral", watermark=watermark, cursor=cursor, **more)
            items += page.items
            notes += [page.note] if page.note else []
            cursor = page.cursor
            if not cursor:
                return items, page.watermark, notes
            between()
        raise AssertionError("the walk does not end")

    return read
