"""The ledger's time: moved by nobody while processes live, shared by all of them, and put right at a start.

Machines' clocks are moved with libfaketime, PostgreSQL's by a clock of the test's own that is found before its own.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import insert, select, update

from pipelines import clock_steps
from pipelines.clock import SECOND, SystemClock, machine_time
from pipelines.ledger import Ledger
from pipelines.ledger_clock import LedgerClock
from pipelines.tables import delivery, lane, process, slot
from tests.rig.fleet import Fleet

pytest_plugins = ("tests.on_servers", "tests.pipelines.pieces")

ROOT = Path(__file__).resolve().parents[2]
HOUR = 3600
LIBRARIES = ("/usr/lib/*/faketime/libfaketime.so.1", "/usr/lib/faketime/libfaketime.so.1")


@pytest.fixture
def faketime() -> dict[str, str]:
    """The environment of a process whose clock is moved, and whose count of what has passed is not."""
    for pattern in LIBRARIES:
        for library in Path("/").glob(pattern.removeprefix("/")):
            return {"LD_PRELOAD": str(library), "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_NO_CACHE": "1"}
    pytest.skip("libfaketime is not installed")


CHILD = """
import sys
from pipelines.clock import SystemClock, machine_time
clock, began = SystemClock(), machine_time()
for _ in sys.stdin:
    print(machine_time() - began, clock.now(), flush=True)
"""


@pytest.mark.parametrize("moved", [HOUR, -HOUR])
def test_row_13_moving_the_machines_clock_moves_nothing_that_runs(
    tmp_path: Path, faketime: dict[str, str], moved: int
) -> None:
    shown = tmp_path / "clock"
    shown.write_text("+0", encoding="ascii")
    with subprocess.Popen(
        [sys.executable, "-c", CHILD], cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env={**os.environ, **faketime, "FAKETIME_TIMESTAMP_FILE": str(shown)},
    ) as child:  # fmt: skip
        assert child.stdin is not None
        assert child.stdout is not None

        def ask() -> tuple[int, int]:
            assert child.stdin is not None
            assert child.stdout is not None
            child.stdin.write("\n")
            child.stdin.flush()
            machine, ours = child.stdout.readline().split()
            return int(machine), int(ours)

        _, before = ask()
        shown.write_text(f"{moved:+d}", encoding="ascii")
        machine, after = ask()
        child.stdin.close()
    assert abs(machine - moved * SECOND) < 60 * SECOND, "the machine's clock was not moved, so nothing was tried"
    assert 0 <= after - before < 60 * SECOND


class Server:
    """A ledger on PostgreSQL whose clock can be moved."""

    def __init__(self, url: str) -> None:
        self._plain = url
        self._say(
            "CREATE SCHEMA moved",
            "CREATE TABLE moved.by (seconds integer)",
            "INSERT INTO moved.by VALUES (0)",
            "CREATE FUNCTION moved.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS "
            "'SELECT pg_catalog.clock_timestamp() + make_interval(secs => (SELECT seconds FROM moved.by))'",
        )
        self.url = f"{url}?options=-csearch_path%3Dmoved,public,pg_catalog"
        self._opened: list[Ledger] = []

    def move(self, seconds: int) -> None:
        self._say(f"UPDATE moved.by SET seconds = {seconds}")

    def ledger(self) -> Ledger:
        self._opened.append(Ledger(self.url))
        return self._opened[-1]

    def close(self) -> None:
        for one in self._opened:
            one.close()

    def _say(self, *words: str) -> None:
        with psycopg.connect(self._plain, autocommit=True) as connection:
            for one in words:
                connection.execute(one)  # type: ignore[arg-type]


@pytest.fixture
def server(postgresql: str) -> Iterator[Server]:
    made = Server(postgresql)
    yield made
    made.close()


def close_to(one: int, other: int, seconds: float = 0.5) -> bool:
    return abs(one - other) < seconds * SECOND


def test_row_13_all_processes_go_by_the_databases_clock(server: Server) -> None:
    server.move(-2 * HOUR)  # or the machine's is two hours fast
    one, other = LedgerClock(server.ledger()), LedgerClock(server.ledger())
    assert close_to(one.now(), other.now())
    assert close_to(one.now(), machine_time() - 2 * HOUR * SECOND, 5)


@pytest.mark.parametrize("moved", [HOUR, -HOUR])
def test_row_13_moving_the_databases_clock_moves_nobody(server: Server, moved: int) -> None:
    one, other = LedgerClock(server.ledger()), LedgerClock(server.ledger())
    real = SystemClock()
    server.move(moved)
    for clock in (one, other, one):
        clock.align()
        assert close_to(clock.now(), real.now())
    later = LedgerClock(server.ledger())  # one that starts while the others live
    assert close_to(later.now(), one.now())
    server.move(0)
    for clock in (other, one, later):
        clock.align()
        assert close_to(clock.now(), real.now())


def test_a_clock_that_is_kept_right_is_followed(server: Server) -> None:
    clock = LedgerClock(server.ledger())
    clock._start += SECOND * 8 // 10  # ours has run ahead meanwhile
    before = clock.now()
    clock.align()
    assert close_to(clock.now(), before - SECOND * 8 // 10, 0.3)


# --- Put back while nobody lived --------------------------------------------------------------------------------------


def lived_at(bench: Any, at: int, *, ended: bool = True, boot: str = "b1") -> None:
    with bench.writing() as connection:
        connection.execute(
            insert(process).values(
                boot=boot, host="h", machine="m", pid=1, roles="work", program="0", began=at, beat=at,
                ended=at if ended else None,
            )
        )  # fmt: skip


@pytest.fixture
def waiting(bench: Any) -> Any:
    """Something is to be tried again in a minute; the clock is an hour ahead of what it will be put back to."""
    bench.take(bench.request())
    now = bench.clock.now()
    with bench.writing() as connection:
        due = now + 60 * SECOND
        connection.execute(update(delivery).values(due=due, sent_at=now, unsettled=due))
        connection.execute(update(lane).values(due=due, owner="b1/1", until=due))
        key = {"council": "torfaen", "connection": "contact", "kind": "Request", "purpose": "live"}
        for at in (now - 7200 * SECOND, now - 60 * SECOND):
            connection.execute(insert(slot).values(**key, at=at, done=at))
        connection.execute(insert(slot).values(**key, at=now + 1, asked=True))
    lived_at(bench, now)
    return bench


def put_back(bench: Any, seconds: float) -> None:
    bench.clock.pass_by(-seconds)
    clock_steps.begin(bench.plant.ledger, bench.clock)


def test_what_waits_goes_back_with_the_clock(waiting: Any) -> None:
    put_back(waiting, HOUR)
    now = waiting.clock.now()
    row, held = waiting.row("delivery"), waiting.row("lane")
    assert (row.due, row.sent_at, row.unsettled) == (now + 60 * SECOND, now, now + 60 * SECOND)
    assert (held.due, held.until) == (now + 60 * SECOND, now + 60 * SECOND)
    assert waiting.row("process").beat == now


def test_planned_runs_that_are_to_come_again_are_forgotten_and_asked_ones_kept(waiting: Any) -> None:
    put_back(waiting, HOUR)
    assert [(row.asked, row.at <= waiting.clock.now()) for row in waiting.rows("slot")] == [
        (False, True),
        (True, False),
    ]


def test_it_is_done_once(waiting: Any) -> None:
    put_back(waiting, HOUR)
    before = waiting.row("delivery").due
    clock_steps.begin(waiting.plant.ledger, waiting.clock)
    assert waiting.row("delivery").due == before


@pytest.mark.parametrize("seconds", [0.5, -HOUR])
def test_a_clock_that_was_hardly_moved_or_put_forward_moves_nothing(waiting: Any, seconds: float) -> None:
    before = waiting.row("delivery").due
    put_back(waiting, seconds)
    assert waiting.row("delivery").due == before
    assert len(waiting.rows("slot")) == 3


def test_where_others_live_nobody_moves_anything(server: Server) -> None:
    """They noticed, and all go on by the time that they had."""
    ledger = server.ledger()
    clock = LedgerClock(ledger)
    due = clock.now() + 60 * SECOND
    with ledger.writing() as connection:
        connection.execute(insert(lane).values(id="l", council="torfaen", connection="contact", due=due))
        row = {"host": "h", "machine": "m", "pid": 1, "roles": "work", "program": "0", "began": 1}
        connection.execute(insert(process).values(boot="b1", beat=clock.now(), **row))
    server.move(-HOUR)
    clock.align()
    late = LedgerClock(server.ledger())
    clock_steps.begin(ledger, late)
    assert close_to(late.now(), clock.now())
    with ledger.reading() as connection:
        assert connection.execute(select(lane.c.due)).scalar() == due


def test_row_13_a_process_that_ran_an_hour_ahead_delays_nothing_after_it(
    tmp_path: Path, faketime: dict[str, str]
) -> None:
    fleet = Fleet(tmp_path)
    try:
        fleet.desk.type_in("Ann")
        fleet.start("ahead", "run", **faketime, FAKETIME=f"+{HOUR}")
        fleet.until(lambda: len(fleet.care.of("Ann")) == 1)
        fleet.kill("ahead")
        fleet.desk.type_in("Bob")
        fleet.start("right", "run")
        fleet.until(lambda: len(fleet.care.of("Bob")) == 1)
        assert "clock_was_put_back" in fleet.events("right")
    finally:
        fleet.close()


def test_begin_goes_by_the_databases_clock_again(server: Server) -> None:
    ledger = server.ledger()
    clock = LedgerClock(ledger)
    server.move(HOUR)
    clock.align()
    assert close_to(clock.now(), machine_time())
    with ledger.writing() as connection:
        clock.begin(connection)
        assert connection.execute(select(process)).first() is None
    assert close_to(clock.now(), machine_time() + HOUR * SECOND)
