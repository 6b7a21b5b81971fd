"""Wake-ups on the broker: the only thing that travels there is the id of a lane.

Whatever the broker loses, doubles or delays does no harm: the ledger is the truth and the relay publishes again what
is still due. kombu stays inside this file. One connection a thread: kombu's are not to be shared.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Sequence
from typing import Any

from kombu.connection import Connection
from kombu.entity import Exchange, Queue

_EXCHANGE = Exchange("dolen", type="direct", durable=True)
_QUEUE = Queue("dolen.wake", _EXCHANGE, routing_key="wake", durable=True)

#: Version of the message, so that an older reader can tell that it does not know a newer one.
FORMAT = 1


class Publisher:
    """Publishes wake-ups. Belongs to one thread."""

    def __init__(self, url: str) -> None:
        self._connection = Connection(url, transport_options={"confirm_publish": True})
        self._producer = self._connection.Producer(serializer="json")
        _QUEUE(self._connection.default_channel).declare()

    def publish(self, lanes: Sequence[str], *, probe: bool = False) -> None:
        """Publish one wake-up for each lane."""
        for lane in lanes:
            self._producer.publish(
                {"format": FORMAT, "lane": lane, "probe": probe}, exchange=_EXCHANGE, routing_key="wake"
            )

    def close(self) -> None:
        """Let go of the broker. Idempotent."""
        self._connection.release()


class Consumer:
    """Reads wake-ups. Belongs to one thread."""

    def __init__(self, url: str, woken: Callable[[str, bool], None]) -> None:
        self._woken = woken
        # The memory transport is asked in turns; a tenth of its default keeps a wake-up from lying about for a second.
        self._connection = Connection(url, transport_options={"polling_interval": 0.02})
        self._consumer = self._connection.Consumer(
            [_QUEUE], accept=["json"], callbacks=[self._take], prefetch_count=200
        )
        self._consumer.consume()

    def drain(self, seconds: float) -> None:
        """Read wake-ups for so long."""
        with contextlib.suppress(socket.timeout, TimeoutError):
            while True:
                self._connection.drain_events(timeout=seconds)

    def close(self) -> None:
        """Let go of the broker. Idempotent."""
        self._connection.release()

    def _take(self, body: Any, message: Any) -> None:
        if isinstance(body, dict) and body.get("format") == FORMAT and isinstance(body.get("lane"), str):
            self._woken(body["lane"], body.get("probe") is True)
        message.ack()
