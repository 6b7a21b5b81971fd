"""Wake-ups over a real broker: rows 2 and 3 of the catalogue, R5, and G5 on the wire that we own.

A broker of the tests' own is killed, frozen, cut off behind a proxy and robbed of its confirms. What must hold: a
publish ends within ten seconds, consumers are back within thirty, what was confirmed is read, and no message, whatever
is in it, can stop the reading of the next.
"""

from __future__ import annotations

import pickle
import random
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import orjson
import pytest
from kombu.connection import Connection
from kombu.entity import Exchange, Queue
from structlog.testing import capture_logs

from pipelines import wakeups
from pipelines.wakeups import BrokerAway, Consumer, Publisher, WakeUp
from tests.conftest import PROFILE
from tests.found import own_node
from tests.pipelines.proxies import Proxy
from tests.servers import RabbitMQ

PUBLISH_LIMIT, BACK_LIMIT = 10.0, 30.0
ONE = WakeUp("torfaen", "casework")


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


def queues() -> tuple[Queue, Queue]:
    """The urgent one and the ordinary one."""
    return wakeups.queues(quorum=True)


@pytest.fixture
def proxy(empty: RabbitMQ) -> Iterator[Proxy]:
    one = Proxy(empty.state["port"])
    yield one
    one.close()


class Reader:
    """A consumer that is made anew after each fault, as a worker does it, and remembers what it read."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.read: list[WakeUp] = []
        self.consumer: Consumer | None = None

    def turn(self, seconds: float = 0.25) -> bool:
        """Read for so long; False if the broker was away."""
        try:
            self.consumer = self.consumer or Consumer(self._url, self.read.append)
            self.consumer.drain(seconds)
        except BrokerAway:
            self.consumer = None
            time.sleep(0.1)
            return False
        return True

    def until(self, enough: Callable[[list[WakeUp]], object], limit: float) -> float:
        """Read until it is enough; return how many seconds that took."""
        began = time.monotonic()
        while not enough(self.read):
            assert time.monotonic() - began < limit, f"after {limit} s only {len(self.read)} wake-ups were read"
            self.turn()
        return time.monotonic() - began

    def close(self) -> None:
        if self.consumer is not None:
            self.consumer.close()


class Teller:
    """A publisher that is made anew after each fault, as a relay does it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.publisher: Publisher | None = None

    def publish(self, wakes: list[WakeUp]) -> bool:
        """Publish once, in less than ten seconds whatever happens; whether it was confirmed."""
        began = time.monotonic()
        try:
            self.publisher = self.publisher or Publisher(self._url)
            self.publisher.publish(wakes)
        except BrokerAway:
            self.publisher = None
        took = time.monotonic() - began
        self.slowest = max(self.slowest, took)
        assert took < PUBLISH_LIMIT
        return self.publisher is not None

    slowest = 0.0

    def until_confirmed(self, wakes: list[WakeUp]) -> None:
        """Publish again and again until it is confirmed."""
        began = time.monotonic()
        while not self.publish(wakes):
            assert time.monotonic() - began < BACK_LIMIT
            time.sleep(0.1)

    def close(self) -> None:
        if self.publisher is not None:
            self.publisher.close()


@pytest.fixture
def readers() -> Iterator[Callable[[str], Reader]]:
    with ExitStack() as made:

        def make(url: str) -> Reader:
            one = made.enter_context(closing(Reader(url)))
            assert one.turn()
            return one

        yield make


@pytest.fixture
def tellers() -> Iterator[Callable[[str], Teller]]:
    with ExitStack() as made:

        def make(url: str) -> Teller:
            return made.enter_context(closing(Teller(url)))

        yield make


def left_in(node: RabbitMQ) -> int:
    """How many messages wait in the queues, the ones that were read and not acknowledged left out."""
    with Connection(node.url) as connection:
        return sum(queue(connection.default_channel).queue_declare(passive=True).message_count for queue in queues())


Readers = Callable[[str], Reader]
Tellers = Callable[[str], Teller]


# --- What travels -----------------------------------------------------------------------------------------------------


def test_within_one_process_wake_ups_need_no_broker(readers: Readers) -> None:
    reader, publisher = readers("memory://"), Publisher("memory://")
    sent = [ONE, WakeUp("torfaen", "contact", probe=True), WakeUp("gwent", "casework", urgent=True)]
    publisher.publish(sent)
    publisher.tick()
    publisher.close()
    reader.until(lambda read: len(read) == 3, 5)
    assert sorted(reader.read, key=repr) == sorted(sent, key=repr)


def test_g5_a_message_names_a_council_and_a_connection_and_nothing_else(
    empty: RabbitMQ, tellers: Tellers, readers: Readers
) -> None:
    tellers(empty.url).publish([ONE, WakeUp("gwent", "contact", probe=True, urgent=True)])
    bodies = []
    with Connection(empty.url) as connection:
        for queue in reversed(queues()):
            found = queue(connection.default_channel).get()
            assert found is not None
            bodies.append(orjson.loads(found.body))
            assert found.headers.keys() <= {"x-delivery-count"}  # the broker's own
            found.requeue()
    assert bodies == [
        {"format": 2, "council": "torfaen", "connection": "casework", "probe": False, "urgent": False},
        {"format": 2, "council": "gwent", "connection": "contact", "probe": True, "urgent": True},
    ]
    reader = readers(empty.url)
    reader.until(lambda read: len(read) == 2, 10)
    assert set(reader.read) == {ONE, WakeUp("gwent", "contact", probe=True, urgent=True)}


def stumble(wake: WakeUp) -> None:
    raise RuntimeError(wake.council)


def test_what_was_read_is_gone_and_what_was_not_comes_to_the_next(
    empty: RabbitMQ, tellers: Tellers, readers: Readers
) -> None:
    tellers(empty.url).publish([ONE] * 3)
    stumbling = Consumer(empty.url, stumble)
    with pytest.raises(BrokerAway):
        stumbling.drain(5)  # whoever is called with a wake-up fails before it is acknowledged
    stumbling.close()
    reader = readers(empty.url)
    reader.until(lambda read: len(read) == 3, 10)
    reader.close()
    assert left_in(empty) == 0


BAD = {
    "no JSON": (b"{", "application/json", {}),
    "a pickle": (pickle.dumps(ONE.council), "application/x-python-serialize", {}),
    "YAML": (b"!!python/object/apply:os.system [id]", "application/x-yaml", {}),
    "JSON by another name": (b'{"format": 2}', "text/plain", {}),
    "a list": (b"[1]", "application/json", {}),
    "no format": (b'{"council": "torfaen"}', "application/json", {}),
    "far too long": (b'{"format": 2, "council": "' + b"x" * 100_000 + b'"}', "application/json", {}),
    "packed": (zlib.compress(b"[" + b"1," * 1_000_000), "application/json", {"compression": "application/x-gzip"}),
    "not what it says": (b"\xff\xfe", "application/json", {"compression": "application/x-gzip"}),
    "NUL": (b"\x00", "application/json", {}),
}


@pytest.mark.parametrize("case", BAD)
def test_a_message_of_somebody_else_is_refused_once_and_never_comes_back(
    case: str, empty: RabbitMQ, tellers: Tellers, readers: Readers
) -> None:
    body, content_type, headers = BAD[case]
    with Connection(empty.url) as connection, connection.channel() as channel:
        channel.basic_publish(
            channel.prepare_message(body, content_type=content_type, content_encoding="binary", headers=headers),
            exchange="dolen",
            routing_key="wake",
        )
    with capture_logs() as logs:
        reader = readers(empty.url)
        tellers(empty.url).publish([ONE])
        reader.until(len, 10)
    assert reader.read == [ONE]
    assert reader.consumer is not None
    assert reader.consumer.refused == 1
    assert [line["event"] for line in logs] == ["wake_up_not_readable"]
    reader.close()
    assert left_in(empty) == 0


def test_row_32_a_message_of_a_newer_version_is_passed_over_with_one_warning(
    empty: RabbitMQ, tellers: Tellers, readers: Readers
) -> None:
    with Connection(empty.url) as connection, connection.channel() as channel:
        for format in (1, 3, 3, 3):
            body = orjson.dumps({"format": format, "lane": "torfaen/casework/x", "council": "torfaen"})
            channel.basic_publish(
                channel.prepare_message(body, content_type="application/json", content_encoding="utf-8"),
                exchange="dolen",
                routing_key="wake",
            )
    with capture_logs() as logs:
        reader = readers(empty.url)
        tellers(empty.url).publish([ONE])
        reader.until(len, 10)
    assert reader.read == [ONE]
    assert [line["event"] for line in logs] == ["wake_up_not_known"] * 2  # once for each format
    reader.close()
    assert left_in(empty) == 0


def test_row_32_a_queue_that_an_older_version_declared_serves_as_it_is(
    empty: RabbitMQ, tellers: Tellers, readers: Readers
) -> None:
    with Connection(empty.url) as connection, connection.channel() as channel:
        queues()[1](channel).delete()
        Queue("dolen.wake", Exchange("dolen", durable=True), routing_key="wake", durable=True)(channel).declare()
    assert tellers(empty.url).publish([ONE])
    readers(empty.url).until(len, 10)


def test_a_wake_up_that_nobody_took_grows_old(
    empty: RabbitMQ, tellers: Tellers, readers: Readers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wakeups, "OLD_AFTER_SECONDS", 0.5)
    with Connection(empty.url) as connection:
        queues()[1](connection.default_channel).delete()
    assert tellers(empty.url).publish([ONE] * 3)
    time.sleep(1.5)
    reader = readers(empty.url)
    reader.turn(1)
    assert reader.read == []


# --- What the broker does ---------------------------------------------------------------------------------------------


def test_a_wake_up_that_no_queue_takes_is_not_counted_as_published(
    empty: RabbitMQ, tellers: Tellers, readers: Readers
) -> None:
    teller = tellers(empty.url)
    assert teller.publish([ONE])
    with Connection(empty.url) as connection:
        queues()[1](connection.default_channel).delete()
    assert not teller.publish([ONE]), "a confirm says accepted, not that a queue took it"
    assert teller.publish([ONE]), "dialling anew declares the queue"
    readers(empty.url).until(len, 10)


def test_an_idle_line_stays_up_and_its_end_is_noticed(
    empty: RabbitMQ, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wakeups, "HEARTBEAT_SECONDS", 1.0)
    publisher = Publisher(empty.through(proxy.port))
    began = time.monotonic()
    while time.monotonic() - began < 3 * wakeups.HEARTBEAT_SECONDS:
        publisher.tick()
        time.sleep(0.3)
    publisher.publish([ONE])
    proxy.cut()
    with pytest.raises(BrokerAway):
        for _ in range(40):
            publisher.tick()
            time.sleep(0.05)


@pytest.mark.timeout(180)
def test_row_2_the_broker_is_killed_and_nothing_that_it_confirmed_is_lost(
    empty: RabbitMQ, tellers: Tellers, readers: Readers
) -> None:
    teller, reader = tellers(empty.url), readers(empty.url)
    time.sleep(3)  # RabbitMQ 3.10 may not come back from a kill within a second of declaring a queue
    confirmed = [WakeUp("torfaen", f"c{number}") for number in range(500)]
    assert teller.publish(confirmed)
    empty.kill()
    assert not teller.publish([ONE])
    assert not any(reader.turn() for _ in range(3))
    empty.start()
    reader.until(lambda read: set(confirmed) <= set(read), BACK_LIMIT)
    teller.until_confirmed([ONE])
    reader.until(lambda read: ONE in read, BACK_LIMIT)


@pytest.mark.timeout(180)
def test_row_3_a_frozen_broker_blocks_nobody_and_is_dialled_again(
    empty: RabbitMQ, tellers: Tellers, readers: Readers
) -> None:
    teller, reader = tellers(empty.url), readers(empty.url)
    idle, listening = Publisher(empty.url), Consumer(empty.url, lambda wake: None)
    assert teller.publish([ONE])
    reader.until(len, 10)
    empty.freeze()
    try:
        began = time.monotonic()
        idle.close()
        listening.close()
        assert time.monotonic() - began < 2, "whoever ends does not wait for a broker that is frozen"
        while reader.turn():  # it is noticed by the heartbeats that are missing
            assert time.monotonic() - began < 3 * wakeups.HEARTBEAT_SECONDS
        assert not any(teller.publish([ONE]) for _ in range(2))
    finally:
        empty.thaw()
    reader.read.clear()
    teller.until_confirmed([ONE])
    reader.until(len, BACK_LIMIT)


@pytest.mark.timeout(180)
def test_row_3_a_black_hole_blocks_nobody_and_is_dialled_again(
    empty: RabbitMQ, proxy: Proxy, tellers: Tellers, readers: Readers
) -> None:
    teller, reader = tellers(empty.through(proxy.port)), readers(empty.through(proxy.port))
    assert teller.publish([ONE])
    reader.until(len, 10)
    proxy.holds = True
    began = time.monotonic()
    while reader.turn():
        assert time.monotonic() - began < 3 * wakeups.HEARTBEAT_SECONDS
    assert not any(teller.publish([ONE]) for _ in range(2))
    proxy.holds = False
    reader.read.clear()
    teller.until_confirmed([ONE])
    reader.until(len, BACK_LIMIT)


def test_a_lost_confirm_makes_a_wake_up_come_twice_and_never_not_at_all(
    empty: RabbitMQ, proxy: Proxy, tellers: Tellers, readers: Readers
) -> None:
    teller, reader = tellers(empty.through(proxy.port)), readers(empty.url)
    assert teller.publish([ONE])
    reader.until(len, 10)
    proxy.holds_answers = True
    assert not teller.publish([ONE]), "what nobody confirmed is not published"
    proxy.cut()
    proxy.holds_answers = False
    teller.until_confirmed([ONE])
    reader.until(lambda read: len(read) == 3, 10)
    assert set(reader.read) == {ONE}


# --- R5: all of it, many times ----------------------------------------------------------------------------------------

#: How often. HYPOTHESIS_PROFILE=long does what R5 asks for, in about half an hour.
TIMES = {"kill": 50, "freeze": 20, "hole": 20, "confirm": 20}
R5 = TIMES if PROFILE == "long" else dict.fromkeys(TIMES, 1)


@pytest.mark.slow
@pytest.mark.timeout(7200 if PROFILE == "long" else 240)
def test_r5_a_broker_under_torment_loses_nothing_that_it_confirmed(
    empty: RabbitMQ,
    proxy: Proxy,
    tellers: Tellers,
    readers: Readers,
    rng: random.Random,
    record_property: Callable[[str, object], None],
) -> None:
    teller, reader = tellers(empty.through(proxy.port)), readers(empty.through(proxy.port))
    torments = [name for name, times in R5.items() for _ in range(times)]
    rng.shuffle(torments)
    confirmed: set[WakeUp] = set()
    turn, slowest = 0, 0.0

    def publish() -> None:
        nonlocal turn
        turn += 1
        wakes = [WakeUp("torfaen", f"r{turn}-{at}", urgent=rng.random() < 0.2) for at in range(rng.randrange(1, 300))]
        if teller.publish(wakes):
            confirmed.update(wakes)

    for at, torment in enumerate(torments):
        time.sleep(rng.uniform(2, 4))
        publish()
        undo = _torment(torment, empty, proxy)
        for _ in range(rng.randrange(1, 3)):
            publish()
            reader.turn()
        undo()
        began, back = time.monotonic(), WakeUp("torfaen", f"back {at}")
        teller.until_confirmed([back])
        reader.until(lambda read, back=back: back in read, BACK_LIMIT)  # type: ignore[misc]
        slowest = max(slowest, time.monotonic() - began)
    reader.until(lambda read: confirmed <= set(read), BACK_LIMIT)
    figures = (
        f"{len(torments)} faults, {len(confirmed)} confirmed; back {slowest:.1f} s, publish {teller.slowest:.1f} s"
    )
    record_property("r5", figures)  # kept by pytest -o junit_family=xunit1 --junit-xml=FILE
    assert slowest < BACK_LIMIT


def _torment(which: str, node: RabbitMQ, proxy: Proxy) -> Callable[[], Any]:
    """Begin one; return what ends it."""
    if which == "kill":
        node.kill()
        return node.start
    if which == "freeze":
        node.freeze()
        if PROFILE == "long":
            time.sleep(30)
        return node.thaw
    if which == "hole":
        proxy.holds = True
        return lambda: setattr(proxy, "holds", False)

    def found_again() -> None:
        proxy.cut()
        proxy.holds_answers = False

    proxy.holds_answers = True
    return found_again
