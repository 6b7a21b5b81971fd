"""Fixtures for tests on PostgreSQL and RabbitMQ: a database, or an empty place for queues, of each test's own.

Where there is no server the test is skipped, which CI counts as a failure. A test that kills a server takes
`own_postgresql` or `own_rabbitmq`, a node that nobody else speaks to. Test files load this as a plugin and import
nothing from it; how servers are found and made is in `tests/found.py`.
"""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.found import databases, empty_rabbitmq, found_postgresql, found_rabbitmq, own_node
from tests.servers import PostgreSQL, RabbitMQ


@pytest.fixture(scope="session")
def postgresql_server() -> str:
    """The URL of a PostgreSQL in which databases may be made."""
    return found_postgresql()


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
    url = found_rabbitmq()
    yield url
    empty_rabbitmq(url)


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
