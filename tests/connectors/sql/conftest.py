"""Extracts in real databases: a SQLite file and a PostgreSQL, filled by whoever owns them and read by the connector."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from connectors.port import Item, UnreadableItem
from connectors.registry import open_connector
from connectors.sql.connector import SqlConnector

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
COLUMNS = {"id": "integer", "surname": "text", "changed": "moment"}
TABLE = "CREATE TABLE referrals (id INTEGER PRIMARY KEY, surname VARCHAR(40), changed {moment})"
MOMENT = {"sqlite": "TEXT", "postgresql": "TIMESTAMP"}


def profile(**record: Any) -> dict[str, Any]:
    """The profile of an invented extract; `changes` may be given alone."""
    made = {
        "table": "referrals",
        "columns": COLUMNS,
        "item": {"id": "id", "modified": "changed"},
        "changes": {"feed": "modified-since", "of": 4},
        "fetch": {"by": "id"},
        **record,
    }
    made = {key: value for key, value in made.items() if value is not None}
    return {"system": "extract", "protocol": "sql", "clock": "Europe/London", "records": {"Referral": made}}


@dataclass
class Extract:
    """A database of somebody else's, and how to connect to it."""

    kind: str
    url: str
    owner: Engine

    def say(self, statement: str, *rows: dict[str, Any]) -> None:
        """Let its owner change it."""
        with self.owner.begin() as connection:
            if rows:
                connection.execute(text(statement), list(rows))
            else:
                connection.execute(text(statement))

    def table(self) -> None:
        """Make the table of referrals."""
        self.say(TABLE.format(moment=MOMENT[self.kind]))

    def put(self, id: int, changed: str | None, surname: str = "Prydderch") -> None:
        """Put a row there, or change it."""
        self.say(
            "INSERT INTO referrals VALUES (:id, :surname, :changed) "
            "ON CONFLICT (id) DO UPDATE SET surname = :surname, changed = :changed",
            {"id": id, "surname": surname, "changed": changed},
        )

    def connect(self, **more: Any) -> dict[str, Any]:
        """The settings of a connection to it."""
        url = make_url(self.url)
        bare = url._replace(username=None, password=None).render_as_string()
        login = {"password": {"username": url.username, "password": "env:PASSWORD"}}
        told: dict[str, Any] = {"url": bare}
        if url.username:
            told["login"] = login
        return {**told, **more}

    def secret(self, reference: str) -> str:
        """What a reference stands for."""
        return {"env:PASSWORD": make_url(self.url).password or ""}[reference]


@pytest.fixture(params=["sqlite", "postgresql"])
def extract(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[Extract]:
    """An empty database: the test runs once on each kind."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'extract.db'}"
    else:
        url = request.getfixturevalue("new_database")()
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg") if request.param == "postgresql" else url)
    yield Extract(request.param, url, engine)
    engine.dispose()


Opened = Callable[..., SqlConnector]


@pytest.fixture
def opened(extract: Extract) -> Iterator[Opened]:
    """Opens a connector as a site does; closed at the end."""
    made: list[SqlConnector] = []

    def start(told: dict[str, Any] | None = None, *, now: datetime = NOW, **connect: Any) -> SqlConnector:
        one = open_connector(
            told or profile(),
            extract.connect(**connect),
            interfaces=lambda _: b"",
            clock=lambda: now,
            secret=extract.secret,
        )
        assert isinstance(one, SqlConnector)
        made.append(one)
        return one

    yield start
    for one in made:
        one.close()


def walk(
    connector: SqlConnector, watermark: str = "", between: Callable[[], None] = lambda: None, limit: int | None = None
) -> tuple[list[Item | UnreadableItem], str]:
    """Walk to the end, as the movement does."""
    items: list[Item | UnreadableItem] = []
    cursor = ""
    for _ in range(500):
        page = connector.changes("Referral", watermark=watermark, cursor=cursor, limit=limit)
        items += page.items
        cursor = page.cursor
        if not cursor:
            return items, page.watermark
        between()
    raise AssertionError("the walk does not end")


def ids(items: list[Item | UnreadableItem]) -> list[str]:
    """Their ids, in order."""
    return [item.id for item in items]
