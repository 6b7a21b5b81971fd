"""Row 30 and R11: however often and by however many it is asked for, a record is sent again once, and each asking is
in the audit.

Officers in threads of their own replay the same refused records while a worker sends them, to a real system over real
sockets, on both kinds of ledger. HYPOTHESIS_PROFILE=long does it with 500 records.
"""

import random
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import func, select

from mappings.codes import CodeRow
from pipelines import audit, code_desk, composition, desk, outcomes
from pipelines.causes import Cause
from pipelines.decision import Decision, Do
from pipelines.sending import Result
from pipelines.states import DeliveryState
from pipelines.tables import attempt, delivery
from pipelines.tables import audit as audit_rows
from pipelines.worker import Worker
from tests.conftest import PROFILE

pytest_plugins = ("tests.on_servers",)

RECORDS = 500 if PROFILE == "long" else 12
OFFICERS = 20
WHY = "agreed on the telephone"


@pytest.fixture
def on(town: Any, either: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The town on one or the other kind of ledger."""
    monkeypatch.setenv("DOLEN_TEST_LEDGER", either())
    settings = town.site / "config/dolen.yaml"
    text = settings.read_text(encoding="utf-8").replace("sqlite:///ledger.db", "env:DOLEN_TEST_LEDGER")
    settings.write_text(text, encoding="utf-8")
    town.plant.close()
    town.plant = composition.build(composition.load(town.site), clock=town.clock)
    yield town
    town.plant.close()


def refused(town: Any, count: int) -> list[str]:
    """So many requests whose referral casework refused. Returns them as people are shown them."""
    first = town.ask()
    for number in range(1, count):  # other people, so that each has a lane
        town.ask(customer={**first["customer"], "nhs_number": None, "last_name": f"Llwyd-{number}"})
    town.read("torfaen")
    plant, council = town.plant, town.plant.councils["torfaen"]
    with plant.ledger.writing() as connection:
        jobs = outcomes.lease(connection, plant, council, "casework", "boot/1", most=count)
        cause = Cause("casework", "send", "Rejected", "the date is missing")
        answers = [Result(job, error="Rejected", cause=cause, decision=Decision(Do.ATTENTION)) for job in jobs]
        assert outcomes.write(connection, plant, council, answers) == []
    assert len(jobs) == count
    return [f"d{job.row.id}" for job in jobs]


def clicks(town: Any) -> list[tuple[str, str]]:
    with town.plant.ledger.reading() as connection:
        return [(row.action, row.subject) for row in connection.execute(select(audit_rows).order_by(audit_rows.c.seq))]


@pytest.mark.slow
@pytest.mark.timeout(3600 if PROFILE == "long" else 240)
def test_r11_row_30_twenty_officers_send_the_same_records_again_at_once(on: Any, rng: random.Random) -> None:
    """Broken by looking at the state outside the transaction that changes it: records were sent twice."""
    town = on
    ids = refused(town, RECORDS)
    done, lock, sending = [], threading.Lock(), threading.Event()

    def officer(name: str, order: list[str]) -> None:
        for id in order:
            asked = desk.replay(town.plant, [id], who=name, why=WHY)
            with lock:
                done.extend(asked.done)

    def work() -> None:
        worker = Worker(town.plant, "boot-2")
        while not sending.is_set():
            worker.drain(town.plant.councils["torfaen"], "casework")
        worker.close()

    orders = [rng.sample(ids, len(ids)) for _ in range(OFFICERS)]
    officers = [threading.Thread(target=officer, args=(f"officer-{n}", order)) for n, order in enumerate(orders)]
    worker = threading.Thread(target=work)
    for thread in [worker, *officers]:
        thread.start()
    for thread in officers:
        thread.join()
    sending.set()
    worker.join()
    town.deliver()
    assert sorted(done) == sorted(ids), "one click of twenty had an effect, for each"
    assert len(town.records("torfaen", "casework")) == RECORDS
    with town.plant.ledger.reading() as connection:
        states = connection.execute(
            select(delivery.c.state, func.count()).where(delivery.c.connection == "casework").group_by(delivery.c.state)
        ).all()
        sent = connection.execute(
            select(func.count())
            .select_from(attempt.join(delivery))
            .where(delivery.c.connection == "casework", attempt.c.outcome == "arrived", attempt.c.what == "send")
        ).scalar_one()
    assert [tuple(row) for row in states] == [(DeliveryState.ARRIVED, RECORDS)]
    assert sent == RECORDS
    asked = clicks(town)
    assert len(asked) == RECORDS * OFFICERS, "each click is in the audit"
    assert [action for action, _ in asked].count("send again") == RECORDS
    assert audit.verify(town.plant.ledger, town.plant.vault) is None


def test_row_30_officers_who_have_a_record_taken_again_at_once_have_one_effect_and_one_line(on: Any) -> None:
    """Broken by writing the line before the transaction that takes the record: two officers were told that they did."""
    town = on
    first = town.ask(priority="tomorrow")
    for number in range(1, RECORDS):
        customer = {**first["customer"], "nhs_number": None, "last_name": f"Llwyd-{number}"}
        town.ask(priority="tomorrow", customer=customer)
    town.read("torfaen")
    ids = [f"v{number}" for group in desk.attention(town.plant) for number in group.versions]
    assert len(ids) == RECORDS
    row = CodeRow(0, "tomorrow", "urgent", "read", en="Tomorrow", cy="Yfory")
    code_desk.map_code(town.plant, "contact-priority", row, who="ann", why=WHY)
    done, begin = [], threading.Barrier(OFFICERS)

    def officer(name: str) -> None:
        begin.wait()
        for id in ids:
            done.extend(desk.replay(town.plant, [id], who=name, why=WHY).done)

    officers = [threading.Thread(target=officer, args=(f"officer-{n}",)) for n in range(OFFICERS)]
    for thread in officers:
        thread.start()
    for thread in officers:
        thread.join()
    assert sorted(done) == sorted(ids)
    said = [action for action, subject in clicks(town) if subject.startswith("v")]
    assert said.count("send again") == RECORDS
    assert said.count("send again: nothing to do") == RECORDS * (OFFICERS - 1)


def test_row_30_a_record_that_is_being_sent_is_not_sent_again(town: Any) -> None:
    """Somebody clicks while the call is under way, and once more when it has arrived."""
    (id,) = refused(town, 1)
    assert desk.replay(town.plant, [id], who="ann", why=WHY).done == [id]
    plant, council = town.plant, town.plant.councils["torfaen"]
    worker = Worker(plant, "boot-2")
    with plant.ledger.writing() as connection:
        (job,) = outcomes.lease(connection, plant, council, "casework", "boot-3/1")
    in_flight = desk.replay(plant, [id], who="ben", why=WHY)
    assert in_flight.done == []
    assert "being sent" in in_flight.not_done[0][1]
    with plant.ledger.writing() as connection:
        outcomes.write(connection, plant, council, [], [job])
    assert worker.drain(council, "casework") == 1
    worker.close()
    arrived = desk.replay(plant, [id], who="ben", why=WHY)
    assert arrived.done == []
    assert "arrived" in arrived.not_done[0][1]
    assert len(town.records("torfaen", "casework")) == 1
    assert [action for action, _ in clicks(town)] == ["send again", *["send again: nothing to do"] * 2]


def test_row_30_a_whole_cause_is_replayed_once_though_two_officers_do_it(town: Any) -> None:
    ids = refused(town, 3)
    (group,) = desk.attention(town.plant)
    first = desk.replay(town.plant, [], who="ann", why=WHY, fingerprint=group.fingerprint)
    with pytest.raises(desk.NotPossible, match="nothing needs attention"):
        desk.replay(town.plant, [], who="ben", why=WHY, fingerprint=group.fingerprint)
    assert sorted(first.done) == sorted(ids)
    town.deliver()
    assert len(town.records("torfaen", "casework")) == 3
