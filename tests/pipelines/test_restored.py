"""After a restore: which deliveries are made anew of what was there before, and wait for a person."""

from typing import Any

import pytest

from pipelines import desk, holding, relay, restored
from pipelines.runs import Runs
from pipelines.worker import Worker

pytest_plugins = ("tests.pipelines.pieces",)

AGREED: dict[str, Any] = {"who": "ann", "why": "looked it up there"}


@pytest.fixture
def held(bench: Any) -> Any:
    """A bench whose council is held since now, 13:00; records are stamped from noon on."""
    bench.take(bench.request("C-0"))
    bench.arrived(bench.row("delivery").lane, "880", minute=5)
    bench.clock.pass_by(1)
    with bench.writing() as connection:
        holding.hold(connection, "torfaen", bench.clock.now())
    return bench


def test_what_is_held_is_neither_woken_nor_leased(held: Any) -> None:
    held.take(held.request("C-1"))
    with held.reading() as connection:
        assert relay.wanted(held.plant, connection, held.clock.now()) == []
    assert Worker(held.plant, "boot-1").drain(held.council, "casework", probe=True) == 0
    assert held.rows("attempt", what="send")[1:] == []


def test_a_create_and_a_text_that_may_have_gone_wait_for_a_person_and_what_is_new_goes(held: Any) -> None:
    since = held.clock.now()
    held.take(held.request("C-1"))  # as it stood at noon: the lost ledger may have sent it
    held.take(held.request("C-2", minute=70))  # written down since
    held.take(held.case("880", minute=30, Status="ACC"))  # and somebody may have been told of this
    held.take(held.request("C-0", minute=40, team="adults-2"))  # an update does no harm twice
    assert restored.release(held.plant, held.council, since) == 2
    states = {(row.connection, row.version_id, row.carries): row.state for row in held.rows("delivery")[1:]}
    versions = {row.id: row.external_id for row in held.rows("version")}
    told = {(name, versions.get(version, ""), carries): state for (name, version, carries), state in states.items()}
    assert told["casework", "C-1", "state"] == "not sure"
    assert told["texts", "880", "event"] == "not sure"
    assert told["casework", "C-2", "state"] == "waiting"
    doubtful = held.rows("delivery", state="not sure")
    assert all(row.due is None and row.cause_id for row in doubtful)
    [group] = [one for one in desk.attention(held.plant) if one.connection == "casework"]
    assert group.words == "the ledger was put back from a copy: it may be in casework already"
    first = next(row for row in doubtful if row.connection == "casework")
    held.clock.pass_by(10)  # a call from before the copy was put back cannot land behind ours any more
    desk.settle(held.plant, f"d{first.id}", how="not-arrived", number="", **AGREED)
    assert held.row("delivery", id=first.id).state == "waiting"
    with held.reading() as connection:
        assert not holding.holds(connection, "torfaen")


def test_a_council_goes_on_by_itself_once_its_sources_were_read(held: Any) -> None:
    chore = restored.Restoring(held.plant)
    runs = Runs(held.plant, "boot-1")
    chore(runs)
    assert restored.unread(held.plant, held.council, held.clock.now() - 1) == ["contact Request", "casework Referral"]
    for name, kind in (("contact", "Request"), ("casework", "Referral")):
        with held.reading() as connection:
            assert holding.holds(connection, "torfaen")
        _walked(held, name, kind)
        held.clock.pass_by(6)
        chore(runs)
    with held.reading() as connection:
        assert holding.held_since(connection) == {}


def _walked(held: Any, name: str, kind: str) -> None:
    from sqlalchemy import insert

    from pipelines.tables import walk

    with held.writing() as connection:
        connection.execute(
            insert(walk).values(
                council="torfaen", connection=name, kind=kind, purpose="live", completed=held.clock.now() + 1,
                began=held.clock.now(),
            )
        )
