"""What tests of comparing share: three requests of Torfaen that both systems hold, and eyes on what is asked there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from connectors.port import Receipt
from pipelines import proofs, tables
from pipelines.prover import make
from pipelines.reconcile import reconcile

ROUTE = "contact-to-casework"
CODE = "torfaen"


class Calls:
    """Counts what a connector is asked, and lets a test answer for it."""

    def __init__(self, real: Any) -> None:
        self.real = real
        self.asked: list[str] = []
        self.pages: Any = None
        self.forgets = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def changes(self, kind: str, **options: Any) -> Any:
        self.asked.append("changes")
        page = self.real.changes(kind, **options)
        return self.pages(page) if self.pages else page

    def deliver(self, kind: str, record: Any, **options: Any) -> Any:
        if self.forgets:
            return Receipt(options["id"], "updated", options["version"], datetime.now(UTC))
        return self.real.deliver(kind, record, **options)

    def fetch(self, kind: str, id: str) -> Any:
        self.asked.append("fetch")
        return self.real.fetch(kind, id)


@contextmanager
def watched(town: Any, name: str) -> Iterator[Calls]:
    wired = council(town).wired[name]
    calls = Calls(wired.connector)
    wired._connector = calls
    yield calls
    wired._connector = calls.real


def council(town: Any) -> Any:
    return town.plant.councils[CODE]


def report(town: Any, route: str = ROUTE, **options: Any) -> Any:
    return reconcile(town.plant, council(town), route, **options)


def bring_in_step(town: Any) -> Any:
    """Three requests of Torfaen that both systems hold."""
    for _ in range(3):
        town.ask(CODE)
    town.rest()
    assert report(town).agrees
    return town


def cases(town: Any) -> list[str]:
    return [str(one["ReferralId"]) for one in town.records(CODE, "casework")]


@contextmanager
def long_ago(town: Any, hours: int = 3) -> Iterator[None]:
    """What is written now is stamped hours ago, and becomes visible only now: later than every overlap."""
    now = datetime.now(UTC)
    town.control("PUT", "clock", {"now": (now - timedelta(hours=hours)).isoformat()})
    yield
    town.control("PUT", "clock", {"now": datetime.now(UTC).isoformat()})


def forward(town: Any, seconds: int) -> None:
    """The live walk's watermark lies so far ahead."""
    with town.plant.ledger.writing() as connection:
        row = connection.execute(
            select(tables.walk).filter_by(council=CODE, connection="contact", purpose="live")
        ).one()
        ahead = (datetime.fromisoformat(row.watermark) + timedelta(seconds=seconds)).isoformat()
        connection.execute(
            update(tables.walk).filter_by(council=CODE, connection="contact", purpose="live").values(watermark=ahead)
        )


def rows(town: Any, table: Any, **where: Any) -> list[Any]:
    with town.plant.ledger.reading() as connection:
        return list(connection.execute(select(table).filter_by(council=CODE, **where)).all())


def planned(town: Any, route: str = ROUTE) -> Any:
    """Make the comparison as the timetable would."""
    one = proofs.Due(CODE, route, town.clock.now(), False)
    assert proofs.claim(town.plant, one, "boot/1")
    return make(town.plant, one, "boot/1", threading.Event())


def surname(town: Any, number: str) -> str:
    return str(town.control("GET", f"{CODE}/casework/records/{number}")["Subject"]["Surname"])
