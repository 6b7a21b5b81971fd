"""Deliveries: rule R6, and that the database itself refuses what must not be."""

from typing import Any

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from pipelines import deliveries
from pipelines.batch import Batch, one_referral
from pipelines.states import DeliveryState, IllegalMove
from pipelines.tables import delivery

pytest_plugins = ("tests.pipelines.pieces",)


@pytest.fixture
def first(bench: Any) -> Any:
    """The delivery of one new request to casework."""
    bench.take(bench.request())
    return bench.row("delivery")


def move(bench: Any, row: Any, new: DeliveryState, **values: Any) -> None:
    with bench.writing() as connection:
        batch = Batch(connection, bench.vault, bench.council, bench.clock.now())
        one_referral(batch, row.referral_id)
        held = batch.delivery(row.id)
        assert held is not None
        deliveries.move(batch, held, new, **values)
        batch.flush()


def change(bench: Any, minute: int) -> None:
    assert bench.states(bench.request(minute=minute, reason__text=f"Reason {minute}")) == ["merged"]


def test_a_new_revision_replaces_what_waits(bench: Any, first: Any) -> None:
    change(bench, 1)
    change(bench, 2)
    one, two, three = bench.rows("delivery")
    assert [one.state, two.state, three.state] == ["replaced", "replaced", "waiting"]
    assert (one.replaced_by, two.replaced_by, three.replaced_by) == (two.id, three.id, None)
    assert (one.reason, one.due, three.revision) == ("a newer version", None, 3)
    assert len({row.key for row in (one, two, three)}) == 3


def test_what_needs_attention_is_replaced_too(bench: Any, first: Any) -> None:
    move(bench, first, DeliveryState.SENDING)
    bench.take(bench.request("C-2", priority="tomorrow"))
    sending = bench.row("delivery", id=first.id)
    move(bench, sending, DeliveryState.ATTENTION, cause_id=bench.row("cause").id)
    change(bench, 1)
    assert bench.deliveries("casework") == ["replaced", "waiting"]


@pytest.mark.parametrize("state", [DeliveryState.SENDING, DeliveryState.NOT_SURE])
def test_what_is_on_its_way_is_left_alone_and_the_new_one_waits_behind_it(
    bench: Any, first: Any, state: DeliveryState
) -> None:
    move(bench, first, DeliveryState.SENDING)
    if state is DeliveryState.NOT_SURE:
        move(bench, bench.row("delivery"), state)
    change(bench, 1)
    change(bench, 2)
    assert bench.deliveries("casework") == [state.value, "replaced", "waiting"]


def test_what_would_wait_again_ends_as_replaced_when_a_newer_one_waits(bench: Any, first: Any) -> None:
    move(bench, first, DeliveryState.SENDING)
    change(bench, 1)
    move(bench, bench.row("delivery", id=first.id), DeliveryState.WAITING, due=bench.clock.now())
    one, two = bench.rows("delivery")
    assert (one.state, one.replaced_by, one.due) == ("replaced", two.id, None)
    assert two.state == "waiting"


def test_a_move_without_an_arrow_changes_nothing(bench: Any, first: Any) -> None:
    with pytest.raises(IllegalMove):
        move(bench, first, DeliveryState.ARRIVED)
    assert bench.deliveries() == ["waiting"]


def test_the_database_refuses_a_state_that_is_not_listed(bench: Any, first: Any) -> None:
    with pytest.raises(IntegrityError), bench.writing() as connection:
        connection.execute(update(delivery).values(state="lost"))


def test_the_database_refuses_attention_without_a_cause(bench: Any, first: Any) -> None:
    with pytest.raises(IntegrityError), bench.writing() as connection:
        connection.execute(update(delivery).values(state=DeliveryState.ATTENTION))


@pytest.mark.parametrize("states", [("waiting", "waiting"), ("being sent", "being sent"), ("being sent", "not sure")])
def test_the_database_refuses_two_of_one_referral_and_target(bench: Any, first: Any, states: tuple[str, str]) -> None:
    with bench.writing() as connection:
        connection.execute(update(delivery).values(state=states[0]))
        row = dict(connection.execute(select(delivery)).one()._mapping)
    again = {str(name): value for name, value in row.items() if name != "id"} | {"key": "other", "state": states[1]}
    with pytest.raises(IntegrityError), bench.writing() as connection:
        connection.execute(insert(delivery).values(**again))


def test_an_event_replaces_nothing_and_is_bound_to_its_facts(bench: Any) -> None:
    bench.take(bench.request())
    bench.arrived(bench.row("delivery").lane, "881", minute=1)
    for minute, status in ((10, "ACC"), (20, "INP")):
        assert bench.states(bench.case(minute=minute, Status=status)) == ["merged"]
    texts = bench.rows("delivery", connection="texts")
    assert [row.state for row in texts] == ["waiting", "waiting"]
    assert [row.carries for row in texts] == ["event", "event"]
    assert texts[0].facts != texts[1].facts
    assert all(row.facts for row in texts)
    assert all(row.facts is None for row in bench.rows("delivery", carries="state"))


def test_a_delivery_is_due_at_once_and_its_lane_says_so(bench: Any, first: Any) -> None:
    assert first.due == bench.clock.now()
    assert bench.row("lane", id=first.lane).due == first.due
    assert first.lane.startswith("torfaen/casework/")
    assert first.lane.endswith(bench.row("person").id)
