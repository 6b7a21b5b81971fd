"""Wake-ups over a broker that misbehaves: rows 2 and 3 of the catalogue, and R5.

It is killed, frozen, cut off behind a proxy and robbed of its confirms. What must hold: a publish ends within ten
seconds, consumers are back within thirty, and what was confirmed is read.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import pytest
from kombu.connection import Connection

from pipelines import wakeups
from pipelines.wakeups import BrokerAway, Consumer, Publisher, WakeUp
from tests.conftest import PROFILE
from tests.pipelines.listeners import BACK_LIMIT, ONE, Readers, Tellers, queues
from tests.pipelines.proxies import Proxy
from tests.servers import RabbitMQ

pytest_plugins = ("tests.pipelines.broker",)


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
