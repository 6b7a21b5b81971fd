"""Wake-ups on the broker: the only thing that travels there says that a connection has work.

Whatever the broker loses, doubles or delays does no harm: the ledger is the truth and the relay publishes again while
something is due. So nothing here waits without a limit: a publish is confirmed within seconds or has failed, a broker
that fell silent is noticed by its heartbeat, and is hung up on without asking it. After a fault a publisher or consumer
is of no more use; its owner makes a new one. kombu stays inside this file. One connection a thread: kombu's are not to
be shared.
"""

from __future__ import annotations

import contextlib
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import orjson
from kombu.connection import Connection
from kombu.entity import Exchange, Queue

from pipelines import crash
from pipelines.logs import warn

#: Version of the message, so that an older reader can tell that it does not know a newer one.
FORMAT = 2
#: How long a broker may take to answer anything, a confirm included, in seconds. What is not confirmed counts as lost.
ANSWER_SECONDS = 5.0
#: A broker that says nothing for two of these is gone, in seconds.
HEARTBEAT_SECONDS = 5.0
#: A wake-up that nobody took is dropped by the broker; the relay has long published another one.
OLD_AFTER_SECONDS = 10.0
#: More than this many lie in no queue, whatever happens.
MOST_IN_QUEUE = 10_000
#: Messages that one consumer holds at once. Each is acknowledged as soon as it is known who does the work.
PREFETCH = 20
#: Wake-ups that are published before their confirms are waited for.
WINDOW = 200
_LONGEST_BODY = 2_000  # bytes


class BrokerAway(ConnectionError):
    """The broker cannot be reached or did not answer in time. Nothing is lost: dial again and publish again."""


@dataclass(frozen=True, slots=True)
class WakeUp:
    """A connection of a council has work. `probe`: its breaker is open, and one call may try it."""

    council: str
    connection: str
    probe: bool = False
    urgent: bool = False


def verified(url: str) -> tuple[str, dict[str, Any] | bool]:
    """A broker's URL without what is ours in it, and how TLS is to be spoken: verified, 1.2 at least, by its name.

    py-amqp checks by itself that an authority vouches for a server and not for which. `?ca_bundle=PATH` names the only
    authorities to trust; else the machine's own are. No other option in the URL counts, so that none can weaken this.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("amqps", "pyamqps"):
        return url, False
    bundle = dict(parse_qsl(parts.query)).get("ca_bundle")
    return urlunsplit(parts._replace(scheme="amqps", query="")), {
        "cert_reqs": ssl.CERT_REQUIRED,
        "server_hostname": parts.hostname or "",
        "tls_minimum_version": ssl.TLSVersion.TLSv1_2,
        "ca_certs": bundle,
    }


#: Held while queues are declared in this process's memory, where kombu keeps them without a lock of its own.
_DECLARING = threading.Lock()


class _Line:
    """One connection to the broker, with the queues declared. Belongs to one thread. Raises BrokerAway."""

    def __init__(self, url: str) -> None:
        self.real = not url.startswith("memory:")  # a broker stands behind the URL, and not this process's memory
        options = (
            {"read_timeout": ANSWER_SECONDS, "write_timeout": ANSWER_SECONDS}
            if self.real
            else {"polling_interval": 0.02}  # it is asked in turns; by its own default a wake-up lies for a second
        )
        address, secure = verified(url)
        self.connection = Connection(
            address,
            ssl=secure,
            connect_timeout=ANSWER_SECONDS,
            heartbeat=HEARTBEAT_SECONDS if self.real else 0,
            transport_options=options,
        )
        self.urgent, self.ordinary = queues(quorum=url.startswith(("amqp:", "amqps:", "pyamqp:")))
        with self.guarded():
            # Once: kombu's own second try would come after two seconds, and whoever owns us tries again anyway.
            self.connection.ensure_connection(max_retries=0, reraise_as_library_errors=False)
            # In one process's memory two that declare at once can lose the bindings of both, and every wake-up since.
            with contextlib.nullcontext() if self.real else _DECLARING:
                for queue in (self.urgent, self.ordinary):
                    self._declare(queue)

    def _declare(self, queue: Queue) -> None:
        try:
            with self.connection.channel() as channel:
                queue(channel).declare()
        except self.connection.channel_errors:
            # An older or newer Dolen beside us declared it with other limits. It serves as it is.
            with self.connection.channel() as channel:
                queue(channel).queue_declare(passive=True)

    @contextlib.contextmanager
    def guarded(self) -> Iterator[None]:
        """Turn whatever the broker or the network does into BrokerAway, and hang up."""
        try:
            yield
        except Exception as fault:
            self.close()
            raise BrokerAway(f"the broker does not answer ({type(fault).__name__})") from fault

    def listen(self, seconds: float) -> None:
        """Let messages, confirms and heartbeats in until something came, at most for so many seconds."""
        with contextlib.suppress(TimeoutError):
            self.connection.drain_events(timeout=seconds)
        if self.connection.heartbeat:
            self.connection.heartbeat_check()

    def close(self) -> None:
        """Hang up without asking the broker, which may not answer. Idempotent."""
        with contextlib.suppress(Exception):
            if self.real:
                self.connection.collect(socket_timeout=1.0)
            else:
                self.connection.release()


class Publisher:
    """Publishes wake-ups, confirmed. Belongs to one thread. Raises BrokerAway, after which it is of no more use."""

    def __init__(self, url: str) -> None:
        self._line = _Line(url)
        self._open: set[int] = set()  # numbers of what is not confirmed yet
        self._number = 0
        self._refused = False
        with self._line.guarded():
            channel: Any = self._line.connection.default_channel
            self._producer = self._line.connection.Producer(channel)
            self._confirms = self._line.connection.transport.driver_type == "amqp"
            if self._confirms:
                channel.events["basic_ack"].add(self._acked)
                channel.events["basic_nack"].add(self._nacked)
                channel.events["basic_return"].add(self._returned)
                channel.confirm_select()

    def publish(self, wakes: Sequence[WakeUp]) -> None:
        """Publish wake-ups; returns when the broker has confirmed that each lies in its queue. What was published
        before BrokerAway is raised may arrive all the same, once or, published again, twice."""
        for at in range(0, len(wakes), WINDOW):
            with self._line.guarded():
                for wake in wakes[at : at + WINDOW]:
                    self._put(wake)
                self._wait_for_confirms()
        crash.here("after publish")

    def tick(self) -> None:
        """Let heartbeats through; call it every second or so. Raises BrokerAway when the broker fell silent."""
        if self._line.real:
            with self._line.guarded():
                self._line.listen(0.001)

    def close(self) -> None:
        """Let go of the broker. Idempotent."""
        self._line.close()

    def _put(self, wake: WakeUp) -> None:
        queue = self._line.urgent if wake.urgent else self._line.ordinary
        body = {"format": FORMAT, "council": wake.council, "connection": wake.connection, "probe": wake.probe}
        self._producer.publish(
            orjson.dumps(body | {"urgent": wake.urgent}),
            exchange=queue.exchange,
            routing_key=queue.routing_key,
            content_type="application/json",
            content_encoding="utf-8",
            delivery_mode=2,
            mandatory=self._confirms,  # a confirm alone says "accepted", and not that a queue took it
        )
        if self._confirms:
            self._number += 1
            self._open.add(self._number)

    def _wait_for_confirms(self) -> None:
        until = time.monotonic() + ANSWER_SECONDS
        while self._open:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError("no confirm")
            self._line.listen(left)
        if self._refused:
            raise ConnectionError("no queue took it")

    def _acked(self, number: int, multiple: bool) -> None:
        self._open -= {one for one in self._open if one <= number} if multiple else {number}

    def _nacked(self, number: int, multiple: bool) -> None:
        self._refused = True
        self._acked(number, multiple)

    def _returned(self, *_: object) -> None:
        self._refused = True  # its queue is gone: whoever dials anew declares it


class Consumer:
    """Reads wake-ups. Belongs to one thread. `woken` must return at once. Raises BrokerAway, after which it is of no
    more use: what it had read and not acknowledged goes to somebody else."""

    def __init__(self, url: str, woken: Callable[[WakeUp], None]) -> None:
        self._woken = woken
        self._warned_of: set[object] = set()
        self.refused = 0  # messages that were no wake-ups
        self._line = _Line(url)
        with self._line.guarded():
            self._consumer = self._line.connection.Consumer(
                [self._line.urgent, self._line.ordinary],
                on_message=self._take,
                on_decode_error=lambda message, _fault: self._take(message),
                prefetch_count=PREFETCH,
                auto_declare=False,
            )
            self._consumer.consume()

    def drain(self, seconds: float) -> None:
        """Read wake-ups for so long."""
        until = time.monotonic() + seconds
        with self._line.guarded():
            while (left := until - time.monotonic()) > 0:
                self._line.listen(left)

    def close(self) -> None:
        """Let go of the broker. Idempotent."""
        self._line.close()

    def _take(self, message: Any) -> None:
        """Take one message. Nothing that is in it can stop the reading, and none is left to come back for ever."""
        found = _read(message)
        if found is None:
            self.refused += 1
            if self._first_of(""):
                warn("wake_up_not_readable")
            message.reject()
            return
        council, connection = found.get("council"), found.get("connection")
        if found["format"] == FORMAT and isinstance(council, str) and isinstance(connection, str):
            self._woken(WakeUp(council, connection, found.get("probe") is True, found.get("urgent") is True))
        else:
            # A newer Dolen beside us said it; its relay says it again until one of its own workers has come.
            if self._first_of(found["format"]):
                warn("wake_up_not_known")
        message.ack()

    def _first_of(self, kind: object) -> bool:
        """Whether this kind of message has not been warned of yet."""
        first = kind not in self._warned_of and len(self._warned_of) < 20
        if first:
            self._warned_of.add(kind)
        return first


def answers(url: str) -> bool:
    """Whether a broker answers there, within a few seconds. This process's own memory always does."""
    if url.startswith("memory:"):
        return True
    connection = Connection(url, connect_timeout=ANSWER_SECONDS / 2, heartbeat=0)
    try:
        connection.ensure_connection(max_retries=0, reraise_as_library_errors=False)
    except Exception:  # whatever the transport makes of it: it does not answer
        return False
    finally:
        with contextlib.suppress(Exception):
            connection.release()
    return True


def queues(*, quorum: bool) -> tuple[Queue, Queue]:
    """The queues: the urgent one and the ordinary one. `quorum`: the broker keeps queues of that type."""
    exchange = Exchange("dolen", type="direct", durable=True)
    arguments = {
        "x-queue-type": "quorum",
        "x-message-ttl": int(OLD_AFTER_SECONDS * 1000),
        "x-max-length": MOST_IN_QUEUE,
        "x-delivery-limit": 5,
    }
    urgent, ordinary = (
        Queue(
            f"dolen.{name}",
            exchange,
            routing_key=name,
            durable=True,
            queue_arguments=arguments if quorum else None,
        )
        for name in ("wake.urgent", "wake")
    )
    return urgent, ordinary


def _read(message: Any) -> dict[str, Any] | None:
    """The body of a message, None if it is none of ours. It is never unpickled, and never long."""
    body = message.body
    if message.errors or message.headers.get("compression") or message.content_type != "application/json":
        return None
    if not isinstance(body, str | bytes) or len(body) > _LONGEST_BODY:
        return None
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) and isinstance(found.get("format"), int) else None
