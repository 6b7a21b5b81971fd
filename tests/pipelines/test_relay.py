"""The relay: which connections are woken, how urgently, and how often while nobody comes."""

from typing import Any

import pytest

from pipelines import control, pauses
from pipelines.clock import SECOND
from pipelines.relay import REPEAT_AFTER, Relay, wanted
from pipelines.wakeups import BrokerAway, WakeUp

pytest_plugins = ("tests.pipelines.pieces",)

CASEWORK = WakeUp("torfaen", "casework")


class Heard:
    """Takes what is published, or is away."""

    def __init__(self) -> None:
        self.wakes: list[WakeUp] = []
        self.away = False

    def publish(self, wakes: list[WakeUp]) -> None:
        if self.away:
            raise BrokerAway
        self.wakes += wakes


def asked(bench: Any) -> list[WakeUp]:
    with bench.reading() as connection:
        return wanted(bench.plant, connection, bench.clock.now())


def test_a_connection_is_woken_for_whatever_is_due_there(bench: Any) -> None:
    assert asked(bench) == []
    bench.take(bench.request("C-1"), bench.request("C-2"))
    assert asked(bench) == [CASEWORK], "one message, however much there is"
    bench.take(bench.request("C-3", priority="emergency"))
    assert asked(bench) == [WakeUp("torfaen", "casework", urgent=True)]


def test_what_is_leased_wakes_nobody_until_its_lease_is_over(bench: Any) -> None:
    bench.take(bench.request())
    bench.job(bench.row("lane").id)
    assert asked(bench) == []
    bench.clock.pass_by(3600)
    assert asked(bench) == [CASEWORK]


def test_a_paused_connection_is_left_alone_and_an_open_breaker_gets_one_probe(bench: Any) -> None:
    bench.take(bench.request())
    casework = bench.council.wired["casework"]
    control.pause(bench.plant, casework, who="ann", why="supplier upgrade")
    bench.clock.pass_by(86_400)
    assert asked(bench) == []
    control.resume(bench.plant, casework, who="ann")
    with bench.writing() as connection:
        until = pauses.trip(
            connection, "torfaen", "casework", why=pauses.BY_BREAKER, words="down", now=bench.clock.now()
        )
    assert asked(bench) == []
    bench.clock.at = until
    assert asked(bench) == [WakeUp("torfaen", "casework", probe=True)]
    with bench.writing() as connection:
        now = bench.clock.now()
        may = pauses.may_call(connection, "torfaen", "casework", now=now, until=now + SECOND, probe=True)
    assert may is pauses.May.PROBE
    assert asked(bench) == [], "somebody has the probe"


def test_a_wake_up_is_said_again_while_nobody_comes_and_not_all_the_time(bench: Any) -> None:
    """Row 2: whatever becomes of a message, the next one follows. Broken by remembering for ever what was said."""
    bench.take(bench.request())
    relay, heard = Relay(bench.plant), Heard()
    assert [relay.turn(heard) for _ in range(3)] == [1, 0, 0]  # type: ignore[arg-type]
    bench.clock.at += REPEAT_AFTER
    assert relay.turn(heard) == 1  # type: ignore[arg-type]
    assert heard.wakes == [CASEWORK, CASEWORK]


def test_what_could_not_be_published_counts_as_not_said(bench: Any) -> None:
    bench.take(bench.request())
    relay, heard = Relay(bench.plant), Heard()
    heard.away = True
    with pytest.raises(BrokerAway):
        relay.turn(heard)  # type: ignore[arg-type]
    heard.away = False
    assert relay.turn(heard) == 1  # type: ignore[arg-type]
