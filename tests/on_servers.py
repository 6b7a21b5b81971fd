"""Fixtures for tests on PostgreSQL and RabbitMQ: a database, or an empty place for queues, of each test's own.

The servers are those that DOLEN_TEST_POSTGRESQL and DOLEN_TEST_RABBITMQ name, else those at the usual ports of this
machine; where there are none the test is skipped, which CI counts as a failure. `tests/servers.py` starts them. A test
that kills a server takes `own_postgresql` or `own_rabbitmq`, a node that nobody else speaks to. Test files load this
as a plugin.
"""

import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import kombu
import psycopg
import pytest
from amqp.exceptions import AMQPError
from kombu.exceptions import KombuError
from psycopg import sql

from pipelines.wakeups import queues
from tests.servers import VHOST, Node, NotHereError, PostgreSQL, RabbitMQ

N = TypeVar("N", bound=Node)

USUAL = {
    "DOLEN_TEST_POSTGRESQL": "postgresql://postgres@127.0.0.1:5432/postgres",
    "DOLEN_TEST_RABBITMQ": f"amqp://guest:guest@127.0.0.1:5672/{VHOST}",
}
HOW = "start servers with: python tests/servers.py start --dir FOLDER --export"


@pytest.fixture(scope="session")
def postgresql_server() -> str:
    """The URL of a PostgreSQL in which databases may be made."""
    url = os.environ.get("DOLEN_TEST_POSTGRESQL") or USUAL["DOLEN_TEST_POSTGRESQL"]
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        pytest.skip(f"no PostgreSQL answers; {HOW}")
    return url


@pytest.fixture
def new_database(postgresql_server: str) -> Iterator[Callable[[], str]]:
    """Make empty databases; each call gives the URL of another one."""
    with databases(postgresql_server) as make:
        yield make


@pytest.fixture
def postgresql(new_database: Callable[[], str]) -> str:
    """The URL of an empty database."""
    return new_database()


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Give the URL of an empty database: the test runs once on each kind. Each call gives another one."""
    if request.param == "postgresql":
        made: Callable[[], str] = request.getfixturevalue("new_database")
        return made
    return lambda: f"sqlite:///{(tmp_path / secrets.token_hex(4)).as_posix()}.db"


@pytest.fixture
def rabbitmq() -> Iterator[str]:
    """The URL of a place (vhost) on RabbitMQ in which no queue of ours is left."""
    url = os.environ.get("DOLEN_TEST_RABBITMQ") or USUAL["DOLEN_TEST_RABBITMQ"]
    try:
        _empty(url)
    except (OSError, KombuError, AMQPError):
        pytest.skip(f"no RabbitMQ answers, or it has no vhost {VHOST}; {HOW}")
    yield url
    _empty(url)


@pytest.fixture
def own_postgresql() -> Iterator[PostgreSQL]:
    """A PostgreSQL that the test may kill, freeze and start again."""
    with own_node(PostgreSQL) as node:
        yield node


@pytest.fixture
def own_rabbitmq() -> Iterator[RabbitMQ]:
    """A RabbitMQ that the test may kill, freeze and start again."""
    with own_node(RabbitMQ) as node:
        yield node


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


def _say(server: str, words: str, name: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL(words).format(sql.Identifier(name)))


def _empty(url: str) -> None:
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
        node.start()
    except (NotHereError, KeyError) as missing:  # KeyError: the system has no such user
        pytest.skip(str(missing))
    try:
        yield node
    finally:
        node.stop()
        shutil.rmtree(folder)
