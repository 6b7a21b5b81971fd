"""What the ledger takes and will take: the arithmetic, and the counting on SQLite and PostgreSQL."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from pipelines import composition
from pipelines.capacity import DAY, FEWEST, capacity, tables, whole
from pipelines.past import fill
from pipelines.plant import Plant
from pipelines.projection import FURTHEST, Share, held, project
from pipelines.tables import attempt, payload, referral

pytest_plugins = ("tests.on_servers",)

ROOT = Path(__file__).parents[2]
SHARES = (Share("raw", 1000, 30), Share("metadata", 100, 2000))
LIMITS = {("torfaen", "sink"): 0.5}


@pytest.mark.parametrize(
    ("days", "bytes"), [(0, 0), (10, 10 * 1100 * 5), (30, 30 * 1100 * 5), (130, (30_000 + 13_000) * 5)]
)
def test_what_is_over_takes_no_more_room(days: float, bytes: float) -> None:
    assert held(SHARES, 5, days) == bytes
    assert held(SHARES, 5, 5000) == held(SHARES, 5, 2000)


def test_when_it_is_full_and_when_it_rests() -> None:
    told = project(SHARES, 5, age=100, room=50_000)
    assert told.full_in_days == pytest.approx(100, abs=1)  # 500 bytes a day
    assert told.bytes_a_day == 500
    assert told.at_rest == 5 * (30_000 + 200_000)
    assert told.rests_in_days == 1900
    young = project(SHARES, 5, age=0, room=5 * 1100 * 20)
    assert young.full_in_days == pytest.approx(20, abs=1)


def test_what_fits_for_good_and_what_nobody_knows() -> None:
    need = held(SHARES, 5, FURTHEST) - held(SHARES, 5, 100)
    assert project(SHARES, 5, age=100, room=need + 1).full_in_days is None
    assert project(SHARES, 5, age=100, room=need - 1000).full_in_days is not None
    assert project(SHARES, 5, age=100, room=None).full_in_days is None
    assert project((), 5, age=1, room=10).at_rest == 0


@pytest.fixture
def plant(either: Callable[[], str], tmp_path: Path) -> Iterator[Plant]:
    site = Path(shutil.copytree(ROOT / "config" / "example", tmp_path / "site"))
    file = site / "config" / "dolen.yaml"
    text, times = re.subn(r"(?m)^ledger: .*$", "ledger: {url: 'env:UNDER_TEST'}", file.read_text(encoding="utf-8"))
    assert times == 1
    file.write_text(text, encoding="utf-8")
    made = composition.build(composition.load(site), environment={"UNDER_TEST": either()})
    yield made
    made.close()


def with_past(plant: Plant, number: int, days: float) -> None:
    """Referrals that came evenly in the last `days`, each with a raw payload of 300 and facts of 700 bytes."""
    fill(plant.ledger, "torfaen", number)
    now = plant.clock.now()
    with plant.ledger.writing() as connection:
        for kind, size in (("raw", 300), ("facts", 700)):
            connection.execute(update(payload).where(payload.c["class"] == kind).values(body=b"x" * size))
        for nth, (id,) in enumerate(connection.execute(referral.select().with_only_columns(referral.c.id)).all()):
            at = now - int(days * DAY * (nth + 1) / number)
            connection.execute(update(referral).where(referral.c.id == id).values(at=at, changed_at=at + 2 * DAY))
        connection.execute(update(attempt).values(begun=now - DAY))


def test_counted_from_the_ledger(plant: Plant) -> None:
    with_past(plant, 200, 50)
    found = capacity(plant, LIMITS, room=10**12)
    assert (found.referrals, found.too_little) == (200, "")
    assert {one.kind: (one.count, one.bytes) for one in found.kept} == {"raw": (200, 60_000), "facts": (200, 140_000)}
    assert {one.table: one.rows for one in found.sizes}["delivery"] == 200
    assert all(one.bytes for one in found.sizes)
    assert found.a_day == pytest.approx(4, rel=0.05)
    assert found.open_days == pytest.approx(2, rel=0.01)
    shares = {one.name: one for one in found.shares}
    assert (shares["raw"].bytes_a_referral, shares["payloads"].bytes_a_referral) == (300, 700)
    assert shares["raw"].days == pytest.approx(2 + 30)
    # Every byte of the tables is in one share, and in one alone.
    shared = 200 * sum(one.bytes_a_referral for one in found.shares)
    assert shared == pytest.approx(sum(one.bytes or 0 for one in found.sizes))
    (calls,) = found.calls
    assert (calls.connection, calls.busiest_hour, calls.limit) == ("sink", 200, 0.5)
    assert calls.busiest_share == pytest.approx(200 / 3600 / 0.5)
    assert found.projection is not None
    assert found.projection.at_rest > 0


def test_honest_where_there_is_too_little(plant: Plant) -> None:
    assert "holds 0 referrals" in capacity(plant, {}).too_little
    with_past(plant, FEWEST, 3)
    young = capacity(plant, {})
    assert young.projection is None
    assert "3.0 days old" in young.too_little
    assert capacity(plant, {}, a_day=50).projection is not None


def test_a_past_goes_on_where_it_ended(plant: Plant) -> None:
    fill(plant.ledger, "torfaen", 10)
    with plant.ledger.reading() as connection:
        before = whole(connection)
    fill(plant.ledger, "torfaen", 500, after=10)
    with plant.ledger.reading() as connection:
        assert {one.table: one.rows for one in tables(connection)}["proof"] == 510
        assert whole(connection) > before
