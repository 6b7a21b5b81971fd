"""Connects to a council's pretend platforms with the shipped profiles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.registry import open_connector
from connectors.rest.connector import RestConnector
from sandbox import secrets
from sandbox.world import World
from tests.connectors.conftest import Council

ROOTS = {"dataverse": "/api/data/v9.2", "salesforce": "/services/data/v60.0"}
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

    def later(self, **much: float) -> None:
        """Let time go by."""
        self.world.clock.set(self.world.clock() + timedelta(**much))


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Own]:
    """A sandbox of this test's own."""
    world = World(tmp_path, tenants=["torfaen"])
    server = world.server()
    server.start()
    yield Own(Council("torfaen", server.url, secrets.everything(["torfaen"])["torfaen"]), world)
    server.stop()
    world.close()


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
