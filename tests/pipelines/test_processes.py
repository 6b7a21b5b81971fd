"""Processes: who beats lives, who is silent is given up, and who was only asleep notices (row 27)."""

import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.exc import OperationalError

from pipelines import lock, processes, running
from pipelines.processes import SILENT_SECONDS, Presence, Watch
from pipelines.tables import process, seat

pytest_plugins = ("tests.pipelines.pieces",)

AWAY = OperationalError("SELECT 1", {}, Exception("gone"))


@pytest.fixture
def on_file(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Any:
    """A bench whose ledger is a file, whatever this run asks for."""
    monkeypatch.setenv("DOLEN_TEST_LEDGER", "sqlite")
    return request.getfixturevalue("bench")


@pytest.fixture
def on_server(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Any:
    """A bench whose ledger is on PostgreSQL."""
    monkeypatch.setenv("DOLEN_TEST_LEDGER", "postgresql")
    return request.getfixturevalue("bench")


def present(bench: Any, boot: str, *roles: str) -> Presence:
    made = Presence(bench.plant, boot, roles or ("work",))
    made.register()
    return made


def beats(bench: Any, *boots: str) -> None:
    """These processes beat."""
    bench.clock.pass_by(1)
    with bench.writing() as connection:
        connection.execute(update(process).where(process.c.boot.in_(boots)).values(beat=bench.clock.now()))


def elsewhere(bench: Any, boot: str) -> None:
    """A process on another machine."""
    present(bench, boot)
    with bench.writing() as connection:
        connection.execute(update(process).where(process.c.boot == boot).values(machine="another", pid=1))


def rows(bench: Any) -> list[Any]:
    with bench.reading() as connection:
        return list(connection.execute(select(process).where(process.c.ended.is_(None))))


# --- Watching ---------------------------------------------------------------------------------------------------------


def test_who_does_not_beat_is_silent_after_our_own_patience(bench: Any) -> None:
    elsewhere(bench, "quiet")
    elsewhere(bench, "loud")
    watch = Watch(8)
    for second in range(0, 8, 2):
        beats(bench, "loud")
        assert watch.silent(rows(bench), second) == []
    beats(bench, "loud")
    assert [row.boot for row in watch.silent(rows(bench), 8)] == ["quiet"]


def test_the_clock_of_another_machine_has_no_say(bench: Any) -> None:
    elsewhere(bench, "years-ago")
    with bench.writing() as connection:
        connection.execute(update(process).values(beat=1))
    assert Watch(8).silent(rows(bench), 1000) == []


@pytest.mark.parametrize("gap", [5, 60])
def test_a_ledger_that_was_away_does_not_make_everybody_look_dead(bench: Any, gap: float) -> None:
    elsewhere(bench, "other")
    watch = Watch(8)
    for second in (0, 2, 4, 6):
        watch.silent(rows(bench), second)
    assert watch.silent(rows(bench), 6 + gap) == []  # we were asleep, or nobody could beat
    for second in (2, 4, 6):
        assert watch.silent(rows(bench), 6 + gap + second) == []
    assert len(watch.silent(rows(bench), 6 + gap + 8)) == 1


@pytest.mark.skipif(not processes.machine(), reason="this system does not tell one start of the machine from another")
def test_a_process_of_this_machine_that_is_gone_need_not_be_waited_for(bench: Any) -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    present(bench, "child")
    with bench.writing() as connection:
        connection.execute(update(process).values(pid=child.pid))
    watch = Watch(8)
    assert watch.silent(rows(bench), 0) == []
    child.send_signal(signal.SIGSTOP)
    assert watch.silent(rows(bench), 1) == []  # frozen is not gone: it may wake
    child.kill()
    assert child.stdin is not None
    child.stdin.close()
    assert [row.boot for row in watch.silent(rows(bench), 2)] in ([], ["child"])  # a corpse counts as gone too
    child.wait()
    assert [row.boot for row in watch.silent(rows(bench), 3)] == ["child"]


# --- Beating ----------------------------------------------------------------------------------------------------------


def test_a_beat_that_comes_in_time_wins_over_being_given_up(bench: Any) -> None:
    one = present(bench, "one")
    (seen,) = rows(bench)
    bench.clock.pass_by(2)
    one.beat()
    with bench.writing() as connection:
        assert processes.give_up(connection, [seen], bench.clock.now()) == []
    one.beat()
    assert not one.given_up.is_set()


def test_one_that_was_given_up_finds_out_at_its_next_beat(bench: Any) -> None:
    one = present(bench, "one")
    with bench.writing() as connection:
        assert processes.give_up(connection, rows(bench), bench.clock.now()) == ["one"]
        assert processes.living(connection) == set()
    one.beat()
    assert one.given_up.is_set()
    assert not one.still_alive()
    one.leave()
    assert bench.row("process").words == "given up"


def test_one_whose_row_was_forgotten_is_given_up_too(bench: Any) -> None:
    one = present(bench, "one")
    with bench.writing() as connection:
        connection.execute(process.delete())
    one.beat()
    assert one.given_up.is_set()


def test_without_a_beat_nothing_is_begun_any_more(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    one = present(bench, "one")
    one._alone = False  # as on a database server
    assert one.still_alive()
    now = processes.awake()
    monkeypatch.setattr(processes, "awake", lambda: now + SILENT_SECONDS - 0.5)
    assert one.still_alive()
    monkeypatch.setattr(processes, "awake", lambda: now + SILENT_SECONDS)
    assert not one.still_alive()
    one.beat()
    assert one.still_alive()


def test_the_time_that_a_process_was_stopped_counts() -> None:
    code = "from pipelines.processes import awake; a = awake(); print(flush=True); input(); print(awake() - a)"
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdin is not None
    child.stdout.readline()
    child.send_signal(signal.SIGSTOP)
    time.sleep(1.2)
    child.send_signal(signal.SIGCONT)
    out, _ = child.communicate("\n", timeout=20)
    assert float(out) > 1.1


def test_a_beat_waits_for_a_ledger_that_is_away_and_says_so_once(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(processes, "warn", lambda event, **_: said.append(event))
    monkeypatch.setattr(processes, "log", lambda event, **_: said.append(event))
    one, stop, turns = present(bench, "one"), threading.Event(), iter([AWAY] * 5 + [None] * 3)
    beat = one.beat

    def perhaps() -> None:
        fault = next(turns, StopIteration)
        if fault is StopIteration:
            stop.set()
        elif isinstance(fault, Exception):
            raise fault
        beat()

    monkeypatch.setattr(one, "beat", perhaps)
    one.run(stop)
    assert said == ["beat_waits", "beat_goes_on"]


# --- What the dead held -----------------------------------------------------------------------------------------------


def test_what_the_dead_held_is_taken_back_and_what_the_living_hold_is_not(bench: Any) -> None:
    bench.take(bench.request("C-1"), bench.request("C-2", customer__last_name="Arall"))
    first, second = (row.id for row in bench.rows("lane"))
    present(bench, "alive")
    bench.job(first, owner="alive/1")
    bench.job(second, owner="dead/1")
    with bench.writing() as connection:
        for number, owner in enumerate(("alive/1", "dead/2"), 1):
            connection.execute(
                insert(seat).values(council="torfaen", connection="casework", number=number, owner=owner)
            )
    assert running.take_back(bench.plant) == 1
    assert {row.id: row.owner for row in bench.rows("lane")} == {first: "alive/1", second: None}
    assert [row.owner for row in bench.rows("seat")] == ["alive/1", None]
    assert running.take_back(bench.plant) == 0


def test_who_has_the_lock_knows_that_all_others_are_gone(bench: Any) -> None:
    present(bench, "killed")
    one = present(bench, "one")
    processes.all_others_are_gone(bench.plant, "one")
    assert [row.boot for row in rows(bench)] == ["one"]
    one.beat()
    assert not one.given_up.is_set()


def test_rows_of_the_past_are_forgotten_but_for_the_newest(bench: Any) -> None:
    for boot in ("old", "older"):
        present(bench, boot).leave()
        bench.clock.pass_by(60)
    bench.clock.pass_by(2 * 86_400)
    with bench.writing() as connection:
        processes.forget(connection, bench.clock.now())
    assert bench.row("process").boot == "older"  # the newest of the two
    last = processes.last_beat(bench.plant)
    assert last is not None
    assert last["pid"] == os.getpid()


# --- The lock ---------------------------------------------------------------------------------------------------------


def test_a_look_at_the_lock_keeps_nobody_from_running(on_file: Any) -> None:
    bench = on_file
    stop = threading.Event()
    stop.set()
    looking, seen = threading.Event(), threading.Event()

    def look() -> None:
        with lock.only_one(bench.plant.lock_file):
            looking.set()
            seen.wait(0.3)

    thread = threading.Thread(target=look)
    thread.start()
    looking.wait(5)
    running.run(bench.plant, stop)  # waits for the look to end
    thread.join()
    with lock.only_one(bench.plant.lock_file), pytest.raises(lock.AlreadyRunning):
        running.run(bench.plant, stop)


def test_what_lives_is_shown(on_file: Any) -> None:
    bench = on_file
    present(bench, "one", "work", "schedule")
    assert processes.shown(bench.plant) == []  # a row that a killed process left: nobody has the lock
    with lock.only_one(bench.plant.lock_file):
        (one,) = processes.shown(bench.plant)
        assert processes.is_running(bench.plant)
    assert (one["roles"], one["pid"], one["silent_seconds"]) == (["work", "schedule"], os.getpid(), 0.0)
    assert not processes.is_running(bench.plant)


def test_on_a_server_those_that_beat_run_the_site(on_server: Any) -> None:
    bench = on_server
    assert not processes.is_running(bench.plant)
    present(bench, "syncing", "sync")
    assert not processes.is_running(bench.plant)
    present(bench, "worker", "work")
    assert processes.is_running(bench.plant)
    assert not processes.is_running(bench.plant, "schedule")
    bench.clock.pass_by(SILENT_SECONDS)
    assert not processes.is_running(bench.plant)
