"""The worker and its drains: what is sent, what is released unburnt, and that nothing depends on a message.

Real systems over real sockets; the worker's own threads where the test is about them. Rows 3, 7, 21 and 33 of the
catalogue and G7 are answered for here together with the files that are about one part each.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import pytest
from sqlalchemy import select

from pipelines import composition, control, drain, outcomes, pauses, wakeups
from pipelines.breaker import Breaker
from pipelines.clock import SECOND
from pipelines.decision import Decision, Do
from pipelines.drain import Drain, Shared
from pipelines.journal import Journal
from pipelines.relay import Relay
from pipelines.sending import Result
from pipelines.tables import attempt, delivery, seat
from pipelines.worker import Worker
from tests.servers import RabbitMQ, free_port

pytest_plugins = ("tests.on_servers",)


@pytest.fixture
def town_on_either(town: Any, either: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The town on one or the other kind of ledger: on PostgreSQL transactions really run beside one another."""
    monkeypatch.setenv("DOLEN_TEST_LEDGER", either())
    settings = town.site / "config/dolen.yaml"
    text = settings.read_text(encoding="utf-8").replace("sqlite:///ledger.db", "env:DOLEN_TEST_LEDGER")
    settings.write_text(text, encoding="utf-8")
    town.plant.close()
    town.plant = composition.build(composition.load(town.site), clock=town.clock)
    yield town
    town.plant.close()


@pytest.fixture
def workers(town: Any) -> Iterator[Callable[..., Worker]]:
    """Workers, each a process of its own as far as the ledger can tell."""
    with ExitStack() as made:

        def make(boot: str = "boot", **options: Any) -> Worker:
            return made.enter_context(closing(Worker(town.plant, boot, **options)))

        yield make


def ask(town: Any, count: int) -> None:
    """So many people ask for help, and it is taken in."""
    first = town.ask()
    for number in range(1, count):
        town.ask(customer={**first["customer"], "nhs_number": None, "last_name": f"Llwyd-{number}"})
    town.read("torfaen")


def sends(town: Any) -> list[Any]:
    """The deliveries to casework, the oldest first."""
    with town.plant.ledger.reading() as connection:
        return list(connection.execute(select(delivery).filter_by(connection="casework").order_by(delivery.c.id)))


def held(town: Any) -> int:
    return len(town.records("torfaen", "casework"))


def wait_for(true: Callable[[], object], seconds: float = 20) -> float:
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds
        time.sleep(0.02)
    return time.monotonic() - began


@contextmanager
def running(*parts: Any) -> Iterator[None]:
    """Workers and relays in threads, as a process runs them."""
    stop = threading.Event()
    threads = [threading.Thread(target=part.run, args=(stop,)) for part in parts]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=60)
            assert not thread.is_alive()


# --- Batches ----------------------------------------------------------------------------------------------------------


def test_a_connection_that_is_paused_in_mid_drain_is_left_alone_behind_the_batch(town: Any, workers: Any) -> None:
    """Broken by looking at the pauses when a drain begins alone: fifteen thousand went out after the telephone call."""
    ask(town, 12)
    town.faults("torfaen", "casework", latency={"ms": 200})
    worker = workers()
    busy = threading.Thread(target=worker.drain, args=(town.plant.councils["torfaen"], "casework"))
    busy.start()
    wait_for(lambda: held(town))
    control.pause(town.plant, town.plant.councils["torfaen"].wired["casework"], who="ann", why="they rang")
    busy.join()
    states = [row.state for row in sends(town)]
    assert set(states) == {"arrived", "waiting"}
    assert states.count("waiting") >= 4
    assert {row.tries for row in sends(town) if row.state == "waiting"} == {0}


def test_when_a_connection_fails_the_rest_of_the_batch_burns_no_try(town: Any, workers: Any) -> None:
    ask(town, 4)
    town.faults("torfaen", "casework", reset_before={})
    worker = workers()
    council = town.plant.councils["torfaen"]
    assert worker.drain(council, "casework") == 1
    rows = sends(town)
    assert [row.state for row in rows].count("not sure") == 1
    untouched = [row for row in rows if row.state == "waiting"]
    assert len(untouched) == 3
    assert {(row.tries, row.sent_at) for row in untouched} == {(0, None)}


def test_g7_a_result_that_cannot_be_written_delays_none_of_its_batch(town: Any, workers: Any) -> None:
    """Row 21: half a surrogate pair in a system's words cannot be stored; only that record needs attention.

    Broken by writing a batch whole or not at all: all of it stayed leased, and was then in doubt.
    """
    ask(town, 3)
    plant, council = town.plant, town.plant.councils["torfaen"]
    shared = Shared(plant, Breaker(plant), Journal(plant.journals, "boot"), lambda: True, lambda *_: None)
    one = Drain(shared, council, council.wired["casework"], "boot/1")
    with plant.ledger.writing() as connection:
        jobs = outcomes.lease(connection, plant, council, "casework", "boot/1", most=3)
    odd = [Result(job, how="created", external_id=str(900 + at), revision=1) for at, job in enumerate(jobs)]
    odd[1] = Result(jobs[1], error="Throttled", words="busy \ud83d", decision=Decision(Do.AGAIN, 1.0))
    assert one._finish(odd, [], going_on=False) == []
    came_to = {row.id: row.state for row in sends(town)}
    assert [came_to[job.row.id] for job in jobs] == ["arrived", "needs attention", "arrived"]
    with plant.ledger.reading() as connection:
        words = connection.execute(select(attempt.c.words).filter_by(delivery_id=jobs[1].row.id)).scalar_one()
        assert connection.execute(select(seat).where(seat.c.owner.is_not(None))).all() == []
    assert "could not be written down" in words


def test_row_1_a_process_that_was_given_up_sends_nothing(town: Any, workers: Any) -> None:
    """It was frozen with a batch in hand; the others have taken its work over when it wakes. Broken by asking only
    whether the lease still runs: both sent."""
    ask(town, 3)
    alive = threading.Event()
    worker = workers(alive=alive.is_set)
    council = town.plant.councils["torfaen"]
    assert worker.drain(council, "casework") == 0
    assert held(town) == 0
    assert {(row.state, row.tries) for row in sends(town)} == {("waiting", 0)}
    alive.set()
    assert worker.drain(council, "casework") == 3


def test_a_batch_whose_lease_would_end_before_its_calls_is_released(
    town: Any, workers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(town, 2)
    monkeypatch.setattr(outcomes, "LEASE_MARGIN", -1)
    assert workers().drain(town.plant.councils["torfaen"], "casework") == 0
    assert held(town) == 0
    assert {(row.state, row.tries) for row in sends(town)} == {("waiting", 0)}


def test_batches_grow_while_calls_are_quick_and_never_beyond_what_doubt_allows(town: Any, workers: Any) -> None:
    ask(town, 30)
    begun: list[int] = []
    worker, council = workers(), town.plant.councils["torfaen"]
    lease = outcomes.lease

    def counted(*given: Any, **options: Any) -> Any:
        jobs = lease(*given, **options)
        begun.append(len(jobs))
        return jobs

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drain.outcomes, "lease", counted)
        worker.drain(council, "casework")
        wait_for(lambda: held(town) == 30)
    assert begun[0] == drain.FIRST_SIZE
    assert max(begun) == 8, "casework can be searched: eight in doubt at the most"


def test_a_batch_whose_target_has_become_slow_is_cut_and_goes_on_with_what_is_urgent(town: Any, workers: Any) -> None:
    """What is urgent would wait for a whole batch otherwise. Broken by not cutting it: the urgent one came last."""
    ask(town, 6)
    somebody = {**town.records("torfaen", "contact")[0]["customer"], "nhs_number": None, "last_name": "Llwyd-Brys"}
    worker, council = workers(), town.plant.councils["torfaen"]
    tried: list[int] = []
    try_one = Drain._try

    def slowly(self: Drain, sender: Any, job: Any, known: Any) -> Any:
        if not tried:
            town.ask(customer=somebody, priority="emergency")
            town.read("torfaen")
        tried.append(job.row.id)
        time.sleep(drain.BATCH_SECONDS)
        return try_one(self, sender, job, known)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drain, "FIRST_SIZE", 6)
        patch.setattr(Drain, "_try", slowly)
        assert worker.drain(council, "casework") >= 3
        wait_for(lambda: held(town) == 7)
    (urgent,) = (row.id for row in sends(town) if row.urgent)
    assert tried.index(urgent) < 5
    wait_for(lambda: {row.state for row in sends(town)} == {"arrived"})
    assert {(row.state, row.tries) for row in sends(town)} == {("arrived", 1)}


# --- The breaker over several workers ---------------------------------------------------------------------------------


def test_one_probe_over_all_workers(town_on_either: Any, workers: Any) -> None:
    """Broken by a probe for each: a system that comes up again met one call from every worker that there is."""
    town = town_on_either
    ask(town, 6)
    council, plant = town.plant.councils["torfaen"], town.plant
    with plant.ledger.writing() as connection:
        pauses.trip(
            connection, "torfaen", "casework", why=pauses.BY_BREAKER, words="down", now=plant.clock.now() - 60 * SECOND
        )
    town.faults("torfaen", "casework", latency={"ms": 500})
    several = [workers(f"boot-{n}") for n in range(4)]
    tries: list[int] = []
    at_once = threading.Barrier(4)

    def try_it(one: Worker) -> None:
        at_once.wait()
        tries.append(one.drain(council, "casework", probe=True))

    threads = [threading.Thread(target=try_it, args=(one,)) for one in several]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(tries) == [0, 0, 0, 1]
    assert held(town) == 1
    workers("boot-9").drain(council, "casework")
    wait_for(lambda: held(town) == 6)  # the probe closed the breaker for all


def test_a_failed_probe_keeps_it_open_for_longer(town: Any, workers: Any) -> None:
    ask(town, 2)
    council, plant = town.plant.councils["torfaen"], town.plant
    with plant.ledger.writing() as connection:
        pauses.trip(
            connection, "torfaen", "casework", why=pauses.BY_BREAKER, words="down", now=plant.clock.now() - 60 * SECOND
        )
    town.faults("torfaen", "casework", dead={})
    assert workers().drain(council, "casework", probe=True) == 1
    with plant.ledger.reading() as connection:
        pause = pauses.of(connection, "torfaen", "casework")
    assert pause is not None
    assert pause.failures == 2
    assert pause.until is not None
    assert pause.until > plant.clock.now()


# --- Many workers -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_g2_g3_workers_share_one_connection_and_each_record_is_sent_once(town_on_either: Any, workers: Any) -> None:
    """On PostgreSQL they lease beside one another (SKIP LOCKED), on SQLite one after the other."""
    town = town_on_either
    ask(town, 40)
    council = town.plant.councils["torfaen"]
    several = [workers(f"boot-{n}") for n in range(4)]
    tries: list[int] = []
    threads = [threading.Thread(target=lambda one=one: tries.append(one.drain(council, "casework"))) for one in several]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    town.deliver()
    assert held(town) == 40
    assert [row.state for row in sends(town)] == ["arrived"] * 40
    assert sum(1 for one in tries if one) > 1 or town.plant.ledger.embedded, "several had a part in it"


# --- Nothing depends on a message -------------------------------------------------------------------------------------


def test_row_3_work_goes_on_while_there_is_no_broker_at_all(town: Any, workers: Any) -> None:
    ask(town, 3)
    town.plant.broker_url = f"amqp://guest:guest@127.0.0.1:{free_port()}//"
    with running(workers(), Relay(town.plant)):
        wait_for(lambda: held(town) == 3)
        town.ask()
        town.read("torfaen")
        wait_for(lambda: held(town) == 4)


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_row_2_row_3_a_broker_that_is_killed_or_freezes_delays_work_by_seconds(
    town: Any, workers: Any, own_rabbitmq: RabbitMQ
) -> None:
    node = own_rabbitmq
    town.plant.broker_url = node.url
    with running(workers(), Relay(town.plant)):
        ask(town, 2)
        wait_for(lambda: held(town) == 2)
        time.sleep(3)
        node.kill()
        town.ask()
        town.read("torfaen")
        wait_for(lambda: held(town) == 3, 30)
        node.start()
        node.freeze()
        try:
            town.ask()
            town.read("torfaen")
            wait_for(lambda: held(town) == 4, 30)
        finally:
            node.thaw()
        town.ask()
        town.read("torfaen")
        wait_for(lambda: held(town) == 5, 30)


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_row_33_a_call_longer_than_the_heartbeat_is_made_once(
    town: Any, workers: Any, rabbitmq: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message is acknowledged when it is known who does the work; the call runs under a lease, beside the
    heartbeat. Broken by calling within the reading of messages: the broker hung up and gave the message to another."""
    monkeypatch.setattr(wakeups, "HEARTBEAT_SECONDS", 1.0)
    town.plant.broker_url = rabbitmq
    for wired in town.plant.councils["torfaen"].wired.values():
        wired.timeout_seconds = 5
    town.faults("torfaen", "casework", latency={"ms": 4000})
    ask(town, 1)
    with running(workers("boot-1"), workers("boot-2"), Relay(town.plant)):
        wait_for(lambda: held(town) == 1)
        wait_for(lambda: [row.state for row in sends(town)] == ["arrived"])
    with town.plant.ledger.reading() as connection:
        tried = connection.execute(select(attempt).join(delivery).where(delivery.c.connection == "casework")).all()
    assert len(tried) == 1
    assert held(town) == 1


def test_a_wake_up_is_heard_within_one_process_in_milliseconds(town: Any, workers: Any) -> None:
    with running(workers(), Relay(town.plant)):
        time.sleep(0.5)
        town.ask()
        town.read("torfaen")
        assert wait_for(lambda: held(town) == 1) < 1.5


# --- A ledger that is away --------------------------------------------------------------------------------------------


@pytest.mark.embedded
def test_row_5_what_a_target_did_is_written_down_when_the_ledger_is_back(town: Any, workers: Any) -> None:
    """Somebody holds SQLite's lock while a call is answered; the result waits, and nothing is in doubt."""
    ask(town, 1)
    plant = town.plant
    town.faults("torfaen", "casework", latency={"ms": 500})
    worker = workers()
    busy = threading.Thread(target=worker.drain, args=(plant.councils["torfaen"], "casework"))
    busy.start()
    time.sleep(0.25)
    with plant.ledger.engine.connect() as connection:
        connection.exec_driver_sql("BEGIN EXCLUSIVE")
        wait_for(lambda: held(town) == 1)
        time.sleep(1)
        assert busy.is_alive(), "it waits"
        connection.rollback()
    busy.join()
    assert [(row.state, row.tries) for row in sends(town)] == [("arrived", 1)]
