"""Lanes: one lease at a time, fenced; what comes first, and what blocks."""

from typing import Any

import pytest
from sqlalchemy import update

from pipelines import guards, lanes, outcomes
from pipelines.clock import SECOND
from pipelines.decision import Decision, Do
from pipelines.lanes import Lease
from pipelines.sending import Result
from pipelines.states import DeliveryState
from pipelines.tables import delivery

pytest_plugins = ("tests.pipelines.pieces",)


@pytest.fixture
def lane(bench: Any) -> str:
    """A referral whose lane has nothing in it yet."""
    bench.take(bench.request())
    with bench.writing() as connection:
        name = bench.row("delivery").lane
        guards.take_down(connection)
        connection.execute(delivery.delete())
        guards.put_up(connection)
        lanes.refresh(connection, [name])
    bench.referral = bench.row("referral").id
    return name


def put(bench: Any, lane: str, **values: Any) -> int:
    made = bench.plain_delivery(lane, referral_id=bench.referral, **values)
    with bench.writing() as connection:
        lanes.refresh(connection, [lane])
    return int(made)


def take(bench: Any, lane: str, owner: str, seconds: float = 60) -> Lease | None:
    now = bench.clock.now()
    with bench.writing() as connection:
        until = now + int(seconds * SECOND)
        found = lanes.take(connection, "torfaen", "casework", owner, now=now, until=until, most=9, only=lane)
    return found[0] if found else None


def give_back(connection: Any, lease: Lease) -> None:
    inside = lanes.open_in(connection, [lease.lane])
    lanes.let_go(connection, [lease], {lease.lane: lanes.next_due(inside[lease.lane])})


def picked(bench: Any, lane: str) -> int | None:
    with bench.reading() as connection:
        row = lanes.pick(lanes.open_in(connection, [lane])[lane], bench.clock.now())
    return row.id if row else None


def end(bench: Any, id: int, state: DeliveryState = DeliveryState.CLOSED) -> None:
    with bench.writing() as connection:
        connection.execute(update(delivery).where(delivery.c.id == id).values(state=state))


def due_lanes(bench: Any) -> list[str]:
    """The lanes that a drain would lease, in its order; nothing is leased by asking."""
    now = bench.clock.now()
    with bench.writing() as connection:
        asked = connection.begin_nested()
        taken = lanes.take(connection, "torfaen", "casework", "asks", now=now, until=now + 1, most=99)
        asked.rollback()
    return [lease.lane for lease in taken]


def test_one_worker_holds_a_lane_at_a_time(bench: Any, lane: str) -> None:
    put(bench, lane)
    first = take(bench, lane, "w1")
    assert isinstance(first, Lease)
    assert take(bench, lane, "w2") is None
    with bench.writing() as connection:
        give_back(connection, first)
    assert isinstance(take(bench, lane, "w2"), Lease)


def test_there_is_no_lease_of_a_lane_that_is_not_there(bench: Any, lane: str) -> None:
    assert take(bench, "torfaen/casework/nobody", "w1") is None


def test_the_fence_only_grows(bench: Any, lane: str) -> None:
    put(bench, lane)
    fences = []
    for owner in ("w1", "w1", "w2"):
        held = take(bench, lane, owner)
        assert held is not None
        fences.append(held.fence)
        with bench.writing() as connection:
            give_back(connection, held)
    assert fences == [fences[0], fences[0] + 1, fences[0] + 2]


def test_a_lease_that_ended_may_be_taken_and_its_first_holder_holds_nothing(bench: Any, lane: str) -> None:
    put(bench, lane)
    first = take(bench, lane, "w1", seconds=10)
    bench.clock.pass_by(9)
    assert take(bench, lane, "w2") is None
    bench.clock.pass_by(2)
    second = take(bench, lane, "w2")
    assert first is not None
    assert second is not None
    with bench.writing() as connection:
        assert not lanes.holds(connection, first)
        assert lanes.holds(connection, second)
        give_back(connection, first)  # the sleeper wakes up and gives back what it no longer holds
        assert lanes.holds(connection, second)
    assert bench.row("lane").owner == "w2"


def test_the_same_worker_under_an_older_fence_holds_nothing(bench: Any, lane: str) -> None:
    put(bench, lane)
    first = take(bench, lane, "w1", seconds=1)
    bench.clock.pass_by(2)
    assert take(bench, lane, "w1") is not None
    with bench.writing() as connection:
        assert first is not None
        assert not lanes.holds(connection, first)


def test_a_worker_that_slept_through_its_lease_writes_nothing(bench: Any) -> None:
    """The whole way: it was sending, it slept, another took over; what it then brings home changes no row."""
    bench.take(bench.request())
    lane = bench.row("delivery").lane
    job = bench.job(lane, "sleeper")
    bench.clock.pass_by(3600)
    other = bench.lease(lane, "other")  # the create has no answer: it is looked up
    before = [tuple(row) for name in ("delivery", "proof", "record", "attempt", "referral") for row in bench.rows(name)]
    for late in (
        Result(job, how="created", external_id="881", revision=1),
        Result(job, rule="a rule"),
        Result(job, error="Rejected", words="no", decision=Decision(Do.ATTENTION)),
    ):
        assert bench.write(late) is False
    after = [tuple(row) for name in ("delivery", "proof", "record", "attempt", "referral") for row in bench.rows(name)]
    assert before == after
    assert other is not None
    assert other.look_up
    assert bench.write(Result(other, how="found", external_id="881", revision=1)) is True
    assert bench.deliveries("casework") == ["arrived"]


def test_the_oldest_goes_first(bench: Any, lane: str) -> None:
    first, second = put(bench, lane), put(bench, lane)
    assert picked(bench, lane) == first
    end(bench, first)
    assert picked(bench, lane) == second
    end(bench, second)
    assert picked(bench, lane) is None


def test_urgent_goes_before_what_is_older(bench: Any, lane: str) -> None:
    put(bench, lane, route="a")
    urgent = put(bench, lane, route="b", urgent=True)
    assert picked(bench, lane) == urgent
    assert bench.row("lane").rank == 0


def test_texts_keep_their_line(bench: Any, lane: str) -> None:
    """A newer event never overtakes an older one of its referral and route, be it urgent and the older not yet due."""
    later = bench.clock.now() + 60 * SECOND
    first = put(bench, lane, due=later)
    second = put(bench, lane, urgent=True)
    assert picked(bench, lane) is None
    bench.clock.pass_by(61)
    assert picked(bench, lane) == first
    end(bench, first, DeliveryState.NOT_SENT)
    assert picked(bench, lane) == second


def test_g7_a_line_that_must_wait_is_not_leased_before_others_again_and_again(bench: Any, lane: str) -> None:
    """Broken by calling a lane due when something in it is, be it its turn or not: a few of them stopped all texts."""
    later = bench.clock.now() + 60 * SECOND
    put(bench, lane, due=later)
    put(bench, lane)
    assert bench.row("lane").due == later
    assert due_lanes(bench) == []


def test_g7_lanes_with_nothing_to_do_do_not_keep_a_drain_from_those_that_have(bench: Any, lane: str) -> None:
    bench.take(*(bench.request(f"C-{n}") for n in range(2, 12)))
    lanes_of = [row.lane for row in bench.rows("delivery")]
    for row in bench.rows("delivery")[:-1]:
        end(bench, row.id)  # done by somebody, and the lane has not been told
    with bench.writing() as connection:
        jobs = outcomes.lease(connection, bench.plant, bench.council, "casework", "boot/1", most=4)
    assert [job.lease.lane for job in jobs] == lanes_of[-1:]


def test_an_event_of_another_route_does_not_hold_the_line_up(bench: Any, lane: str) -> None:
    put(bench, lane, route="a", due=bench.clock.now() + 60 * SECOND)
    other = put(bench, lane, route="b")
    assert picked(bench, lane) == other


def test_state_waits_for_nothing_older(bench: Any, lane: str) -> None:
    put(bench, lane, due=bench.clock.now() + 60 * SECOND, carries="event")
    state = put(bench, lane, carries="state")
    assert picked(bench, lane) == state


def test_what_is_not_sure_blocks_its_lane(bench: Any, lane: str) -> None:
    unsure = put(bench, lane, carries="state", state="not sure", due=bench.clock.now() + 30 * SECOND)
    put(bench, lane, carries="state", kind="Other", urgent=True)
    assert picked(bench, lane) is None
    assert due_lanes(bench) == []
    bench.clock.pass_by(31)
    assert picked(bench, lane) == unsure
    assert due_lanes(bench) == [lane]


def test_what_is_not_sure_and_waits_for_a_person_blocks_too(bench: Any, lane: str) -> None:
    put(bench, lane, carries="state", state="not sure", due=None)
    put(bench, lane, route="b", urgent=True)
    bench.clock.pass_by(3600)
    assert picked(bench, lane) is None
    assert due_lanes(bench) == []


def test_what_needs_attention_blocks_nothing(bench: Any, lane: str) -> None:
    bench.take(bench.request("C-2", priority="tomorrow"))
    put(bench, lane, state="needs attention", due=None, cause_id=bench.row("cause").id)
    following = put(bench, lane)
    assert picked(bench, lane) == following


def test_due_lanes_are_urgent_first_then_live_and_not_those_that_are_held(bench: Any, lane: str) -> None:
    put(bench, lane, live=False)
    bench.take(bench.request("C-3"))
    live = next(row.id for row in bench.rows("lane") if row.id != lane)
    bench.take(bench.request("C-2", priority="emergency"))
    urgent = next(row.id for row in bench.rows("lane") if row.id not in (lane, live))
    assert due_lanes(bench) == [urgent, live, lane]
    assert take(bench, live, "w1") is not None
    assert due_lanes(bench) == [urgent, lane]
    bench.clock.pass_by(61)  # the worker died: it is found again
    assert due_lanes(bench) == [urgent, live, lane]


def test_a_lane_with_nothing_open_is_swept_and_no_other(bench: Any, lane: str) -> None:
    bench.take(bench.request("C-2"))
    with bench.writing() as connection:
        assert lanes.sweep_empty(connection) == 1
    assert [row.id for row in bench.rows("lane")] == [bench.row("delivery").lane]


def test_a_lane_that_a_person_must_unblock_is_not_swept(bench: Any, lane: str) -> None:
    put(bench, lane, state="not sure", due=None)
    with bench.writing() as connection:
        assert lanes.sweep_empty(connection) == 0


def test_a_connection_says_how_urgent_what_it_has_is(bench: Any, lane: str) -> None:
    put(bench, lane)
    now = bench.clock.now()
    with bench.reading() as connection:
        two = [("torfaen", "casework"), ("torfaen", "contact")]
        assert lanes.due_now(connection, two, now) == {("torfaen", "casework"): 1}
        assert lanes.due_now(connection, two[1:], now) == lanes.due_now(connection, [], now) == {}
