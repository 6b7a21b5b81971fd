"""How fast a connection may be called, by a clock that moves only when somebody sleeps."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from connectors import errors
from connectors.deadline import Deadline
from connectors.pace import Pace

Talk = Callable[[socket.socket], None]


class Hands:
    """A clock that only moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.now += seconds

    def monotonic(self) -> float:
        return self.now


def test_calls_are_spread_evenly() -> None:
    hands = Hands()
    pace = Pace(calls_a_second=5, at_once=1, monotonic=hands.monotonic, sleep=hands.sleep)
    for _ in range(3):
        with pace.turn(Deadline.of(10, hands.monotonic)):
            pass
    assert hands.slept == [0.2, 0.2]
    hands.now += 60
    with pace.turn(Deadline.of(10, hands.monotonic)):
        assert hands.slept == [0.2, 0.2], "a quiet minute is no credit for a burst, and no debt"


def test_a_turn_that_cannot_come_in_time_is_refused_before_anything_is_sent() -> None:
    hands = Hands()
    pace = Pace(calls_a_second=0.1, at_once=4, monotonic=hands.monotonic, sleep=hands.sleep)
    with pace.turn(Deadline.of(1, hands.monotonic)):
        pass
    with pytest.raises(errors.Throttled, match="calls_a_second") as caught, pace.turn(Deadline.of(1, hands.monotonic)):
        pass
    assert caught.value.after == pytest.approx(10)
    assert hands.slept == []


def test_turns_that_other_processes_agree_to_are_asked_for_ahead_and_kept() -> None:
    hands, asked = Hands(), []

    def agree(calls: int) -> float:
        asked.append(calls)
        return 3.0  # somebody else has the turns of the next three seconds

    pace = Pace(calls_a_second=4, at_once=1, agree=agree, monotonic=hands.monotonic, sleep=hands.sleep)
    for _ in range(3):
        with pace.turn(Deadline.of(10, hands.monotonic)):
            pass
    assert asked == [2, 2], "half a second's worth at once"
    assert hands.slept == [3.0, 0.25, 3.0]
    hands.now += 60
    with pace.turn(Deadline.of(10, hands.monotonic)):
        assert asked == [2, 2, 2], "a turn that was not used in time is not made up for"


def test_no_more_calls_at_once_than_agreed(small: Any, answer: Any, session: Any) -> None:
    inside, most, lock = 0, 0, threading.Lock()

    def slow(_: Any) -> Any:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        time.sleep(0.03)
        with lock:
            inside -= 1
        return answer()

    server = small(slow)
    door = session(server.url, limits={"at_once": 2}, timeout_seconds=10)
    threads = [threading.Thread(target=door.send, args=("GET", server.url)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2
    assert len(server.calls) == 8
    tight = session(server.url, limits={"at_once": 1}, timeout_seconds=0.1)
    with tight._pace.turn(tight.deadline()), pytest.raises(errors.Throttled, match="at_once"):
        tight.send("GET", server.url)
