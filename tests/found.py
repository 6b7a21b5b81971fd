"""Servers that tests speak to: found, or made for one test. `tests/servers.py` starts nodes.

They are those that DOLEN_TEST_POSTGRESQL and DOLEN_TEST_RABBITMQ name, else those at the usual ports of this machine.
Whatever is made on a server that others may use too is called so that nothing of theirs can be meant.
"""

import atexit
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, urlsplit

import kombu
import psycopg
import pytest
from amqp.exceptions import AMQPError
from kombu.exceptions import KombuError
from psycopg import sql

from pipelines.wakeups import queues
from tests.servers import VHOST, Node, NotHereError

N = TypeVar("N", bound=Node)

USUAL = {
    "DOLEN_TEST_POSTGRESQL": "postgresql://postgres@127.0.0.1:5432/postgres",
    "DOLEN_TEST_RABBITMQ": f"amqp://guest:guest@127.0.0.1:5672/{VHOST}",
}
HOW = "start servers with: python tests/servers.py start --dir FOLDER --export"


def found_postgresql() -> str:
    """The URL of a PostgreSQL in which databases may be made; skips the test where there is none."""
    url = os.environ.get("DOLEN_TEST_POSTGRESQL") or USUAL["DOLEN_TEST_POSTGRESQL"]
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        pytest.skip(f"no PostgreSQL answers; {HOW}")
    return url


def found_rabbitmq() -> str:
    """The URL of a place (vhost) on RabbitMQ, emptied; skips the test where there is none."""
    url = os.environ.get("DOLEN_TEST_RABBITMQ") or USUAL["DOLEN_TEST_RABBITMQ"]
    try:
        empty_rabbitmq(url)
    except (OSError, KombuError, AMQPError):
        pytest.skip(f"no RabbitMQ answers, or it has no vhost {VHOST}; {HOW}")
    return url


@contextmanager
def databases(server: str) -> Iterator[Callable[[], str]]:
    """Make databases on a server, and drop them at the end."""
    made: list[str] = []

    def make() -> str:
        made.append(f"dolen_test_{secrets.token_hex(6)}")
        _say(server, "CREATE DATABASE {}", made[-1])
        return urlsplit(server)._replace(path=f"/{made[-1]}").geturl()

    yield make
    for name in made:
        _say(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


@contextmanager
def as_asked(site: Path) -> Iterator[None]:
    """Keep a site's ledger on PostgreSQL where this run asks for it with DOLEN_TEST_LEDGER=postgresql.

    By hand, before what touches the ledger lands: see CONTRIBUTING.md.
    """
    if os.environ.get("DOLEN_TEST_LEDGER", "sqlite") == "sqlite":
        yield
        return
    settings = site / "config" / "dolen.yaml"
    text = settings.read_text(encoding="utf-8")
    assert 'ledger: {url: "sqlite:///ledger.db"}' in text
    settings.write_text(
        text.replace('ledger: {url: "sqlite:///ledger.db"}', 'ledger: {url: "file:ledger-url"}'), encoding="utf-8"
    )
    (site / "ledger-url").write_text(_corner(), encoding="utf-8")
    (site / "ledger-url").chmod(0o600)
    yield


def _corner() -> str:
    """The URL of an empty place (schema) in a database that all tests of this run share: to make and to drop a whole
    database takes most of a second."""
    if not _shared:
        around = databases(found_postgresql())
        _shared.append(around.__enter__()())
        atexit.register(around.__exit__, None, None, None)
    name = f"corner_{secrets.token_hex(6)}"
    _say(_shared[0], "CREATE SCHEMA {}", name)
    return f"{_shared[0]}?options={quote(f'-csearch_path={name}')}"


_shared: list[str] = []


def _say(server: str, words: str, name: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL(words).format(sql.Identifier(name)))


def empty_rabbitmq(url: str) -> None:
    """Delete our queues, in a vhost that is for tests alone."""
    with kombu.Connection(url, connect_timeout=5) as connection:
        connection.ensure_connection(max_retries=1)
        for queue in queues(quorum=True):
            with suppress(*connection.channel_errors):
                queue(connection.channel()).delete()


@contextmanager
def own_node(kind: type[N]) -> Iterator[N]:
    """A node that is started for whoever asks, and gone when they end; skips the test where it cannot be."""
    folder = Path(tempfile.mkdtemp(prefix="dolen-node-"))
    folder.chmod(0o755)  # the node runs as another user, who must get in
    node = kind(folder / kind.name)
    try:
        try:
            node.start()
        except (NotHereError, KeyError) as missing:  # KeyError: the system has no such user
            pytest.skip(str(missing))
        yield node
    finally:
        node.stop()
        shutil.rmtree(folder)
