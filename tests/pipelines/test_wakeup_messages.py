"""What travels on the wire that we own: G5, row 32, and that no message, whatever is in it, stops the reading of the
next."""

from __future__ import annotations

import contextlib
import itertools
import pickle
import threading
import time
import zlib
from typing import Any

import orjson
import pytest
from kombu.connection import Connection
from kombu.entity import Exchange, Queue
from kombu.transport.memory import Transport
from structlog.testing import capture_logs

from pipelines import logs, wakeups
from pipelines.wakeups import BrokerAway, Consumer, Publisher, WakeUp
from tests.pipelines.listeners import ONE, Readers, Tellers, left_in, queues
from tests.servers import RabbitMQ

pytest_plugins = ("tests.pipelines.broker",)


@pytest.fixture(autouse=True)
def _everything_is_logged() -> None:
    """A command that another test ran in this process may have left the log for errors alone."""
    logs.configure()


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
    with capture_logs() as lines:
        reader = readers(empty.url)
        tellers(empty.url).publish([ONE])
        reader.until(len, 10)
    assert reader.read == [ONE]
    assert reader.consumer is not None
    assert reader.consumer.refused == 1
    assert [line["event"] for line in lines] == ["wake_up_not_readable"]
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
    with capture_logs() as lines:
        reader = readers(empty.url)
        tellers(empty.url).publish([ONE])
        reader.until(len, 10)
    assert reader.read == [ONE]
    assert [line["event"] for line in lines] == ["wake_up_not_known"] * 2  # once for each format
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


class _Slow(dict[str, Any]):
    """What kombu keeps of exchanges, in which two that find one missing do so at once, and the second writes last."""

    def __init__(self) -> None:
        super().__init__()
        self._together, self._writers = threading.Barrier(2), itertools.count()

    def __missing__(self, name: str) -> Any:
        with contextlib.suppress(threading.BrokenBarrierError):
            self._together.wait(0.5)
        raise KeyError(name)

    def __setitem__(self, name: str, value: Any) -> None:
        if next(self._writers):
            time.sleep(0.3)
        super().__setitem__(name, value)


def test_two_that_begin_at_once_in_one_process_hear_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Broken by declaring without a lock: the one that was slower put an empty table of bindings over the other's, and
    no wake-up reached anybody until the process ended."""
    Transport.global_state.clear()
    monkeypatch.setattr(Transport.global_state, "exchanges", _Slow())
    made: list[Publisher] = []
    thread = threading.Thread(target=lambda: made.append(Publisher("memory://")))
    thread.start()
    heard: list[WakeUp] = []
    consumer = Consumer("memory://", heard.append)
    thread.join()
    made[0].publish([ONE])
    until = time.monotonic() + 2
    while not heard and time.monotonic() < until:
        consumer.drain(0.05)
    made[0].close()
    consumer.close()
    Transport.global_state.clear()
    assert heard == [ONE]
