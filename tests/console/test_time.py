"""Real processes and time: the nights on which clocks change, and a ledger that somebody else keeps locked."""

import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.rig.fleet import Fleet

LIBRARIES = ("usr/lib/*/faketime/libfaketime.so.1", "usr/lib/faketime/libfaketime.so.1")


@pytest.fixture
def pretended() -> dict[str, str]:
    """The environment of a process whose time of day is pretended; waiting goes on as it does.

    The library is named by itself: the command `faketime` would stand between us and the process, and take its signals.
    """
    for pattern in LIBRARIES:
        for library in Path("/").glob(pattern):
            return {"LD_PRELOAD": str(library), "FAKETIME_DONT_FAKE_MONOTONIC": "1", "TZ": "UTC"}
    pytest.skip("libfaketime is not installed: apt-get install faketime")


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """One embedded site."""
    made = Fleet(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("begin", "planned", "again"),
    [
        # 00:30 UTC is 01:30 in summer time; at 01:00 UTC clocks go back, and an hour later they show 01:30 again.
        ("2026-10-25 00:29:52", "2026-10-25T00:30", "2026-10-25 01:29:52"),
        # At 01:00 UTC clocks go forward from 01:00 to 02:00, and never show 01:30; 01:30 UTC is nobody's.
        ("2026-03-29 00:59:52", "2026-03-29T01:00", "2026-03-29 01:29:52"),
    ],
)
def test_row_26_r12_a_nightly_run_is_made_once_by_a_real_process_on_both_nights(
    fleet: Fleet, pretended: dict[str, str], begin: str, planned: str, again: str
) -> None:
    fleet.change("config/councils/alder.yaml", "schedule: {every: PT1S}", 'schedule: {cron: "30 1 * * *"}')

    def at(microseconds: int) -> str:
        return datetime.fromtimestamp(microseconds / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%S")

    def done() -> list[str]:
        return [at(row["at"])[:16] for row in fleet.rows("slot") if row["connection"] == "desk" and row["done"]]

    def newest_beat() -> str:
        return max((at(row["beat"]) for row in fleet.rows("process")), default="")

    fleet.start("first", "run", **pretended, FAKETIME=f"@{begin}")
    fleet.until(lambda: "running" in fleet.events("first"))
    fleet.until(lambda: planned in done())
    fleet.stop("first")
    # An hour later, as another process would see it that was started meanwhile.
    fleet.start("second", "run", **pretended, FAKETIME=f"@{again}")
    fleet.until(lambda: newest_beat() >= again.replace(" ", "T")[:14] + "30:06")
    assert Counter(done())[planned] == 1
    assert [one for one in done() if one > planned] == []
    fleet.stop("second")


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
