"""`dolen bench peers` in small: rivals that are installed do the same work, and the others are said to be missing.

Celery and dlt are in no lock, so that the suite runs without them: then what is looked at is that the bench says so.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from console.bench import pipeline as contest
from console.bench import rivals
from console.bench.servers import Servers
from tests.found import found_postgresql, found_rabbitmq

KEYS = {"name", "ours", "against", "theirs", "ratio", "unit", "our_cpu", "their_cpu", "cpu_unit", "runs"}


def installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def test_what_is_not_there_is_left_out_and_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rivals, "_installed", lambda package: False)
    found = rivals.peers(100, 1, 1, Servers("postgresql://x/y", "amqp://x/y"))
    assert found["results"] == []
    assert [note.partition(":")[0] for note in found["notes"]] == [
        "Left out, as celery is not installed", "Left out, as dlt is not installed",
    ]  # fmt: skip
    assert all("pip install" in note for note in found["notes"])


def test_without_servers_nothing_is_said_of_celery(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rivals, "_installed", lambda package: package == "celery")
    found = rivals.peers(100, 1, 1, Servers(), ["celery"])
    assert found["results"] == []
    assert "--broker" in found["notes"][0]


def test_a_result_that_there_is_not_is_wrong_use() -> None:
    command = [sys.executable, "-m", "console", "bench", "peers", "--only", "airflow"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "celery, whole" in done.stderr


def test_one_request_is_shown_by_its_number_as_in_the_page() -> None:
    with contest.flood(0.0) as url:
        contest.release(url, 3, after=7, spread=True)
        page = contest.asked(f"{url}/source/requests")["requests"]
        assert [one["id"] for one in page] == ["C-0000008", "C-0000009", "C-0000010"]
        assert len({one["changed_at"] for one in page}) == 3
        assert contest.asked(f"{url}/source/requests/C-0000009") == page[1]


def test_our_reader_reads_everything_and_then_what_changed(tmp_path: Path) -> None:
    """It is not compared with anything here, so that it stands where dlt is not installed."""
    with contest.flood(0.0) as url:
        everything, changes = rivals.reads(url, 120, rivals.our_reader)
    assert everything.rate > 0
    assert changes.rate > 0


def test_dlt_reads_the_same_or_is_missed() -> None:
    found = rivals.peers(120, 1, 1, Servers(), ["dlt", "dlt, everything"])
    assert [one["name"] for one in found["results"]] == (["dlt", "dlt, everything"] if installed("dlt") else [])
    assert all(set(one) == KEYS and one["ratio"] > 0 for one in found["results"])
    assert bool(found["notes"]) != installed("dlt")


def test_celery_moves_the_same_or_is_missed() -> None:
    names = ["celery", "celery, whole", "celery, marked"]
    servers = Servers(found_postgresql(), found_rabbitmq())
    found = rivals.peers(100, 1, 1, servers, names)
    assert [one["name"] for one in found["results"]] == (names if installed("celery") else [])
    assert all(set(one) == KEYS | {"workers"} and one["ratio"] > 0 for one in found["results"])
    assert bool(found["notes"]) != installed("celery")
