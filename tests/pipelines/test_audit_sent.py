"""The audit handed to a SIEM over TLS: no row is lost where the connection is cut, and the place is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from connectors.errors import Unknown, Unreachable
from connectors.syslog import SecureCollector
from pipelines import audit_sent
from tests.pipelines.test_audit import write
from tests.siem import Collector, collecting, secure

pytest_plugins = ("tests.pipelines.pieces", "tests.authorities")


@pytest.fixture(scope="module")
def siem(authority: trustme.CA) -> Iterator[Collector]:
    with collecting(secure(authority)) as collector:
        yield collector


@pytest.fixture(autouse=True)
def _fresh(siem: Collector) -> None:
    siem.heard.clear()
    siem.ways.clear()


def heard(siem: Collector) -> list[int]:
    """The numbers of the rows that it read, in order."""
    return [json.loads(line.partition("audit - ")[2])["seq"] for line in siem.heard]


def handed(bench: Any, siem: Collector, bundle: Path, **how: Any) -> audit_sent.Sent:
    made = SecureCollector("localhost", siem.port, ca_bundle=bundle)
    return audit_sent.hand_over(bench.plant, made, pause=lambda _: None, **how)


def test_a_cut_connection_loses_no_row_and_the_place_is_kept(
    bench: Any, siem: Collector, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_sent, "AT_ONCE", 3)
    for number in range(1, 9):
        write(bench, f"d{number}", why="Mrs Llŷr rang")
    siem.ways = ["", "cut", "no goodbye"]  # the first three arrive; the next three are read in part, then twice again
    assert handed(bench, siem, bundle) == audit_sent.Sent(8, 8, anew=False)
    assert sorted(set(heard(siem))) == list(range(1, 9))
    assert heard(siem)[:3] == [1, 2, 3]
    assert heard(siem)[-5:] == [4, 5, 6, 7, 8]
    assert "Llŷr" not in "".join(siem.heard)
    siem.heard.clear()
    bench.restart()
    assert handed(bench, siem, bundle) == audit_sent.Sent(0, 8, anew=False)
    write(bench, "d9")
    assert handed(bench, siem, bundle).rows == 1
    assert heard(siem) == [9]
    assert handed(bench, siem, bundle, after=7).rows == 2  # whoever keeps the place elsewhere says it


def test_a_collector_that_keeps_cutting_is_told_and_the_next_run_goes_on_from_its_place(
    bench: Any, siem: Collector, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_sent, "AT_ONCE", 2)
    for number in range(1, 6):
        write(bench, f"d{number}")
    siem.ways = ["", "cut", "leaves at once", "cut"]
    with pytest.raises(Unknown, match="It has the rows up to 2"):
        handed(bench, siem, bundle)
    siem.heard.clear()
    assert handed(bench, siem, bundle) == audit_sent.Sent(3, 5, anew=False)
    assert heard(siem) == [3, 4, 5]


def test_who_is_not_trusted_is_not_tried_again_and_moves_no_place(
    bench: Any, siem: Collector, tmp_path: Path, bundle: Path
) -> None:
    strange = tmp_path / "strange.pem"
    trustme.CA().cert_pem.write_to_path(str(strange))
    write(bench, "d1")
    before = siem.connections
    with pytest.raises(Unreachable, match="certificate of the collector"):
        handed(bench, siem, strange)
    assert siem.connections == before + 1
    assert handed(bench, siem, bundle).rows == 1


def test_a_ledger_that_is_another_than_was_sent_is_sent_from_its_beginning(
    bench: Any, siem: Collector, bundle: Path
) -> None:
    """Restored from yesterday, it writes other rows under numbers that were sent."""
    write(bench, "d1")
    write(bench, "d2")
    assert handed(bench, siem, bundle).place == 2
    (file,) = (bench.plant.lock_file.parent / audit_sent.FOLDER).iterdir()
    assert file.stat().st_mode & 0o077 == 0
    told = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**told, "hash": "of a row that is no more"}), encoding="utf-8")
    siem.heard.clear()
    assert handed(bench, siem, bundle) == audit_sent.Sent(2, 2, anew=True)
    file.write_text("{", encoding="utf-8")  # half written by an older machine: everything again is better than a gap
    assert handed(bench, siem, bundle) == audit_sent.Sent(2, 2, anew=False)
    assert heard(siem) == [1, 2, 1, 2]
