"""Real processes and time: the nights on which clocks change, and a ledger that somebody else keeps locked."""

import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.rig.fleet import Fleet


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """One embedded site."""
    made = Fleet(tmp_path)
    yield made
    made.close()


@pytest.mark.skipif(shutil.which("faketime") is None, reason="faketime is not installed: apt-get install faketime")
@pytest.mark.parametrize(
    ("begin", "planned"),
    [
        # From 00:20 UTC, 01:20 in summer time; at 01:00 UTC clocks go back, and 01:30 comes again.
        ("2026-10-25 00:20:00", "2026-10-25T00:30"),
        # From 00:50 UTC; at 01:00 clocks go forward from 01:00 to 02:00, and 01:30 never comes.
        ("2026-03-29 00:50:00", "2026-03-29T01:00"),
    ],
)
def test_row_26_r12_a_nightly_run_is_made_once_by_a_real_process_on_both_nights(
    fleet: Fleet, begin: str, planned: str
) -> None:
    fleet.change("config/councils/alder.yaml", "schedule: {every: PT1S}", 'schedule: {cron: "30 1 * * *"}')
    # Ten minutes of its clock are a second of ours; only the clock is pretended, waiting goes on as it does.
    pretended = ("faketime", "-f", f"@{begin} x600")
    fleet.start("run", "run", before=pretended, TZ="UTC", DONT_FAKE_MONOTONIC="1", FAKETIME_DONT_FAKE_MONOTONIC="1")

    def at(row: object) -> str:
        return datetime.fromtimestamp(int(str(row)) / 1e6, UTC).strftime("%Y-%m-%dT%H:%M")

    def done() -> list[str]:
        return [at(row["at"]) for row in fleet.rows("slot") if row["connection"] == "desk" and row["done"]]

    fleet.until(lambda: "running" in fleet.events("run"))
    fleet.until(lambda: planned in done())

    def late() -> bool:
        return any(at(row["beat"]) >= planned[:11] + "03:00" for row in fleet.rows("process"))

    fleet.until(late)  # an hour and a half behind it, past both of the times that clocks show as 01:30
    assert Counter(done())[planned] == 1
    assert [one for one in done() if one > planned] == []


def test_row_5_a_ledger_that_is_locked_is_waited_for(fleet: Fleet) -> None:
    fleet.start("run", "run")
    fleet.desk.type_in("Jones-0")
    fleet.until(lambda: fleet.all_there(1))
    with sqlite3.connect(fleet.folder / "data" / "ledger.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        fleet.desk.type_in("Jones-1")
        time.sleep(4)
        other.execute("ROLLBACK")
    other.close()
    assert fleet.until(lambda: fleet.all_there(2)) < 20
    assert fleet.stop("run") < 6
    events = Counter(fleet.events("run"))
    assert events["running"] == 1
    assert not any(events[name] for name in ("walk_fault", "worker_fault", "ledger_fault", "process_given_up"))


def test_a_back_fill_under_way_is_gone_on_with_after_a_kill(fleet: Fleet) -> None:
    for n in range(60):
        fleet.desk.type_in(f"Jones-{n}")
    fleet.desk.page_size = 5
    page, asked = fleet.desk.page, []

    def slow(since: str, cursor: str, limit: int) -> object:
        asked.append(cursor)
        time.sleep(0.15)
        return page(since, cursor, limit)

    fleet.desk.page = slow  # type: ignore[method-assign,assignment]
    fleet.change("config/councils/alder.yaml", "    schedule: {every: PT1S}\n", "")
    fleet.start("run", "run")
    fleet.until(lambda: "running" in fleet.events("run"))
    fleet.start("sync", "sync alder/desk --from 2026-01-01")
    fleet.until(lambda: len(asked) > 3)
    fleet.kill("run")
    fleet.kill("sync")
    before = list(asked)
    fleet.start("run", "run")
    fleet.until(lambda: any(row["purpose"] == "back-fill" and row["done"] for row in fleet.rows("slot")))
    assert asked[len(before)] in before[-2:]  # the page in hand or the one behind it, and not the first
    assert asked.count("") == 1
    (row,) = fleet.rows("slot")
    assert (row["read"], row["words"]) == (60, "")
    (place,) = fleet.rows("walk")
    assert place["purpose"] == "back-fill"  # the live place was not made, let alone moved
    fleet.until(lambda: fleet.all_there(60))
