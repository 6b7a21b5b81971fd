"""Wake-ups on the broker: the only thing that travels there says that a connection has work.

Whatever the broker loses, doubles or delays does no harm: the ledger is the truth and the relay publishes again while
something is due. A wake-up is old after a few seconds, and the broker is told to drop old ones. kombu stays inside this
file. One connection a thread: kombu's are not to be shared.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from kombu.connection import Connection
from kombu.entity import Exchange, Queue

from pipelines import crash
from pipelines.logs import warn

#: Version of the message, so that an older reader can tell that it does not know a newer one.
FORMAT = 2
#: A confirm that has not come after so many seconds will not come: what was published counts as lost.
CONFIRM_SECONDS = 5.0
#: A broker that does not answer within this is not there.
CONNECT_SECONDS = 5.0
#: Missing heartbeats for twice as long end a connection: a frozen broker is noticed.
HEARTBEAT_SECONDS = 10
#: A wake-up that nobody took is dropped by the broker; the relay has long published another one.
OLD_AFTER_SECONDS = 10
#: More than this many lie in no queue, whatever happens.
MOST_IN_QUEUE = 10_000
#: Messages that one consumer holds at once. Each is acknowledged as soon as it is known who does the work.
PREFETCH = 20


@dataclass(frozen=True, slots=True)
class WakeUp:
    """A connection of a council has work. `probe`: its breaker is open, and one call may try it."""

    council: str
    connection: str
    probe: bool = False
    urgent: bool = False


class Publisher:
    """Publishes wake-ups, confirmed. Belongs to one thread. Raises kombu's and the system's errors: publish again."""

    def __init__(self, url: str) -> None:
        options = {"confirm_publish": True, "confirm_timeout": CONFIRM_SECONDS} if _real(url) else {}
        self._connection = _connect(url, options)
        self._producer = self._connection.Producer(serializer="json")
        self._queues = _declared(self._connection, url)

    def publish(self, wakes: Sequence[WakeUp]) -> None:
        """Publish wake-ups; returns when the broker has confirmed them."""
        for wake in wakes:
            body = {
                "format": FORMAT,
                "council": wake.council,
                "connection": wake.connection,
                "probe": wake.probe,
            }
            queue = self._queues[0 if wake.urgent else 1]
            self._producer.publish(
                body, exchange=queue.exchange, routing_key=queue.routing_key, delivery_mode=2, timeout=CONFIRM_SECONDS
            )
        crash.here("after publish")

    def tick(self) -> None:
        """Let heartbeats through; raises when the broker has been silent for too long."""
        if self._connection.heartbeat:
            self._connection.heartbeat_check()
            with contextlib.suppress(socket.timeout, TimeoutError):
                self._connection.drain_events(timeout=0.001)

    def close(self) -> None:
        """Let go of the broker. Idempotent."""
        _end(self._connection)


class Consumer:
    """Reads wake-ups. Belongs to one thread. `woken` must return at once."""

    def __init__(self, url: str, woken: Callable[[WakeUp], None]) -> None:
        self._woken = woken
        self._warned = False
        # The memory transport is asked in turns; a tenth of its default keeps a wake-up from lying about for a second.
        self._connection = _connect(url, {} if _real(url) else {"polling_interval": 0.02})
        self._consumer = self._connection.Consumer(
            _declared(self._connection, url),
            accept=["json"],
            callbacks=[self._take],
            on_decode_error=self._cannot_decode,
            prefetch_count=PREFETCH,
        )
        self._consumer.consume()

    def drain(self, seconds: float) -> None:
        """Read wake-ups for so long."""
        if self._connection.heartbeat:
            self._connection.heartbeat_check()
        with contextlib.suppress(socket.timeout, TimeoutError):
            while True:
                self._connection.drain_events(timeout=seconds)

    def close(self) -> None:
        """Let go of the broker. Idempotent."""
        _end(self._connection)

    def _take(self, body: Any, message: Any) -> None:
        wake = _read(body)
        if wake is not None:
            self._woken(wake)
        elif not self._warned:
            self._warned = True
            warn("wake_up_not_known")  # of a newer version, whose own workers will be woken again
        message.ack()

    def _cannot_decode(self, message: Any, _fault: Exception) -> None:
        """Not ours, or damaged: dropped, so that it does not come back for ever."""
        warn("wake_up_not_readable")
        message.ack()


def _read(body: Any) -> WakeUp | None:
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        return None
    council, connection = body.get("council"), body.get("connection")
    if not isinstance(council, str) or not isinstance(connection, str):
        return None
    return WakeUp(council, connection, body.get("probe") is True)


def _real(url: str) -> bool:
    """Whether a broker stands behind the URL, and not this process's memory."""
    return not url.startswith("memory:")


def _connect(url: str, options: dict[str, Any]) -> Connection:
    if not _real(url):
        return Connection(url, transport_options=options)
    return Connection(url, transport_options=options, heartbeat=HEARTBEAT_SECONDS, connect_timeout=CONNECT_SECONDS)


def _declared(connection: Connection, url: str) -> list[Queue]:
    """The queues, the urgent one first, declared on the broker."""
    arguments = {
        "x-queue-type": "quorum",
        "x-message-ttl": OLD_AFTER_SECONDS * 1000,
        "x-max-length": MOST_IN_QUEUE,
        "x-delivery-limit": 5,
    }
    exchange = Exchange("dolen", type="direct", durable=True)
    queues = [
        Queue(
            f"dolen.{name}",
            exchange,
            routing_key=name,
            durable=True,
            queue_arguments=arguments if url.startswith(("amqp:", "pyamqp:", "amqps:")) else None,
        )
        for name in ("wake.urgent", "wake")
    ]
    for queue in queues:
        queue(connection.default_channel).declare()
    return queues


def _end(connection: Connection) -> None:
    """Close without waiting for a broker that may not be there."""
    with contextlib.suppress(Exception):
        connection.release()
