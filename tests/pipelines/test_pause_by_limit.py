"""A system whose own limit is reached is left alone altogether, for as long as it asks, and status says so."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from connectors.errors import Throttled
from pipelines import overview, pauses
from pipelines.clock import SECOND
from pipelines.decision import LONGEST_RETRY_AFTER, PAUSED_FROM, limit_of
from pipelines.tables import delivery
from pipelines.walks import Walker
from pipelines.worker import Worker


def sends(town: Any) -> list[Any]:
    with town.plant.ledger.reading() as connection:
        return list(connection.execute(select(delivery).filter_by(connection="casework").order_by(delivery.c.id)))


def of(town: Any, name: str) -> Any:
    with town.plant.ledger.reading() as connection:
        return pauses.of(connection, "torfaen", name)


def test_one_delivery_that_meets_the_limit_pauses_the_connection_for_all(town: Any) -> None:
    first = town.ask()
    town.ask(customer={**first["customer"], "nhs_number": None, "last_name": "Llwyd"})
    town.read("torfaen")
    council, worker = town.plant.councils["torfaen"], Worker(town.plant, "boot")
    town.faults("torfaen", "casework", throttle={"seconds": 600, "times": 1})
    worker.drain(council, "casework")
    held, before = of(town, "casework"), town.clock.now()
    assert held.why == pauses.BY_LIMIT
    assert 590 * SECOND < held.until - before <= 600 * SECOND
    rows = sends(town)
    assert {(row.state, row.tries) for row in rows} == {("waiting", 0)}, "no try is burnt"
    assert all(row.due <= before for row in rows), "and none waits for itself"
    links = overview.look(town.plant).links
    (seen,) = [link for link in links if (link.council, link.connection) == ("torfaen", "casework")]
    assert (seen.paused, seen.paused_until) == (pauses.BY_LIMIT, held.until)
    assert worker.drain(council, "casework", probe=True) == 0, "its time is not over"
    with town.plant.ledger.writing() as connection:  # a call that was under way ends well meanwhile
        assert not pauses.end(connection, "torfaen", "casework", limit_over_by=town.clock.now())
    town.push(601)
    for _ in range(2):
        worker.drain(council, "casework", probe=True)
    assert of(town, "casework") is None
    assert {row.state for row in sends(town)} == {"arrived"}


def test_a_reading_that_meets_the_limit_pauses_it_too_and_a_short_wait_does_not(town: Any) -> None:
    council = town.plant.councils["torfaen"]
    contact, walker = council.wired["contact"], Walker(town.plant, council)
    town.faults("torfaen", "contact", throttle={"seconds": 2, "times": 1})
    walker.walk(contact, contact.kinds["Request"])
    assert of(town, "contact") is None
    town.faults("torfaen", "contact", throttle={"seconds": 300, "times": 1})
    walker.walk(contact, contact.kinds["Request"])
    assert of(town, "contact").why == pauses.BY_LIMIT


def test_what_is_a_limit_of_the_whole_connection() -> None:
    assert limit_of(Throttled("slow down", after=PAUSED_FROM, whole=True)) == PAUSED_FROM
    assert limit_of(Throttled("slow down", after=PAUSED_FROM - 1, whole=True)) == 0
    assert limit_of(Throttled("slow down", whole=True)) == 0, "for how long is not said: each call waits by itself"
    assert limit_of(Throttled("this record is locked", after=600)) == 0
    assert limit_of(Throttled("slow down", after=10_000_000.0, whole=True)) == LONGEST_RETRY_AFTER
