"""A broker of the tests' own, empty for each test, a proxy before it, and who speaks and listens there.

Test files load this as a plugin; what is no fixture is in `tests/pipelines/listeners.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest
from kombu.connection import Connection

from pipelines import wakeups
from pipelines.wakeups import Publisher
from tests.found import own_node
from tests.pipelines.listeners import Reader, Readers, Teller, Tellers, queues
from tests.pipelines.proxies import Proxy
from tests.servers import RabbitMQ


@pytest.fixture(scope="module")
def node() -> Iterator[RabbitMQ]:
    with own_node(RabbitMQ) as one:
        yield one


@pytest.fixture
def empty(node: RabbitMQ, monkeypatch: pytest.MonkeyPatch) -> RabbitMQ:
    """The node with its queues as new. What lies in them grows old later than any test ends."""
    monkeypatch.setattr(wakeups, "OLD_AFTER_SECONDS", 3600.0)
    with Connection(node.url) as connection:
        for queue in queues():
            queue(connection.default_channel).delete()
    Publisher(node.url).close()
    return node


@pytest.fixture
def proxy(empty: RabbitMQ) -> Iterator[Proxy]:
    one = Proxy(empty.state["port"])
    yield one
    one.close()


@pytest.fixture
def readers() -> Iterator[Readers]:
    with ExitStack() as made:

        def make(url: str) -> Reader:
            one = made.enter_context(closing(Reader(url)))
            assert one.turn()
            return one

        yield make


@pytest.fixture
def tellers() -> Iterator[Tellers]:
    with ExitStack() as made:

        def make(url: str) -> Teller:
            return made.enter_context(closing(Teller(url)))

        yield make
