"""Who speaks and listens on a broker in tests: made anew after each fault, as a relay and a worker do it."""

from __future__ import annotations

import time
from collections.abc import Callable

from kombu.connection import Connection
from kombu.entity import Queue

from pipelines import wakeups
from pipelines.wakeups import BrokerAway, Consumer, Publisher, WakeUp
from tests.servers import RabbitMQ

PUBLISH_LIMIT, BACK_LIMIT = 10.0, 30.0  # seconds
ONE = WakeUp("torfaen", "casework")


def queues() -> tuple[Queue, Queue]:
    """The urgent one and the ordinary one."""
    return wakeups.queues(quorum=True)


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


def left_in(node: RabbitMQ) -> int:
    """How many messages wait in the queues, the ones that were read and not acknowledged left out."""
    with Connection(node.url) as connection:
        return sum(queue(connection.default_channel).queue_declare(passive=True).message_count for queue in queues())


Readers = Callable[[str], Reader]
Tellers = Callable[[str], Teller]
