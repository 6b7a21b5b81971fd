"""Many lanes woken and let go of in one statement: as each by itself, on either kind of ledger."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Connection, select, update

from pipelines import lanes, waking
from pipelines.ledger import Ledger
from pipelines.tables import lane

pytest_plugins = ("tests.on_servers",)

FEW, MANY = 3, 30


@pytest.fixture
def connection(either: Callable[[], str]) -> Iterator[Connection]:
    ledger = Ledger(either())
    with ledger.writing() as connection:
        yield connection
    ledger.close()


def wake(connection: Connection, count: int, due: int, rank: int) -> None:
    waking.write(connection, "torfaen", {f"lane {number:02}": ("casework", due, rank) for number in range(count)})


def seen(connection: Connection) -> set[tuple[int | None, int]]:
    return {(row.due, row.rank) for row in connection.execute(select(lane.c.due, lane.c.rank))}


@pytest.mark.parametrize("count", [1, FEW, MANY])
def test_a_lane_keeps_the_earlier_moment_and_the_more_urgent_rank(connection: Connection, count: int) -> None:
    wake(connection, count, 2**40, 1)
    assert seen(connection) == {(2**40, 1)}
    wake(connection, count, 2**40 + 1, 2)
    assert seen(connection) == {(2**40, 1)}
    wake(connection, count, 2**40 - 1, 2)
    assert seen(connection) == {(2**40 - 1, 1)}
    wake(connection, count, 2**41, 0)
    assert seen(connection) == {(2**40 - 1, 0)}
    connection.execute(update(lane).values(due=None))
    wake(connection, count, 2**41, 2)
    assert seen(connection) == {(2**41, 2)}, "what waits for nothing takes what it is given"


@pytest.mark.parametrize("count", [1, FEW, MANY])
def test_lanes_are_let_go_of_by_whoever_holds_them_under_this_fence(connection: Connection, count: int) -> None:
    wake(connection, count + 2, 5, 1)
    taken = lanes.take(connection, "torfaen", "casework", "we", now=9, until=99, most=99)
    assert len(taken) == count + 2
    connection.execute(update(lane).where(lane.c.id == "lane 00").values(fence=lane.c.fence + 1))
    connection.execute(update(lane).where(lane.c.id == "lane 01").values(owner="another"))
    lanes.let_go(connection, taken, {one.lane: (None if one.lane[-1] == "2" else 7, 2) for one in taken})
    rows = {row.id: row for row in connection.execute(select(lane))}
    assert (rows["lane 00"].owner, rows["lane 00"].due) == ("we", 5)
    assert (rows["lane 01"].owner, rows["lane 01"].due) == ("another", 5)
    for id in sorted(rows)[2:]:
        row = rows[id]
        assert (row.owner, row.until, row.due, row.rank) == (None, None, None if id[-1] == "2" else 7, 2)
