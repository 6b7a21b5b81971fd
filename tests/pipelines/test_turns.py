"""Turns: several processes that call one system keep its limit of calls a second together, on either database."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from connectors.deadline import Deadline
from connectors.pace import Pace
from pipelines.clock import SystemClock
from pipelines.ledger import Ledger
from pipelines.turns import Turns

pytest_plugins = ("tests.on_servers",)

RATE = 100.0
Process = Callable[[str], Turns]


@pytest.fixture
def process(either: Callable[[], str]) -> Iterator[Process]:
    """Another process on the same ledger; gives its turns at one connection."""
    url = either()
    with ExitStack() as opened:

        def another(connection: str = "casework") -> Turns:
            ledger = opened.enter_context(closing(Ledger(url)))
            return Turns(ledger, SystemClock(), "torfaen", connection, RATE)

        yield another


def test_what_one_process_reserved_another_gets_behind_it(process: Process) -> None:
    one, other = process("casework"), process("casework")
    assert one(10) == 0.0
    assert other(10) == pytest.approx(0.1, abs=0.05)
    assert one(1) == pytest.approx(0.2, abs=0.1)
    assert process("contact")(1) == 0.0, "another connection has a limit of its own"


def test_a_quiet_time_is_no_credit(process: Process) -> None:
    one = process("casework")
    one(1)
    time.sleep(0.2)
    assert one(1_000) == 0.0
    assert one(1) > 5.0


def test_four_processes_together_call_no_faster_than_one_may(process: Process) -> None:
    """Broken by a pace for each process alone: 100 calls took a quarter of a second."""
    began, instants, lock = time.monotonic(), [], threading.Lock()

    def calls(turns: Turns) -> None:
        pace = Pace(calls_a_second=RATE, at_once=2, agree=turns)
        for _ in range(25):
            with pace.turn(Deadline.of(20)), lock:
                instants.append(time.monotonic() - began)

    threads = [threading.Thread(target=calls, args=(process("casework"),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(instants) == 100
    ordered = sorted(instants)
    for at in range(60):
        assert ordered[at + 40] - ordered[at] >= 40 / RATE * 0.8, "never a second in which there were more"


def test_a_ledger_that_is_away_stops_nobody(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.db")
    turns = Turns(ledger, SystemClock(), "torfaen", "casework", RATE)
    turns(int(RATE))
    with ledger.writing() as connection:
        connection.exec_driver_sql("DROP TABLE pace")
    assert turns(1) == 0.0
    ledger.close()
