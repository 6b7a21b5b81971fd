"""The roles apart, on servers: who does what, who takes over from whom, and how each leaves (rows 6 and 27, R12).

Everything here is real: processes, PostgreSQL, RabbitMQ, signals. The systems are those of the rig.
"""

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.rig.fleet import Fleet
from tests.servers import PostgreSQL

pytest_plugins = ("tests.on_servers",)


@pytest.fixture
def fleet_on(tmp_path: Path) -> Iterator[Callable[..., Fleet]]:
    """Make fleets; each is ended with the test."""
    made: list[Fleet] = []

    def make(*servers: str, **more: Any) -> Fleet:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(Fleet(folder, *servers, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def fleet(fleet_on: Callable[..., Fleet], postgresql: str, rabbitmq: str) -> Fleet:
    """A fleet on servers."""
    return fleet_on(postgresql, rabbitmq)


@pytest.mark.parametrize("role", ["work", "schedule"])
def test_the_roles_apart_refuse_the_embedded_default_in_one_line(fleet_on: Callable[..., Fleet], role: str) -> None:
    done = fleet_on().dolen(role)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "ledger.url" in line
    assert "broker.url" in line
    assert "`dolen run`" in line


def test_roles_apart_move_cases_and_are_shown(fleet: Fleet) -> None:
    for name, role in (("s", "schedule"), ("w1", "work"), ("w2", "work"), ("r", "run")):
        fleet.start(name, role)
    for n in range(20):
        fleet.desk.type_in(f"Jones-{n}")
    fleet.until(lambda: fleet.all_there(20))
    seen = fleet.status()
    assert seen["running"]
    roles = Counter(tuple(one["roles"]) for one in seen["processes"])
    assert roles == {("schedule",): 1, ("work",): 2, ("work", "schedule"): 1}
    assert {one["pid"] for one in seen["processes"]} == {process.pid for process in fleet.all.values()}
    assert all(one["silent_seconds"] < 8 and one["version"] and one["host"] for one in seen["processes"])
    shown = fleet.dolen("status").stdout
    assert "last seen" in shown
    for name in list(fleet.all):
        assert fleet.stop(name) < 6
        assert "Stopped" in fleet.said(name)
    assert not fleet.status()["running"]
    assert [row["words"] for row in fleet.rows("process")] == ["stopped"] * 4


def test_a_process_that_stops_waits_for_its_call_says_so_and_a_second_signal_changes_nothing(fleet: Fleet) -> None:
    create, begun = fleet.care.create, []

    def slow(body: Any, key: str) -> Any:
        begun.append(key)
        time.sleep(2.6)  # its deadline is 3
        return create(body, key)

    fleet.care.create = slow  # type: ignore[method-assign]
    fleet.start("r", "run")
    for n in range(6):
        fleet.desk.type_in(f"Jones-{n}")
    fleet.until(lambda: bool(begun))
    process = fleet.all["r"]
    process.terminate()
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)
    assert fleet.stop("r") < 10
    assert "Waiting for a call to alder/care to end, which takes 3 seconds at the most" in fleet.said("r")
    leased = [row for row in fleet.rows("lane") if row["owner"]]
    assert leased == []  # what was not begun was given back
    assert {row["state"] for row in fleet.rows("delivery") if row["connection"] == "care"} <= {"arrived", "waiting"}
    fleet.care.create = create  # type: ignore[method-assign]
    fleet.start("next", "run")
    fleet.until(lambda: fleet.all_there(6))


def test_row_1_what_a_killed_or_frozen_worker_had_not_sent_moves_within_ten_seconds(
    fleet_on: Callable[..., Fleet], postgresql: str, rabbitmq: str
) -> None:
    fleet = fleet_on(postgresql, rabbitmq, tier="B")
    create = fleet.care.create

    def unhurried(body: Any, key: str) -> Any:
        time.sleep(0.05)
        return create(body, key)

    fleet.care.create = unhurried  # type: ignore[method-assign]
    for name, role in (("s", "schedule"), ("w1", "work"), ("w2", "work"), ("w3", "work")):
        fleet.start(name, role)
    for n in range(150):
        fleet.desk.type_in(f"Jones-{n}")
    fleet.until(lambda: len(fleet.care.cases) > 10)
    fleet.freeze("w1")
    fleet.kill("w2")
    took = fleet.until(lambda: fleet.all_there(150), 60)
    pid = fleet.all["w1"].pid
    fleet.until(lambda: any(row["pid"] == pid and row["words"] == "given up" for row in fleet.rows("process")))
    fleet.thaw("w1")
    time.sleep(3)  # it wakes up, and must write nothing and send nothing
    assert fleet.verdict().well, fleet.verdict()
    assert len(fleet.care.cases) == 150
    # 8 s of silence and 2 until somebody looks, and the time that the rest of them take anyway.
    assert took < 10 + 150 * 0.1 + 10
    fleet.until(lambda: "process_given_up" in fleet.events("w1"))
    fleet.until(lambda: fleet.events("w1").count("running") == 2)  # under a new name


def test_row_27_r12_five_schedulers_one_of_them_frozen_make_every_run_once(
    fleet_on: Callable[..., Fleet], postgresql: str, rabbitmq: str
) -> None:
    """The short form; the leader is frozen for longer than others have patience, and continued."""
    fleet = fleet_on(postgresql, rabbitmq, every=2)
    asked: list[float] = []
    page = fleet.desk.page

    def counted(since: str, cursor: str, limit: int) -> Any:
        asked.append(time.time())
        return page(since, cursor, limit)

    fleet.desk.page = counted  # type: ignore[method-assign]
    names = [f"s{n}" for n in range(5)]
    for name in names:
        fleet.start(name, "schedule")
    fleet.until(lambda: all("running" in fleet.events(name) for name in names))
    fleet.until(lambda: len(asked) > 3)

    def holder() -> str:
        row = max((row for row in fleet.rows("slot") if row["connection"] == "desk"), key=lambda row: row["at"])
        boot = str(row["claimed_by"]).partition("/")[0]
        pid = next(one["pid"] for one in fleet.rows("process") if one["boot"] == boot)
        return next(name for name, process in fleet.all.items() if process.pid == pid)

    frozen = holder()
    fleet.freeze(frozen)
    time.sleep(12)
    fleet.thaw(frozen)
    time.sleep(3)
    for name in names:
        fleet.stop(name)
    slots = [row for row in fleet.rows("slot") if row["connection"] == "desk"]
    planned = sorted(row["at"] // 1_000_000 for row in slots)
    gaps = [second - first for first, second in pairwise(planned)]
    # One run of which the frozen one held the claim may be late by the patience of the others; none comes twice.
    assert len(planned) == len(set(planned))
    assert sum(gap > 2 for gap in gaps) <= 1, planned
    assert len(asked) in (len(slots), len(slots) + 1)  # the one that was frozen in mid-call may have asked for its page


def test_row_6_a_database_that_is_away_is_waited_for_by_all_and_told_once(
    fleet_on: Callable[..., Fleet], own_postgresql: PostgreSQL, rabbitmq: str
) -> None:
    fleet = fleet_on(own_postgresql.url, rabbitmq)
    for name, role in (("s", "schedule"), ("w", "work")):
        fleet.start(name, role)
    fleet.desk.type_in("Jones-0")
    fleet.until(lambda: fleet.all_there(1))
    own_postgresql.kill()
    fleet.desk.type_in("Jones-1")
    time.sleep(11)  # longer than anybody's patience: and nobody is given up for it
    own_postgresql.start()
    fleet.until(lambda: fleet.all_there(2))
    for name in ("s", "w"):
        events = Counter(fleet.events(name))
        assert events["running"] == 1, events
        assert events["process_given_up"] == 0
        assert 1 <= events["beat_waits"] <= 2, events
        assert events["beat_waits"] == events["beat_goes_on"]
        for told in ("care_waits", "relay_waits", "schedule_waits", "worker_waits"):
            assert events[told] <= 2, events
        fleet.stop(name)
